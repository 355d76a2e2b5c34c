"""The picture inside the spectrogram explorer, redrawn fast.

Building a Matplotlib figure takes longer than a slider may wait. This one is built once; a new
setting only exchanges the numbers inside it.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course_utils import features, plots

KINDS = ("spectrogram", "mel", "MFCC")
"""What the explorer can show."""


@dataclass(frozen=True)
class Setting:
    """One position of all the explorer's controls.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    window_ms, stride_ms : float
        Length of a frame and distance between two frames, in milliseconds.
    n_mels : int
        Mel bands, for "mel" and "MFCC".
    low_hz, high_hz : float
        Frequency range shown, or covered by the mel bands, in hertz.
    floor_db : float
        Darkest level, in decibels below the loudest point.
    """

    kind: str = "spectrogram"
    window_ms: float = 25
    stride_ms: float = 5
    n_mels: int = 40
    low_hz: float = 0
    high_hz: float = 8000
    floor_db: float = -70


@dataclass(frozen=True)
class _Table:
    """Numbers to draw: ``values`` (frames, rows), the ticks of its rows, its unit, its limits."""

    values: np.ndarray
    ticks: np.ndarray
    labels: list[str]
    axis: str
    unit: str
    limits: tuple[float, float]


def _table(samples: np.ndarray, sample_rate: int, setting: Setting) -> _Table:
    """Compute what a setting shows of a sound.

    Parameters
    ----------
    samples : np.ndarray, shape (samples,)
    sample_rate : int
    setting : Setting
        A range that reaches beyond half the sample rate is cut there.

    Returns
    -------
    _Table

    Raises
    ------
    ValueError
        If the sound is shorter than one window, or the kind is unknown.
    """
    high = min(setting.high_hz, sample_rate / 2)
    low = max(min(setting.low_hz, high - 1), 0)
    high = max(high, low + 1)  # both ends of the range can be dragged to zero
    frames = (setting.window_ms, setting.stride_ms)
    bands = {"n_mels": setting.n_mels, "low_hz": low, "high_hz": high}
    if setting.kind == "spectrogram":
        power = features.power_spectrogram(samples, sample_rate, *frames)
        found = _hertz_table(power, sample_rate, low, high, setting.floor_db)
    elif setting.kind == "mel":
        log_mel = features.log_mel(samples, sample_rate, *frames, **bands)
        found = _mel_table(log_mel, low, high, setting.floor_db)
    elif setting.kind == "MFCC":
        mfcc = features.mfcc(samples, sample_rate, *frames, setting.n_mels, **bands)
        found = _mfcc_table(mfcc)
    else:
        raise ValueError(f"No picture of kind {setting.kind!r}; expected {', '.join(KINDS)}.")
    return found


def _hertz_table(
    power: np.ndarray, sample_rate: int, low: float, high: float, floor: float
) -> _Table:
    _some_frames(power)
    hertz = np.linspace(0, sample_rate / 2, power.shape[1])
    first, last = np.searchsorted(hertz, [low, high])
    last = max(last, min(first + 1, len(hertz) - 1))
    decibels = 10 * np.log10(np.maximum(power[:, first : last + 1], features.LOG_FLOOR))
    ticks = np.linspace(0, last - first, 5)
    labels = [f"{tick:.0f}" for tick in np.interp(ticks + first, np.arange(len(hertz)), hertz)]
    top = float(decibels.max())
    return _Table(decibels, ticks, labels, "frequency (Hz)", "power (dB)", (top + floor, top))


def _mel_table(log_mel: np.ndarray, low: float, high: float, floor: float) -> _Table:
    _some_frames(log_mel)
    # log_mel is the natural logarithm of a magnitude; 20 log10 of a magnitude are decibels.
    decibels = log_mel * (20 / np.log(10))
    ticks, labels = plots.mel_ticks(log_mel.shape[1], low, high)
    top = float(decibels.max())
    return _Table(decibels, ticks, labels, plots.MEL_AXIS, "power (dB)", (top + floor, top))


def _mfcc_table(mfcc: np.ndarray) -> _Table:
    _some_frames(mfcc)
    # Coefficient 0 is the overall level, much larger than the shape that the others describe.
    shape = mfcc[:, 1:]
    ticks = np.unique(np.linspace(0, max(shape.shape[1] - 1, 0), 5).round())
    labels = [f"{tick + 1:.0f}" for tick in ticks]
    largest = max(float(np.abs(shape).max()), 1.0)  # silence has only rounding errors to show
    return _Table(shape, ticks, labels, "coefficient", "value", (-largest, largest))


def _some_frames(values: np.ndarray) -> None:
    if len(values) == 0:
        raise ValueError(
            "The sound is shorter than one window, so there is no frame to show; choose a shorter "
            "window or a longer sound."
        )


class View:
    """A waveform above a picture, with one time axis; :meth:`draw` gives both as an HTML image."""

    def __init__(self) -> None:
        self.holds_sound = False
        self._figure = Figure(figsize=(9, 4.6), dpi=80, layout="none")
        self._canvas = FigureCanvasAgg(self._figure)
        self._wave = self._figure.add_axes((0.08, 0.78, 0.80, 0.19))
        self._axis = self._figure.add_axes((0.08, 0.12, 0.80, 0.58), sharex=self._wave)
        self._bar = self._figure.add_axes((0.895, 0.12, 0.018, 0.58))
        (self._line,) = self._wave.plot([0, 1], [0, 0], color=plots.COLOURS[0], linewidth=0.7)
        self._wave.set_ylabel("amplitude")
        self._wave.tick_params(labelbottom=False)
        options = {"origin": "lower", "aspect": "auto", "cmap": plots.COLOUR_MAP}
        self._image = self._axis.imshow([[0, 1]], interpolation="nearest", **options)
        self._axis.set_xlabel("time (s)")
        self._bar.imshow(np.linspace(0, 1, 64)[:, None], extent=(0, 1, 0, 1), **options)
        self._bar.set(xticks=[])
        self._bar.yaxis.tick_right()
        self._bar.yaxis.set_label_position("right")
        # What a slider changes is left out of the background and drawn onto it, see draw().
        self._changing = [self._image, self._axis.yaxis, self._bar.yaxis]
        for artist in self._changing:
            artist.set_animated(True)

    def hold(self, samples: np.ndarray, sample_rate: int) -> None:
        """Take a new sound."""
        self.holds_sound = True
        self._samples, self._sample_rate = samples, sample_rate
        seconds = len(samples) / sample_rate
        self._line.set_data(np.arange(len(samples)) / sample_rate, samples)
        peak = max(float(np.abs(samples).max(initial=0)), 1e-3)
        self._wave.set(xlim=(0, seconds), ylim=(-1.05 * peak, 1.05 * peak))
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)

    def draw(self, setting: Setting) -> str:
        """An ``<img>`` with the picture as PNG and a sentence as alt text."""
        shown = _table(self._samples, self._sample_rate, setting)
        rows = shown.values.shape[1]
        # What the frames really span: both lengths are rounded down to whole samples.
        window, stride = (
            features.milliseconds_to_samples(span, self._sample_rate) / self._sample_rate
            for span in (setting.window_ms, setting.stride_ms)
        )
        start = (window - stride) / 2
        stop = start + len(shown.values) * stride
        self._image.set_data(shown.values.T)
        self._image.set_extent((start, stop, -0.5, rows - 0.5))
        self._image.set_clim(*shown.limits)
        self._axis.set(xlim=self._wave.get_xlim(), ylim=(-0.5, rows - 0.5), ylabel=shown.axis)
        self._axis.set_yticks(shown.ticks, shown.labels)
        levels = [f"{level:.0f}" for level in np.linspace(*shown.limits, 5)]
        self._bar.set_yticks(np.linspace(0, 1, 5), levels)
        self._bar.set_ylabel(shown.unit)
        self._canvas.restore_region(self._background)
        for artist in self._changing:
            self._figure.draw_artist(artist)
        return plots.html_image(self._canvas, self.describe(setting, shown), "max-width:100%")

    def describe(self, setting: Setting, shown: _Table) -> str:
        """Alt text: what is shown, its size, its range."""
        return (
            f"{setting.kind} of {len(self._samples) / self._sample_rate:.2f} s of sound, "
            f"window {setting.window_ms:g} ms, stride {setting.stride_ms:g} ms: "
            f"{shown.values.shape[0]} frames by {shown.values.shape[1]} rows, {shown.unit} "
            f"from {shown.values.min():.1f} to {shown.values.max():.1f}."
        )
