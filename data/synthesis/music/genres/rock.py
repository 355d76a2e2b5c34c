"""Rock: guitars through amplifiers, bass and a drummer who hits hard.

Power chords and riffs on the minor pentatonic, punk in fast downstrokes, metal with damped strings
and double kick, garage and surf, indie rock with clean and overdriven guitars, slow ballads. Rock
shares its drums and chords with Pop, its guitars with post-rock and noise.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_PROGRESSIONS = ("1 7 4 1", "1 4 5 4", "1 6 7 1", "1 5 6 4", "6 4 1 5", "1 3 7 4", "1 1 4 5")
_SCALES = ("minor", "mixolydian", "dorian", "major")
_KITS = (d.STANDARD, d.ROOM, d.POWER)

STYLES = (
    Style("punk", (150, 190), ("major", "mixolydian", "minor"), _PROGRESSIONS, (
        Layer("power", (30, 29), (r.EIGHTHS, r.SIXTEENTHS), 3, 0, 1.0, {"distort": (2, 12)}),
        Layer("bass", (34,), (r.EIGHTHS,), 2, -2, 1.0, {"saturate": (2, 12)}),
        Layer("melody", (53, 54, 85), (r.WHOLE,), 5, -3, 0.6, {"distort": (1, 6)}),
    ), drums=("punk", "rock"), kits=_KITS, loose_s=(0.004, 0.016)),
    Style("hard rock", (96, 144), ("blues", "minor pentatonic", "dorian"),
          ("1 1 1 1", "1 3 4 1", "1 1 4 1"), (
        Layer("riff", (30, 29), (r.EIGHTHS, "X.xx..x.X.x.x...", "X..x..x.xx..x..."), 3, 0, 1.0,
              {"distort": (2, 12)}),
        Layer("power", (30, 29), ("X.......x.x.....", r.WHOLE, "X..x..x........."), 3, -3, 0.8,
              {"distort": (2, 12)}),
        Layer("riff", (34, 33), (r.EIGHTHS,), 2, -2),
        Layer("melody", (29, 30, 53, 18), (r.WHOLE,), 5, -2, 0.7, {"distort": (2, 15)}),
    ), drums=("hard rock", "rock", "backbeat"), kits=_KITS, loose_s=(0.003, 0.014)),
    Style("metal", (110, 180), ("phrygian", "minor", "harmonic minor"),
          ("1 1 6 7", "1 2 1 7", "1 1 1 2"), (
        Layer("power", (30,), ("XooxooxoXooxooxo", "XoooXoooXoooXoxo", "X.ooX.ooX.ooX.xo"), 2, 0,
              1.0,
              {"distort": (4, 16)}),
        Layer("power", (30,), ("XooxooxoXooxooxo", r.WHOLE), 3, -3, 0.8, {"distort": (3, 12)}),
        Layer("bass", (34,), (r.SIXTEENTHS, r.EIGHTHS), 2, -2, 1.0, {"distort": (2, 12)}),
        Layer("riff", (30, 29), (r.SIXTEENTHS,), 5, -5, 0.5, {"distort": (2, 12)}),
    ), drums=("metal", "hard rock", "half time"), kits=(d.POWER, d.STANDARD),
        loose_s=(0.001, 0.008)),
    Style("indie rock", (104, 156), _SCALES, _PROGRESSIONS, (
        Layer("pick", (27, 27, 29), (r.EIGHTHS, r.SIXTEENTHS), 4, -1, 1.0, {"distort": (0.3, 3)}),
        Layer("power", (29, 27), (r.EIGHTHS, r.STRUM, r.WHOLE), 3, -4, 0.6, {"distort": (0.5, 4)}),
        Layer("bass", (33, 34), (r.EIGHTHS, r.QUARTERS), 2, -1),
        Layer("melody", (53, 85, 54), (r.WHOLE,), 5, -1, 0.8),
    ), drums=("rock", "backbeat", "pop", "surf"), kits=_KITS, loose_s=(0.004, 0.018)),
    Style("garage", (120, 172), ("mixolydian", "blues", "minor pentatonic", "major"),
          _PROGRESSIONS, (
        Layer("strum", (27, 29, 27), (r.STRUM, r.EIGHTHS), 4, 0, 1.0, {"distort": (0.5, 8)}),
        Layer("bass", (33, 34), (r.EIGHTHS, "X..xx..xX..xx..x"), 2, -1),
        Layer("melody", (18, 16, 53, 27, 22), (r.WHOLE,), 5, -2, 0.9),
        Layer("chords", (18, 16), (r.WHOLE, r.QUARTERS), 4, -6, 0.5),
    ), drums=("surf", "rock", "backbeat", "train"), kits=_KITS, loose_s=(0.006, 0.025),
        effects={"saturate": (1, 10)}),
    Style("slow rock", (66, 100), _SCALES, _PROGRESSIONS, (
        Layer("strum", (25, 27, 29), (r.STRUM, r.QUARTERS), 4, -1, 0.9),
        Layer("power", (27, 29, 30), (r.WHOLE, r.HALVES, "X.....x.x......."), 3, -4, 0.6,
              {"distort": (0.5, 5)}),
        Layer("bass", (33, 34), (r.HALVES, r.QUARTERS, "X.....x.x......."), 2, -1),
        Layer("melody", (53, 29, 85, 27), (r.WHOLE,), 5, -1),
        Layer("chords", (18, 0, 16), (r.WHOLE,), 4, -7, 0.4),
    ), drums=("backbeat", "half time", "rock"), kits=_KITS, drums_db=-1, loose_s=(0.004, 0.018)),
)  # fmt: skip
