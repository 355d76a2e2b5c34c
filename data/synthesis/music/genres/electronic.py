"""Electronic: machines that repeat.

House and techno with a kick on every beat, drum and bass, slow ambient and downtempo.
Synthetic basses, pads, arpeggios in sixteenths, filters that open and close, everything ducking
under the kick, echoes in time. It shares drums with Pop and Hip-Hop, pads with Experimental and
Instrumental.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_PADS, _LEADS, _BASSES = (50, 51, 89, 90, 94, 95), (80, 81, 84, 87, 90), (38, 39, 87)
_PROGRESSIONS = ("1 1 1 1", "1 6 3 7", "1 1 6 7", "1 4 1 4", "1 3 7 4", "6 4 1 5")
_MINOR = ("minor", "dorian", "minor", "phrygian")

STYLES = (
    Style("house", (116, 130), _MINOR, _PROGRESSIONS, (
        Layer("bass", _BASSES, (r.OFFBEATS, r.PUSHED, "..xx..x...xx..x."), 2, 0),
        Layer("chords", (90, 50, 16, 4, 0), (r.OFFBEATS, r.PUSHED, "...x..x...x..x.."), 4, -4, 0.9,
              {"pump": (0.2, 0.8), "delay": (0.1, 0.4)}),
        Layer("chords", _PADS, (r.WHOLE,), 4, -9, 0.6, {"pump": (0.3, 0.9), "sweep": (400, 1500)}),
        Layer("melody", (*_LEADS, 11, 54), (r.WHOLE,), 5, -6, 0.4, {"delay": (0.2, 0.5)}),
    ), drums=("house", "tech house", "disco"), kits=(d.ELECTRONIC, d.TR808), drums_db=1,
        swing=(0, 0.12), loose_s=(0, 0.003), sevenths=0.5, chord_bars=(1, 2),
        effects={"pump": (0.1, 0.5)}),
    Style("techno", (124, 142), ("minor", "phrygian", "minor pentatonic"), ("1 1 1 1", "1 1 1 2"), (
        Layer("riff", _BASSES, (r.SIXTEENTHS, "..x...x...x.x.x.", r.EIGHTHS), 2, 0, 1.0,
              {"lowpass": (500, 3000)}),
        Layer("ostinato", (81, 87, 62, 80), (r.SIXTEENTHS, "x..x..x..x..x.x.", "x..x...."), 4, -4,
              1.0,
              {"sweep": (300, 1200), "delay": (0.2, 0.5)}),
        Layer("drone", _PADS, (r.WHOLE,), 3, -8, 0.5, {"pump": (0.3, 0.9)}),
        Layer("scatter", (118, 102, 103, 99), (), 4, -12, 0.4, {"delay": (0.3, 0.6)}),
    ), drums=("techno", "tech house"), kits=(d.ELECTRONIC, d.TR808), drums_db=2, swing=(0, 0.03),
        loose_s=(0, 0.002), effects={"pump": (0.0, 0.4)}),
    Style("drum and bass", (160, 176), _MINOR, _PROGRESSIONS, (
        Layer("bass", _BASSES, ("X.....x...x.....", "X..x......x..x..", r.WHOLE), 2, 1, 1.0,
              {"saturate": (3, 10)}),
        Layer("chords", _PADS, (r.WHOLE,), 4, -5, 0.9, {"sweep": (500, 2500)}),
        Layer("pick", (*_LEADS, 4, 11), (r.SIXTEENTHS, r.EIGHTHS), 5, -8, 0.6,
              {"delay": (0.2, 0.5)}),
    ), drums=("drum and bass", "breakbeat"), kits=(d.ELECTRONIC, 0, 16), drums_db=1,
        swing=(0, 0.08), loose_s=(0, 0.003), sevenths=0.6, chord_bars=(2,)),
    Style("downtempo", (80, 108), ("minor", "dorian", "lydian"), _PROGRESSIONS, (
        Layer("bass", (*_BASSES, 33, 35), ("X.....x.........", r.PUSHED), 2, 0),
        Layer("chords", (4, 5, 89, 16), (r.WHOLE, "X.......x..x....", r.OFFBEATS), 4, -3, 0.9,
              {"tremolo": (0.1, 0.6)}),
        Layer("pick", (88, 98, 11, 99, 46), (r.EIGHTHS, r.SIXTEENTHS), 5, -6, 0.6,
              {"delay": (0.2, 0.5)}),
        Layer("melody", _LEADS, (r.WHOLE,), 5, -4, 0.4, {"delay": (0.1, 0.4)}),
    ), drums=("downtempo", "electro", "breakbeat"), kits=(d.ELECTRONIC, d.TR808, 0),
        swing=(0, 0.2), loose_s=(0, 0.006), sevenths=0.6, chord_bars=(1, 2),
        effects={"vinyl": (22, 40)}),
    Style("ambient", (66, 100), ("lydian", "major", "dorian"), ("1 4 1 5", "1 1 4 4", "1 6 4 1"), (
        Layer("chords", _PADS, (r.WHOLE,), 4, 0, 1.0, {"chorus": (5, 25), "sweep": (400, 2000)}),
        Layer("pick", (88, 98, 99, 11, 10), (r.EIGHTHS, r.SIXTEENTHS), 5, -4, 0.8,
              {"delay": (0.3, 0.6)}),
        Layer("bass", (*_BASSES, 89), (r.WHOLE,), 2, -3, 0.7),
        Layer("scatter", (98, 9, 14, 121), (), 6, -12, 0.4, {"delay": (0.3, 0.6)}),
    ), drums=("downtempo", "techno", "electro"), kits=(d.ELECTRONIC, d.TR808), drums_db=-6,
        drums_chance=0.5, swing=(0, 0), loose_s=(0, 0.004), sevenths=0.7, chord_bars=(2,),
        room=(0.3, 0.9)),
)  # fmt: skip
