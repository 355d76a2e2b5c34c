"""A run of the small recogniser: as torchrun starts it, or killed in a step.

Arguments: folder, and the step to die in, if any.
"""

import json
import sys
from pathlib import Path

import torch
from killed_torch_run import in_a_step
from small_torch import plan
from small_utterances import part, recogniser
from torch import distributed

from course_utils.features.spec_augment import SpecAugment
from course_utils.training.deepspeech import Batches, ctc, validation
from course_utils.training.torch_loop import Loop

STEPS = 9
UNEQUAL = {"2 and 1": (11, 3, {2, 3}), "1 and none": (5, 2, {1, 2})}
"""What two processes get of a small batch: utterances, batch size, how large batches then are."""


def train(
    folder: Path, case: str, share=(0, 1), dropout: float = 0.0, die_in: int | None = None
) -> Loop:
    count, size, sizes = UNEQUAL[case]
    made = recogniser(dropout=dropout)
    options = {"speeds": (0.9, 1.0, 1.1), "augment": SpecAugment(2, 5, 1, 3), "seed": 2}
    batches = Batches(part(count), made, size, share=share, **options)
    assert {len(batches.rows(step)) for step in range(STEPS)} == sizes
    optimizer = torch.optim.AdamW(made.network.parameters(), 0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=STEPS)
    loop = Loop(folder, made.network, optimizer, ctc, {"recipe": "small"}, scheduler=schedule,
                clip_norm=1.0, device="cpu", tensorboard=False)  # fmt: skip
    if die_in:
        in_a_step(loop, die_in)
    heard = Batches(part(5, seed=1), made)
    evaluate = lambda: {"heard": validation(made.network, heard).loss}  # noqa: E731
    loop.run(batches, plan(STEPS, evaluate_every=1), evaluate)
    return loop


if __name__ == "__main__":
    folder, die_in = Path(sys.argv[1]), sys.argv[2:]
    torch.set_num_threads(1)
    if die_in:
        train(folder, "2 and 1", dropout=0.2, die_in=int(die_in[0]))
    else:
        distributed.init_process_group("gloo")
        rank, world = distributed.get_rank(), distributed.get_world_size()
        for case in UNEQUAL:
            loop = train(folder / case, case, (rank, world))
            (folder / f"{case} {rank}.json").write_text(json.dumps(loop.history))
        distributed.destroy_process_group()
