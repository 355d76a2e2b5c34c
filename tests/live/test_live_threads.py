"""The loop in its own thread: it keeps up, catches up, and says what ended it."""

import threading
import time

import numpy as np
import pytest
from small_streams import RATE, Bursts, Nothing, Samples, scene

from course_utils import live
from course_utils.models.trigger_word.decisions import Trigger


class Held(Samples):
    """A stream that works for as long as the test wants it to."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.busy = threading.Event(), threading.Event()
        self.free.set()

    def push(self, samples):
        self.busy.set()
        assert self.free.wait(20)
        return super().push(samples)


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)


def adds_up(counts):
    return counts.received == counts.heard + counts.dropped + counts.waiting and np.isclose(
        counts.received_s, counts.heard_s + counts.dropped_s + counts.waiting_s
    )


def test_what_is_put_is_heard_without_being_asked_for():
    stream = Samples()
    with live.Loop(stream, Nothing()) as loop:
        assert loop.running
        for number in range(5):
            loop.put(np.full(100, number / 10, np.float32))
            until(lambda: loop.counts.waiting == 0)
    assert not loop.running and stream.position == 500 and loop.time_s == 0.5


def test_nobody_waits_for_a_slow_detector_and_it_catches_up_at_once():
    stream = Held()
    with live.Loop(stream, Nothing(), capacity_s=1) as loop:
        stream.free.clear()
        loop.put(np.zeros(100, np.float32))
        until(stream.busy.is_set)
        slowest = 0.0
        for number in range(1, 51):  # five seconds of sound come in while it works
            begin = time.perf_counter()
            loop.put(np.full(100, number / 100, np.float32))
            slowest = max(slowest, time.perf_counter() - begin)
            counts = loop.counts
            assert adds_up(counts) and counts.received == number + 1
            assert counts.waiting == min(number, 10) and counts.dropped == max(0, number - 10)
        assert slowest < 0.5  # the detector works for as long as this takes
        stream.free.set()
        until(lambda: loop.counts.waiting == 0)
        loop.put(np.full(100, 0.9, np.float32))  # a chunk later it is back
        until(lambda: stream.pieces[-1][-1] == np.float32(0.9))
        assert len(stream.pieces[-1]) == 100
    assert loop.time_s == 5.2 and loop.counts.dropped == 40
    np.testing.assert_allclose(stream.heard[-1100:-100:100] * 100, np.arange(41, 51))


def test_counts_add_up_at_every_moment_whoever_puts():
    class Uneven(Samples):
        def push(self, samples):
            time.sleep(0.001 * (self.position % 7))
            return super().push(samples)

    def feed():
        for size in np.random.default_rng(0).integers(1, 200, 200).tolist():
            loop.put(np.zeros(size, np.float32))
            time.sleep(0.0002)

    stream = Uneven()
    loop = live.Loop(stream, Nothing(), capacity_s=0.5)
    threads = [threading.Thread(target=feed) for _ in range(3)]
    with loop:
        for each in threads:
            each.start()
        while any(each.is_alive() for each in threads):
            assert adds_up(loop.counts)
    counts = loop.counts
    assert adds_up(counts) and counts.received == 600 and counts.waiting == 0
    assert loop.time_s == counts.received_s


def test_it_tells_within_300_ms_of_the_end_of_the_word():
    calls = []
    samples = scene(4, [(1.53, 1.9), (3.2, 3.61)], sample_rate=8000)
    loop = live.Loop(
        Bursts(8000), Trigger(), on_detection=lambda each: calls.append((each, time.monotonic()))
    )
    begin = time.monotonic()
    live.listen(live.ArraySource(samples, 8000, speed=1), loop)
    assert [each.time_s for each, _ in calls] == pytest.approx([1.91, 3.62])
    for each, told_at in calls:
        assert 0 <= each.told_s - each.time_s <= 0.3
        assert told_at - begin - each.time_s <= 0.3


def test_stopping_hears_what_waits_and_it_can_go_on():
    stream = Held()
    loop = live.Loop(stream, Nothing())
    for number in range(3):
        stream.free.clear()
        stream.busy.clear()
        assert loop.start() is loop and loop.start().running
        loop.put(np.zeros(100, np.float32))
        until(stream.busy.is_set)
        loop.put(np.zeros(100, np.float32))
        stream.free.set()
        loop.stop()
        assert not loop.running and stream.position == 200 * (number + 1)
    loop.stop()


def test_a_loop_that_is_not_started_can_be_stopped():
    loop = live.Loop(Samples(), Nothing())
    loop.stop()
    assert loop.problem is None and not loop.running


def test_who_is_told_may_stop_it():
    def tell(_):
        assert threading.current_thread().name == "live loop"
        loop.stop()

    loop = live.Loop(Bursts(), Trigger(), on_detection=tell)
    loop.start()
    loop.put(scene(1, [(0.2, 0.5)]))
    until(lambda: not loop.running)
    loop.stop()
    assert len(loop.detections) == 1 and loop.problem is None


@pytest.mark.parametrize("where", ["stream", "rule", "callback"])
def test_what_ends_the_thread_is_said_and_raised(where):
    def fail(*_):
        raise ZeroDivisionError("nothing\nto divide")

    stream, rule = Bursts(), Trigger()
    if where == "stream":
        stream.push = fail
    elif where == "rule":
        rule.push = fail
    loop = live.Loop(stream, rule, on_detection=fail).start()
    loop.put(scene(1, [(0.2, 0.5)]))
    until(lambda: not loop.running)
    loop.put(np.zeros(10, np.float32))  # nobody is hurt
    assert loop.problem.startswith("The loop ended at ")
    assert "with ZeroDivisionError (nothing to divide) in its detector" in loop.problem
    with pytest.raises(ZeroDivisionError, match="nothing"):
        loop.stop()
    loop.stop()  # raised once


def test_an_error_that_was_not_fetched_comes_up_at_the_next_start():
    stream = Samples()
    loop = live.Loop(stream, Nothing()).start()
    stream.push = None
    loop.put(np.zeros(10, np.float32))
    until(lambda: not loop.running)
    with pytest.raises(TypeError):
        loop.start()
    del stream.push
    with loop:
        loop.put(np.zeros(10, np.float32))
    assert stream.position == 10 and loop.problem is None


def test_the_error_of_a_with_block_is_not_covered_by_that_of_the_thread():
    stream = Samples()
    stream.push = None
    with pytest.raises(KeyError), live.Loop(stream, Nothing()) as loop:
        loop.put(np.zeros(10, np.float32))
        until(lambda: not loop.running)
        raise KeyError
    with pytest.raises(TypeError), live.Loop(stream, Nothing()) as loop:
        loop.put(np.zeros(10, np.float32))


def test_a_live_source_ends_early_where_the_loop_does():
    stream = Samples(RATE)
    stream.push = None
    loop = live.Loop(stream, Nothing())
    begin = time.monotonic()
    with pytest.raises(TypeError):
        live.listen(live.ArraySource(np.zeros(60 * RATE, np.float32), RATE, speed=1), loop)
    assert time.monotonic() - begin < 10


def test_a_loop_that_runs_already_goes_on_running():
    stream = Samples()
    with live.Loop(stream, Nothing()) as loop:
        live.listen(live.ArraySource(np.zeros(RATE, np.float32), RATE, speed=20), loop)
        live.listen(live.ArraySource(np.zeros(RATE, np.float32), RATE), loop)
        assert loop.running
    assert stream.position == 2 * RATE
