"""How a notebook begins and what it leaves behind."""

import json
import os

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import lesson, machine, places, scale

NAME = "01_spectrograms_and_mfccs"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Where lessons leave their work; mini scale; the style of figures is given back."""
    monkeypatch.setenv("COURSE_RUNS_ROOT", str(tmp_path / "runs"))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    for name in ("COURSE_SCALE", "COURSE_SETTINGS"):
        monkeypatch.delenv(name, raising=False)
    with plt.rc_context():
        yield tmp_path / "runs" / NAME


def results(**more):
    return {
        "metric": "share of words heard right",
        "value": 0.75,
        "n": 40,
        "interval": (0.6, 0.85),
        "data": "speech_commands_mini",
        **more,
    }


def test_a_lesson_begins_with_one_line_and_a_folder(runs, capsys):
    this = lesson.begin(NAME, parity_clips=3)
    said = capsys.readouterr()
    assert said.out == f"Lesson {NAME}, scale mini: {scale.SCALES['mini']}.\n"
    assert said.err == ""
    assert this.runs == runs and runs.is_dir()
    assert this.settings.parity_clips == 3


def test_a_data_folder_that_is_not_there_is_said_and_not_refused(
    runs, monkeypatch, tmp_path, capsys
):
    missing = tmp_path / "not there"
    monkeypatch.setenv(places.DATA_ROOT, str(missing))
    lesson.begin(NAME)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"COURSE_DATA_ROOT is '{missing}', which is missing: ")
    assert "create it" in said[0] and len(said) == 2 and not missing.exists()
    missing.mkdir()
    lesson.begin(NAME)
    assert capsys.readouterr().out.splitlines() == said[1:]


def test_a_lesson_can_be_begun_twice_and_keeps_its_work(runs):
    (lesson.begin(NAME).runs / "model.bin").write_bytes(b"trained")
    assert (lesson.begin(NAME).runs / "model.bin").read_bytes() == b"trained"


def test_a_wrong_setting_leaves_no_folder(runs):
    with pytest.raises(ValueError, match="no setting"):
        lesson.begin(NAME, parity_clip=3)
    assert not runs.exists()


def test_beginning_sets_the_figures_style_and_respects_a_chosen_log_level(runs, monkeypatch):
    with plt.rc_context({"image.cmap": "jet"}):
        lesson.begin(NAME)
        assert plt.rcParams["image.cmap"] == "magma"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "1"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    lesson.begin(NAME)
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"


def test_results_say_what_was_measured_on_what(runs, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "laptop")
    this = lesson.begin(NAME, parity_clips=3)
    path = this.save_results(**results(baseline=0.1))
    found = json.loads(path.read_text(encoding="utf-8"))
    assert path == runs / "results.json"
    assert (found["lesson"], found["scale"]) == (NAME, "laptop")
    assert found["settings"]["parity_clips"] == 3
    assert (found["data"], found["n"]) == ("speech_commands_mini", 40)
    assert (found["metric"], found["value"]) == ("share of words heard right", 0.75)
    assert found["interval_95"] == [0.6, 0.85]
    assert 0 <= found["seconds"] < 60
    assert found["versions"] == machine.versions()
    assert set(found["hardware"]) == set(machine.hardware())
    assert found["baseline"] == 0.1


def test_numbers_from_numpy_are_taken(runs):
    measured = {"value": np.float32(0.5), "n": np.int64(8), "interval": np.array([0.25, 0.75])}
    path = lesson.begin(NAME).save_results(**results(**measured))
    found = json.loads(path.read_text())
    assert (found["value"], found["n"], found["interval_95"]) == (0.5, 8, [0.25, 0.75])


def test_results_take_the_seconds_since_the_beginning(runs, monkeypatch):
    this = lesson.begin(NAME)
    now = lesson.time.monotonic()
    monkeypatch.setattr(lesson.time, "monotonic", lambda: now + 90)
    assert json.loads(this.save_results(**results()).read_text())["seconds"] >= 90


def test_what_json_cannot_hold_leaves_the_old_results(runs):
    this = lesson.begin(NAME)
    old = this.save_results(**results()).read_bytes()
    with pytest.raises(TypeError):
        this.save_results(**results(model=object()))
    assert [path.name for path in runs.iterdir()] == ["results.json"]
    assert (runs / "results.json").read_bytes() == old


@pytest.mark.parametrize("broken", ["replace", "write"])
def test_a_crash_while_writing_leaves_the_old_results(runs, monkeypatch, broken):
    this = lesson.begin(NAME)
    old = this.save_results(**results()).read_bytes()

    def crash(path, *_, **__):
        if broken == "write":  # a full disk: half of it arrives
            path.open("w").write('{"lesson": "01_')
        raise OSError("no space left on device")

    owner, name = (os, "replace") if broken == "replace" else (lesson.Path, "write_text")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space left"):
        patch.setattr(owner, name, crash)
        this.save_results(**results(value=0.99))
    assert (runs / "results.json").read_bytes() == old
    assert [path.name for path in runs.glob("*.json")] == ["results.json"]
    this.save_results(**results(value=0.25))
    assert json.loads((runs / "results.json").read_text())["value"] == 0.25
    assert [path.name for path in runs.iterdir()] == ["results.json"], "a leftover is used up"


def test_a_first_crash_leaves_nothing_that_looks_like_results(runs, monkeypatch):
    this = lesson.begin(NAME)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("crash")))
    with pytest.raises(OSError, match="crash"):
        this.save_results(**results())
    assert not list(runs.glob("*.json"))


def test_a_lesson_keeps_native_noise_out_as_the_machine_module_does():
    assert lesson.quietly is machine.quietly


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(runs, number):
    this = lesson.begin(NAME)
    with pytest.raises(ValueError, match="not JSON compliant"):
        this.save_results(**results(value=number))
    assert not (runs / "results.json").exists()


def test_a_field_that_is_written_anyway_is_refused(runs):
    this = lesson.begin(NAME)
    with pytest.raises(ValueError, match="save_results writes scale, seconds itself"):
        this.save_results(**results(seconds=1, scale="full"))


def test_another_lesson_is_found_when_it_was_finished_at_this_scale(runs, monkeypatch):
    assert lesson._run_of(NAME) is None
    lesson.begin(NAME).save_results(**results())
    assert lesson._run_of(NAME) == runs
    monkeypatch.setenv("COURSE_SCALE", "laptop")
    assert lesson._run_of(NAME) is None


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_damaged_results_of_another_lesson_are_named(runs, content):
    lesson.begin(NAME)
    (runs / "results.json").write_text(content)
    with pytest.raises(ValueError, match=r"results\.json is damaged .*; run that lesson again"):
        lesson._run_of(NAME)


def test_the_recogniser_of_lesson_02_is_the_shipped_one_until_the_lesson_was_run(runs, capsys):
    folder = lesson.command_recogniser()
    assert folder == places.shipped() / "results" / "speech_commands"
    assert (folder / "model.keras").is_file()
    assert capsys.readouterr().out == "recogniser: data/results/speech_commands\n"
    finished = lesson.begin("02_speech_commands_cnn")
    finished.save_results(**results())
    assert lesson.command_recogniser() == finished.runs


@pytest.mark.slow
def test_a_recogniser_that_is_nowhere_is_trained_once(runs, monkeypatch, capsys):
    row = scale.TABLE["02_speech_commands_cnn"]
    monkeypatch.setitem(row, "data_set", ("speech_commands_mini",) * 3)
    monkeypatch.setitem(row, "steps", ([2, 1],) * 3)
    monkeypatch.setattr(lesson, "_SHIPPED_DATA", "none")
    folder = lesson.command_recogniser()
    assert (folder / "model.keras").is_file()
    said = capsys.readouterr().out
    assert "it is trained now" in said and "step" in said
    assert lesson.command_recogniser() == folder
    assert "step" not in capsys.readouterr().out
