"""Ten hours of sound: flat memory, nothing lost, everything found, nothing twice."""

import gc

import numpy as np
import psutil
import pytest
from small_streams import Bursts, noise

from course_utils import live
from course_utils.models.trigger_word.decisions import Trigger

RATE, CHUNK = 16000, 8000
HOUR = 7200  # chunks


def chunks_with_words(places, room, word):
    """Half-second chunks of ten hours; words, 0.3 s of noise, at ``places``, in samples, rising."""
    waiting = list(reversed(places))
    for number in range(10 * HOUR):
        start = number * CHUNK
        offset = 4099 * number % (len(room) - CHUNK)
        chunk = room[offset : offset + CHUNK]
        while waiting and waiting[-1] < start + CHUNK:
            begin = waiting[-1] - start
            chunk = chunk.copy()
            low, high = max(begin, 0), min(begin + len(word), CHUNK)
            chunk[low:high] += word[low - begin : high - begin]
            if begin + len(word) > CHUNK:
                break
            waiting.pop()
        yield chunk


@pytest.mark.slow
def test_ten_hours():
    rng = np.random.default_rng(6)
    # One in every minute, on any sample, over the borders of chunks, too.
    places = (np.arange(600) * 60 * RATE + rng.integers(2 * RATE, 58 * RATE, 600)).tolist()
    room = noise(20, 0.002, RATE)
    word = 0.5 * np.sign(noise(0.3, 1, RATE, seed=1))
    told, memory, levels = [], [], []
    loop = live.Loop(Bursts(RATE), Trigger(), on_detection=told.append)

    def watched():
        for number, chunk in enumerate(chunks_with_words(places, room, word)):
            if number % HOUR == HOUR - 1:
                gc.collect()
                memory.append(psutil.Process().memory_info().rss / 2**20)
                levels.append(loop.floor_db)
            yield chunk

    live.listen(watched(), loop)
    counts = loop.counts
    assert (counts.received, counts.heard, counts.dropped, counts.waiting) == (72_000, 72_000, 0, 0)
    assert counts.received_s == counts.heard_s == loop.time_s == 36_000 and not counts.bad
    assert told == loop.detections and len(told) == 600
    ends_s = np.array(places) / RATE + 0.3
    behind = np.array([each.time_s for each in told]) - ends_s
    assert behind.min() > -0.005 and behind.max() <= 0.0201  # a step that ends after the word's
    assert max(each.told_s - each.time_s for each in told) <= 0.5
    assert max(memory[1:]) - memory[0] < 3  # MiB
    assert np.ptp(levels) < 1
