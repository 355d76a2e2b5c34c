"""Grading one submission, and many of them: intake, overlay, sandbox, judge, report.

Nothing that a submission does can cost another its result, or the grader its own: each is kept in
the report's folder as soon as it is there, and a grader that is started again goes on with what is
missing.
"""

import hashlib
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from course_utils import files
from course_utils.grading import report
from course_utils.grading.judging import awarding
from course_utils.grading.judging.judge import Judge
from course_utils.grading.judging.results import Result, TaskResult
from course_utils.grading.running import execution, sandbox
from course_utils.grading.source import exercises
from course_utils.grading.source.exercises import Exercise
from course_utils.grading.submissions import intake, overlay, rewriting

MODES = ("hardened", "plain")
_KEPT = ".results"


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes
    ----------
    mode : str
        ``"hardened"``: the learner's kernel only computes, another process judges.
        ``"plain"``: the check cells judge where they are; as safe as its learners are honest.
    jobs : int
        How many submissions at the same time.
    limits : sandbox.Limits
        Of each submission.
    course : pathlib.Path
        Folder that holds ``solutions/`` and ``exercises/``.
    released : bool
        Whether to make do with what learners have: no solutions, so no judge and no hidden tests.
        Needs the plain mode.
    """

    mode: str = "hardened"
    jobs: int = 1
    limits: sandbox.Limits = field(default_factory=sandbox.Limits)
    course: Path = field(default_factory=exercises.course_folder)
    released: bool = False


class Grader:
    """Grades submissions of all exercises of a course; used as a context.

    Parameters
    ----------
    options : Options
    report_folder : pathlib.Path
        Where results go; it is made.
    """

    def __init__(self, options: Options, report_folder: Path) -> None:
        self.options = options
        self.folder = report_folder
        self.kept = report_folder / _KEPT
        self.kept.mkdir(parents=True, exist_ok=True)
        self.exercises = exercises.find(options.course, released=options.released)
        self._stack = ExitStack()
        self._judges: dict[str, Judge] = {}
        package = sorted(Path(__file__).parent.rglob("*.py"))
        self._means = repr((options.mode, options.limits)) + "".join(
            _digest(path) for path in (*(exercise.path for exercise in self.exercises), *package)
        )

    def __enter__(self) -> "Grader":
        for exercise in self.exercises:
            judge = Judge(exercise.name, exercise.code, exercise.path.parent)
            self._judges[exercise.name] = self._stack.enter_context(judge)
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def grade(self, named: dict[str, Path], told: Callable[[Result], None]) -> list[Result]:
        """Grade submissions, and write the reports.

        Parameters
        ----------
        named : dict
            Submissions by their names in the report.
        told : callable
            Is given each result when it is there.

        Returns
        -------
        list of Result
            In the order of ``named``.
        """
        results: dict[str, Result] = {}
        pool = ThreadPoolExecutor(self.options.jobs)
        try:
            running = {pool.submit(self._result, *item): item[0] for item in named.items()}
            for future in as_completed(running):
                results[running[future]] = future.result()
                told(future.result())
        finally:
            # What is not begun yet is left for the next start.
            pool.shutdown(cancel_futures=True)
            in_order = [results[name] for name in named if name in results]
            report.write(self.folder, in_order)
        return in_order

    def _result(self, name: str, path: Path) -> Result:
        """The result of one submission: kept from an earlier run, or found now and kept."""
        key = self._key(path)
        place = self.kept / f"{name}.json"
        kept = _kept(name, place, key)
        if kept and (self.folder / f"{name}.html").is_file():
            return kept
        began = time.monotonic()
        result, notebook = Result(name, key=key), None
        try:
            notebook = self._fill(result, path)
        except intake.SubmissionError as reason:
            result.status = "refused"
            result.notes.append(str(reason))
        except Exception as error:  # one submission must not stop the others, whatever is in it
            result.status = "failed"
            result.notes.append(f"The grader failed: {type(error).__name__}: {error}")
        result.seconds = time.monotonic() - began
        self._page(result, notebook)
        if result.status != "failed":
            with files.whole(place) as unfinished:
                unfinished.write_text(json.dumps(result.record()), encoding="utf-8")
        return result

    def _page(self, result: Result, notebook: nbformat.NotebookNode | None) -> None:
        try:
            report.page(self.folder, result, notebook)
        except Exception as error:  # what a stranger has printed may break what shows it
            result.notes.append(f"The notebook cannot be shown: {type(error).__name__}: {error}")
            report.page(self.folder, result, None)

    def _fill(self, result: Result, path: Path) -> nbformat.NotebookNode:
        """Grade a submission; the notebook as it ran, with the source's check cells."""
        submission = intake.read(path)
        exercise = intake.exercise_of(submission, self.exercises)
        result.exercise = exercise.name
        result.tasks = {task.name: TaskResult(0.0, task.points) for task in exercise.tasks}
        laid = overlay.lay_over(exercise, submission)
        result.notes += [*submission.notes, *laid.notes]
        judge = self._judges[exercise.name]
        if not self.options.released:
            judge.prepare()  # which unpacks the data that the exercise needs, outside any sandbox
        run = self._execute(exercise, laid.notebook)
        result.notes += run.notes
        asked = judge if self.options.mode == "hardened" else None
        for task in exercise.tasks:
            source = laid.sources.get(task.name, "")
            result.tasks[task.name] = awarding.award(task, source, run, asked)
            result.notes += awarding.borrowed(task, laid.extras)
        executed = run.notebook or laid.notebook
        checks = {task.check.id: task.check.source for task in exercise.tasks}
        for cell in executed.cells:  # the page shows the check cells of the source
            cell.source = checks.get(cell.id, cell.source)
        return executed

    def _execute(self, exercise: Exercise, notebook: nbformat.NotebookNode) -> execution.Execution:
        folder = Path(tempfile.mkdtemp(prefix="submission_"))
        try:
            if self.options.mode == "hardened":
                self._leave_only_calls(exercise, notebook)
            path, inside = folder / f"{exercise.name}.ipynb", folder / "inside"
            inside.mkdir()
            nbformat.write(notebook, path)
            hidden = [self.options.course / exercises.SOLUTIONS, self.folder]
            return execution.execute(path, inside, self.options.limits, hidden=hidden)
        finally:
            sandbox.remove(folder)

    def _leave_only_calls(self, exercise: Exercise, notebook: nbformat.NotebookNode) -> None:
        judge, checks = self._judges[exercise.name], {task.check.id for task in exercise.tasks}
        for cell in notebook.cells:
            if cell.id in checks:
                cell.source = rewriting.only_calls(cell.source, judge.inputs(cell.id))

    def _key(self, path: Path) -> str:
        """Changes with the submission, the source notebooks, the mode and this package."""
        submitted = _digest(path) if path.is_file() else ""
        return hashlib.sha256((self._means + submitted).encode()).hexdigest()


