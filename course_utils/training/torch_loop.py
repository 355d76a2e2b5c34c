"""The training loop in PyTorch, for any model and any device: short, interruptible, repeatable.

It promises what the Keras loop promises. A run that was killed goes on at the step of its last
checkpoint, to the same weights bit by bit (on a GPU only as far as its libraries always add up in
the same order); an interrupt keeps what was learned; a step whose loss or gradient is not finite
is not taken, and the place is named. How one step is taken stands in :mod:`torch_step`; what
several processes need to know, in :mod:`torch_processes`.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import tqdm

from course_utils.progress import bar
from course_utils.training import interrupts, torch_checkpoint, torch_processes
from course_utils.training.torch_batches import Batch, made_ahead
from course_utils.training.torch_log import Log, Tracker, check_tracker
from course_utils.training.torch_step import Diverged, Loss, Stepper, plain

__all__ = ["Diverged", "Loop", "Plan"]

_CHECKPOINT, _TENSORBOARD = "checkpoint.pt", "tensorboard"


@dataclass(frozen=True)
class Plan:
    """How long to train, and when to stop and look.

    Attributes
    ----------
    steps : int
        Batches in all.
    save_every, evaluate_every : int
        Steps between two checkpoints, and between two evaluations; both also happen at the end.

    Raises
    ------
    ValueError
        If one of them is not a whole number above 0.
    """

    steps: int
    save_every: int = 100
    evaluate_every: int = 200

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be followed."""
        for name, value in vars(self).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"{name} is {value!r}; expected a whole number from 1 on; correct the plan."
                )


