"""What the players of a track play: chords, basses, melodies, patterns and less orderly things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synthesis.music.theory import VELOCITIES, Song, hits, near, voiced
from synthesis.soundfont import DRUMS, Note


@dataclass(frozen=True)
class Part:
    """A player as an artist has it.

    Attributes
    ----------
    role : str
        A key of `ROLES`.
    program : int
        General MIDI program.
    rhythm : str
        Strokes, as in `theory.hits`.
    centre : float
        MIDI key around which is played.
    gate : float
        Share of the time between strokes that a note is held.
    leaps : float
        How far melodies jump, in scale degrees.
    density : float
        Chance that a melody plays on a step where it could.
    """

    role: str
    program: int
    rhythm: str
    centre: float
    gate: float
    leaps: float
    density: float


def _note(
    song: Song, start_s: float, seconds: float, key: float, velocity: float,
    rng: np.random.Generator,
) -> Note:  # fmt: skip
    """Return a note struck about as hard as asked for; channel 0, for each player sounds alone."""
    loud = int(np.clip(velocity * np.exp(0.07 * rng.standard_normal()), 1, 127))
    return Note(max(0.0, start_s), max(seconds, 0.02), 0, float(np.clip(key, 0, 127)), loud)


def _held(song: Song, part: Part, steps: int) -> float:
    return part.gate * steps * song.step_s


def chords(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """All notes of the chord at once."""
    return [
        _note(song, start, _held(song, part, length), key, loud, rng)
        for step, length, loud in hits(song, part.rhythm)
        for start in [song.time(step, rng)]
        for key in voiced(song.chord(step), part.centre)
    ]


def strum(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Six strings one after the other, down on the beat and up off it."""
    notes = []
    for step, length, loud in hits(song, part.rhythm):
        chord = voiced(song.chord(step), part.centre)
        keys = sorted({*chord, chord[0] - 12, *(key + 12 for key in chord[:2])})
        order = keys if step % 4 == 0 else keys[::-1][:4]
        start, apart = song.time(step, rng), rng.uniform(0.006, 0.016)
        for place, key in enumerate(order):
            held = _held(song, part, length)
            notes.append(_note(song, start + place * apart, held, key, loud * 0.9, rng))
    return notes


