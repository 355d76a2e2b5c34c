"""A figure from beginning to end: the course's look, what it says in words, how it is shown."""

import base64
import html
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
"""Line colours that colour-blind readers tell apart (Okabe and Ito)."""

LINE_STYLES = ("-", "--", "-.", ":", (0, (1, 1)))
"""One per colour, so that lines differ in a greyscale print too."""

COLOUR_MAP = "magma"
"""Brightness rises evenly from low to high, so that pictures survive a greyscale print."""

STYLE = {
    "figure.dpi": 80,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "image.cmap": COLOUR_MAP,
}

_DESCRIPTION = "course description"
_LISTED = 12  # words or detections that alt text names one by one


def use_style() -> None:
    """Make every later figure look like the course's figures."""
    plt.rcParams.update(STYLE)


def figure(
    rows: int = 1, columns: int = 1, *, height: float = 2.4, width: float = 9.0, **options: object
) -> tuple[Figure, Axes | np.ndarray]:
    """A figure with ``rows`` x ``columns`` axes; ``height`` inches for each row.

    ``options`` go to :func:`matplotlib.pyplot.subplots` (``sharex=True`` for example).
    """
    return plt.subplots(rows, columns, figsize=(width, height * rows), **options)


def describe(ax: Axes, sentence: str) -> None:
    """Say in words what ``ax`` shows; :func:`show` turns it into alt text."""
    setattr(ax, _DESCRIPTION, sentence)


def alt_text(fig: Figure) -> str:
    """The sentences of all axes of a figure, in order.

    Raises
    ------
    ValueError
        If a figure has axes that nobody described.
    """
    axes = [ax for ax in fig.axes if ax.get_label() != "<colorbar>"]
    silent = [ax for ax in axes if not hasattr(ax, _DESCRIPTION)]
    if silent:
        raise ValueError(
            f"{len(silent)} of {len(axes)} axes have no description; expected a sentence for each, "
            "for readers who do not see the figure; call plots.describe(ax, sentence)."
        )
    return " ".join(getattr(ax, _DESCRIPTION) for ax in axes)


def to_png(fig: Figure) -> bytes:
    """The figure as PNG, at its own resolution, in 256 colours.

    No figure here needs more, and a stored notebook becomes a third as large.
    """
    drawn, buffer = BytesIO(), BytesIO()
    fig.savefig(drawn, format="png", facecolor="white")
    # Not Pillow's usual median cut: it spends its colours on the commonest, and the rare end of a
    # colour bar comes out grey.
    method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    colours = Image.open(drawn).convert("RGB").quantize(256, method, dither=dither)
    colours.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def html_image(canvas: FigureCanvasAgg, alt: str, style: str = "") -> str:
    """What is drawn on a canvas, as an ``<img>`` for a widget: fast rather than small."""
    buffer = BytesIO()
    # The lightest compression: the picture goes no further than the browser.
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    look = f' style="{style}"' if style else ""
    alt = html.escape(alt, quote=True)
    return f'<img alt="{alt}" src="data:image/png;base64,{encoded}"{look}>'


def show(fig: Figure) -> None:
    """Display a figure in a notebook, with alt text in the output's metadata, and close it."""
    from IPython import display

    alt = alt_text(fig)
    for ax in fig.axes:
        if (
            len(ax.get_shared_x_axes().get_siblings(ax)) > 1
            and not ax.get_subplotspec().is_last_row()
        ):
            ax.set_xlabel("")  # the lowest axes of the column carry the label for all
    plt.close(fig)
    display.display(display.Image(to_png(fig), format="png", metadata={"alt": alt}))


def add(ax: Axes, sentence: str) -> None:
    """Say one more thing about ``ax``."""
    describe(ax, f"{getattr(ax, _DESCRIPTION)} {sentence}")


def named(title: str) -> str:
    """The title as part of a sentence."""
    return f" of {title}" if title else ""


def listing(items: object) -> str:
    """The first few items, and how many more there are."""
    items = list(items)
    if not items:
        return "nothing"
    more = len(items) - _LISTED
    return ", ".join(items[:_LISTED]) + (f" and {more} more" if more > 0 else "")
