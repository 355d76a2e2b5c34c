"""The network: a convolution that looks at a few frames, two GRUs that remember, one answer a step.

Source: ``model`` of the deeplearning.ai assignment "Trigger Word Detection" (Keras), ported: layers
read (batch, features, time) or (batch, time, features) as PyTorch wants them, and start as Keras
starts them. Lesson: 05.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import nn

_EPSILON = 1e-3  # as in Keras


@dataclass(frozen=True)
class Size:
    """The numbers that a network is made from.

    Attributes
    ----------
    bins : int
        Features per frame.
    filters, kernel, stride : int
        Of the convolution; a step of the answer is ``stride`` frames, at most ``kernel``.
    units : int
        Of each GRU.
    dropout : float
        Share of the values that training sets to zero, from 0 to below 1.
    momentum : float
        How much of each batch's mean and variance is new in what the norms keep, above 0 to 1.
        0.01 is Keras' 0.99, which counts what stays; in a few hundred steps that is still far from
        the data.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    bins: int
    filters: int
    kernel: int
    stride: int
    units: int
    dropout: float
    momentum: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        for name in ("bins", "filters", "kernel", "stride", "units"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; expected a whole number from 1 up;"
                    " change it."
                )
        if self.stride > self.kernel:
            raise ValueError(
                f"stride is {self.stride} and kernel {self.kernel}; expected a stride of at most"
                " the kernel, so that no frame is passed over; shorten the stride."
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout}; expected the share that is dropped, from 0 to below"
                " 1; the source drops 0.8."
            )
        if not 0 < self.momentum <= 1:
            raise ValueError(
                f"momentum is {self.momentum}; expected the share that is new, above 0 and at most"
                " 1; Keras' 0.99 is 0.01 here."
            )


SOURCE = Size(bins=101, filters=196, kernel=15, stride=4, units=128, dropout=0.8)
"""As published: 5511 frames in, 1375 steps out."""

SMALL = Size(bins=40, filters=64, kernel=5, stride=4, units=64, dropout=0.4, momentum=0.1)
"""For log mel frames every 10 ms: a step every 40 ms."""

State = tuple[torch.Tensor, torch.Tensor]


