"""The whole detector: at once, piece by piece, and back from disk."""

import json
import math
import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_detectors import RATE, cut, detector, front_end, network, noise, one_thread  # noqa: F401

from course_utils import audio
from course_utils.models import trigger_word
from course_utils.models.trigger_word import (
    SOURCE,
    SOURCE_FRONT_END,
    Detector,
    Stream,
    detections,
    load,
)

SOUND = noise(2 * RATE)


def states(found: Detector) -> dict:
    return found.network.state_dict()


# ---------------------------------------------------------------- steps and their times


@pytest.mark.parametrize("samples", [0, 199, 200, 519, 520, 839, 840, 16_000, 16_001])
def test_steps_and_times_for_every_length(samples):
    """The first step hears five frames: 4 x 80 + 200 samples. Each of the next ones 320 more."""
    found = detector()
    expected = max(0, (samples - 520) // 320 + 1)
    assert found.steps_in(samples) == expected
    times = found.step_times(expected)
    np.testing.assert_allclose(times, (520 + 320 * np.arange(expected)) / RATE)
    np.testing.assert_array_equal(found.step_times(2, first=3), found.step_times(5)[3:])
    if samples:
        for values, kind in zip(found.scores(noise(samples), RATE), "df", strict=True):
            assert values.shape == (expected,) and values.dtype == np.dtype(kind)


def test_steps_of_the_source():
    found = Detector(SOURCE_FRONT_END, network(SOURCE))
    assert [found.steps_in(seconds * 44_100) for seconds in (1, 2, 10)] == [134, 272, 1375]
    assert found.step_times(1375)[-1] == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize("at", [40, 3000, 8000, 15_000])
def test_a_click_is_heard_at_its_time_and_not_before(at):
    found, quiet = detector(), np.zeros(2 * RATE, np.float32)
    click = quiet.copy()
    click[at] = 0.9
    times, before = found.scores(quiet, RATE)
    after = found.scores(click, RATE)[1]
    first = int(np.flatnonzero(after != before)[0])
    # Within the window, at whose edges its weight is zero, of the last frame of that step.
    assert times[first] * RATE - 320 - 200 <= at < times[first] * RATE
    assert (after[first:] != before[first:]).mean() > 0.9, "the GRUs remember"


# ---------------------------------------------------------------- whole sounds


def test_scores_are_what_front_end_and_network_give():
    found = detector()
    table = torch.from_numpy(found.front_end(SOUND))[None]
    with torch.no_grad():
        expected = torch.sigmoid(found.network(table)[0])[0].numpy()
    np.testing.assert_allclose(found.scores(SOUND, RATE)[1], expected, atol=1e-6)
    assert expected.std() > 0.01


@pytest.mark.parametrize("threshold, refractory_s", [(0.5, 0), (0.5, 0.5), (0.6, 0.1)])
def test_predictions_are_the_decisions_on_the_scores(threshold, refractory_s):
    found = detector(threshold=threshold, refractory_s=refractory_s)
    times, scores = found.scores(SOUND, RATE)
    shifted = float(np.quantile(scores, threshold))  # so that there are some
    found.threshold = shifted
    expected = [each.time_s for each in detections(times, scores, shifted, refractory_s)]
    assert found.predict(SOUND, RATE) == expected and len(expected) >= 2
    assert all(type(time) is float for time in expected)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_another_rate_is_resampled(rate):
    found = detector()
    sound = noise(2 * rate) * 0.5
    times, scores = found.scores(sound, rate)
    again = audio.resample(sound, rate, RATE)
    np.testing.assert_array_equal(scores, found.scores(again, RATE)[1])
    assert times[-1] <= 2 and len(times) == found.steps_in(len(again))


@pytest.mark.parametrize("samples", [1, 100, 519])
def test_a_short_sound_gives_nothing(samples):
    found = detector()
    times, scores = found.scores(noise(samples), RATE)
    assert times.shape == scores.shape == (0,)
    assert found.predict(noise(samples), RATE) == []


def test_any_length_will_do():
    """Other than the Keras model of the source, which is built for one."""
    found = detector()
    for seconds in (0.5, 1, 3.3):
        part = noise(int(seconds * RATE))
        assert len(found.scores(part, RATE)[1]) == found.steps_in(len(part)) > 10
        np.testing.assert_allclose(
            found.scores(part, RATE)[1][:10], found.scores(part[:4000], RATE)[1][:10], atol=1e-6
        )


@pytest.mark.parametrize(
    "samples, words",
    [
        (np.zeros((100, 2), np.float32), "average channels"),
        (np.zeros(100, np.int16), "divide 16-bit integers"),
        (np.full(900, math.nan, np.float32), "holds NaN or infinity"),
        (np.full(900, 1.5, np.float32), "has a peak of 1.5"),
        (np.zeros(0, np.float32), "holds no samples"),
    ],
)
def test_unfit_sounds(samples, words):
    for method in (detector().scores, detector().predict):
        with pytest.raises(audio.AudioError, match=words):
            method(samples, RATE)
        with pytest.raises(audio.AudioError, match=r"has a rate of 0 Hz; expected"):
            method(SOUND, 0)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays_as_it_was(training):
    found = detector()
    found.network.train(training)
    before = {name: values.clone() for name, values in states(found).items()}
    one, other = found.scores(SOUND, RATE)[1], found.scores(SOUND, RATE)[1]
    np.testing.assert_array_equal(one, other)  # no dropout
    assert found.network.training == training == found.network.norm1.training
    assert all(torch.equal(before[name], values) for name, values in states(found).items())


def test_the_mode_stays_as_it_was_after_an_error(monkeypatch):
    found = detector()
    found.network.train()
    monkeypatch.setattr(found.network, "forward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        found.scores(SOUND, RATE)
    assert found.network.training


def test_parts_have_to_fit():
    sentence = (
        r"^The network expects frames of 12 bins and the front end gives 40; expected the .*; "
    )
    with pytest.raises(ValueError, match=sentence):
        Detector(trigger_word.FrontEnd(), network())


# ---------------------------------------------------------------- streams


@given(st.lists(st.integers(0, 6000), max_size=12))
def test_pieces_give_the_scores_of_the_whole(places):
    found, sound = detector(), SOUND[:6000]
    stream, heard, pieces = found.stream(), 0, []
    for piece in cut(sound, places):
        pieces.append(stream.push(piece))
        heard += len(piece)
        assert sum(len(times) for times, _ in pieces) == found.steps_in(heard)
    times, scores = found.scores(sound, RATE)
    np.testing.assert_array_equal(np.concatenate([each for each, _ in pieces]), times)
    np.testing.assert_allclose(np.concatenate([each for _, each in pieces]), scores, atol=1e-5)


@pytest.mark.parametrize("kind, window", [("specgram", 22), ("log_specgram", 22)])
def test_every_front_end_can_stream(kind, window):
    found = Detector(front_end(kind=kind, window=window, hop=20), network())
    sound = noise(4000) * 1e-3
    whole = found.scores(sound, RATE)
    stream = Stream(found)
    pieces = [stream.push(piece) for piece in np.array_split(sound, 13)]
    np.testing.assert_array_equal(np.concatenate([each for each, _ in pieces]), whole[0])
    np.testing.assert_allclose(np.concatenate([s for _, s in pieces]), whole[1], atol=1e-5)


def test_streams_know_nothing_of_each_other():
    found = detector()
    one, other = found.stream(), found.stream()
    one.push(noise(5000, 7))
    np.testing.assert_array_equal(other.push(SOUND)[1], found.scores(SOUND, RATE)[1])
    assert one.sample_rate == other.sample_rate == found.sample_rate == RATE


def test_a_stream_keeps_no_more_than_it_needs():
    stream = detector().stream()
    for _ in range(50):
        stream.push(SOUND[:1234])
    held = [value for value in vars(stream).values() if isinstance(value, np.ndarray)]
    assert sum(len(value) for value in held) < 5 and len(stream._frames._rest) < 200


# ---------------------------------------------------------------- on disk


def test_a_saved_detector_comes_back(tmp_path):
    kept = detector(threshold=0.7, refractory_s=0.25, word="stop")
    folder = kept.save(tmp_path / "runs" / "new")
    assert folder == tmp_path / "runs" / "new"
    assert [path.name for path in folder.iterdir()] == ["detector.pt"]
    found = load(str(folder))
    assert found.front_end == kept.front_end and found.network.size == kept.network.size
    assert (found.threshold, found.refractory_s, found.word) == (0.7, 0.25, "stop")
    assert states(found).keys() == states(kept).keys()
    assert all(torch.equal(states(kept)[name], values) for name, values in states(found).items())
    np.testing.assert_array_equal(found.scores(SOUND, RATE)[1], kept.scores(SOUND, RATE)[1])
    assert found.predict(SOUND, RATE) == kept.predict(SOUND, RATE)
    assert not found.network.training


def test_saving_again_replaces_it_or_leaves_it(tmp_path, monkeypatch):
    detector(word="one").save(tmp_path)
    detector(word="two").save(tmp_path)
    assert load(tmp_path).word == "two"

    def cut_short(content, path):
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", cut_short)
    with pytest.raises(OSError, match="no space left"):
        detector(word="three").save(tmp_path)
    assert load(tmp_path).word == "two"


def test_no_detector(tmp_path):
    with pytest.raises(
        ValueError, match=r"^There is no detector\.pt in .*; expected .*; finish les"
    ):
        load(tmp_path)


REFUSED = r"^.*detector\.pt cannot be read \(.+\); expected a detector as training writes it; train"


def test_a_file_that_is_damaged_anywhere(tmp_path):
    path = detector(word="stop").save(tmp_path) / "detector.pt"
    whole = path.read_bytes()
    rng, refused, trials = np.random.default_rng(0), 0, 60
    for place in rng.integers(len(whole), size=trials):
        for damaged in (
            whole[:place],
            whole[:place] + bytes([whole[place] ^ (1 << rng.integers(8))]) + whole[place + 1 :],
        ):
            path.write_bytes(damaged)
            try:
                found = load(tmp_path)
            except ValueError as error:
                assert "detector.pt cannot be read (" in str(error) and "\n" not in str(error)
                refused += 1
            else:  # between the parts of the archive nothing matters
                assert found.word == "stop"
                assert all(map(torch.equal, states(found).values(), states(detector()).values()))
    assert refused > 1.5 * trials


def other_files(content: dict) -> dict:
    """What else torch.save may have written there."""
    record = json.loads(content["record"])
    weights = content["weights"]

    def with_record(**changes):
        return content | {"record": json.dumps(record | changes)}

    return {
        "a list": [1, 2],
        "weights": weights,
        "another format": content | {"format": "trigger word detector 0"},
        "no record": {"format": content["format"]},
        "a record that is text": content | {"record": "hello"},
        "a record that is a number": content | {"record": "5"},
        "a record that is a list": content | {"record": "[1]"},
        "an unknown front end": with_record(front_end={"kind": "mfcc"}),
        "an unknown setting": with_record(volume=11),
        "another size": with_record(size=record["size"] | {"units": 7}),
        "an impossible size": with_record(size=record["size"] | {"units": 0}),
        "other bins": with_record(front_end=record["front_end"] | {"n_mels": 11}),
        "weights that are missing": content | {"weights": dict(list(weights.items())[:5])},
        "weights that are none": content | {"weights": [1]},
    }


def test_other_files_of_torch(tmp_path):
    path = detector().save(tmp_path) / "detector.pt"
    content = torch.load(path, weights_only=True)
    for name, other in other_files(content).items():
        torch.save(other, path)
        with pytest.raises(ValueError, match=REFUSED):
            load(tmp_path)
            pytest.fail(name)
    torch.save(content, path)
    assert load(tmp_path).sample_rate == RATE


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


def test_a_file_that_would_run_code(tmp_path):
    path = detector().save(tmp_path) / "detector.pt"
    content = torch.load(path, weights_only=True)
    torch.save(content | {"more": Trap(tmp_path / "caught")}, path)
    with pytest.raises(ValueError, match=REFUSED):
        load(tmp_path)
    assert not (tmp_path / "caught").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "caught").exists(), "the trap works"


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x02}q\x00."])
def test_other_files(tmp_path, content):
    (tmp_path / "detector.pt").write_bytes(content)
    with pytest.raises(ValueError, match=REFUSED):
        load(tmp_path)
