"""Curves and bars."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from course_utils.plots.base import COLOURS, LINE_STYLES, describe, named


def lines(
    ax: Axes,
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    x_label: str,
    y_label: str,
    title: str = "",
) -> None:
    """One to five curves over the same ``x``, told apart by colour and by dash.

    Raises
    ------
    ValueError
        If there are more curves than colours that every reader can tell apart.
    """
    if len(curves) > len(COLOURS):
        raise ValueError(
            f"Found {len(curves)} curves for one axes; expected at most {len(COLOURS)}, because "
            "more cannot be told apart; draw fewer, or use several axes."
        )
    described = []
    for (label, y), colour, style in zip(curves.items(), COLOURS, LINE_STYLES, strict=False):
        width = 1.4 if style in ("-", "--", "-.") else 2.2  # dots are mostly gap
        ax.plot(x, y, color=colour, linestyle=style, linewidth=width, label=label)
        top = int(np.nanargmax(y))
        described.append(
            f"{label or 'the curve'} goes from {y[0]:.4g} to {y[-1]:.4g}, with its maximum "
            f"{y[top]:.4g} at {x[top]:.4g}"
        )
    ax.set(xlabel=x_label, ylabel=y_label, xlim=(np.min(x), np.max(x)))
    ax.set_title(title)
    if len(curves) > 1:
        # Above the axes at the right, where no curve can run through it; the title is at the left.
        ax.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=len(curves), frameon=False,
            fontsize="small", borderpad=0,
        )  # fmt: skip
    describe(ax, f"{y_label} over {x_label}{named(title)}: {'; '.join(described)}.")


def bars(ax: Axes, values: Mapping[str, float], x_label: str, title: str = "") -> None:
    """Horizontal bars, the first one at the top, each with its value written beside it."""
    names = list(values)
    ax.barh(names[::-1], [values[name] for name in names[::-1]], color=COLOURS[0])
    for position, name in enumerate(names[::-1]):
        ax.text(values[name], position, f" {values[name]:.3g}", va="center", fontsize="small")
    ax.set_xlabel(x_label)
    ax.set_title(title)
    listed = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    describe(ax, f"Bars of {x_label}{named(title)}: {listed}.")
