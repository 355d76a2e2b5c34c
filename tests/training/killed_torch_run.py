"""A run in PyTorch that ends with SIGKILL where the second argument says; in the first's folder."""

import os
import signal
import sys
from pathlib import Path

import small_torch
import torch

from course_utils.training import torch_checkpoint
from course_utils.training.torch_loop import Loop


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_step(loop: Loop, number: int) -> None:
    """Die when the step has changed the weights but nobody has counted it yet."""
    attempt = loop._stepper._attempt

    def one_attempt(batch):
        found = attempt(batch)
        if loop.step == number - 1:
            die()
        return found

    loop._stepper._attempt = one_attempt


def in_a_file(number: int) -> None:
    """Die with half of the file written."""
    wait, written = os.fsync, []

    def fsync(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == number:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            die()
        wait(descriptor)

    torch_checkpoint.os.fsync = fsync


if __name__ == "__main__":
    folder, moment, *rest = sys.argv[1:]
    torch.set_num_threads(1)
    loop = small_torch.looped(Path(folder), tensorboard=True)
    if moment == "step":
        in_a_step(loop, int(rest[0]))
    elif moment == "file":
        in_a_file(int(rest[0]))
    loop.run(small_torch.batch_of, small_torch.plan(20, evaluate_every=2), ahead=0)
    assert "tensorflow" not in sys.modules
