"""What grading one submission gave, and how that is kept."""

from dataclasses import asdict, dataclass, field


@dataclass
class TaskResult:
    """Points of one task, with the checks that led to them.

    Attributes
    ----------
    points, of : float
        Points given, points that there are.
    checks : list of dict
        ``says``, ``correct`` and ``hint`` of each check; empty if there was no answer to check.
    reason : str
        Why there are no points, where it is not a check that says so.
    """

    points: float
    of: float
    checks: list[dict] = field(default_factory=list)
    reason: str = ""

    def hints(self) -> list[str]:
        """What to tell the learner: the reason, then what is not right, check by check."""
        told = {self.reason: ""} if self.reason else {}
        for check in self.checks:
            # The same mistake is seen by several checks; once is enough.
            if not check["correct"]:
                told.setdefault(check["hint"], check["says"])
        return [f"{says}: {hint}" if says else hint for hint, says in told.items()]


@dataclass
class Result:
    """What grading one submission gave.

    Attributes
    ----------
    name : str
        Name of the submission in the report.
    status : str
        ``"graded"``; ``"refused"`` if it is no submission that can be graded; ``"failed"`` if the
        grader could not do its work, which is no fault of the learner.
    exercise : str
        Name of the exercise, empty if it is not known.
    tasks : dict of TaskResult
        By name of the task, in the order of the notebook.
    notes : list of str
        What else the instructor should know.
    seconds : float
        From reading the submission to its result.
    key : str
        Says what was graded with what; the same key means the same result.
    """

    name: str
    status: str = "graded"
    exercise: str = ""
    tasks: dict[str, TaskResult] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    key: str = ""

    @property
    def score(self) -> float:
        """Sum of the points."""
        return sum(task.points for task in self.tasks.values())

    @property
    def of(self) -> float:
        """Sum of the points that there are."""
        return sum(task.of for task in self.tasks.values())

    def record(self) -> dict:
        """The result as JSON holds it."""
        return {
            "status": self.status,
            "exercise": self.exercise,
            "score": self.score,
            "of": self.of,
            "points": {name: task.points for name, task in self.tasks.items()},
            "hints": {name: task.hints() for name, task in self.tasks.items() if task.hints()},
            "tasks": {name: asdict(task) for name, task in self.tasks.items()},
            "notes": self.notes,
            "seconds": round(self.seconds, 1),
            "key": self.key,
        }

    @classmethod
    def from_record(cls, name: str, record: dict) -> "Result":
        """The result that :meth:`record` wrote down."""
        kept = ("status", "exercise", "notes", "seconds", "key")
        tasks = {task: TaskResult(**content) for task, content in record["tasks"].items()}
        return cls(name, tasks=tasks, **{field: record[field] for field in kept})
