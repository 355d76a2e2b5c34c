"""A recogniser that heard 960 hours of speech before: torchaudio's pre-trained wav2vec 2.0.

Source: Baevski, Zhou, Mohamed and Auli, *wav2vec 2.0: A framework for self-supervised learning of
speech representations*, NeurIPS 2020, arXiv:2006.11477; weights by its authors, MIT licence, as
``torchaudio.pipelines`` gives them out. Lesson: 06.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torchaudio

from course_utils import audio, decoding
from course_utils.datasets.download import DownloadError, download
from course_utils.features.text import Alphabet


class _Weights(NamedTuple):
    """A file of weights on PyTorch's server; torch alone would keep one that came in half."""

    name: str
    size: int
    sha256: str


_ADDRESS = "https://download.pytorch.org/torchaudio/models"
_WEIGHTS = {
    "WAV2VEC2_ASR_BASE_960H": _Weights(
        "wav2vec2_fairseq_base_ls960_asr_ls960.pth",
        377_664_473,
        "488fd4f16de84438ffc945334278c1b9fb9b7159a806c1080b16111a958c945d",
    ),
}


class Transcriber:
    """A network from samples to the text that they say.

    Parameters
    ----------
    network : torchaudio.models.Wav2Vec2Model
        Fine-tuned to write characters.
    labels : sequence of str, shape (classes,)
        What its classes write: the blank, then characters, ``|`` between words.
    sample_rate : int
        That it was trained with, in Hz.

    Attributes
    ----------
    labels : tuple of str
        As given.
    alphabet : Alphabet
        The same classes as the course writes them: lower case, a space between words.
    sample_rate : int
        As given.
    """

    def __init__(self, network: torch.nn.Module, labels: tuple[str, ...], sample_rate: int) -> None:
        self._network = network.eval()
        self.labels, self.sample_rate = tuple(labels), int(sample_rate)
        characters = "".join(self.labels[1:]).lower().replace("|", " ")
        self.alphabet = Alphabet(characters, blank=0)
        self._layers = network.feature_extractor.conv_layers

    @property
    def seconds_per_step(self) -> float:
        """How far two steps of the answer lie apart."""
        return math.prod(layer.stride for layer in self._layers) / self.sample_rate

    def steps_in(self, samples: int) -> int:
        """How many steps a sound of so many samples gives."""
        for layer in self._layers:
            samples = max(0, (samples - layer.kernel_size) // layer.stride + 1)
        return samples

    def log_probs(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """What the network makes of a sound.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1]; one of another rate is resampled.
        sample_rate : int
            In Hz.

        Returns
        -------
        np.ndarray of float32, shape (steps, classes)
            Natural log-probabilities. A sound that is too short for one step has none.

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``).
        """
        samples = audio.resample(samples, sample_rate, self.sample_rate)
        if not self.steps_in(len(samples)):
            return np.zeros((0, len(self.labels)), np.float32)
        with torch.inference_mode():
            # A copy, because PyTorch warns of arrays that may not be written.
            logits, _ = self._network(torch.tensor(samples)[None])
            return logits[0].log_softmax(1).numpy()

    def predict(self, samples: np.ndarray, sample_rate: int) -> str:
        """The text of the best path through :meth:`log_probs`, which has the parameters."""
        found = self.log_probs(samples, sample_rate)
        return decoding.greedy(found[None], [len(found)], self.alphabet)[0]


def load(bundle: str = "WAV2VEC2_ASR_BASE_960H") -> Transcriber:
    """The recogniser, whose weights are downloaded the first time, into PyTorch's own cache.

    Parameters
    ----------
    bundle : str
        Its name in ``torchaudio.pipelines``.

    Returns
    -------
    Transcriber

    Raises
    ------
    ValueError
        If the course does not know the bundle's weights.
    DownloadError
        If the weights are not there and cannot be brought in. No part of them is left behind.
    """
    if bundle not in _WEIGHTS:
        raise ValueError(
            f"There is no recogniser {bundle!r} whose weights can be checked; choose one of"
            f" {', '.join(_WEIGHTS)}."
        )
    weights = _WEIGHTS[bundle]
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.name
    try:
        download(f"{_ADDRESS}/{weights.name}", file, weights.sha256, size=weights.size)
    except DownloadError as error:
        raise DownloadError(
            f"wav2vec 2.0 needs its weights once, {weights.size / 1e6:.0f} MB, and they did not"
            f" come: {error}"
        ) from error
    found = getattr(torchaudio.pipelines, bundle)
    network = found.get_model(dl_kwargs={"model_dir": str(file.parent), "weights_only": True})
    return Transcriber(network, found.get_labels(), found.sample_rate)
