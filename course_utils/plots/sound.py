"""Pictures of sound, with time to the right."""

from collections.abc import Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes

from course_utils import features
from course_utils.features.spec_augment import Spans
from course_utils.plots.base import COLOURS, add, describe, listing, named

_OUTLINE = patheffects.withStroke(linewidth=2.5, foreground="black")  # readable on any picture
_ROUND_HZ = (100, 500, 1000, 2000, 4000, 8000, 16000)
MEL_AXIS = "frequency (Hz), mel scale"
"""How the axis of mel bands is named."""


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
        f"Waveform{named(title)}: {len(samples)} samples from {seconds[0]:.3f} to "
        f"{seconds[-1]:.3f} s; the largest amplitude is {abs(samples[loudest]):.2f} at "
        f"{seconds[loudest]:.3f} s.",
    )


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
    _picture(ax, decibels, window_ms, stride_ms, title, unit=unit, limits=limits)
    labels = [f"{tick:.0f}" for tick in ticks]
    ax.set(ylabel="frequency (Hz)", yticks=ticks / bin_hz, yticklabels=labels)
    if hertz:
        ax.set_ylim(low / bin_hz, high / bin_hz)
    # The words are about what is seen: a loud tone outside the picture is none of their business.
    first, last = (int(edge / bin_hz + 0.5) for edge in (low, high))
    seen = decibels[:, first : last + 1]
    _describe_picture(ax, seen, window_ms, stride_ms, "Spectrogram", title, unit)
    frame, row = np.unravel_index(np.argmax(seen), seen.shape)
    shown = f"Shown are {low:.0f} to {high:.0f} Hz. " if hertz else ""
    add(ax, f"{shown}The maximum is near {(first + row) * bin_hz:.0f} Hz in frame {frame}.")


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
    """Picture of an array (frames, mel bands); round frequencies stand where their bands are."""
    _picture(ax, values, window_ms, stride_ms, title, unit=unit, limits=limits)
    bands, labels = mel_ticks(values.shape[1], low_hz, high_hz)
    ax.set(ylabel=MEL_AXIS, yticks=bands, yticklabels=labels)
    _describe_picture(ax, values, window_ms, stride_ms, "Mel spectrogram", title, unit)


def mel_ticks(n_mels: int, low_hz: float, high_hz: float) -> tuple[np.ndarray, list[str]]:
    """Where round frequencies are on an axis of mel bands, and how they are written."""
    centres = features.mel_centres(n_mels, low_hz, high_hz)
    hertz = [each for each in _ROUND_HZ if centres[0] <= each <= centres[-1]]
    if len(hertz) < 2:  # a narrow range: the centres of five bands, odd as they may be
        bands = np.unique(np.linspace(0, n_mels - 1, 5).round())
        return bands, [f"{each:.0f}" for each in centres[bands.astype(int)]]
    return np.interp(hertz, centres, np.arange(n_mels)), [str(each) for each in hertz]


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
    _picture(ax, shape, window_ms, stride_ms, title, unit="value", limits=limits)
    rows = np.arange(-first % 5, shape.shape[1], 5)
    ax.set(ylabel="coefficient", yticks=rows, yticklabels=rows + first)
    _describe_picture(ax, shape, window_ms, stride_ms, "MFCC", title, "value")


def _picture(
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


def mark(ax: Axes, spans: Sequence[tuple[float, float, str]]) -> None:
    """Frame stretches of time with dashed lines, each with a word at its top.

    Parameters
    ----------
    spans : sequence of (start, end, text)
        In the unit of the x axis.
    """
    for start, end, text in spans:
        for edge in (start, end):
            ax.axvline(edge, color="white", linewidth=1)
            ax.axvline(edge, color="black", linewidth=1, linestyle=(0, (3, 3)))
        middle = ((start + end) / 2, 0.96)
        name = ax.text(*middle, text, transform=ax.get_xaxis_transform(), ha="center", va="top")
        name.set(color="white", fontweight="bold", path_effects=[_OUTLINE])
    listed = ", ".join(f"{text} from {start:.2f} to {end:.2f}" for start, end, text in spans)
    add(ax, f"Marked: {listed}.")


def masks(ax: Axes, spans: Spans) -> None:
    """Frame with stripes what SpecAugment hides of a picture of sound.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of :func:`mel_spectrogram`, of the frames as they were or of the masked ones.
    spans : Spans
        Of :meth:`course_utils.features.spec_augment.SpecAugment.spans`; empty ones are left out.

    Raises
    ------
    ValueError
        If there is no picture, or a span is not within it.
    """
    bands, frames = ax.images[0].get_array().shape if ax.images else (0, 0)
    fits = zip((frames, bands), spans, strict=True)
    strange = [span for size, each in fits for span in each if not 0 <= span[0] <= span[1] <= size]
    if not ax.images or strange:
        raise ValueError(
            f"Found a picture of {frames} frames and {bands} mel bands, and the masks {strange}"
            " outside it; expected all masks within a picture; draw the frames first for which the"
            " spans were drawn."
        )
    left, right = ax.get_xlim()
    edges = np.linspace(left, right, frames + 1)
    look = {"facecolor": "none", "edgecolor": "white", "hatch": "//", "linewidth": 1.4}
    times = [(edges[first], edges[stop]) for first, stop in spans.time if first < stop]
    rows = [(first - 0.5, stop - 0.5) for first, stop in spans.frequency if first < stop]
    for span in times:
        ax.axvspan(*span, **look)
    for span in rows:
        ax.axhspan(*span, **look)
    hidden = listing(f"{start:.2f} to {end:.2f} s" for start, end in times)
    hidden_bands = listing(f"{low + 0.5:.0f} to {high - 0.5:.0f}" for low, high in rows)
    add(ax, f"Hidden from {hidden}, and of {bands} mel bands, counted from 0: {hidden_bands}.")


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
        f"{kind}{named(title)}: {values.shape[0]} frames by {values.shape[1]} columns, {unit} "
        f"from {values.min():.4g} to {values.max():.4g}; highest on average at {second:.2f} s.",
    )
