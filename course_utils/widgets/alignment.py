"""An aligned utterance of lesson 06: click a word, and hear it.

Picture and sound go to the browser with the widget, and there it asks nothing of a kernel: a stored
notebook plays its words, too.
"""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import anywidget
import numpy as np
import traitlets
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course_utils import audio, features, plots
from course_utils.decoding.alignment import Span
from course_utils.plots.alignment import UNSURE, alignment, check_spans, percent

LONGEST_S = 60
"""Longest sound that is taken, in seconds: the notebook stores all of it."""

_STATIC = Path(__file__).parent / "static"
_WINDOW_MS, _STRIDE_MS, _BANDS = 25, 10, 40
_HIGH_HZ = 8000  # or half the rate: what tells words apart lies below
_FLOOR_DB = -70  # below the loudest point
_SIZE = (9, 3)
_AXES = (0.08, 0.16, 0.9, 0.74)  # left, bottom, width, height; the colour bar takes part of it
_RATES = (8000, 96000)  # Hz; of a sound card, for every browser
_PAGE = """<div class="course-alignment" data-lm-suppress-shortcuts="true">
<div class="picture"><img alt="{alt}" src="data:image/png;base64,{png}">
<div class="axes" style="{place}"><div class="near"></div><div class="chosen"></div>
<div class="head"></div></div></div>
<div class="words" role="group" aria-label="words to hear">{buttons}</div>
<p role="status"></p></div>"""
_BUTTON = (
    '<button type="button" aria-pressed="false" {more} data-begin="{begin:.6f}"'
    ' data-end="{end:.6f}" data-said="{said}">{name}</button>'
)


