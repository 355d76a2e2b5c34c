"""Scales, chords, and a song's grid of bars and steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Semitones above the tonic; halves are quarter tones, as in the maqamat.
SCALES: dict[str, tuple[float, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "hijaz": (0, 1, 4, 5, 7, 8, 10),
    "double harmonic": (0, 1, 4, 5, 7, 8, 11),
    "rast": (0, 2, 3.5, 5, 7, 9, 10.5),
    "bayati": (0, 1.5, 3, 5, 7, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "hirajoshi": (0, 2, 3, 7, 8),
    "in": (0, 1, 5, 7, 8),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
VELOCITIES = {"X": 112, "x": 90, "o": 64}


@dataclass(frozen=True)
class Song:
    """What all players of a track agree on.

    Attributes
    ----------
    seconds : float
        Length.
    tempo : float
        Quarter notes per minute; a quarter has four steps.
    steps : int
        Steps per bar: 16 is 4/4, 12 is 3/4 or 6/8, 14 is 7/8.
    swing : float
        By what part of a step every second step comes late.
    loose_s : float
        Standard deviation of the players' timing, in seconds.
    tonic : int
        MIDI key of the tonic between 55 and 66; players transpose it into their octave.
    scale : tuple of float
        Semitones above the tonic.
    progression : tuple of int
        Scale degrees of the chords from 0.
    chord_bars : int
        Bars that a chord lasts.
    chord_size : int
        Notes of a chord: 3, or 4 with sevenths.
    """

    seconds: float
    tempo: float
    steps: int
    swing: float
    loose_s: float
    tonic: int
    scale: tuple[float, ...]
    progression: tuple[int, ...]
    chord_bars: int = 1
    chord_size: int = 3

    @property
    def step_s(self) -> float:
        """Seconds of a step."""
        return 15 / self.tempo

    @property
    def beat_s(self) -> float:
        """Seconds of a quarter note."""
        return 60 / self.tempo

    @property
    def total_steps(self) -> int:
        """Steps that begin before the end."""
        return math.ceil(self.seconds / self.step_s)

    def time(self, step: int, rng: np.random.Generator) -> float:
        """Return when a step is played, in seconds: swung, and as exact as people are."""
        exact = (step + (self.swing if step % 2 else 0)) * self.step_s
        return max(0.0, exact + self.loose_s * rng.standard_normal())

    def degree(self, step: int) -> int:
        """Return the scale degree of the chord at a step."""
        bar = step // (self.steps * self.chord_bars)
        return self.progression[bar % len(self.progression)]

    def key(self, degree: int) -> float:
        """Return the MIDI key of a scale degree; degrees go on beyond the octave."""
        octave, place = divmod(degree, len(self.scale))
        return self.tonic + 12 * octave + self.scale[place]

    def chord(self, step: int) -> list[float]:
        """Return the keys of the chord at a step: every second note of the scale from its root."""
        root = self.degree(step)
        return [self.key(root + 2 * k) for k in range(self.chord_size)]


def near(key: float, centre: float) -> float:
    """Return a key moved by octaves to within half an octave of another."""
    return key + 12 * round((centre - key) / 12)


def voiced(keys: list[float], centre: float) -> list[float]:
    """Return a chord with all its notes near a key, from low to high."""
    return sorted(near(key, centre) for key in keys)


def degrees(text: str) -> tuple[int, ...]:
    """Read a progression, such as ``"1 5 6 4"``, as scale degrees from 0."""
    return tuple(int(word) - 1 for word in text.split())


def hits(song: Song, rhythm: str) -> list[tuple[int, int, int]]:
    """Return step, length in steps and velocity of each stroke of a rhythm that repeats.

    ``X``, ``x`` and ``o`` are loud, normal and soft strokes, ``.`` goes on with the last one.
    """
    if not set(rhythm) <= {*VELOCITIES, "."}:
        raise ValueError(f"The rhythm {rhythm!r} may only have the strokes X, x, o and dots.")
    struck = [k for k in range(song.total_steps) if rhythm[k % len(rhythm)] != "."]
    ends = [*struck[1:], song.total_steps]
    return [
        (start, end - start, VELOCITIES[rhythm[start % len(rhythm)]])
        for start, end in zip(struck, ends, strict=False)
    ]
