"""Scores over time, the words that were spoken, and what was told."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_utils.plots.base import COLOUR_MAP, COLOURS, add, describe, listing, named
from course_utils.streaming import CORRECT, FALSE_POSITIVE, WRONG, Scores, StreamingAccuracy

MISSED = "missed"

OUTCOMES = {
    CORRECT: ("o", COLOURS[2], "correct"),
    WRONG: ("X", COLOURS[1], "wrong"),
    FALSE_POSITIVE: ("^", COLOURS[3], "false positive"),
    MISSED: ("s", "none", "missed"),
}
"""Marker, colour and name of what can become of a word or of a detection."""

_UNDECIDED = "#b0b0b0"


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

    Raises
    ------
    ValueError
        If ``values`` has another shape than the scores.
    """
    values = scores.values if values is None else np.asarray(values)
    if values.shape != scores.values.shape:
        raise ValueError(
            f"Found values of shape {values.shape} for scores of shape {scores.values.shape};"
            " expected a row for each window and a column for each label; cut both to the same"
            " windows."
        )
    rows = range(len(scores.labels))
    image = ax.imshow(
        values.T, aspect="auto", interpolation="nearest", vmin=0, vmax=1,
        cmap=colormaps[COLOUR_MAP].with_extremes(bad=_UNDECIDED),
        extent=extent(scores),
    )  # fmt: skip
    ax.set_yticks(rows, scores.labels, fontsize="small")
    ax.set_xlabel("time at which the window begins (s)")
    ax.set_title(title)
    if colour_bar:
        ax.figure.colorbar(image, ax=ax, label=unit, pad=0.01)
    describe(ax, scores_in_words(scores, values, title, unit))


def extent(scores: Scores) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of the picture: a window's column is as wide as the hop."""
    half = max(scores.hop_ms, 1) / 2000
    first, last = scores.times_ms[[0, -1]] / 1000
    return first - half, last + half, len(scores.labels) - 0.5, -0.5


