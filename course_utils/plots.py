"""Figures, each with its alt text.

Every drawing function takes an :class:`matplotlib.axes.Axes`, labels it in seconds, hertz and
decibels, and leaves a sentence computed from the data that says what a reader sees. :func:`show`
displays the figure with these sentences as its alt text, so that a screen reader has something to
read and a stored notebook can be checked.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from course_utils import features

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
    colours = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    colours.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


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
    display.display(display.Image(to_png(fig), format="png", alt=alt))


def waveform(
    ax: Axes,
    samples: np.ndarray,
    sample_rate: int,
    title: str = "",
    *,
    start_s: float = 0.0,
    dots: bool = False,
) -> None:
    """Amplitude over seconds. ``dots`` marks every sample; ``start_s`` is the first one's time."""
    seconds = start_s + np.arange(len(samples)) / sample_rate
    ax.plot(seconds, samples, color=COLOURS[0], linewidth=0.8, marker="o" if dots else None, ms=3)
    ax.set(xlabel="time (s)", ylabel="amplitude", xlim=(seconds[0], seconds[-1]))
    ax.set_title(title)
    loudest = int(np.argmax(np.abs(samples)))
    describe(
        ax,
        f"Waveform{_named(title)}: {len(samples)} samples from {seconds[0]:.3f} to "
        f"{seconds[-1]:.3f} s; the largest amplitude is {abs(samples[loudest]):.2f} at "
        f"{seconds[loudest]:.3f} s.",
    )


def lines(
    ax: Axes,
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    x_label: str,
    y_label: str,
    title: str = "",
) -> None:
    """One or more curves over the same ``x``, told apart by colour and by dash."""
    described = []
    for (label, y), colour, style in zip(curves.items(), COLOURS, LINE_STYLES, strict=False):
        ax.plot(x, y, color=colour, linestyle=style, linewidth=1.4, label=label)
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
    describe(ax, f"{y_label} over {x_label}{_named(title)}: {'; '.join(described)}.")


def spectrogram(
    ax: Axes,
    decibels: np.ndarray,
    sample_rate: int,
    window_ms: float = 30,
    stride_ms: float = 10,
    title: str = "",
    *,
    hertz: tuple[float, float] | None = None,
    unit: str = "power (dB)",
    limits: tuple[float, float] | None = None,
) -> None:
    """Picture of an array (frames, bins): time to the right, frequency upwards.

    ``hertz`` is the range of frequencies shown, from 0 to half the sample rate by default.
    """
    bin_hz = sample_rate / 2 / (decibels.shape[1] - 1)
    low, high = hertz or (0, sample_rate / 2)
    ticks = np.linspace(low, high, 5)
    picture(ax, decibels, window_ms, stride_ms, title, unit=unit, limits=limits)
    labels = [f"{tick:.0f}" for tick in ticks]
    ax.set(ylabel="frequency (Hz)", yticks=ticks / bin_hz, yticklabels=labels)
    ax.set_ylim(low / bin_hz - 0.5, high / bin_hz + 0.5)
    _describe_picture(ax, decibels, window_ms, stride_ms, "Spectrogram", title, unit)
    frame, column = np.unravel_index(np.argmax(decibels), decibels.shape)
    _add(ax, f"The maximum is near {column * bin_hz:.0f} Hz in frame {frame}.")


def mel_spectrogram(
    ax: Axes,
    values: np.ndarray,
    window_ms: float = 30,
    stride_ms: float = 10,
    title: str = "",
    *,
    low_hz: float = 20,
    high_hz: float = 4000,
    unit: str = "log of magnitude (natural)",
    limits: tuple[float, float] | None = None,
) -> None:
    """Picture of an array (frames, mel bands), each band labelled by its centre in hertz."""
    n_mels = values.shape[1]
    edges = np.linspace(features.hertz_to_mel(low_hz), features.hertz_to_mel(high_hz), n_mels + 2)
    bands = np.linspace(0, n_mels - 1, 5).round().astype(int)
    picture(ax, values, window_ms, stride_ms, title, unit=unit, limits=limits)
    labels = [f"{hertz:.0f}" for hertz in features.mel_to_hertz(edges[1:-1])[bands]]
    ax.set(ylabel="mel band centre (Hz)", yticks=bands, yticklabels=labels)
    _describe_picture(ax, values, window_ms, stride_ms, "Mel spectrogram", title, unit)


