"""From raw sound to scores by label, for sounds of every kind; saving and loading."""

import re
import shutil

import keras
import numpy as np
import pytest
from small_recognisers import HERTZ, LABELS, LENGTH, RATE, example_set, front_end, untrained

from course_utils import audio
from course_utils.audio import AudioError
from course_utils.datasets.speech_commands import batches
from course_utils.models import speech_commands as models
from course_utils.models.speech_commands.recogniser import Recogniser


def beep(sample_rate=RATE, seconds=0.5, hertz=HERTZ[3]):
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (0.2 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def as_array(scores):
    return np.array(list(scores.values()))


def test_scores_are_probabilities_in_the_order_of_the_labels(recogniser):
    scores = recogniser.predict(beep(), RATE)
    assert tuple(scores) == LABELS
    assert all(type(score) is float and 0 <= score <= 1 for score in scores.values())
    assert sum(scores.values()) == pytest.approx(1, abs=1e-6)


def test_it_has_learned_what_the_tests_below_rely_on(recogniser):
    best = {hertz: max(s := recogniser.predict(beep(hertz=hertz), RATE), key=s.get)
            for hertz in HERTZ.values()}  # fmt: skip
    assert best == {HERTZ[number]: LABELS[number] for number in HERTZ}


def test_one_model_holds_front_end_network_and_softmax(recogniser):
    sounds = np.stack([beep(hertz=hertz) for hertz in HERTZ.values()])
    logits = recogniser.network(recogniser.front_end(sounds), training=False)
    expected = keras.ops.softmax(logits)
    np.testing.assert_allclose(recogniser.model(sounds, training=False), expected, atol=1e-6)


def test_a_shorter_clip_is_padded_at_its_end(recogniser):
    short = beep(seconds=0.3)
    padded = np.pad(short, (0, LENGTH - len(short)))
    in_front = np.pad(short, (LENGTH - len(short), 0))
    found = as_array(recogniser.predict(short, RATE))
    np.testing.assert_array_equal(found, as_array(recogniser.predict(padded, RATE)))
    assert not np.array_equal(found, as_array(recogniser.predict(in_front, RATE)))


@pytest.mark.parametrize("sample_rate", [16000, 44100, 6000])
def test_another_rate_is_resampled(recogniser, sample_rate):
    sound = beep(sample_rate)
    found = as_array(recogniser.predict(sound, sample_rate))
    resampled = audio.resample(sound, sample_rate, RATE)
    np.testing.assert_array_equal(found, as_array(recogniser.predict(resampled, RATE)))
    np.testing.assert_allclose(found, as_array(recogniser.predict(beep(), RATE)), atol=0.05)


def test_one_sample_too_many_after_resampling_is_cut(recogniser):
    sound = beep(22050, seconds=LENGTH / RATE + 1 / 22050)
    sound = np.append(sound, sound[-1:])
    resampled = audio.resample(sound, 22050, RATE)
    assert len(resampled) == LENGTH + 1
    found = as_array(recogniser.predict(sound, 22050))
    cut = as_array(recogniser.predict(resampled[:LENGTH], RATE))
    np.testing.assert_array_equal(found, cut)


def test_a_longer_sound_is_refused(recogniser):
    sentence = r"The sound lasts 0\.50025 s; expected at most 0\.5 s, .*cut the word out"
    with pytest.raises(AudioError, match=sentence):
        recogniser.predict(beep(seconds=(LENGTH + 2) / RATE), RATE)


@pytest.mark.parametrize(
    ("samples", "sample_rate", "sentence"),
    [
        (np.full(LENGTH, np.nan, np.float32), RATE, "holds NaN or infinity"),
        (np.zeros((LENGTH, 2), np.float32), RATE, "average channels"),
        (np.zeros(LENGTH, np.int16), RATE, "divide 16-bit integers by 32768"),
        (np.full(LENGTH, 3.0), RATE, "has a peak of 3"),
        (np.zeros(0, np.float32), RATE, "holds no samples"),
        (np.zeros(LENGTH, np.float32), 0, "has a rate of 0 Hz"),
    ],
    ids=["nan", "stereo", "integers", "loud", "empty", "no rate"],
)
def test_unfit_sounds_are_refused(recogniser, samples, sample_rate, sentence):
    with pytest.raises(AudioError, match=sentence):
        recogniser.predict(samples, sample_rate)


def test_many_clips_score_like_each_alone_silence_as_it_was_drawn(recogniser):
    examples = example_set(25, seed=5)
    scores = recogniser.scores(examples, batch_size=10, seed=4)
    heard = batches.heard(examples, seed=4)
    alone = np.stack([as_array(recogniser.predict(clip, RATE)) for clip in heard])
    assert scores.shape == (25, len(LABELS)) and scores.dtype == np.float32
    np.testing.assert_allclose(scores, alone, atol=1e-5)
    assert np.any((scores > 0.1) & (scores < 0.9))
    silent = examples.classes == 0
    other = recogniser.scores(examples, batch_size=10, seed=5)
    np.testing.assert_array_equal(other[~silent], scores[~silent])
    assert abs(other[silent] - scores[silent]).max() > 1e-4


def test_logits_are_scores_before_the_softmax(recogniser):
    examples = example_set(7, seed=6)
    logits = recogniser.logits(examples)
    np.testing.assert_allclose(
        np.asarray(keras.ops.softmax(logits)), recogniser.scores(examples), atol=1e-6
    )
    assert abs(logits).max() > 1


def test_clips_of_another_rate_are_refused(recogniser):
    other = Recogniser(
        front_end(sample_rate=16000, clip_duration_ms=250, window_ms=15, stride_ms=10),
        models.build("single_fc", (24, 20), len(LABELS)), LABELS,
    )  # fmt: skip
    assert other.front_end.samples == LENGTH
    sentence = "The clips have 4000 samples at 8000 Hz; expected 4000 at 16000 Hz"
    with pytest.raises(ValueError, match=sentence):
        other.scores(example_set(2, seed=0))


@pytest.mark.parametrize("labels", [LABELS[:3], (*LABELS[:3], "low"), (*LABELS, "more")])
def test_labels_that_are_not_those_of_the_network_are_refused(labels):
    network = models.build("single_fc", front_end().output_size, len(LABELS))
    sentence = f"found {len(labels)} labels, {len(set(labels))} of them different, .* 4 outputs"
    with pytest.raises(ValueError, match=sentence):
        Recogniser(front_end(), network, labels)


def test_a_saved_recogniser_comes_back_with_the_same_scores(recogniser, run_folder):
    again = models.load(run_folder)
    assert (again.labels, again.sample_rate) == (LABELS, RATE)
    assert again.front_end.settings == recogniser.front_end.settings
    for hertz in HERTZ.values():
        assert again.predict(beep(hertz=hertz), RATE) == recogniser.predict(beep(hertz=hertz), RATE)
    assert sorted(path.name for path in run_folder.iterdir()) == ["labels.txt", "model.keras"]


@pytest.mark.parametrize("kind", ["mfcc", "average", "micro"])
def test_every_front_end_comes_back(kind, tmp_path):
    before = untrained("single_fc", kind)
    after = models.load(before.save(tmp_path / kind))
    assert as_array(before.predict(beep(), RATE)) == pytest.approx(
        as_array(after.predict(beep(), RATE)), abs=1e-7
    )


def test_saving_again_replaces_what_was_there(recogniser, tmp_path):
    untrained("tiny_conv").save(tmp_path)
    recogniser.save(str(tmp_path))
    assert models.load(tmp_path).predict(beep(), RATE) == recogniser.predict(beep(), RATE)


@pytest.fixture
def copy(run_folder, tmp_path):
    """The folder of a run that a test may spoil."""
    return shutil.copytree(run_folder, tmp_path / "run")


def test_a_folder_without_a_model_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=r"no model\.keras in .+finish lesson 02"):
            models.load(folder)


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-100], flipped, lambda content: b"", lambda content: b"PK\x03\x04"],
    ids=["cut", "flipped", "empty", "another zip"],
)
def test_a_damaged_model_is_refused(copy, damage):
    file = copy / "model.keras"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"model\.keras cannot be read \(.+train it again"):
        models.load(copy)


def test_a_model_of_another_kind_is_refused(copy):
    models.build("conv", (24, 20), len(LABELS)).save(copy / "model.keras")
    with pytest.raises(ValueError, match="it is another kind of model"):
        models.load(copy)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "is missing or cannot be read; expected the labels"),
        (b"\xff\xfe\x00\x01", "is missing or is no text"),
        (b"", "found 0 labels, 0 of them different"),
        (b"low\nhigh\n", "found 2 labels, 2 of them different, for a model with 4 outputs"),
        (b"a\nb\nlow\nlow\n", "found 4 labels, 3 of them different"),
    ],
    ids=["missing", "binary", "empty", "too few", "twice"],
)
def test_wrong_labels_are_refused(copy, text, sentence):
    file = copy / "labels.txt"
    file.unlink() if text is None else file.write_bytes(text)
    with pytest.raises(ValueError, match=rf"labels\.txt.*{re.escape(sentence)}"):
        models.load(copy)


def test_labels_may_come_from_another_editor(copy):
    (copy / "labels.txt").write_bytes(b"\xef\xbb\xbf a\r\nb \r\nzw\xc3\xb6lf\r\nd")
    assert models.load(copy).labels == ("a", "b", "zwölf", "d")
