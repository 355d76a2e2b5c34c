"""Small sets of tracks with sound, a front end, and windows of random numbers."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from course_utils import audio
from course_utils.datasets.genres import Track, Tracks
from course_utils.datasets.genres.windows import Windows

LABELS = ("Folk", "Pop", "Rock")


@dataclass(frozen=True)
class Pieces:
    """A front end: the sound in pieces of ``length``, as many as are in it."""

    length: int = 50
    sample_rate: int = 8000
    gain: float = 1.0
    seen: list = field(default_factory=list, compare=False)

    @property
    def shape(self) -> tuple[int, int]:
        return (self.length, 1)

    @property
    def settings(self) -> dict:
        return {"kind": "small pieces", "length": self.length, "gain": self.gain}

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        self.seen.append(len(samples))
        if len(samples) < self.length:
            raise audio.AudioError(f"The sound holds {len(samples)} samples; expected more.")
        whole = samples[: len(samples) // self.length * self.length]
        return np.float32(self.gain) * whole.reshape(-1, *self.shape)


def write_tracks(
    folder: Path, count: int = 7, seconds: float = 0.03, ending: str = "wav"
) -> Tracks:
    """Tracks of noise; each is 10 ms longer than the last."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        rng = np.random.default_rng(number)
        path = folder / f"{number:06}.{ending}"
        soundfile.write(
            path, rng.uniform(-0.5, 0.5, round(16000 * (seconds + 0.01 * number))), 16000
        )
        made.append(Track(path.stem, path, LABELS[number % 3], f"artist {number % 4}", "training"))
    return Tracks("small", LABELS, tuple(made))


def random_windows(
    shape: tuple[int, ...] = (6, 1), tracks: int = 12, each: int = 3, labels: int = 4
) -> Windows:
    """Windows of all sorts of finite numbers; their tracks lie mixed."""
    rng = np.random.default_rng(0)
    n = tracks * each
    bits = rng.integers(0, 2**32, (n, *shape), dtype=np.uint32).view(np.float32)
    x = np.where(np.isfinite(bits), bits, np.float32(-0.0))
    numbers = rng.permutation(np.repeat(np.arange(tracks), each))
    return Windows(
        x,
        numbers % labels,
        numbers,
        tuple(f"genre {place}" for place in range(labels)),
        tuple(f"{number:06}" for number in range(tracks)),
        tuple(f"artist {number // 2}" for number in range(tracks)),
    )
