"""Utterances whose letters are tones, and a recogniser of a few weights for them."""

from dataclasses import dataclass

import numpy as np
import torch

from course_utils.models.deepspeech import FrontEnd, Net, Recogniser, Size

RATE = 8000
FRONT_END = FrontEnd(sample_rate=RATE, window=200, hop=80, n_fft=256, n_mels=12, high_hz=3900)


@dataclass(frozen=True)
class Spoken:
    """As an Utterance of datasets.librispeech; each letter lasts 80 ms, 120 ms with a pause."""

    utterance_id: str
    text: str
    rate: int = RATE

    @property
    def seconds(self) -> float:
        return 0.12 * len(self.text) + 0.06

    def load(self) -> tuple[np.ndarray, int]:
        samples = np.zeros(round(self.seconds * self.rate), np.float32)
        time = np.arange(round(0.08 * self.rate)) / self.rate
        for place, letter in enumerate(self.text):
            first = round((0.12 * place + 0.05) * self.rate)
            hertz = 400 + 300 * (ord(letter) - ord("a"))
            samples[first : first + len(time)] = 0.5 * np.sin(2 * np.pi * hertz * time)
        noise = np.random.default_rng(len(self.text)).normal(scale=0.01, size=len(samples))
        return (samples + noise).astype(np.float32), self.rate


def part(count: int, seed: int = 0, longest: int = 9) -> list[Spoken]:
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcde"), rng.integers(1, longest + 1))) for _ in range(count)]
    return [Spoken(f"7-1-{number:04d}", word) for number, word in enumerate(words)]


def recogniser(**size) -> Recogniser:
    torch.manual_seed(0)
    small = {"strides": (2,), "channels": 4, "width": 16, "units": 12, "layers": 1, "dropout": 0.0}
    return Recogniser(FRONT_END, Net(Size(FRONT_END.bins, **small | size)))
