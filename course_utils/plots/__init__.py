"""Figures, each with its alt text.

Every drawing function takes an :class:`matplotlib.axes.Axes`, labels it in seconds, hertz and
decibels, and leaves a sentence computed from the data that says what a reader sees. :func:`show`
displays the figure with these sentences as its alt text, so that a screen reader has something to
read and a stored notebook can be checked.
"""

from course_utils.plots.alignment import UNSURE, alignment
from course_utils.plots.base import (
    COLOUR_MAP,
    COLOURS,
    LINE_STYLES,
    STYLE,
    add,
    alt_text,
    describe,
    figure,
    html_image,
    show,
    to_png,
    use_style,
)
from course_utils.plots.charts import bars, lines
from course_utils.plots.classification import (
    confusion_matrix,
    confusion_png,
    reliability_diagram,
    shade,
    with_intervals,
)
from course_utils.plots.ctc import best_symbols, lattice, symbol_map, symbol_probabilities
from course_utils.plots.events import det, probability_track, trigger_detections, trigger_events
from course_utils.plots.music import components, scree
from course_utils.plots.sound import (
    MEL_AXIS,
    coefficients,
    mark,
    masks,
    mel_spectrogram,
    mel_ticks,
    spectrogram,
    waveform,
)
from course_utils.plots.streams import OUTCOMES, missed, outcomes, score_stream, spoken, told
from course_utils.plots.transcripts import AlignedWords, aligned_words

__all__ = [
    "COLOURS", "COLOUR_MAP", "LINE_STYLES", "MEL_AXIS", "OUTCOMES", "STYLE", "UNSURE",
    "AlignedWords", "add", "aligned_words", "alignment", "alt_text", "bars", "best_symbols",
    "coefficients", "components", "confusion_matrix", "confusion_png", "describe", "det", "figure",
    "html_image", "lattice", "lines", "mark", "masks", "mel_spectrogram", "mel_ticks", "missed",
    "outcomes", "probability_track", "reliability_diagram", "score_stream", "scree", "shade",
    "show", "spectrogram", "spoken", "symbol_map", "symbol_probabilities", "to_png", "told",
    "trigger_detections", "trigger_events", "use_style", "waveform", "with_intervals",
]  # fmt: skip
