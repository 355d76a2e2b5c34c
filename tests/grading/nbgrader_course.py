"""Runs in nbgrader's own environment: what its gradebook says, as JSON.

python nbgrader_course.py DATABASE
"""

from __future__ import annotations

import json
import sys

from nbgrader.api import Gradebook

if __name__ == "__main__":
    with Gradebook(f"sqlite:///{sys.argv[1]}") as book:
        found = {
            submission.student.id: {
                notebook.name: {
                    grade.name: [grade.score, grade.max_score] for grade in notebook.grades
                }
                for notebook in submission.notebooks
            }
            for assignment in book.assignments
            for submission in assignment.submissions
        }
    json.dump(found, sys.stdout)
