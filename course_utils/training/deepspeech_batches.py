"""Utterances as batches for the speech recogniser: kept in memory, or made while it trains."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import repeat

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from course_utils import audio
from course_utils.datasets.librispeech import Utterance
from course_utils.features.text import minimum_steps
from course_utils.models.deepspeech import FrontEnd, Recogniser
from course_utils.progress import bar

_JITTER = 0.05  # lengths that differ by less than this may be in one batch or not, by chance
_THREADS = min(8, os.cpu_count() or 1)
_NAMED = 3  # utterances in a sentence


class Batches:
    """Frames and targets of utterances, those of like length together, so that little is padding.

    A pass gives every utterance once, in batches as equally large as can be. Who is together with
    whom, the order and the speeds are drawn anew in each pass; the same step has always the same
    batch.

    Parameters
    ----------
    part : datasets.librispeech.Part, or another iterable of Utterance
    recogniser : Recogniser
        Its front end makes the frames, its alphabet the targets.
    batch_size : int
        The most utterances in a batch, over all processes.
    speeds : sequence of float
        Each utterance is played at one of them, drawn in each pass: 1.1 is a tenth faster, and
        higher (Ko et al., *Audio augmentation for speech recognition*, Interspeech 2015).
    augment : callable, optional
        Of (frames, rng), such as ``features.spec_augment.SpecAugment``: what to learn from instead.
    stored : bool
        Whether the frames of every utterance at every speed are made now and kept; ``megabytes``
        says what that takes. Otherwise they are made when asked for, by several threads.
    seed : int
    share : (int, int)
        Number of this process and how many there are. Each gets its share of the same batch, with
        a ``weight`` that makes the mean over the processes the mean over the batch, even if the
        shares are not equally large. So the loss curve is that of one process.

    Attributes
    ----------
    part : tuple of Utterance
    per_epoch : int
        Batches in one pass.

    Raises
    ------
    ValueError
        If a number is out of range, there is no utterance, a text has a character that the alphabet
        lacks, or an utterance has no text or too few steps for it (see :func:`impossible`).
    """

    def __init__(
        self,
        part: Iterable[Utterance],
        recogniser: Recogniser,
        batch_size: int = 16,
        *,
        speeds: Sequence[float] = (1.0,),
        augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
        stored: bool = True,
        seed: int = 0,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.part, self._speeds = tuple(part), tuple(speeds)
        _check_numbers(len(self.part), batch_size, self._speeds, share)
        refuse(_reasons(self.part, recogniser, self._speeds), len(self.part))
        self._front_end, self._blank = recogniser.front_end, recogniser.alphabet.blank
        self._targets = [_target(utterance, recogniser) for utterance in self.part]
        self._lengths = _lengths(self.part, self._front_end, self._speeds)
        self.per_epoch = -(-len(self.part) // batch_size)
        self._augment, self._seed, self._share = augment, seed, share
        self._kept = list(self._all()) if stored else None

    @property
    def plain(self) -> bool:
        """Whether it gives whole batches of the sounds as they are."""
        return self._augment is None and set(self._speeds) == {1.0} and self._share[1] == 1

    @property
    def megabytes(self) -> float:
        """What the frames that are kept take up."""
        return sum(frames.nbytes for each in self._kept or () for frames in each) / 1e6

    def rows(self, step: int) -> np.ndarray:
        """Who is in the whole batch of a step: places in ``part``, the shorter ones first."""
        return self._drawn(step)[0]

    def padded_share(self, bucketed: bool = True) -> float:
        """Share of the first pass that is padding; or would be, with batches cut at random."""
        chosen, batches = self._pass(0, bucketed)
        lengths = np.take_along_axis(self._lengths, chosen[:, None], 1)[:, 0]
        return float(1 - lengths.sum() / sum(lengths[b].max() * len(b) for b in batches))

    def __call__(self, step: int) -> dict:
        """The batch of a step, or this process's share of it.

        Returns
        -------
        dict
            ``frames`` float32 (batch, frames, bins), ``lengths`` int64 (batch,), ``targets`` int64
            (batch, characters), ``target_lengths`` int64 (batch,), ``names`` list of str, ``blank``
            int, ``weight`` float.
        """
        rows, chosen = self._drawn(step)
        rank, world = self._share
        weight = len(rows[rank::world]) * world / len(rows)
        # A process without a share takes part as well, because the others wait for it.
        rows, chosen = (part[rank::world] if weight else part[:1] for part in (rows, chosen))
        frames = [torch.from_numpy(each) for each in self._frames(step, rows, chosen)]
        targets = [torch.from_numpy(self._targets[row]) for row in rows]
        return {
            "frames": pad_sequence(frames, batch_first=True),
            "lengths": torch.tensor([len(each) for each in frames]),
            "targets": pad_sequence(targets, batch_first=True),
            "target_lengths": torch.tensor([len(each) for each in targets]),
            "names": [self.part[row].utterance_id for row in rows],
            "blank": self._blank, "weight": weight,
        }  # fmt: skip

    def _drawn(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the batch of a step, and for each the number of its speed."""
        turn, number = divmod(step, self.per_epoch)
        chosen, batches = self._pass(turn)
        return batches[number], chosen[batches[number]]

    def _pass(self, turn: int, bucketed: bool = True) -> tuple[np.ndarray, list[np.ndarray]]:
        """The number of each utterance's speed in a pass, and the rows of its batches."""
        rng, count = np.random.default_rng([self._seed, turn]), len(self.part)
        chosen = rng.integers(len(self._speeds), size=count)
        near = self._lengths[range(count), chosen] * rng.uniform(1 - _JITTER, 1 + _JITTER, count)
        order = np.argsort(near, kind="stable") if bucketed else rng.permutation(count)
        batches = np.array_split(order, self.per_epoch)
        return chosen, [batches[number] for number in rng.permutation(len(batches))]

    def _frames(self, step: int, rows: np.ndarray, chosen: np.ndarray) -> Iterator[np.ndarray]:
        """Frames of rows at the speeds chosen for them, augmented."""
        if self._kept is None:
            with ThreadPoolExecutor(_THREADS) as pool:
                tables = list(pool.map(self._made, rows, ([number] for number in chosen)))
        else:
            pairs = zip(rows, chosen, strict=True)
            tables = [[self._kept[row][number]] for row, number in pairs]
        for row, (table,) in zip(rows, tables, strict=True):
            # A seed that ends in 0 is the same as one without it, hence 1 more.
            rng = np.random.default_rng([self._seed, step, row + 1])
            yield table if self._augment is None else self._augment(table.copy(), rng)

    def _all(self) -> Iterator[list[np.ndarray]]:
        """Frames of every utterance at every speed."""
        everything = range(len(self.part)), repeat(range(len(self._speeds)))
        with (
            ThreadPoolExecutor(_THREADS) as pool,
            closing(pool.map(self._made, *everything)) as tables,  # or an interrupt waits for all
            bar(len(self.part), "making frames", " utterances", self._share[0] == 0) as shown,
        ):
            for table in tables:
                yield table
                shown.update()

    def _made(self, row: int, chosen: Iterable[int]) -> list[np.ndarray]:
        """Frames of an utterance at some speeds, each float32 of shape (frames, bins)."""
        samples, found = self.part[row].load()
        rate = self._front_end.sample_rate
        # Played too fast, that is at a higher rate than it has; which then becomes the usual one.
        played = (round(found * self._speeds[number]) for number in chosen)
        return [self._front_end(audio.resample(samples, each, rate)) for each in played]


