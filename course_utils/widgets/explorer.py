"""The spectrogram explorer of lesson 01: look at a sound while turning every knob."""

import html
import tempfile
import threading
from pathlib import Path

import ipywidgets as widgets
import numpy as np

from course_utils import audio
from course_utils.audio.errors import name_of
from course_utils.datasets.speech_commands import SpeechCommands
from course_utils.widgets.browser import CONTROLS, STYLE
from course_utils.widgets.view import KINDS, Setting, View

_CLIPS_PER_WORD = 3  # so that the menu stays short enough to read
_LONGEST_S = 30  # a spectrogram of a whole song takes gigabytes


class Explorer(widgets.VBox):
    """Controls, a waveform above a picture, and a player, for one clip at a time.

    Parameters
    ----------
    clips : dict of str to pathlib.Path
        What the menu offers: a name for each sound file.

    Raises
    ------
    ValueError
        If there is no clip to show.
    """

    def __init__(self, clips: dict[str, Path]) -> None:
        if not clips:
            raise ValueError("The explorer got no clips; expected at least one sound file to show.")
        self._view = View()
        # JupyterLab may answer every control in a thread of its own, and a figure can be drawn by
        # one at a time. Drawing sets the range, which draws: the lock lets its own thread in again.
        self._turn = threading.RLock()
        self._sounds: dict[str, Path | tuple[np.ndarray, int]] = dict(clips)
        self._note = ""
        self._build_controls()
        self.picture = widgets.HTML()
        self.player = widgets.HTML()
        self.message = widgets.HTML()
        super().__init__([*self._rows(), self.message, self.picture, self.player])
        self.add_class(CONTROLS)
        self._listen()
        self._take_clip()

    def _build_controls(self) -> None:
        def slider(kind: type, label: str, value: float, low: float, high: float, step: float):
            return kind(
                value=value, min=low, max=high, step=step, description=label,
                style={"description_width": "110px"}, layout={"width": "340px"},
            )  # fmt: skip

        start = Setting()
        self.clip = widgets.Dropdown(options=list(self._sounds), description="clip")
        self.upload = widgets.FileUpload(
            accept=".wav,.flac,.ogg,.mp3",
            multiple=False,
            description="open a file",
            layout={"width": "max-content"},
        )
        self.kind = widgets.ToggleButtons(
            options=KINDS, value=start.kind, style={"button_width": "110px"}
        )
        whole = widgets.IntSlider
        self.window = slider(whole, "window (ms)", start.window_ms, 2, 200, 1)
        self.stride = slider(whole, "stride (ms)", start.stride_ms, 1, 50, 1)
        self.mels = slider(whole, "mel bands", start.n_mels, 8, 128, 1)
        self.floor = slider(whole, "floor (dB)", start.floor_db, -120, -10, 5)
        self.hertz = slider(
            widgets.IntRangeSlider, "range (Hz)", (start.low_hz, start.high_hz), 0, 8000, 50
        )

    def _rows(self) -> list[widgets.Widget]:
        return [
            widgets.HBox([self.clip, self.upload, self.kind]),
            widgets.HBox([self.window, self.stride]),
            widgets.HBox([self.mels, self.floor]),
            widgets.HBox([self.hertz]),
        ]

    def _listen(self) -> None:
        self.clip.observe(self._take_clip, "value")
        self.upload.observe(self._take_upload, "value")
        for control in (self.kind, self.window, self.stride, self.mels, self.floor, self.hertz):
            control.observe(lambda change: self.redraw(), "value")

    @property
    def setting(self) -> Setting:
        """Where the controls stand."""
        return Setting(
            kind=self.kind.value,
            window_ms=self.window.value,
            stride_ms=self.stride.value,
            n_mels=self.mels.value,
            low_hz=self.hertz.value[0],
            high_hz=self.hertz.value[1],
            floor_db=self.floor.value,
        )

    def redraw(self) -> None:
        """Draw the clip at the present setting; a setting that cannot be drawn is explained."""
        self.mels.disabled = self.kind.value == "spectrogram"
        self.floor.disabled = self.kind.value == "MFCC"
        if not self._view.holds_sound:
            return  # the first clip could not be read, and the message says why
        with self._turn:
            try:
                self.picture.value = self._view.draw(self.setting)
                self._say(self._note)
            except ValueError as error:
                self._say(str(error))

    def _take_clip(self, change: object = None) -> None:
        name = self.clip.value
        sound = self._sounds[name]
        try:
            samples, sample_rate = audio.load(sound) if isinstance(sound, Path) else sound
        except audio.AudioError as error:
            self._say(str(error))
            return
        longest = _LONGEST_S * sample_rate
        seconds = len(samples) / sample_rate
        cut = f"{name} lasts {seconds:.1f} s; these are the first {_LONGEST_S} s of it."
        with self._turn:
            self._note = cut if len(samples) > longest else ""
            self._show(samples[:longest], sample_rate, name)

    def _take_upload(self, change: object = None) -> None:
        if not self.upload.value:
            return
        chosen = self.upload.value[0]
        self.upload.value = ()  # so that the same file can be opened again
        name = chosen["name"]
        # audio.load is the one door for sound, and it reads files.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "upload"
            path.write_bytes(chosen["content"])
            try:
                self._sounds[name] = audio.load(path)
            except audio.AudioError as error:
                self._say(str(error).replace(str(name_of(path)), name))
                return
        self.clip.unobserve(self._take_clip, "value")
        self.clip.options = list(self._sounds)
        self.clip.value = name
        self.clip.observe(self._take_clip, "value")
        self._take_clip()

    def _show(self, samples: np.ndarray, sample_rate: int, name: str) -> None:
        self._view.hold(samples, sample_rate)
        self.player.value = STYLE + audio.play(samples, sample_rate, name)._repr_html_()
        top = sample_rate // 2
        low, high = self.hertz.value
        whole = high == self.hertz.max
        with self.hertz.hold_trait_notifications():
            self.hertz.max = top
            self.hertz.value = (min(low, top - 1), top if whole else min(high, top))
        self.redraw()

    def _say(self, sentence: str) -> None:
        alert = f'<span role="alert">{html.escape(sentence)}</span>'
        self.message.value = alert if sentence else ""


def show(words: SpeechCommands, first: str = "happy") -> Explorer:
    """An explorer over a Speech Commands data set: a few clips of every word.

    The menu begins with the word ``first``, if the set has it.
    """
    clips = {
        f"{word} {number + 1}": path
        for word in sorted(words.words, key=lambda word: word != first)
        for number, path in enumerate(words.clips(word)[:_CLIPS_PER_WORD])
    }
    return Explorer(clips)
