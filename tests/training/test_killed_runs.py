"""A run that is killed three times ends where an undisturbed one ends, bit by bit."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import small_runs

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("killed_run.py")
STEPS = small_runs.RECIPE.total_steps


def begin(folder: Path, *moment: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder, *map(str, moment)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(running: subprocess.Popen) -> int:
    _, errors = running.communicate(timeout=300)
    assert running.returncode in (0, -signal.SIGKILL), errors[-2000:]
    return running.returncode


def kill_while_it_writes(running: subprocess.Popen, unfinished: Path) -> None:
    """``kill -9`` from outside, at a moment when the unfinished file is there."""
    deadline = time.monotonic() + 300
    while not unfinished.exists() and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    running.send_signal(signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_three_times(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    undisturbed = begin(whole, "never")
    assert ended(begin(parts, "step", 11)) == -signal.SIGKILL
    assert small_runs.state(parts)[1]["step"] == 8

    # In the second stage, with files there: the last one whole, the next one half.
    assert ended(begin(parts, "file", 5)) == -signal.SIGKILL
    unfinished = parts / ".unfinished_checkpoint.npz"
    assert small_runs.state(parts)[1]["step"] == 24
    assert 0 < unfinished.stat().st_size < (parts / "checkpoint.npz").stat().st_size

    unfinished.unlink()
    running = begin(parts, "often")
    kill_while_it_writes(running, unfinished)
    assert ended(running) == -signal.SIGKILL
    assert 24 <= small_runs.state(parts)[1]["step"] < STEPS
    assert not (parts / "model.keras").exists()

    assert ended(begin(parts, "never")) == ended(undisturbed) == 0
    small_runs.assert_same(whole, parts)
    assert small_runs.state(parts)[1]["step"] == STEPS
    scores = [_scores(folder) for folder in (whole, parts)]
    np.testing.assert_array_equal(*scores)
    assert not list(parts.glob(".unfinished_*"))


def _scores(folder: Path) -> np.ndarray:
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    samples = small_runs.tones(8, 2).clips.steps / np.float32(32768)
    return model.predict(samples.astype(np.float32), verbose=0)
