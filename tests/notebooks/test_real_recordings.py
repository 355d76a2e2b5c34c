"""The lessons from top to bottom on real recordings, at laptop scale."""

import json
import os
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ROOT = os.environ.get("COURSE_DATA_ROOT")
RECORDINGS = Path(ROOT) / "speech_commands" if ROOT else None

pytestmark = [
    pytest.mark.real,
    pytest.mark.long,
    pytest.mark.slow,
    pytest.mark.skipif(
        RECORDINGS is None or not RECORDINGS.is_dir(),
        reason="COURSE_DATA_ROOT names no folder that holds speech_commands",
    ),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Where these runs of the lessons leave their work."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def run(runs, monkeypatch):
    """Run a lesson with some settings changed; what it measured."""

    def results_of(
        lesson: str, data: str = "speech_commands", root: str | None = ROOT, **settings: object
    ) -> dict:
        monkeypatch.setenv("COURSE_SCALE", "laptop")
        monkeypatch.setenv("COURSE_DATA_ROOT", str(Path(root).resolve()))
        monkeypatch.setenv("COURSE_RUNS_ROOT", str(runs))
        monkeypatch.setenv("COURSE_SETTINGS", json.dumps(settings))
        notebook = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)
        resources = {"metadata": {"path": str(NOTEBOOKS)}}
        NotebookClient(notebook, timeout=1500, kernel_name="python3", resources=resources).execute()
        results = json.loads((runs / lesson / "results.json").read_text(encoding="utf-8"))
        assert (results["scale"], results["data"]) == ("laptop", data)
        return results

    return results_of


def test_lesson_01_runs_on_real_recordings(run):
    results = run("01_spectrograms_and_mfccs", parity_clips=20)
    assert results["n"] == 20 and results["value"] == 1.0
    assert max(results["aligned"].values()) < 0.005


def test_lesson_02_runs_on_real_recordings(run):
    # A quarter of the steps: enough to see that it learns, in a few minutes.
    results = run("02_speech_commands_cnn", steps=[1000, 250], conv_steps=10, floor=0.82)
    assert results["n"] > 500
    assert results["leak"]["shuffled"] > results["leak"]["by speaker"] + 0.05


def test_lesson_03_reads_what_lesson_02_trained(run, runs):
    results = run("03_confusion_matrices", sweep_steps=[80, 20])
    trained = json.loads((runs / "02_speech_commands_cnn/results.json").read_text("utf-8"))
    assert (results["value"], results["n"]) == (trained["value"], trained["n"])


def test_lesson_04_listens_with_what_lesson_02_trained(run):
    # A recogniser of a quarter of the steps does not reach the lesson's floor for all of them.
    results = run("04_streaming_smoothing", tuning_seconds=600, least_correct=70.0)
    assert results["n"] == 200
    assert results["matched"] >= 0.85 and results["false_positives"] <= 0.03
    assert results["times_real_time"] > 20


def test_lesson_05_learns_a_real_trigger_word(run):
    # A third of the steps: enough to see that it learns, not for the lesson's own floor.
    settings = {"steps": 500, "stored_scenes": 1200, "own_steps": 30, "most_missed": 0.7}
    results = run("05_trigger_word_gru", **settings, most_false_alarms=12)
    assert results["n"] > 80
    assert results["live_lag_s"] < 0.3 and results["half_second_ms"] < 50


@pytest.mark.skipif(
    not ROOT or not (Path(ROOT) / "LibriSpeech" / "train-clean-an4").is_dir(),
    reason="COURSE_DATA_ROOT names no folder that holds LibriSpeech/train-clean-an4",
)
def test_lesson_06_learns_to_write_real_speech(run):
    # The smallest network and a quarter of the passes, and no download of a pre-trained one.
    settings = {"network": "mini", "threads": 1, "learning_rate": 0.004, "masks": [2, 12, 2, 6],
                "passes": 9, "look_every": 3, "pretrained": False, "most_cer": 0.6}  # fmt: skip
    results = run("06_end_to_end_ctc", "dev-clean-an4", **settings)
    assert results["n"] > 500 and results["voices"] == 9
    assert results["with_language_model"] < results["value"]


def test_lesson_07_reads_the_layout_of_the_real_archive(run, tmp_path):
    """No real music is at hand: the shipped tracks lie where those of the archive would."""
    with zipfile.ZipFile(NOTEBOOKS.parent / "data/fma_mini.zip") as archive:
        archive.extractall(tmp_path)
    # ImageNet's weights would have to be downloaded; so few epochs are enough to see that it runs.
    settings = {"tracks_per_genre": 30, "riddle": [0, 50, 100], "weights": "", "splits": 4}
    results = run(
        "07_genre_transfer_learning", "fma_small", tmp_path, **settings,
        raw_epochs=1, epochs=[1, 2, 1], least_correct=0.2,
    )  # fmt: skip
    assert results["n"] == 64 and results["artists"] > 20
