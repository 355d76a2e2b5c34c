"""How far a transcript is from what was said: word and character error rates.

jiwer aligns; here its counts are kept for each utterance, so that an interval can be drawn from
them. Lesson: 06.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jiwer
import numpy as np

from course_utils.metrics.intervals import bootstrap


@dataclass(frozen=True, eq=False)
class ErrorCounts:
    """Edits that turn references into hypotheses, for each utterance.

    Attributes
    ----------
    table : np.ndarray of int, shape (utterances, 4)
        Substitutions, deletions, insertions and hits of each utterance.
    unit : str
        What was counted, "words" or "characters".
    """

    table: np.ndarray
    unit: str

    @property
    def substitutions(self) -> int:
        """Words or characters that became others."""
        return int(self.table[:, 0].sum())

    @property
    def deletions(self) -> int:
        """Words or characters that were said and not written."""
        return int(self.table[:, 1].sum())

    @property
    def insertions(self) -> int:
        """Words or characters that were written and not said."""
        return int(self.table[:, 2].sum())

    @property
    def hits(self) -> int:
        """Words or characters that were written as said."""
        return int(self.table[:, 3].sum())

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together."""
        return int(self.table[:, :3].sum())

    @property
    def n(self) -> int:
        """Words or characters in all references: the rate is a share of these."""
        return int(self.table[:, [0, 1, 3]].sum())

    @property
    def rate(self) -> float:
        """Errors over :attr:`n`, of the corpus; above 1 where much was written and not said."""
        return _rate(self.table)

    @property
    def per_utterance_mean(self) -> float:
        """Mean of the utterances' own rates: no error rate, but what is often given for one.

        One wrong word of one weighs as much here as twenty wrong words of twenty, and a chatty
        answer to a short question can outweigh the corpus. An empty reference counts as one word.
        """
        return float(np.mean([_rate(row) for row in self.table[:, None]]))

    def interval(
        self,
        rng: np.random.Generator,
        *,
        groups: Sequence[str] = (),
        resamples: int = 2000,
        confidence: float = 0.95,
    ) -> tuple[float, float]:
        """Bootstrap interval of the rate over utterances, or over whole speakers.

        Parameters, errors: :func:`course_utils.metrics.bootstrap`; ``groups`` names the speaker of
        each utterance.
        """
        return bootstrap(
            self.table, rng, groups=groups, statistic=_rate, resamples=resamples,
            confidence=confidence,
        )  # fmt: skip

    def gain_interval(
        self,
        before: "ErrorCounts",
        rng: np.random.Generator,
        *,
        groups: Sequence[str] = (),
        resamples: int = 2000,
        confidence: float = 0.95,
    ) -> tuple[float, float]:
        """Bootstrap interval of how much lower this rate is than another on the same utterances.

        Both rates are drawn together: a hard utterance is hard for both, so that the difference
        is surer than the two rates are. Above 0 as a whole, the gain is no accident.

        Parameters, errors: :meth:`interval`; and a ValueError if the references were others.
        """
        words = [counts.table[:, [0, 1, 3]].sum(axis=1) for counts in (before, self)]
        if before.unit != self.unit or not np.array_equal(*words):
            raise ValueError(
                f"Found {before.n} {before.unit} of {len(before.table)} utterances before and"
                f" {self.n} {self.unit} of {len(self.table)} now; expected the same references;"
                " give both recognisers the same clips in the same order."
            )
        return bootstrap(
            np.stack([before.table, self.table], axis=1), rng, groups=groups,
            statistic=lambda pairs: _rate(pairs[:, 0]) - _rate(pairs[:, 1]),
            resamples=resamples, confidence=confidence,
        )  # fmt: skip

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"{self.errors} errors in {self.n} {self.unit} of {len(self.table)} utterances,"
            f" {100 * self.rate:.1f} % ({self.substitutions} substituted, {self.deletions} deleted,"
            f" {self.insertions} inserted)"
        )


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorCounts:
    """Count the edits between words.

    Parameters
    ----------
    references, hypotheses : sequence of str, length utterances
        What was said and what was written, in the same order; one string is one utterance. Words
        are what whitespace divides, and case matters.

    Returns
    -------
    ErrorCounts

    Raises
    ------
    ValueError
        If there are no utterances, the lists differ in length, an entry is no string, or all
        references are empty, so that there is nothing to have a share of.
    """
    return _count(jiwer.process_words, _spaced(references), _spaced(hypotheses), "words")


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorCounts:
    """Count the edits between characters; a space within a text is one, around it none.

    Parameters, errors: :func:`word_errors`.
    """
    return _count(jiwer.process_characters, references, hypotheses, "characters")


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Errors in all utterances over words in all references, see :func:`word_errors`.

    An utterance whose reference is empty adds its insertions and no words. The rate may exceed 1.
    """
    return word_errors(references, hypotheses).rate


def character_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """As :func:`word_error_rate`, of characters, spaces between words included."""
    return character_errors(references, hypotheses).rate


def _count(
    process: Callable, references: Sequence[str], hypotheses: Sequence[str], unit: str
) -> ErrorCounts:
    texts = [[t] if isinstance(t, str) else list(t) for t in (references, hypotheses)]
    if len(texts[0]) != len(texts[1]) or not texts[0]:
        raise ValueError(
            f"Found {len(texts[0])} references and {len(texts[1])} hypotheses; expected as many of"
            " both, and at least one; give an empty string where nothing was written."
        )
    for role, given in zip(("reference", "hypothesis"), texts, strict=True):
        for place, text in enumerate(given):
            if not isinstance(text, str):
                raise ValueError(
                    f"Found {text!r} as {role} {place}; expected a string; give an empty one where"
                    " nothing was said or written."
                )
    if not any(map(str.strip, texts[0])):
        raise ValueError(
            f"Found no {unit} in {len(texts[0])} references; expected at least one; a rate is a"
            " share of what was said, so count insertions in silence apart."
        )
    rows = [_edits(alignment) for alignment in process(*texts).alignments]
    return ErrorCounts(np.array(rows, np.int64), unit)


def _spaced(texts: Sequence[str]) -> list[str]:
    """Single spaces between words: jiwer takes no tab and no new line for a division."""
    texts = [texts] if isinstance(texts, str) else texts
    return [" ".join(text.split()) if isinstance(text, str) else text for text in texts]


def _edits(alignment: list[jiwer.AlignmentChunk]) -> list[int]:
    """Substitutions, deletions, insertions and hits of one utterance."""
    edits = dict.fromkeys(("substitute", "delete", "insert", "equal"), 0)
    for chunk in alignment:
        in_reference = chunk.ref_end_idx - chunk.ref_start_idx
        edits[chunk.type] += in_reference or chunk.hyp_end_idx - chunk.hyp_start_idx
    return list(edits.values())


def _rate(table: np.ndarray) -> float:
    """Errors over words; a draw of empty references alone counts as one word."""
    return float(table[:, :3].sum() / max(1, table[:, [0, 1, 3]].sum()))
