"""What a lesson needs on Google Colab: its machine looked at, custom widgets, and Drive if asked.

Elsewhere nothing here does anything. Colab's own package is there before any lesson begins.
"""

import importlib
import os
import sys
from pathlib import Path

from course_utils import machine, places

DRIVE = Path("/content/drive")
"""Where Drive is mounted."""


def here() -> bool:
    """Whether this is a notebook on Colab."""
    return "google.colab" in sys.modules


def begin(drive: bool = False) -> list[str]:
    """Make widgets work, say what machine this is, and keep data and work on Drive if asked.

    Parameters
    ----------
    drive : bool
        Whether data sets and the work of lessons go to ``MyDrive/course_data`` and
        ``MyDrive/course_runs``, where they outlast the machine. Colab asks for permission.

    Returns
    -------
    list of str
        Sentences for the learner; none elsewhere than on Colab, except that there is no Drive.
    """
    if not here():
        return ["There is no Drive here: data and work stay in the course's folder."] * drive
    importlib.import_module("google.colab.output").enable_custom_widget_manager()
    found = machine.hardware()
    scale, reason = machine.fitting_scale(found)
    told = [
        f"Colab: {found['cores']} cores, {found['memory_gib']} GiB of memory, GPU: {found['gpu']}.",
        f'The scale {scale} would fit: scale="{scale}" in the set-up cell asks for it. {reason}',
    ]
    return told + ([_on_drive()] if drive else [])


def _on_drive() -> str:
    importlib.import_module("google.colab.drive").mount(str(DRIVE))
    mine = DRIVE / "MyDrive"
    for variable, name in ((places.DATA_ROOT, "course_data"), (places.RUNS_ROOT, "course_runs")):
        (mine / name).mkdir(exist_ok=True)
        # Who has named a folder keeps it.
        os.environ.setdefault(variable, str(mine / name))
    return (
        f"Data sets are in {os.environ[places.DATA_ROOT]}, work in {os.environ[places.RUNS_ROOT]}."
    )
