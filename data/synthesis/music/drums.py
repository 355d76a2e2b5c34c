"""Drum patterns: a line of strokes for each drum, sixteenth by sixteenth."""

from __future__ import annotations

import numpy as np

from synthesis.music.theory import Song, hits
from synthesis.soundfont import DRUMS, Note

# Keys of General MIDI's channel 10.
KEYS = {
    "kick": 36, "snare": 38, "stick": 37, "clap": 39, "hat": 42, "pedal": 44, "open": 46,
    "ride": 51, "crash": 49, "floor": 41, "low tom": 45, "mid tom": 47, "high tom": 50,
    "tambourine": 54, "cowbell": 56, "high bongo": 60, "low bongo": 61, "slap": 62, "conga": 63,
    "low conga": 64, "timbale": 65, "high agogo": 67, "low agogo": 68,
    "claves": 75, "high block": 76, "low block": 77, "cuica": 79, "shaker": 82,
    "guiro": 73,
}  # fmt: skip

# Kits of the sound font.
STANDARD, ROOM, POWER, ELECTRONIC, TR808, JAZZ, BRUSH, ORCHESTRA = 0, 8, 16, 24, 25, 32, 40, 48

_EIGHTHS, _SIXTEENTHS = "x.o.x.o.x.o.x.o.", "xoxoxoxoxoxoxoxo"
PATTERNS: dict[str, dict[str, str]] = {
    "house": {"kick": "X...X...X...X...", "clap": "....x.......x...", "open": "..x...x...x...x."},
    "tech house": {"kick": "X...X...X...X...", "hat": "oox.oox.oox.oox.",
                   "clap": "....x.......x..o", "shaker": _SIXTEENTHS},
    "techno": {"kick": "X...X...X...X...", "open": "..o...o...o...o.", "hat": _SIXTEENTHS,
               "low tom": "......o......o.."},
    "breakbeat": {"kick": "X.x.......x.....", "snare": "....X..o.o..X..o", "hat": _EIGHTHS},
    "drum and bass": {"kick": "X.........x.....", "snare": "....X..o....X...",
                      "ride": _EIGHTHS},
    "downtempo": {"kick": "X......x..x.....", "snare": "....x.......x..o",
                  "hat": "o.o.o.o.o.o.o.oo"},
    "electro": {"kick": "X..x..x...x.....", "snare": "....X.......X...", "hat": _SIXTEENTHS,
                "cowbell": "..o...o..o....o."},
    "disco": {"kick": "X...X...X...X...", "snare": "....x.......x...", "hat": "x.oox.oox.oox.oo",
              "open": "..o...o...o...o."},
    "backbeat": {"kick": "X.......X.x.....", "snare": "....X.......X...", "hat": _EIGHTHS},
    "pop": {"kick": "X.....x.x.......", "snare": "....X.......X...", "hat": _EIGHTHS,
            "tambourine": "....o.......o..."},
    "pop sixteenths": {"kick": "X..x....x.x.....", "clap": "....X.......X...",
                       "hat": _SIXTEENTHS},
    "ballad": {"kick": "X.......x.......", "stick": "....x.......x...",
               "hat": "x...o...x...o..."},
    "rock": {"kick": "X.....x.X.......", "snare": "....X.......X...", "open": "x.o.x.o.x.o.x.o."},
    "hard rock": {"kick": "X.x.....X.x...x.", "snare": "....X.......X...",
                  "ride": "X.x.X.x.X.x.X.x.", "crash": "X" + "." * 31},
    "punk": {"kick": "X...X..xX...X...", "snare": "..X...X...X...X.", "open": "x.x.x.x.x.x.x.x."},
    "metal": {"kick": "XxxxXxxxXxxxXxxx", "snare": "....X.......X...", "ride": "X...X...X...X...",
              "crash": "X" + "." * 31},
    "surf": {"kick": "X...X...X...X...", "snare": "....X.X.....X...", "ride": _EIGHTHS},
    "half time": {"kick": "X.....x.........", "snare": "........X.......",
                  "crash": "X...x...x...x...",
                  "floor": "............x.x."},
    "boom bap": {"kick": "X......x..X.....", "snare": "....X.......X...",
                 "hat": "x.x.x.x.x.x.x.xo"},
    "boom bap late": {"kick": "X.x....x..x....o", "snare": "....X..o....X...",
                      "hat": _EIGHTHS, "open": "..............o."},
    "trap": {"kick": "X.....x....x....", "snare": "........X.......",
             "hat": "x.x.x.xxx.x.xxxx", "clap": "........x......."},
    "trap rolls": {"kick": "X..x......x.....", "clap": "........X.......",
                   "hat": "xxx.x.x.xxxxx.x.", "open": "..............o."},
    "lo-fi": {"kick": "x......o..x.....", "stick": "....x.......x...", "hat": "o.o.o.oo"},
    "g-funk": {"kick": "X.....x.x..x....", "clap": "....X.......X...", "hat": _SIXTEENTHS,
               "tambourine": "....o.......o..."},
    "train": {"kick": "x.......x.......", "snare": "ooXoooXoooXoooXo"},
    "stomp": {"kick": "x.......x.......", "tambourine": "....x.......x..."},
    "brushes": {"snare": "o..oo..oo..oo..o", "pedal": "....o.......o..."},
    "shaker": {"shaker": "x.o.x.o.x.o.x.o."},
    "waltz": {"kick": "x...........", "stick": "....o...o...", "pedal": "....o...o..."},
    "jig": {"kick": "X.....x.....", "tambourine": "x.o.o.x.o.o."},
    "jazz": {"ride": "x...x..ox...x..o", "pedal": "....x.......x...", "kick": "o.......o......."},
    "bossa": {"kick": "x..xx..xx..xx..x", "stick": "x..x..x...x..x..", "hat": "oooooooooooooooo"},
    "salsa": {"claves": "..x.x...x..x..x.", "conga": "......xx......xx",
              "slap": "..x.......x.....",
              "cowbell": "x...x.x.x.x.x.x.", "timbale": "..............xx"},
    "samba": {"kick": "o..xX..oo..xX..o", "shaker": _SIXTEENTHS, "high agogo": "x.x..x.x.x..x...",
              "low agogo": "...x......x...x.", "cuica": "..x..x..........",
              "tambourine": "x..xx..xx..xx..x"},
    "cumbia": {"guiro": "x.oox.oox.oox.oo", "low conga": "......x.......x.",
               "kick": "X.......X.......", "cowbell": "....o.......o..."},
    "afrobeat": {"kick": "X..x....x.x.....", "snare": "...o..x....o..x.", "shaker": _SIXTEENTHS,
                 "conga": "x..x..x...x.x...", "high agogo": "x..x..x...x.x..."},
    "highlife": {"low block": "x..x..x...x.x...", "conga": "..xx..xx..xx..xx", "shaker": _EIGHTHS,
                 "kick": "x...x...x...x..."},
    "maqsum": {"low bongo": "X.....x.X.......", "high bongo": "..x.oox...ooX.oo",
               "tambourine": "x.o.x.o.x.o.x.o."},
    "malfuf": {"low bongo": "X.......", "high bongo": "...x..x.", "tambourine": "o.o.o.o."},
    "rachenitsa": {"kick": "X.......x.....", "tambourine": "x.o.x.o.x.o.o.",
                   "snare": "....o.....o.o."},
    "tabla": {"low conga": "X..o..X.........", "high bongo": "x.xx..x.x.xx..xo",
              "slap": "....x.......x..."},
    "taiko": {"floor": "X.....x.X...x...", "low tom": "..o.o...........",
              "high block": "....x.......x.xx"},
    "flamenco": {"clap": "..x..xx.x.x.", "slap": "o.o.o.o.o.o.", "stick": "..x.....x..."},
}  # fmt: skip


