"""SVDF frame by frame: the same answers as over whole clips, with a memory that remembers."""

import numpy as np
import pytest
from small_recognisers import LABELS, RATE, front_end, with_weights

from course_utils.models import speech_commands as models
from course_utils.models.speech_commands.recogniser import Recogniser

SIZE = (10, 6)


@pytest.fixture(scope="module")
def model():
    return with_weights(models.build("low_latency_svdf", SIZE, 4))


@pytest.fixture(scope="module")
def frames():
    """Enough to go three times round the memory."""
    return np.random.default_rng(0).normal(0, 0.5, (33, SIZE[1])).astype(np.float32)


def whole_clips(model, frames, length=SIZE[0]):
    """Logits for the clips that end with each frame, zeros before the first one."""
    padded = np.pad(frames, ((length - 1, 0), (0, 0)))
    return model(np.stack([padded[i : i + length] for i in range(len(frames))])).numpy()


def test_a_stream_gives_what_whole_clips_give(model, frames):
    stream = models.Stream(model)
    found = np.stack([stream.push(frame) for frame in frames])
    expected = whole_clips(model, frames)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.std(expected, axis=0).min() > 0.1


def test_at_the_tutorials_size():
    model = with_weights(models.build("low_latency_svdf", (98, 40), 12))
    stream = models.Stream(model)
    frames = np.random.default_rng(1).normal(0, 1, (210, 40)).astype(np.float32)
    last = [stream.push(frame) for frame in frames][-1]
    np.testing.assert_allclose(last, model(frames[None, -98:])[0], atol=1e-5)


def test_two_streams_do_not_share_their_memory(model, frames):
    first, second = models.Stream(model), models.Stream(model)
    for frame in frames[:5]:
        first.push(frame)
    np.testing.assert_allclose(
        second.push(frames[7]), whole_clips(model, frames[7:8])[0], atol=1e-5
    )


def test_without_remembering_it_hears_one_frame_only_as_the_source_does(model, frames):
    forgetful = models.Stream(model, remember=False)
    found = np.stack([forgetful.push(frame) for frame in frames])
    alone = np.stack([whole_clips(model, frame[None])[0] for frame in frames])
    np.testing.assert_allclose(found, alone, atol=1e-5)
    assert abs(found[1:] - whole_clips(model, frames)[1:]).max(axis=1).min() > 0.01


def test_a_longer_sound_runs_through_its_front_end_once():
    """Frames pushed one by one give what the recogniser gives for each second cut out."""
    front = front_end()
    network = with_weights(models.build("low_latency_svdf", front.output_size, len(LABELS)))
    recogniser = Recogniser(front, network, LABELS)
    sound = np.random.default_rng(2).uniform(-0.5, 0.5, RATE).astype(np.float32)
    stream, length, hop = models.Stream(network), front.samples, RATE * 20 // 1000
    table = front_end(clip_duration_ms=1000)(sound[None])[0].numpy()
    logits = [stream.push(frame) for frame in table]
    starts = range(len(table) - front.output_size[0] + 1)
    assert len(starts) == 26
    for start in starts:
        scores = recogniser.predict(sound[start * hop : start * hop + length], RATE)
        found = np.exp(logits[start + front.output_size[0] - 1])
        np.testing.assert_allclose(found / found.sum(), list(scores.values()), atol=1e-5)


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="'conv' begins with Reshape; expected Svdf"):
        models.Stream(models.build("conv", SIZE, 4))


@pytest.mark.parametrize("shape", [(5,), (1, 6), ()])
def test_a_frame_of_another_size_is_refused(model, shape):
    with pytest.raises(ValueError, match=r"The frame has shape .+; expected \(6,\)"):
        models.Stream(model).push(np.zeros(shape))
