"""On Colab, or what stands in for it: its modules, a machine with a GPU, a Drive."""

import sys
from types import ModuleType

import pytest

from course_utils import colab, lesson, machine, places, scale

NAME = "01_spectrograms_and_mfccs"
WITH_GPU = {
    "system": "Linux x86_64",
    "cores": 2,
    "memory_gib": 12.7,
    "free_disk_gib": 70.0,
    "gpu": "Tesla T4, 15360 MiB",
}


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """Colab's modules; what is asked of them is in the list."""
    asked = []
    output, drive = ModuleType("google.colab.output"), ModuleType("google.colab.drive")
    output.enable_custom_widget_manager = lambda: asked.append("widgets")

    def mount(folder):
        asked.append(f"mount {folder}")
        (tmp_path / "drive" / "MyDrive").mkdir(parents=True)

    drive.mount = mount
    for module in (ModuleType("google.colab"), output, drive):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(colab, "DRIVE", tmp_path / "drive")
    monkeypatch.setattr(machine, "hardware", lambda: WITH_GPU)
    for name in (places.DATA_ROOT, "COURSE_SCALE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(places.RUNS_ROOT, str(tmp_path / "runs"))
    return asked


def test_elsewhere_a_lesson_says_nothing_of_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(places.RUNS_ROOT, str(tmp_path))
    assert not colab.here()
    lesson.begin(NAME)
    assert capsys.readouterr().out.count("\n") == 1
    lesson.begin(NAME, drive=True)
    assert "There is no Drive here" in capsys.readouterr().out


def test_widgets_work_and_the_machine_is_told(stub, capsys):
    this = lesson.begin(NAME)
    told = capsys.readouterr().out
    assert stub == ["widgets"]
    assert "GPU: Tesla T4, 15360 MiB." in told and 'scale="full" in the set-up cell' in told
    # Hours of work and gigabytes of data begin only when somebody asks for them.
    assert this.settings == scale.settings(NAME) and scale.current() == "mini"


@pytest.mark.parametrize(("asked", "given"), [("laptop", "laptop"), ("fitting", "full")])
def test_a_scale_can_be_asked_for(stub, asked, given, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "mini")  # so that it is put back afterwards
    this = lesson.begin(NAME, scale=asked)
    assert scale.current() == given and this.settings == scale.settings(NAME)


def test_an_unknown_scale_is_said(stub, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "mini")
    with pytest.raises(ValueError, match="COURSE_SCALE is 'huge', but the scales are mini"):
        lesson.begin(NAME, scale="huge")


def test_data_and_work_go_to_drive_if_asked(stub, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(places.DATA_ROOT, "")
    for name in (places.DATA_ROOT, places.RUNS_ROOT):
        monkeypatch.delenv(name)
    this = lesson.begin(NAME, drive=True)
    mine = tmp_path / "drive" / "MyDrive"
    assert stub == ["widgets", f"mount {tmp_path / 'drive'}"]
    assert this.runs == mine / "course_runs" / NAME and this.runs.is_dir()
    assert places.data_root() == mine / "course_data"
    assert str(mine / "course_data") in capsys.readouterr().out
