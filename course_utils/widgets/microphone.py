"""The microphone in a notebook: listen for a word, and record one's own.

An AudioWorklet in the browser sends 16-bit chunks to the kernel. The kernel may be on another
machine, which has no microphone; where it is on this one, ``live.Microphone`` works as well.
"""

import os

import numpy as np

from course_utils import audio, live, places
from course_utils.audio.errors import checked_rate
from course_utils.datasets.trigger_word import FOLDERS
from course_utils.live.sources import chunk_length
from course_utils.models.trigger_word.decisions import Trigger
from course_utils.widgets.browser import MicrophoneWidget, script
from course_utils.widgets.hearing import Hearing
from course_utils.widgets.recordings import Recordings, checked_kind, opened

_CHIME_RATE = 16_000
_TAIL_S = 1.0  # of silence after a file: a word at its very end is told after it
_RECORDER_CHUNK_MS = 20  # how exactly a clip begins and ends where the button was pressed
_SHOWN = 100  # detections in the list


class Listener(MicrophoneWidget):
    """Listens to the browser's microphone for a word, or to a file as if it were one.

    In the browser: level and noise floor, a rolling spectrogram, the probability of the word, the
    detections with their times, a chime. Without a microphone, a sound file can be opened.

    While another cell runs, JupyterLab goes on listening. Colab and VS Code hand over what was said
    meanwhile when it has ended: the newest is heard, the rest is dropped and counted; after ten
    seconds without an answer the microphone is given back.

    Parameters
    ----------
    detector
        Has ``sample_rate`` and ``stream()``, which gives a ``live.Stream``.
    threshold : float
        From 0 to 1; a probability has to be above it.
    refractory_s : float
        Shortest time between two detections, in seconds.
    margin_db : float or None
        How far above the noise floor a detection has to be, see ``live.Loop``.
    chunk_ms : float
        Length of a chunk, in milliseconds.

    Raises
    ------
    ValueError
        If the detector is none, or a number is out of range.
    """

    _esm = script("microphone.js", "picture.js", "listener.js")

    def __init__(
        self,
        detector: object,
        threshold: float = 0.5,
        refractory_s: float = 1.0,
        *,
        margin_db: float | None = 6.0,
        chunk_ms: float = 100,
    ) -> None:
        if not (hasattr(detector, "sample_rate") and callable(getattr(detector, "stream", None))):
            raise ValueError(
                f"The detector is a {type(detector).__name__}; expected an object with sample_rate"
                " and stream(); give what models.trigger_word.load returns."
            )
        self._detector, self._trigger = detector, (threshold, refractory_s)
        self._margin_db, self._chunk_ms = margin_db, chunk_ms
        self._hearing: Hearing | None = None
        self._loop(detector.sample_rate)  # refuses what is out of range before anything is shown
        chunk_length(chunk_ms, detector.sample_rate)
        super().__init__(
            sample_rate=detector.sample_rate, chunk_ms=chunk_ms, threshold=threshold,
            chime_rate=_CHIME_RATE, shown=_SHOWN,
        )  # fmt: skip

    def __repr__(self) -> str:
        return "Listener: run this cell in Jupyter, and the microphone listens for a word here."

    @property
    def loop(self) -> live.Loop | None:
        """The loop of the last stream: its counts, its time, its levels; None before the first."""
        return self._hearing and self._hearing.loop

    @property
    def lost(self) -> int:
        """Chunks of the last stream that got lost between browser and kernel."""
        return self._hearing.lost if self._hearing else 0

    @property
    def running(self) -> bool:
        """Whether it hears."""
        return self._hearing is not None and self._hearing.running

    @property
    def detections(self) -> list[live.Heard]:
        """All of the last stream, told or not."""
        return self.loop.detections if self._hearing else []

    def stop(self) -> None:
        """Stop listening; the browser gives the microphone back."""
        self._end()
        self.send({"type": "stop", "text": "Stopped by the kernel."})

    def close(self) -> None:
        """Stop, and take the widget away."""
        if getattr(self, "_hearing", None):
            self.stop()
        super().close()

    def _loop(self, sample_rate: int) -> live.Loop:
        return live.Loop(
            self._detector.stream(), Trigger(*self._trigger),
            sample_rate=sample_rate, margin_db=self._margin_db,
        )  # fmt: skip

    def _begin(self, key: str, sample_rate: int, seconds: float = 0) -> Hearing:
        self._end()
        # The same widget may be shown twice; the view that did not start this one stops.
        self.send({"type": "stop", "but": key, "text": "Stopped: it is heard elsewhere."})
        self._hearing = Hearing(key, self._loop(sample_rate), self.send, seconds)
        return self._hearing

    def _end(self, key: str | None = None) -> None:
        if self._hearing and key in (None, self._hearing.key):
            self._hearing.stop()

    def _on_hello(self, message: dict, buffers: list) -> None:
        chime = np.rint(live.chime(_CHIME_RATE) * 32767).astype("<i2")
        self.send({"type": "here"}, [chime.tobytes()])

    def _on_start(self, message: dict, buffers: list) -> None:
        self._begin(message["key"], message["rate"]).start()

    def _on_chunk(self, message: dict, buffers: list) -> None:
        if self._hearing and message["key"] == self._hearing.key:
            self._hearing.put(message["number"], np.frombuffer(buffers[0], "<i2"))

    def _on_stop(self, message: dict, buffers: list) -> None:
        self._end(message["key"])

    def _on_upload(self, message: dict, buffers: list) -> None:
        content = self._whole(message, buffers)
        if content is None:
            return
        name, rate = message["name"], self._detector.sample_rate
        samples, _ = opened(name, content, rate)
        heard = np.concatenate([samples, np.zeros(round(_TAIL_S * rate), np.float32)])
        seconds = len(heard) / rate
        hearing = self._begin(message["id"], rate, seconds)
        self.send({"type": "file", "key": hearing.key, "name": name, "seconds": seconds})

        def tell() -> None:
            found = sum(each.told for each in hearing.loop.detections)
            text = f"{name}: {len(samples) / rate:.1f} s, {found} detection{'s'[: found != 1]}."
            self.send({"type": "finished", "key": hearing.key, "text": text})

        hearing.hear(live.ArraySource(heard, rate, self._chunk_ms), tell)


