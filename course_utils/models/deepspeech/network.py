"""The network: convolutions that look around, GRUs that read both ways, a letter for every step.

Source: the tutorial "Building an end-to-end speech recognition model in PyTorch" (AssemblyAI, 2020)
after Amodei et al., *Deep Speech 2*, ICML 2016, arXiv:1512.02595. Here every recurrence runs over
time, padding is never heard, and lengths are exact. Lesson: 06.
"""

from dataclasses import dataclass, fields
from functools import reduce
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

Count = TypeVar("Count", int, torch.Tensor)
_WHOLE = (torch.int16, torch.int32, torch.int64)


@dataclass(frozen=True)
class Size:
    """The numbers that a network is made from.

    Attributes
    ----------
    n_mels : int
        Features per frame.
    classes : int
        Symbols and the blank.
    strides : tuple of int
        One convolution of 3 x 3 each; together they say how many frames make one step.
    channels : int
        Of the convolutions.
    residual_blocks : int
        Pairs of convolutions that are added to what they were given.
    width : int
        Features per step between convolutions and GRUs, and in the classifier.
    units : int
        Of each GRU in each direction.
    layers : int
        GRUs, one upon the other.
    dropout : float
        Share of the values that training sets to zero, from 0 to below 1.
    published : bool
        Whether to bend where the tutorial does: before each GRU, and in a classifier of two layers.
        Otherwise after each convolution, and the classifier is one layer.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    n_mels: int
    classes: int = 29
    strides: tuple[int, ...] = (2, 2)
    channels: int = 32
    residual_blocks: int = 0
    width: int = 192
    units: int = 192
    layers: int = 3
    dropout: float = 0.1
    published: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if isinstance(self.strides, list):  # as JSON gives them back
            object.__setattr__(self, "strides", tuple(self.strides))
        least = {"classes": 2, "residual_blocks": 0}
        for each in fields(self):
            value, lowest = getattr(self, each.name), least.get(each.name, 1)
            if each.type is int and (not isinstance(value, int) or value < lowest):
                raise ValueError(
                    f"{each.name} is {value!r}; expected a whole number from {lowest} up; change"
                    " it."
                )
        strides = self.strides if isinstance(self.strides, tuple) else ()
        if not strides or not all(isinstance(s, int) and 1 <= s <= 3 for s in strides):
            raise ValueError(
                f"strides are {self.strides!r}; expected one or more whole numbers from 1 to 3, so"
                " that a convolution of 3 frames passes none over; change them."
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout}; expected the share that is dropped, from 0 to below"
                " 1; the source drops 0.1."
            )

    def shortened(self, count: Count) -> Count:
        """How many steps so many frames, or bands so many mels, give: exactly, rounded up."""
        return reduce(lambda n, stride: (n + stride - 1) // stride, self.strides, count)


SOURCE = Size(
    n_mels=128,
    strides=(2,),
    residual_blocks=3,
    width=512,
    units=512,
    layers=5,
    published=True,
)
"""As published: 23,705,373 parameters."""

SMALL = Size(n_mels=64, width=192, units=192, layers=3, dropout=0.3)
"""For a processor and an hour of speech."""

MINI = Size(n_mels=40, channels=16, width=128, units=128, layers=2)
"""The same with fewer of everything, for a minute of training."""

SIZES = {"mini": MINI, "small": SMALL, "source": SOURCE}
"""By the names that the settings of lesson 06 have for them."""


class _Residual(nn.Module):
    """Normalise over the bands, bend, convolve, twice, and add what came in; padding stays zero."""

    def __init__(self, bands: int, size: Size) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            layer
            for _ in range(2)
            for layer in (
                nn.Sequential(nn.LayerNorm(bands), nn.GELU(), nn.Dropout(size.dropout)),
                nn.Conv2d(size.channels, size.channels, 3, padding=1),
            )
        )

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        y = x
        for layer in self.layers:
            y = _silenced(layer(y), lengths)
        return x + y


class Net(nn.Module):
    """Frames to a log-probability of every class in every step.

    Parameters
    ----------
    size : Size
    """

    def __init__(self, size: Size = SMALL) -> None:
        super().__init__()
        self.size = size
        inputs = [1] + [size.channels] * (len(size.strides) - 1)
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, size.channels, 3, stride, padding=1)
            for channels, stride in zip(inputs, size.strides, strict=True)
        )
        bands = size.shortened(size.n_mels)
        self.residual = nn.ModuleList(_Residual(bands, size) for _ in range(size.residual_blocks))
        self.narrow = nn.Linear(size.channels * bands, size.width)
        widths = [size.width] + [2 * size.units] * (size.layers - 1)
        # What the tutorial bends before each GRU and again before the classes costs hundreds of
        # steps in which nothing but blanks is written; a short training has no time for that.
        self.bend = nn.Identity() if size.published else nn.GELU()
        self.norms = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.GELU() if size.published else nn.Identity())
            for width in widths
        )
        self.grus = nn.ModuleList(
            nn.GRU(width, size.units, batch_first=True, bidirectional=True) for width in widths
        )
        self.dropout = nn.Dropout(size.dropout)
        last = 2 * size.units
        self.classifier = (
            nn.Sequential(nn.Linear(last, size.width), nn.GELU(), nn.Dropout(size.dropout),
                          nn.Linear(size.width, size.classes))
            if size.published
            else nn.Sequential(nn.LayerNorm(last), nn.Linear(last, size.classes))
        )  # fmt: skip

    def steps_in(self, frames: Count) -> Count:
        """How many steps so many frames give."""
        return self.size.shortened(frames)

    def forward(
        self, frames: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Answer every step.

        Parameters
        ----------
        frames : torch.Tensor, shape (batch, frames, n_mels)
        lengths : torch.Tensor of int64, shape (batch,)
            Frames of each item. What stands behind them changes nothing.

        Returns
        -------
        (torch.Tensor, shape (batch, steps, classes), torch.Tensor of int64, shape (batch,))
            Natural log-probabilities, as many steps as the longest item has, and the steps of each
            item. What stands behind these means nothing.

        Raises
        ------
        ValueError
            If shapes or lengths do not fit.
        """
        lengths = self._checked(frames, lengths)
        x = frames[:, None]
        for conv, stride in zip(self.convs, self.size.strides, strict=True):
            x = self.bend(conv(_silenced(x, lengths)))
            lengths = (lengths + stride - 1) // stride
        for block in self.residual:
            x = block(_silenced(x, lengths), lengths)
        x = self.narrow(x.transpose(1, 2).flatten(2))
        # Packed, the batch holds no padding: a GRU that reads backwards would start in it.
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        for norm, gru in zip(self.norms, self.grus, strict=True):
            packed, _ = gru(_each(packed, norm))
            packed = _each(packed, self.dropout)
        logits = _each(packed, self.classifier)
        padded, _ = pad_packed_sequence(logits, batch_first=True)
        return padded.log_softmax(2), lengths

    def _checked(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        if frames.ndim != 3 or frames.shape[2] != self.size.n_mels:
            raise ValueError(
                f"The network was given frames of shape {tuple(frames.shape)}; expected (batch,"
                f" frames, {self.size.n_mels}), time before mel bands; transpose, never reshape."
            )
        lengths = torch.as_tensor(lengths)
        whole = lengths.dtype in _WHOLE and lengths.shape == frames.shape[:1]
        if not whole or not len(lengths) or lengths.min() < 1 or lengths.max() > frames.shape[1]:
            raise ValueError(
                f"The network was given the lengths {lengths.tolist()} for {len(frames)} items of"
                f" {frames.shape[1]} frames; expected a whole number from 1 to"
                f" {frames.shape[1]} for each; count the frames of each sound before padding."
            )
        return lengths


def _silenced(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The same (batch, channels, frames, bands), with zeros behind each item's length."""
    beyond = torch.arange(x.shape[2], device=x.device) >= lengths.to(x.device)[:, None]
    return x.masked_fill(beyond[:, None, :, None], 0.0)


def _each(packed: PackedSequence, layer: nn.Module) -> PackedSequence:
    """What a layer makes of every step that is no padding."""
    return packed._replace(data=layer(packed.data))


def parameters(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(weights.numel() for weights in network.parameters())
