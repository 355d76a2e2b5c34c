"""A run in PyTorch that is killed ends where an undisturbed one ends, bit by bit; its log, too."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_torch import (
    batch_of,
    looped,
    one_thread,  # noqa: F401
    plan,
    values,
    without_clock,
)

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("killed_torch_run.py")
# TensorBoard's reader, with TensorBoard's own stand-in for TensorFlow.
READ = """
import json, sys, types
sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
log = EventAccumulator(sys.argv[1]).Reload()
curves = {tag: [(e.step, e.value) for e in log.Scalars(tag)] for tag in log.Tags()["scalars"]}
print(json.dumps([curves, "tensorflow" in sys.modules]))
"""


def run(folder: Path, *moment: object) -> int:
    command = [sys.executable, SCRIPT, folder, *map(str, moment)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-2000:]
    return done.returncode


def step(folder: Path) -> int:
    content = torch.load(folder / "checkpoint.pt", weights_only=True)
    return json.loads(content["record"])["step"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_in_a_step_and_in_a_file(tmp_path):
    whole = looped(tmp_path / "whole")
    whole.run(batch_of, plan(20, evaluate_every=2))

    parts = tmp_path / "parts"
    assert run(parts, "step", 8) == -signal.SIGKILL
    assert step(parts) == 6

    # With files there: the last one whole, the next one half.
    assert run(parts, "file", 4) == -signal.SIGKILL
    unfinished = parts / ".unfinished_checkpoint.pt"
    assert step(parts) == 15
    assert 0 < unfinished.stat().st_size < (parts / "checkpoint.pt").stat().st_size

    assert run(parts, "never") == 0
    assert not unfinished.exists() and step(parts) == 20
    again = looped(parts)
    assert values(again) == values(whole)
    assert without_clock(again.history) == without_clock(whole.history)

    curves, tensorflow = json.loads(
        subprocess.check_output([sys.executable, "-c", READ, parts / "tensorboard"])
    )
    assert not tensorflow
    assert len(list((parts / "tensorboard").iterdir())) == 3
    for name in ("loss", "accuracy", "rate"):
        assert [at for at, _ in curves[name]] == list(range(2, 21, 2))
        expected = [entry[name] for entry in whole.history]
        assert [value for _, value in curves[name]] == pytest.approx(expected, rel=1e-6)
    assert set(curves) == {"loss", "accuracy", "rate", "seconds", "skipped"}
