"""Running an exported file: like the recogniser, without TensorFlow, or one clear sentence."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from small_recognisers import LABELS, LENGTH, RATE, beeps

from course_utils import audio
from course_utils.models.speech_commands import export
from course_utils.models.speech_commands.exported import ExportedRecogniser

SOUND = beeps(1, seed=20)[0][0]


@pytest.fixture(scope="module")
def file(recogniser, tmp_path_factory):
    """An exported file that no test changes."""
    return export.tflite(recogniser, tmp_path_factory.mktemp("device") / "model.tflite")


@pytest.fixture(scope="module")
def exported(file):
    return ExportedRecogniser(str(file))


@pytest.fixture
def copy(file, tmp_path):
    """An exported file that a test may spoil."""
    shutil.copy(file.parent / "labels.txt", tmp_path)
    return shutil.copy(file, tmp_path / "copy.tflite")


@pytest.mark.parametrize(
    ("sound", "sample_rate"),
    [
        (SOUND, RATE),
        (SOUND[:1000], RATE),
        (audio.resample(SOUND, RATE, 44100), 44100),
        (np.append(SOUND, SOUND[:1]), RATE),
    ],
    ids=["a clip", "shorter", "another rate", "one sample more"],
)
def test_it_predicts_what_the_recogniser_predicts(exported, recogniser, sound, sample_rate):
    found, expected = (each.predict(sound, sample_rate) for each in (exported, recogniser))
    assert tuple(found) == LABELS == exported.labels
    assert all(type(score) is float for score in found.values())
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("sound", "sample_rate", "sentence"),
    [
        (np.zeros(LENGTH + 2, np.float32), RATE, "expected at most 0.5 s"),
        (np.full(9, np.nan), RATE, "holds NaN"),
        (np.zeros((9, 2)), RATE, "average channels"),
        (SOUND, 3, "has a rate of 3 Hz"),
    ],
    ids=["longer", "nan", "stereo", "no rate"],
)
def test_unfit_sounds_are_refused(exported, sound, sample_rate, sentence):
    with pytest.raises(audio.AudioError, match=sentence):
        exported.predict(sound, sample_rate)


def test_it_runs_without_tensorflow(file, exported):
    code = f"""
import sys
import numpy as np
from course_utils.models.speech_commands.exported import ExportedRecogniser
sound = np.sin(np.arange({LENGTH}) / 2).astype(np.float32) / 4
print(list(ExportedRecogniser({str(file)!r}).predict(sound, {RATE}).values()))
print(sorted({{"tensorflow", "keras", "torch"}} & set(sys.modules)))
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    scores, loaded = answer.stdout.splitlines()
    expected = exported.predict(np.sin(np.arange(LENGTH) / 2).astype(np.float32) / 4, RATE)
    assert json.loads(scores) == pytest.approx(list(expected.values()), abs=1e-6)
    assert loaded == "[]"
    assert answer.stderr == ""


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no file .*none\.tflite; expected .*export one first"):
        ExportedRecogniser(tmp_path / "none.tflite")


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-100], lambda content: b"", lambda content: b"RIFF" * 50],
    ids=["cut", "empty", "another format"],
)
def test_a_damaged_file_is_refused(copy, damage):
    copy.write_bytes(damage(copy.read_bytes()))
    with pytest.raises(ValueError, match=r"copy\.tflite cannot be used \(.+export it again"):
        ExportedRecogniser(copy)


def test_a_file_that_fails_only_when_it_runs_is_refused(copy, monkeypatch):
    def fail(self):
        raise RuntimeError("Input tensor 47 lacks data")

    monkeypatch.setattr(Interpreter, "invoke", fail)
    with pytest.raises(ValueError, match=r"cannot be used \(Input tensor 47 lacks data\)"):
        ExportedRecogniser(copy)


def test_a_file_without_its_rate_is_refused(copy):
    content = copy.read_bytes()
    assert content.count(b"sample_rate") == 1
    copy.write_bytes(content.replace(b"sample_rate", b"sample_tare"))
    with pytest.raises(ValueError, match="it does not say its sample rate"):
        ExportedRecogniser(copy)


def test_a_file_that_takes_no_sound_is_refused(recogniser, copy):
    table = export._converted(recogniser.network, (1, *recogniser.front_end.output_size))
    copy.write_bytes(table)
    with pytest.raises(ValueError, match="does not turn one row of samples into one row of scores"):
        ExportedRecogniser(copy)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "is missing"),
        ("a\nb\n", "found 2 labels, .* 4 outputs"),
        ("a\nb\nc\nc\n", "3 of them"),
    ],
    ids=["missing", "too few", "twice"],
)
def test_wrong_labels_are_refused(copy, text, sentence):
    file = copy.parent / "labels.txt"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(ValueError, match=rf"labels\.txt.* {sentence}"):
        ExportedRecogniser(copy)
