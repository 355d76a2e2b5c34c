"""A CTC recogniser at work: what each step says, and which paths write a text.

Step ``k`` of a network lasts from ``k`` to ``k + 1`` times ``seconds_per_step``. Lesson: 06.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from course_utils.decoding import collapse
from course_utils.decoding.checks import checked_symbols
from course_utils.decoding.paths import one_item
from course_utils.features.text import Alphabet
from course_utils.plots.base import COLOURS, LINE_STYLES, add, describe, listing, named

_SHADES = LinearSegmentedColormap.from_list("sure", ["white", "#7fbfe6"])  # black stays readable
_OUTLINE = patheffects.withStroke(linewidth=2.5, foreground="white")  # readable on any line
_MOST_NODES = 80  # of a lattice that can still be read
_ON_A_PATH = {"linewidth": 1.8, "linestyle": "-", "edgecolor": "black"}
_ON_NONE = {"linewidth": 0.8, "linestyle": ":", "edgecolor": "#999999"}


def symbol_probabilities(
    ax: Axes,
    log_probs: np.ndarray,
    alphabet: Alphabet | Sequence[str],
    seconds_per_step: float,
    text: str | None = None,
    title: str = "",
    *,
    least: float = 0.2,
) -> None:
    """Probability over time: a line for the blank, and one for each symbol that rises anywhere.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    log_probs : array_like or torch tensor, shape (steps, classes)
        Natural log-probabilities of one utterance, without padding.
    alphabet : Alphabet, or sequence of str
        What the classes write; of a plain sequence, the last class is the blank.
    seconds_per_step : float
    text : str, optional
        What was said. Symbols that it lacks are drawn in another colour and dashed.
    title : str
    least : float
        A symbol is drawn if it is ever more probable, and named wherever it is.

    Raises
    ------
    ValueError
        If there are no steps, the probabilities of a step do not add up to 1, or the alphabet has
        another number of classes, or a step takes no time.
    """
    values, symbols, blank = _checked(log_probs, alphabet, seconds_per_step)
    seconds = (np.arange(len(values)) + 0.5) * seconds_per_step
    ax.plot(seconds, values[:, blank], color="#777777", linestyle="--", linewidth=1.2)
    labels, spikes = ["blank"], []
    for k in np.flatnonzero((values > least).any(axis=0)):
        if k != blank:
            strange = text is not None and symbols[k] not in text
            labels.append("other symbols" if text is None else "not " * strange + "in the text")
            look = {"color": COLOURS[strange], "linestyle": LINE_STYLES[strange]}
            ax.plot(seconds, values[:, k], linewidth=1.4, **look)
            spikes += [(step, k) for step in _peaks(values[:, k], least)]
    for step, k in spikes:
        name = ax.text(seconds[step], values[step, k] + 0.02, _mark(symbols[k]), ha="center")
        name.set(path_effects=[_OUTLINE])
    ax.set(ylabel="probability", ylim=(0, 1.15), yticks=np.linspace(0, 1, 5))
    _time(ax, len(values) * seconds_per_step, title, " " in symbols)
    kinds = dict(zip(labels, ax.lines, strict=True))  # one line of each kind
    ax.legend(
        kinds.values(), kinds, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False,
        fontsize="small", borderpad=0,
    )  # fmt: skip
    listed = listing(f"{_word(symbols[k])} at {seconds[step]:.2f} s" for step, k in sorted(spikes))
    _describe(ax, values, blank, f"Probability of symbols over time{named(title)}")
    add(ax, f"Above {least:g} rise, where they are highest: {listed}.")
    if text is not None:
        add(ax, f'The text is "{text}".')


def symbol_map(
    ax: Axes,
    log_probs: np.ndarray,
    alphabet: Alphabet | Sequence[str],
    seconds_per_step: float,
    title: str = "",
) -> None:
    """Probability as a picture: time to the right, a row for each symbol, bright where sure.

    Parameters, errors: :func:`symbol_probabilities`.
    """
    values, symbols, blank = _checked(log_probs, alphabet, seconds_per_step)
    end, rows = len(values) * seconds_per_step, len(symbols)
    look = {"aspect": "auto", "interpolation": "nearest", "vmin": 0, "vmax": 1}
    image = ax.imshow(values.T, extent=(0, end, rows - 0.5, -0.5), **look)
    ax.set_yticks(range(rows), [_word(symbol) for symbol in symbols], fontsize="small")
    ax.set_ylabel("symbol")
    _time(ax, end, title)
    ax.figure.colorbar(image, ax=ax, label="probability", pad=0.01)
    best = values.argmax(axis=1)
    begins = np.flatnonzero((best != blank) & (np.diff(best, prepend=blank) != 0))
    listed = (f"{_word(symbols[best[t]])} from {t * seconds_per_step:.2f} s" for t in begins)
    _describe(ax, values, blank, f"Picture{named(title)}: probability of {rows} symbols over time")
    add(ax, f"The others are likeliest in turn: {listing(listed)}.")


def best_symbols(
    ax: Axes,
    snapshots: Sequence[tuple[int, np.ndarray]],
    alphabet: Alphabet | Sequence[str],
    seconds_per_step: float,
    title: str = "",
    *,
    unit: str = "epoch",
) -> None:
    """Watch blanks give way to letters: for each snapshot, the likeliest symbol of each step.

    A box is a step; an empty one is a blank. Below its boxes stands what a snapshot writes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Half an inch high for each snapshot, and an inch wide for every nine steps.
    snapshots : sequence of (int, array_like)
        How many ``unit`` had gone by, and the log-probabilities of one utterance at that time,
        always of the same shape (steps, classes).
    alphabet, seconds_per_step, title
        As in :func:`symbol_probabilities`; so are the errors.
    unit : str

    Raises
    ------
    ValueError
        If there is no snapshot, or they differ in shape.
    """
    checked = [_checked(each, alphabet, seconds_per_step) for _, each in snapshots]
    shapes = {values.shape for values, *_ in checked}
    if len(shapes) != 1:
        raise ValueError(
            f"Found {len(checked)} snapshots of {len(shapes)} shapes, {sorted(shapes)}; expected"
            " some of one shape; give what the network says of the same utterance each time."
        )
    edges, names, told = np.arange(len(checked[0][0]) + 1) * seconds_per_step, [], []
    for row, (values, symbols, blank) in enumerate(checked):
        best = values.argmax(axis=1)
        sure = np.ma.masked_where(best == blank, values.max(axis=1))[None]
        look = {"cmap": _SHADES, "vmin": 0, "vmax": 1, "edgecolors": "#cccccc", "linewidth": 0.5}
        boxes = ax.pcolormesh(edges, [row, row + 0.52], sure, **look)
        for step in np.flatnonzero(best != blank):
            place, mark = (edges[step : step + 2].mean(), row + 0.27), _mark(symbols[best[step]])
            ax.text(*place, mark, ha="center", va="center", fontsize="small")
        written = "".join(symbols[k] for k in collapse(best.tolist(), blank))
        writes = f'writes "{written}"' if written else "writes nothing"
        ax.text(0, row + 0.76, writes, va="center", fontsize="small")
        names.append(f"{unit} {snapshots[row][0]}\n{(best == blank).mean():.0%} blank")
        told.append(", ".join([*names[-1].split("\n"), writes]))
    ax.set_yticks(np.arange(len(names)) + 0.27, names, fontsize="small")
    ax.set(ylim=(len(names), -0.05))
    ax.spines["left"].set_visible(False)
    _time(ax, edges[-1], title, " " in symbols)
    ax.figure.colorbar(boxes, ax=ax, label="probability", pad=0.01)
    describe(ax, f"Likeliest symbols of {len(edges) - 1} steps{named(title)}: {'; '.join(told)}.")


def lattice(
    ax: Axes,
    log_probs: np.ndarray,
    alphabet: Alphabet | Sequence[str],
    text: str,
    title: str = "",
) -> None:
    """All ways through a text and its blanks, thick where a path writes the text to its end.

    A node has the probability of its row's symbol in its step. A path may stay, go on by one row,
    or leap over a blank between two letters that differ.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Some 0.6 inch high for each row; a text has two for each letter, and one.
    log_probs, alphabet, title
        As in :func:`symbol_probabilities`, of a few steps; so are the errors.
    text : str
        If it is too long for the steps, nothing is thick.

    Raises
    ------
    ValueError
        If the text has another character than the alphabet, or there are too many nodes to read.
    """
    values, symbols, blank = _checked(log_probs, alphabet)
    rows = _rows(text, symbols, blank)
    if len(values) * len(rows) > _MOST_NODES:
        raise ValueError(
            f"Found {len(values)} steps and {len(rows)} rows for {text!r}; expected at most"
            f" {_MOST_NODES} nodes, to be read; give fewer steps or a shorter text."
        )
    ones, shares = np.ones((len(values), len(rows))), values[:, rows]
    arriving = _paths(ones, rows, blank)
    leaving = _paths(ones[::-1, ::-1], rows[::-1], blank)[::-1, ::-1]
    for step, row in np.ndindex(ones.shape):
        look = _ON_A_PATH if arriving[step, row] * leaving[step, row] else _ON_NONE
        node = ax.text(step, row, f"{shares[step, row]:.2f}", ha="center", va="center", zorder=3)
        node.set_bbox({"boxstyle": "circle", **look, "facecolor": _SHADES(shares[step, row])})
        for other in _nexts(row, rows, blank) if step + 1 < len(values) else ():
            look = _ON_A_PATH if arriving[step, row] * leaving[step + 1, other] else _ON_NONE
            arrow = {"arrowstyle": "-|>", "facecolor": look["edgecolor"], "shrinkA": 17, **look}
            ax.annotate("", (step + 1, other), (step, row), arrowprops=arrow | {"shrinkB": 17})
    ax.set(xlabel="step", xticks=range(len(values)), xlim=(-0.5, len(values) - 0.5), title=title)
    ax.set_yticks(range(len(rows)), [_mark(symbols[k]) for k in rows])
    ax.set(ylabel="text with its blanks", ylim=(len(rows) - 0.5, -0.5))
    count, share = (_paths(each, rows, blank)[-1, -2:].sum() for each in (ones, shares))
    begin = f"Lattice{named(title)}: {len(values)} steps of the rows"
    words = ", ".join(_word(symbols[k]) for k in rows)
    describe(ax, f'{begin} {words}. Paths that write "{text}": {count:.0f}, together {share:.4g}.')


def _nexts(row: int, rows: list[int], blank: int) -> Iterator[int]:
    """Where a path may go from a row of a lattice in the next step."""
    yield from range(row, min(row + 2, len(rows)))
    if row + 2 < len(rows) and rows[row + 2] not in (blank, rows[row]):
        yield row + 2


def _paths(weights: np.ndarray, rows: list[int], blank: int) -> np.ndarray:
    """The weights (steps, rows) of all paths from the first step to each node, added up."""
    found = np.zeros(weights.shape)
    found[0, :2] = weights[0, :2]
    for step, row in np.ndindex(len(weights) - 1, len(rows)):
        for other in _nexts(row, rows, blank):
            found[step + 1, other] += found[step, row] * weights[step + 1, other]
    return found


def _checked(
    log_probs: object, alphabet: object, seconds_per_step: float = 1.0
) -> tuple[np.ndarray, tuple[str, ...], int]:
    """Probabilities (steps, classes) of one utterance, what each class writes, and the blank."""
    if not 0 < seconds_per_step < np.inf:
        raise ValueError(
            f"Found seconds_per_step={seconds_per_step}; expected more than 0; give the"
            " recogniser's."
        )
    log_probs = one_item(log_probs)
    symbols, blank = checked_symbols(alphabet, None, log_probs.shape[1])
    values = np.exp(log_probs.astype(np.float64))
    sums = values.sum(axis=1)
    if not len(sums) or np.abs(sums - 1).max() > 0.01:
        worst = f", and {sums[np.abs(sums - 1).argmax()]:.4g} in one" if len(sums) else ""
        raise ValueError(
            f"Found {len(sums)} steps{worst}; expected some, in each of which the probabilities add"
            " up to 1; give natural log-probabilities, as log_softmax gives them."
        )
    return values, (*symbols[:blank], "", *symbols[blank + 1 :]), blank


def _rows(text: str, symbols: tuple[str, ...], blank: int) -> list[int]:
    """The class of each row of a text's lattice: blank, letter, blank, ..., blank."""
    for character in text:
        if character not in symbols:
            raise ValueError(
                f"Found {character!r} in {text!r}; expected characters of {''.join(symbols)!r};"
                " bring the text down to them with normalise."
            )
    return [blank, *(k for character in text for k in (symbols.index(character), blank))]


def _peaks(track: np.ndarray, least: float) -> list[int]:
    """The highest step of each stretch that is above ``least``."""
    edges = np.flatnonzero(np.diff(track > least, prepend=False, append=False))
    return [a + int(track[a:b].argmax()) for a, b in edges.reshape(-1, 2)]


def _mark(symbol: str) -> str:
    """A symbol as a figure shows it."""
    return {"": "blank", " ": "␣"}.get(symbol, symbol)


def _word(symbol: str) -> str:
    """A symbol as a sentence names it."""
    return {"": "blank", " ": "space", "'": "apostrophe"}.get(symbol, symbol)


def _time(ax: Axes, end: float, title: str, spaces: bool = False) -> None:
    """Label the axis of time, which ends at ``end`` seconds."""
    ax.set(xlabel="time (s); ␣ is a space" if spaces else "time (s)", xlim=(0, end))
    ax.set_title(title)


def _describe(ax: Axes, values: np.ndarray, blank: int, begin: str) -> None:
    """Say how much of an utterance is blank."""
    share = (values.argmax(axis=1) == blank).mean()
    describe(ax, f"{begin}; the blank is likeliest in {share:.0%} of {len(values)} steps.")
