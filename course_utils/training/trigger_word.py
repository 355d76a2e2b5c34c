"""Scenes as batches for the trigger-word detector: kept in memory, or made while it trains."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch

from course_utils.datasets.trigger_word import Scene, Scenes, label_steps
from course_utils.progress import bar


class _Answers(Protocol):
    """What is needed of a detector: how sounds become frames, and frames steps."""

    front_end: object

    def steps_in(self, samples: int) -> int: ...


class Batches:
    """Frames and labels of scenes drawn at random, the same for the same step.

    Parameters
    ----------
    scenes : Scenes
        At the rate of the detector's front end.
    detector : Detector
        Its front end makes the frames; its network says how many steps they give.
    batch_size : int
    stored : int
        So many scenes are made now and kept: about 160 KB for 10 s at 16 kHz. With 0 none is: each
        batch is made from new scenes when it is asked for, which needs no memory, and no scene is
        ever seen twice. ``Loop.run`` makes it in the background, while the network trains.
    width : int
        Steps with the label 1 after each trigger word.
    seed : int

    Raises
    ------
    ValueError
        If the scenes have another rate than the front end, or a number is out of range.
    """

    def __init__(
        self,
        scenes: Scenes,
        detector: _Answers,
        batch_size: int = 32,
        *,
        stored: int = 0,
        width: int = 8,
        seed: int = 0,
    ) -> None:
        check_rate(scenes, detector)
        for name, value, least in (("batch_size", batch_size, 1), ("stored", stored, 0),
                                   ("width", width, 1)):  # fmt: skip
            if not isinstance(value, int) or value < least:
                raise ValueError(
                    f"{name} is {value!r}; expected a whole number from {least} up; change it."
                )
        self._scenes, self._detector, self._width = scenes, detector, width
        self._size, self._seed = batch_size, seed
        self._kept = self._made(range(stored), shown=True) if stored else None

    @property
    def megabytes(self) -> float:
        """What the scenes that are kept take up."""
        return sum(part.nbytes for part in self._kept) / 1e6 if self._kept else 0.0

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch of a step: frames (batch, frames, bins) and labels (batch, steps), float32."""
        if self._kept is None:
            first = step * self._size
            made = self._made(range(first, first + self._size))
        else:
            rng = np.random.default_rng([self._seed, step])
            rows = rng.integers(len(self._kept[0]), size=self._size)
            made = tuple(part[rows] for part in self._kept)
        return torch.from_numpy(made[0]), torch.from_numpy(made[1])

    def _made(self, numbers: range, shown: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Frames and labels of some scenes."""
        tables: tuple[np.ndarray, ...] = ()
        with bar(len(numbers), "making scenes", " scenes", shown) as running:
            for row, number in enumerate(numbers):
                example = self._example(self._scenes[number])
                # The first one says how large the tables are; a list of all would need twice that.
                tables = tables or tuple(
                    np.empty((len(numbers), *part.shape), np.float32) for part in example
                )
                for table, part in zip(tables, example, strict=True):
                    table[row] = part
                running.update()
        return tables

    def _example(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        frames = self._detector.front_end(scene.samples)
        steps = self._detector.steps_in(len(scene.samples))
        return frames, label_steps(scene.ends_ms, 1000 * scene.seconds, steps, self._width)


def check_rate(scenes: Scenes, detector: _Answers) -> None:
    """Refuse scenes of another rate than the detector's front end (ValueError)."""
    found, wanted = scenes.sounds.sample_rate, detector.front_end.sample_rate
    if found != wanted:
        raise ValueError(
            f"The scenes have a rate of {found} Hz; expected {wanted} Hz, that of the detector's"
            " front end; read the sounds with this sample_rate."
        )


def statistics(front_end: object, scenes: Scenes, count: int = 100) -> tuple:
    """Mean and standard deviation of each bin over some scenes, each of shape (bins,)."""
    frames = np.concatenate([front_end(scenes[number].samples) for number in range(count)])
    return frames.mean(axis=0), frames.std(axis=0) + 1e-6


def scored(
    detector: object, scenes: Scenes, count: int
) -> Iterator[tuple[np.ndarray, np.ndarray, list[float], float]]:
    """What a detector says to scenes, one after the other, as ``metrics.det_curve`` takes it.

    Yields
    ------
    (times_s, scores, ends_s, seconds)
        Time and probability of each step, when the trigger words end, the length of the scene.
    """
    check_rate(scenes, detector)
    for number in range(count):
        scene = scenes[number]
        yield (*detector.scores(scene.samples, scene.sample_rate), scene.ends_s, scene.seconds)
