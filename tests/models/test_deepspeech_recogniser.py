"""The whole speech recogniser: one sound, many, and back from disk."""

import json
import math
import os
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_deepspeech import (
    LETTERS,
    RATE,
    TINY,
    TINY_SOURCE,
    front_end,
    network,
    noise,
    one_thread,  # noqa: F401
    recogniser,
)

from course_utils import audio, decoding
from course_utils.features.text import Alphabet
from course_utils.models import deepspeech
from course_utils.models.deepspeech import FrontEnd, Net, Recogniser, load

SOUND = noise(2 * RATE) * np.abs(np.sin(np.arange(2 * RATE) / 900)).astype(np.float32)


def states(found: Recogniser) -> dict:
    return found.network.state_dict()


# ---------------------------------------------------------------- one sound


@pytest.mark.parametrize("size", [TINY, TINY_SOURCE])
def test_log_probs_are_what_front_end_and_network_give(size):
    found = recogniser(size=size)
    table = torch.from_numpy(found.front_end(SOUND))[None]
    with torch.no_grad():
        expected, steps = found.network(table, torch.tensor([table.shape[1]]))
    log_probs = found.log_probs(SOUND, RATE)
    assert log_probs.dtype == np.float32 and log_probs.shape == (steps[0], 11)
    np.testing.assert_allclose(log_probs, expected[0], atol=1e-6)
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, atol=1e-5)


def test_prediction_is_greedy_decoding():
    found = recogniser(seed=1)  # who writes some letters
    log_probs = found.log_probs(SOUND, RATE)
    text = decoding.greedy(log_probs[None], [len(log_probs)], LETTERS)[0]
    assert found.predict(SOUND, RATE) == text and len(text) > 2


@pytest.mark.parametrize("samples", [200, 201, 279, 280, 519, 520, 16_000, 16_001])
def test_steps_for_every_length(samples):
    """Frames as many as fit, and one step for each four of them, begun ones counted."""
    found, frames = recogniser(), 1 + (samples - 200) // 80
    assert found.log_probs(noise(samples), RATE).shape == (math.ceil(frames / 4), 11)


def test_seconds_per_step():
    assert recogniser().seconds_per_step == pytest.approx(0.04)
    assert recogniser(size=TINY_SOURCE).seconds_per_step == pytest.approx(0.02)
    found = Recogniser(FrontEnd(), Net())
    assert found.seconds_per_step == pytest.approx(0.04) and found.sample_rate == 16_000
    assert len(found.log_probs(noise(160_000), 16_000)) * 0.04 == pytest.approx(10, abs=0.04)


def test_a_short_sound_says_nothing():
    found = recogniser()
    for samples in (1, 100, 199):
        log_probs = found.log_probs(noise(samples), RATE)
        assert log_probs.shape == (0, 11) and log_probs.dtype == np.float32
        assert found.predict(noise(samples), RATE) == ""


def test_silence_gives_finite_numbers():
    assert np.isfinite(recogniser().log_probs(np.zeros(RATE, np.float32), RATE)).all()


@pytest.mark.parametrize("rate", [16_000, 44_100, 4_000])
def test_another_rate_is_resampled(rate):
    found, sound = recogniser(), noise(2 * rate) * np.float32(0.5)
    again = audio.resample(sound, rate, RATE)
    np.testing.assert_array_equal(found.log_probs(sound, rate), found.log_probs(again, RATE))
    assert found.predict(sound, rate) == found.predict(again, RATE) != ""


@pytest.mark.parametrize(
    "samples, words",
    [
        (np.zeros((100, 2), np.float32), "average channels"),
        (np.zeros(100, np.int16), "divide 16-bit integers"),
        (np.full(900, math.nan, np.float32), "holds NaN or infinity"),
        (np.full(900, 1.5, np.float32), r"has a peak of 1\.5"),
        (np.zeros(0, np.float32), "holds no samples"),
    ],
)
def test_unfit_sounds(samples, words):
    found = recogniser()
    for method in (found.log_probs, found.predict):
        with pytest.raises(audio.AudioError, match=words):
            method(samples, RATE)
        with pytest.raises(audio.AudioError, match=r"has a rate of 0 Hz; expected"):
            method(SOUND, 0)
    with pytest.raises(audio.AudioError, match=rf"^The sound at place 1 .*{words}"):
        found.transcribe([(SOUND, RATE), (samples, RATE)])


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays_as_it_was(training):
    found = Recogniser(front_end(), network(replace(TINY, dropout=0.5)), LETTERS)
    found.network.train(training)
    one, other = found.log_probs(SOUND, RATE), found.transcribe([(SOUND, RATE)])[0]
    np.testing.assert_array_equal(one, other)  # no dropout
    assert all(module.training == training for module in found.network.modules())