def impossible(
    part: Iterable[Utterance], recogniser: Recogniser, speeds: Sequence[float] = (1.0,)
) -> list[str]:
    """The utterances that nothing can be learned from, by ``utterance_id``.

    They have no text; or, at the fastest speed, fewer steps than CTC needs to write it: one for
    each character, and one more between two that are alike.
    """
    return [name for name, _ in _reasons(tuple(part), recogniser, speeds)]


def _check_numbers(count: int, size: int, speeds: tuple, share: tuple[int, int]) -> None:
    if not count:
        raise ValueError("The part has no utterances; expected at least one; open another part.")
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"batch_size is {size!r}; expected a whole number from 1 up; 16 is usual.")
    if not speeds or not all(0.5 <= speed <= 2 for speed in speeds):
        raise ValueError(
            f"speeds are {speeds}; expected one or more numbers from 0.5 to 2, beyond which no"
            " voice sounds human; (0.9, 1.0, 1.1) is usual."
        )
    if not 0 <= share[0] < share[1]:
        raise ValueError(
            f"share is {share}; expected the number of this process, from 0, and how many there"
            " are; (0, 1) is one that trains alone."
        )


def _lengths(
    part: tuple[Utterance, ...], front_end: FrontEnd, speeds: Sequence[float]
) -> np.ndarray:
    """How many frames utterances give at each speed, int64, shape (utterances, speeds)."""
    rate = front_end.sample_rate
    slower = [rate / round(rate * speed) for speed in speeds]
    samples = [round(utterance.seconds * rate) for utterance in part]
    return np.array([[front_end.frames_in(int(n * s + 0.5)) for s in slower] for n in samples])


def _target(utterance: Utterance, recogniser: Recogniser) -> np.ndarray:
    try:
        return recogniser.alphabet.encode(utterance.text)
    except ValueError as error:
        raise ValueError(f"{utterance.utterance_id}: {error}") from error


def _reasons(
    part: tuple[Utterance, ...], recogniser: Recogniser, speeds: Sequence[float]
) -> list[tuple[str, str]]:
    """Each utterance that nothing can be learned from, and why."""
    found = []
    for utterance, frames in zip(part, _lengths(part, recogniser.front_end, speeds), strict=True):
        have, need = recogniser.network.steps_in(int(min(frames))), minimum_steps(utterance.text)
        if not utterance.text or have < need:
            why = too_few(have, need) if utterance.text else "no text"
            found.append((utterance.utterance_id, why))
    return found


def too_few(have: int, need: int) -> str:
    """Why there is nothing to learn from so many steps."""
    return f"{have} steps for a text that takes {need}"


def refuse(reasons: list[tuple[str, str]], count: int) -> None:
    """Raise ValueError if nothing can be learned from some of so many utterances.

    Parameters
    ----------
    reasons : list of (str, str)
        The ``utterance_id`` of each, and why.
    count : int
    """
    if reasons:
        named = ", ".join(f"{name} ({why})" for name, why in reasons[:_NAMED])
        more = ", …" if len(reasons) > _NAMED else ""
        raise ValueError(
            f"Nothing can be learned from {len(reasons)} of {count} utterances, {named}{more};"
            " expected a text, and a step for each character and one more between two that are"
            " alike; train on part.without([...]), whose list impossible(part, recogniser, speeds)"
            " gives."
        )
