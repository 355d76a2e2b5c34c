"""International: music of many regions, heard from far away.

Balkan dances in seven, sitar and tabla over a drone, maqamat with quarter tones and hand drums,
salsa, cumbia and samba, highlife and mbira, koto and shakuhachi, and flamenco. Scales and
instruments that the other genres lack, but also brass, guitars and pianos that they have.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_LOOSE = {"loose_s": (0.005, 0.018)}

STYLES = (
    Style("balkan dance", (110, 150), ("harmonic minor", "hijaz", "dorian"),
          ("1 4 1 5", "1 7 1 7"), (
        Layer("melody", (71, 21, 56, 64, 110), (r.WHOLE,), 5, 0),
        Layer("chords", (21, 61, 15, 24), ("..x...x...x.x.", "..x.x...x.x.x."), 4, -4),
        Layer("bass", (58, 32, 33), ("X...x...x.....",), 2, -1),
    ), drums=("rachenitsa",), kits=(d.STANDARD,), steps=14,
        **_LOOSE),
    Style("raga", (70, 130), ("dorian", "hijaz", "mixolydian", "double harmonic", "lydian"),
          ("1 1 1 1",), (
        Layer("melody", (104, 104, 111, 73, 40), (r.WHOLE,), 5, 0),
        Layer("drone", (104, 20, 106, 21), (r.HALVES, r.WHOLE), 3, -5),
        Layer("riff", (15, 104, 46), (r.EIGHTHS,), 4, -6, 0.4),
    ), drums=("tabla",), kits=(d.STANDARD,), drums_db=1, drums_chance=0.85, room=(0.1, 0.5),
        **_LOOSE),
    Style("maqam", (84, 130), ("rast", "bayati", "hijaz", "double harmonic"),
          ("1 1 1 1", "1 4 1 1"), (
        Layer("melody", (15, 24, 40, 73, 111, 68), (r.WHOLE,), 4, 0),
        Layer("melody", (24, 15, 48, 106), (r.WHOLE,), 4, -3, 0.7),
        Layer("bass", (32, 42), ("X.....x.X.......",), 2, -4, 0.6),
    ), drums=("maqsum", "malfuf"), kits=(d.STANDARD,), drums_db=2, **_LOOSE),
    Style("latin dance", (88, 112), ("minor", "major", "dorian"),
          ("1 4 5 4", "1 4 5 1", "2 5 1 1"), (
        Layer("pick", (0, 0, 1), ("x.xx.xx.xx.xx.xx", "X..x.xx.x.x.xx.x"), 5, -1),
        Layer("bass", (32, 33), ("......x.....x...", "X..x..x...x.x..."), 2, 1),
        Layer("chords", (61, 56, 57, 21), ("x..x..x.........", "..........x.x..x"), 5, -4, 0.8),
        Layer("melody", (56, 73, 57, 64), (r.WHOLE,), 5, -2, 0.7),
    ), drums=("salsa", "cumbia", "samba"), kits=(d.STANDARD,), drums_db=1, sevenths=0.5,
        **_LOOSE),
    Style("west africa", (96, 132), ("major", "major pentatonic", "mixolydian"),
          ("1 4 5 4", "1 1 4 5", "1 4 1 5"), (
        Layer("ostinato", (12, 108, 27, 13, 105), (r.EIGHTHS, "x.xx.xx.x.xx.xx.", r.SIXTEENTHS), 5,
              -1),
        Layer("pick", (27, 108, 24), (r.EIGHTHS, r.SIXTEENTHS), 4, -3, 0.8),
        Layer("bass", (33, 32), ("X..x..x.x.......", "x..x..x...x.x..."), 2, -1),
        Layer("melody", (65, 61, 52, 108), (r.WHOLE,), 5, -3, 0.6),
    ), drums=("afrobeat", "highlife"), kits=(d.STANDARD,), drums_db=1, **_LOOSE),
    Style("east asia", (60, 112), ("hirajoshi", "in", "major pentatonic", "minor pentatonic"),
          ("1 1 1 1", "1 3 1 2"), (
        Layer("melody", (77, 107, 106, 110, 75), (r.WHOLE,), 5, 0),
        Layer("pick", (107, 107, 106, 46), (r.EIGHTHS, "x.x...xxx......."), 4, -2),
        Layer("scatter", (107, 15, 14), (), 5, -10, 0.3),
    ), drums=("taiko",), kits=(d.STANDARD,), drums_db=-2, drums_chance=0.6, room=(0.2, 0.7),
        loose_s=(0.008, 0.03)),
    Style("flamenco", (96, 132), ("phrygian", "hijaz"), ("1 4 3 2", "4 3 2 1"), (
        Layer("strum", (24,), ("X.o.X.xox.xo", r.SIXTHS), 4, 0),
        Layer("melody", (24, 24, 53, 73), (r.WHOLE,), 5, 0),
        Layer("bass", (32,), (r.QUARTERS[:12],), 2, -4, 0.5),
    ), drums=("flamenco",), kits=(d.STANDARD,), drums_db=-2, drums_chance=0.8, steps=12, **_LOOSE),
)  # fmt: skip
