"""Files that are whole or not there, whatever happens while they are written."""

import itertools
import signal
import subprocess
import sys
import time

import pytest

from course_utils import files

ENDLESS = """
import sys
from course_utils import files
with files.whole(sys.argv[1]) as unfinished, unfinished.open("w") as file:
    while True:
        file.write("new" * 1000)
"""
READING = """
import pathlib, sys
for _ in range(300):
    print(len(set(pathlib.Path(sys.argv[1]).read_text())))
"""


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_when_the_block_has_ended(tmp_path):
    path = tmp_path / "model.keras"
    for content in ("old", "new"):
        with files.whole(str(path)) as unfinished:
            assert unfinished.parent == tmp_path and unfinished.suffix == ".keras"
            assert unfinished.name.startswith(".")  # nothing that looks for *.keras finds it
            unfinished.write_text(content)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == content and names(tmp_path) == ["model.keras"]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("written", [True, False])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error, written):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error, match="on the way"), files.whole(path) as unfinished:
        if written:
            unfinished.write_text("half of")
        raise error("on the way")
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(FileNotFoundError), files.whole(tmp_path / "a.txt"):
        pass
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OSError), files.whole(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("new")
    assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").is_dir()


@pytest.mark.parametrize("path", ["", "a\0b.txt"])
def test_what_is_no_path(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError), files.whole(path) as unfinished:
        unfinished.write_text("new")
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_what_a_killed_program_leaves_is_used_up(tmp_path):
    path, left = tmp_path / "a.txt", tmp_path / ".unfinished_a.txt"
    path.write_text("old")
    running = subprocess.Popen([sys.executable, "-c", ENDLESS, path])
    deadline = time.monotonic() + 60
    while not (left.exists() and left.stat().st_size):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert path.read_text() == "old" and left.stat().st_size
    with files.whole(path) as unfinished:
        unfinished.write_text("newer")
    assert path.read_text() == "newer" and names(tmp_path) == ["a.txt"]


def test_a_reader_never_sees_half_of_it(tmp_path):
    path = tmp_path / "a.txt"
    contents = [letter * 10**5 for letter in "ab"]
    path.write_text(contents[0])
    command = [sys.executable, "-c", READING, path]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for content in itertools.cycle(contents):
        with files.whole(path) as unfinished:
            unfinished.write_text(content)
        if reader.poll() is not None:
            break
    assert set(reader.stdout.read().split()) == {"1"} and reader.returncode == 0
