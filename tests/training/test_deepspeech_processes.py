"""A recogniser trained by several processes, or killed on the way, is the same recogniser."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from deepspeech_process import UNEQUAL, train
from small_torch import one_thread, values, without_clock  # noqa: F401

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("deepspeech_process.py")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def run(*command: object, **environment: str) -> int:
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, timeout=300,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-3000:]
    return done.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs libuv, which Windows lacks")
def test_torchrun_gives_the_curve_of_one_process(tmp_path):
    run(*TORCHRUN, SCRIPT, tmp_path, OMP_NUM_THREADS="1")
    for case in UNEQUAL:
        alone = train(tmp_path / "alone" / case, case)
        histories = [json.loads((tmp_path / f"{case} {n}.json").read_text()) for n in range(2)]
        for name in ("loss", "heard"):
            expected = [entry[name] for entry in alone.history]
            for history in histories:
                assert [entry[name] for entry in history] == pytest.approx(expected, rel=1e-5)
        content = torch.load(tmp_path / case / "checkpoint.pt", weights_only=True)
        for name, value in alone.model.state_dict().items():
            weight = content["states"]["model"][name]
            torch.testing.assert_close(weight, value, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_ends_where_an_unbroken_one_does(tmp_path):
    whole = train(tmp_path / "whole", "2 and 1", dropout=0.2)
    assert run(SCRIPT, tmp_path / "parts", 8) == -signal.SIGKILL
    record = torch.load(tmp_path / "parts" / "checkpoint.pt", weights_only=True)["record"]
    assert json.loads(record)["step"] == 6
    again = train(tmp_path / "parts", "2 and 1", dropout=0.2)
    assert values(again) == values(whole)
    assert without_clock(again.history) == without_clock(whole.history)
