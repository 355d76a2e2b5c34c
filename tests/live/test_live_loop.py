"""One turn after another: everything in its place, everything counted, news told once."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_streams import RATE, Bursts, Nothing, Samples, noise, scene

from course_utils import live
from course_utils.audio import AudioError
from course_utils.models.trigger_word.decisions import Trigger


def silent_loop(stream=None, **kwargs):
    return live.Loop(stream or Samples(), Nothing(), **kwargs)


def test_a_turn_hears_all_that_waits_up_to_the_newest_chunk():
    stream, sound = Samples(), noise(1, 0.1)
    loop = silent_loop(stream)
    assert loop.turn() is None and loop.time_s == 0
    for start in range(0, 900, 100):
        loop.put(sound[start : start + 100])
    turn = loop.turn()
    assert len(stream.pieces) == 1 and loop.turn() is None
    np.testing.assert_array_equal(stream.heard, sound[:900])
    assert (turn.time_s, turn.heard_s, turn.gap_s, loop.time_s) == (0.9, 0.9, 0, 0.9)
    np.testing.assert_array_equal(turn.times_s, np.arange(900) / RATE)
    np.testing.assert_array_equal(turn.scores, sound[:900])
    assert turn.level_db == loop.level_db == pytest.approx(-20, abs=0.5)
    assert turn.floor_db == loop.floor_db and turn.detections == ()


def test_a_chunk_is_copied():
    """An audio callback gets the same memory again and again."""
    stream, memory = Samples(), np.full(100, 0.1, np.float32)
    loop = silent_loop(stream)
    loop.put(memory)
    memory[:] = 0.9
    loop.turn()
    np.testing.assert_array_equal(stream.heard, np.float32(0.1))


def test_what_does_not_fit_is_dropped_oldest_first_and_zeros_take_its_place():
    stream, sound = Samples(), noise(10, 0.1)
    loop = silent_loop(stream, capacity_s=2)
    for start in range(0, 3500, 500):
        loop.put(sound[start : start + 500])
    counts = loop.counts
    assert (counts.received, counts.heard, counts.dropped, counts.waiting) == (7, 0, 3, 4)
    assert (counts.received_s, counts.dropped_s, counts.waiting_s) == (3.5, 1.5, 2)
    turn = loop.turn()
    assert (turn.time_s, turn.heard_s, turn.gap_s) == (3.5, 2, 1.5)
    np.testing.assert_array_equal(stream.heard, np.append(np.zeros(1500), sound[1500:3500]))
    np.testing.assert_array_equal(turn.times_s, np.arange(3500) / RATE)
    counts = loop.counts
    assert (counts.heard, counts.dropped, counts.waiting, counts.heard_s) == (4, 3, 0, 2)
    loop.put(sound[3500:3600])
    assert loop.turn().gap_s == 0 and stream.position == 3600


def test_after_a_long_gap_the_clock_is_right_though_the_stream_got_few_zeros():
    stream = Samples()
    loop = silent_loop(stream, capacity_s=1)
    for _ in range(100):
        loop.put(np.full(500, 0.5, np.float32))
    turn = loop.turn()
    assert stream.position == 2000 and (turn.time_s, turn.gap_s) == (50, 49)
    heard = turn.times_s[turn.scores > 0]
    np.testing.assert_allclose(heard, 49 + np.arange(1000) / RATE)
    assert np.all(np.diff(turn.times_s) > 0)


def test_a_chunk_longer_than_the_inbox_keeps_its_newest_part():
    stream, sound = Samples(), noise(5, 0.1)
    loop = silent_loop(stream, capacity_s=2)
    loop.put(sound[:300])
    loop.put(sound[300:])
    counts = loop.counts
    assert (counts.received, counts.waiting, counts.dropped) == (2, 1, 1)
    assert (counts.received_s, counts.waiting_s, counts.dropped_s) == (5, 2, 3)
    turn = loop.turn()
    np.testing.assert_array_equal(turn.scores[-2000:], sound[3000:])
    np.testing.assert_allclose(turn.times_s[-2000:], np.arange(3000, 5000) / RATE)


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.integers(0, 900), st.none()), max_size=40),
    st.sampled_from([0.0005, 0.3, 1.0]),
)
def test_every_sample_is_heard_in_its_place_or_counted_as_dropped(steps, capacity_s):
    """Chunks of any length, turns (None) at any moment."""
    loop, given_samples, places = silent_loop(capacity_s=capacity_s), 0, []
    for step in [*steps, None]:
        if step is not None:
            values = np.arange(given_samples + 1, given_samples + step + 1) / 40_000
            given_samples += step
            loop.put(values)
        elif turn := loop.turn():
            assert turn.time_s == loop.time_s == given_samples / RATE
            sound = turn.scores > 0
            np.testing.assert_allclose(
                turn.times_s[sound] * RATE + 1, turn.scores[sound] * 40_000, atol=0.01
            )
            places.extend(np.rint(turn.times_s[sound] * RATE).astype(int).tolist())
        counts = loop.counts
        assert counts.received == counts.heard + counts.dropped + counts.waiting
        assert counts.received_s == pytest.approx(
            counts.heard_s + counts.dropped_s + counts.waiting_s
        )
        assert counts.waiting_s <= max(capacity_s, 1 / RATE)
    assert len(set(places)) == len(places) == round(counts.heard_s * RATE)
    assert counts.received_s == given_samples / RATE and counts.waiting == 0


def test_who_is_told_gets_each_detection_once_and_in_time():
    calls, samples = [], scene(20, [(6, 6.4), (12, 12.5)])
    loop = live.Loop(Bursts(delay_s=0.1), Trigger(), on_detection=calls.append)
    live.listen(live.ArraySource(samples, RATE), loop)
    assert calls == loop.detections and [each.time_s for each in calls] == pytest.approx(
        [6.51, 12.61]
    )
    for each in calls:
        assert each.score == 1 and each.told and not (each.late or each.quiet)
        assert 0 <= each.told_s - each.time_s <= 0.1
    assert live.Heard(1, 1, 1, False, False).told and not live.Heard(1, 1, 1, True, True).told


def test_what_is_found_too_late_is_recorded_and_not_told():
    calls, samples = [], scene(20, [(12, 12.4)])
    loop = live.Loop(Bursts(), Trigger(), capacity_s=5, late_s=1, on_detection=calls.append)
    loop.put(samples[:10_000])
    loop.turn()
    loop.put(samples[10_000:15_000])
    (found,) = loop.turn().detections
    assert found.late and not found.quiet and not found.told and not calls
    assert found.time_s == pytest.approx(12.41) and found.told_s == 15
    assert loop.detections == [found]


def test_it_is_late_by_what_came_in_while_the_detector_worked():
    """Stream time goes on during a turn: two seconds come in while this stream thinks."""

    class Slow(Bursts):
        def push(self, samples):
            loop.put(np.zeros(2 * RATE, np.float32))
            return super().push(samples)

    loop = live.Loop(Slow(), Trigger(), late_s=1, margin_db=0)
    loop.put(scene(1, [(0.2, 0.6)]))
    (found,) = loop.turn().detections
    assert (found.time_s, found.told_s, found.late) == (pytest.approx(0.61), 3, True)


class Once(Samples):
    """Sure of it at one moment, whatever there is to hear."""

    def __init__(self, at_s):
        super().__init__()
        self.at_s = at_s

    def push(self, samples):
        times_s, _ = super().push(samples)
        return times_s, np.isclose(times_s, self.at_s, atol=1e-6).astype(float)


@pytest.mark.parametrize(
    ("margin_db", "quiet"), [(6, True), (4, True), (1, False), (0, False), (None, False)]
)
def test_what_is_no_louder_than_the_room_is_recorded_and_not_told(margin_db, quiet):
    calls = []
    loop = live.Loop(Once(10), Trigger(), margin_db=margin_db, on_detection=calls.append)
    live.listen(live.ArraySource(noise(20, 0.05), RATE), loop)
    (found,) = loop.detections
    assert found.quiet == quiet and not found.late and calls == [found] * (not quiet)


@pytest.mark.parametrize(("margin_db", "quiet"), [(0.1, True), (0, False), (None, False)])
def test_a_room_that_got_quiet_during_a_gap_is_below_its_floor(margin_db, quiet):
    """Without a margin even that is no reason to keep silent."""
    loop = live.Loop(Once(10.2), Trigger(), margin_db=margin_db)
    live.listen(live.ArraySource(noise(8, 0.1), RATE), loop)
    for seconds in (2, 0.3):  # which do not fit together
        loop.put(noise(seconds, 0.01))
    loop.turn()
    assert loop.counts.dropped == 1 and loop.detections[0].quiet == quiet


def test_after_a_gap_it_is_the_room_of_now_that_counts():
    loop = live.Loop(Once(3.5), Trigger())
    for _ in range(3):  # one second is dropped
        loop.put(noise(1, 0.05))
    loop.turn()
    loop.put(noise(1, 0.05))
    (found,) = loop.turn().detections
    assert loop.counts.dropped == 1 and found.quiet


@pytest.mark.parametrize("chunk_ms", [1, 7, 100, 2000])
def test_how_the_stream_is_cut_changes_nothing(chunk_ms):
    samples = scene(30, [(8, 8.4), (14, 14.5), (21.3, 21.31)], room=0.05, word=0.3)
    found = []
    for each_ms in (100, chunk_ms):
        loop = live.Loop(Bursts(loud=0.12), Trigger(), late_s=9)
        live.listen(live.ArraySource(samples, RATE, each_ms), loop)
        found.append([(each.time_s, each.score, each.quiet) for each in loop.detections])
    assert found[0] == found[1] and len(found[0]) == 3


def test_a_chunk_that_is_no_sound_is_silence_and_a_sentence():
    stream = Samples()
    loop = silent_loop(stream)
    loop.put(np.full(100, 0.1, np.float32))
    loop.put(np.full(50, np.nan, np.float32))
    loop.put(np.full(100, 0.2, np.float32))
    loop.turn()
    np.testing.assert_array_equal(
        stream.heard, np.repeat(np.float32([0.1, 0, 0.2]), [100, 50, 100])
    )
    counts = loop.counts
    assert (counts.received, counts.heard, counts.bad, loop.time_s) == (3, 3, 1, 0.25)
    assert loop.problem == (
        "A chunk of sound holds NaN or infinity; expected values in [-1, 1]; it is heard as"
        " silence: mend its source."
    )


def test_what_has_no_length_is_bad_and_nothing_else():
    loop = silent_loop()
    for what in (None, 0.5, object(), [[1.0], [1.0, 2.0]]):
        loop.put(what)
    loop.put(np.zeros(0, np.float32))
    counts = loop.counts
    assert (counts.received, counts.bad) == (0, 4) and loop.turn() is None
    assert "A chunk of sound" in loop.problem


def test_missing_sound_does_not_pull_the_floor_down():
    loop = silent_loop()
    for _ in range(100):
        loop.put(noise(0.1, 0.1))
        loop.turn()
    floor_db = loop.floor_db
    for _ in range(100):  # dropped, dropped, bad
        loop.put(noise(2, 0.1))
        loop.put(noise(2, 0.1))
        loop.put(np.full(1500, np.nan))
        loop.put(noise(0.5, 0.1))
        loop.turn()
    assert loop.floor_db == pytest.approx(floor_db, abs=0.5) and loop.counts.dropped == 200


def test_what_the_stream_raises_is_raised_and_nothing_goes_uncounted():
    class Broken(Samples):
        def push(self, samples):
            raise RuntimeError("no such layer")

    loop = silent_loop(Broken())
    loop.put(np.zeros(100, np.float32))
    with pytest.raises(RuntimeError, match="no such layer"):
        loop.turn()
    counts = loop.counts
    assert (counts.received, counts.heard, counts.waiting) == (1, 1, 0)


def test_a_detection_is_recorded_before_it_is_told():
    def tell(_):
        raise OSError("no loudspeaker")

    loop = live.Loop(Bursts(), Trigger(), on_detection=tell)
    loop.put(scene(1, [(0.3, 0.5)]))
    with pytest.raises(OSError, match="no loudspeaker"):
        loop.turn()
    assert len(loop.detections) == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"capacity_s": 0}, "capacity_s is 0; expected seconds above 0; 2 is usual"),
        ({"capacity_s": float("nan")}, "capacity_s is nan"),
        ({"capacity_s": float("inf")}, "capacity_s is inf"),
        ({"margin_db": -1}, "margin_db is -1; expected decibels from 0 up; 6 is usual"),
        ({"margin_db": float("nan")}, "margin_db is nan"),
        ({"late_s": -0.1}, "late_s is -0.1; expected seconds from 0 up; 1 is usual"),
        ({"late_s": float("nan")}, "late_s is nan"),
        ({"sample_rate": 12}, "The loop has a rate of 12 Hz; expected a whole number"),
        ({"stream": Samples(44.1)}, "The stream has a rate of 44.1 Hz; expected a whole number"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        silent_loop(**wrong)
    if "rate" in sentence:
        with pytest.raises(AudioError):
            silent_loop(**wrong)


def test_importing_it_loads_no_framework():
    code = "import sys, course_utils.live; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "soxr" in shown
    assert not {"torch", "tensorflow", "keras", "sounddevice"} & set(shown)
