"""Two processes that train together do what one does alone with the same global batch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_torch import one_thread  # noqa: F401
from torch_processes_run import train

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("torch_processes_run.py")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to raise")
def test_two_do_what_one_does(tmp_path):
    alone = train(tmp_path / "alone", slice(None), [])
    running = [
        subprocess.Popen(
            [sys.executable, SCRIPT, tmp_path, str(rank)], stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-2000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    # Only the second was interrupted; both stopped, at the same step, and went on together.
    assert first["said"] == second["said"]
    assert first["said"].startswith("stopped after step 5 of 12, which is saved;")
    assert first["reported"] == [3, 6, 9, 12] and second["reported"] == []
    for name in ("loss", "accuracy"):
        found, other, expected = (
            [entry[name] for entry in history]
            for history in (first["history"], second["history"], alone.history)
        )
        assert found == other == pytest.approx(expected, rel=1e-5)
    weights, others = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    for name, value in alone.model.state_dict().items():
        assert torch.equal(weights[name], others[name])
        torch.testing.assert_close(weights[name], value, rtol=1e-4, atol=1e-6)
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["checkpoint.pt"]
    # What two have trained, one may look at.
    assert train(tmp_path / "run", slice(None), []).history == first["history"]
