"""Pop: a tune to sing along over four chords.

Bright, regular and full: a voice in front that repeats its hook, piano, clean guitars or synths,
bass, drums with a backbeat, claps; from ballads over soul to dance pop with a kick on every beat.
Pop shares its drums and chords with Rock and its synths with Electronic.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_PROGRESSIONS = ("1 5 6 4", "6 4 1 5", "1 6 4 5", "4 1 5 6", "1 4 6 5", "1 3 6 4", "1 4 1 5")
_SCALES = ("major", "major", "major", "minor", "mixolydian")
_VOICES = (53, 53, 85, 54)

STYLES = (
    Style("synth pop", (104, 130), _SCALES, _PROGRESSIONS, (
        Layer("melody", _VOICES, (r.WHOLE,), 5, 2),
        Layer("bass", (38, 39, 33), (r.EIGHTHS, r.SIXTEENTHS, r.PUSHED), 2, -1),
        Layer("chords", (50, 90, 62, 89), (r.WHOLE, r.PUSHED), 4, -4),
        Layer("pick", (81, 88, 80, 5), (r.EIGHTHS, r.SIXTEENTHS), 5, -8, 0.7,
              {"delay": (0.1, 0.4)}),
    ), drums=("pop sixteenths", "electro", "disco", "pop"), kits=(d.ELECTRONIC, d.TR808, d.POWER),
        swing=(0, 0.05), loose_s=(0, 0.005)),
    Style("guitar pop", (100, 142), _SCALES, _PROGRESSIONS, (
        Layer("melody", _VOICES, (r.WHOLE,), 5, 2),
        Layer("strum", (27, 25, 27), (r.STRUM, r.EIGHTHS), 4, -2, 1.0, {"chorus": (5, 20)}),
        Layer("bass", (33, 34), (r.EIGHTHS, r.QUARTERS, r.PUSHED), 2, -1),
        Layer("power", (29,), (r.WHOLE, r.EIGHTHS), 3, -7, 0.5, {"distort": (2, 8)}),
        Layer("melody", (27, 18, 80), (r.WHOLE,), 5, -7, 0.4),
    ), drums=("pop", "backbeat", "rock"), kits=(d.STANDARD, d.ROOM), drums_db=-1),
    Style("piano ballad", (64, 92), _SCALES, _PROGRESSIONS, (
        Layer("melody", _VOICES, (r.WHOLE,), 5, 2),
        Layer("hands", (0, 1, 5, 2), (r.QUARTERS, r.EIGHTHS, r.HALVES), 4, -1),
        Layer("bass", (33, 35), (r.HALVES, r.WHOLE), 2, -3, 0.8),
        Layer("chords", (48, 50, 89), (r.WHOLE,), 4, -8, 0.7),
    ), drums=("ballad", "pop", "backbeat"), kits=(d.STANDARD, d.ROOM), drums_db=-4,
        drums_chance=0.75, room=(0.2, 0.6)),
    Style("dance pop", (112, 130), _SCALES, _PROGRESSIONS, (
        Layer("melody", _VOICES, (r.WHOLE,), 5, 2, 1.0, {"delay": (0.1, 0.3)}),
        Layer("chords", (0, 81, 90, 50), (r.PUSHED, r.OFFBEATS, "X..x..x...x..x.."), 4, -2, 1.0,
              {"pump": (0.2, 0.8)}),
        Layer("bass", (38, 39), (r.OFFBEATS, r.EIGHTHS, r.PUSHED), 2, 0),
        Layer("pick", (80, 88, 98), (r.SIXTEENTHS,), 5, -9, 0.5, {"pump": (0.2, 0.8)}),
    ), drums=("house", "disco", "pop sixteenths"), kits=(d.ELECTRONIC, d.TR808), drums_db=1,
        swing=(0, 0.05), loose_s=(0, 0.004)),
    Style("soul pop", (84, 118), ("major", "dorian", "minor"),
          ("1 6 2 5", "2 5 1 6", "1 4 1 4", "6 4 1 5"), (
        Layer("melody", _VOICES, (r.WHOLE,), 5, 1),
        Layer("chords", (4, 0, 16, 5), (r.PUSHED, r.QUARTERS, "X.....x...x....."), 4, -2),
        Layer("bass", (33, 36), ("X..x..x.x..x..x.", r.PUSHED), 2, 0),
        Layer("chords", (61, 48), ("X...............", "......x...x....."), 5, -6, 0.6),
        Layer("pick", (28, 27), (r.SIXTEENTHS, r.EIGHTHS), 4, -8, 0.5),
    ), drums=("pop", "backbeat", "pop sixteenths", "g-funk"), kits=(d.STANDARD, d.ROOM, d.POWER),
        drums_db=-1, swing=(0, 0.2), sevenths=0.7),
)  # fmt: skip
