"""Speech recognisers that are quick to build and to run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from course_utils.features.text import Alphabet
from course_utils.models.deepspeech import SOURCE, FrontEnd, Net, Recogniser, Size

RATE = 8000
LETTERS = Alphabet("' abcdefgh")
TINY = Size(n_mels=12, classes=11, strides=(2, 2), channels=3, width=8, units=5, layers=2)
TINY_SOURCE = replace(SOURCE, n_mels=12, classes=11, channels=3, width=8, units=5)


@pytest.fixture(autouse=True)
def one_thread():
    """So little work is done fastest by one thread, above all on a machine that is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def front_end(**options) -> FrontEnd:
    """Log mel of 8 kHz: a frame of 25 ms every 10 ms."""
    settings = {"sample_rate": RATE, "window": 200, "hop": 80, "n_fft": 256, "n_mels": 12}
    return FrontEnd(**settings | {"high_hz": 3900} | options)


def network(size: Size = TINY, seed: int = 0) -> Net:
    """A network whose weights are drawn so wide that it has opinions."""
    torch.manual_seed(seed)
    made = Net(size)
    for values in made.parameters():
        values.data += 0.7 * torch.randn_like(values)
    return made.eval()


def recogniser(seed: int = 0, size: Size = TINY) -> Recogniser:
    return Recogniser(front_end(), network(size, seed), LETTERS)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


def frames(*lengths: int, size: Size = TINY, seed: int = 0, padding: float = 0.0) -> torch.Tensor:
    """A batch of tables of so many frames, shape (batch, longest, n_mels)."""
    torch.manual_seed(seed)
    table = torch.randn(len(lengths), max(lengths), size.n_mels)
    for row, length in zip(table, lengths, strict=True):
        row[length:] = padding
    return table