def test_the_mode_stays_as_it_was_after_an_error(monkeypatch):
    found = recogniser()
    found.network.train()
    monkeypatch.setattr(found.network, "forward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        found.log_probs(SOUND, RATE)
    assert found.network.training


def test_no_gradients_are_kept(monkeypatch):
    found, forward, seen = recogniser(), Net.forward, []

    def watched(self, *args):
        seen.append(torch.is_inference_mode_enabled())
        return forward(self, *args)

    monkeypatch.setattr(Net, "forward", watched)
    found.predict(SOUND, RATE)
    assert seen == [True] and not torch.is_inference_mode_enabled()


# ---------------------------------------------------------------- many sounds


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 4000), max_size=9), st.integers(1, 5),
       st.sampled_from([TINY, TINY_SOURCE]))  # fmt: skip
def test_many_are_what_each_is_alone(lengths, batch_size, size):
    """Too short ones among them, in the order given."""
    found = recogniser(size=size)
    sounds = [(noise(length, seed), RATE) for seed, length in enumerate(lengths)]
    many = found.transcribe(iter(sounds), batch_size)
    assert len(many) == len(sounds)
    for log_probs, sound in zip(many, sounds, strict=True):
        alone = found.log_probs(*sound)
        assert log_probs.shape == alone.shape and log_probs.dtype == np.float32
        np.testing.assert_allclose(log_probs, alone, atol=1e-4)


def test_batches_hold_sounds_of_like_length(monkeypatch):
    """By seconds, whatever their rates."""
    found, given_lengths, forward = recogniser(), [], Net.forward

    def watched(self, frames, lengths):
        given_lengths.append(lengths.tolist())
        return forward(self, frames, lengths)

    monkeypatch.setattr(Net, "forward", watched)
    seconds, rates = [0.5, 0.1, 0.4, 0.2, 0.3], [8000, 32_000, 8000, 16_000, 8000]
    found.transcribe([(noise(int(s * r)), r) for s, r in zip(seconds, rates, strict=True)], 2)
    assert given_lengths == [[8, 18], [28, 38], [48]]


def test_no_sounds_and_nothing_but_short_ones():
    found = recogniser()
    assert found.transcribe([]) == []
    assert [len(each) for each in found.transcribe([(noise(9), RATE)] * 3, 2)] == [0, 0, 0]


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, None])
def test_an_impossible_batch_size(batch_size):
    sentence = rf"^batch_size is {batch_size}; expected a whole number from 1 up; 16 is usual\.$"
    with pytest.raises(ValueError, match=sentence):
        recogniser().transcribe([], batch_size)


# ---------------------------------------------------------------- parts that do not fit


