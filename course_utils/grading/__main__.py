"""The grader's commands.

python -m course_utils.grading grade SUBMISSION... --report FOLDER
python -m course_utils.grading check NOTEBOOK
"""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from course_utils.grading import grader, report
from course_utils.grading.running import sandbox
from course_utils.grading.source import exercises


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        What stands behind the program's name; otherwise what it was called with.

    Returns
    -------
    int
        Exit status. ``grade``: 0 if every submission was graded or refused, 1 if the grader failed
        on one. ``check``: 0 if the notebook has all points.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except exercises.ExerciseError as reason:
        print(reason, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; what is graded is kept. The same command goes on.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.grading", description="Grade exercises of this course."
    )
    commands = parser.add_subparsers(required=True)
    grade = commands.add_parser("grade", help="grade submissions and write reports")
    grade.add_argument("submissions", nargs="+", type=Path, help="notebooks, or folders of them")
    grade.add_argument("--report", type=Path, required=True, help="folder for the reports")
    grade.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    grade.set_defaults(run=_grade)
    check = commands.add_parser("check", help="check your own notebook")
    check.add_argument("notebook", type=Path)
    check.set_defaults(run=_check)
    for command in (grade, check):
        command.add_argument("--mode", choices=grader.MODES, default="hardened")
        command.add_argument("--timeout", type=float, metavar="S", help="seconds for a notebook")
        command.add_argument("--course", type=Path, help="folder that holds solutions/")
    return parser


def _options(options: argparse.Namespace, jobs: int) -> grader.Options:
    limits = sandbox.Limits()
    if options.timeout:
        limits = replace(limits, seconds=options.timeout)
    course = options.course or exercises.course_folder()
    return grader.Options(options.mode, max(jobs, 1), limits, course)


def _grade(options: argparse.Namespace) -> int:
    named = grader.names(options.submissions)
    with grader.Grader(_options(options, options.jobs), options.report) as grading:
        count = f"{len(named)} submission{'s'[: len(named) != 1]}"
        print(f"{count}, {options.mode}, sandbox: {sandbox.kind()}", flush=True)
        results = grading.grade(named, lambda result: print(*report.lines(result), sep="\n"))
    counts = [
        f"{sum(result.status == status for result in results)} {status}"
        for status in ("graded", "refused", "failed")
    ]
    print(f"{', '.join(counts)}; reports in {options.report}")
    return 1 if any(result.status == "failed" for result in results) else 0


def _check(options: argparse.Namespace) -> int:
    settings = _options(options, 1)
    if not (settings.course / exercises.SOLUTIONS).is_dir():
        print("This copy of the course has no solutions: only the checks that you see are made.")
        settings = replace(settings, mode="plain", released=True)
    with (
        tempfile.TemporaryDirectory(prefix="check_") as folder,
        grader.Grader(settings, Path(folder)) as grading,
    ):
        named = grader.names([options.notebook])
        print(f"Checking {', '.join(named)}: this takes some seconds ...", flush=True)
        (result,) = grading.grade(named, lambda result: None)
    print(*report.lines(result), sep="\n")
    return 0 if result.status == "graded" and result.score == result.of else 1


if __name__ == "__main__":
    sys.exit(main())
