"""Greedy decoding of a batch beside the source's loop over tensors. `make benchmark`.

Both decode the same 64 x 400 frames of 29 classes within their lengths, and write the same. The
loop asks a tensor for each frame's class and its neighbour's, as the source does.
"""

import statistics
import time

import pytest

torch = pytest.importorskip("torch")

from course_utils import decoding  # noqa: E402
from course_utils.features.text import LETTERS  # noqa: E402

BATCH, FRAMES = 64, 400
TIMES_FASTER, ROUNDS = 20, 7


def loop(log_probs, lengths):
    """One frame after the other: no blank, and nothing that the frame before has said."""
    texts = []
    for path, length in zip(torch.argmax(log_probs, dim=2), lengths.tolist(), strict=True):
        written = []
        for frame, label in enumerate(path[:length]):
            if label == LETTERS.blank or (frame and label == path[frame - 1]):
                continue
            written.append(label.item())
        texts.append(LETTERS.decode(written))
    return texts


def outputs(kind):
    """Log-probabilities and lengths: all classes alike, or a blank in nine frames of ten."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(BATCH, FRAMES, len(LETTERS), generator=generator)
    if kind == "mostly blank":
        spikes = torch.rand(BATCH, FRAMES, generator=generator) < 0.07
        spikes[:, 1:] |= spikes[:, :-1] & (torch.rand(BATCH, FRAMES - 1, generator=generator) < 0.5)
        scores[..., LETTERS.blank] += torch.where(spikes, -10.0, 10.0)
    # A bucketed batch: items are nearly as long as the longest one.
    return scores.log_softmax(2), torch.arange(FRAMES - BATCH, FRAMES) + 1


@pytest.mark.benchmark(group="greedy decoding of 64 x 400 frames")
@pytest.mark.parametrize("kind", ["random", "mostly blank"])
def test_greedy_beside_the_loop(benchmark, kind):
    log_probs, lengths = outputs(kind)
    slow = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        expected = loop(log_probs, lengths)
        slow.append(time.perf_counter() - begin)
    # Many calls to a round: it lasts as long as one of the loop, and is interrupted as often.
    found = benchmark.pedantic(
        decoding.greedy, (log_probs, lengths, LETTERS),
        rounds=ROUNDS, iterations=TIMES_FASTER, warmup_rounds=1,
    )  # fmt: skip
    assert found == expected and all(expected)
    times_faster = statistics.median(slow) / benchmark.stats.stats.median
    report(benchmark, loop_ms=1000 * statistics.median(slow), times_faster=times_faster)
    assert times_faster > TIMES_FASTER


def report(benchmark, **numbers):
    """Keep numbers with the measurement, and show them to whoever runs pytest with -s."""
    rounded = {name: round(number, 2) for name, number in numbers.items()}
    benchmark.extra_info.update(rounded)
    print(rounded)
