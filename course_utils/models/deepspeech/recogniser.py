"""From raw sound to text, one utterance or many; and back from disk."""

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from course_utils import audio, decoding, files, places
from course_utils.features.text import LETTERS, Alphabet
from course_utils.models import torch_files
from course_utils.models.deepspeech.front_end import FrontEnd
from course_utils.models.deepspeech.network import SIZES, Net, Size

_FRAMES = {"small": {"hop": 100, "own_spread": False}, "source": {"hop": 200, "n_fft": 1024}}
MODEL_FILE = "recogniser.pt"
_FORMAT = "speech recogniser 1"


class Recogniser:
    """A network with its front end before it and the alphabet that it writes in.

    Parameters
    ----------
    front_end : FrontEnd
    network : Net
    alphabet : Alphabet

    Attributes
    ----------
    front_end, network, alphabet
        As given.

    Raises
    ------
    ValueError
        If the network expects another number of bins than the front end gives, or tells apart
        another number of classes than the alphabet has.
    """

    def __init__(self, front_end: FrontEnd, network: Net, alphabet: Alphabet = LETTERS) -> None:
        if network.size.n_mels != front_end.bins:
            raise ValueError(
                f"The network expects frames of {network.size.n_mels} bins and the front end gives"
                f" {front_end.bins}; expected the same number; build both for one another."
            )
        if network.size.classes != len(alphabet):
            raise ValueError(
                f"The network tells {network.size.classes} classes apart and the alphabet has"
                f" {len(alphabet)}, its blank among them; expected the same number; build both for"
                " one another."
            )
        self.front_end, self.network, self.alphabet = front_end, network, alphabet

    @property
    def sample_rate(self) -> int:
        """The rate that the front end is made for, in Hz."""
        return self.front_end.sample_rate

    @property
    def seconds_per_step(self) -> float:
        """How far two steps of the answer lie apart."""
        return self.front_end.hop * math.prod(self.network.size.strides) / self.sample_rate

    def log_probs(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """What the network makes of one sound.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1]; one of another rate is resampled.
        sample_rate : int
            In Hz.

        Returns
        -------
        np.ndarray of float32, shape (steps, classes)
            Natural log-probabilities. A sound that is shorter than one frame has no steps.

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``).
        """
        return self._answers([self._heard(samples, sample_rate)])[0]

    def predict(self, samples: np.ndarray, sample_rate: int) -> str:
        """The text of the best path through :meth:`log_probs`, which has the parameters."""
        found = self.log_probs(samples, sample_rate)
        return decoding.greedy(found[None], [len(found)], self.alphabet)[0]

    def transcribe(
        self, sounds: Iterable[tuple[np.ndarray, int]], batch_size: int = 16
    ) -> list[np.ndarray]:
        """:meth:`log_probs` of many sounds, those of like length together, which is faster.

        Parameters
        ----------
        sounds : iterable of (samples, sample_rate)
        batch_size : int
            How many the network is given at once.

        Returns
        -------
        list of np.ndarray
            In the order of ``sounds``; what else is in a batch changes nothing beyond rounding.

        Raises
        ------
        audio.AudioError
            If a sound is unfit; it is named by its place, and nothing has been computed then.
        ValueError
            If the batch size is no whole number from 1 up.
        """
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(
                f"batch_size is {batch_size!r}; expected a whole number from 1 up; 16 is usual."
            )
        sounds = [
            audio.check(samples, rate, f"The sound at place {place}")
            for place, (samples, rate) in enumerate(sounds)
        ]
        order = sorted(range(len(sounds)), key=lambda k: len(sounds[k][0]) / sounds[k][1])
        found: list[np.ndarray] = [None] * len(sounds)
        for first in range(0, len(order), batch_size):
            batch = order[first : first + batch_size]
            answers = self._answers([self._heard(*sounds[k]) for k in batch])
            for k, answer in zip(batch, answers, strict=True):
                found[k] = answer
        return found

    def _heard(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """Frames of a sound of any rate, shape (frames, bins)."""
        return self.front_end(audio.resample(samples, sample_rate, self.sample_rate))

    def _answers(self, tables: list[np.ndarray]) -> list[np.ndarray]:
        """Log-probabilities of a batch of tables of frames; none where there are no frames."""
        found = [np.zeros((0, self.network.size.classes), np.float32)] * len(tables)
        if not (there := [k for k, table in enumerate(tables) if len(table)]):
            return found
        lengths = torch.tensor([len(tables[k]) for k in there])
        padded = pad_sequence([torch.from_numpy(tables[k]) for k in there], batch_first=True)
        device = next(self.network.parameters()).device
        was_training = self.network.training
        self.network.eval()  # dropout belongs to training
        try:
            with torch.inference_mode():
                log_probs, steps = self.network(padded.to(device), lengths.to(device))
                log_probs, steps = log_probs.float().cpu().numpy(), steps.tolist()
        finally:
            self.network.train(was_training)
        for k, rows, count in zip(there, log_probs, steps, strict=True):
            found[k] = rows[:count].copy()  # without holding on to the padding of the others
        return found

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``recogniser.pt`` into a folder, whole or not at all; gives the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "front_end": self.front_end.settings, "size": asdict(self.network.size),
            "alphabet": asdict(self.alphabet),
        }  # fmt: skip
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        content = {"format": _FORMAT, "record": json.dumps(record), "weights": weights}
        with files.whole(folder / MODEL_FILE) as unfinished:
            torch.save(content, unfinished)
        return folder


def new(name: str, alphabet: Alphabet = LETTERS) -> Recogniser:
    """A recogniser that has learned nothing yet; seed PyTorch first.

    Parameters
    ----------
    name : {"mini", "small", "source"}
        One of ``network.SIZES``. The small one has frames every 6.25 ms, so that it can follow
        people who spell fast: a step every 25 ms. The source's comes with the source's frames every
        12.5 ms; the transform is longer than its own, which leaves four filters without a bin.
    alphabet : Alphabet

    Raises
    ------
    ValueError
        If there is no such size.
    """
    if name not in SIZES:
        raise ValueError(f"There is no recogniser {name!r}; choose one of {', '.join(SIZES)}.")
    size = replace(SIZES[name], classes=len(alphabet))
    frames = _FRAMES.get(name, {})
    return Recogniser(FrontEnd(n_mels=size.n_mels, **frames), Net(size), alphabet)


def load(run_folder: str | os.PathLike[str], alphabet: Alphabet | None = None) -> Recogniser:
    """A trained recogniser.

    Parameters
    ----------
    run_folder : path-like
        A folder that :meth:`Recogniser.save` wrote, such as ``runs/06_end_to_end_ctc``.
    alphabet : Alphabet, optional
        The one that it has to write in; the saved one, whatever it is, by default.

    Returns
    -------
    Recogniser

    Raises
    ------
    ValueError
        If there is no recogniser, its file is damaged or of another kind, or it writes in another
        alphabet.
    """
    file = Path(run_folder) / MODEL_FILE
    found = torch_files.load(file, _FORMAT, "recogniser", "06", _built)
    if alphabet not in (None, found.alphabet):
        raise ValueError(
            f"{places.shown(file)} writes in {found.alphabet}; expected {alphabet}, which its"
            " classes would be misread as; load it without an alphabet, or train one with yours."
        )
    return found


def _built(record: dict, weights: dict) -> Recogniser:
    network = Net(Size(**record["size"]))
    network.load_state_dict(weights)
    return Recogniser(
        FrontEnd(**record["front_end"]), network.eval(), Alphabet(**record["alphabet"])
    )
