"""Write notebooks/exercises/ from notebooks/solutions/, with nbgrader's own preprocessors.

    python tools/make_exercises.py            (make exercises)
    python tools/make_exercises.py --check    say what is out of step, write nothing

nbgrader brings server extensions, which JupyterLab would load if it were installed beside it; so it
lives in an environment of its own, in a folder of `.venv`. The folder is kept, because that needs
no network from the second time on; `make clean` removes it with the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bootstrap import tool_environment

from course_utils import files, places
from course_utils.grading.source import exercises

ROOT = Path(__file__).resolve().parent.parent
NBGRADER = "0.9.6"
PATTERN = "[0-9][0-9]_*.ipynb"


class NotMade(Exception):
    """Why nothing was written, in one sentence."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--course", type=Path, default=exercises.course_folder())
    options = parser.parse_args(arguments)
    try:
        wanted = released(options.course)
    except (NotMade, exercises.ExerciseError) as reason:
        print(reason, file=sys.stderr)
        return 1
    folder = options.course / "exercises"
    stale = [path for path in sorted(folder.glob(PATTERN)) if path not in wanted]
    changed = [path for path, text in wanted.items() if text != _text(path)]
    if options.check:
        for path in [*changed, *stale]:
            print(f"{places.shown(path)} is out of step with its source; run make exercises.")
        return 1 if changed or stale else 0
    folder.mkdir(exist_ok=True)
    for path in changed:
        with files.whole(path) as unfinished:
            unfinished.write_bytes(wanted[path].encode())
        print(f"written  {places.shown(path)}")
    for path in stale:
        path.unlink()
        print(f"removed  {places.shown(path)}, which has no source")
    return 0


def released(course: Path) -> dict[Path, str]:
    """Every released notebook of a course: where it belongs, and what it holds."""
    sources = [str(exercise.path) for exercise in exercises.find(course)]
    script = str(Path(__file__).with_name("nbgrader_release.py"))
    with tempfile.TemporaryDirectory() as empty:  # so that nobody's configuration is read
        told = subprocess.run(
            [str(nbgrader_python()), script, *map(os.path.abspath, sources)],
            capture_output=True,
            text=True,
            cwd=empty,
            env=tool_environment() | {"JUPYTER_CONFIG_DIR": empty, "JUPYTER_NO_CONFIG": "1"},
        )
    if told.returncode:
        raise NotMade(
            f"nbgrader made no releases ({_last_line(told.stderr)}); expected it to accept every "
            "source notebook; mend that one."
        )
    return {
        course / "exercises" / Path(path).name: text
        for path, text in json.loads(told.stdout).items()
    }


def nbgrader_python() -> Path:
    """The Python of nbgrader's environment, which is built where it is missing.

    Raises
    ------
    NotMade
        If it cannot be installed.
    """
    home = Path(sys.prefix) / f"nbgrader-{NBGRADER}"
    python = home / "bin" / "python"
    if python.exists():
        return python
    uv = [str(Path(sys.prefix) / "bin" / "uv"), "--quiet"]
    # Built beside its place and moved there whole: two may do so at the same time.
    with tempfile.TemporaryDirectory(dir=sys.prefix, prefix="nbgrader-unfinished-") as folder:
        made = Path(folder) / "environment"
        _run([*uv, "venv", "--relocatable", "--python", sys.executable, str(made)])
        into = ["--python", str(made / "bin" / "python")]
        _run([*uv, "pip", "install", *into, f"nbgrader=={NBGRADER}"])
        try:
            made.rename(home)
        except OSError:
            if not python.exists():
                raise
    return python


def _run(command: list[str]) -> None:
    told = subprocess.run(command, capture_output=True, text=True, env=tool_environment())
    if told.returncode:
        raise NotMade(
            f"nbgrader {NBGRADER} could not be installed ({_last_line(told.stderr)}); expected a "
            "package index that has it; check the network and run this again."
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1].strip()[:300]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
