"""The explorer of lesson 04: turn the settings, and see what is told of a long recording."""

import bisect
import html
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import ipywidgets as widgets

from course_utils import audio
from course_utils.streaming import PUBLISHED, Recording, Scores, Settings, streaming_accuracy
from course_utils.widgets.browser import CONTROLS, STYLE
from course_utils.widgets.stream_view import Mistake, Outcome, StreamView, in_numbers, mistakes

_STRETCH_S = 20  # how much of the recording the lower picture and the player give
_RULES = (("first in reach", "first"), ("one to one", "one_to_one"))
# Two controls side by side in 630 px, which JupyterLab leaves of a window of 800; else more.
_ROW = {"flex_flow": "row wrap", "align_items": "center"}
_WIDE = {"flex": "1 1 300px", "max_width": "350px"}
_KEPT = " Numbers and picture are still those of the last settings that worked."


class StreamExplorer(widgets.VBox):
    """Sliders, the numbers that follow from them, a picture and a player.

    Parameters and errors: :func:`show`.
    """

    def __init__(
        self, scores: Scores, recording: Recording, settings: Settings, tolerance_ms: float
    ) -> None:
        _check(scores, recording, tolerance_ms)
        self._scores, self._recording, self._start = scores, recording, settings
        stretch_s = min(_STRETCH_S, recording.seconds)
        self._view = StreamView(scores, recording.ground_truth, recording.seconds, stretch_s)
        # JupyterLab may answer every control in a thread of its own, and a figure can be drawn by
        # one at a time. Setting a control from here redraws: the lock lets its own thread in again.
        self._turn = threading.RLock()
        self._waiting = False  # while several controls are set, which are drawn together
        self._outcome: Outcome | None = None
        self._mistakes: list[Mistake] = []
        self._at: Mistake | None = None  # the one that was jumped to
        self._played: float | None = None
        self._build_sliders(settings, tolerance_ms)
        self._build_buttons()
        self._build_stretch()
        self.numbers, self.message, self.picture, self.place, self.player = (
            widgets.HTML() for _ in range(5)
        )
        super().__init__(self._rows())
        self.add_class(CONTROLS)
        self._listen()
        self.redraw()

    def _build_sliders(self, settings: Settings, tolerance_ms: float) -> None:
        def slider(kind: type, label: str, value: float, low: float, high: float, step: float):
            # The settings given may lie outside; a slider would silently change them.
            return kind(
                value=value, min=min(low, value), max=max(high, value), step=step,
                description=label, readout_format=".2f" if step < 1 else "d",
                style={"description_width": "142px"}, layout=_WIDE,
            )  # fmt: skip

        some, whole = widgets.FloatSlider, widgets.IntSlider
        window, threshold = settings.average_window_ms, settings.detection_threshold
        suppression, count = settings.suppression_ms, int(settings.minimum_count)
        self.window = slider(some, "average window (ms)", window, 50, 2000, 10)
        self.threshold = slider(some, "threshold", threshold, 0, 1, 0.01)
        self.suppression = slider(some, "suppression (ms)", suppression, 0, 3000, 50)
        self.count = slider(whole, "minimum count", count, 1, 30, 1)
        self.tolerance = slider(some, "tolerance (ms)", tolerance_ms, 0, 2000, 50)

    def _build_buttons(self) -> None:
        def button(label: str, tip: str, press: object) -> widgets.Button:
            made = widgets.Button(description=label, tooltip=tip, layout={"width": "max-content"})
            made.on_click(press)
            return made

        tip = "set the four sliders to the defaults of TensorFlow's {} tool"
        again = "set the four sliders to what they were at first"
        self.presets = {
            "cpp": button("C++ tool", tip.format("C++"), lambda _: self.use(PUBLISHED["cpp"])),
            "python": button(
                "Python tool", tip.format("Python"), lambda _: self.use(PUBLISHED["python"])
            ),
            "start": button("start again", again, lambda _: self.use(self._start)),
        }
        tip = "move to the {} wrong word, false positive or missed word"
        self.previous = button("previous mistake", tip.format("previous"), lambda _: self._jump(-1))
        self.next = button("next mistake", tip.format("next"), lambda _: self._jump(1))
        self.rule = widgets.ToggleButtons(
            options=_RULES,
            style={"button_width": "110px"},
            tooltips=["a word may be matched twice", "every word is matched once at most"],
        )

    def _build_stretch(self) -> None:
        last = math.ceil(self._recording.seconds - _STRETCH_S)
        # A slider needs some way to go, even where it cannot be moved.
        self.begin = widgets.IntSlider(
            max=max(last, 1), disabled=last < 1, description="from (s)", continuous_update=False,
            style={"description_width": "70px"}, layout={"width": "340px"},
        )  # fmt: skip

    def _rows(self) -> list[widgets.Widget]:
        def row(*children: widgets.Widget) -> widgets.Box:
            return widgets.Box(children, layout=_ROW)

        return [
            row(self.window, self.suppression, self.threshold, self.count, self.tolerance,
                widgets.HBox([widgets.Label("matching"), self.rule])),
            row(*self.presets.values()),
            self.message, self.numbers, self.picture,
            row(self.begin, self.previous, self.next),
            self.place, self.player,
        ]  # fmt: skip

    def _listen(self) -> None:
        sliders = (self.window, self.threshold, self.suppression, self.count, self.tolerance)
        for control in (*sliders, self.rule):
            control.observe(lambda change: self.redraw(), "value")
        self.begin.observe(self._move, "value")

    @property
    def settings(self) -> Settings:
        """Where the four sliders stand."""
        return Settings(
            self.window.value, self.threshold.value, self.suppression.value, self.count.value
        )

    def use(self, settings: Settings) -> None:
        """Move the four sliders at once."""
        with self._together():
            self.window.value = settings.average_window_ms
            self.threshold.value = settings.detection_threshold
            self.suppression.value = settings.suppression_ms
            self.count.value = int(settings.minimum_count)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Draw once after several controls were set."""
        with self._turn:
            self._waiting = True
            try:
                yield
            finally:
                self._waiting = False
            self.redraw()

    def redraw(self) -> None:
        """Decide anew and draw; settings that cannot be used are explained, the picture stays."""
        with self._turn:
            if self._waiting:
                return
            try:
                self._decide()
                alert = ""
            except ValueError as error:
                alert = str(error) + (_KEPT if self._outcome else "")
            said = f'<div role="alert" style="line-height:1.3">{html.escape(alert)}</div>'
            self.message.value = said if alert else ""
            self._show()

    def _decide(self) -> None:
        truth, tolerance = self._recording.ground_truth, self.tolerance.value
        found = self._scores.decide(self.settings)
        accuracy = streaming_accuracy(
            truth, found, tolerance_ms=tolerance, matching=self.rule.value
        )
        self._outcome = Outcome(self.settings, tolerance, found, accuracy)
        self._mistakes = mistakes(truth, self._outcome)

    def _show(self) -> None:
        """Numbers, picture and player of the last settings that worked, and of the stretch."""
        if self._outcome:
            self.numbers.value = in_numbers(self._outcome, self._scores, self._recording)
            pointed = self._at.time_ms if self._at in self._mistakes else None
            self.picture.value = self._view.draw(self._outcome, self.begin.value, pointed)
            self._say_place()
        if self._played != self.begin.value:
            self._played = self.begin.value
            self.player.value = self._play()

    def _play(self) -> str:
        begin, rate = self.begin.value, self._recording.sample_rate
        samples = self._recording.samples[begin * rate : (begin + _STRETCH_S) * rate]
        title = f"the stretch from {begin} to {round(begin + len(samples) / rate, 1):g} s"
        return STYLE + audio.play(samples, rate, title)._repr_html_()

    def _move(self, change: object) -> None:
        with self._turn:
            if not self._waiting:
                self._at = None  # moved by hand: "next" counts from the stretch shown
            self.redraw()

    def _jump(self, step: int) -> None:
        """Move the stretch to the next mistake or, with -1, to the one before."""
        with self._turn:
            here = self._at or (1000 * self.begin.value,)
            if step > 0:
                place = bisect.bisect_right(self._mistakes, here)
            else:
                place = bisect.bisect_left(self._mistakes, here) - 1
            if not 0 <= place < len(self._mistakes):
                self._say_place(f"There is no mistake {'after' if step > 0 else 'before'} this. ")
                return
            self._at = self._mistakes[place]
            middle = round(self._at.time_ms / 1000 - _STRETCH_S / 2)
            with self._together():
                if not self.begin.disabled:
                    self.begin.value = min(max(middle, 0), self.begin.max)

    def _say_place(self, first: str = "") -> None:
        """Which mistake is pointed at, or how many there are."""
        total = len(self._mistakes)
        if self._at in self._mistakes:
            number = self._mistakes.index(self._at) + 1
            text = f"Mistake {number} of {total}: {self._at.words}."
        else:
            text = f"{total} mistake{'' if total == 1 else 's'} in the whole recording."
        self.place.value = f'<div role="status">{html.escape(first + text)}</div>'


def _check(scores: Scores, recording: Recording, tolerance_ms: float) -> None:
    """Refuse scores and a recording that do not belong together."""
    audio.check(recording.samples, recording.sample_rate, "The recording")
    if not math.isfinite(tolerance_ms):
        raise ValueError(
            f"tolerance_ms is {tolerance_ms}; expected a number of milliseconds; 750 is usual."
        )
    truth, seconds = recording.ground_truth, recording.seconds
    if not truth:
        raise ValueError(
            "The recording has no ground truth; expected at least one (label, time in ms) to"
            " compare with what is told; give the words that are spoken in it."
        )
    streaming_accuracy(truth, [], tolerance_ms=tolerance_ms)  # refuses what is no list of words
    for place, (label, time_ms) in enumerate(truth):
        if label not in scores.labels:
            raise ValueError(
                f"Word {place} of the ground truth is {label!r}, at {time_ms / 1000:g} s; expected"
                f" one of the scores' labels, {', '.join(scores.labels)}; give the scores of a"
                " recogniser that knows it, or replace it with the label for unknown words."
            )
    _check_times(scores, max(time for _, time in truth) / 1000, seconds)


def _check_times(scores: Scores, last_word_s: float, seconds: float) -> None:
    """Refuse scores or words that are of another sound than this one."""
    todo = "give scores, sound and words of the same recording."
    if last_word_s >= seconds:
        raise ValueError(
            f"The last word of the ground truth begins at {last_word_s:g} s, and the sound ends at"
            f" {seconds:g} s; expected an earlier word; {todo}"
        )
    hop, window = scores.hop_ms / 1000, scores.window_ms / 1000
    first, end = scores.times_ms[0] / 1000, scores.times_ms[-1] / 1000 + window
    # Where the sound does not end with a window, up to a hop is left over.
    if not (-hop <= first <= hop + window and -hop <= seconds - end <= hop + window):
        raise ValueError(
            f"The windows of the scores reach from {first:g} to {end:g} s, and the recording from 0"
            f" to {seconds:g} s; expected the same, up to a hop of {hop:g} s; {todo}"
        )


def show(
    scores: Scores,
    recording: Recording,
    settings: Settings = PUBLISHED["python"],
    tolerance_ms: float = 750,
) -> StreamExplorer:
    """An explorer of decisions over time.

    Parameters
    ----------
    scores : Scores
        Of the whole recording.
    recording : Recording
    settings : Settings
        Where the sliders begin; those of TensorFlow's Python tool by default.
    tolerance_ms : float
        How far what is told may be from its word, either way, in milliseconds.

    Returns
    -------
    StreamExplorer

    Raises
    ------
    ValueError
        If scores and recording do not belong together, there is no ground truth or one with a label
        that the scores do not have, or the tolerance is no number from 0 up. Settings that cannot
        be used with these scores raise nothing: the widget says what is wrong.
    audio.AudioError
        If the recording's samples are no sound.
    """
    return StreamExplorer(scores, recording, settings, tolerance_ms)