def names(paths: Iterable[Path]) -> dict[str, Path]:
    """Find the notebooks of submissions, and give each a name of its own.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Notebooks, and folders whose notebooks are meant, at any depth.

    Returns
    -------
    dict
        Paths by name: the file's name without its ending, with the folders that it lies in where
        several have the same, as ``student__assignment__file``. A path that is not there keeps its
        place; it is refused later, with a sentence.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        found += [one for one in inside if ".ipynb_checkpoints" not in one.parts]
    found = list(dict.fromkeys(found))
    stems = Counter(path.stem for path in found)
    parts = [path.absolute().with_suffix("").parts for path in found]
    shared = len(Path(os.path.commonpath([path.absolute().parent for path in found])).parts)
    named: dict[str, Path] = {}
    for path, part in zip(found, parts, strict=True):
        name = part[-1] if stems[path.stem] == 1 else "__".join(part[shared:])
        name = re.sub(r"[^\w.+@-]+", "_", name).strip(".")[:120] or "submission"
        taken = [name, *(f"{name}-{number}" for number in range(2, len(found) + 1))]
        # Some file systems do not tell upper from lower case.
        used = {other.lower() for other in named}
        named[next(one for one in taken if one.lower() not in used)] = path
    return named


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _kept(name: str, place: Path, key: str) -> Result | None:
    """The result of an earlier run, if it is of the very same submission and sources."""
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        return Result.from_record(name, record) if record["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
