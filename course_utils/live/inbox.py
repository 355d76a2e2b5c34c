"""Where chunks of sound wait: as much as fits, the newest always, everything counted."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_MAX_PEAK = 8.0  # as for files: above it are integers, not sound mixed a little too loud
_MAX_CHANNELS = 32


@dataclass(frozen=True)
class Counts:
    """What became of the chunks; ``received == heard + dropped + waiting`` at every moment.

    Attributes
    ----------
    received, heard, dropped, waiting : int
        Chunks. One that is longer than the inbox is heard, its newest part at least.
    bad : int
        Chunks that were no sound. As many zeros stand for them, which are counted like sound; one
        that has no length is counted nowhere else.
    received_s, heard_s, dropped_s, waiting_s : float
        The same in seconds of sound. What is cut off a chunk that is too long is dropped.
    """

    received: int
    heard: int
    dropped: int
    waiting: int
    bad: int
    received_s: float
    heard_s: float
    dropped_s: float
    waiting_s: float


class Taken(NamedTuple):
    """What waited.

    Attributes
    ----------
    gap : int
        How many samples were dropped since the last time, all of them before the pieces.
    pieces : list of (np.ndarray, bool)
        Each chunk, and whether it is sound (or zeros instead of it).
    end : int
        Samples received so far, the pieces included.
    """

    gap: int
    pieces: list[tuple[np.ndarray, bool]]
    end: int


class Inbox:
    """Holds the newest chunks until somebody takes them; any thread may put, any may take.

    Parameters
    ----------
    capacity : int
        In samples. What does not fit is dropped, oldest chunk first.
    sample_rate : int
        In Hz, for the counts.
    """

    def __init__(self, capacity: int, sample_rate: int) -> None:
        self._capacity, self._rate = capacity, sample_rate
        self._lock = threading.Lock()  # held for a few lines only: an audio callback cannot wait
        self._pieces: deque[tuple[np.ndarray, bool]] = deque()
        self._gap = 0
        self._bad = 0
        # Chunks and samples.
        self._received, self._heard, self._dropped, self._waiting = ([0, 0] for _ in range(4))

    def put(self, samples: np.ndarray, good: bool = True) -> None:
        """Add a chunk, float32 of shape (samples,), which from now on belongs to the inbox."""
        with self._lock:
            self._bad += not good
            if not len(samples):
                return
            kept = samples[-self._capacity :]
            self._pieces.append((kept, good))
            _add(self._received, 1, len(samples))
            _add(self._waiting, 1, len(kept))
            while self._waiting[1] > self._capacity:
                oldest = len(self._pieces.popleft()[0])
                _add(self._waiting, -1, -oldest)
                self._lose(1, oldest)
            self._lose(0, len(samples) - len(kept))

    def _lose(self, chunks: int, samples: int) -> None:
        _add(self._dropped, chunks, samples)
        self._gap += samples

    def take(self) -> Taken | None:
        """Take out all that waits; None if nothing does."""
        with self._lock:
            if not self._pieces:
                return None
            taken = Taken(self._gap, list(self._pieces), self._received[1])
            _add(self._heard, *self._waiting)
            self._pieces.clear()
            self._waiting, self._gap = [0, 0], 0
            return taken

    @property
    def received_s(self) -> float:
        """Seconds of sound put in so far."""
        return self._received[1] / self._rate

    @property
    def counts(self) -> Counts:
        """What became of the chunks up to now."""
        with self._lock:
            four = self._received, self._heard, self._dropped, self._waiting
            chunks, samples = zip(*four, strict=True)
            return Counts(*chunks, self._bad, *(each / self._rate for each in samples))


def _add(pair: list[int], chunks: int, samples: int) -> None:
    pair[0] += chunks
    pair[1] += samples


def mono(chunk: np.ndarray) -> np.ndarray:
    """A chunk as a source may give it, copied into the course's form.

    Parameters
    ----------
    chunk : array of float or int16, shape (samples,) or (samples, channels)

    Returns
    -------
    np.ndarray of float32, shape (samples,)
        int16 divided by 32768, channels averaged, what is a little too loud clipped to [-1, 1].

    Raises
    ------
    ValueError
        If it is no such array, or holds NaN, infinity or values that are no sound.
    """
    try:
        found = np.asarray(chunk)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _wrong("is no array", "floats of shape (samples,)") from error
    if found.ndim not in (1, 2) or (found.ndim == 2 and not 0 < found.shape[1] <= _MAX_CHANNELS):
        raise _wrong(f"has shape {found.shape}", "(samples,) or (samples, channels)")
    if found.dtype != np.int16 and not np.issubdtype(found.dtype, np.floating):
        raise _wrong(f"has type {found.dtype}", "floats in [-1, 1] or int16")
    if found.dtype == np.int16:
        found = found / np.float32(32768)
    peak = float(np.abs(found).max(initial=0))
    if not peak <= _MAX_PEAK:  # written so that NaN is refused as well
        held = f"holds values up to {peak:g}" if np.isfinite(peak) else "holds NaN or infinity"
        raise _wrong(held, "values in [-1, 1]")
    if found.ndim == 2:
        found = found.mean(axis=1)
    return np.clip(found, -1, 1, dtype=np.float32, casting="same_kind")


def length_of(chunk: object) -> int:
    """How many samples of time a chunk that is no sound stands for; 0 if that cannot be told."""
    try:
        return max(np.shape(chunk), default=0)
    except (TypeError, ValueError, RuntimeError):
        return 0


def _wrong(found: str, expected: str) -> ValueError:
    return ValueError(
        f"A chunk of sound {found}; expected {expected}; it is heard as silence: mend its source."
    )
