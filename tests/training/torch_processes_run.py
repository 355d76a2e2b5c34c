"""One of two processes that train together. Arguments: folder, number of this process."""

import json
import os
import signal
import sys
from pathlib import Path

import small_torch
import torch
from torch import distributed, nn

STEPS = 12


def network() -> nn.Module:
    """Without dropout and batch normalisation, which see one share at a time."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(20, 6), nn.Tanh(), nn.Linear(6, 3))


def train(folder: Path, share: slice, reported: list, stop_at: int | None = None):
    """Go on to the end; or, with a step, until an interrupt that comes before it."""

    def batch_of(step: int):
        if step == stop_at:
            signal.raise_signal(signal.SIGINT)
        table, labels = small_torch.batch_of(step)
        return table[share], labels[share]

    loop = small_torch.looped(folder, network(), clip_norm=0.5)
    plan = small_torch.plan(STEPS, evaluate_every=3)
    loop.run(batch_of, plan, report=lambda entry: reported.append(entry["step"]), ahead=0)
    return loop


if __name__ == "__main__":
    folder, rank = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=(folder / "meeting").as_uri(), rank=rank, world_size=2
    )
    share, reported, said = slice(rank, None, 2), [], ""
    try:
        train(folder / "run", share, reported, stop_at=4 if rank else None)
    except KeyboardInterrupt as interrupt:
        said = str(interrupt)
    distributed.barrier()
    loop = train(folder / "run", share, reported)
    content = {"said": said, "reported": reported, "history": loop.history}
    (folder / f"{rank}.json").write_text(json.dumps(content))
    torch.save(loop.model.state_dict(), folder / f"{rank}.pt")
    distributed.destroy_process_group()
    # A thread of gloo that still wants the interpreter while that shuts down aborts the process:
    # rarely, on a busy machine, and long after everything that is tested here.
    os._exit(0)
