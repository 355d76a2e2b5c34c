"""Trigger-word detectors that are quick to build and to run."""

import numpy as np
import pytest
import torch

from course_utils.models.trigger_word import Detector, FrontEnd, Size, TriggerNet

TINY = Size(bins=12, filters=8, kernel=5, stride=4, units=6, dropout=0.5)
RATE = 8000


@pytest.fixture(autouse=True)
def one_thread():
    """So little work is done fastest by one thread, above all on a machine that is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def front_end(**options) -> FrontEnd:
    """Log mel of 8 kHz: a frame of 25 ms every 10 ms."""
    settings = {"sample_rate": RATE, "window": 200, "hop": 80, "n_mels": 12, "high_hz": 3900}
    return FrontEnd(**settings | options)


def network(size: Size = TINY, seed: int = 0, **options) -> TriggerNet:
    """A network whose weights and running means are drawn at random, so that it has opinions."""
    torch.manual_seed(seed)
    made = TriggerNet(size, **options)
    for name, values in made.named_buffers():
        if name.endswith("running_mean"):
            values.normal_(0, 0.3)
        if name.endswith("running_var"):
            values.uniform_(0.5, 1.5)
    for values in made.parameters():
        values.data += 0.2 * torch.randn_like(values)
    return made.eval()


def detector(seed: int = 0, **options) -> Detector:
    net = network(seed=seed, mean=np.full(12, -1.0), std=np.full(12, 3.0))
    return Detector(front_end(), net, **options)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


def cut(samples: np.ndarray, places: list[int]) -> list[np.ndarray]:
    """A sound in pieces, some of them perhaps empty."""
    return np.split(samples, sorted(min(place, len(samples)) for place in places))
