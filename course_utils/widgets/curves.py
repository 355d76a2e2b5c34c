"""Curves that grow while a model is trained, in one picture that is drawn again in its place.

A picture and no widget: what stands below the cell at the end is what a stored notebook shows.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_utils import plots

_MARKERS = ("o", "s", "^", "D", "x")
_COLUMNS = 3


class LiveCurves:
    """A panel for each quantity, over the steps of a training run.

    Parameters
    ----------
    panels : mapping of str to sequence of str
        What a panel shows, with its unit, and the entries of the history that are drawn there. A
        panel in ``(%)`` shows shares as per cents.
    history : iterable of dict
        What there is already, of a run that goes on; it is shown at once.

    Raises
    ------
    ValueError
        If there is no panel, or one with more curves than can be told apart.

    Examples
    --------
    >>> curves = LiveCurves({"loss": ["loss", "validation_loss"], "misses (%)": ["miss_rate"]})
    >>> loop.run(batch_of, plan, evaluate, report=curves.update)
    """

    def __init__(self, panels: Mapping[str, Sequence[str]], history: Iterable[dict] = ()) -> None:
        most = max(map(len, panels.values()), default=0)
        if not 0 < most <= len(_MARKERS):
            raise ValueError(
                f"Found {len(panels)} panels with at most {most} curves; expected at least one"
                f" panel, and from 1 to {len(_MARKERS)} curves in each, because more cannot be told"
                " apart; name the entries to be drawn, or spread them over several panels."
            )
        self._panels, self._entries, self._handle = dict(panels), list(history), None
        if self._entries:
            self._show()

    def update(self, entry: dict) -> None:
        """Add an entry of a history, which has a ``step``, and draw it; only in a notebook."""
        self._entries.append(entry)
        self._show()

    def draw(self) -> Figure:
        """The picture as it is now."""
        rows, columns = math.ceil(len(self._panels) / _COLUMNS), min(len(self._panels), _COLUMNS)
        fig, axes = plots.figure(rows, columns, squeeze=False, width=9.0 if columns > 1 else 6.0)
        for ax in axes.flat[len(self._panels) :]:
            ax.remove()
        for ax, (label, names) in zip(axes.flat, self._panels.items(), strict=False):
            self._draw_panel(ax, label, names)
        return fig

    def _show(self) -> None:
        from IPython import display, get_ipython

        if getattr(get_ipython(), "kernel", None) is None:
            return
        fig = self.draw()
        alt = plots.alt_text(fig)
        plt.close(fig)
        picture = display.Image(plots.to_png(fig), format="png", metadata={"alt": alt})
        if self._handle is None:
            self._handle = display.display(picture, display_id=True)
        else:
            self._handle.update(picture)

    def _draw_panel(self, ax: Axes, label: str, names: Sequence[str]) -> None:
        scale, said = 100 if label.endswith("(%)") else 1, []
        looks = zip(plots.COLOURS, plots.LINE_STYLES, _MARKERS, strict=True)
        for name, (colour, style, marker) in zip(names, looks, strict=False):
            points = [(e["step"], scale * e[name]) for e in self._entries if _drawn(e.get(name))]
            name = name.replace("_", " ")
            name = name if points else f"no {name} yet"
            look = {"color": colour, "linestyle": style, "marker": marker, "markersize": 4}
            ax.plot(*zip(*points, strict=True) if points else ((), ()), **look, label=name)
            said.append(_in_words(name, points))
        ax.set(xlabel="step", ylabel=label, xlim=(0, max(e["step"] for e in self._entries) * 1.03))
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        if ax.dataLim.y0 >= 0:
            ax.set_ylim(bottom=0)
        if len(names) > 1 or said[0].endswith(" yet"):
            # Above the axes, where no curve can run through it.
            ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False,
                      fontsize="small", borderpad=0)  # fmt: skip
        plots.describe(ax, f"{label} over the steps of training: {'; '.join(said)}.")


def _drawn(value: object) -> bool:
    """Whether a point can be drawn there."""
    return value is not None and math.isfinite(value)


def _in_words(name: str, points: list[tuple[float, float]]) -> str:
    if not points:
        return name
    (first, begin), (last, end) = points[0], points[-1]
    if len(points) == 1:
        return f"{name} is {end:.4g} at step {last}"
    lowest, low = min(points, key=lambda point: point[1])
    return (
        f"{name} goes from {begin:.4g} at step {first} to {end:.4g} at step {last}, with its"
        f" minimum {low:.4g} at step {lowest}"
    )
