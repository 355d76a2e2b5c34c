"""Labelling sound files, from Python and from the command line."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
from small_recognisers import HERTZ, LABELS, RATE, beeps, untrained

from course_utils import audio
from course_utils.models.speech_commands import export
from course_utils.models.speech_commands.__main__ import main
from course_utils.models.speech_commands.labelling import Labelled, label_folder, label_wav

SOUND = beeps(1, seed=30)[0][0]


class Fixed:
    """A recogniser that says the same of every sound, and remembers what it was given."""

    def __init__(self, **scores):
        self.scores, self.heard = scores, []

    def predict(self, samples, sample_rate):
        self.heard.append((len(samples), sample_rate))
        return self.scores


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "beep.wav"
    audio.save(path, SOUND, RATE)
    return path


@pytest.fixture
def sounds(tmp_path):
    """Two good files, two bad ones, and two that are no sound."""
    folder = tmp_path / "sounds"
    (folder / "inside.wav").mkdir(parents=True)
    soundfile.write(folder / "b.flac", SOUND, RATE)
    audio.save(folder / "a.WAV", SOUND, RATE)
    audio.save(folder / "long.wav", np.tile(SOUND, 3), RATE)
    (folder / "c.wav").write_bytes(b"RIFF")
    (folder / "notes.txt").write_text("left")
    return folder


@pytest.fixture(scope="module")
def tflite(recogniser, tmp_path_factory):
    return export.tflite(recogniser, tmp_path_factory.mktemp("tflite") / "model.tflite")


def test_labels_come_best_first_and_equal_ones_in_their_order(sound):
    found = label_wav(Fixed(a=0.1, b=0.3, c=0.2, d=0.3, e=0.1), sound, count=4)
    assert found == [("b", 0.3), ("d", 0.3), ("c", 0.2), ("a", 0.1)]


def test_three_labels_are_given_and_never_more_than_there_are(sound):
    four = Fixed(a=0.4, b=0.3, c=0.2, d=0.1)
    assert len(label_wav(four, sound)) == 3
    assert len(label_wav(four, str(sound), count=9)) == 4
    assert four.heard == [(len(SOUND), RATE)] * 2


def test_a_recogniser_labels_what_it_learned(recogniser, tmp_path):
    time = np.arange(22050) / 44100
    audio.save(tmp_path / "x.wav", 0.2 * np.sin(2 * np.pi * HERTZ[3] * time), 44100)
    assert label_wav(recogniser, tmp_path / "x.wav", count=1)[0][0] == "high"


def test_a_bad_file_is_refused(tmp_path):
    with pytest.raises(audio.AudioError, match=r"none\.wav does not exist"):
        label_wav(Fixed(a=1.0), tmp_path / "none.wav")


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_below_one_is_refused(sound, count):
    for label, where in ((label_wav, sound), (label_folder, sound.parent)):
        with pytest.raises(ValueError, match=f"count is {count}; expected at least 1"):
            label(Fixed(a=1.0), where, count)


def test_a_folder_gives_one_result_for_each_sound_file_sorted(recogniser, sounds):
    results = label_folder(recogniser, sounds, count=2)
    assert [result.path.name for result in results] == ["a.WAV", "b.flac", "c.wav", "long.wav"]
    good, also, broken, long = results
    assert good == Labelled(sounds / "a.WAV", label_wav(recogniser, sounds / "a.WAV", 2), "")
    assert [label for label, _ in also.best] == [label for label, _ in good.best]
    assert broken.best == long.best == []
    assert "c.wav is not audio" in broken.error
    assert "long.wav: The sound lasts 1.5 s; expected at most 0.5 s" in long.error


def test_a_folder_without_sound_is_refused(tmp_path):
    for folder, found in ((tmp_path, "holds no sound file"), (tmp_path / "none", "is no folder")):
        with pytest.raises(ValueError, match=rf"{found}; expected files that end in \.wav, "):
            label_folder(Fixed(a=1.0), folder)


def lines_of(best):
    return [f"{label} (score = {score:.5f})" for label, score in best]


def test_the_command_prints_lines_like_the_sources_label_wav(run_folder, recogniser, sound, capsys):
    assert main(["label", str(run_folder), str(sound)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == lines_of(label_wav(recogniser, sound))
    assert len(said.out.splitlines()) == 3
    assert said.err == ""


def test_for_a_folder_the_command_prints_file_names_and_goes_on(tflite, recogniser, sounds, capsys):
    assert main(["label", str(tflite), str(sounds), "--count", "1"]) == 0
    said = capsys.readouterr()
    best = lines_of(label_wav(recogniser, sounds / "a.WAV", 1))
    assert said.out.splitlines() == ["a.WAV", *best, "b.flac", *best, "c.wav", "long.wav"]
    broken, long = said.err.splitlines()
    assert "c.wav is not audio" in broken and "long.wav: The sound lasts 1.5 s" in long


def test_it_fails_when_nothing_could_be_labelled(tflite, sounds, tmp_path, capsys):
    for name in ("a.WAV", "b.flac"):
        (sounds / name).unlink()
    for where in (sounds, sounds / "c.wav", tmp_path / "none.wav", sounds / "inside.wav"):
        assert main(["label", str(tflite), str(where)]) == 1
        said = capsys.readouterr()
        assert "(score" not in said.out
        assert said.err.strip().endswith(".") and "Traceback" not in said.err


@pytest.mark.parametrize("model", ["nowhere", "nowhere.tflite"])
def test_it_fails_without_a_model(model, sound, capsys):
    assert main(["label", model, str(sound)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("There is no ") and len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--cuont", "2"], "unrecognized arguments: --cuont 2"),
        (["--cou", "2"], "unrecognized arguments: --cou 2"),
        (["--count", "0"], "argument --count: 0 is too few; expected at least 1"),
        (["--count", "two"], "argument --count: invalid"),
        (["more.wav"], "unrecognized arguments: more.wav"),
    ],
)
def test_options_that_do_not_exist_are_refused(more, sentence, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["label", "model", "sound.wav", *more])
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err


def test_without_a_command_it_says_how_it_is_used(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "python -m course_utils.models.speech_commands" in capsys.readouterr().err


def run(*arguments):
    command = [sys.executable, "-m", "course_utils.models.speech_commands", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_as_a_program_with_a_run_folder_of_a_network_with_its_own_layer(sound, tmp_path):
    """Also: in a fresh process, Keras finds the layer that this package defines."""
    recogniser = untrained("low_latency_svdf")
    answer = run("label", recogniser.save(tmp_path / "run"), sound, "--count", len(LABELS))
    assert (answer.returncode, answer.stderr) == (0, "")
    printed = dict(line[:-1].split(" (score = ") for line in answer.stdout.splitlines())
    found = {label: float(score) for label, score in printed.items()}
    assert found == pytest.approx(recogniser.predict(*audio.load(sound)), abs=2e-5)


def test_as_a_program_with_an_exported_file(tflite, sound, recogniser):
    answer = run("label", tflite, sound)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == lines_of(label_wav(recogniser, sound))
    assert run("label", "nowhere.tflite", sound).returncode == 1
