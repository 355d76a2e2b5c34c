"""Scores of a long sound: ten minutes at once, and live, hop by hop. `make benchmark`.

The shipped recogniser hears 30 ms more at each step. The bounds leave room for a slower machine.
"""

import itertools
import os
import time

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytest.importorskip("tensorflow")

from course_utils import places
from course_utils.datasets import speech_commands
from course_utils.datasets.speech_commands import examples
from course_utils.features.front_end import FrontEnd
from course_utils.models import speech_commands as models
from course_utils.streaming import recordings
from course_utils.streaming.scoring import Scorer, score, score_window_by_window

RATE, HOP_MS, MINUTES = 16000, 30, 10
TIMES_REAL_TIME, TIMES_WINDOW_BY_WINDOW = 20, 5
LIVE_BOUND_S = 0.01  # of the 30 ms that a hop lasts, as other things want to run as well


@pytest.fixture(scope="module")
def recogniser():
    return models.load(places.shipped() / "results" / "speech_commands")


@pytest.fixture(scope="module")
def samples():
    words = speech_commands.open("speech_commands_mini")
    chosen = speech_commands.select(words)
    testing = examples.prepare(words, chosen, "testing", progress=False)
    return recordings.make(testing, seconds=60 * MINUTES).samples


def seconds_per_window(samples, recogniser):
    """The slow way: each window by itself, from its samples. The better of two runs."""
    found = []
    for _ in range(2):
        begin = time.perf_counter()
        scores = score_window_by_window(recogniser, samples, RATE, HOP_MS)
        found.append((time.perf_counter() - begin) / len(scores.times_ms))
    return min(found)


@pytest.mark.benchmark(group="ten minutes of sound, a window every 30 ms")
def test_ten_minutes(benchmark, recogniser, samples):
    slow = seconds_per_window(samples[: 30 * RATE], recogniser)
    scores = benchmark.pedantic(
        lambda: score(recogniser, samples, RATE, HOP_MS), rounds=3, warmup_rounds=1
    )
    assert len(scores.times_ms) == 1 + (MINUTES * 60_000 - 1000) // HOP_MS
    taken = benchmark.stats.stats.min  # the better run on both sides
    ratios = {
        "times_real_time": MINUTES * 60 / taken,
        "times_window_by_window": slow * len(scores.times_ms) / taken,
    }
    report(benchmark, **ratios)
    assert ratios["times_real_time"] > TIMES_REAL_TIME
    assert ratios["times_window_by_window"] > TIMES_WINDOW_BY_WINDOW


def live(benchmark, scorer, samples):
    """Time pushes of one hop each, from where every one gives a score."""
    hop = round(scorer.hop_ms * RATE / 1000)
    pieces = itertools.cycle(np.split(samples, range(hop, len(samples), hop))[:-1])
    for _ in range(2 * RATE // hop):
        scorer.push(next(pieces))
    times, values = benchmark.pedantic(
        scorer.push, setup=lambda: ((next(pieces),), {}), rounds=1000
    )
    assert values.shape == (1, len(scorer.labels)) and len(times) == 1
    taken = benchmark.stats.stats
    report(benchmark, median_ms=1000 * taken.median, longest_ms=1000 * taken.max)
    return taken.median


@pytest.mark.benchmark(group="one live hop of 30 ms")
def test_a_live_hop(benchmark, recogniser, samples):
    assert live(benchmark, Scorer(recogniser, HOP_MS), samples) < LIVE_BOUND_S


@pytest.mark.benchmark(group="one live frame of 10 ms through SVDF")
@pytest.mark.parametrize("with_memory", [True, False], ids=["with memory", "whole windows"])
def test_a_live_frame_through_svdf(benchmark, samples, with_memory):
    """A fourteenth of the multiplications, in about the same time: calls cost more here."""
    front_end = FrontEnd("log_mel", floor=1e-3)
    network = models.build("low_latency_svdf", front_end.output_size, 12)
    recogniser = models.Recogniser(front_end, network, [f"word {i}" for i in range(12)])
    scorer = Scorer(recogniser, 10, with_memory=with_memory)
    assert live(benchmark, scorer, samples) < LIVE_BOUND_S


def report(benchmark, **numbers):
    """Keep numbers with the measurement, and show them to whoever runs pytest with -s."""
    rounded = {name: round(number, 3) for name, number in numbers.items()}
    benchmark.extra_info.update(rounded)
    print(rounded)
