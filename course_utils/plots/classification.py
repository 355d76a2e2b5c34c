"""What a recogniser gets right and wrong, how sure it is, and how sure we may be."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_utils.metrics import Predictions, Reliability, most_confused, normalise
from course_utils.plots.base import COLOURS, describe, named, to_png

# Nearly white for cells without clips; darker with every clip, in greyscale too.
_MATRIX_COLOUR_MAP = "Blues"
_GAMMA = 0.5  # colours follow the square root, or a few mistakes would look like none
_LONG_LABELS = 24  # letters of all labels together that fit below a matrix without turning


def shade(share: float) -> tuple[str, str]:
    """Colour of a cell with a share from 0 to 1, and black or white for a text on it, as #rrggbb.

    The text is the one with more contrast, by the relative luminance of WCAG 2.
    """
    colour = np.array(colormaps[_MATRIX_COLOUR_MAP](share**_GAMMA)[:3])
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    # Contrast is (lighter + 0.05) / (darker + 0.05); here black and white have the same.
    middle = np.sqrt(1.05 * 0.05) - 0.05
    return to_hex(colour), "#000000" if luminance > middle else "#ffffff"


def confusion_matrix(
    ax: Axes,
    matrix: np.ndarray,
    labels: Sequence[str],
    title: str = "",
    by: str | None = None,
    *,
    counted: str = "clips",
) -> None:
    """Draw who is taken for whom: truth in rows, prediction in columns, a number in each cell.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    matrix : np.ndarray of int, shape (k, k)
        How many of what is counted.
    labels : sequence of str, length k
    title : str
    by : {"truth", "predicted", "all"}, optional
        Numbers and colours are percent of the row, of the column or of all clips instead of clips
        (see :func:`metrics.normalise`). Cells without clips stay empty.
    counted : str
        What is counted, in the plural: ``"tracks"``, for example.

    Raises
    ------
    ValueError
        If the matrix does not fit the labels, or ``by`` is none of these.
    """
    confusions = most_confused(matrix, labels, 3)
    matrix = np.asarray(matrix)
    values = 100 * normalise(matrix, by) if by else matrix
    top = 100 if by in ("truth", "predicted") else max(values.max(), 1)
    image = ax.imshow(values, cmap=_MATRIX_COLOUR_MAP, norm=PowerNorm(_GAMMA, 0, top))
    for row, column in np.argwhere(matrix):
        value = values[row, column]
        colour = shade(value / top)[1]
        text = "<1" if by and value < 0.5 else f"{value:.0f}"
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize="small")
    places = range(len(labels))
    turn = 45 if sum(map(len, labels)) > _LONG_LABELS else 0
    ax.set_xticks(places, labels, rotation=turn, ha="right" if turn else "center")
    if turn:
        ax.tick_params(axis="x", pad=2)
        for label in ax.get_xticklabels():
            label.set_rotation_mode("anchor")  # the word ends at its column
    ax.set_yticks(places, labels)
    ax.set(xlabel="prediction", ylabel="truth")
    ax.set_title(title)
    ax.spines[["top", "right"]].set_visible(True)
    whole = {"truth": "the row", "predicted": "the column", "all": f"all {counted}"}
    unit = f"share of {whole[by]} (%)" if by else counted
    whole_numbers = MaxNLocator(integer=True)  # nothing is counted by halves
    ax.figure.colorbar(image, ax=ax, label=unit, pad=0.02, ticks=whole_numbers)
    describe(ax, _matrix_in_words(matrix, confusions, title, counted))


def confusion_png(labels: Sequence[str], truth: np.ndarray, scores: np.ndarray) -> bytes:
    """The confusion matrix as PNG, for a training log.

    Parameters
    ----------
    labels : sequence of str, length k
    truth : np.ndarray of int, shape (n,)
    scores : np.ndarray, shape (n, k)

    Returns
    -------
    bytes
    """
    # Not by pyplot, which would show the figure in the notebook cell that trains.
    fig = Figure(figsize=(7.2, 5.6), layout="constrained")
    predictions = Predictions(tuple(labels), truth, scores)
    title = f"accuracy {predictions.accuracy:.1%}, N = {predictions.n}"
    confusion_matrix(fig.subplots(), predictions.matrix, predictions.labels, title)
    return to_png(fig)


def _matrix_in_words(matrix: np.ndarray, confusions: list, title: str, counted: str) -> str:
    total, right = int(matrix.sum()), int(np.trace(matrix))
    share = f" ({right / total:.1%})" if total else ""
    listed = "; ".join(
        f"{each.truth} taken for {each.predicted} {each.clips} time{'s' * (each.clips > 1)} "
        f"({each.share:.0%} of the row)"
        for each in confusions
    )
    none = f"No {counted.removesuffix('s')} is taken for another label."
    return (
        f"Confusion matrix{named(title)}: {len(matrix)} labels, {right} of {total} {counted} "
        f"right{share}. " + (f"Biggest confusions: {listed}." if listed else none)
    )


def reliability_diagram(ax: Axes, reliability: Reliability, title: str = "") -> None:
    """Draw the share that is right over the confidence, with 95 % intervals and clips per bin.

    On the dashed diagonal a recogniser is as often right as it claims; below it, less often.
    """
    filled = np.flatnonzero(reliability.counts)
    claimed, right = reliability.confidence[filled], reliability.accuracy[filled]
    low, high = reliability.low[filled], reliability.high[filled]
    ax.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="as often as claimed")
    ax.errorbar(
        claimed, right, [right - low, high - right], color=COLOURS[0], marker="o", markersize=5,
        linewidth=1.2, capsize=3, label="this recogniser",
    )  # fmt: skip
    for place, count in zip(claimed, reliability.counts[filled], strict=True):
        ax.text(place, -0.07, f"{count}", ha="center", va="center", fontsize="small")
    ax.text(-0.01, -0.07, "clips:", ha="left", va="center", fontsize="small")
    ax.axhline(-0.02, color="lightgrey", linewidth=0.8)  # what is below it is no data
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.12, 1.03), yticks=np.linspace(0, 1, 6))
    ax.set(xlabel="confidence (score of the prediction)", ylabel="share of clips right")
    ax.set_title(title)
    ax.legend(loc="upper left", frameon=False, fontsize="small")
    listed = "; ".join(
        f"at {reliability.confidence[bin_]:.2f}, {reliability.accuracy[bin_]:.2f} "
        f"({reliability.low[bin_]:.2f} to {reliability.high[bin_]:.2f}, "
        f"{reliability.counts[bin_]} clips)"
        for bin_ in filled
    )
    describe(
        ax,
        f"Reliability diagram{named(title)}: share of clips right over confidence, {reliability.n} "
        f"clips in {len(filled)} of {len(reliability.counts)} bins, mean distance from the "
        f"diagonal {reliability.gap:.3f}. Confidence and share right: {listed}.",
    )


def with_intervals(
    ax: Axes, values: Mapping[str, tuple[float, float, float]], x_label: str, title: str = ""
) -> None:
    """Dots with whiskers, the first one at the top, each with its numbers beside it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : mapping of str to (value, low, high)
        Each value with both ends of its interval; ``(value, value, value)`` for one without, such
        as a baseline.
    x_label : str
        What the value is, with its unit.
    title : str

    Raises
    ------
    ValueError
        If there is nothing to draw, or an interval does not hold its value.
    """
    if not values:
        raise ValueError("Found no values to draw; expected at least one; give them.")
    for name, (value, low, high) in values.items():
        if not low <= value <= high:
            raise ValueError(
                f"Found {value:.4g} for {name} with an interval from {low:.4g} to {high:.4g}; "
                "expected a value inside its interval; give (value, low, high)."
            )
    heights = np.arange(len(values))[::-1]
    for height, (value, low, high) in zip(heights, values.values(), strict=True):
        whiskers = [[value - low], [high - value]]
        ax.errorbar(value, height, xerr=whiskers, color=COLOURS[0], marker="o", capsize=4)
        ax.annotate(
            _with_interval(value, low, high), (value, height), (0, 6),
            textcoords="offset points", ha="center", fontsize="small",
        )  # fmt: skip
    ax.set_yticks(heights, values)
    ax.set_ylim(-0.5, len(values) - 0.3)
    ax.margins(x=0.1)
    ax.grid(axis="x", color="lightgrey", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel(x_label)
    ax.set_title(title)
    listed = ", ".join(f"{name} {_with_interval(*numbers)}" for name, numbers in values.items())
    describe(ax, f"Dots of {x_label} with their intervals{named(title)}: {listed}.")


def _with_interval(value: float, low: float, high: float) -> str:
    """Three digits of each, so that 0.9 beside 0.877 is not taken for a rough figure."""
    value, low, high = (f"{number:#.3g}".removesuffix(".") for number in (value, low, high))
    return value if low == high else f"{value} ({low} to {high})"
