"""One training step in PyTorch: all of it, or nothing at all.

On a GPU it computes in mixed precision. Gradients are multiplied by a large scale there, or small
ones would vanish in float16; now and then some overflow, and the step is tried again with half the
scale. Any other number that is not finite ends the training, and its place is named.
"""

import math
from collections.abc import Callable

import torch
from torch import nn

from course_utils.training import torch_diagnosis, torch_processes
from course_utils.training.torch_batches import Batch, moved

Loss = Callable[[nn.Module, Batch], torch.Tensor | tuple[torch.Tensor, dict]]
"""Of (model, batch): the mean over the batch; or that and a dict of more numbers."""


class Diverged(ArithmeticError):
    """Training stopped because a number left what a computer can hold."""


def plain(numbers: dict) -> dict:
    """PyTorch's and NumPy's numbers as Python's."""
    return {name: v.item() if hasattr(v, "item") else v for name, v in numbers.items()}


class Stepper:
    """Takes steps. Parameters: as for :class:`course_utils.training.torch_loop.Loop`.

    Attributes
    ----------
    model : torch.nn.Module
    device : torch.device
    parts : dict
        Whatever has a state, by name.
    taken : int
        Steps so far.
    skipped : int
        How often gradients overflowed in float16 and the step was tried again.
    random : list of torch.Tensor
        States of the random generators after the last step.
    rate : float
        Learning rate of the last step.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        scheduler: torch.optim.lr_scheduler.LRScheduler | None,
        clip_norm: float | None,
        device: torch.device | str | None,
        amp: torch.dtype | None,
    ) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model, self._optimizer, self._scheduler = model.to(self.device), optimizer, scheduler
        self._together = torch_processes.together(model)
        self._loss, self._clip_norm = loss, clip_norm
        self._amp = amp or (torch.float16 if self.device.type == "cuda" else torch.float32)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self._amp == torch.float16)
        self.parts = {"model": model, "optimizer": optimizer, "scaler": self._scaler}
        self.parts |= {"scheduler": scheduler} if scheduler else {}
        self.taken, self.skipped, self.rate = 0, 0, math.nan
        self.random = self.random_states()

    def take(self, batch: Batch) -> dict[str, float]:
        """Take one step.

        Parameters
        ----------
        batch : tensor, tuple, list or dict

        Returns
        -------
        dict
            ``loss``, and the other numbers that the loss gave; means over all processes.

        Raises
        ------
        Diverged
            If the loss or a gradient is not finite; no step is taken.
        ValueError
            If the loss is not one number.
        """
        batch = moved(batch, self.device)
        while (found := self._attempt(batch)) is None:
            self.skipped += 1
        self.rate = float(self._optimizer.param_groups[0]["lr"])
        if self._scheduler:
            self._scheduler.step()
        self.random = self.random_states()
        self.taken += 1
        return found

    def check(self) -> None:
        """Raise :class:`Diverged` if a weight is not finite: nothing good can come after it."""
        place = torch_diagnosis.in_weights(self.model)
        place = place or torch_diagnosis.in_optimizer(self._optimizer)
        if place:
            raise self._diverged(f"after step {self.taken}", place, torch_diagnosis.SLOWER)

    def random_states(self) -> list[torch.Tensor]:
        """States of the generators that dropout may draw from."""
        return [generator.get_state() for generator in self._generators]

    def set_random(self, states: list[torch.Tensor]) -> None:
        """Put the generators' states back; on another kind of device there may be more or fewer."""
        for generator, state in zip(self._generators, states, strict=False):
            generator.set_state(state)

    @property
    def _generators(self) -> list[torch.Generator]:
        if self.device.type != "cuda":
            return [torch.default_generator]
        index = self.device.index
        index = torch.cuda.current_device() if index is None else index
        return [torch.default_generator, torch.cuda.default_generators[index]]

    def _attempt(self, batch: Batch) -> dict[str, float] | None:
        """Change the weights; None, and no change, if gradients overflowed in float16 alone."""
        # The forward pass moves running means before the loss is known.
        before = [buffer.clone() for buffer in self.model.buffers()]
        found, norm, weights = self._gradients(batch)
        if math.isfinite(found["loss"]) and math.isfinite(norm):
            if self._clip_norm is not None:
                nn.utils.clip_grads_with_norm_(weights, self._clip_norm, norm)
            self._scaler.step(self._optimizer)
            self._scaler.update()
            return found
        self._undo(before)
        scale = self._scaler.get_scale()
        self._scaler.update()
        # Once the scale is 1, it is not what makes them overflow.
        if math.isfinite(found["loss"]) and 1 < scale > self._scaler.get_scale():
            return None
        self.set_random(self.random)
        found_at = torch_diagnosis.in_step(
            self.model, batch, lambda: self._measure(self.model, batch)[0]
        )
        self._undo(before)
        when = f"before step {self.taken + 1}, whose loss is {found['loss']:g}"
        raise self._diverged(when, *found_at)

    def _gradients(self, batch: Batch) -> tuple[dict[str, float], float, list[nn.Parameter]]:
        """Compute them: what the loss gave, their length all together, and the weights."""
        self.set_random(self.random)
        self.model.zero_grad()
        loss, more = self._measure(self._together, batch)
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)
        weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
        norm = nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None])
        found = torch_processes.means(plain({"loss": loss, **more}), self.device)
        return found, norm, weights

    def _measure(self, model: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict]:
        """The loss, and more numbers."""
        with torch.autocast(self.device.type, self._amp, self._amp != torch.float32):
            found = self._loss(model, batch)
        loss, more = found if isinstance(found, tuple) else (found, {})
        if loss.numel() != 1:
            raise ValueError(
                f"The loss has the shape {tuple(loss.shape)}; expected one number, the mean over"
                " the batch; call .mean() on it."
            )
        return loss, more

    def _undo(self, before: list[torch.Tensor]) -> None:
        """Put running means back; weights and optimizer have not been touched."""
        with torch.no_grad():
            for buffer, value in zip(self.model.buffers(), before, strict=True):
                buffer.copy_(value)

    def _diverged(self, when: str, place: str, remedy: str) -> Diverged:
        return Diverged(
            f"Training of {type(self.model).__name__!r} stopped {when}: the first number that is"
            f" not finite is in {place}; expected finite numbers; {remedy}, and train in another"
            " folder."
        )