class TriggerNet(nn.Module):
    """Frames to one answer for each step.

    Parameters
    ----------
    size : Size
    mean, std : array-like, shape (bins,), optional
        What frames are shifted by and divided by first; 0 and 1 by default. They are constants: a
        live detector cannot know the mean of a sound that it has not heard yet.

    Raises
    ------
    ValueError
        If ``mean`` or ``std`` do not have one finite value for each bin, or a ``std`` is not above
        zero.
    """

    def __init__(
        self, size: Size = SMALL, mean: Sequence[float] = (), std: Sequence[float] = ()
    ) -> None:
        super().__init__()
        self.size = size
        for name, values, default in (("mean", mean, 0.0), ("std", std, 1.0)):
            values = torch.as_tensor(np.array(values), dtype=torch.float32)
            if not values.numel():
                values = torch.full((size.bins,), default)
            bad = values.shape != (size.bins,) or not values.isfinite().all()
            if bad or (name == "std" and (values <= 0).any()):
                raise ValueError(
                    f"{name} has shape {tuple(values.shape)}, or holds what nothing can be scaled"
                    f" by; expected {size.bins} finite values, those of std above 0; take mean and"
                    " standard deviation over the frames of some scenes."
                )
            self.register_buffer(name, values)
        self.conv = nn.Conv1d(size.bins, size.filters, size.kernel, size.stride)
        self.norm1 = nn.BatchNorm1d(size.filters, _EPSILON, size.momentum)
        self.gru1 = nn.GRU(size.filters, size.units, batch_first=True)
        self.norm2 = nn.BatchNorm1d(size.units, _EPSILON, size.momentum)
        self.gru2 = nn.GRU(size.units, size.units, batch_first=True)
        self.norm3 = nn.BatchNorm1d(size.units, _EPSILON, size.momentum)
        # A linear layer already works on every step alone: there is nothing to "distribute".
        self.dense = nn.Linear(size.units, 1)
        self.dropout = nn.Dropout(size.dropout)
        self._start()

    def _start(self) -> None:
        """Starting weights as Keras draws them: Glorot's, orthogonal for a GRU's memory, zeros."""
        nn.init.xavier_uniform_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        for gru in (self.gru1, self.gru2):
            for name, weights in gru.named_parameters():
                if name.startswith("bias"):
                    nn.init.zeros_(weights)
                elif name.startswith("weight_hh"):
                    # Keras draws one matrix for the three gates, side by side.
                    side_by_side = nn.init.orthogonal_(torch.empty(weights.shape[::-1]))
                    weights.data.copy_(side_by_side.T)
                else:
                    nn.init.xavier_uniform_(weights)

    def steps_in(self, frames: int) -> int:
        """How many steps so many frames give."""
        return max(0, 1 + (frames - self.size.kernel) // self.size.stride)

    def forward(
        self, frames: torch.Tensor, state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Answer every step.

        Parameters
        ----------
        frames : torch.Tensor, shape (batch, frames, bins)
        state : (torch.Tensor, torch.Tensor), optional
            What the two GRUs remember of what came before; nothing by default.

        Returns
        -------
        (torch.Tensor, shape (batch, steps), (torch.Tensor, torch.Tensor))
            Logits, whose sigmoid is the probability that a trigger word has just ended, and what
            the GRUs remember now.

        Raises
        ------
        ValueError
            If the frames have another shape, or are too few for one step.
        """
        if frames.ndim != 3 or frames.shape[2] != self.size.bins:
            raise ValueError(
                f"The network was given frames of shape {tuple(frames.shape)}; expected (batch,"
                f" frames, {self.size.bins}), time before features; transpose, never reshape."
            )
        if frames.shape[1] < self.size.kernel:
            raise ValueError(
                f"The network was given {frames.shape[1]} frames; expected at least"
                f" {self.size.kernel}, the width of its convolution; give a longer sound."
            )
        first, second = state or (None, None)
        # Frames are (batch, time, features); convolution and norms want (batch, features, time).
        x = (frames - self.mean) / self.std
        x = self.dropout(torch.relu(self.norm1(self.conv(x.transpose(1, 2)))))
        x, first = self.gru1(x.transpose(1, 2), first)
        x = self.norm2(self.dropout(x).transpose(1, 2))
        x, second = self.gru2(x.transpose(1, 2), second)
        x = self.dropout(self.norm3(self.dropout(x).transpose(1, 2)))
        return self.dense(x.transpose(1, 2)).squeeze(2), (first, second)


def parameters(network: nn.Module, published: bool = False) -> int:
    """How many numbers a network has, running means and variances of its norms included.

    ``published`` counts one bias for each GRU, as Keras did in 2018; PyTorch, and Keras today,
    have two.
    """
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    count = 0
    for name, values in tensors.items():
        constant = name in ("mean", "std") or name.endswith("num_batches_tracked")
        second_bias = published and ".bias_hh" in name
        count += 0 if constant or second_bias else values.numel()
    return count


def from_keras(network: TriggerNet, weights: Sequence[np.ndarray]) -> None:
    """Put the weights of a Keras model of the same layers into a network.

    Parameters
    ----------
    network : TriggerNet
    weights : sequence of np.ndarray
        ``model.get_weights()`` of Conv1D, BatchNormalization, GRU, BatchNormalization, GRU,
        BatchNormalization, TimeDistributed(Dense(1)), the GRUs with ``reset_after=True``.

    Raises
    ------
    ValueError
        If number or shapes do not fit; the network is unchanged then.
    """
    weights, layers = [np.asarray(each) for each in weights], _keras_shapes(network.size)
    count = sum(map(len, layers.values()))
    if len(weights) != count:
        raise ValueError(
            f"Found {len(weights)} arrays of weights; expected {count}, those of two GRUs,"
            " three norms, a convolution and a dense layer; check the model."
        )
    found, rest = {}, iter(weights)
    for name, shapes in layers.items():
        given = list(islice(rest, len(shapes)))
        if [values.shape for values in given] != shapes:
            raise ValueError(
                f"The weights for {name!r} have shapes {[values.shape for values in given]};"
                f" expected {shapes}; build both networks with the same numbers, and Keras' GRUs"
                " with reset_after=True, which gives them two biases."
            )
        for key, values in _LAYOUT[name.rstrip("123")](*given).items():
            found[f"{name}.{key}"] = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    network.load_state_dict(network.state_dict() | found)


def _keras_shapes(size: Size) -> dict[str, list[tuple[int, ...]]]:
    """Shapes of the weights of each layer, as Keras keeps them."""
    units, filters = size.units, size.filters

    def gru(inputs: int) -> list[tuple[int, ...]]:
        return [(inputs, 3 * units), (units, 3 * units), (2, 3 * units)]

    return {
        "conv": [(size.kernel, size.bins, filters), (filters,)], "norm1": [(filters,)] * 4,
        "gru1": gru(filters), "norm2": [(units,)] * 4, "gru2": gru(units), "norm3": [(units,)] * 4,
        "dense": [(units, 1), (1,)],
    }  # fmt: skip


def _gates(columns: np.ndarray) -> np.ndarray:
    """Keras keeps a GRU's gates side by side as update, reset, new; PyTorch as reset, update, new.

    Columns (..., 3 units) become rows (3 units, ...).
    """
    update, reset, new = np.split(columns, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1).T


_LAYOUT = {
    # Keras: (kernel, in, out); PyTorch: (out, in, kernel).
    "conv": lambda kernel, bias: {"weight": kernel.transpose(2, 1, 0), "bias": bias},
    "norm": lambda gamma, beta, mean, variance: {
        "weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance,
    },
    "gru": lambda kernel, recurrent, bias: {
        "weight_ih_l0": _gates(kernel), "weight_hh_l0": _gates(recurrent),
        "bias_ih_l0": _gates(bias[0]), "bias_hh_l0": _gates(bias[1]),
    },
    "dense": lambda kernel, bias: {"weight": kernel.T, "bias": bias},
}  # fmt: skip
