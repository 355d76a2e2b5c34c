"""What running a notebook promises, whatever its cells try."""

import json
import os
import time

import nbformat
import pytest
from running import BUBBLEWRAP, EITHER, left, notebook, shown, statuses

from course_utils.grading.running import execution, sandbox

STUBBORN = """
import time
while True:
    try:
        while True:
            time.sleep(0.01)
    except BaseException:
        pass
"""
CHATTY = STUBBORN.replace("time.sleep(0.01)", "time.sleep(0.01); print('.', flush=True)")


@EITHER
def test_outputs_and_statuses_of_all_cells_are_brought_back(tmp_path, within):
    begun = time.monotonic()
    done = notebook(tmp_path, "print('one')\n1 + 1", "1 / 0", "'after'", within=within)
    assert statuses(done) == ["ok", "error", "ok"] and done.reason == "" and done.notes == []
    assert [output.output_type for output in done.cells["a"].outputs] == [
        "stream",
        "execute_result",
    ]
    assert shown(done.cells["a"]) == "one\n2"
    assert done.cells["b"].outputs[0].ename == "ZeroDivisionError"
    assert shown(done.cells["c"]) == "'after'"
    assert [cell.execution_count for cell in done.notebook.cells] == [1, 2, 3]
    assert done.notebook.cells[1].outputs == done.cells["b"].outputs
    nbformat.validate(done.notebook)
    assert 0 < done.seconds < time.monotonic() - begun


@EITHER
def test_a_hanging_cell_is_interrupted_and_the_others_run_as_ever(tmp_path, within):
    done = notebook(
        tmp_path, "x = 1", "while True: pass", "x", "assert 0", timeout_s=1, within=within
    )
    assert statuses(done) == ["ok", "timeout", "ok", "error"]
    assert done.cells["b"].outputs[0].ename == "KeyboardInterrupt"
    assert done.cells["b"].seconds < 10 and done.reason == ""


@pytest.mark.parametrize("source", [STUBBORN, CHATTY], ids=["silent", "chatty"])
def test_a_cell_that_swallows_the_interrupt_loses_its_kernel(tmp_path, source):
    done = notebook(tmp_path, source, "1", timeout_s=1)
    assert statuses(done) == ["timeout", "not run"]
    assert done.cells["a"].seconds < 15
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os; os._exit(0)",
        "import os; os.kill(os.getpid(), 9)",
        "import ctypes; ctypes.string_at(0)",
        "import os, threading, time\n"
        "threading.Thread(target=lambda: os._exit(0)).start(); time.sleep(9)",
    ],
    ids=["exit", "kill", "crash", "thread"],
)
def test_a_dead_kernel_is_noticed_at_once(tmp_path, source):
    done = notebook(tmp_path, "print('before')", source, "1")
    assert statuses(done) == ["ok", "dead", "not run"]
    assert done.cells["b"].seconds < 10 and shown(done.cells["a"]) == "before\n"


def test_no_marker_and_no_tag_has_any_effect(tmp_path):
    markers = ("NBVAL_SKIP", "NBVAL_RAISES_EXCEPTION", "NBVAL_CHECK_OUTPUT", "NBVAL_IGNORE_OUTPUT")
    tags = ("raises-exception", *(marker.lower().replace("_", "-") for marker in markers))
    sources = [f"# {marker}\nprint('was run')\nassert 0" for marker in markers]
    done = notebook(tmp_path, *sources, tags=tags)
    assert statuses(done) == ["error"] * 4
    assert all(run.outputs[0].text == "was run\n" for run in done.cells.values())


def test_a_hidden_traceback_does_not_hide_the_error(tmp_path):
    patch = "get_ipython()._showtraceback = lambda *a, **k: None"
    done = notebook(tmp_path, patch, "assert 0", "raise SystemExit")
    assert statuses(done) == ["ok", "error", "error"]
    assert done.cells["b"].outputs == []


def test_what_an_input_transformer_leaves_shows_in_the_outputs(tmp_path):
    patch = "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass'])"
    done = notebook(tmp_path, patch, "print('evidence')", "assert 0")
    assert [run.outputs for run in done.cells.values()] == [[], [], []]


def test_an_output_of_an_earlier_cells_thread_is_left_out_with_a_note(tmp_path):
    thread = (
        "import contextvars, threading, time\nfrom IPython.display import display\n"
        "def late():\n    time.sleep(1)\n    print('late')\n    display('late')\n"
        # Without the context ipykernel lets a thread answer the cell that runs at that moment.
        "threading.Thread(target=contextvars.copy_context().run, args=(late,)).start()"
    )
    done = notebook(tmp_path, thread, "time.sleep(2); print('own')")
    assert [shown(run) for run in done.cells.values()] == ["", "own\n"]
    assert done.notes == ["b: An output of an earlier cell arrived and was left out."]


