"""Words and characters where they are in the sound. Lesson: 06."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_utils.decoding.alignment import Span
from course_utils.plots.base import COLOURS, add, describe, listing, named

UNSURE = 0.5
"""A span of a lower score is drawn with a dashed frame and a question mark."""

_LETTER_EM = 0.62  # width of a letter, in sizes of its font
_SIZES = (6, 10)  # points, of characters in a crowd and with room around them
_SPACE, _BARS = "␣", "probability of\ncharacters"
# Bottom and top in shares of the axes' height.
_ALONE = {"words": (0.54, 0.99), "characters": (0.02, 0.36), "letters": (0.37, 0.52)}
_ABOVE = {"words": (0.84, 0.99), "letters": (0.01, 0.1)}
_UPRIGHT = (0.62, 0.99)  # on a picture, of words that do not fit side by side


def alignment(
    ax: Axes,
    words: Sequence[Span],
    seconds_per_step: float,
    characters: Sequence[Span] = (),
    title: str = "",
) -> None:
    """Frame words and characters where they are in the sound.

    On axes that show a picture already, of a spectrogram say, words stand at its top and characters
    at its bottom; on empty axes, characters stand below the words, each with a bar as high as its
    score, and without their letters where these would be too small to read. A word with a score
    below :data:`UNSURE` has a dashed frame and a question mark.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    words, characters : sequence of Span
        Of :mod:`course_utils.decoding.alignment`; one of them may be empty.
    seconds_per_step : float
    title : str
        For empty axes.

    Raises
    ------
    ValueError
        If there is nothing to draw, a step lasts no time, or a span has no steps or no score.
    """
    check_spans([*words, *characters], seconds_per_step)
    others = ax.get_shared_x_axes().get_siblings(ax)
    limits = ax.get_xlim() if any(other.has_data() for other in others) else None
    end = max(span.stop for span in [*words, *characters]) * seconds_per_step
    ax.set_xlim(limits or (0, end))
    places = _ABOVE if ax.images else _ALONE
    if not ax.images:
        rows = (("words", "words", words), ("characters", _BARS, characters))
        ticks = {name: sum(_ALONE[row]) / 2 for row, name, spans in rows if spans}
        ax.set(xlabel="time (s)", ylim=(0, 1))
        ax.set_yticks(list(ticks.values()), list(ticks))
        ax.set_title(title)
        describe(ax, f"Alignment{named(title)}.")
    if words:
        _draw_words(ax, words, seconds_per_step, places)
        add(ax, _in_words("Words", words, seconds_per_step))
    if characters:
        _draw_characters(ax, characters, seconds_per_step, places)
        add(ax, _in_words("Characters", characters, seconds_per_step))


def check_spans(spans: Sequence[Span], seconds_per_step: float) -> None:
    """Refuse with ValueError what cannot be drawn, see :func:`alignment`."""
    if not 0 < seconds_per_step < math.inf or not spans:
        raise ValueError(
            f"Found {len(spans)} spans and steps of {seconds_per_step} s; expected at least one"
            " span, and steps that last some time; give what align gave, and the recogniser's"
            " seconds_per_step."
        )
    for text, first, stop, score in spans:
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not (0 <= first < stop and 0 <= score <= 1):
            raise ValueError(
                f"Found {text!r} in steps {first} to {stop} with a score of {score}; expected steps"
                " from 0 up, at least one of them, and a score from 0 to 1; give what align gave."
            )


def percent(score: float) -> str:
    """A score as it is written: ``97 %``; never 100 % or 0 % of what is not certain."""
    shown = round(100 * score)
    if shown == 100 and score < 1:
        return ">99 %"
    return "<1 %" if shown == 0 and score > 0 else f"{shown} %"


def _draw_words(
    ax: Axes, spans: Sequence[Span], seconds_per_step: float, places: dict[str, tuple]
) -> None:
    """A row of frames with words inside, upright where they would run into one another."""
    texts = [span.text + "?" * (span.score < UNSURE) for span in spans]
    size = _SIZES[1]
    widths = [size * _LETTER_EM * len(text) for text in texts]
    pairs = zip(widths, widths[1:], _gaps(ax, spans, seconds_per_step), strict=False)
    upright = any((one + other) / 2 > gap for one, other, gap in pairs)
    place = _UPRIGHT if upright and places is _ABOVE else places["words"]
    for span, text in zip(spans, texts, strict=True):
        look = {"facecolor": (1, 1, 1, 0.85), "edgecolor": "black", "linewidth": 1}
        look["linestyle"] = "--" if span.score < UNSURE else "-"
        _box(ax, span, seconds_per_step, place, **look)
        _write(ax, span, seconds_per_step, place, text, size, rotation=90 if upright else 0)


def _draw_characters(
    ax: Axes, spans: Sequence[Span], seconds_per_step: float, places: dict[str, tuple]
) -> None:
    """A row of characters and, where it has a place, a row of bars below it."""
    gaps = _gaps(ax, spans, seconds_per_step)
    smallest, largest = _SIZES
    # Some stand in neighbouring steps and touch, however wide the picture is.
    size = min(np.quantile(gaps, 0.25) / _LETTER_EM, largest) if gaps else largest
    for span in spans:
        if "characters" in places:
            low, high = places["characters"]
            level = low + span.score * (high - low)
            _box(ax, span, seconds_per_step, (low, high), facecolor="0.88")
            _box(ax, span, seconds_per_step, (low, level), facecolor=COLOURS[0])
        if size >= smallest:
            text = _SPACE if span.text == " " else span.text
            _write(ax, span, seconds_per_step, places["letters"], text, size)


def _gaps(ax: Axes, spans: Sequence[Span], seconds_per_step: float) -> list[float]:
    """From the middle of each span to that of the next, in points."""
    low, high = ax.get_xlim()
    points = 72 * ax.get_window_extent().width / ax.figure.dpi / (high - low)  # in a second
    return [
        points * seconds_per_step * (later.first + later.stop - sooner.first - sooner.stop) / 2
        for sooner, later in pairwise(spans)
    ]


def _box(
    ax: Axes, span: Span, seconds_per_step: float, place: tuple[float, float], **look: object
) -> None:
    corner = span.first * seconds_per_step, place[0]
    width = (span.stop - span.first) * seconds_per_step
    ax.add_patch(
        Rectangle(corner, width, place[1] - place[0], transform=ax.get_xaxis_transform(), **look)
    )


def _write(
    ax: Axes,
    span: Span,
    seconds_per_step: float,
    place: tuple[float, float],
    text: str,
    size: float,
    rotation: float = 0,
) -> None:
    middle = (span.first + span.stop) / 2 * seconds_per_step, sum(place) / 2
    outline = patheffects.withStroke(linewidth=size / 4, foreground="white")  # on any picture
    written = ax.text(*middle, text, transform=ax.get_xaxis_transform(), ha="center", va="center")
    written.set(fontsize=size, rotation=rotation, path_effects=[outline], clip_on=True)


def _in_words(kind: str, spans: Sequence[Span], seconds_per_step: float) -> str:
    names = ["space" if span.text == " " else span.text for span in spans]
    listed = listing(
        f"{name} from {span.first * seconds_per_step:.2f} to {span.stop * seconds_per_step:.2f} s"
        f" ({percent(span.score)})"
        for name, span in zip(names, spans, strict=True)
    )
    unsure = [name for name, span in zip(names, spans, strict=True) if span.score < UNSURE]
    low = f" Below {percent(UNSURE)}: {listing(unsure)}." if unsure else ""
    return f"{kind} with their mean probabilities: {listed}.{low}"
