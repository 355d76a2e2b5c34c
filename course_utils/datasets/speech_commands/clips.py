"""Clips in memory: decoded once, all of one length and one rate.

A set to train on has to be uniform, so nothing is converted here: a file that is not 16-bit mono
WAV at the common rate is refused by name. (TensorFlow's example reads every rate as if it were the
one in its flags.)
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils import audio
from course_utils.audio.errors import name_of, wrong
from course_utils.progress import bar

_NAMED = 5  # unfit files that a message names


@dataclass(frozen=True)
class Clips:
    """Decoded clips.

    Attributes
    ----------
    steps : np.ndarray of int16, shape (clips, samples)
        ``steps / 32768`` are samples in [-1, 1). A row of zeros stands for every None among the
        paths.
    sample_rate : int
        In Hz.
    padded, cut : int
        How many recordings were shorter (zeros were added at the end) and longer (the end was
        cut off) than a clip.
    """

    steps: np.ndarray
    sample_rate: int
    padded: int
    cut: int


def read_clips(
    paths: Sequence[Path | None],
    sample_rate: int | None = None,
    clip_duration_ms: float = 1000,
    progress: bool = True,
) -> Clips:
    """Decode recordings to one length.

    Parameters
    ----------
    paths : sequence of Path or None
        16-bit mono WAV files; None for silence.
    sample_rate : int, optional
        Rate that all files must have, in Hz; by default the one that most of them have.
    clip_duration_ms : float
        Length of a clip, in milliseconds.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Clips

    Raises
    ------
    audio.AudioError
        If files are not 16-bit mono WAV, have another rate, or cannot be read; the first one is
        explained, the next few are named, all are counted.
    ValueError
        If there is no file at all, or a clip would have no samples.
    """
    rows = [row for row, path in enumerate(paths) if path is not None]
    files = [Path(paths[row]) for row in rows]
    if not files:
        raise ValueError("There is no clip to read; expected at least one path; select some words.")
    rate = sample_rate or _first_rate(files)
    length = _clip_length(rate, clip_duration_ms)
    steps = np.zeros((len(paths), length), np.int16)
    padded = cut = 0
    with bar(len(files), "decoding", "clip", progress) as shown:
        for clip, row in zip(_read_all(files, sample_rate), rows, strict=True):
            steps[row, : len(clip)] = clip[:length]
            padded += len(clip) < length
            cut += len(clip) > length
            shown.update()
    return Clips(steps, rate, padded, cut)


def read_backgrounds(
    paths: Sequence[Path], sample_rate: int, clip_duration_ms: float = 1000
) -> list[np.ndarray]:
    """Decode recordings of background noise, whole.

    Returns
    -------
    list of np.ndarray of int16, shape (samples,)

    Raises
    ------
    audio.AudioError
        As :func:`read_clips`.
    ValueError
        If a recording is not longer than a clip, so that no piece can be drawn from it.
    """
    length = _clip_length(sample_rate, clip_duration_ms)
    recordings = list(_read_all([Path(path) for path in paths], sample_rate))
    for path, recording in zip(paths, recordings, strict=True):
        if len(recording) <= length:
            raise ValueError(
                f"{name_of(path)} lasts {1000 * len(recording) / sample_rate:g} ms; expected"
                f" noise that is longer than a clip of {clip_duration_ms:g} ms, so that pieces can"
                " be drawn from it; take a longer recording."
            )
    return recordings


def _clip_length(sample_rate: int, clip_duration_ms: float) -> int:
    """Samples in a clip."""
    # Written so that a NaN, for which every comparison is false, is refused as well.
    if not 1 <= sample_rate * clip_duration_ms / 1000 < math.inf:
        raise ValueError(
            f"clip_duration_ms is {clip_duration_ms} at {sample_rate} Hz; expected at least one"
            " sample; 1000 is usual."
        )
    return int(sample_rate * clip_duration_ms / 1000)


def _first_rate(files: Sequence[Path]) -> int:
    """The rate of the first of some files that can be read: that of all, or some are unfit."""
    for path in files[:: -(-len(files) // 100)]:
        with suppress(audio.AudioError):  # read_clips reports it, with all others
            return audio.load_pcm16(path)[1]
    return audio.MIN_RATE


def _read_all(files: Sequence[Path], sample_rate: int | None) -> Iterator[np.ndarray]:
    """The 16-bit values of one file after another; at the end one error for all unfit ones."""
    found = []
    # Reading waits for the disk more than for the processor.
    with ThreadPoolExecutor(4) as pool:
        for steps, rate in pool.map(_read, files):
            found.append(rate)
            yield steps
    rates = Counter(rate for rate in found if isinstance(rate, int))
    wanted = sample_rate or (max(rates, key=rates.get) if rates else None)
    unfit = [(path, rate) for path, rate in zip(files, found, strict=True) if rate != wanted]
    if unfit:
        path, rate = unfit[0]
        error = _other_rate(path, rate, wanted) if isinstance(rate, int) else rate
        raise audio.AudioError(f"{error}{_more([path for path, _ in unfit[1:]])}")


def _read(path: Path) -> tuple[np.ndarray, int | audio.AudioError]:
    """The 16-bit values of one file and its rate, or what is wrong with it."""
    try:
        return audio.load_pcm16(path)
    except audio.AudioError as error:
        return np.zeros(0, np.int16), error


def _other_rate(path: Path, found: int, wanted: int) -> audio.AudioError:
    return wrong(
        name_of(path),
        f"has a rate of {found} Hz",
        f"{wanted} Hz, as all clips of a set share one rate: convert it, audio.load with this rate"
        " and audio.save do",
    )


def _more(paths: Sequence[Path]) -> str:
    """The sentence that counts the other unfit files and names the first few."""
    if not paths:
        return ""
    files = "file is" if len(paths) == 1 else "files are"
    names = ", ".join(str(name_of(Path(*path.parts[-2:]))) for path in paths[:_NAMED])
    return f" {len(paths):,} more {files} unfit, too: {names}{', …' * (len(paths) > _NAMED)}."
