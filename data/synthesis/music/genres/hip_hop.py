"""Hip-Hop: a beat and a loop under somebody who talks.

Boom bap with swing and crackle at 80 to 98 beats a minute, trap with rolling hi-hats and long low
808 basses, slow lo-fi, party rap with brass. Short loops of electric piano, strings or vibes,
often dull as from a sampler; in the place of the rapper a voice that stays on few notes and many
syllables. It shares its kits with Electronic and Pop.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_LOOPS = ("1 1 1 1", "1 6 1 6", "2 5 1 1", "1 4 1 4", "1 2 1 2", "6 5 4 5")
_SCALES = ("minor", "dorian", "minor", "phrygian", "harmonic minor")
_RAP = ("x.xxx.xx..xxx.x.", "xx.xxx.x.xx.x.x.", "x.xx.xx.x.xxx...", "..xxxx.xx.xx.xx.")
_VOICES = (53, 54, 85, 53)

STYLES = (
    Style("boom bap", (82, 98), _SCALES, _LOOPS, (
        Layer("bass", (32, 33, 35, 38), ("X......x..x.....", r.CHARLESTON, "X..x....x......."), 2,
              1),
        Layer("chords", (4, 0, 11, 26, 48, 5), (r.WHOLE, r.CHARLESTON, "X.......x..x...."), 4, -3,
              1.0,
              {"lowpass": (900, 4000)}),
        Layer("riff", _VOICES, _RAP, 4, 0, 0.85),
        Layer("melody", (59, 73, 11, 66, 46), (r.WHOLE,), 5, -7, 0.5, {"lowpass": (1200, 5000)}),
    ), drums=("boom bap", "boom bap late", "g-funk"),
        kits=(d.STANDARD, d.ROOM, d.POWER, d.ELECTRONIC), drums_db=2, swing=(0.1, 0.4),
        loose_s=(0.002, 0.012), sevenths=0.7, chord_bars=(1, 2), room=(0, 0.2),
        effects={"vinyl": (16, 36)}),
    Style("trap", (128, 152), ("minor", "phrygian", "harmonic minor"), _LOOPS, (
        Layer("bass", (38, 39, 87), ("X.....x....x....", "X.........x.....", r.WHOLE), 2, 3, 1.0,
              {"saturate": (2, 10)}),
        Layer("ostinato", (9, 10, 46, 14, 0, 80, 88), ("x..x..x.x..x..x.", "x...x...x.x.x..."), 5,
              -3,
              1.0, {"delay": (0.1, 0.4)}),
        Layer("chords", (89, 48, 50, 52), (r.WHOLE,), 4, -8, 0.7),
        Layer("riff", _VOICES, _RAP, 4, 0, 0.85),
    ), drums=("trap", "trap rolls"), kits=(d.TR808, d.ELECTRONIC), drums_db=2, swing=(0, 0.05),
        loose_s=(0, 0.003), chord_bars=(1, 2), room=(0.05, 0.3)),
    Style("lo-fi", (70, 88), ("dorian", "minor", "lydian", "major"),
          ("2 5 1 6", "1 6 2 5", "4 3 2 1"), (
        Layer("chords", (4, 4, 0, 26), (r.WHOLE, r.CHARLESTON, r.HALVES), 4, 0, 1.0,
              {"lowpass": (900, 3500), "wow": (8, 40)}),
        Layer("bass", (32, 35, 38), (r.CHARLESTON, r.HALVES), 2, 0),
        Layer("melody", (11, 26, 59, 10, 0), (r.WHOLE,), 5, -6, 0.7, {"lowpass": (1200, 5000)}),
    ), drums=("lo-fi", "boom bap", "boom bap late"), kits=(d.JAZZ, d.ROOM, d.STANDARD, d.TR808),
        swing=(0.15, 0.45), loose_s=(0.004, 0.016), sevenths=1.0, effects={"vinyl": (12, 28)}),
    Style("g-funk", (88, 106), ("minor", "dorian"), _LOOPS, (
        Layer("bass", (39, 38, 36, 33), ("X..x..x..x..x...", "X.xx....x.x...x."), 2, 2),
        Layer("melody", (80, 81, 82), (r.WHOLE,), 6, -5, 0.7),
        Layer("chords", (4, 7, 16, 48), ("..x...x...x...x.", r.WHOLE, r.CHARLESTON), 4, -4),
        Layer("riff", _VOICES, _RAP, 4, -1, 0.85),
    ), drums=("g-funk", "boom bap", "electro"), kits=(d.TR808, d.ELECTRONIC, d.POWER), drums_db=1,
        swing=(0, 0.2), loose_s=(0.001, 0.008), sevenths=0.6, chord_bars=(1, 2)),
    Style("party rap", (90, 116), ("minor", "mixolydian", "blues"), _LOOPS, (
        Layer("bass", (36, 38, 33, 39), ("X..x..x.X..x..x.", r.CHARLESTON), 2, 0),
        Layer("chords", (61, 62, 55, 16, 7),
              (r.CHARLESTON, "X..x..x.........", "x.......x..x...."), 4, -2),
        Layer("riff", _VOICES, _RAP, 4, 0, 0.85),
        Layer("pick", (27, 7, 28), (r.EIGHTHS,), 4, -8, 0.5),
    ), drums=("g-funk", "electro", "boom bap", "pop sixteenths"),
        kits=(d.TR808, d.POWER, d.ELECTRONIC), drums_db=1, swing=(0, 0.2), loose_s=(0.001, 0.008)),
    Style("dark beat", (76, 96), ("minor", "phrygian", "double harmonic"), _LOOPS, (
        Layer("bass", (38, 39, 35), ("X......x..x.....", r.WHOLE), 2, 2, 1.0,
              {"saturate": (2, 12)}),
        Layer("ostinato", (0, 14, 48, 45, 6, 104), ("x...x...x...x...", "x..x..x.x......."), 4, -3,
              1.0,
              {"lowpass": (1000, 5000)}),
        Layer("chords", (48, 52, 19, 95), (r.WHOLE,), 4, -8, 0.6),
        Layer("riff", _VOICES, _RAP, 3, 0, 0.85),
    ), drums=("boom bap", "trap", "boom bap late"),
        kits=(d.ROOM, d.TR808, d.STANDARD, d.POWER), drums_db=1, swing=(0.05, 0.35),
        loose_s=(0.002, 0.01), effects={"vinyl": (16, 40)}),
)  # fmt: skip