def test_a_question_to_nobody_is_an_error(tmp_path):
    done = notebook(tmp_path, "input('your name?')", "1")
    assert statuses(done) == ["error", "ok"]
    assert done.cells["a"].outputs[0].ename == "StdinNotImplementedError"


FLOOD = """
from IPython.display import display
import sys
for _ in range(40):
    print('x' * 100_000)
# zmq lets a sender run a thousand messages ahead, and drops what comes after.
for _ in range(900):
    display({'text/plain': 'y' * 25_000}, raw=True)
display({'application/vnd.course.values+json': {'v': 'z' * 8_000_000}}, raw=True)
"""


def test_a_flood_of_outputs_is_cut_but_evidence_comes_through(tmp_path):
    done = notebook(tmp_path, FLOOD, "print('next')")
    assert statuses(done) == ["ok", "ok"] and shown(done.cells["b"]) == "next\n"
    first, *others = done.cells["a"].outputs
    assert 100_000 <= len(first.text) < 100_200 and "cut off" in first.text
    *plain, evidence = others
    assert len(plain) < 1000
    assert len(evidence.data["application/vnd.course.values+json"]["v"]) == 8_000_000
    assert any("cut off" in note for note in done.notes)
    assert any("1000 outputs" in note or "left out" in note for note in done.notes)


def test_evidence_is_kept_whole_up_to_its_limit_and_dropped_above(tmp_path):
    show = "from IPython.display import display\ndisplay({{'{}': 'z' * {}}}, raw=True)"
    mime = "application/vnd.course.score+json"
    done = notebook(tmp_path, show.format(mime, 11_900_000), show.format(mime, 12_100_000))
    assert len(done.cells["a"].outputs[0].data[mime]) == 11_900_000
    assert done.cells["b"].outputs == []
    assert done.notes == ["b: An output of 12.1 MB was left out: it is more than is kept."]


def test_all_outputs_together_are_limited(tmp_path):
    image = "from IPython.display import display\ndisplay({'image/png': 'A' * 9_000_000}, raw=True)"
    done = notebook(tmp_path, image, image, image)
    assert [len(run.outputs) for run in done.cells.values()] == [1, 1, 0]
    assert done.notes == ["c: An output of 9.0 MB was left out: it is more than is kept."]


def test_cleared_outputs_are_gone(tmp_path):
    show = "from IPython.display import clear_output\nprint('old'); clear_output(wait={})"
    sources = [show.format(wait) + end for wait in (True, False) for end in ("", "; print('new')")]
    done = notebook(tmp_path, *sources)
    assert [shown(run) for run in done.cells.values()] == ["old\n", "new\n", "", "new\n"]


def test_outputs_that_no_notebook_can_hold_do_no_harm(tmp_path):
    send = (
        "s = get_ipython().kernel\n_ = s.session.send(s.iopub_socket, {!r}, {!r}, s.get_parent())"
    )
    done = notebook(
        tmp_path,
        send.format("stream", {"name": "other", "text": "x"}),
        send.format("display_data", {"data": 5, "metadata": {}}),
        send.format("display_data", {}),
        "print('fine')",
    )
    assert statuses(done) == ["ok"] * 4
    assert [run.outputs for run in done.cells.values()][:3] == [[]] * 3
    assert sum("makes no sense" in note for note in done.notes) == 3
    assert shown(done.cells["d"]) == "fine\n"


@EITHER
def test_half_a_surrogate_pair_is_shown_as_a_question_mark(tmp_path, within):
    sources = ("print('\\ud800')", "{'a\\ud800': 1}", "raise ValueError('b\\udfff')", "print('on')")
    done = notebook(tmp_path, *sources, within=within)
    assert statuses(done) == ["ok", "ok", "error", "ok"]
    # The result is shown by its repr, which has an escape of plain letters for it.
    assert [shown(done.cells[cell]) for cell in "abd"] == ["?\n", "{'a\\ud800': 1}", "on\n"]
    assert done.cells["c"].outputs[0].evalue == "b?"
    json.dumps(done.notebook, ensure_ascii=False).encode()  # half a surrogate could not be written


@EITHER
@pytest.mark.parametrize(
    ("source", "limits", "status", "reason"),
    [
        ("while True: pass", {"seconds": 9}, "timeout", "more than 9 s"),
        (
            "import time\nx = []\nwhile True: x.append(b'1' * 10**6); time.sleep(0.003)",
            {"memory_mb": 400},
            "dead",
            "more than 400 MB of memory",
        ),
        (
            "n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').write(bytes(1 << 20))",
            {"disk_mb": 40},
            "dead",
            "more than 40 MB",
        ),
    ],
    ids=["time", "memory", "disk"],
)
def test_a_run_that_breaks_a_limit_keeps_what_it_had(
    tmp_path, within, source, limits, status, reason
):
    done = notebook(tmp_path, "print('before')", source, "1", within=within, **limits)
    assert statuses(done) == ["ok", status, "not run"]
    assert shown(done.cells["a"]) == "before\n" and reason in done.reason
    assert left(tmp_path) == []


