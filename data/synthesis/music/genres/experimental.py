"""Experimental: whatever the others do, taken apart.

Drones, clusters, notes thrown at random over any instrument, tapes cut up and played backwards,
ring modulation, noise; or the groove of another genre that is broken on purpose. Often without
beat or key. Ambient drones are near Electronic, prepared pianos near Instrumental.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_ANY = (0, 6, 11, 14, 15, 19, 20, 42, 44, 45, 47, 56, 57, 60, 68, 71, 73, 77, 104, 112, 115)
_TEXTURES = (92, 93, 95, 97, 99, 101, 103, 52, 44, 19, 49)
_STILL = ("1 1 1 1", "1 2 1 2", "1 5 2 1")
_LONG = (r.WHOLE + "." * 48, r.WHOLE + "." * 16)

STYLES = (
    Style("drone", (50, 90), ("phrygian", "minor", "dorian", "whole tone"), _STILL, (
        Layer("drone", _TEXTURES, _LONG, 3, 0, 1.0, {"chorus": (10, 50), "sweep": (200, 1500)}),
        Layer("cluster", _TEXTURES, _LONG, 4, -5, 0.8, {"tremolo": (0.2, 0.9)}),
        Layer("scatter", _ANY, (), 5, -9, 0.5, {"delay": (0.3, 0.7)}),
        Layer("melody", (71, 73, 68, 42, 88), (r.WHOLE,), 5, -6, 0.3, {"delay": (0.3, 0.6)}),
    ), room=(0.4, 1.0), effects={"wow": (5, 60), "noise": (10, 28)}),
    Style("free improvisation", (60, 180), ("chromatic", "whole tone", "blues"), _STILL, (
        Layer("scatter", _ANY, (), 4, 0),
        Layer("scatter", _ANY, (), 5, -3, 0.9),
        Layer("scatter", (43, 32, 58, 42), (), 2, -2, 0.7),
        Layer("cluster", (0, 20, 61, 52), ("X.........x.....", "x..x......"), 4, -6, 0.4),
        Layer("glitches", (0, 32, 40, 48), (), 4, -2, 0.6),
    ), room=(0.05, 0.6), effects={"noise": (14, 32)}),
    Style("tape collage", (60, 140), ("minor", "major", "blues", "hirajoshi"),
          ("1 4 5 1", "1 6 4 5", "2 5 1 1"), (
        Layer("hands", (0, 2, 3, 4), (r.QUARTERS, r.EIGHTHS), 4, 0, 0.8),
        Layer("melody", _ANY, (r.WHOLE,), 5, -2, 0.7),
        Layer("strum", (24, 25, 27), ("X...x.xo..xox.xo", r.QUARTERS), 4, -3, 0.5),
        Layer("glitches", (0, 16, 24), (), 4, -6, 0.5),
    ), drums=("jazz", "backbeat", "house", "waltz", "train"),
        kits=(0, 16, d.ELECTRONIC, d.ORCHESTRA), drums_db=-4, drums_chance=0.5,
        effects={"cut": (0.35, 0.8), "wow": (20, 90), "noise": (12, 28)}),
    Style("broken groove", (70, 175), ("minor", "phrygian", "chromatic"), _STILL, (
        Layer("riff", (38, 39, 87, 33), ("X..x....x.x....x", "x.x..x.x..x.x..."), 2, 0, 1.0,
              {"saturate": (4, 20)}),
        Layer("chords", (*_TEXTURES, 4, 90), (r.WHOLE, "X.....x...x....."), 4, -5, 0.8,
              {"ring": (30, 600), "gate": (0.3, 1.0)}),
        Layer("glitches", (d.TR808, d.ELECTRONIC), (), 4, -2, 0.8, {"crush": (3, 6)}),
        Layer("scatter", (80, 81, 98, 102, 11), (), 5, -8, 0.5, {"delay": (0.2, 0.6)}),
    ), drums=("breakbeat", "techno", "trap", "boom bap", "drum and bass"),
        kits=(d.ELECTRONIC, d.TR808, 0), drums_chance=0.9,
        effects={"cut": (0.15, 0.5), "crush": (5, 9)}),
    Style("noise", (80, 180), ("chromatic", "phrygian", "whole tone"), _STILL, (
        Layer("cluster", (30, 81, 87, 19), _LONG, 3, 0, 1.0,
              {"distort": (5, 30), "ring": (40, 900)}),
        Layer("scatter", (30, 84, 87, 125, 122), (), 4, -4, 0.9, {"crush": (3, 6)}),
        Layer("glitches", (16, d.ELECTRONIC), (), 4, -4, 0.5, {"distort": (5, 30)}),
    ), loose_s=(0.01, 0.04), effects={"noise": (2, 14), "gate": (0.0, 0.6)}),
    Style("prepared piano", (50, 120), ("whole tone", "in", "lydian", "chromatic"), _STILL, (
        Layer("pick", (0, 3, 108, 45, 15), ("x.xx.x..x.x..x..", r.EIGHTHS, "x..x..x..x"), 4, 0,
              1.0,
              {"ring": (100, 900)}),
        Layer("scatter", (0, 13, 14, 115, 9), (), 5, -3, 0.9, {"delay": (0.2, 0.5)}),
        Layer("chords", _TEXTURES, (r.WHOLE,), 4, -8, 0.6),
    ), room=(0.2, 0.8), effects={"backwards": (0.1, 0.6), "wow": (10, 60), "noise": (14, 32)}),
)  # fmt: skip
