"""Folk: a few people with acoustic instruments.

Picked or strummed steel and nylon strings, banjo, fiddle, harmonica, accordion, a hummed tune;
diatonic chords, waltzes and jigs, loose timing, small rooms, seldom drums. It shares its guitars
with Instrumental, Pop and the soft side of Rock.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_TUNES = (22, 110, 21, 74, 53, 40, 22, 110)
_PROGRESSIONS = ("1 4 1 5", "1 5 6 4", "1 1 4 5", "6 4 1 5", "1 7 4 1", "1 3 4 1", "1 2 4 1")
_SCALES = ("major", "major", "mixolydian", "dorian", "minor")
_ROOM = {"loose_s": (0.006, 0.022), "room": (0.05, 0.35)}

STYLES = (
    Style("fingerpicked song", (76, 128), _SCALES, _PROGRESSIONS, (
        Layer("pick", (25, 24), (r.EIGHTHS, r.ROLLING), 4, 0),
        Layer("melody", _TUNES, (r.WHOLE,), 5, -2, 0.85),
        Layer("bass", (32,), (r.HALVES, r.QUARTERS), 2, -4, 0.4),
        Layer("chords", (48, 20, 21), (r.WHOLE,), 4, -12, 0.3),
    ), drums=("brushes", "shaker", "stomp"), kits=(d.BRUSH, d.STANDARD), drums_db=-8,
        drums_chance=0.1, **_ROOM),
    Style("strummed song", (84, 136), _SCALES, _PROGRESSIONS, (
        Layer("strum", (25, 25, 24), (r.STRUM, "X.xox.xoX.xox.xo", "X...xxo.X...xxo."), 4, 0),
        Layer("melody", _TUNES, (r.WHOLE,), 5, -1, 0.9),
        Layer("bass", (32, 33), (r.HALVES, r.QUARTERS), 2, -4, 0.6),
        Layer("melody", (22, 110, 105, 21), (r.WHOLE,), 5, -5, 0.4),
    ), drums=("stomp", "shaker", "brushes", "train"), kits=(d.BRUSH, d.STANDARD), drums_db=-6,
        drums_chance=0.2, **_ROOM),
    Style("string band", (100, 140), ("major", "mixolydian", "major pentatonic"), _PROGRESSIONS, (
        Layer("pick", (105, 25), (r.ROLLING, "XxxxXxxxXxxxXxxx"), 4, 0),
        Layer("strum", (25,), ("....x.......x...", "..x...x...x...x."), 4, -4, 0.9),
        Layer("melody", (110, 40, 22, 105), (r.WHOLE,), 5, 0),
        Layer("bass", (32,), (r.HALVES,), 2, -2, 0.9),
    ), drums=("train", "stomp"), kits=(d.BRUSH,), drums_db=-8, drums_chance=0.15, **_ROOM),
    Style("waltz", (84, 160), ("major", "minor", "mixolydian"), _PROGRESSIONS, (
        Layer("strum", (25, 24, 21), ("X...x...x...",), 4, -2),
        Layer("melody", _TUNES, (r.WHOLE,), 5, 0),
        Layer("bass", (32, 21, 20), ("X...........",), 2, -2, 0.8),
    ), drums=("waltz",), kits=(d.BRUSH, d.STANDARD), drums_db=-8, drums_chance=0.15, steps=12,
        **_ROOM),
    Style("jig", (96, 130), ("dorian", "mixolydian", "major"), ("1 7 1 7", "1 4 1 5", "1 1 7 4"), (
        Layer("melody", (73, 110, 72, 78, 21, 109), (r.WHOLE,), 5, 0),
        Layer("strum", (25, 24, 105), (r.SIXTHS, "X...o.X...o.", r.WALTZ), 4, -4, 0.9),
        Layer("drone", (21, 109, 20), (r.WHOLE,), 3, -8, 0.5),
    ), drums=("jig",), kits=(d.BRUSH, d.STANDARD), drums_db=-5, drums_chance=0.2, steps=12,
        **_ROOM),
)  # fmt: skip
