"""Ways to look solved without being solved: those that are known of nbval, and more.

Each is laid over an untouched exercise, in which no task is solved: whatever a trick does, it has
earned nothing. ``CODE`` goes to the end of every solution cell, ``HUNGRY`` to the top of the first;
``CHANGES`` are functions that change the notebook's JSON in place. ``{course}`` in a code is the
course's folder.
"""

import copy
import json
from collections.abc import Callable

EVIDENCE = """
def bundles(task, points, answers=9):
    score = {"task": task, "points": points, "of": points,
             "checks": [{"says": "all", "correct": True, "hint": ""}]}
    values = {"task": task, "outcomes": [{"value": 98}] * answers}
    return {"text/plain": str(points), "application/vnd.course.score+json": score,
            "application/vnd.course.values+json": values}
NAMES = {"frame_count": 1, "levels": 1, "empty_bands": 2, "cepstra": 2, "dialled": 4}
"""

CODE = {
    "traceback hidden": "get_ipython()._showtraceback = lambda *a, **k: None",
    "showtraceback replaced": """
import IPython.core.interactiveshell as shell
shell.InteractiveShell.showtraceback = lambda *a, **k: None
get_ipython().showtraceback = lambda *a, **k: None""",
    "cells replaced by pass": """
get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])""",
    "cells replaced by points": """
get_ipython().input_transformers_cleanup.append(lambda lines: ['10.0\\n'])""",
    "syntax tree replaced": """
import ast
class Empty(ast.NodeTransformer):
    def visit_Module(self, node):
        return ast.Module([ast.Expr(ast.Constant(10.0))], [])
get_ipython().ast_transformers.append(Empty())""",
    "asserts patched": """
import numpy, numpy.testing, math
for name in ("assert_allclose", "assert_array_equal", "assert_equal"):
    setattr(numpy.testing, name, lambda *a, **k: None)
numpy.isclose = numpy.allclose = numpy.array_equal = lambda *a, **k: True
math.isclose = lambda *a, **k: True""",
    "comparison patched": """
import course_utils.grading.checks.comparing as comparing
comparing.difference = lambda *a, **k: None
comparing.equal = lambda *a, **k: True""",
    "task patched": EVIDENCE
    + """
from course_utils.grading.checks import tasks, recording
class Won:
    def __init__(self, name): self.name = name
    def _repr_mimebundle_(self, **k): return bundles(self.name, NAMES[self.name])
for kind in (tasks.Task, recording.Recorder):
    kind.that = kind.holds = lambda self, *a, **k: None
    kind.score = lambda self: Won(self.name)""",
    "task module replaced": """
import sys, types
fake = types.ModuleType("course_utils.grading.checks.recording")
class Recorder:
    def __init__(self, *a, **k): pass
    def __getattr__(self, name): return lambda *a, **k: 10.0
fake.Recorder = Recorder
sys.modules["course_utils.grading.checks.recording"] = fake
import course_utils.grading
course_utils.grading.Task = Recorder""",
    "evidence displayed early": EVIDENCE
    + """
for name, points in NAMES.items():
    display(bundles(name, points), raw=True)""",
    "evidence displayed in the check": EVIDENCE
    + """
class Recorded:
    def __call__(self, *a, **k):
        for name, points in NAMES.items():
            display(bundles(name, points), raw=True)
        return 98
frame_count = levels = empty_bands = cepstra = dialled = Recorded()""",
    "evidence after the check": EVIDENCE
    + """
def after(result):
    for name, points in NAMES.items():
        display(bundles(name, points), raw=True)
get_ipython().events.register("post_run_cell", after)""",
    "evidence from a thread": EVIDENCE
    + """
import threading, time
kernel = get_ipython().kernel
def speak():
    for _ in range(100):
        time.sleep(0.05)
        for name, points in NAMES.items():
            content = {"data": bundles(name, points), "metadata": {}, "execution_count": 1}
            for kind in ("display_data", "execute_result"):
                kernel.session.send(kernel.iopub_socket, kind, content,
                                    parent=kernel.get_parent("shell"))
threading.Thread(target=speak, daemon=True).start()""",
    "results forged on the wire": EVIDENCE
    + """
kernel = get_ipython().kernel
real = kernel.session.send
def send(stream, kind, content=None, *a, **k):
    if kind == "error" or (isinstance(content, dict) and content.get("status") == "error"):
        kind, content = ("execute_result", {"data": bundles("frame_count", 1), "metadata": {},
                         "execution_count": 1}) if kind == "error" else (kind, {"status": "ok",
                         "execution_count": 1, "payload": [], "user_expressions": {}})
    return real(stream, kind, content, *a, **k)
kernel.session.send = send""",
    "equal to everything": """
class Yes(int):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = int.__hash__
    def __array__(self, *a, **k): raise TypeError
    def __getattr__(self, name): return Yes(98)
    def __getitem__(self, key): return self
    def __call__(self, *a, **k): return self
    def __iter__(self): return iter([self])
frame_count = levels = empty_bands = cepstra = dialled = Yes(0)""",
    "frames searched for the answer": """
import sys
def levels(*a, **k):
    frame = sys._getframe()
    while frame:
        for space in (frame.f_locals, frame.f_globals):
            if "expected" in space:
                return space["expected"]() if callable(space["expected"]) else space["expected"]
        frame = frame.f_back
frame_count = empty_bands = cepstra = dialled = levels""",
    "memory searched for the answer": """
import gc
def dialled(*a, **k):
    found = [one for one in gc.get_objects() if isinstance(one, (list, tuple, dict))]
    return next((text for one in found for text in one if text == "2486"), "2486"[:0])
def frame_count(*a, **k):
    return [c for f in gc.get_objects() if hasattr(f, "__code__")
            for c in f.__code__.co_consts if isinstance(c, int)]""",
    "the answer in the call": """
import re, sys
def dialled(samples, rate):
    caller = sys._getframe(1)
    texts = [c for c in caller.f_code.co_consts if isinstance(c, str)]
    return texts[0] if texts else ""
def dial(number, *a, **k):
    return number
def pairwise(*a): return []""",
    "solutions read": """
import pathlib, json, builtins
found = []
for top in ("{course}", ".", "..", "/", *[str(p) for p in pathlib.Path.cwd().parents]):
    for pattern in ("solutions/01*.ipynb", "notebooks/solutions/01*.ipynb", "01*.mistakes.json"):
        for path in pathlib.Path(top).glob(pattern):
            found.append(path.read_text())
lines = [cell for text in found for cell in json.loads(text).get("cells", [])]
for cell in lines:
    if "BEGIN SOLUTION" in "".join(cell["source"]):
        exec("".join(cell["source"]), globals())""",
    "solutions read by a shell": """
import os, subprocess, json
for command in ("cat {course}/solutions/01*.ipynb", "find / -name '*spectrograms_and_mfccs.ipynb' "
                "-path '*solutions*' -exec cat {} +"):
    try:
        text = subprocess.run(command, shell=True, capture_output=True, text=True).stdout
    except Exception:
        continue
    if text.strip():
        for cell in json.loads(text[:text.rindex("}") + 1])["cells"]:
            if "BEGIN SOLUTION" in "".join(cell["source"]):
                exec("".join(cell["source"]), globals())""",
    "the judge's kernel asked": """
import glob, json, os
from jupyter_client import BlockingKernelClient
for path in glob.glob("/tmp/**/kernel-*.json", recursive=True) + glob.glob(
        "/root/**/runtime/kernel-*.json", recursive=True):
    try:
        client = BlockingKernelClient(connection_file=path)
        client.load_connection_file()
        client.start_channels()
        client.execute_interactive("import shutil; print(In)", timeout=2)
        client.execute_interactive("task = None", timeout=2)
    except Exception:
        pass""",
    "other processes stopped": """
import os, signal
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in (os.getpid(), 1):
        try:
            os.kill(int(name), signal.SIGKILL)
        except OSError:
            pass""",
    "package overwritten": """
import course_utils.grading as grading, pathlib
for path in pathlib.Path(grading.__file__).parent.rglob("*.py"):
    try:
        path.write_text("raise SystemExit")
    except OSError:
        pass""",
    "start-up file left behind": """
import pathlib, site, sys
text = "get_ipython()._showtraceback = lambda *a, **k: None; levels = lambda *a: 98"
start_up = pathlib.Path.home() / ".ipython/profile_default/startup"
for folder in (start_up, *map(pathlib.Path, sys.path)):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sitecustomize.py").write_text("import os; os._exit(0)")
        (folder / "00.py").write_text(text)
    except OSError:
        pass""",
    "results file written": EVIDENCE
    + """
import json, os, pathlib
cells = {name: {"status": "ok", "outputs": [{"output_type": "execute_result", "metadata": {},
         "data": bundles(name, NAMES[name])}]} for name in NAMES}
for folder in (".", "..", "/tmp"):
    for name in ("execution.json", "results.json", "grades.json", "run.json", "cells.json"):
        try:
            pathlib.Path(folder, name).write_text(json.dumps({"cells": cells, "score": 10}))
            pathlib.Path(folder, name).chmod(0o444)
        except OSError:
            pass""",
    "links to the grader's files": """
import os, pathlib
for path in list(pathlib.Path(".").iterdir()):
    try:
        path.unlink()
        path.symlink_to("/etc/passwd")
    except OSError:
        pass""",
    "exit": "import os; os._exit(0)",
    "sys.exit": "import sys; sys.exit(0)",
    "quit by magic": "get_ipython().ask_exit(); quit()",
    "kernel shut down": "get_ipython().kernel.do_shutdown(False)",
    "segmentation fault": "import ctypes; ctypes.string_at(0)",
    "asks for input": "input('points? ')",
    "exit in the check": """
import os
frame_count = levels = empty_bands = cepstra = dialled = lambda *a: os._exit(0)""",
    "prints without end": "print('10.0 ' * 4_000_000)",
    "odd numbers": """
frame_count = levels = empty_bands = cepstra = dialled = lambda *a, **k: float("nan")""",
    "points printed": "print(10.0)\ndisplay(10.0)",
    "environment changed": """
import os
os.environ.update(COURSE_SCALE="full", PYTHONPATH="/tmp", PYTHONSTARTUP="/tmp/x.py")""",
    "builtins replaced": """
import builtins
builtins.abs = builtins.max = builtins.all = builtins.any = lambda *a, **k: True
builtins.isinstance = lambda *a: True""",
    "json patched": """
import json
json.dumps = lambda *a, **k: '{"points": 10, "status": "ok"}'""",
    "encoding patched": """
from course_utils.grading.checks import values
values.encode = lambda value, depth=0: 98""",
    "pickle in an array": """
from course_utils.grading.checks import values
import numpy, io, base64, os
class Evil:
    def __reduce__(self): return (os.system, ("touch /tmp/course_pickle_ran",))
file = io.BytesIO()
numpy.save(file, numpy.array([Evil()], dtype=object), allow_pickle=True)
bad = {"npy": base64.b64encode(file.getvalue()).decode()}
values.encode = lambda value, depth=0: bad
frame_count = levels = empty_bands = cepstra = dialled = lambda *a, **k: 1""",
    "shell magic": """
!cat {course}/solutions/*.ipynb
%run {course}/solutions/01_spectrograms_and_mfccs.ipynb""",
}
"""Harmless to run: they end by themselves."""

