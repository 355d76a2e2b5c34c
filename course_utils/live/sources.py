"""Where sound comes from, chunk by chunk, and how it gets into the loop.

A source is an iterable of chunks with a ``sample_rate``; ``live`` says whether its chunks come in
their own time, so that one may be too late for them.
"""

import math
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext

import numpy as np

from course_utils import audio
from course_utils.live.loop import Loop


class ArraySource:
    """A sound in memory as a microphone would give it.

    Parameters
    ----------
    samples : np.ndarray of float, shape (samples,)
    sample_rate : int
        In Hz.
    chunk_ms : float
        Length of a chunk, in milliseconds; the last one may be shorter.
    speed : float, optional
        1 gives each chunk when its last sample would have been recorded, 2 twice as fast; by
        default all come as fast as they are taken.

    Raises
    ------
    AudioError
        If the sound is unfit, see ``audio.check``.
    ValueError
        If the length of a chunk or the speed is not above 0.
    """

    def __init__(
        self,
        samples: np.ndarray,
        sample_rate: int,
        chunk_ms: float = 100,
        speed: float | None = None,
    ) -> None:
        self.samples, self.sample_rate = audio.check(samples, sample_rate)
        self.chunk = chunk_length(chunk_ms, self.sample_rate)
        if speed is not None and not 0 < speed < math.inf:
            raise ValueError(
                f"speed is {speed}; expected a number above 0, 1 for as fast as it was recorded, or"
                " None for as fast as possible."
            )
        self.speed, self.live = speed, speed is not None

    def __iter__(self) -> Iterator[np.ndarray]:
        begin = time.monotonic()
        for end in range(self.chunk, len(self.samples) + self.chunk, self.chunk):
            chunk = self.samples[end - self.chunk : end]
            if self.live:
                recorded_s = (end - self.chunk + len(chunk)) / self.sample_rate
                time.sleep(max(0, begin + recorded_s / self.speed - time.monotonic()))
            yield chunk


class FileSource(ArraySource):
    """A sound file, read by ``audio.load``, as a microphone would give it.

    Parameters
    ----------
    path : str or os.PathLike
    sample_rate : int, optional
        In Hz; the file's own by default.
    chunk_ms, speed
        See `ArraySource`.

    Raises
    ------
    AudioError
        If the file cannot be used, see ``audio.load``.
    ValueError
        See `ArraySource`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: int | None = None,
        chunk_ms: float = 100,
        speed: float | None = None,
    ) -> None:
        super().__init__(*audio.load(path, sample_rate), chunk_ms, speed)


def chunk_length(chunk_ms: float, sample_rate: int) -> int:
    """How many samples a chunk has, at least 1; ValueError unless its milliseconds are above 0."""
    if not 0 < chunk_ms < math.inf:
        raise ValueError(f"chunk_ms is {chunk_ms}; expected milliseconds above 0; 100 is usual.")
    return max(1, round(chunk_ms * sample_rate / 1000))


def listen(source: Iterable[np.ndarray], loop: Loop, seconds: float | None = None) -> Loop:
    """Drive a loop from a source until it ends.

    A live source fills the inbox while a thread turns, as it will be in earnest; any other waits
    for a turn after each chunk, so that nothing is lost however slow the detector is. Ctrl-C, or
    Jupyter's stop button, is the usual end of a microphone: it ends the listening to a live source,
    and no more.

    Parameters
    ----------
    source : iterable of np.ndarray
        `ArraySource`, `FileSource`, `Microphone`, or any other that gives chunks.
    loop : Loop
    seconds : float, optional
        How much of the source to hear, in seconds of sound; all by default.

    Returns
    -------
    Loop

    Raises
    ------
    ValueError
        If the loop expects another rate than the source has, or the seconds are negative.

    What the source, the stream or ``on_detection`` raises is raised, too.
    """
    rate = getattr(source, "sample_rate", loop.sample_rate)
    if rate != loop.sample_rate:
        raise ValueError(
            f"The source has a rate of {rate} Hz, and the loop expects {loop.sample_rate} Hz; make"
            f" the loop with sample_rate={rate}."
        )
    most = math.inf if seconds is None else seconds
    if not most >= 0:
        raise ValueError(f"seconds is {seconds}; expected a number from 0 up, or None for all.")
    with closing(_first(source, most * rate)) as chunks:
        _drive_live(chunks, loop) if getattr(source, "live", False) else _drive(chunks, loop)
    return loop


def _first(source: Iterable[np.ndarray], most: float) -> Iterator[np.ndarray]:
    """The chunks of the first so many samples."""
    given = 0
    for chunk in source if most > 0 else ():
        chunk = chunk[: max(0, math.ceil(min(most - given, len(chunk))))]
        given += len(chunk)
        yield chunk
        if given >= most:
            return


def _drive(chunks: Iterable[np.ndarray], loop: Loop) -> None:
    for chunk in chunks:
        for start in range(0, len(chunk), loop.capacity):
            loop.put(chunk[start : start + loop.capacity])
            loop.turn()


def _drive_live(chunks: Iterable[np.ndarray], loop: Loop) -> None:
    with nullcontext() if loop.running else loop:
        try:
            for chunk in chunks:
                loop.put(chunk)
                if not loop.running:
                    return
        except KeyboardInterrupt:
            return
