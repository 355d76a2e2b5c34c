"""Sound from memory and from files, and what drives the loop."""

import time

import numpy as np
import pytest
from small_streams import RATE, Bursts, Nothing, Samples, noise, scene

from course_utils import audio, live
from course_utils.models.trigger_word.decisions import Trigger


@pytest.mark.parametrize(("length", "chunk_ms"), [(1000, 100), (1050, 100), (3, 1000), (7, 0.1)])
def test_the_chunks_are_the_sound(length, chunk_ms):
    sound = noise(length / RATE, 0.1)
    source = live.ArraySource(sound, RATE, chunk_ms)
    pieces = list(source)
    np.testing.assert_array_equal(np.concatenate(pieces), sound)
    assert {len(each) for each in pieces[:-1]} <= {source.chunk} and len(pieces[-1]) > 0
    assert source.chunk == max(1, round(chunk_ms)) and not source.live
    np.testing.assert_array_equal(np.concatenate(list(source)), sound)  # and again


@pytest.mark.parametrize("speed", [1, 4])
def test_a_paced_chunk_comes_when_it_would_have_been_recorded(speed):
    source = live.ArraySource(np.zeros(450, np.float32), RATE, 100, speed)
    assert source.live
    begin, came = time.monotonic(), []
    for number, _ in enumerate(source):
        came.append(time.monotonic() - begin)
        if number == 0:
            time.sleep(0.35 / speed)  # who takes it late does not delay what follows
    recorded = np.array([0.1, 0.45, 0.45, 0.45, 0.45]) / speed
    assert np.all(np.array(came) >= recorded - 0.001) and max(came - recorded) < 0.25


def test_a_file_is_read_through_the_audio_door(tmp_path):
    sound = noise(1, 0.1, 8000)
    audio.save(tmp_path / "a.wav", sound, 8000)
    source = live.FileSource(tmp_path / "a.wav", chunk_ms=250)
    assert source.sample_rate == 8000 and len(list(source)) == 4
    np.testing.assert_allclose(np.concatenate(list(source)), sound, atol=1 / 32768)
    assert live.FileSource(tmp_path / "a.wav", 16000, speed=2).live
    assert len(live.FileSource(tmp_path / "a.wav", 16000).samples) == 16000
    with pytest.raises(audio.AudioError, match=r"missing\.wav"):
        live.FileSource(tmp_path / "missing.wav")


def test_nothing_is_lost_of_a_source_that_waits_though_the_chunks_are_longer_than_the_inbox():
    sound, stream = noise(10, 0.1), Samples()
    loop = live.Loop(stream, Nothing(), capacity_s=0.3)
    assert live.listen(live.ArraySource(sound, RATE, chunk_ms=3000), loop) is loop
    np.testing.assert_array_equal(stream.heard, sound)
    assert (loop.counts.dropped, loop.counts.dropped_s, loop.counts.heard_s) == (0, 0, 10)


@pytest.mark.parametrize("speed", [None, 20])
@pytest.mark.parametrize("seconds", [0, 0.25, 0.2, 1.0, 50])
def test_only_the_first_seconds_are_heard(seconds, speed):
    sound, stream = noise(1, 0.1), Samples()
    loop = live.Loop(stream, Nothing(), capacity_s=5)
    live.listen(live.ArraySource(sound, RATE, 100, speed), loop, seconds)
    np.testing.assert_array_equal(stream.heard, sound[: round(seconds * RATE)])
    assert not loop.running


def test_any_iterable_is_a_source():
    given = ([0.1] * 10, np.full((10, 2), 0.2), np.full(10, 3277, np.int16), [])
    loop = live.Loop(stream := Samples(), Nothing())
    live.listen(iter(given), loop)
    np.testing.assert_allclose(stream.heard, np.repeat([0.1, 0.2, 0.1], 10), atol=1e-4)


def test_two_sources_one_after_the_other_are_one_stream():
    loop = live.Loop(Bursts(), Trigger())
    for samples in (scene(5, [(3, 3.5)]), scene(5, [(1, 1.5)])):
        live.listen(live.ArraySource(samples, RATE), loop)
    assert [each.time_s for each in loop.detections] == pytest.approx([3.51, 6.51])


def test_a_source_of_another_rate_is_refused():
    sentence = "The source has a rate of 8000 Hz, and the loop expects 1000 Hz; make the loop with "
    with pytest.raises(ValueError, match=sentence + "sample_rate=8000"):
        live.listen(live.ArraySource(noise(1, 0.1), 8000), live.Loop(Samples(), Nothing()))


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_seconds_that_make_no_sense_are_refused(seconds):
    with pytest.raises(ValueError, match=f"seconds is {seconds}; expected a number from 0 up"):
        live.listen([], live.Loop(Samples(), Nothing()), seconds)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"chunk_ms": 0}, "chunk_ms is 0; expected milliseconds above 0; 100 is usual"),
        ({"chunk_ms": float("nan")}, "chunk_ms is nan"),
        ({"chunk_ms": float("inf")}, "chunk_ms is inf"),
        ({"speed": 0}, "speed is 0; expected a number above 0"),
        ({"speed": -1}, "speed is -1"),
        ({"speed": float("nan")}, "speed is nan"),
        ({"samples": np.zeros((2, 5))}, "The sound has shape"),
        ({"samples": np.array([np.nan])}, "The sound holds NaN"),
        ({"sample_rate": 0}, "The sound has a rate of 0 Hz"),
    ],
)
def test_a_source_that_cannot_be_is_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        live.ArraySource(**{"samples": np.zeros(10), "sample_rate": RATE, **wrong})


class Interrupted:
    """A source during which somebody presses Ctrl-C."""

    def __init__(self, is_live: bool) -> None:
        self.live = is_live

    def __iter__(self):
        yield np.full(100, 0.1, np.float32)
        raise KeyboardInterrupt


def test_ctrl_c_ends_a_live_source_and_what_came_is_heard():
    loop = live.listen(Interrupted(True), live.Loop(stream := Samples(), Nothing()))
    assert stream.position == 100 and not loop.running and loop.counts.waiting == 0
    with pytest.raises(KeyboardInterrupt):
        live.listen(Interrupted(False), loop)
