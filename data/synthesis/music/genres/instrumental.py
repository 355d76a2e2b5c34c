"""Instrumental: music without a singer, made to be listened to or to stand behind a film.

Piano alone, strings and horns of a film score, a jazz trio, a guitar alone, guitars of post-rock
with long echoes. The melody is in the instruments, and the room is large. It shares pianos and
guitars with Folk, bands with Rock, pads with Electronic.
"""

from synthesis.music import drums as d
from synthesis.music import rhythms as r
from synthesis.music.styles import Layer, Style

_PROGRESSIONS = ("1 5 6 4", "6 4 1 5", "1 3 4 5", "1 6 2 5", "6 3 4 1", "1 7 6 5", "4 1 5 6")
_SCALES = ("major", "minor", "dorian", "lydian", "harmonic minor")

STYLES = (
    Style("solo piano", (56, 116), _SCALES, _PROGRESSIONS, (
        Layer("hands", (0, 0, 1, 2), (r.EIGHTHS, r.QUARTERS, r.HALVES), 4, 0),
        Layer("melody", (0,), (r.WHOLE,), 5, 0),
        Layer("pick", (0,), (r.EIGHTHS, r.SIXTEENTHS), 4, -3, 0.6),
        Layer("chords", (48, 49, 89), (r.WHOLE,), 4, -11, 0.3),
    ), loose_s=(0.006, 0.03), sevenths=0.4, room=(0.15, 0.7)),
    Style("film score", (60, 124), _SCALES, _PROGRESSIONS, (
        Layer("chords", (48, 49, 50, 60), (r.WHOLE, r.HALVES), 4, 0),
        Layer("ostinato", (48, 45, 46, 0), (r.EIGHTHS, r.SIXTEENTHS), 4, -4, 0.8),
        Layer("melody", (60, 68, 40, 71, 42, 73), (r.WHOLE,), 5, -1, 0.8),
        Layer("bass", (43, 42, 48), (r.WHOLE, r.HALVES), 2, -1, 0.9),
    ), drums=("taiko", "half time"), kits=(d.ORCHESTRA,), drums_db=-5, drums_chance=0.4,
        loose_s=(0.004, 0.02), chord_bars=(1, 2), room=(0.4, 1.0)),
    Style("jazz trio", (92, 190), ("major", "dorian", "mixolydian"),
          ("2 5 1 6", "1 6 2 5", "1 4 3 6"), (
        Layer("walk", (32,), (r.QUARTERS,), 2, 0),
        Layer("chords", (0, 26, 4), (r.CHARLESTON, "..x....x...x....", "x.....x..x......"), 4, -3),
        Layer("melody", (0, 26, 66, 11, 65, 59), (r.WHOLE,), 5, 0),
    ), drums=("jazz", "brushes", "bossa"), kits=(d.JAZZ, d.BRUSH), drums_db=-3, drums_chance=0.85,
        swing=(0.2, 0.6), loose_s=(0.006, 0.02), sevenths=1.0),
    Style("solo guitar", (64, 124), _SCALES, _PROGRESSIONS, (
        Layer("pick", (24, 25, 26, 24), (r.EIGHTHS, r.ROLLING, r.SIXTEENTHS), 4, 0),
        Layer("melody", (24, 25, 26), (r.WHOLE,), 5, 0, 0.9),
        Layer("chords", (49, 89, 91), (r.WHOLE,), 4, -11, 0.35),
    ), drums=("brushes", "bossa"), kits=(d.BRUSH,), drums_db=-9, drums_chance=0.15,
        loose_s=(0.006, 0.022), sevenths=0.3, room=(0.1, 0.6)),
    Style("post-rock", (70, 130), ("major", "minor", "lydian"), _PROGRESSIONS, (
        Layer("pick", (27, 28, 26), (r.EIGHTHS, r.SIXTEENTHS), 5, 0, 1.0, {"delay": (0.3, 0.6)}),
        Layer("power", (29, 30, 27), (r.EIGHTHS, r.WHOLE, r.SIXTEENTHS), 3, -4, 0.7,
              {"distort": (2, 15)}),
        Layer("bass", (33, 34), (r.EIGHTHS, r.QUARTERS), 2, -1),
        Layer("melody", (27, 29, 48, 9), (r.WHOLE,), 5, -4, 0.6, {"delay": (0.3, 0.6)}),
    ), drums=("backbeat", "half time", "rock"), kits=(d.STANDARD, 8), drums_db=-2,
        drums_chance=0.8, chord_bars=(1, 2), room=(0.3, 0.9)),
)  # fmt: skip
