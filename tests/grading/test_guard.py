"""What the guard refuses a kernel where there is no bubblewrap. It cannot be taken away again, so
every test is a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ATTEMPT = """
import json, sys
from course_utils.grading.running import guard
import os, shutil, socket, subprocess
guard.install(*json.loads(sys.argv[1]))
os.chdir(json.loads(sys.argv[1])[0])
try:
    exec(sys.argv[2])
    print("done")
except PermissionError as error:
    print("refused:", error)
"""


@pytest.fixture
def places(tmp_path):
    """A folder to work in, and in a closed home: a course, of which the solutions are closed."""
    box, course = tmp_path / "home" / "box", tmp_path / "home" / "course"
    for folder in (box, course / "solutions"):
        folder.mkdir(parents=True)
    for file in (tmp_path / "home" / "key", course / "given", course / "solutions" / "one"):
        file.write_text("42")
    (tmp_path / "elsewhere").write_text("42")
    return tmp_path / "home"


def attempt(home: Path, source: str) -> str:
    box, course = str(home / "box"), str(home / "course")
    given = json.dumps([box, [course, *sys.path], [str(home), f"{course}/solutions"]])
    ran = subprocess.run(
        [sys.executable, "-c", ATTEMPT, given, source.replace("HOME", str(home))],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


READS = {
    "open": "open('HOME/course/solutions/one')",
    "another way to write it": "open('HOME/course/../course/./solutions/one', 'rb')",
    "os.open": "os.open('HOME/course/solutions/one', os.O_RDONLY)",
    "bytes": "open(b'HOME/course/solutions/one')",
    "list": "os.listdir('HOME/course/solutions')",
    "scan": "os.scandir('HOME/course/solutions')",
    "copy": "shutil.copy('HOME/course/solutions/one', 'mine')",
    "link": "os.link('HOME/course/solutions/one', 'mine')",
    "symlink": "os.symlink('HOME/course/solutions', 'x'); open('x/one')",
    "rename": "os.rename('HOME/course/solutions/one', 'mine')",
    "working folder": "os.chdir('HOME/course'); open('solutions/one')",
    "folder kept open": "f = os.open('HOME/course', 0); os.open('solutions/one', 0, dir_fd=f)",
    "home": "open('HOME/key')",
    "changed modules": "import builtins; os.path.realpath = lambda p: ''; "
    "guard._inside = builtins.any = builtins.isinstance = lambda *a: False; open('HOME/key')",
}


@pytest.mark.parametrize("way", READS)
def test_closed_files_are_not_read(places, way):
    answer = attempt(places, READS[way])
    assert answer.startswith("refused: An exercise may not"), answer
    assert not (places / "box" / "mine").exists()


@pytest.mark.parametrize(
    "source",
    [
        "open('HOME/../elsewhere', 'a')",
        "os.remove('HOME/../elsewhere')",
        "os.rename('HOME/course/given', 'mine')",
        "os.rename('HOME/box', 'HOME/../box')",
        "os.mkdir('HOME/course/new')",
        "os.chmod('HOME/../elsewhere', 0)",
        "os.truncate('HOME/../elsewhere', 0)",
        "shutil.rmtree('HOME/course')",
    ],
)
def test_nothing_outside_the_folder_is_changed(places, source):
    assert attempt(places, source).startswith("refused: An exercise may not")
    assert (places.parent / "elsewhere").read_text() == "42"
    assert (places / "course" / "given").exists() and (places / "box").exists()


@pytest.mark.parametrize(
    "source",
    [
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 0)",
        "os.killpg(os.getpgrp(), 0)",
    ],
)
def test_no_process_is_started_or_signalled(places, source):
    assert "may not start or signal other processes" in attempt(places, source)


@pytest.mark.parametrize(
    "source",
    [
        "socket.create_connection(('192.0.2.1', 80), 1)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.getaddrinfo('example.org', 80)",
        "socket.socket(socket.AF_UNIX).connect('/var/run/a.sock')",
    ],
)
def test_nothing_but_this_machine_is_connected_to(places, source):
    assert "refused: An exercise may not connect to" in attempt(places, source)


@pytest.mark.parametrize(
    "source",
    [
        "open('HOME/course/given').read(); os.listdir('HOME/course')",
        "open('mine', 'w').write('x'); os.rename('mine', 'x'); shutil.rmtree('HOME/box/y', True)",
        "os.listdir('HOME')",
        "open(os.devnull, 'w')",
        "import tempfile; tempfile.tempdir = 'HOME/box'; tempfile.TemporaryFile().write(b'x')",
        "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())",
        "os.kill(os.getpid(), 0)",
        "import wave, xml.dom.minidom",
    ],
)
def test_what_a_notebook_needs_is_allowed(places, source):
    assert attempt(places, source) == "done"


def test_a_home_at_the_very_top_closes_nothing(places):
    given = json.dumps([str(places / "box"), [], ["/"]])
    ran = subprocess.run(
        [sys.executable, "-c", ATTEMPT, given, "open('/etc/hosts')"], capture_output=True, text=True
    )
    assert ran.stdout.strip() == "done"
