"""Make releases with nbgrader; runs in nbgrader's own environment, called by make_exercises.py.

python nbgrader_release.py SOURCE...     prints a JSON object: path -> released notebook
"""

from __future__ import annotations

import json
import logging
import sys

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells


def released(path: str) -> str:
    """A source notebook as `nbgrader generate_assignment` would release it."""
    notebook, resources = nbformat.read(path, as_version=4), {}
    # All that generate_assignment runs, in its order, except for writing cells into a gradebook.
    for kind in GenerateAssignment(coursedir=CourseDirectory()).preprocessors:
        if kind is not SaveCells:
            notebook, resources = kind(enabled=True).preprocess(notebook, resources)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


if __name__ == "__main__":
    logging.disable(logging.INFO)
    json.dump({path: released(path) for path in sys.argv[1:]}, sys.stdout)