def test_another_number_of_bins():
    sentence = (
        r"^The network expects frames of 12 bins and the front end gives 64; expected the same"
        r" number; build both for one another\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        Recogniser(FrontEnd(), network(), LETTERS)


def test_another_number_of_classes():
    sentence = (
        r"^The network tells 11 classes apart and the alphabet has 29, its blank among them;"
        r" expected the same number; build both for one another\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        Recogniser(front_end(), network())


# ---------------------------------------------------------------- to disk and back


@pytest.mark.parametrize("size", [TINY, TINY_SOURCE, replace(TINY, strides=(3, 1, 2))])
def test_saved_and_loaded(tmp_path, size):
    made = Recogniser(front_end(low_hz=50.5), network(size), Alphabet("hgfedcba '", blank=4))
    found = load(made.save(tmp_path / "deep" / "run"))
    assert found.front_end == made.front_end and found.network.size == size
    assert found.alphabet == made.alphabet and not found.network.training
    np.testing.assert_array_equal(found.log_probs(SOUND, RATE), made.log_probs(SOUND, RATE))
    assert found.predict(SOUND, RATE) == made.predict(SOUND, RATE)
    assert [path.name for path in (tmp_path / "deep" / "run").iterdir()] == ["recogniser.pt"]


def test_saving_again_replaces_it_or_leaves_it(tmp_path, monkeypatch):
    recogniser(seed=1).save(tmp_path)
    recogniser(seed=2).save(tmp_path)

    def assert_second():
        assert all(
            map(torch.equal, states(load(tmp_path)).values(), states(recogniser(2)).values())
        )

    def cut_short(content, path):
        path.write_bytes(b"half")
        raise OSError("no space left")

    assert_second()
    monkeypatch.setattr(torch, "save", cut_short)
    with pytest.raises(OSError, match="no space left"):
        recogniser(seed=3).save(tmp_path)
    assert_second()
    assert [path.name for path in tmp_path.iterdir()] == ["recogniser.pt"]


def test_the_alphabet_that_is_asked_for(tmp_path):
    recogniser().save(tmp_path)
    assert load(tmp_path, Alphabet("' abcdefgh")).alphabet == LETTERS
    for other in (Alphabet("' hgfedcba"), Alphabet("' abcdefgh", blank=0), Alphabet("ab")):
        with pytest.raises(ValueError) as caught:
            load(tmp_path, other)
        text = str(caught.value)
        assert 'recogniser.pt writes in Alphabet(characters="\' abcdefgh", blank=10);' in text
        assert f"; expected {other}, " in text and "\n" not in text
        assert text.endswith("; load it without an alphabet, or train one with yours.")


def test_no_recogniser(tmp_path):
    sentence = r"^There is no recogniser\.pt in .*; expected .*; finish lesson 06 or train one the"
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ValueError, match=sentence):
            load(folder)


REFUSED = (
    r"^\S*recogniser\.pt cannot be read \([^\n]+\); expected a recogniser as training writes it;"
    r" train it again\.$"
)


def test_a_file_that_is_damaged_anywhere(tmp_path):
    path = recogniser().save(tmp_path) / "recogniser.pt"
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
                assert "recogniser.pt cannot be read (" in str(error) and "\n" not in str(error)
                refused += 1
            else:  # between the parts of the archive nothing matters
                assert found.alphabet == LETTERS
                assert all(map(torch.equal, states(found).values(), states(recogniser()).values()))
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
        "another format": content | {"format": "trigger word detector 1"},
        "no record": {"format": content["format"]},
        "a record that is text": content | {"record": "hello"},
        "a record that is a number": content | {"record": "5"},
        "a record that is a list": content | {"record": "[1]"},
        "an unknown front end": with_record(front_end={"kind": "mfcc"}),
        "another size": with_record(size=record["size"] | {"units": 7}),
        "an impossible size": with_record(size=record["size"] | {"units": 0}),
        "strides that are a number": with_record(size=record["size"] | {"strides": 2}),
        "other bins": with_record(front_end=record["front_end"] | {"n_mels": 11}),
        "no alphabet": with_record(alphabet=None),
        "an alphabet of other classes": with_record(alphabet=asdict(Alphabet("abc"))),
        "an alphabet with one letter twice": with_record(alphabet={"characters": "aa"}),
        "weights that are missing": content | {"weights": dict(list(weights.items())[:5])},
        "weights that are none": content | {"weights": [1]},
    }


def test_other_files_of_torch(tmp_path):
    path = recogniser().save(tmp_path) / "recogniser.pt"
    content = torch.load(path, weights_only=True)
    for name, other in other_files(content).items():
        torch.save(other, path)
        with pytest.raises(ValueError, match=REFUSED) as caught:
            load(tmp_path)
            pytest.fail(name)
        if name == "an alphabet of other classes":
            assert "tells 11 classes apart and the alphabet has 4" in str(caught.value)
    torch.save(content, path)
    assert load(tmp_path).sample_rate == RATE


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


def test_a_file_that_would_run_code(tmp_path):
    path = recogniser().save(tmp_path) / "recogniser.pt"
    content = torch.load(path, weights_only=True)
    torch.save(content | {"more": Trap(tmp_path / "caught")}, path)
    with pytest.raises(ValueError, match=REFUSED):
        load(tmp_path)
    assert not (tmp_path / "caught").exists()


# ---------------------------------------------------------------- the package


def test_the_front_end_needs_no_framework():
    code = (
        "import sys; from course_utils.models import deepspeech as d; d.FrontEnd();"
        " assert not {'torch', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names():
    assert set(deepspeech.__all__) <= set(dir(deepspeech))
    assert all(getattr(deepspeech, name) is not None for name in deepspeech.__all__)
    with pytest.raises(AttributeError, match=r"has no attribute 'Recognizer'$"):
        deepspeech.Recognizer  # noqa: B018


@pytest.mark.parametrize("name", deepspeech.SIZES)
def test_a_new_one_of_each_size(name):
    found = deepspeech.new(name, Alphabet("abc"))
    assert found.network.size == replace(deepspeech.SIZES[name], classes=4)
    frames = found.front_end(np.random.default_rng(0).uniform(-1, 1, 16000).astype(np.float32))
    assert frames.shape == (found.front_end.frames_in(16000), found.network.size.n_mels)


def test_a_size_that_is_not_there():
    with pytest.raises(ValueError, match="no recogniser 'huge'; choose one of mini, small, source"):
        deepspeech.new("huge")