class Alignment(anywidget.AnyWidget):
    """A spectrogram with words that are heard when they are clicked, and a button for each word.

    Parameters
    ----------
    samples : np.ndarray of float32, shape (samples,)
        One utterance.
    sample_rate : int
        In Hz.
    words : sequence of Span
        Of :func:`course_utils.decoding.alignment.words`.
    seconds_per_step : float
        Of the recogniser.
    characters : sequence of Span, optional
        Of :func:`course_utils.decoding.alignment.align`; they are drawn below the words.
    title : str
    margin_s : float
        What is heard before and after a word's own span, in seconds.

    Raises
    ------
    ValueError
        If the sound is none (AudioError), longer than a minute or shorter than a window; there are
        no words; a span has no steps or no score, or lies beyond the sound; or the margin is below
        zero.
    """

    _esm = _STATIC / "alignment.js"
    _css = _STATIC / "alignment.css"
    _page = traitlets.Unicode().tag(sync=True)
    _sound = traitlets.Dict().tag(sync=True)
    _flac = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        samples: np.ndarray,
        sample_rate: int,
        words: Sequence[Span],
        *,
        seconds_per_step: float,
        characters: Sequence[Span] | None = None,
        title: str = "",
        margin_s: float = 0.03,
    ) -> None:
        samples, rate = audio.check(samples, sample_rate, "The utterance")
        self._words, self._seconds = list(words), len(samples) / rate
        self._characters, self._step_s, self._margin_s = (
            characters or (),
            seconds_per_step,
            margin_s,
        )
        self._check()
        place = self._draw(samples, rate, title)
        page = _PAGE.format(
            alt=html.escape(self._alt), png=self._png, place=place, buttons=self._buttons()
        )
        # What is played is decoded at the sound's own rate, so that not a sample is changed.
        sound = {"rate": min(max(rate, _RATES[0]), _RATES[1]), "seconds": self._seconds}
        flac = audio.play(samples, rate).flac
        super().__init__(_page=page, _sound=sound, _flac=flac)

    def __repr__(self) -> str:
        return f"alignment: {' '.join(word.text for word in self._words)}, {self._seconds:.2f} s"

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        """With the figure, for whatever shows no widgets."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "image/png": self._png}, {**metadata, "image/png": {"alt": self._alt}}

    def _check(self) -> None:
        if not _WINDOW_MS / 1000 <= self._seconds <= LONGEST_S:
            raise ValueError(
                f"The utterance lasts {self._seconds:.3f} s; expected {_WINDOW_MS / 1000} to"
                f" {LONGEST_S} s; give one utterance, or cut a recording into several."
            )
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not 0 <= self._margin_s <= LONGEST_S:
            raise ValueError(
                f"Found margin_s={self._margin_s}; expected 0 to {LONGEST_S} seconds; 0.03 is"
                " usual."
            )
        check_spans(self._words, self._step_s)
        check_spans([*self._words, *self._characters], self._step_s)
        # The last step of a recogniser may reach beyond the sound.
        for span in (*self._words, *self._characters):
            if (span.stop - 1) * self._step_s > self._seconds:
                raise ValueError(
                    f"Found {span.text!r} up to {span.stop * self._step_s:.2f} s of a sound of"
                    f" {self._seconds:.2f} s; expected it within the sound; see whether"
                    " seconds_per_step is the recogniser's, and the sound what it heard."
                )

    def _draw(self, samples: np.ndarray, rate: int, title: str) -> str:
        """Draw picture and alt text; where the axes are in the picture, as CSS."""
        high_hz = min(_HIGH_HZ, rate / 2)
        log_mel = features.log_mel(samples, rate, _WINDOW_MS, _STRIDE_MS, _BANDS, 20, high_hz)
        decibels = log_mel * (20 / np.log(10))  # of a magnitude, by its natural logarithm
        top = float(decibels.max())
        with rc_context(plots.STYLE):
            # Not pyplot, which keeps figures for one thread; fixed margins, as clicks need places.
            figure = Figure(figsize=_SIZE, dpi=80, layout="none")
            canvas, ax = FigureCanvasAgg(figure), figure.add_axes(_AXES)
            plots.mel_spectrogram(
                ax, decibels, _WINDOW_MS, _STRIDE_MS, title, high_hz=high_hz, unit="power (dB)",
                limits=(top + _FLOOR_DB, top),
            )  # fmt: skip
            ax.set_xlim(0, self._seconds)
            alignment(ax, self._words, self._step_s, self._characters)
            canvas.draw()
            self._alt = plots.alt_text(figure)
            self._png = base64.b64encode(plots.to_png(figure)).decode("ascii")
        box = ax.get_position()
        sides = {"left": box.x0, "width": box.width, "top": 1 - box.y1, "height": box.height}
        return ";".join(f"{side}:{100 * share:.3f}%" for side, share in sides.items())

    def _buttons(self) -> str:
        whole = f"all of it, {self._seconds:.2f} s"
        first = {"more": 'class="all"', "begin": 0, "end": self._seconds}
        return _BUTTON.format(**first, said=whole, name="play all") + "".join(
            _BUTTON.format(
                begin=max(word.first * self._step_s - self._margin_s, 0),
                end=min(word.stop * self._step_s + self._margin_s, self._seconds),
                said=html.escape(self._said(word)),
                more='class="unsure" title="less probable than not"' * (word.score < UNSURE),
                name=f"{html.escape(word.text)}{'?' * (word.score < UNSURE)}"
                f" <small>{html.escape(percent(word.score))}</small>",
            )
            for word in self._words
        )

    def _said(self, word: Span) -> str:
        """A word in words, with its characters' probabilities if these are known."""
        inside = [each for each in self._characters if word.first <= each.first < word.stop]
        spelled = ", ".join(f"{each.text} {percent(each.score)}" for each in inside)
        begin, end = word.first * self._step_s, min(word.stop * self._step_s, self._seconds)
        return (
            f"{word.text}, {begin:.2f} to {end:.2f} s, mean probability {percent(word.score)}"
            f"{f' ({spelled})' if spelled else ''}"
        )