def scores_in_words(
    scores: Scores, values: np.ndarray, title: str = "", unit: str = "score"
) -> str:
    """Alt text of :func:`score_stream`, whose parameters these are."""
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

    Frames that reach into the axes' time are drawn. The axes are those of :func:`score_stream`.
    Raises ValueError where a word is none of the labels.
    """
    rows, reach = _rows(labels, ground_truth), tolerance_ms / 1000
    low, high = ax.get_xlim()
    inside = [
        (row, entry[0], entry[1] / 1000)
        for row, entry in zip(rows, ground_truth, strict=True)
        if low - reach <= entry[1] / 1000 <= high + reach
    ]
    for row, _, second in inside:
        for width, colour in ((2.6, "black"), (1.2, "white")):
            corner, size = (second - reach, row - 0.5), (2 * reach, 1)
            ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=width))
    ax.set_xlim(low, high)
    add(ax, f"Spoken: {listing(f'{word} at {second:.2f} s' for _, word, second in inside)}.")


def told(ax: Axes, labels: Sequence[str], found: Sequence[tuple], outcomes: Sequence[str]) -> None:
    """Mark, in the row of its label, every detection: by shape and colour what became of it.

    Detections outside the axes' time are left out. The axes are those of :func:`score_stream`.
    Raises ValueError where there is not one outcome for each, or a word is none of the labels.
    """
    _one_each(found, outcomes)
    rows, (low, high) = _rows(labels, found), ax.get_xlim()
    inside = [
        (row, entry[0], entry[1] / 1000, outcome)
        for row, entry, outcome in zip(rows, found, outcomes, strict=True)
        if low <= entry[1] / 1000 <= high
    ]
    for outcome in OUTCOMES:
        these = [(second, row) for row, _, second, end in inside if end == outcome]
        if these:
            _markers(ax, these, outcome)
    ax.set_xlim(low, high)
    listed = (f"{word} at {second:.2f} s ({OUTCOMES[end][2]})" for _, word, second, end in inside)
    add(ax, f"Told: {listing(listed)}.")


def missed(
    ax: Axes, labels: Sequence[str], ground_truth: Sequence[tuple], accuracy: StreamingAccuracy
) -> None:
    """Mark, in the row of its label, every word near which nothing was told.

    Words outside the axes' time are left out. The axes are those of :func:`score_stream`. Raises
    ValueError where the accuracy is of other words, or a word is none of the labels.
    """
    low, high = ax.get_xlim()
    alone = [
        entry for entry in missed_words(ground_truth, accuracy) if low <= entry[1] / 1000 <= high
    ]
    places = [
        (entry[1] / 1000, row) for entry, row in zip(alone, _rows(labels, alone), strict=True)
    ]
    if places:
        _markers(ax, places, MISSED)
    ax.set_xlim(low, high)
    add(ax, f"Missed: {listing(f'{word} at {time / 1000:.2f} s' for word, time in alone)}.")


def missed_words(ground_truth: Sequence[tuple], accuracy: StreamingAccuracy) -> list[tuple]:
    """The words near which nothing was told; ValueError where the accuracy is of other words."""
    if accuracy.ground_truth != len(ground_truth):
        raise ValueError(
            f"Found {len(ground_truth)} words and an accuracy of {accuracy.ground_truth}; expected"
            " the accuracy of exactly these words; compute it from them, without up_to_ms."
        )
    matched = set(accuracy.partners)
    return [tuple(entry[:2]) for i, entry in enumerate(ground_truth) if i not in matched]


def _markers(ax: Axes, places: list[tuple[float, int]], outcome: str) -> None:
    """Markers of one kind, at (second, row), that can be seen on dark and on bright colours."""
    marker, colour, name = OUTCOMES[outcome]
    options = {"marker": marker, "c": colour, "s": 80}
    seconds, rows = zip(*places, strict=True)
    ax.scatter(seconds, rows, **options, edgecolors="black", linewidths=2.8, zorder=3)
    ax.scatter(seconds, rows, **options, edgecolors="white", linewidths=1.2, zorder=3, label=name)


def _rows(labels: Sequence[str], entries: Sequence[tuple]) -> list[int]:
    """The row of each entry's label; ValueError where there is none."""
    places = {label: row for row, label in enumerate(labels)}
    for entry in entries:
        if entry[0] not in places:
            raise ValueError(
                f"Found the word {entry[0]!r} at {entry[1]:g} ms; expected one of"
                f" {', '.join(labels)}; give the labels of the scores."
            )
    return [places[entry[0]] for entry in entries]


def _one_each(found: Sequence[tuple], outcomes: Sequence[str]) -> None:
    """Refuse another number of outcomes than of detections."""
    if len(found) != len(outcomes):
        raise ValueError(
            f"Found {len(found)} detections and {len(outcomes)} outcomes; expected one for each;"
            " give those of streaming_accuracy for exactly these detections."
        )


def outcomes(
    ax: Axes,
    ground_truth: Sequence[tuple],
    found: Sequence[tuple],
    accuracy: StreamingAccuracy,
    title: str = "",
) -> None:
    """A whole recording: what was correct, wrong, a false positive, or missed, in a row each.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    ground_truth, found : sequence of (label, time_ms)
    accuracy : StreamingAccuracy
        Of exactly these two.
    title : str

    Raises
    ------
    ValueError
        If the accuracy is of other words or detections.
    """
    _one_each(found, accuracy.outcomes)
    times = {name: [] for name in OUTCOMES}
    for each, outcome in zip(found, accuracy.outcomes, strict=True):
        times[outcome].append(each[1] / 1000)
    times[MISSED] = [time / 1000 for _, time in missed_words(ground_truth, accuracy)]
    for row, (outcome, (marker, colour, _)) in enumerate(OUTCOMES.items()):
        seconds = times[outcome]
        edge = "black" if colour == "none" else colour
        look = {"marker": marker, "c": colour, "s": 26, "edgecolors": edge, "linewidths": 0.8}
        ax.scatter(seconds, [row] * len(seconds), **look)
    names = [f"{name} ({len(times[key])})" for key, (*_, name) in OUTCOMES.items()]
    ax.set_yticks(range(len(OUTCOMES)), names, fontsize="small")
    ax.set(ylim=(len(OUTCOMES) - 0.5, -0.5), xlabel="time (s)")
    ax.grid(axis="y", color="lightgrey", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_title(title)
    describe(ax, f"Time line{named(title)}: {', '.join(names)}.")