class Recorder(MicrophoneWidget):
    """Records clips of any length straight into a data folder.

    What ``datasets.trigger_word.from_folder`` reads: ``activates`` (the word), ``negatives`` (other
    words) and ``backgrounds`` (the room). Press the button to begin and again to end, or hold it.
    Sound files can be added, too; every clip can be played, and the last one deleted.

    Parameters
    ----------
    folder : path-like
        Made with the first clip.
    kind : {"activates", "negatives", "backgrounds"}
        What is recorded first; the widget has a menu.
    sample_rate : int
        Of the files, in Hz; 44100 is that of the source's own recordings.

    Raises
    ------
    ValueError
        If there is no such kind, or the rate is absurd.
    """

    _esm = script("microphone.js", "picture.js", "recorder.js")

    def __init__(
        self,
        folder: str | os.PathLike[str],
        kind: str = "activates",
        *,
        sample_rate: int = 44_100,
    ) -> None:
        self.recordings, self._rate = Recordings(folder), checked_rate(sample_rate, "The recorder")
        super().__init__(
            kinds=list(FOLDERS), kind=checked_kind(kind), sample_rate=self._rate,
            chunk_ms=_RECORDER_CHUNK_MS,
        )  # fmt: skip

    def __repr__(self) -> str:
        return "Recorder: run this cell in Jupyter to record clips of your own here."

    def _tell(self, type_: str, **said: object) -> None:
        counts = ", ".join(f"{kind}: {n}" for kind, n in self.recordings.counts.items())
        where = places.shown(self.recordings.folder)
        self.send({"type": type_, "counts": f"{where}: {counts}", **said})

    def _keep(self, message: dict, samples: np.ndarray, sample_rate: int) -> None:
        samples = audio.resample(samples, sample_rate, self._rate)
        called = message.get("name", "The clip")
        saved = self.recordings.add(message["kind"], samples, self._rate, called)
        name = f"{saved.path.parent.name}/{saved.path.name}"
        peak = f"{saved.peak_db:.1f}".replace("-", "−")
        text = f"{name}: {saved.seconds:.2f} s, peak {peak} dBFS"
        warning = f"{name}: {saved.warning}" if saved.warning else ""
        self._tell("saved", id=message["id"], text=text, warning=warning)

    def _on_hello(self, message: dict, buffers: list) -> None:
        self._tell("here")

    def _on_clip(self, message: dict, buffers: list) -> None:
        content = self._whole(message, buffers)
        if content is not None:
            samples = np.frombuffer(content, "<i2") / np.float32(32768)
            self._keep(message, samples, message["rate"])

    def _on_upload(self, message: dict, buffers: list) -> None:
        content = self._whole(message, buffers)
        if content is not None:
            self._keep(message, *opened(message["name"], content))

    def _on_undo(self, message: dict, buffers: list) -> None:
        path = self.recordings.undo()
        self._tell("deleted", text=f"{path.parent.name}/{path.name} was deleted.")
