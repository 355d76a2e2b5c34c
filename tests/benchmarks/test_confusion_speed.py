"""One click on the confusion matrix: four clips to hear and to see. `make benchmark`.

Measured is what the kernel does: compute, draw, pack as PNG and FLAC.
"""

import itertools

import numpy as np
import pytest

from course_utils.metrics import Predictions
from course_utils.widgets import confusion

BOUND_S = 0.3


@pytest.mark.benchmark(group="a click on the confusion matrix")
def test_a_click_brings_four_clips_in_time(benchmark):
    rng = np.random.default_rng(0)
    clips = rng.uniform(-0.5, 0.5, (48, 16000)).astype(np.float32)
    truth, predicted = np.arange(48) % 12, np.arange(48) % 4
    labels = [f"word {number}" for number in range(12)]
    shown = confusion.show(Predictions(labels, truth, np.eye(12)[predicted]), clips.__getitem__)
    filled = np.argwhere(Predictions(labels, truth, np.eye(12)[predicted]).matrix)
    cells = itertools.cycle(shown.cells[row][column] for row, column in filled)
    benchmark.pedantic(lambda: next(cells).click(), rounds=20, warmup_rounds=2)
    assert shown.clips.value.count("<img") == 4
    assert benchmark.stats.stats.median < BOUND_S
