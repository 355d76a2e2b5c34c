"""Notebooks as they run on Colab: its versions, its modules (a stub), the wheel, an empty folder.

The environment is built with uv, from its cache where that has everything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import publish
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
VERSIONS = Path(__file__).with_name("versions.txt")
CANARY = Path(__file__).with_name("canary.py")
UV = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
ADDED = {
    "ai-edge-litert", "backports-strenum", "click", "course-utils", "flashlight-text", "jiwer",
    "prettytable", "rapidfuzz", "skops",
}  # fmt: skip
"""What the set-up cell brings; Colab itself has click and prettytable."""
STUB = {
    "google/colab/__init__.py": "",
    "google/colab/output.py": "def enable_custom_widget_manager(): pass\n"
    "def eval_js(code): pass\ndef serve_kernel_port_as_iframe(port, **settings): pass\n",
    "google/colab/drive.py": "def mount(folder): raise OSError('nobody has asked for it')\n",
    # In a notebook on Colab it is there before the first cell.
    "sitecustomize.py": "import google.colab\n",
    "pip/__init__.py": "",
    "pip/__main__.py": "import sys\nopen('pip_was_asked', 'a').write(' '.join(sys.argv[1:]))\n",
}
# What a lesson does is tested elsewhere; here it has to run, so training is short.
SHORT = {
    "02_speech_commands_cnn": {
        "conv_steps": 10, "steps": [30, 10], "evaluate_every": 20, "own_steps": 10, "floor": 0.0,
    },
    "05_trigger_word_gru": {
        "steps": 30, "stored_scenes": 64, "own_steps": 30, "most_missed": 1.0,
        "most_false_alarms": 1_000_000,
    },
}  # fmt: skip


def uv(*arguments: str | Path, python: Path) -> str:
    environment = {**os.environ, "VIRTUAL_ENV": str(python.parents[1])}
    command = [UV, *map(str, arguments)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    if answer.returncode and "error sending request" in answer.stderr.lower():
        pytest.skip("the package registry cannot be reached, and uv's cache has not everything")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def installed(python: Path) -> dict[str, str]:
    found = json.loads(uv("pip", "list", "--format", "json", python=python))
    return {package["name"]: package["version"] for package in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def colab(wheel, tmp_path_factory) -> tuple[Path, dict[str, str], dict[str, str]]:
    """Its Python, and what is installed before and after the set-up cell."""
    python = tmp_path_factory.mktemp("colab") / "environment" / "bin" / "python"
    uv("venv", "--python", sys.executable, python.parents[1], python=python)
    uv("pip", "install", "-r", VERSIONS, python=python)
    before = installed(python)
    uv("pip", "install", f"{wheel}[colab]", python=python)
    after = installed(python)
    uv("pip", "install", "nbval==0.11.0", python=python)  # which runs the notebooks here
    return python, before, after


def test_the_set_up_cell_adds_little_and_changes_nothing(colab):
    _, before, after = colab
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == ADDED


@pytest.mark.parametrize("group", ["keras", "torch"])
def test_what_notebooks_take_from_libraries_is_there(group, colab, tmp_path):
    lessons = {"keras": "0[0-47]", "torch": "0[56]"}[group]
    paths = [
        path
        for folder in ("notebooks", "notebooks/solutions")
        for path in sorted((ROOT / folder).glob(f"{lessons}_*.ipynb"))
    ]
    assert paths
    for python in (colab[0], sys.executable):
        answer = subprocess.run(
            [python, "-W", "ignore", CANARY, *paths],
            cwd=tmp_path,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert answer.returncode == 0, f"{python}: {answer.stdout}{answer.stderr[-2000:]}"


@pytest.mark.parametrize(
    "name",
    [
        "01_spectrograms_and_mfccs",
        "02_speech_commands_cnn",
        "05_trigger_word_gru",
        "solutions/01_spectrograms_and_mfccs",
    ],
)
def test_a_published_notebook_runs_in_an_empty_folder(name, colab, tmp_path):
    for path, text in STUB.items():
        (tmp_path / "stub" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stub" / path).write_text(text)
    folder = tmp_path / "content"
    folder.mkdir()
    notebook = Path(shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", folder))
    publish.stamp(notebook, f"notebooks/{name}.ipynb", "anna/course", "main")
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    environment = {key: os.environ[key] for key in kept if key in os.environ}
    environment |= {
        "PYTHONPATH": str(tmp_path / "stub"),
        "COURSE_SETTINGS": json.dumps(SHORT.get(notebook.stem, {})),
    }
    command = [
        colab[0], "-m", "pytest", "--nbval-lax", "--nbval-current-env",
        "--nbval-cell-timeout=600", "-p", "no:cacheprovider", "-q", "--color=no", notebook.name,
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-4000:]
    asked = (folder / "pip_was_asked").read_text()
    assert asked == "install --quiet course-utils[colab] @ git+https://github.com/anna/course@main"
    assert (folder / "runs" / notebook.stem).is_dir()
