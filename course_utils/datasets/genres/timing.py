"""Where the time of an epoch goes: decoding the tracks again, or reading records.

An epoch that begins with MP3 files pays for decoding, resampling and pictures every time; records
are paid for once. Both ways give the same windows here, so that nothing but the time differs.
"""

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from course_utils import audio
from course_utils.datasets.genres import records
from course_utils.datasets.genres.manifest import located, shown
from course_utils.datasets.genres.windows import FrontEnd, pieces_of
from course_utils.progress import bar

if TYPE_CHECKING:
    from course_utils.datasets.genres import Tracks


@dataclass(frozen=True)
class Timing:
    """Seconds that one pass over some tracks takes, part by part.

    Attributes
    ----------
    tracks, windows : int
    decode, resample, windowing : float
        From files to sound, to the front end's rate, to windows, one track after another.
    read : float
        The same windows from records.
    """

    tracks: int
    windows: int
    decode: float
    resample: float
    windowing: float
    read: float

    @property
    def per_track(self) -> dict[str, float]:
        """Seconds for each track, by the name of the part."""
        parts = {"decode": self.decode, "resample": self.resample,
                 "compute windows": self.windowing, "read records": self.read}  # fmt: skip
        return {part: seconds / self.tracks for part, seconds in parts.items()}

    @property
    def times_faster(self) -> float:
        """How many times faster reading is than everything that it spares."""
        return (self.decode + self.resample + self.windowing) / self.read


def measure(
    tracks: "Tracks",
    front_end: FrontEnd,
    folder: str | os.PathLike[str],
    batch_size: int = 32,
    passes: int = 3,
) -> Timing:
    """Time both ways to the same windows.

    Parameters
    ----------
    tracks : Tracks
        What to decode, once: a few dozen tracks are enough.
    front_end : FrontEnd
    folder : str or path-like
        Records of the same tracks, from :func:`records.write` or :func:`records.convert`.
    batch_size, passes : int
        How records are read; the median of so many passes counts. The files are then in the
        system's memory, and so are the sound files if they have been read before.

    Returns
    -------
    Timing

    Raises
    ------
    records.RecordsError
        If the records are of other tracks or windows, or unfit.
    audio.AudioError
        If a track cannot be used.
    ValueError
        If ``batch_size`` or ``passes`` is below 1.
    """
    manifest = records.load_manifest(folder)
    if passes < 1:
        raise ValueError(f"passes is {passes}; expected 1 or more; 3 are usual.")
    spent = np.zeros(3)
    windows = 0
    with bar(len(tracks), "timing", "track") as progress:
        for track in tracks:
            seconds, found = _timed(track, front_end)
            spent += seconds
            windows += found
            progress.update()
    of_records = sorted(manifest.ids), manifest.shape, manifest.total
    if of_records != (sorted(tracks.ids), tuple(front_end.shape), windows):
        raise records.RecordsError(
            f"The records in {shown(located(folder))} are {manifest.total} windows"
            f" of shape {manifest.shape} of {len(manifest.ids)} tracks; expected {windows} of shape"
            f" {tuple(front_end.shape)} of the {len(tracks)} tracks given; write them anew."
        )
    batches = records.read(folder, batch_size)
    read = float(np.median([epoch(batches) for _ in range(passes)]))
    return Timing(len(tracks), windows, *spent.tolist(), read)


def decoded_every_epoch(
    tracks: "Tracks", front_end: FrontEnd, batch_size: int, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Batches as ``records.read`` gives them, but from the sound files, anew in every epoch.

    Tracks are decoded by several threads, and the next ones while earlier ones are used. What is
    wrong with a track arrives as TensorFlow's own error around the sentence.

    Returns
    -------
    tf.data.Dataset of (float32 (batch, *shape), int64 (batch,))
    """
    rng = None if shuffle_seed is None else np.random.default_rng(shuffle_seed)
    classes = tracks.classes

    def windows():
        order = None if rng is None else rng.permutation(len(tracks)).tolist()
        for place, piece in pieces_of(tracks, front_end, order, progress=False):
            for row in piece:
                yield row, classes[place]

    signature = (tf.TensorSpec(tuple(front_end.shape), tf.float32), tf.TensorSpec((), tf.int64))
    found = tf.data.Dataset.from_generator(windows, output_signature=signature)
    return found.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def epoch(batches: tf.data.Dataset) -> float:
    """Seconds of one pass over a data set with nothing done with it."""
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start


def _timed(track: object, front_end: FrontEnd) -> tuple[np.ndarray, int]:
    """Seconds of decoding, resampling and windowing of a track; how many windows it has."""
    moments = [time.perf_counter()]
    samples, rate = track.load()
    moments.append(time.perf_counter())
    samples = audio.resample(samples, rate, front_end.sample_rate)
    moments.append(time.perf_counter())
    windows = len(front_end(samples))
    moments.append(time.perf_counter())
    return np.diff(moments), windows
