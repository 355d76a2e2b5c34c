"""Where things lie, from a checkout, from a wheel and from the notebooks' own folder."""

from pathlib import Path

import pytest

from course_utils import places


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout, its ``notebooks`` the current folder, no environment variable set."""
    for name in (places.DATA_ROOT, places.RUNS_ROOT):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "course"
    for folder in ("course_utils", "data", "notebooks"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").touch()
    monkeypatch.setattr(places, "_package", lambda: root / "course_utils")
    monkeypatch.chdir(root / "notebooks")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return root


def test_a_checkout_keeps_everything_in_its_own_folder(checkout):
    assert places.project_root() == checkout
    assert places.shipped() == checkout / "data"
    assert places.cache() == places.data_root() == checkout / "data_cache"
    assert places.runs("02_x") == checkout / "runs" / "02_x"
    assert not places.cache().exists() and not places.runs("02_x").exists()


def test_a_wheel_ships_its_data_inside_and_works_in_the_current_folder(checkout):
    (checkout / "pyproject.toml").unlink()
    assert places.project_root() == Path.cwd() == checkout / "notebooks"
    assert places.shipped() == checkout / "course_utils" / "_data"
    assert places.cache() == checkout / "notebooks" / "data_cache"


def test_the_package_under_test_is_a_checkout():
    assert (places.project_root() / "course_utils" / "places.py").is_file()


def test_a_relative_data_root_is_looked_for_here_and_then_in_the_project(checkout, monkeypatch):
    monkeypatch.setenv(places.DATA_ROOT, "real")
    (checkout / "real").mkdir()
    assert places.data_root() == checkout / "real"
    (checkout / "notebooks" / "real").mkdir()
    assert places.data_root() == checkout / "notebooks" / "real"
    monkeypatch.setenv(places.DATA_ROOT, "../real")
    assert places.data_root() == checkout / "real"


def test_a_tilde_in_the_data_root_is_the_home_folder(checkout, monkeypatch):
    (checkout.parent / "home" / "sound").mkdir(parents=True)
    monkeypatch.setenv(places.DATA_ROOT, "~/sound")
    assert places.data_root() == checkout.parent / "home" / "sound"


def test_an_empty_data_root_counts_as_unset(checkout, monkeypatch):
    monkeypatch.setenv(places.DATA_ROOT, "")
    assert places.data_root() == places.cache()


@pytest.mark.parametrize(("made", "said"), [(False, "missing"), (True, "not a folder")])
def test_a_wrong_data_root_is_an_error(checkout, monkeypatch, made, said):
    if made:
        (checkout / "nowhere").touch()
    monkeypatch.setenv(places.DATA_ROOT, "nowhere")
    with pytest.raises(ValueError, match=rf"COURSE_DATA_ROOT is 'nowhere', which is {said}: .*"):
        places.data_root()


def test_runs_can_be_moved(checkout, monkeypatch):
    monkeypatch.setenv(places.RUNS_ROOT, str(checkout / "elsewhere"))
    assert places.runs("02_x") == checkout / "elsewhere" / "02_x"
    monkeypatch.setenv(places.RUNS_ROOT, "out")
    assert places.runs("02_x") == checkout / "out" / "02_x"


@pytest.mark.parametrize("lesson", ["", "..", "a/b", "a\\b", "/tmp", "C:x"])
def test_a_lesson_is_a_plain_name(checkout, lesson):
    with pytest.raises(ValueError, match="not a plain name"):
        places.runs(lesson)


def test_shown_paths_are_never_absolute(checkout, monkeypatch):
    assert places.shown(checkout / "data" / "a.json") == "data/a.json"
    assert places.shown(checkout) == "."
    assert places.shown(Path("x.wav")) == "notebooks/x.wav"
    assert places.shown("~/music") == "~/music"
    assert places.shown(checkout.parent / "far" / "away" / "x.wav") == "…/away/x.wav"
    assert places.shown("/") == "…"
    monkeypatch.setenv(places.DATA_ROOT, str(checkout.parent / "far"))
    assert places.shown(checkout.parent / "far" / "away") == "$COURSE_DATA_ROOT/away"
    assert places.shown(checkout.parent / "far") == "$COURSE_DATA_ROOT"


def test_a_home_at_the_top_of_the_disk_does_not_make_every_path_absolute(checkout, monkeypatch):
    monkeypatch.setenv("HOME", "/")
    assert places.shown("/opt/sets/words") == "…/sets/words"
