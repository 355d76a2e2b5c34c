"""What a style is made of: layers of players, drums, tempo, harmony and effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synthesis.music.rhythms import WHOLE

Range = tuple[float, float]


@dataclass(frozen=True)
class Layer:
    """One player.

    Attributes
    ----------
    role : str
        What is played, a key of `players.ROLES`.
    programs : tuple of int
        General MIDI programs, of which an artist chooses one.
    rhythms : tuple of str
        Of which an artist chooses one.
    octave : int
        4 lies around middle C.
    level_db : float
        In the mix.
    chance : float
        That an artist has this player.
    effects : mapping
        Name of an effect to the range of its amount.
    """

    role: str
    programs: tuple[int, ...]
    rhythms: tuple[str, ...] = (WHOLE,)
    octave: int = 4
    level_db: float = 0.0
    chance: float = 1.0
    effects: Mapping[str, Range] = field(default_factory=dict)


@dataclass(frozen=True)
class Style:
    """A way of making music within a genre.

    Attributes
    ----------
    name : str
        As a listener would say.
    tempo : Range
        Quarter notes per minute.
    scales, progressions : tuple of str
        Keys of `theory.SCALES`; scale degrees as in ``"1 5 6 4"``.
    layers : tuple of Layer
        The players.
    drums : tuple of str
        Keys of `drums.PATTERNS`; empty for none.
    kits : tuple of int
        Drum kits of the sound font.
    drums_db : float
        Level of the drums in the mix.
    drums_chance : float
        That an artist has a drummer.
    steps : int
        Steps per bar.
    swing, loose_s, sevenths : Range
        Swing in steps, timing in seconds, chance of four-note chords.
    chord_bars : tuple of int
        Bars that a chord lasts, of which an artist chooses.
    room : Range
        Amount of reverberation.
    effects : mapping
        Effects on the whole mix.
    """

    name: str
    tempo: Range
    scales: tuple[str, ...]
    progressions: tuple[str, ...]
    layers: tuple[Layer, ...]
    drums: tuple[str, ...] = ()
    kits: tuple[int, ...] = (0,)
    drums_db: float = 0.0
    drums_chance: float = 1.0
    steps: int = 16
    swing: Range = (0.0, 0.05)
    loose_s: Range = (0.002, 0.012)
    sevenths: float = 0.1
    chord_bars: tuple[int, ...] = (1,)
    room: Range = (0.05, 0.4)
    effects: Mapping[str, Range] = field(default_factory=dict)