class Loop:
    """One training run in one folder.

    Parameters
    ----------
    folder : Path
        Where ``checkpoint.pt`` and ``tensorboard/`` lie or will lie.
    model : torch.nn.Module
        Seed PyTorch before you build it: dropout goes on from the state that this leaves behind.
    optimizer : torch.optim.Optimizer
        Of the model's weights; any that needs no closure.
    loss : callable
        Of (model, batch): the mean over the batch, a tensor with one number; or that and a dict of
        more numbers for the history. It calls the model that it is given.
    identity : dict
        What makes this run this run, as JSON can hold it: recipe, data, seed. A checkpoint with
        other entries is refused, and so is one of another class of optimizer or scheduler.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Moves on with every step.
    clip_norm : float, optional
        Where the gradients, all together, are longer than this, they are shortened to it.
    device : torch.device or str, optional
        By default the GPU, if there is one that CUDA knows.
    amp : torch.dtype, optional
        What to compute in wherever that is safe: by default float16 on CUDA, elsewhere float32.
    tensorboard : bool
        Whether to keep the history in TensorBoard's log, too.
    tracker : object, optional
        Is told the numbers of the history, too, by the first process, as
        ``tracker.log_metrics(metrics, step=step)``: ``comet_ml.Experiment()``, ``mlflow``, yours.
        One that fails is warned of, and stops nothing.

    Attributes
    ----------
    model : torch.nn.Module
    device : torch.device
    step : int
        Steps taken so far, those before an interruption included.
    history : list of dict
        One entry for each evaluation: ``step``, ``rate`` (of that step), ``loss`` and whatever else
        the loss gave (means over the steps since the last entry), ``seconds``, ``skipped`` (how
        often so far gradients overflowed in float16, so that a step was tried again with a smaller
        scale) and what the evaluation gave.

    Raises
    ------
    ValueError
        If the folder holds a checkpoint of another run.
    TypeError
        If the tracker has no method ``log_metrics``.
    """

    def __init__(
        self,
        folder: Path,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        identity: dict,
        *,
        scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
        clip_norm: float | None = None,
        device: torch.device | str | None = None,
        amp: torch.dtype | None = None,
        tensorboard: bool = True,
        tracker: Tracker | None = None,
    ) -> None:
        check_tracker(tracker)
        self._stepper = Stepper(model, optimizer, loss, scheduler, clip_norm, device, amp)
        self.model, self.device = model, self._stepper.device
        self._identity = json.loads(json.dumps(identity))  # what cannot be saved fails here
        self.history, self._seconds, self._sums = [], 0.0, {}
        self._first = torch_processes.rank() == 0
        self._tracker = tracker if self._first else None
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / _CHECKPOINT
        self._board = folder / _TENSORBOARD if tensorboard and self._first else None
        if self._file.exists():
            self._restore()

    @property
    def step(self) -> int:
        """Steps taken so far."""
        return self._stepper.taken

    def _restore(self) -> None:
        stepper = self._stepper
        record, random = torch_checkpoint.restore(self._file, stepper.parts, self._identity)
        stepper.taken, stepper.skipped = record["step"], record["skipped"]
        stepper.random = random[torch_processes.rank() % len(random)]
        self.history, self._seconds, self._sums = (
            record[name] for name in ("history", "seconds", "sums")
        )

    def save(self) -> None:
        """Write the checkpoint.

        Raises
        ------
        Diverged
            If a weight is not finite; the last checkpoint stays.
        """
        self._stepper.check()
        random = torch_processes.gathered(self._stepper.random)
        record = {
            "identity": self._identity, "step": self.step, "skipped": self._stepper.skipped,
            "history": self.history, "seconds": self._seconds, "sums": self._sums,
        }  # fmt: skip
        if self._first:
            torch_checkpoint.save(self._file, self._stepper.parts, random, record)

    def run(
        self,
        batch_of: Callable[[int], Batch],
        plan: Plan,
        evaluate: Callable[[], dict] = dict,
        report: Callable[[dict], None] = lambda entry: None,
        ahead: int = 1,
    ) -> list[dict]:
        """Train to the end of the plan.

        Parameters
        ----------
        batch_of : callable
            Gives the batch of a step, the first being 0; always the same for the same step.
        plan : Plan
        evaluate : callable
            Gives numbers for the history; called in every process. Meanwhile the model is in
            evaluation mode and keeps no gradients; what is drawn at random does not change the run.
        report : callable
            Is given each new entry of the history; called in the first process alone.
        ahead : int
            How many batches to make in the background while the model computes; see
            :func:`course_utils.training.torch_batches.made_ahead`.

        Returns
        -------
        list of dict
            The history. The model is left in evaluation mode.

        Raises
        ------
        Diverged
            If a loss or a gradient is not finite: that step is not taken. Or if a weight is not.
            In both cases the checkpoint stays as it is.
        KeyboardInterrupt
            If there was one; the step that was under way is finished, and saved, first.
        ValueError
            If the loss is not one number.
        """
        begun = time.monotonic() - self._seconds
        made = made_ahead(batch_of, range(self.step, plan.steps), ahead)
        with (
            self._sitting(plan) as (shown, log),
            interrupts.postponed() as interrupted,
            closing(made) as batches,
        ):
            for batch in batches:
                found = self._stepper.take(batch)
                self._sums = {name: self._sums.get(name, 0.0) + found[name] for name in found}
                shown.update()
                self._seconds = time.monotonic() - begun
                last = self.step == plan.steps
                if last or self.step % plan.evaluate_every == 0:
                    entry = self._entry(evaluate)
                    with shown.external_write_mode():  # or text would be printed behind the bar
                        log.add(entry)
                        (report if self._first else dict)(entry)
                stop = torch_processes.any_of(interrupted(), self.device)
                if last or self.step % plan.save_every == 0 or stop:
                    self.save()
                if stop:
                    raise KeyboardInterrupt(
                        f"stopped after step {self.step} of {plan.steps}, which is saved; run the"
                        " same again to go on"
                    )
        return self.history

    @contextmanager
    def _sitting(self, plan: Plan) -> Iterator[tuple[tqdm.tqdm, Log]]:
        """A bar that begins where the run goes on, and a log."""
        name, outside = type(self.model).__name__, self._stepper.random_states()
        self.model.train()
        try:
            with (
                bar(plan.steps, name, " steps", self._first) as shown,
                closing(Log(self._board, self.step + 1, self._tracker)) as log,
            ):
                # Steps of an earlier sitting do not count as speed of this one.
                shown.initial = shown.n = shown.last_print_n = self.step
                yield shown, log
        finally:
            self.model.zero_grad()
            self.model.eval()
            self._stepper.set_random(outside)

    def _entry(self, evaluate: Callable[[], dict]) -> dict:
        self._stepper.check()
        self.model.eval()
        with torch.no_grad():
            evaluated = evaluate()
        self.model.train()
        steps = self.step - (self.history[-1]["step"] if self.history else 0)
        means = {name: total / steps for name, total in self._sums.items()}
        entry = {"step": self.step, "rate": self._stepper.rate, **means, "seconds": self._seconds,
                 "skipped": self._stepper.skipped, **plain(evaluated)}  # fmt: skip
        self.history.append(entry)
        self._sums = {}
        return entry