def play(song: Song, pattern: dict[str, str], busy: float, rng: np.random.Generator) -> list[Note]:
    """Play a pattern.

    Parameters
    ----------
    song
        What is played.
    pattern
        Strokes by drum.
    busy
        Chance that a stroke is added before the end of a phrase of four bars, and that soft
        strokes are left out otherwise.
    rng
        Source of what no two bars have alike.

    Returns
    -------
    list of Note
        On the drum channel.
    """
    notes = []
    for drum, rhythm in pattern.items():
        for step, _, velocity in hits(song, rhythm):
            if velocity < 70 and rng.random() < 0.3 * (1 - busy):
                continue
            loud = int(np.clip(velocity * np.exp(rng.normal(0, 0.1)), 1, 127))
            notes.append(Note(song.time(step, rng), 0.15, DRUMS, KEYS[drum], loud))
    return notes + _fills(song, busy, rng)


def _fills(song: Song, busy: float, rng: np.random.Generator) -> list[Note]:
    """Lead from every fourth bar into the next with a run over snare and toms."""
    notes = []
    drums = [KEYS[name] for name in ("snare", "high tom", "mid tom", "floor")]
    for end in range(4 * song.steps, song.total_steps, 4 * song.steps):
        if rng.random() < busy:
            for place in range(4):
                step, loud = end - 4 + place, int(rng.integers(70, 115))
                notes.append(Note(song.time(step, rng), 0.15, DRUMS, drums[place], loud))
    return notes


def varied(pattern: dict[str, str], share: float, rng: np.random.Generator) -> dict[str, str]:
    """Return a pattern as a certain drummer plays it: some rests become soft strokes."""
    return {
        drum: "".join("o" if s == "." and rng.random() < share else s for s in rhythm)
        for drum, rhythm in pattern.items()
    }
