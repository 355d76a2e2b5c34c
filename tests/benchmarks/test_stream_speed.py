"""One move in the explorer of streams: it has to follow the hand. `make benchmark`.

Measured is what the kernel does with ten minutes at a hop of 30 ms: decide, match, draw, pack as
PNG and, for another stretch, FLAC. The bound is 100 ms, at which a picture still seems to move with
the slider.
"""

import itertools

import numpy as np
import pytest

from course_utils.streaming import Recording, Scores, Settings
from course_utils.widgets import stream

BOUND_S = 0.1
WORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
LABELS = ("_silence_", "_unknown_", *WORDS)


@pytest.fixture(scope="module")
def shown():
    """200 words in ten minutes; one in eight is taken for another, and as many are made up."""
    rng = np.random.default_rng(0)
    times = np.arange(20_000) * 30.0
    values = rng.uniform(0, 0.02, (20_000, 12)).astype(np.float32)
    spoken = [(LABELS[rng.integers(1, 12)], 3000 * n + int(rng.integers(2000))) for n in range(199)]
    for label, time_ms in spoken:
        taken = label if rng.random() > 0.125 else LABELS[rng.integers(1, 12)]
        heard = [(taken, time_ms)] + [(taken, time_ms + 1400)] * (rng.random() < 0.125)
        for word, at in heard:
            near = np.abs(times - at) < 300
            values[near, LABELS.index(word)] = rng.uniform(0.5, 0.75)
    values[:, 0] = 1 - values[:, 1:].sum(axis=1)
    samples = rng.uniform(-0.5, 0.5, 16000 * 601).astype(np.float32)
    ends = tuple(time_ms + 700 for _, time_ms in spoken)
    recording = Recording(samples, 16000, tuple(spoken), ends, ("ann",) * len(spoken))
    scores = Scores(LABELS, times, values.clip(0, 1))
    return stream.show(scores, recording, Settings(detection_threshold=0.45))


@pytest.mark.benchmark(group="a move in the explorer of streams")
@pytest.mark.parametrize("rule", ["first", "one_to_one"])
def test_a_slider_move_redraws_in_time(benchmark, shown, rule):
    shown.rule.value, shown.threshold.value = rule, 0.9
    positions = itertools.cycle(np.arange(0.30, 0.50, 0.01).tolist())

    def move() -> None:
        shown.threshold.value = next(positions)

    before = shown.picture.value
    benchmark.pedantic(move, rounds=40, warmup_rounds=3)
    assert shown.picture.value != before and not shown.message.value
    assert benchmark.stats.stats.median < BOUND_S


@pytest.mark.benchmark(group="a move in the explorer of streams")
def test_the_next_mistake_is_shown_in_time(benchmark, shown):
    shown.threshold.value = 0.45
    shown.begin.value = 0
    before = shown.player.value
    benchmark.pedantic(shown.next.click, rounds=20, warmup_rounds=3)
    assert shown.player.value != before and "Mistake 23 of" in shown.place.value
    assert benchmark.stats.stats.median < BOUND_S
