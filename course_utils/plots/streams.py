"""Scores over time, the words that were spoken, and what was told."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_utils.plots.base import COLOUR_MAP, COLOURS, add, describe, named
from course_utils.streaming import CORRECT, FALSE_POSITIVE, WRONG, Scores, StreamingAccuracy

MISSED = "missed"

OUTCOMES = {
    CORRECT: ("o", COLOURS[2], "hit"),
    WRONG: ("X", COLOURS[1], "wrong word"),
    FALSE_POSITIVE: ("^", COLOURS[3], "false alarm"),
    MISSED: ("s", "none", "missed word"),
}
"""Marker, colour and name of what can become of a word or of a detection."""

_UNDECIDED = "#b0b0b0"
_LISTED = 12  # words or detections that alt text names one by one


def score_stream(
    ax: Axes,
    scores: Scores,
    values: np.ndarray | None = None,
    title: str = "",
    *,
    unit: str = "score",
    colour_bar: bool = True,
) -> None:
    """Scores as a picture: time to the right, one row for each label, bright where sure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    scores : Scores
    values : np.ndarray, shape (windows, labels), optional
        Drawn in place of the scores, ``scores.averages(settings)`` for example. NaN is grey.
    title, unit : str
    colour_bar : bool
        Whether to draw one, from 0 to 1.
    """
    values = scores.values if values is None else values
    seconds, half = scores.times_ms / 1000, max(scores.hop_ms, 1) / 2000
    rows = range(len(scores.labels))
    image = ax.imshow(
        values.T, aspect="auto", interpolation="nearest", vmin=0, vmax=1,
        cmap=colormaps[COLOUR_MAP].with_extremes(bad=_UNDECIDED),
        extent=(seconds[0] - half, seconds[-1] + half, len(rows) - 0.5, -0.5),
    )  # fmt: skip
    ax.set_yticks(rows, scores.labels, fontsize="small")
    ax.set_xlabel("time at which the window begins (s)")
    ax.set_title(title)
    if colour_bar:
        ax.figure.colorbar(image, ax=ax, label=unit, pad=0.01)
    describe(ax, _stream_in_words(scores, values, title, unit))


def _stream_in_words(scores: Scores, values: np.ndarray, title: str, unit: str) -> str:
    seconds = scores.times_ms / 1000
    decided = np.flatnonzero(~np.isnan(values).any(axis=1))
    ends = f"{unit}s of {len(scores.labels)} labels from {seconds[0]:.2f} to {seconds[-1]:.2f} s"
    if not len(decided):
        return f"Picture{named(title)}: {ends}; too few to average anywhere."
    tops = values[decided].argmax(axis=1)
    changes = int((np.diff(tops) != 0).sum())
    shares = Counter(scores.labels[top] for top in tops.tolist()).most_common(4)
    listed = ", ".join(f"{label} {count / len(tops):.0%}" for label, count in shares)
    return (
        f"Picture{named(title)}: {ends}. The highest one changes {changes} times; it is most often"
        f" {listed} of the time."
    )


def spoken(
    ax: Axes, labels: Sequence[str], ground_truth: Sequence[tuple], tolerance_ms: float
) -> None:
    """Frame, in the row of its label, where a detection of a word counts as right.

    Words outside the axes' time are left out. The axes are those of :func:`score_stream`.
    """
    low, high = ax.get_xlim()
    inside = [(word, t / 1000) for word, t in ground_truth if low <= t / 1000 <= high]
    reach = tolerance_ms / 1000
    for word, second in inside:
        corner = (second - reach, list(labels).index(word) - 0.5)
        for width, colour in ((2.6, "black"), (1.2, "white")):
            ax.add_patch(
                Rectangle(corner, 2 * reach, 1, fill=False, edgecolor=colour, linewidth=width)
            )
    ax.set_xlim(low, high)
    add(ax, f"Spoken: {_listing(f'{word} at {second:.2f} s' for word, second in inside)}.")


def told(ax: Axes, labels: Sequence[str], found: Sequence[tuple], outcomes: Sequence[str]) -> None:
    """Mark, in the row of its label, every detection: by shape and colour what became of it.

    Detections outside the axes' time are left out. The axes are those of :func:`score_stream`.
    """
    low, high = ax.get_xlim()
    places = {label: row for row, label in enumerate(labels)}
    entries = [
        (each[0], each[1] / 1000, outcome) for each, outcome in zip(found, outcomes, strict=True)
    ]
    inside = [entry for entry in entries if low <= entry[1] <= high]
    for outcome, (marker, colour, name) in OUTCOMES.items():
        these = [(second, places[label]) for label, second, found_ in inside if found_ == outcome]
        if these:
            ax.scatter(
                *zip(*these, strict=True), marker=marker, c=colour, s=70, edgecolors="white",
                linewidths=1.2, zorder=3, label=name,
            )  # fmt: skip
    ax.set_xlim(low, high)
    listed = (f"{label} at {second:.2f} s ({OUTCOMES[end][2]})" for label, second, end in inside)
    add(ax, f"Told: {_listing(listed)}.")


def outcomes(
    ax: Axes,
    ground_truth: Sequence[tuple],
    found: Sequence[tuple],
    accuracy: StreamingAccuracy,
    title: str = "",
) -> None:
    """A whole recording: a row each for hits, wrong words, false alarms and missed words.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    ground_truth, found : sequence of (label, time_ms)
    accuracy : StreamingAccuracy
        Of exactly these two.
    title : str
    """
    matched = {partner for partner in accuracy.partners if partner is not None}
    times = {name: [] for name in OUTCOMES}
    for each, outcome in zip(found, accuracy.outcomes, strict=True):
        times[outcome].append(each[1] / 1000)
    times[MISSED] = [
        entry[1] / 1000 for place, entry in enumerate(ground_truth) if place not in matched
    ]
    for row, (outcome, (marker, colour, _)) in enumerate(OUTCOMES.items()):
        seconds = times[outcome]
        edge = "black" if colour == "none" else colour
        ax.scatter(seconds, [row] * len(seconds), marker=marker, c=colour, s=18, edgecolors=edge)
    names = [f"{name} ({len(times[key])})" for key, (*_, name) in OUTCOMES.items()]
    ax.set_yticks(range(len(OUTCOMES)), names, fontsize="small")
    ax.set(ylim=(len(OUTCOMES) - 0.5, -0.5), xlabel="time (s)")
    ax.grid(axis="y", color="lightgrey", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_title(title)
    describe(ax, f"Time line{named(title)}: {', '.join(names)}.")


def _listing(items: object) -> str:
    """The first few items, and how many more there are."""
    items = list(items)
    if not items:
        return "nothing"
    more = len(items) - _LISTED
    return ", ".join(items[:_LISTED]) + (f" and {more} more" if more > 0 else "")