@BUBBLEWRAP
def test_an_engine_that_is_killed_is_a_sentence(tmp_path):
    done = notebook(tmp_path, "1", "import os; os.kill(os.getppid(), 9)", within="bubblewrap")
    assert statuses(done) == ["ok", "dead"]
    assert done.reason.startswith("The notebook's run broke off (It was ended by the signal")


def test_a_kernel_that_does_not_start_is_a_sentence(tmp_path):
    done = notebook(tmp_path, "1", "2", kernel="none-such")
    assert statuses(done) == ["not run", "not run"]
    assert done.reason.startswith("The kernel none-such could not be started (No such kernel")
    assert "install" in done.reason


def test_an_installed_kernel_can_be_asked_for(tmp_path):
    assert statuses(notebook(tmp_path, "1", kernel="python3")) == ["ok"]


@EITHER
def test_hidden_folders_cannot_be_read(tmp_path, within):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "solution").write_text("42")
    source = f"print(open({str(hidden / 'solution')!r}).read())"
    done = notebook(tmp_path, source, "1", hidden=(hidden,), within=within)
    assert statuses(done) == ["error", "ok"] and "42" not in shown(done.cells["a"])


def test_without_bubblewrap_the_kernel_is_guarded(tmp_path):
    done = notebook(
        tmp_path,
        "import os; os.environ.get('COURSE_GRADING_GUARD')",
        "import subprocess; subprocess.run(['true'])",
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        within="guard",
    )
    assert statuses(done) == ["ok", "error", "error"] and done.cells["a"].outputs == []
    assert {done.cells[name].outputs[0].ename for name in "bc"} == {"PermissionError"}


def test_cells_without_ids_of_their_own_are_refused(tmp_path):
    path = tmp_path / "given.ipynb"
    cell = {
        "cell_type": "code",
        "metadata": {},
        "source": "",
        "outputs": [],
        "execution_count": None,
    }
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    path.write_text(json.dumps(book))
    with pytest.raises(ValueError, match="without an id, or with the same: an id of its own"):
        execution.execute(path, tmp_path, sandbox.Limits())


LINE = {"cell": "a", "status": "ok", "seconds": 1.0, "outputs": []}


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "5",
        '"text"',
        "{}",
        '{"other": 1}',
        "[" * 100_000,
        "9" * 5000,
        json.dumps(LINE | {"status": "passed"}),
        json.dumps(LINE | {"seconds": "1"}),
        json.dumps(LINE | {"seconds": float("nan")}),
        json.dumps(LINE | {"outputs": {}}),
        json.dumps({"cell": "a"}),
        json.dumps(LINE | {"outputs": [5]}),
        json.dumps(LINE | {"outputs": [{"output_type": "other"}]}),
        json.dumps(LINE | {"outputs": [{"output_type": "stream", "name": "stdout", "text": 5}]}),
    ],
)
def test_a_record_that_makes_no_sense_counts_for_nothing(tmp_path, monkeypatch, line):
    done = _with_record(tmp_path, monkeypatch, lambda path: path.write_text(line + "\n"))
    assert statuses(done) == ["not run"] and "nothing of" in done.reason


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.symlink_to("/etc/hosts"),
        lambda path: os.mkfifo(path),
        lambda path: path.mkdir(),
        lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 200_000_000),
    ],
    ids=["link", "pipe", "folder", "huge"],
)
def test_a_record_that_is_no_plain_file_counts_for_nothing(tmp_path, monkeypatch, make):
    done = _with_record(tmp_path, monkeypatch, make)
    assert statuses(done) == ["not run"]
    assert done.reason.startswith("The record of the run makes no sense")


def test_a_record_without_its_end_counts_as_far_as_it_goes(tmp_path, monkeypatch):
    whole = json.dumps(LINE)
    done = _with_record(
        tmp_path, monkeypatch, lambda path: path.write_text(f"{whole}\n{whole[:9]}")
    )
    assert statuses(done) == ["ok"]


def test_a_cell_is_recorded_once_and_only_if_the_notebook_has_it(tmp_path, monkeypatch):
    lines = [LINE, LINE | {"status": "error"}, LINE | {"cell": "z"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = _with_record(tmp_path, monkeypatch, lambda path: path.write_text(text))
    assert statuses(done) == ["ok"]
    assert [note.split("'")[1] for note in done.notes] == ["a", "z"]


def _with_record(tmp_path, monkeypatch, make):
    """Execute a notebook in a sandbox that leaves this record and does nothing else."""

    def run(command, folder, *_, **__):
        make(folder / ".record.jsonl")
        return sandbox.Ended("done", "", 1.0, "", 0)

    monkeypatch.setattr(sandbox, "run", run)
    return notebook(tmp_path, "1")
