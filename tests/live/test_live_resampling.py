"""A source of another rate: no seam, no lost time."""

import numpy as np
import pytest
from small_streams import Bursts, Nothing, Samples, noise, scene

from course_utils import audio, live
from course_utils.models.trigger_word.decisions import Trigger

RATES = [(48000, 16000), (44100, 16000), (16000, 44100), (8000, 16000), (22050, 16000)]


@pytest.mark.parametrize("chunk_ms", [8, 100])
@pytest.mark.parametrize(("source", "wanted"), RATES)
def test_the_stream_hears_what_the_whole_sound_resampled_is(source, wanted, chunk_ms):
    sound, stream = noise(2, 0.2, source), Samples(wanted)
    loop = live.Loop(stream, Nothing(), sample_rate=source)
    live.listen(live.ArraySource(sound, source, chunk_ms), loop)
    whole = audio.resample(sound, source, wanted)
    delay = len(whole) - stream.position
    assert 0 < delay < 0.12 * wanted
    np.testing.assert_allclose(stream.heard, whole[:-delay], atol=1e-6)
    assert loop.counts.heard_s == 2 and loop.time_s == 2


@pytest.mark.parametrize(
    ("source", "wanted", "delay_s"), [(48000, 16000, 0.04), (8000, 16000, 0.12)]
)
def test_the_delay_is_as_documented(source, wanted, delay_s):
    loop = live.Loop(stream := Samples(wanted), Nothing(), sample_rate=source)
    behind = []
    for _ in range(200):
        loop.put(noise(0.01, 0.1, source))
        loop.turn()
        behind.append(loop.time_s - stream.position / wanted)
    assert delay_s / 2 < max(behind) <= delay_s


def test_what_rings_over_is_clipped():
    loop = live.Loop(stream := Samples(16000), Nothing(), sample_rate=48000)
    live.listen(live.ArraySource(np.sign(noise(1, 0.2, 48000)), 48000), loop)
    assert np.abs(stream.heard).max() == 1


def test_times_are_those_of_the_sound():
    sound = scene(20, [(8, 8.4), (14.2, 14.6)], sample_rate=48000)
    loop = live.Loop(Bursts(16000), Trigger(), sample_rate=48000)
    live.listen(live.ArraySource(sound, 48000), loop)
    assert [each.time_s for each in loop.detections] == pytest.approx([8.41, 14.61], abs=0.011)
    assert all(each.told and each.told_s - each.time_s < 0.15 for each in loop.detections)


def test_time_goes_on_where_chunks_were_dropped():
    """A word after two gaps, a short and a long one."""
    sound = scene(60, [(57, 57.4)], sample_rate=48000)
    loop = live.Loop(Bursts(16000), Trigger(), sample_rate=48000)
    for start in range(60):
        loop.put(sound[48000 * start : 48000 * (start + 1)])
        if start in (3, 7) or start > 53:
            loop.turn()
    assert loop.counts.dropped == 2 + 2 + 45
    assert [each.time_s for each in loop.detections] == [pytest.approx(57.41, abs=0.011)]
