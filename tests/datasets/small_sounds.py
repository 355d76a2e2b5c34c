"""Small sets of sounds in the layout of Speech Commands, made on the spot."""

import itertools
from pathlib import Path

import numpy as np
import soundfile

from course_utils.datasets.speech_commands import Clips
from course_utils.datasets.speech_commands.examples import ExampleSet


def write(path: Path, steps: np.ndarray, rate: int, subtype: str = "PCM_16", **options) -> Path:
    """A WAV file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, steps, rate, subtype=subtype, **options)
    return path


def steps_of_noise(seed: int, length: int, peak: int = 3000) -> np.ndarray:
    """Reproducible noise, int16."""
    return np.random.default_rng(seed).integers(-peak, peak, length).astype(np.int16)


def write_set(root: Path, words, speakers, rate: int = 8000, noise_seconds: float = 3) -> Path:
    """One clip of noise for each word and speaker, and one recording of background noise."""
    for seed, (word, speaker) in enumerate(itertools.product(words, speakers)):
        write(root / word / f"{speaker}_nohash_0.wav", steps_of_noise(seed, rate), rate)
    background = steps_of_noise(-1 % 2**32, int(noise_seconds * rate))
    write(root / "_background_noise_" / "room.wav", background, rate)
    return root


def touch_set(root: Path, clips: dict[str, list[str]], background: bool = True) -> Path:
    """Empty files: clips by word, each the name of its speaker or a whole file name."""
    for word, names in clips.items():
        (root / word).mkdir(parents=True)
        for name in names:
            (root / word / (name if "." in name else f"{name}_nohash_0.wav")).touch()
    if background:
        (root / "_background_noise_").mkdir()
        (root / "_background_noise_" / "hum.wav").touch()
    return root


def examples_of(steps: np.ndarray, classes=None, noise=(), rate: int = 1000) -> ExampleSet:
    """An example set out of arrays, with the labels silence, unknown and yes."""
    classes = np.full(len(steps), 2) if classes is None else np.asarray(classes)
    labels = ("_silence_", "_unknown_", "yes")
    clips = Clips(steps, rate, 0, 0)
    return ExampleSet(labels, clips, classes.astype(np.int32), ("anna",) * len(steps), tuple(noise))
