"""One slider move of the spectrogram explorer: it has to follow the hand. `make benchmark`.

Measured is what the kernel does: compute, draw, pack as PNG. The bound is 100 ms, at which a
picture still seems to move with the slider.
"""

import itertools

import numpy as np
import pytest

from course_utils import audio
from course_utils.widgets.explorer import Explorer
from course_utils.widgets.view import KINDS

BOUND_S = 0.1


@pytest.mark.benchmark(group="a slider move over one second of sound")
@pytest.mark.parametrize("kind", KINDS)
def test_a_slider_move_redraws_in_time(benchmark, tmp_path, kind):
    clip = np.random.default_rng(0).uniform(-0.5, 0.5, 16000).astype(np.float32)
    audio.save(tmp_path / "clip.wav", clip, 16000)
    shown = Explorer({"clip": tmp_path / "clip.wav"})
    shown.kind.value = kind
    positions = itertools.cycle(range(20, 60))

    def move() -> None:
        shown.window.value = next(positions)

    before = shown.picture.value
    benchmark.pedantic(move, rounds=30, warmup_rounds=3)
    assert shown.picture.value != before and not shown.message.value
    assert benchmark.stats.stats.median < BOUND_S
