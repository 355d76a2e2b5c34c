"""From raw sound to the times of a trigger word, at once or as it comes; and back from disk."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from course_utils import audio, files
from course_utils.models import torch_files
from course_utils.models.trigger_word.decisions import detections
from course_utils.models.trigger_word.front_end import FrameStream, FrontEnd
from course_utils.models.trigger_word.network import Size, TriggerNet

MODEL_FILE = "detector.pt"
_FORMAT = "trigger word detector 1"


class Detector:
    """A network with its front end before it and its decision behind it.

    Parameters
    ----------
    front_end : FrontEnd
    network : TriggerNet
    threshold : float
        Probability above which the trigger word is told, see ``decisions.Trigger``.
    refractory_s : float
        Time after it in which nothing is told, in seconds.
    word : str
        What it listens for.

    Attributes
    ----------
    front_end, network, threshold, refractory_s, word
        As given.

    Raises
    ------
    ValueError
        If the network expects another number of bins than the front end gives.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        network: TriggerNet,
        threshold: float = 0.5,
        refractory_s: float = 0.5,
        word: str = "",
    ) -> None:
        if network.size.bins != front_end.bins:
            raise ValueError(
                f"The network expects frames of {network.size.bins} bins and the front end gives"
                f" {front_end.bins}; expected the same number; build both for one another."
            )
        self.front_end, self.network, self.word = front_end, network, word
        self.threshold, self.refractory_s = threshold, refractory_s

    @property
    def sample_rate(self) -> int:
        """The rate that the front end is made for, in Hz."""
        return self.front_end.sample_rate

    def steps_in(self, samples: int) -> int:
        """How many steps a sound of so many samples gives."""
        return self.network.steps_in(self.front_end.frames_in(samples))

    def step_times(self, steps: int, first: int = 0) -> np.ndarray:
        """When each of some steps can be known: the end of what it hears, in seconds.

        Parameters
        ----------
        steps : int
        first : int
            Number of the first of them.
        """
        size, front_end = self.network.size, self.front_end
        frames = (first + np.arange(steps)) * size.stride + size.kernel - 1
        return (frames * front_end.hop + front_end.window) / front_end.sample_rate

    def scores(self, samples: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of a whole sound.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1]; one of another rate is resampled.
        sample_rate : int
            In Hz.

        Returns
        -------
        (np.ndarray of float64, shape (steps,), np.ndarray of float32, shape (steps,))
            The time of each step in seconds, and the probability that the word has just ended.
            A sound that is too short for one step has none.

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``).
        """
        samples, sample_rate = audio.check(samples, sample_rate)
        samples = audio.resample(samples, sample_rate, self.sample_rate)
        return Stream(self).push(samples)

    def predict(self, samples: np.ndarray, sample_rate: int) -> list[float]:
        """When the trigger word is told in a sound, in seconds; parameters as :meth:`scores`."""
        times, scores = self.scores(samples, sample_rate)
        found = detections(times, scores, self.threshold, self.refractory_s)
        return [each.time_s for each in found]

    def stream(self) -> "Stream":
        """A new stream, which hears a sound piece by piece."""
        return Stream(self)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``detector.pt`` into a folder, whole or not at all; gives the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "front_end": self.front_end.settings, "size": asdict(self.network.size),
            "threshold": self.threshold, "refractory_s": self.refractory_s, "word": self.word,
        }  # fmt: skip
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        content = {"format": _FORMAT, "record": json.dumps(record), "weights": weights}
        with files.whole(folder / MODEL_FILE) as unfinished:
            torch.save(content, unfinished)
        return folder


class Stream:
    """A sound that comes in pieces, and the probabilities that each piece completes.

    What the convolution and the GRUs have to remember is kept, so that nothing is computed twice
    and the sizes of the pieces change nothing.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    """

    def __init__(self, detector: Detector) -> None:
        self.sample_rate = detector.sample_rate
        self._detector = detector
        self._frames = FrameStream(detector.front_end)
        self._rest = np.zeros((0, detector.front_end.bins), np.float32)
        self._state, self._step = None, 0

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hear the next piece.

        Parameters
        ----------
        samples : np.ndarray of float32, shape (samples,)
            In [-1, 1]; any length.

        Returns
        -------
        (np.ndarray of float64, shape (steps,), np.ndarray of float32, shape (steps,))
            As :meth:`Detector.scores`, times from the beginning of the stream.
        """
        network = self._detector.network
        frames = np.concatenate([self._rest, self._frames.push(samples)])
        steps = network.steps_in(len(frames))
        self._rest = frames[steps * network.size.stride :]
        if not steps:
            return np.zeros(0), np.zeros(0, np.float32)
        used = (steps - 1) * network.size.stride + network.size.kernel
        device = network.mean.device
        was_training = network.training
        network.eval()  # dropout and batch statistics belong to training
        try:
            with torch.inference_mode():
                table = torch.from_numpy(frames[:used])[None].to(device)
                logits, self._state = network(table, self._state)
                scores = torch.sigmoid(logits)[0].float().cpu().numpy()
        finally:
            network.train(was_training)
        times = self._detector.step_times(steps, self._step)
        self._step += steps
        return times, scores


def load(run_folder: str | os.PathLike[str]) -> Detector:
    """A trained detector.

    Parameters
    ----------
    run_folder : path-like
        A folder that :meth:`Detector.save` wrote, such as ``runs/05_trigger_word_gru``.

    Returns
    -------
    Detector

    Raises
    ------
    ValueError
        If there is no detector, or its file is damaged or of another kind.
    """
    return torch_files.load(Path(run_folder) / MODEL_FILE, _FORMAT, "detector", "05", _built)


def _built(record: dict, weights: dict) -> Detector:
    network = TriggerNet(Size(**record.pop("size")))
    network.load_state_dict(weights)
    front_end = FrontEnd(**record.pop("front_end"))
    return Detector(front_end, network.eval(), **record)