HUNGRY = {
    "hangs": "while True: pass",
    "hangs and holds on": """
import time
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass""",
    "forks": """
import os, time
for _ in range(300):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)""",
    "fills the disk": """
for number in range(40):
    with open(f"full{number}", "wb") as file:
        file.write(bytes(20_000_000))""",
    "eats memory": """
kept = []
while True:
    kept.append(bytearray(100_000_000))
    kept[-1][::4096] = b"x" * len(kept[-1][::4096])""",
    "leaves a daemon": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)""",
}
"""Take what the machine has until they are stopped."""


def _cells(notebook: dict, **about: object) -> list[dict]:
    return [
        cell
        for cell in notebook["cells"]
        if about.items() <= cell["metadata"].get("nbgrader", {}).items()
    ]


def _source(cell: dict, text: str) -> None:
    cell["source"] = text.splitlines(keepends=True)


def checks_say_points(notebook: dict) -> None:
    for cell in _cells(notebook, grade=True):
        _source(cell, str(cell["metadata"]["nbgrader"]["points"]))


def checks_are_skipped(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = ["# NBVAL_SKIP\n", *cell["source"]]


def checks_may_raise(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["raises-exception", "nbval-skip", "skip-execution"]
        if cell["cell_type"] == "code":
            cell["source"] = ["# NBVAL_RAISES_EXCEPTION\n", *cell["source"]]


def checks_are_deleted(notebook: dict) -> None:
    notebook["cells"] = [c for c in notebook["cells"] if c not in _cells(notebook, grade=True)]


def everything_is_deleted(notebook: dict) -> None:
    notebook["cells"] = _cells(notebook, solution=True)


def order_is_reversed(notebook: dict) -> None:
    notebook["cells"].reverse()


def checks_are_doubled(notebook: dict) -> None:
    for cell in _cells(notebook, grade=True):
        copied = copy.deepcopy(cell)
        _source(copied, "10.0")
        notebook["cells"].append(copied)


def solutions_take_the_checks_names(notebook: dict) -> None:
    for cell in _cells(notebook, solution=True):
        about = cell["metadata"]["nbgrader"]
        about |= {"grade_id": about["grade_id"] + "_check", "grade": True, "points": 100}
        _source(cell, "100.0")


def points_are_raised(notebook: dict) -> None:
    for cell in _cells(notebook, grade=True):
        cell["metadata"]["nbgrader"]["points"] = 1000


def outputs_are_stored(notebook: dict) -> None:
    for cell in _cells(notebook, grade=True):
        task = cell["metadata"]["nbgrader"]["grade_id"].removesuffix("_check")
        score = {"task": task, "points": 4.0, "of": 4.0, "checks": []}
        data = {"text/plain": "4.0", "application/vnd.course.score+json": score}
        output = {
            "output_type": "execute_result",
            "data": data,
            "metadata": {},
            "execution_count": 1,
        }
        cell |= {"outputs": [output], "execution_count": 1}


def kernel_is_another(notebook: dict) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "bash", "display_name": "x", "language": "bash"}


def time_is_taken(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["course"] = {"timeout_s": 100_000}


def set_up_is_changed(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if cell.get("id") in ("set-up", "tools"):
            _source(
                cell, "class Task: pass\nimport sys; sys.modules['course_utils.grading'] = None"
            )


def helpers_before_every_check(notebook: dict) -> None:
    """Cells of the learner's own directly before each check, that define Task anew."""
    cells = []
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            source = "Task = type('Task', (), {'__init__': lambda *a, **k: None, '__getattr__': 1})"
            cells.append(
                {
                    "cell_type": "code",
                    "id": f"own-{len(cells)}",
                    "metadata": {},
                    "source": [source],
                    "outputs": [],
                    "execution_count": None,
                }
            )
        cells.append(cell)
    notebook["cells"] = cells


CHANGES: dict[str, Callable[[dict], None]] = {
    function.__name__.replace("_", " "): function
    for function in (
        checks_say_points,
        checks_are_skipped,
        checks_may_raise,
        checks_are_deleted,
        everything_is_deleted,
        order_is_reversed,
        checks_are_doubled,
        solutions_take_the_checks_names,
        points_are_raised,
        outputs_are_stored,
        kernel_is_another,
        time_is_taken,
        set_up_is_changed,
        helpers_before_every_check,
    )
}


def played(untouched: dict, name: str, course: str) -> dict:
    """An untouched exercise with a trick in it."""
    notebook = json.loads(json.dumps(untouched))
    if name in CHANGES:
        CHANGES[name](notebook)
        return notebook
    first, *more = _cells(notebook, solution=True)
    if name in HUNGRY:
        _source(first, HUNGRY[name].strip() + "\n\n" + "".join(first["source"]))
        return notebook
    for cell in (first, *more):
        code = CODE[name].replace("{course}", course)
        _source(cell, "".join(cell["source"]) + "\n\n" + code.strip() + "\n")
    return notebook