def coefficients(
    ax: Axes,
    values: np.ndarray,
    window_ms: float = 30,
    stride_ms: float = 10,
    title: str = "",
    *,
    first: int = 0,
    limits: tuple[float, float] | None = None,
) -> None:
    """Picture of an array (frames, coefficients) of MFCCs from coefficient ``first`` on."""
    shape = values[:, first:]
    picture(ax, shape, window_ms, stride_ms, title, unit="value", limits=limits)
    rows = np.arange(-first % 5, shape.shape[1], 5)
    ax.set(ylabel="coefficient", yticks=rows, yticklabels=rows + first)
    _describe_picture(ax, shape, window_ms, stride_ms, "MFCC", title, "value")


def picture(
    ax: Axes,
    values: np.ndarray,
    window_ms: float,
    stride_ms: float,
    title: str = "",
    *,
    unit: str,
    limits: tuple[float, float] | None = None,
) -> None:
    """An array (frames, columns) with time to the right and a colour bar with its unit.

    A frame is drawn around the middle of its window.
    """
    first = (window_ms - stride_ms) / 2000
    seconds = (first, first + len(values) * stride_ms / 1000)
    low, high = limits or (np.nanmin(values), np.nanmax(values))
    image = ax.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(*seconds, -0.5, values.shape[1] - 0.5),
        vmin=low,
        vmax=high,
    )
    ax.set_xlabel("time (s)")
    ax.set_title(title)
    ax.figure.colorbar(image, ax=ax, label=unit, pad=0.01)


def bars(ax: Axes, values: Mapping[str, float], x_label: str, title: str = "") -> None:
    """Horizontal bars, the first one at the top, each with its value written beside it."""
    names = list(values)
    ax.barh(names[::-1], [values[name] for name in names[::-1]], color=COLOURS[0])
    for position, name in enumerate(names[::-1]):
        ax.text(values[name], position, f" {values[name]:.3g}", va="center", fontsize="small")
    ax.set_xlabel(x_label)
    ax.set_title(title)
    listed = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    describe(ax, f"Bars of {x_label}{_named(title)}: {listed}.")


def mark(ax: Axes, spans: Sequence[tuple[float, float, str]]) -> None:
    """Shade stretches of time, each with a word above it.

    Parameters
    ----------
    spans : sequence of (start, end, text)
        In the unit of the x axis.
    """
    top = ax.get_ylim()[1]
    for start, end, text in spans:
        ax.axvspan(start, end, color=COLOURS[1], alpha=0.18, linewidth=0)
        ax.text((start + end) / 2, top, text, ha="center", va="top", fontsize="small")
    listed = ", ".join(f"{text} from {start:.2f} to {end:.2f}" for start, end, text in spans)
    _add(ax, f"Marked: {listed}.")


def _describe_picture(
    ax: Axes,
    values: np.ndarray,
    window_ms: float,
    stride_ms: float,
    kind: str,
    title: str,
    unit: str,
) -> None:
    loudest = int(np.argmax(values.mean(axis=1)))
    second = (loudest * stride_ms + window_ms / 2) / 1000
    describe(
        ax,
        f"{kind}{_named(title)}: {values.shape[0]} frames by {values.shape[1]} columns, {unit} "
        f"from {values.min():.4g} to {values.max():.4g}; highest on average at {second:.2f} s.",
    )


def _add(ax: Axes, sentence: str) -> None:
    describe(ax, f"{getattr(ax, _DESCRIPTION)} {sentence}")


def _named(title: str) -> str:
    return f" of {title}" if title else ""