def pick(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """The notes of the chord one by one in an order that repeats; the root begins each bar."""
    strokes = hits(song, part.rhythm)
    order = rng.integers(0, song.chord_size + 1, 8)
    notes = []
    for count, (step, length, loud) in enumerate(strokes):
        chord = voiced(song.chord(step), part.centre)
        keys = [*chord, chord[0] + 12]
        key = keys[order[count % 8]]
        if step % song.steps == 0:
            key = near(song.chord(step)[0], part.centre - 12)
        held = max(_held(song, part, length), 2 * part.gate * song.step_s)
        notes.append(_note(song, song.time(step, rng), held, key, loud, rng))
    return notes


def power(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Root, fifth and octave; soft strokes are damped with the hand."""
    notes = []
    for step, length, loud in hits(song, part.rhythm):
        root = near(song.chord(step)[0], part.centre)
        damped = loud == VELOCITIES["o"]
        held = 0.06 if damped else _held(song, part, length)
        start = song.time(step, rng)
        notes += [
            _note(song, start, held, root + up, max(loud, 85), rng)
            for up in ((0, 7) if damped else (0, 7, 12))
        ]
    return notes


def bass(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Roots, now and then a fifth, an octave, or a step towards the next root."""
    notes = []
    moves = rng.choice([0, 0, 0, 0, 7, 12, -5], 16)
    for step, length, loud in hits(song, part.rhythm):
        key = near(song.chord(step)[0], part.centre)
        if step % song.steps:
            key += moves[step % 16] * (rng.random() < 0.25 * part.leaps)
        held = _held(song, part, length)
        notes.append(_note(song, song.time(step, rng), held, key, loud, rng))
    return notes


def walk(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """A bass that walks through the scale towards the next root."""
    notes, degree = [], song.degree(0)
    for step, length, loud in hits(song, part.rhythm):
        fresh = step % (song.steps * song.chord_bars) == 0
        degree = song.degree(step) if fresh else degree + int(rng.choice([-1, 1, 1, 2]))
        key = near(song.key(degree), part.centre)
        held = _held(song, part, length)
        notes.append(_note(song, song.time(step, rng), held, key, loud, rng))
    return notes


def melody(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """A motif of two bars that returns, its last notes changed every other time."""
    period = 2 * song.steps
    rhythm, moves = _motif(song, part, rng)
    notes, degree = [], 0
    for begin in range(0, song.total_steps, period):
        degree = song.degree(begin) + 2 * int(rng.integers(0, 2))
        changed = (begin // period) % 2 == 1
        for place, start in enumerate(rhythm):
            step = begin + start
            late = changed and start >= period * 3 // 4
            degree += int(rng.integers(-2, 3)) if late else moves[place]
            if start % 8 == 0:
                degree = _nearest(song, step, degree)
            length = ([*rhythm, period][place + 1]) - start
            held = _held(song, part, min(length, 8))
            key = song.key(degree)
            if abs(key - part.centre) > 12:  # out of the instrument's range
                key = near(key, part.centre)
            loud = 100 if start % 4 == 0 else 84
            notes.append(_note(song, song.time(step, rng), held, key, loud, rng))
    return notes


def _motif(song: Song, part: Part, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Return the steps of two bars on which a motif plays, and its moves in scale degrees."""
    strengths = np.array([1.0, 0.25, 0.6, 0.3])
    period = 2 * song.steps
    chance = np.clip(strengths[np.arange(period) % 4] * 1.6 * part.density, 0, 1)
    # A breath at the end of the phrase.
    chance[-song.steps // 4 :] *= 0.2
    rhythm = [0, *(k for k in range(1, period) if rng.random() < chance[k])]
    moves = [round(float(m)) for m in rng.normal(0, 0.6 + part.leaps, len(rhythm))]
    return rhythm, [0, *moves[1:]]


def _nearest(song: Song, step: int, degree: int) -> int:
    """Return the degree of the chord's note that is closest to another degree."""
    size, root = len(song.scale), song.degree(step)
    tones = {(root + 2 * k) % size for k in range(3)}
    return min(
        range(degree - 3, degree + 4), key=lambda d: (d % size not in tones, abs(d - degree))
    )


def riff(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """A short figure over the root of the chord, the same in every bar or two."""
    bars = int(rng.choice([1, 1, 2]))
    moves = np.clip(np.cumsum(rng.normal(0, 0.8 + part.leaps, 32)).round(), -4, 7).astype(int)
    notes = []
    for step, length, loud in hits(song, part.rhythm):
        place = step % (bars * song.steps)
        degree = song.degree(step) + (int(moves[place % 32]) if place else 0)
        key = near(song.key(song.degree(step)), part.centre) + (
            song.key(degree) - song.key(song.degree(step))
        )
        held = _held(song, part, length)
        notes.append(_note(song, song.time(step, rng), held, key, loud, rng))
    return notes


def ostinato(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """A figure that never follows the chords."""
    moves = np.clip(np.cumsum(rng.normal(0, 1 + part.leaps, 16)).round(), -4, 6).astype(int)
    notes = []
    for step, length, loud in hits(song, part.rhythm):
        key = near(song.tonic, part.centre) + song.key(int(moves[step % 16])) - song.tonic
        notes.append(_note(song, song.time(step, rng), _held(song, part, length), key, loud, rng))
    return notes


def drone(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Tonic and fifth without end."""
    low = near(song.tonic, part.centre)
    return [
        _note(song, song.time(step, rng), 1.1 * length * song.step_s, key, 0.85 * loud, rng)
        for step, length, loud in hits(song, part.rhythm)
        for key in (low, low + 7, low + 12)
    ]


def scatter(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Notes at any time, of any key and any length."""
    count = rng.poisson(song.seconds * (0.5 + 6 * part.density))
    return [
        _note(song, start, float(rng.lognormal(-1, 1)), key, rng.uniform(40, 120), rng)
        for start, key in zip(
            rng.uniform(0, song.seconds, count),
            part.centre + np.round(rng.normal(0, 4 + 6 * part.leaps, count)),
            strict=True,
        )
    ]


def cluster(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Neighbouring keys held for a long time."""
    notes = []
    for step, length, loud in hits(song, part.rhythm):
        keys = near(song.tonic, part.centre) + rng.choice(np.arange(-4, 9), 4, replace=False)
        notes += [
            _note(song, song.time(step, rng), length * song.step_s, float(key), loud * 0.8, rng)
            for key in keys
        ]
    return notes


def hands(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """A piano: bass and fifth in the left hand, chords in the right."""
    notes = []
    for count, (step, length, loud) in enumerate(hits(song, part.rhythm)):
        start, held = song.time(step, rng), _held(song, part, length)
        chord = song.chord(step)
        if step % song.steps == 0 or (count % 2 == 0 and part.leaps > 0.8):
            low = near(chord[0], part.centre - 17)
            notes.append(_note(song, start, 1.5 * held, low, loud, rng))
        notes += [_note(song, start, held, key, 0.85 * loud, rng)
                  for key in voiced(chord, part.centre)]  # fmt: skip
    return notes


def glitches(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Drums struck at random, at times in fast rolls; the drum channel."""
    notes = []
    for start in rng.uniform(0, song.seconds, rng.poisson(song.seconds * (1 + 4 * part.density))):
        key, strokes = int(rng.integers(35, 82)), int(rng.choice([1, 1, 1, 3, 6]))
        notes += [
            Note(start + k * song.step_s / 2, 0.1, DRUMS, key, int(rng.integers(40, 120)))
            for k in range(strokes)
        ]
    return notes


ROLES: dict[str, Callable[[Song, Part, np.random.Generator], list[Note]]] = {
    "chords": chords, "strum": strum, "pick": pick, "power": power, "bass": bass, "walk": walk,
    "melody": melody, "riff": riff, "ostinato": ostinato, "drone": drone, "scatter": scatter,
    "cluster": cluster, "hands": hands, "glitches": glitches,
}  # fmt: skip
