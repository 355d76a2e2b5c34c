"""The defects of a well-known live demo, each shown in a copy of its rule, and the loop without it.

The list is that of the course's reference for the trigger word; the copy is `small_streams.Demo`.
"""

import sys

import numpy as np
import pytest
from fake_sounddevice import FakeSounddevice
from small_streams import RATE, Bursts, Demo, Nothing, Samples, chunks, noise, scene

from course_utils import live
from course_utils.models.trigger_word.decisions import Trigger, chimes


def told(samples, stream=None, **settings):
    loop = live.Loop(stream or Bursts(), Trigger(), **settings)
    live.listen(live.ArraySource(samples, RATE, chunk_ms=500), loop)
    return [each for each in loop.detections if each.told]


def test_1_chunks_that_come_while_the_detector_works_are_not_overwritten():
    pieces = [np.full(RATE // 2, value, np.float32) for value in (0.1, 0.2, 0.3, 0.4)]
    demo = Demo(feed_s=2, model=Bursts)
    for piece in pieces[:3]:
        demo.callback(piece)
    demo.turn()  # puts the window that ends with 0.1 where the callback goes on
    demo.callback(pieces[3])
    assert sorted(set((demo.data / 32767).round(1).tolist())) == [0, 0.1, 0.4]

    stream = Samples()
    loop = live.Loop(stream, Nothing())
    for piece in pieces[:3]:
        loop.put(piece)
    loop.turn()
    loop.put(pieces[3])
    loop.turn()
    np.testing.assert_array_equal(stream.heard, np.concatenate(pieces))


def test_2_a_queue_worked_off_one_by_one_falls_behind():
    """Three quarters of a second for every half: after 100 s the demo hears what is 30 s old."""
    demo, clock = Demo(feed_s=2), 0.0
    for number, piece in enumerate(chunks(noise(100, 0.1)), start=1):
        demo.callback(piece)
        while demo.q.qsize() and clock <= 0.5 * number:
            demo.q.get()
            clock = max(clock, 0.5 * number) + 0.75
    assert 0.5 * demo.q.qsize() > 30


@pytest.mark.parametrize(("per_turn_s", "per_second_s"), [(0.75, 0), (0, 0.8), (0, 1.5)])
def test_2_a_slow_detector_gets_no_backlog(per_turn_s, per_second_s):
    """What is heard is never older than one turn takes, be the detector slower than the sound."""
    pieces, stream = chunks(noise(100, 0.1)), Samples()
    loop = live.Loop(stream, Nothing(), capacity_s=2)
    clock, put, ages = 0.0, 0, []
    while put < len(pieces):
        clock = max(clock, 0.5 * (put + 1))  # of a simulated day
        while put < min(len(pieces), int(clock / 0.5)):
            loop.put(pieces[put])
            put += 1
        before = stream.position
        newest_s = loop.turn().time_s
        clock += per_turn_s + per_second_s * (stream.position - before) / RATE
        ages.append(clock - newest_s)
    # What waits, and as many zeros, are given at once.
    assert max(ages[:-1]) < 0.5 + per_turn_s + per_second_s * 2 * 2
    counts = loop.counts
    assert counts.heard + counts.dropped == counts.received == 200
    assert bool(counts.dropped) == (per_second_s > 1)


def test_3_no_late_chime_after_silence():
    """The word ends with its chunk, its label begins in the next one, and that one is silent."""
    samples = np.zeros(70 * RATE, np.float32)
    samples[3 * RATE : 3500] = 0.5 * np.sign(noise(0.5, 1))
    samples[60 * RATE :] = noise(10, 0.05)  # a chat, in which the word is not said

    def model():
        return Bursts(delay_s=0.1)

    assert Demo(model=model).chimes(chunks(samples)) == [60.5]
    (found,) = told(samples, model())
    assert (found.time_s, found.told_s) == (pytest.approx(3.61), 4.0)


def test_4_an_edge_on_the_border_of_a_chunk_is_found():
    samples = scene(20, [(11.6, 12.3)], room=0.01)
    on_the_border, before = Bursts(delay_s=0.2), Bursts(delay_s=0.1)
    assert Demo(model=lambda: Bursts(delay_s=0.1)).chimes(chunks(samples)) == [12.5]
    assert Demo(model=lambda: Bursts(delay_s=0.2)).chimes(chunks(samples)) == []
    assert [each.time_s for each in told(samples, before)] == [pytest.approx(12.41)]
    assert [each.time_s for each in told(samples, on_the_border)] == [pytest.approx(12.51)]


@pytest.mark.parametrize("chunk_ms", [10, 64, 500, 1700])
@pytest.mark.parametrize("delay_s", [0.0, 0.19, 0.2, 0.21])
def test_4_no_cut_of_the_stream_hides_an_edge(chunk_ms, delay_s):
    loop = live.Loop(Bursts(delay_s=delay_s), Trigger())
    live.listen(live.ArraySource(scene(20, [(11.6, 12.3)]), RATE, chunk_ms), loop)
    assert [each.time_s for each in loop.detections] == [pytest.approx(12.31 + delay_s)]


def test_5_no_device_is_written_into_the_code(monkeypatch):
    """The demo opens device 0; here that is a loudspeaker, and the system's choice is 2."""
    fake = FakeSounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    with pytest.raises(ValueError, match="Not an input device"):
        fake.query_devices(0, "input")
    assert live.Microphone().name == "Headset"
    assert live.Microphone(device=1).name == live.Microphone(device="built").name == "Built-in"


@pytest.mark.parametrize("gain", [1, 0.01])
@pytest.mark.parametrize("room", [0.002, 0.05])
def test_6_loud_means_louder_than_the_room(gain, room):
    """A word in a quiet or a noisy room, through a sensitive or a distant microphone."""
    samples = gain * scene(30, [(14.7, 15.2)], room)
    (found,) = told(samples, Bursts(loud=0.2 * gain))
    assert found.time_s == pytest.approx(15.21)
    # A detector that is mistaken, and hears words in the room itself.
    (mistake,) = _detections(gain * noise(30, room), Mistaken(at_s=15))
    assert mistake.quiet and not mistake.told


def test_6_a_fixed_threshold_is_deaf_or_never_closed():
    def heard(samples):
        demo = Demo()
        for piece in chunks(samples):
            demo.callback(piece)
        return demo.q.qsize()

    assert heard(0.01 * scene(30, [(14.7, 15.2)])) == 0  # a distant microphone: the word, too
    assert heard(noise(30, 0.05)) == 60  # a fan


def test_7_a_long_event_is_told_once_and_no_moment_is_deaf():
    step_s = 0.01
    scores = np.zeros(1375)
    scores[10:160] = 1  # one and a half seconds, from the beginning
    assert chimes(scores) == [75, 151]  # deaf up to 75, then twice

    samples = np.zeros(round(1375 * step_s * RATE), np.float32)
    samples[:100] = 0.5
    found = told(samples, Bursts(label_s=1.5))
    assert [each.time_s for each in found] == [pytest.approx(0.11)]


def test_7_events_closer_than_the_refractory_period_are_told_once():
    samples = scene(20, [(8, 8.3), (8.7, 9), (11, 11.3)])
    times_s = [each.time_s for each in told(samples, Bursts(label_s=0.1))]
    assert times_s == pytest.approx([8.31, 11.31])


class Mistaken(Samples):
    """Sure of it at one moment, whatever there is to hear."""

    def __init__(self, at_s: float) -> None:
        super().__init__()
        self.at_s = at_s

    def push(self, samples):
        times_s, _ = super().push(samples)
        return times_s, (times_s == self.at_s).astype(float)


def _detections(samples, stream):
    loop = live.Loop(stream, Trigger())
    return live.listen(live.ArraySource(samples, RATE), loop).detections
