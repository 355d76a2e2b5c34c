"""Features of music seen through principal components: where tracks lie, and what is left out."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from course_utils.plots.base import COLOURS, describe, named

# The colours of the course and three more of Okabe and Ito's; shapes differ in greyscale, too.
_COLOURS = (*COLOURS, "#E69F00", "#56B4E9", "#666666")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def components(
    ax: Axes,
    points: np.ndarray,
    classes: np.ndarray,
    labels: Sequence[str],
    shares: Sequence[float],
    title: str = "",
) -> None:
    """Draw tracks by their first two principal components, a shape and a colour for each genre.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    points : np.ndarray, shape (tracks, 2)
    classes : np.ndarray of int, shape (tracks,)
    labels : sequence of str
        At most eight.
    shares : sequence of float, length 2 or more
        Of the variance, by component (``PCA.explained_variance_ratio_``).
    title : str

    Raises
    ------
    ValueError
        If the arguments do not fit together, or there are more labels than shapes.
    """
    points, classes = np.asarray(points), np.asarray(classes)
    fits = points.ndim == 2 and points.shape[1] == 2 and len(points) == len(classes) > 1
    if not fits or len(shares) < 2 or classes.min() < 0 or classes.max() >= len(labels):
        raise ValueError(
            f"Found points of shape {points.shape}, {len(classes)} classes, {len(labels)} labels"
            f" and {len(shares)} shares; expected (tracks, 2), a class of the labels for each, and"
            " two shares; give the first two components of the same tracks."
        )
    if len(labels) > len(_MARKERS):
        raise ValueError(
            f"Found {len(labels)} labels for one axes; expected at most {len(_MARKERS)}, because"
            " more shapes cannot be told apart; draw fewer, or use several axes."
        )
    for k, (label, colour, marker) in enumerate(zip(labels, _COLOURS, _MARKERS, strict=False)):
        x, y = points[classes == k].T
        ax.scatter(
            x, y, s=28, color=colour, marker=marker, alpha=0.75, linewidths=0, label=label
        )  # fmt: skip
    ax.set(
        xlabel=f"component 1 ({shares[0]:.0%} of the variance)",
        ylabel=f"component 2 ({shares[1]:.0%})",
    )
    ax.set_title(title)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")
    describe(ax, _components_in_words(points, classes, labels, shares, title))


def _components_in_words(
    points: np.ndarray,
    classes: np.ndarray,
    labels: Sequence[str],
    shares: Sequence[float],
    title: str,
) -> str:
    distances = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    like = (classes[distances.argmin(axis=1)] == classes).mean()
    counts = np.bincount(classes, minlength=len(labels))
    chance = (counts * (counts - 1)).sum() / (len(classes) * (len(classes) - 1))
    middles = "; ".join(
        f"{label} {' / '.join(f'{value:.2g}' for value in points[classes == k].mean(axis=0))}"
        for k, label in enumerate(labels)
        if counts[k]
    )
    return (
        f"Two principal components{named(title)}: {len(points)} tracks of {(counts > 0).sum()}"
        f" genres, {sum(shares[:2]):.0%} of the variance. The nearest neighbour of {like:.0%} of"
        f" the tracks has the same genre; by chance it would be {chance:.0%}. Middle of each genre,"
        f" component 1 / component 2: {middles}."
    )


def scree(ax: Axes, shares: Sequence[float], title: str = "", *, mark: float = 0.9) -> None:
    """Draw the share of the variance that each principal component adds, and their sum.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    shares : sequence of float
        Of the variance, by component (``PCA.explained_variance_ratio_``).
    title : str
    mark : float
        A dashed line at this share; the words say how many components reach it.

    Raises
    ------
    ValueError
        If the shares are none, negative or more than 1 in all, or do not fall.
    """
    shares = np.asarray(shares, np.float64)
    fits = shares.ndim == 1 and len(shares) and shares.min() >= 0 and shares.sum() < 1 + 1e-6
    if not fits or np.any(np.diff(shares) > 1e-9):
        raise ValueError(
            f"Found shares of shape {shares.shape} with the sum {shares.sum():.4g}; expected those"
            " of principal components, falling, with a sum of at most 1; give"
            " explained_variance_ratio_."
        )
    total, numbers = np.cumsum(shares), np.arange(1, len(shares) + 1)
    ax.bar(numbers, 100 * shares, color=COLOURS[0], label="each")
    ax.plot(numbers, 100 * total, color=COLOURS[1], marker=".", label="all so far")
    ax.axhline(100 * mark, color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="component", ylabel="variance (%)", ylim=(0, 103))
    ax.set_title(title)
    ax.legend(loc="center right", frameon=False, fontsize="small")
    reached = np.flatnonzero(total >= mark - 1e-9)
    needed = f"{reached[0] + 1} reach" if len(reached) else f"all {len(shares)} do not reach"
    describe(
        ax,
        f"Variance by principal component{named(title)}: the first has {shares[0]:.0%}, the first"
        f" two {total[:2][-1]:.0%}, all {len(shares)} together {total[-1]:.0%};"
        f" {needed} {mark:.0%}.",
    )
