"""The best text, not the best path: prefix beam search, with a language model if there is one.

Source: Hannun, Maas, Jurafsky and Ng, *First-pass large vocabulary continuous speech recognition
using bi-directional recurrent DNNs*, arXiv:1408.2873, 2014, algorithm 1, here in the log domain.
Lesson: 06.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from course_utils.decoding.checks import check_log_probs, checked_batch, checked_symbols
from course_utils.decoding.ngram import NGram, Step
from course_utils.decoding.paths import one_item
from course_utils.features.text import Alphabet

_NEVER = -math.inf


class Hypothesis(NamedTuple):
    """A text that a beam search holds possible.

    Attributes
    ----------
    text : str
    log_prob : float
        Natural log-probability by the recogniser alone; that of all paths of the text where the
        beam was wide enough, below it elsewhere.
    score : float
        What the hypotheses are ranked by: ``log_prob``, plus ``weight`` times the language
        model's log-probability, plus ``bonus`` for each of its tokens.
    """

    text: str
    log_prob: float
    score: float


@dataclass(frozen=True)
class _Fusion:
    """Shallow fusion: what a language model adds to the score of a prefix."""

    model: NGram | None
    weight: float
    bonus: float

    def step(self, text: str, symbol: str) -> float:
        added = 0.0
        for place, character in enumerate(symbol if self.model else ""):
            added += self._worth(self.model.step(text + symbol[:place], character))
        return added

    def end(self, text: str) -> float:
        return self._worth(self.model.end(text)) if self.model else 0.0

    def _worth(self, step: Step) -> float:
        return self.weight * step.log_prob + self.bonus * step.tokens


@dataclass(slots=True)
class _Prefix:
    """A text under way: its paths that end in a blank, and those that end in its last class."""

    text: str
    fused: float
    in_blank: float = _NEVER
    in_label: float = _NEVER

    @property
    def log_prob(self) -> float:
        return _add(self.in_blank, self.in_label)

    @property
    def score(self) -> float:
        return self.log_prob + self.fused


def prefix_beam_search(
    log_probs: np.ndarray,
    lengths: Sequence[int],
    alphabet: Alphabet | Sequence[str],
    blank: int | None = None,
    beam_width: int = 32,
    **settings: object,
) -> list[str]:
    """The best text of each item of a batch.

    Parameters
    ----------
    log_probs, lengths, alphabet, blank
        As in :func:`greedy`.
    beam_width : int
        Prefixes that survive each frame.
    **settings
        ``language_model``, ``weight``, ``bonus`` and ``floor``, see :func:`n_best`.

    Returns
    -------
    list of str, length batch

    Raises
    ------
    ValueError
        As :func:`greedy` and :func:`n_best`.
    """
    log_probs, lengths = checked_batch(log_probs, lengths)
    search = partial(n_best, alphabet=alphabet, blank=blank, beam_width=beam_width, **settings)
    pairs = zip(log_probs, lengths, strict=True)
    return [search(item, length=length)[0].text for item, length in pairs]


def n_best(
    log_probs: np.ndarray,
    alphabet: Alphabet | Sequence[str],
    blank: int | None = None,
    beam_width: int = 32,
    *,
    length: int | None = None,
    language_model: NGram | None = None,
    weight: float = 0.5,
    bonus: float = 0.0,
    floor: float = -7.0,
) -> list[Hypothesis]:
    """The texts that are left in the beam of one item, the best first.

    Parameters
    ----------
    log_probs : array_like or torch tensor, shape (time, classes)
        Natural log-probabilities.
    alphabet, blank
        As in :func:`greedy`.
    beam_width : int
        Prefixes that survive each frame.
    length : int, optional
        Frames of the item; all by default.
    language_model : NGram, optional
        Judges each word or character as soon as it is complete.
    weight : float
        Of the language model's log-probability; the recogniser's has 1.
    bonus : float
        For each token of the language model, which for itself prefers few.
    floor : float
        A class below this log-probability does not extend any text in that frame, unless it is
        the likeliest; ``-inf`` tries all that are possible.

    Returns
    -------
    list of Hypothesis, at most ``beam_width``

    Raises
    ------
    ValueError
        As :func:`greedy`; and if the frames are no log-probabilities, whose exponentials add up to
        1, the beam is narrower than 1, or weight, bonus or floor is no number.
    """
    frames = one_item(log_probs, length)
    symbols, blank = checked_symbols(alphabet, blank, frames.shape[1])
    _check(frames, beam_width, weight, bonus, floor)
    fusion = _Fusion(language_model, weight, bonus)
    beam = {(): _Prefix("", 0.0, in_blank=0.0)}
    for frame in frames.astype(np.float64):
        likely = (frame >= min(floor, frame.max())) & (frame > _NEVER)
        heard = [k for k in np.flatnonzero(likely).tolist() if k != blank]
        grown = _advance(beam, frame.tolist(), heard, symbols, blank, fusion)
        possible = [pair for pair in grown.items() if pair[1].log_prob > _NEVER]
        beam = dict(sorted(possible, key=lambda pair: -pair[1].score)[:beam_width])
    found = [
        Hypothesis(prefix.text, prefix.log_prob, prefix.score + fusion.end(prefix.text))
        for prefix in beam.values()
    ]
    return sorted(found, key=lambda hypothesis: -hypothesis.score)


def _advance(
    beam: dict[tuple[int, ...], _Prefix],
    frame: list[float],
    heard: list[int],
    symbols: tuple[str, ...],
    blank: int,
    fusion: _Fusion,
) -> dict[tuple[int, ...], _Prefix]:
    """Every prefix after one more frame: kept by a blank or its last class, or one longer."""
    grown = {}
    for key, prefix in beam.items():
        total, last = prefix.log_prob, key[-1] if key else blank
        same = grown.setdefault(key, _Prefix(prefix.text, prefix.fused))
        same.in_blank = _add(same.in_blank, total + frame[blank])
        if key:
            same.in_label = _add(same.in_label, prefix.in_label + frame[last])
        for k in heard:
            # After its own kind, a class is new only where a blank stands between.
            start = prefix.in_blank if k == last else total
            if start == _NEVER:
                continue
            longer = (*key, k)
            if longer not in grown:
                fused = prefix.fused + fusion.step(prefix.text, symbols[k])
                grown[longer] = _Prefix(prefix.text + symbols[k], fused)
            grown[longer].in_label = _add(grown[longer].in_label, start + frame[k])
    return grown


def _add(one: float, other: float) -> float:
    """Logarithm of the sum of two numbers given by their logarithms."""
    if one < other:
        one, other = other, one
    return one if other == _NEVER else one + math.log1p(math.exp(other - one))


def _check(frames: np.ndarray, beam_width: int, weight: float, bonus: float, floor: float) -> None:
    check_log_probs(frames)
    if beam_width < 1:
        raise ValueError(f"Found beam_width={beam_width}; expected 1 or more; 32 is usual.")
    if not (math.isfinite(weight) and math.isfinite(bonus)) or math.isnan(floor):
        raise ValueError(
            f"Found weight={weight}, bonus={bonus} and floor={floor}; expected finite numbers,"
            " or -inf as the floor; choose weight and bonus on the validation part."
        )
