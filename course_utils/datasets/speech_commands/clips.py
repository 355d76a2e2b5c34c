"""Clips in memory: decoded once, all of one length and one rate.

A set to train on has to be uniform, so nothing is converted here: a file that is not 16-bit mono
WAV at the common rate is refused by name. (TensorFlow's example reads every rate as if it were the
one in its flags.)
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils import audio, places
from course_utils.datasets.progress import bar


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
        Rate that all files must have, in Hz; by default that of the first file.
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
        If a file is not 16-bit mono WAV, has another rate, or cannot be read.
    ValueError
        If there is no file at all.
    """
    files = [path for path in paths if path is not None]
    if not files:
        raise ValueError("There is no clip to read; expected at least one path; select some words.")
    rate = sample_rate or audio.load_pcm16(files[0])[1]
    length = int(rate * clip_duration_ms / 1000)
    steps = np.zeros((len(paths), length), np.int16)
    padded = cut = 0
    places_of_files = [row for row, path in enumerate(paths) if path is not None]
    # Reading waits for the disk more than for the processor.
    with bar(len(files), "decoding", "clip", progress) as shown, ThreadPoolExecutor(4) as pool:
        for row, clip in zip(
            places_of_files, pool.map(lambda f: _read(f, rate), files), strict=True
        ):
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
    recordings = [_read(path, sample_rate) for path in paths]
    for path, recording in zip(paths, recordings, strict=True):
        if len(recording) <= sample_rate * clip_duration_ms / 1000:
            raise ValueError(
                f"{places.shown(path)} lasts {1000 * len(recording) / sample_rate:g} ms; expected"
                f" noise that is longer than a clip of {clip_duration_ms:g} ms, so that pieces can"
                " be drawn from it; take a longer recording."
            )
    return recordings


def _read(path: str | os.PathLike[str], sample_rate: int) -> np.ndarray:
    """The 16-bit values of one file, held to the common rate."""
    steps, found = audio.load_pcm16(path)
    if found != sample_rate:
        raise audio.AudioError(
            f"{places.shown(path)} has a rate of {found} Hz; expected {sample_rate} Hz, as all"
            " clips of a set share one rate; convert it (audio.load and audio.save do)."
        )
    return steps
