"""Lesson 01 from top to bottom on real recordings, at laptop scale."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ROOT = os.environ.get("COURSE_DATA_ROOT")
RECORDINGS = Path(ROOT) / "speech_commands" if ROOT else None


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(
    RECORDINGS is None or not RECORDINGS.is_dir(),
    reason="COURSE_DATA_ROOT names no folder that holds speech_commands",
)
def test_lesson_01_runs_on_real_recordings(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "laptop")
    monkeypatch.setenv("COURSE_DATA_ROOT", str(Path(ROOT).resolve()))
    monkeypatch.setenv("COURSE_RUNS_ROOT", str(tmp_path))
    monkeypatch.setenv("COURSE_SETTINGS", '{"parity_clips": 20}')
    notebook = nbformat.read(NOTEBOOKS / "01_spectrograms_and_mfccs.ipynb", as_version=4)
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    folder = tmp_path / "01_spectrograms_and_mfccs"
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert (results["scale"], results["data"]) == ("laptop", "speech_commands")
    assert results["n"] == 20 and results["value"] == 1.0
    assert max(results["aligned"].values()) < 0.005
