"""When each character was said: the likeliest path that writes a text which is known.

Source: Kürzinger, Winkelbauer, Li, Watzel and Rigoll, *CTC-segmentation of large corpora for German
end-to-end speech recognition*, SPECOM 2020, and torchaudio's ``forced_align``, which does the
search. Lesson: 06. Torch is loaded by :func:`align`, not by importing this module.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from course_utils.decoding.checks import check_log_probs, checked_symbols
from course_utils.decoding.paths import one_item
from course_utils.features.text import Alphabet, minimum_steps


class Span(NamedTuple):
    """A character or a word, and the steps of the recogniser in which it is written.

    A network often writes a character in one or two steps of those that its sound takes, with
    blanks before and after: the span says where in the sound it is, hardly how long it lasts.

    Attributes
    ----------
    text : str
    first, stop : int
        From step ``first`` up to ``stop``, which is no longer part of it.
    score : float
        Mean probability of the characters in the steps in which they are written, from 0 to 1.
    """

    text: str
    first: int
    stop: int
    score: float


def align(
    log_probs: np.ndarray,
    text: str,
    alphabet: Alphabet | Sequence[str],
    blank: int | None = None,
) -> list[Span]:
    """The likeliest of all paths that write a text, as one span for each of its characters.

    Parameters
    ----------
    log_probs : array_like or torch tensor, shape (steps, classes)
        Natural log-probabilities of one utterance, without padding.
    text : str
        What was said, in characters of the alphabet.
    alphabet, blank
        As in :func:`~course_utils.decoding.greedy`.

    Returns
    -------
    list of Span, one for each character, spaces too

    Raises
    ------
    ValueError
        If shapes, alphabet or blank do not fit one another; the steps hold NaN or are no
        log-probabilities; or the text is empty, has characters that the alphabet lacks, takes more
        steps than there are, or is impossible by the log-probabilities.
    """
    import torch
    from torchaudio.functional import forced_align, merge_tokens

    steps = one_item(log_probs).astype(np.float64)
    symbols, blank = checked_symbols(alphabet, blank, steps.shape[1])
    _check(steps, text)
    targets = torch.tensor([_encode(text, symbols, blank)])
    paths, logs = forced_align(torch.from_numpy(steps)[None], targets, blank=blank)
    if not logs.isfinite().all():
        raise ValueError(
            f"Found a probability of 0 for every path that writes {text!r}; expected some path to"
            " be possible; see whether this is what was said."
        )
    spans = merge_tokens(paths[0], logs[0].exp(), blank)
    return [
        Span(character, span.start, span.end, min(span.score, 1.0))  # rounded up, it may be above
        for character, span in zip(text, spans, strict=True)
    ]


def words(spans: Iterable[Span]) -> list[Span]:
    """Words from the spans of characters: what stands between two spaces.

    Parameters
    ----------
    spans : iterable of Span
        Of :func:`align`.

    Returns
    -------
    list of Span
        Each from its first character to its last; the score is the mean over the steps of all of
        its characters.
    """
    found = []
    for is_space, group in groupby(spans, lambda span: span.text.isspace()):
        if is_space:
            continue
        inside = list(group)
        lengths = [span.stop - span.first for span in inside]
        score = float(np.average([span.score for span in inside], weights=lengths))
        text = "".join(span.text for span in inside)
        found.append(Span(text, inside[0].first, inside[-1].stop, score))
    return found


def _check(steps: np.ndarray, text: str) -> None:
    check_log_probs(steps)
    if not text:
        raise ValueError(
            "Found an empty text; expected at least one character to align; give what was said."
        )
    needed = minimum_steps(text)
    if needed > len(steps):
        raise ValueError(
            f"Found {len(steps)} steps for {text!r}; expected at least {needed}, one for each"
            " character and a blank between two that are alike; see whether sound and text belong"
            " together."
        )


def _encode(text: str, symbols: tuple[str, ...], blank: int) -> list[int]:
    """The class of each character."""
    classes = {symbol: k for k, symbol in enumerate(symbols) if k != blank}
    for place, character in enumerate(text):
        if character not in classes:
            raise ValueError(
                f"Found {character!r} at place {place} of {text!r}; expected characters of"
                f" {''.join(classes)!r}; bring the text down to them with features.text.normalise."
            )
    return [classes[character] for character in text]
