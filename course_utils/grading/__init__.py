"""Exercises and their grading: checks, releases, and a grader that runs notebooks through nbval.

A check cell of an exercise imports one name from here, :class:`Task`. Everything else is for those
who grade: ``python -m course_utils.grading``.
"""

from course_utils.grading.checks.scores import Score
from course_utils.grading.checks.tasks import Task

__all__ = ["Score", "Task"]
