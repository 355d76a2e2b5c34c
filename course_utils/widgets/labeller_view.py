"""What the labeller shows of a recording, computed in pieces, so that its length hardly matters."""

from io import BytesIO

import matplotlib
import numpy as np
from PIL import Image

from course_utils import features, plots

COLUMNS_PER_S = 100
"""Columns of a picture for each second of sound: one in 10 ms, what an arrow key moves a mark."""

_BANDS, _WAVE_ROWS = 64, 32
_WINDOW_MS = 25
_HIGH_HZ = 8000  # or half the rate: what tells words apart lies below
_FLOOR_DB = -70  # below the loudest point of the recording's loudest piece
_QUIETEST_PEAK = 1e-3  # silence is drawn as silence, and not its rounding errors as a storm
_WAVE_COLOUR = (86, 140, 200)  # seen on white and on black
_CLEAR, _WAVE, _FIRST = 0, 1, 2  # places in the palette; the colour map takes the rest


def overview(samples: np.ndarray, columns: int) -> tuple[np.ndarray, int]:
    """The outline of a whole recording, and where it is loudest.

    Parameters
    ----------
    samples : np.ndarray of float32, shape (samples,)
    columns : int

    Returns
    -------
    (np.ndarray of int8, shape (at most ``columns``, 2), int)
        Lowest and highest value of every stretch (see :func:`_shown`), where 127 stands for the
        recording's peak; and where the loudest stretch begins. No copy of the recording is made.
    """
    edges = np.unique(np.linspace(0, len(samples), columns, endpoint=False).astype(np.int64))
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    loudest = np.maximum(-low, high)
    peak = max(float(loudest.max()), _QUIETEST_PEAK)
    outline = _shown(np.stack([low, high], axis=1), peak)
    return np.rint(127 * outline).astype(np.int8), int(edges[loudest.argmax()])


def _shown(values: np.ndarray, peak: float) -> np.ndarray:
    """How far from the middle values are drawn, from -1 to 1.

    The root of their share of the peak: soft words are seen beside a door that slams.
    """
    return np.sign(values) * np.sqrt(np.minimum(np.abs(values) / peak, 1))


class Pieces:
    """A recording in pieces of the same length, each with its sound and its picture.

    Parameters
    ----------
    samples : np.ndarray of float32, shape (samples,)
        Kept, not copied.
    sample_rate : int
        In Hz.
    seconds : int
        Length of a piece; the last one may be shorter.
    loudest : int
        A sample within the loudest piece, which decides how bright the pictures are.
    """

    def __init__(self, samples: np.ndarray, sample_rate: int, seconds: int, loudest: int) -> None:
        self._samples, self._rate = samples, sample_rate
        self._length = seconds * sample_rate
        self._bank_settings = (sample_rate, _BANDS, 0, min(_HIGH_HZ, sample_rate / 2))
        piece = self._part(loudest // self._length)
        self._peak = max(float(np.abs(piece).max()), _QUIETEST_PEAK)
        self._top = float(self._decibels(loudest // self._length).max())

    def __len__(self) -> int:
        return -(-len(self._samples) // self._length)

    def sound(self, number: int) -> bytes:
        """16-bit little-endian samples, rounded as ``audio.save`` does it."""
        steps = np.rint(self._part(number).astype(np.float64) * 32768)
        return steps.clip(-32768, 32767).astype("<i2").tobytes()

    def picture(self, number: int) -> bytes:
        """A PNG: mel spectrogram above waveform, :data:`COLUMNS_PER_S`, clear background."""
        share = 1 - (self._decibels(number) - self._top) / _FLOOR_DB
        colours = _FIRST + np.rint(share.clip(0, 1) * (255 - _FIRST)).astype(np.uint8)
        wave = np.where(self._wave(number), np.uint8(_WAVE), np.uint8(_CLEAR))
        picture = Image.fromarray(np.concatenate([colours.T[::-1], wave]), "P")
        picture.putpalette(_palette())
        memory = BytesIO()
        picture.save(memory, "PNG", transparency=_CLEAR)
        return memory.getvalue()

    def _part(self, number: int) -> np.ndarray:
        return self._samples[number * self._length : (number + 1) * self._length]

    def _edges(self, number: int) -> np.ndarray:
        """Where the columns of a piece begin, in samples of the recording, and the last one ends.

        Rounded one by one: a hop in whole samples would drift where the rate is no multiple of 100.
        """
        begin, length = number * self._length, len(self._part(number))
        columns = -(-length * COLUMNS_PER_S // self._rate)
        edges = np.rint(np.arange(columns + 1) * self._rate / COLUMNS_PER_S).astype(np.int64)
        return begin + edges

    def _decibels(self, number: int) -> np.ndarray:
        """Mel bands, each frame in the middle of its column, shape (columns, bands)."""
        edges = self._edges(number)
        window = features.milliseconds_to_samples(_WINDOW_MS, self._rate)
        starts = (edges[:-1] + edges[1:]) // 2 - window // 2
        first, last = int(starts[0]), int(starts[-1]) + window
        there = self._samples[max(first, 0) : last]
        padded = np.zeros(last - first, np.float32)  # beyond both ends there is silence
        padded[max(-first, 0) :][: len(there)] = there
        cut = np.lib.stride_tricks.sliding_window_view(padded, window)[starts - first]
        # Four times as many bins as samples ask for: else the lowest bands would hold none.
        spectrum = np.fft.rfft(cut * features.hann(window), 4 * features.fft_length(window))
        bank = features.mel_filterbank(spectrum.shape[1], *self._bank_settings)
        return 20 * np.log10(np.maximum(np.abs(spectrum) @ bank, features.LOG_FLOOR))

    def _wave(self, number: int) -> np.ndarray:
        """Which points of the waveform's rows are inked, bool, shape (rows, columns)."""
        part, edges = self._part(number), self._edges(number)[:-1] - number * self._length
        low, high = (
            _shown(each.reduceat(part, edges), self._peak) for each in (np.minimum, np.maximum)
        )
        middle = (_WAVE_ROWS - 1) / 2
        rows = np.arange(_WAVE_ROWS)[:, None]
        top, bottom = np.rint(middle * (1 - high)), np.rint(middle * (1 - low))
        return (rows >= top) & (rows <= bottom)


def _palette() -> list[int]:
    colours = matplotlib.colormaps[plots.COLOUR_MAP](np.linspace(0, 1, 256 - _FIRST))[:, :3]
    mapped = np.rint(255 * colours).astype(int).ravel().tolist()
    return [0, 0, 0, *_WAVE_COLOUR, *mapped]
