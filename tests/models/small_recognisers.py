"""Sounds and recognisers of beeps: quick to make, and quick to train."""

import keras
import numpy as np

from course_utils.datasets.speech_commands.clips import Clips
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.features.front_end import FrontEnd
from course_utils.models import speech_commands as models
from course_utils.models.speech_commands.recogniser import Recogniser

RATE, LENGTH = 8000, 4000
LABELS = ("_silence_", "_unknown_", "low", "high")
HERTZ = {1: 700.0, 2: 500.0, 3: 1000.0}


def beeps(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy beeps, noise alone for silence, and their classes: samples (count, LENGTH)."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, len(LABELS), count).astype(np.int32)
    hertz = np.array([HERTZ.get(k, 0.0) for k in classes]) * rng.normal(1, 0.09, count)
    time = np.arange(LENGTH) / RATE
    tones = np.sin(2 * np.pi * hertz[:, None] * time) * rng.uniform(0.05, 0.3, (count, 1))
    noise = rng.normal(0, 1, (count, LENGTH)) * rng.uniform(0.001, 0.05, (count, 1))
    return np.clip(tones + noise, -1, 1).astype(np.float32), classes


def example_set(count: int, seed: int) -> ExampleSet:
    """Beeps as the data modules present clips, with two recordings of noise."""
    samples, classes = beeps(count, seed)
    steps = np.rint(samples * 32767 * (classes > 0)[:, None]).astype(np.int16)
    rng = np.random.default_rng([seed, 1])
    noise = tuple(rng.integers(-3000, 3000, 9000).astype(np.int16) for _ in range(2))
    return ExampleSet(LABELS, Clips(steps, RATE, 0, 0), classes, ("",) * count, noise)


def front_end(kind: str = "log_mel", **options: object) -> FrontEnd:
    """A front end for half a second at 8 kHz: 24 frames of 20 bins."""
    settings = {"sample_rate": RATE, "clip_duration_ms": 500, "stride_ms": 20, "bins": 20}
    if kind == "log_mel":
        settings |= {"floor": 1e-3}
    if kind == "micro":  # listens up to 7.5 kHz
        settings |= {"sample_rate": 2 * RATE}
    return FrontEnd(kind, **(settings | options))


def with_weights(network: keras.Model, seed: int = 0) -> keras.Model:
    """Give a network random weights of a size that training might leave."""
    rng = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        inputs = np.prod(variable.shape[:-1]) if len(variable.shape) > 1 else 4
        variable.assign(rng.normal(0, np.sqrt(2 / inputs), variable.shape))
    return network


def untrained(architecture: str, kind: str = "log_mel") -> Recogniser:
    """A recogniser with random weights."""
    front = front_end(kind)
    network = with_weights(models.build(architecture, front.output_size, len(LABELS)))
    return Recogniser(front, network, LABELS)


def trained(architecture: str) -> Recogniser:
    """A recogniser that has learned the beeps, as well as they can be told apart."""
    keras.utils.set_random_seed(1)
    front = front_end()
    samples, classes = beeps(800, seed=1)
    network = models.build(architecture, front.output_size, len(LABELS))
    network.compile(
        keras.optimizers.Adam(0.004),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    network.fit(front(samples), classes, batch_size=40, epochs=4, verbose=0)
    return Recogniser(front, network, LABELS)
