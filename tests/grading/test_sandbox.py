"""What the sandbox promises, each by really trying it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import BUBBLEWRAP, EITHER, left, program

from course_utils.grading.running import bubblewrap, sandbox

HANG = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
while True:
    time.sleep(0.1)
"""
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        for stream in (0, 1, 2):
            os.close(stream)
        time.sleep(1)
        open(sys.argv[1], "w").close()
    os._exit(0)
print("the command itself is done", flush=True)
"""


@EITHER
def test_a_command_that_is_done_or_failed_says_so(tmp_path, within):
    done = program("print('x' * 9000); print('end')", tmp_path, within)
    assert (done.status, done.reason, done.code) == ("done", "", 0)
    assert done.log_tail.endswith("x\nend\n") and len(done.log_tail) == 4000
    failed = program("import sys; sys.exit(3)", tmp_path, within)
    assert (failed.status, failed.code) == ("failed", 3)
    assert failed.reason == "It ended with the exit code 3."
    killed = program("import os; os.kill(os.getpid(), 9)", tmp_path, within)
    assert killed.reason == "It was ended by the signal SIGKILL."


@EITHER
def test_a_command_that_hangs_and_ignores_signals_is_gone_in_time(tmp_path, within):
    ended = program(HANG, tmp_path, within, tmp_path, seconds=1)
    assert ended.status == "time" and ended.seconds < 10
    assert ended.reason == "It ran for more than 1 s, so it was stopped."
    assert left(tmp_path) == []


@EITHER
def test_a_daemon_does_not_outlive_its_command(tmp_path, within):
    file = tmp_path / "later"
    ended = program(DAEMON, tmp_path, within, file)
    assert ended.status == "done" and "the command itself is done" in ended.log_tail
    time.sleep(1.5)
    assert not file.exists() and left(file) == []


@EITHER
def test_a_fork_bomb_costs_only_itself(tmp_path, within):
    bomb = "import os, time\nfor _ in range(8):\n    os.fork()\ntime.sleep(60)"
    ended = program(bomb, tmp_path, within, tmp_path)
    assert ended.status == "processes"
    assert ended.reason == "It started more than 64 processes, so it was stopped."
    assert left(tmp_path) == []


@EITHER
def test_an_eater_of_memory_is_stopped(tmp_path, within):
    eater = "import time\nx = []\nwhile True:\n    x.append(b'1' * 10**6); time.sleep(0.003)"
    ended = program(eater, tmp_path, within, memory_mb=200)
    assert ended.status == "memory"
    assert ended.reason == "It used more than 200 MB of memory, so it was stopped."


@EITHER
def test_memory_of_all_processes_counts_together_but_shared_pages_only_once(tmp_path, within):
    apart = (
        "import os, time\n{before}\nfor _ in range(4):\n    if os.fork() == 0:\n"
        "        {after}\n        time.sleep(3); os._exit(0)\ntime.sleep(1.5)"
    )
    ended = program(
        apart.format(before="", after="x = b'1' * 80_000_000"), tmp_path, within, memory_mb=250
    )
    assert ended.status == "memory"
    shared = apart.format(before="x = b'1' * 80_000_000", after="pass")
    assert program(shared, tmp_path, within, memory_mb=250).status == "done"


@EITHER
def test_one_request_for_too_much_memory_fails_in_the_command(tmp_path, within):
    ended = program("x = bytearray(2 * 10**9)", tmp_path, within, memory_mb=1000)
    assert ended.status == "failed" and "MemoryError" in ended.log_tail


@EITHER
def test_a_file_cannot_grow_past_its_limit(tmp_path, within):
    ended = program("open('big', 'wb').write(bytes(30 << 20))", tmp_path, within, file_mb=10)
    assert ended.status == "failed" and "File too large" in ended.log_tail
    assert (tmp_path / "big").stat().st_size <= 10 << 20


FILLERS = {
    "files": "n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').write(bytes(1 << 20))",
    "empty": "n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').close()",
    "tmp": "import tempfile\nx = []\nwhile True:\n    x.append(tempfile.mkstemp()[0])\n"
    "    __import__('os').write(x[-1], bytes(1 << 20))",
    "unlinked": "import tempfile\nx = []\nwhile True:\n    x.append(tempfile.TemporaryFile())\n"
    "    x[-1].write(bytes(1 << 20)); x[-1].flush(); time.sleep(0.005)",
    "memfd": "import os\nf = os.memfd_create('x')\nwhile True:\n    os.write(f, bytes(1 << 16))\n"
    "    time.sleep(0.001)",
}


@EITHER
@pytest.mark.parametrize("way", FILLERS)
def test_a_filler_of_the_disk_is_stopped(tmp_path, within, way):
    ended = program("import time\n" + FILLERS[way], tmp_path, within, disk_mb=40)
    assert (ended.status, ended.reason) == (
        "disk",
        "It wrote more than 40 MB, so it was stopped.",
    )


@BUBBLEWRAP
def test_shared_memory_files_count_as_disk(tmp_path):
    filler = "n = 0\nwhile True:\n    n += 1\n    open(f'/dev/shm/{n}', 'wb').write(bytes(1 << 20))"
    assert program(filler, tmp_path, "bubblewrap", disk_mb=40).status == "disk"


@EITHER
def test_folders_too_deep_to_be_counted_stop_a_command_and_can_be_removed(tmp_path, within):
    box = tmp_path / "box"
    box.mkdir()
    dig = "import os, time\nfor _ in range(4000):\n    os.mkdir('d' * 9); os.chdir('d' * 9)\n"
    ended = program(dig + "time.sleep(20)", box, within)
    assert ended.status == "disk" and "cannot be looked into" in ended.reason
    sandbox.remove(box)
    assert not box.exists()


@EITHER
def test_a_link_in_place_of_its_private_folder_leads_nowhere(tmp_path, within):
    other, box = tmp_path / "other", tmp_path / "box"
    for folder in (other / "inner", box):
        folder.mkdir(parents=True)
    (other / "inner").chmod(0o500)
    source = "import os, sys\nos.rename('.private', 'x'); os.symlink(sys.argv[1], '.private')"
    assert program(source, box, within, other).status == "done"
    assert (other / "inner").stat().st_mode & 0o777 == 0o500
    assert not (box / ".private").is_symlink()


@EITHER
def test_the_folder_keeps_what_was_written_and_nothing_else(tmp_path, within):
    source = "import tempfile, pathlib\npathlib.Path('kept').write_text('here')\n"
    source += "tempfile.mkstemp(); (pathlib.Path.home() / 'x').touch()"
    assert program(source, tmp_path, within).status == "done"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@EITHER
def test_the_environment_starts_clean(tmp_path, within, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "1")
    source = "import os\nfor item in sorted(os.environ.items()):\n    print(*item, sep='=')"
    found = program(source, tmp_path, within).log_tail
    assert "SECRET" not in found
    for line in ("PYTHONHASHSEED=0", "MPLBACKEND=agg", "COURSE_SCALE=mini", "OMP_NUM_THREADS=1"):
        assert f"{line}\n" in found
    assert f"COURSE_RUNS_ROOT={tmp_path}" in found and f"HOME={tmp_path}" in found


@BUBBLEWRAP
def test_hidden_and_other_files_do_not_exist_inside(tmp_path):
    box, course, secret = tmp_path / "box", tmp_path / "course", tmp_path / "secret"
    for folder in (box, course / "solutions", secret):
        folder.mkdir(parents=True)
    for path in (course / "solutions" / "a", course / "b", course / "c.json", secret / "d"):
        path.write_text("42")
    source = (
        "import os, sys\nfor name in sys.argv[1:]:\n    try:\n        print(open(name).read())\n"
    )
    source += (
        "    except OSError:\n        print('no')\nprint(os.listdir(os.path.dirname(sys.argv[1])))"
    )
    names = [course / "solutions" / "a", course / "b", course / "c.json", secret / "d", __file__]
    hidden = [course / "solutions", course / "c.json", tmp_path / "not there"]
    ended = program(source, box, "bubblewrap", *names, visible=[course], hidden=hidden)
    assert ended.log_tail.split("\n")[:-1] == ["no", "42", "no", "no", "no", "[]"]


@BUBBLEWRAP
def test_nothing_but_the_folder_can_be_written_to(tmp_path):
    source = "import sys\nfor name in sys.argv[1:]:\n    try:\n        open(name, 'a')\n"
    source += "        print('wrote', name)\n    except OSError:\n        pass"
    names = ["/x", "/usr/x", "/etc/x", "/dev/x", sys.prefix + "/x", tmp_path.parent / "x"]
    names += [Path(bubblewrap.__file__), "mine"]
    found = program(source, tmp_path, "bubblewrap", *names).log_tail.splitlines()
    # The temporary folder is one of its own.
    assert found == [f"wrote {tmp_path.parent / 'x'}", "wrote mine"]
    assert not (tmp_path.parent / "x").exists()


@BUBBLEWRAP
def test_a_command_cannot_make_namespaces_of_its_own(tmp_path):
    if "--disable-userns" not in bubblewrap.arguments(tmp_path, (), ()):
        pytest.skip("bubblewrap can do that since 0.8")
    source = "import ctypes, os\nc = ctypes.CDLL(None, use_errno=True)\n"
    source += "print(c.unshare(0x10000000), os.strerror(ctypes.get_errno()))"  # CLONE_NEWUSER
    assert program(source, tmp_path, "bubblewrap").log_tail == "-1 No space left on device\n"


@BUBBLEWRAP
def test_no_network_and_no_other_process_is_there(tmp_path):
    source = "import socket, sys, psutil\nprint(len(psutil.pids()) < 6, flush=True)\n"
    source += "socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), 5):  # it is there for everybody else
            ended = program(source, tmp_path, "bubblewrap", port)
    assert ended.log_tail.startswith("True\n") and "ConnectionRefusedError" in ended.log_tail


@EITHER
def test_what_a_lesson_needs_is_there(tmp_path, within):
    source = "from course_utils import lesson\nthis = lesson.begin('02_speech_commands_cnn')\n"
    source += (
        "from course_utils import places\nprint(this.runs, len(list(places.shipped().iterdir())))"
    )
    ended = program(source, tmp_path, within)
    assert ended.status == "done", ended.log_tail
    assert f"{tmp_path}/runs/02_speech_commands_cnn" in ended.log_tail


GRADER = """
import sys
from pathlib import Path
from course_utils.grading.running import sandbox
sandbox.run([sys.executable, "-c", sys.argv[1], sys.argv[2]], Path(sys.argv[2]),
            sandbox.Limits(seconds=60), within=sys.argv[3])
"""


@EITHER
def test_a_grader_that_is_killed_leaves_nothing_behind(tmp_path, within):
    source = HANG.replace("while True", "open('begun', 'w').close()\nwhile True")
    grader = subprocess.Popen([sys.executable, "-c", GRADER, source, str(tmp_path), within])
    try:
        until = time.monotonic() + 20
        while not (tmp_path / "begun").exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert (tmp_path / "begun").exists()
    finally:
        grader.send_signal(signal.SIGKILL)
        grader.wait()
    assert left(tmp_path) == []


def test_a_machine_without_bubblewrap_is_noticed(monkeypatch):
    assert sandbox.kind() in ("bubblewrap", "guard")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert sandbox.kind.__wrapped__() == "guard"


def test_a_bubblewrap_that_does_not_work_is_noticed(tmp_path, monkeypatch):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert sandbox.kind.__wrapped__() == "guard"


def test_missing_folders_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(NotADirectoryError, match="not there: it was expected to be an"):
        sandbox.run(["true"], tmp_path / "none", sandbox.Limits())
    with pytest.raises(FileNotFoundError, match="none"):
        sandbox.run(["true"], tmp_path, sandbox.Limits(), visible=[tmp_path / "none"])
