"""Who plays: an artist keeps a style, instruments, habits and a sound from track to track."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synthesis.music import drums
from synthesis.music.genres import STYLES
from synthesis.music.players import Part
from synthesis.music.rhythms import WHOLE
from synthesis.music.styles import Layer, Range, Style
from synthesis.music.theory import SCALES, Song, degrees

Rng = np.random.Generator
Amounts = tuple[tuple[str, float], ...]

BORROWERS = 0.12  # share of artists that take a player or the drums from a neighbouring genre
NEIGHBOURS = {
    "Electronic": ("Pop", "Hip-Hop", "Experimental"),
    "Experimental": ("Electronic", "Instrumental", "Rock", "International"),
    "Folk": ("Instrumental", "Pop", "International"),
    "Hip-Hop": ("Electronic", "Pop"),
    "Instrumental": ("Folk", "Rock", "Electronic"),
    "International": ("Folk", "Pop", "Hip-Hop"),
    "Pop": ("Rock", "Electronic", "Folk"),
    "Rock": ("Pop", "Folk", "Experimental"),
}
OCTAVES_HZ = (63, 125, 250, 500, 1000, 2000, 4000, 8000)
# What is usual in a genre: gains in dB at `OCTAVES_HZ`, compression, and room beside the style's.
USUAL = {
    "Electronic": ((4, 2, -1, -2, -1, 1, 3, 4), 0.45, 0.0),
    "Experimental": ((0, 0, 1, 1, 0, 0, 0, 0), 0.2, 0.1),
    "Folk": ((-6, -3, 0, 1, 1, 3, 2, 1), 0.15, 0.0),
    "Hip-Hop": ((5, 4, 2, 0, -1, -2, -3, -4), 0.45, -0.05),
    "Instrumental": ((-1, 1, 2, 1, 0, -1, -2, -3), 0.1, 0.15),
    "International": ((-6, -3, 1, 3, 4, 2, -1, -3), 0.3, 0.0),
    "Pop": ((1, 2, -1, -2, 0, 3, 3, 2), 0.55, 0.0),
    "Rock": ((-1, 0, 1, 0, 2, 2, 1, -1), 0.45, 0.0),
}


@dataclass(frozen=True)
class Production:
    """How an artist's tracks sound, whatever is played; drawn around what the genre is used to.

    Attributes
    ----------
    equaliser_db : tuple of float
        Gains at `OCTAVES_HZ`.
    lowpass_hz : float
        Where the highs end.
    compression : float
        0 (none) to 1 (all equally loud).
    room : float
        0 (dry) to 1 (a church).
    room_seed : int
        Which room.
    noise_db, noise_colour : float
        Level of the noise relative to the music; exponent of its spectrum.
    loudness_db : float
        RMS of a track relative to full scale.
    """

    equaliser_db: tuple[float, ...]
    lowpass_hz: float
    compression: float
    room: float
    room_seed: int
    noise_db: float
    noise_colour: float
    loudness_db: float


@dataclass(frozen=True)
class Player:
    """A part with its level, place between the loudspeakers (-1 to 1) and effects."""

    part: Part
    level_db: float
    pan: float
    effects: Amounts


@dataclass(frozen=True)
class Artist:
    """A persistent style within a genre."""

    number: int
    genre: str
    style: Style
    borrowed: str  # from which genre; empty: from none
    players: tuple[Player, ...]
    pattern: dict[str, str]  # of the drums; empty: no drummer
    kit: int
    busy: float
    drum_player: tuple[float, float]  # level in dB, pan
    tempo: float
    tonics: tuple[int, int]
    scales: tuple[str, ...]
    progressions: tuple[str, ...]
    swing: float
    loose_s: float
    chord_bars: int
    chord_size: int
    effects: Amounts
    production: Production


def artist(number: int, genre: str, style: Style, seed: int) -> Artist:
    """Draw an artist of a style from a seed and the artist's number.

    Returns
    -------
    Artist
        The same for the same arguments, whoever else there is.
    """
    rng = np.random.default_rng([seed, number])
    style, borrowed = _with_borrowed(style, genre, rng)
    layers = [layer for layer in style.layers if rng.random() < layer.chance]
    players = tuple(_player(layer, rng) for layer in layers or style.layers[:1])
    drummer = bool(style.drums) and rng.random() < style.drums_chance
    pattern = drums.PATTERNS[str(rng.choice(style.drums))] if drummer else {}
    return Artist(
        number, genre, style, borrowed, players, drums.varied(pattern, 0.05, rng),
        kit=int(rng.choice(style.kits)),
        busy=float(rng.uniform(0, 0.8)),
        drum_player=(style.drums_db + rng.normal(0, 2.5), 0.0),
        tempo=float(rng.uniform(*style.tempo)),
        tonics=tuple(int(k) for k in rng.choice(np.arange(55, 67), 2, replace=False)),
        scales=_some(style.scales, 2, rng),
        progressions=_some(style.progressions, 2, rng),
        swing=float(rng.uniform(*style.swing)),
        loose_s=float(rng.uniform(*style.loose_s)),
        chord_bars=int(rng.choice(style.chord_bars)),
        chord_size=4 if rng.random() < style.sevenths else 3,
        effects=_amounts(style.effects, rng),
        production=_production(genre, style, number, rng),
    )  # fmt: skip


def song(who: Artist, seconds: float, rng: Rng) -> Song:
    """Draw a song of an artist: key, chords and tempo near those that the artist prefers."""
    return Song(
        seconds=seconds,
        tempo=who.tempo * float(np.exp(rng.normal(0, 0.03))),
        steps=who.style.steps,
        swing=who.swing,
        loose_s=who.loose_s,
        tonic=who.tonics[rng.integers(2)],
        scale=SCALES[who.scales[rng.integers(len(who.scales))]],
        progression=degrees(who.progressions[rng.integers(len(who.progressions))]),
        chord_bars=who.chord_bars,
        chord_size=who.chord_size,
    )


def _some(values: tuple[str, ...], count: int, rng: Rng) -> tuple[str, ...]:
    """Return up to so many of the values, all different."""
    different = list(dict.fromkeys(values))
    if len(different) < len(values):  # what stands there twice is preferred
        first = str(rng.choice(values))
        different.remove(first)
        return (first, *(str(v) for v in rng.permutation(different)[: count - 1]))
    return tuple(str(v) for v in rng.permutation(different)[:count])


def _with_borrowed(style: Style, genre: str, rng: Rng) -> tuple[Style, str]:
    """Return a style, perhaps with a player or the drums of a style of a neighbouring genre."""
    neighbour = str(rng.choice(NEIGHBOURS[genre]))
    other = STYLES[neighbour][rng.integers(len(STYLES[neighbour]))]
    with_drums, place = rng.random() < 0.5, int(rng.integers(len(other.layers)))
    if rng.random() >= BORROWERS or other.steps != style.steps:
        return style, ""
    if with_drums and other.drums:
        return replace(style, drums=other.drums, kits=other.kits, drums_chance=1.0), neighbour
    return replace(style, layers=(*style.layers[:-1], other.layers[place])), neighbour


def _player(layer: Layer, rng: Rng) -> Player:
    part = Part(
        role=layer.role,
        program=int(rng.choice(layer.programs)),
        rhythm=str(rng.choice(layer.rhythms or (WHOLE,))),
        centre=12 * (layer.octave + 1) + float(rng.integers(-3, 4)),
        gate=float(rng.uniform(0.45, 1.0)),
        leaps=float(rng.uniform(0.2, 1.4)),
        density=float(rng.uniform(0.25, 0.8)),
    )
    level, pan = layer.level_db + rng.normal(0, 2), float(np.clip(rng.normal(0, 0.4), -1, 1))
    return Player(part, float(level), pan, _amounts(layer.effects, rng))


def _amounts(effects: dict[str, Range], rng: Rng) -> Amounts:
    return tuple((name, float(rng.uniform(*limits))) for name, limits in effects.items())


def _production(genre: str, style: Style, number: int, rng: Rng) -> Production:
    gains, compression, room = USUAL[genre]
    return Production(
        equaliser_db=tuple(float(g) for g in gains + np.clip(rng.normal(0, 2.4, 8), -6, 6)),
        lowpass_hz=float(np.exp(rng.uniform(np.log(6000), np.log(11000)))),
        compression=float(np.clip(compression + rng.normal(0, 0.15), 0, 0.8)),
        room=float(np.clip(rng.uniform(*style.room) + room + rng.normal(0, 0.1), 0, 1)),
        room_seed=number,
        noise_db=float(rng.uniform(30, 60)),
        noise_colour=float(rng.uniform(0, 2)),
        loudness_db=float(rng.uniform(-25, -14)),
    )
