"""What goes into the loop beside sound, and what comes out."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np


class Stream(Protocol):
    """What a detector gives for live use."""

    sample_rate: int
    """In Hz."""

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hear the next piece, float32 of shape (samples,), of any length.

        Gives the times, in seconds from the beginning, and the probabilities of the steps that it
        completes, both of shape (steps,). How the stream is cut into pieces changes nothing.
        """


class Found(Protocol):
    """A moment that a rule found, ``models.trigger_word.Detection`` for one."""

    time_s: float
    score: float


class Rule(Protocol):
    """Turns probabilities into moments, ``models.trigger_word.Trigger`` for one."""

    def push(self, times_s: np.ndarray, scores: np.ndarray) -> list[Found]:
        """Watch the next probabilities, both of shape (steps,)."""


class Heard(NamedTuple):
    """A detection, and when it could be told.

    Attributes
    ----------
    time_s : float
        When, in seconds of the stream.
    score : float
        The probability that made it one.
    told_s : float
        How many seconds of the stream had come in when it was found.
    late : bool
        Whether that was too long after.
    quiet : bool
        Whether it was never loud enough, in the second before, to be anything but the room.
    """

    time_s: float
    score: float
    told_s: float
    late: bool
    quiet: bool

    @property
    def told(self) -> bool:
        """Whether it was told: neither late nor quiet."""
        return not (self.late or self.quiet)


@dataclass(frozen=True)
class Turn:
    """What one turn heard.

    Attributes
    ----------
    time_s : float
        Where the stream is now, in seconds.
    heard_s, gap_s : float
        How much was heard, and how much had been dropped before it.
    level_db, floor_db : float
        The level of what was heard and the noise floor, in dBFS.
    times_s, scores : np.ndarray, shape (steps,)
        What the stream gave.
    detections : tuple of Heard
    """

    time_s: float
    heard_s: float
    gap_s: float
    level_db: float
    floor_db: float
    times_s: np.ndarray
    scores: np.ndarray
    detections: tuple[Heard, ...]
