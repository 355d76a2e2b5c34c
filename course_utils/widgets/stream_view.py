"""What the explorer of streams shows: numbers, mistakes in words, and a picture.

As in the other explorers, the figure is built once, and a new setting only exchanges what changes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from course_utils import plots
from course_utils.plots import streams
from course_utils.streaming import (
    CORRECT,
    WRONG,
    Detection,
    Recording,
    Scores,
    Settings,
    StreamingAccuracy,
)

_SIZE = (9.0, 5.6)
# Left, bottom, width and height, in shares of the figure.
_ABOVE, _BELOW = (0.135, 0.775, 0.835, 0.165), (0.135, 0.10, 0.765, 0.525)
_BAR, _LEGEND = (0.915, 0.10, 0.014, 0.525), (0.125, 0.7)
_TITLE = "the whole recording; below is what the grey band covers"
_SCORES = "averaged scores"


@dataclass(frozen=True)
class Outcome:
    """What a setting makes of a recording.

    Attributes
    ----------
    settings : Settings
    tolerance_ms : float
    found : list of Detection
    accuracy : StreamingAccuracy
        Of ``found``.
    """

    settings: Settings
    tolerance_ms: float
    found: list[Detection]
    accuracy: StreamingAccuracy


class Mistake(NamedTuple):
    """A moment at which something went wrong: in milliseconds, and what in words."""

    time_ms: float
    words: str


def mistakes(ground_truth: tuple, outcome: Outcome) -> list[Mistake]:
    """Wrong words, false positives and missed words, in order of time."""
    accuracy, made = outcome.accuracy, []
    for told, what, partner in zip(
        outcome.found, accuracy.outcomes, accuracy.partners, strict=True
    ):
        if what == CORRECT:
            continue
        words = f"{plots.OUTCOMES[what][2]}, {told.label} was told at {told.time_ms / 1000:.2f} s"
        if what == WRONG:
            label, time_ms = ground_truth[partner]
            words += f", {label} was spoken at {time_ms / 1000:.2f} s"
            words += " and already matched" if label == told.label else ""
        made.append(Mistake(told.time_ms, words))
    name = plots.OUTCOMES[streams.MISSED][2]
    for label, time_ms in streams.missed_words(ground_truth, accuracy):
        words = f"{name}, {label} was spoken at {time_ms / 1000:.2f} s"
        made.append(Mistake(time_ms, words))
    return sorted(made)


def _latency_ms(outcome: Outcome, scores: Scores, recording: Recording) -> float | None:
    """Median time from the end of a word to its being told; None where nothing was right."""
    accuracy = outcome.accuracy
    if len(recording.ends_ms) != len(recording.ground_truth):
        return None  # nobody noted where the words end
    # A score is known when its window ends, and the times are those at which windows begin.
    waits = [
        told.time_ms + scores.window_ms - recording.ends_ms[partner]
        for told, what, partner in zip(
            outcome.found, accuracy.outcomes, accuracy.partners, strict=True
        )
        if what == CORRECT
    ]
    return float(np.median(waits)) if waits else None


def in_numbers(outcome: Outcome, scores: Scores, recording: Recording) -> str:
    """The rates as HTML, each in large type above what it is."""
    accuracy = outcome.accuracy
    matched, correct, wrong, false = (
        f"{accuracy.percent(count):.1f} %"
        for count in (
            accuracy.matched, accuracy.correct, accuracy.wrong, accuracy.false_positives,
        )
    )  # fmt: skip
    an_hour = accuracy.false_positives / (recording.seconds / 3600)
    shown = [
        (matched, f"matched: {accuracy.matched} of {accuracy.ground_truth} words spoken"),
        (correct, f"correct: {accuracy.correct}; wrong: {accuracy.wrong} ({wrong})"),
        (false, f"false positives: {accuracy.false_positives} ({an_hour:.1f} an hour)"),
    ]
    wait = _latency_ms(outcome, scores, recording)
    if wait is not None:
        shown.append((f"{wait:.0f} ms", "median latency from a word's end"))
    cards = "".join(
        f'<div><span style="font-size:26px;line-height:1.3">{number}</span><br>{name}</div>'
        for number, name in shown
    )
    columns = "repeat(auto-fit, minmax(225px, max-content))"
    style = f"display:grid;grid-template-columns:{columns};gap:2px 26px;line-height:1.3"
    return f'<div role="status" style="{style}">{cards}</div>'


class StreamView:
    """Two time axes, one above the other; :meth:`draw` gives them as an HTML image.

    Parameters
    ----------
    scores : Scores
    ground_truth : sequence of (label, time_ms)
    seconds : float
        Length of the recording.
    stretch_s : float
        Length of the stretch below.
    """

    def __init__(
        self, scores: Scores, ground_truth: tuple, seconds: float, stretch_s: float
    ) -> None:
        self._scores, self._ground_truth, self._stretch_s = scores, ground_truth, stretch_s
        with matplotlib.rc_context(plots.STYLE):
            self._figure = Figure(figsize=_SIZE, dpi=80, layout="none")
            self._canvas = FigureCanvasAgg(self._figure)
            self._above = self._figure.add_axes(_ABOVE, xlim=(0, seconds))
            self._below = self._figure.add_axes(_BELOW)
            self._build_above()
            self._build_below()
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)

    def _build_above(self) -> None:
        self._band = self._above.axvspan(0, self._stretch_s, color="#d0d0d0", zorder=0)
        # The same rows and grid as every draw() gives; its markers are exchanged there.
        nothing = StreamingAccuracy(len(self._ground_truth), 0, 0, 0, 0)
        plots.outcomes(self._above, self._ground_truth, [], nothing)
        self._figure.text(_ABOVE[0], 0.955, _TITLE, fontsize="large")
        _take_away(self._above.collections)
        for artist in (self._band, self._above.yaxis):
            artist.set_animated(True)  # left out of the background

    def _build_below(self) -> None:
        ax = self._below
        stretch = self._scores.between(*self._within(0))
        plots.score_stream(ax, stretch, colour_bar=False)
        (self._image,) = ax.images
        bar = self._figure.add_axes(_BAR, label="<colorbar>")
        self._figure.colorbar(self._image, cax=bar, label="averaged score")
        ax.xaxis.set_major_locator(MultipleLocator(max(round(self._stretch_s / 10), 1)))
        legend = {"loc": "upper left", "bbox_to_anchor": _LEGEND, "frameon": False, "borderpad": 0}
        self._figure.legend(handles=_shapes(), ncols=5, columnspacing=1.4, handletextpad=0.4,
                            fontsize="small", **legend)  # fmt: skip
        (self._pointer,) = ax.plot([], [], "v", color="black", markersize=8, clip_on=False)
        for artist in (self._image, ax.xaxis, self._pointer, *ax.spines.values()):
            artist.set_animated(True)

    def _within(self, begin_s: float) -> tuple[float, float]:
        return 1000 * begin_s, 1000 * (begin_s + self._stretch_s)

    def draw(self, outcome: Outcome, begin_s: float, pointed_ms: float | None = None) -> str:
        """An ``<img>`` with the picture as PNG and sentences as alt text.

        Parameters
        ----------
        outcome : Outcome
        begin_s : float
            Where the stretch begins.
        pointed_ms : float, optional
            Moment in the stretch to point at.
        """
        self._draw_above(outcome, begin_s)
        self._draw_below(outcome, begin_s)
        self._pointer.set_data([] if pointed_ms is None else [pointed_ms / 1000],
                               [] if pointed_ms is None else [-0.85])  # fmt: skip
        self._draw_changing()
        style = "display:block;max-width:100%"
        return plots.html_image(self._canvas, plots.alt_text(self._figure), style)

    def _draw_above(self, outcome: Outcome, begin_s: float) -> None:
        ax = self._above
        _take_away(ax.collections)
        plots.outcomes(ax, self._ground_truth, outcome.found, outcome.accuracy)
        self._band.set_x(begin_s)

    def _draw_below(self, outcome: Outcome, begin_s: float) -> None:
        begin, end = self._within(begin_s)
        # Averages look back, so that those of the stretch need a window more.
        before = self._scores.between(begin - outcome.settings.average_window_ms, end)
        stretch = self._scores.between(begin, end)
        values = before.averages(outcome.settings)[-len(stretch.times_ms) :]
        ax = self._below
        _take_away([*ax.collections, *ax.patches])
        self._image.set_data(values.T)
        self._image.set_extent(streams.extent(stretch))
        ax.set_xlim(begin_s, begin_s + self._stretch_s)
        plots.describe(ax, streams.scores_in_words(stretch, values, _SCORES))
        labels = self._scores.labels
        plots.spoken(ax, labels, self._ground_truth, outcome.tolerance_ms)
        plots.told(ax, labels, outcome.found, outcome.accuracy.outcomes)
        streams.missed(ax, labels, self._ground_truth, outcome.accuracy)

    def _draw_changing(self) -> None:
        self._canvas.restore_region(self._background)
        above, below = self._above, self._below
        for artist in (
            self._band, above.yaxis, *above.collections,
            self._image, *below.patches, *below.collections, below.xaxis, *below.spines.values(),
            self._pointer,
        ):  # fmt: skip
            self._figure.draw_artist(artist)


def _take_away(artists: list) -> None:
    for artist in list(artists):
        artist.remove()


def _shapes() -> list[Line2D | Patch]:
    """What the legend explains."""
    found = [
        Line2D([], [], linestyle="none", marker=marker, markersize=8, label=name,
               markerfacecolor=colour, markeredgecolor="black" if colour == "none" else colour)
        for marker, colour, name in plots.OUTCOMES.values()
    ]  # fmt: skip
    frame = Patch(fill=False, edgecolor="black", label="spoken; right if told here")
    return [*found, frame]
