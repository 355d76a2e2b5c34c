"""Which class was taken for which: confusion matrix, precision, recall, F1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_utils.metrics.checks import checked_matrix, checked_scores, no_clips

_AXES = {"truth": 1, "predicted": 0, "all": None}
_SUM_TOLERANCE = 0.01  # what is left of a softmax in half precision, or rounded for a table


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a recogniser said about clips whose truth is known.

    Parameters
    ----------
    labels : sequence of str, length k
        Names of the classes.
    truth : array_like of int, shape (n,)
        The right class of each clip, as a place in ``labels``.
    scores : array_like of float, shape (n, k)
        Probability of each class: at least 0, and 1 in sum for each clip.
    groups : sequence of str, length n, optional
        Who speaks in each clip.

    Raises
    ------
    ValueError
        If a label stands twice, there are no clips, the shapes do not fit, a class is out of range,
        the scores are NaN or no probabilities, or there are groups for other than ``n`` clips.
    """

    labels: tuple[str, ...]
    truth: np.ndarray
    scores: np.ndarray
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        labels, groups = tuple(self.labels), tuple(self.groups)
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise ValueError(
                f"Found the label {twice!r} {labels.count(twice)} times; expected each label once; "
                "join its columns."
            )
        scores, truth = checked_scores(self.scores, self.truth, len(labels))
        _check_probabilities(scores)
        if groups and len(groups) != len(truth):
            raise ValueError(
                f"Found {len(groups)} groups for {len(truth)} clips; expected one group for each "
                "clip, or none at all; give them in the order of the clips."
            )
        fields = {"labels": labels, "truth": truth, "scores": scores, "groups": groups}
        for name, value in fields.items():
            object.__setattr__(self, name, value)  # the one door into a frozen dataclass

    @property
    def n(self) -> int:
        """How many clips."""
        return len(self.truth)

    @property
    def predicted(self) -> np.ndarray:
        """The class with the highest score, shape (n,); the first one of equals."""
        return self.scores.argmax(axis=1)

    @property
    def right(self) -> np.ndarray:
        """Whether each clip was recognised, bool, shape (n,)."""
        return self.predicted == self.truth

    @property
    def accuracy(self) -> float:
        """Share of clips that were recognised."""
        return float(self.right.mean())

    @property
    def matrix(self) -> np.ndarray:
        """Confusion matrix in clips, shape (k, k): rows are the truth, columns the prediction."""
        # Loaded when needed: plots import this module, and scikit-learn takes a second to load.
        from sklearn.metrics import confusion_matrix

        return confusion_matrix(self.truth, self.predicted, labels=range(len(self.labels)))


def _check_probabilities(scores: np.ndarray) -> None:
    sums = scores.sum(axis=1)
    # Rounding in single precision may leave a hair below zero.
    unfit = np.flatnonzero((scores < -1e-6).any(axis=1) | (np.abs(sums - 1) > _SUM_TOLERANCE))
    if len(unfit):
        row = scores[unfit[0]]
        raise ValueError(
            f"Found scores from {row.min():.3g} to {row.max():.3g} with a sum of {row.sum():.3g} "
            f"for clip {unfit[0]}; expected probabilities with a sum of 1; if these are logits, "
            "pass them through metrics.soften."
        )


class ClassScores(NamedTuple):
    """How well one class is recognised; a list of these makes a pandas table."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class Confusion(NamedTuple):
    """How often one class is taken for another: in clips, and as a share of the first one's."""

    truth: str
    predicted: str
    clips: int
    share: float


def normalise(matrix: np.ndarray, by: str = "truth") -> np.ndarray:
    """Turn the clips of a confusion matrix into shares.

    Parameters
    ----------
    matrix : np.ndarray of int, shape (k, k)
        Rows are the truth, columns the prediction.
    by : str
        ``"truth"``: shares of each row, with recall on the diagonal. ``"predicted"``: shares of
        each column, with precision on the diagonal. ``"all"``: shares of all clips.

    Returns
    -------
    np.ndarray of float, shape (k, k)
        A row (or column) without clips stays all zeros.

    Raises
    ------
    ValueError
        If the matrix is not square, or ``by`` is another word.
    """
    if by not in _AXES:
        raise ValueError(f"Found by={by!r}; expected one of {', '.join(_AXES)}; choose one.")
    matrix = checked_matrix(matrix)
    totals = matrix.sum(axis=_AXES[by], keepdims=True)
    return np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)


def per_class(matrix: np.ndarray, labels: Sequence[str]) -> list[ClassScores]:
    """Precision, recall, F1 and support (clips) of every class.

    Parameters
    ----------
    matrix : np.ndarray of int, shape (k, k)
        Rows are the truth, columns the prediction.
    labels : sequence of str, length k

    Returns
    -------
    list of ClassScores
        In the order of the labels. Where nothing is to be divided the value is NaN: the recall of
        a class without clips, the precision of one that was never predicted, the F1 of one that is
        both.

    Raises
    ------
    ValueError
        If the matrix does not fit the labels.

    Notes
    -----
    F1 is the harmonic mean of precision and recall: van Rijsbergen, *Information Retrieval*,
    2nd edition, 1979, chapter 7.
    """
    matrix = checked_matrix(matrix, len(labels))
    hits, support, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is promised
        columns = (hits / predicted, hits / support, 2 * hits / (support + predicted))
    return [
        ClassScores(label, *map(float, scores), int(clips))
        for label, *scores, clips in zip(labels, *columns, support, strict=True)
    ]


def macro_f1(matrix: np.ndarray) -> float:
    """Mean of the classes' F1, each class counting the same, however many clips it has.

    A class that neither occurs nor is predicted has no F1 and is left out. Raises ValueError if
    the matrix (shape (k, k), in clips) is not square or without clips.
    """
    matrix = checked_matrix(matrix)
    if matrix.sum() == 0:
        raise no_clips()
    return float(np.nanmean([scores.f1 for scores in per_class(matrix, range(len(matrix)))]))


def most_confused(matrix: np.ndarray, labels: Sequence[str], count: int = 5) -> list[Confusion]:
    """The ``count`` largest cells beside the diagonal, the one with the most clips first.

    Of two cells with as many clips the one with the larger share of its row comes first. Cells
    without clips are no confusions, so the list may be shorter than ``count``. Raises ValueError
    if the matrix (shape (k, k), in clips) does not fit the labels.
    """
    matrix = checked_matrix(matrix, len(labels))
    shares = normalise(matrix, by="truth")
    found = [
        Confusion(labels[row], labels[column], int(matrix[row, column]), float(shares[row, column]))
        for row, column in np.argwhere(matrix)
        if row != column
    ]
    return sorted(found, key=lambda cell: (-cell.clips, -cell.share))[:count]


def majority_baseline(truth: np.ndarray) -> float:
    """Accuracy of the recogniser that always says the class with the most clips.

    Parameters
    ----------
    truth : array_like of int, shape (n,)

    Raises
    ------
    ValueError
        If there are no clips.
    """
    if len(truth) == 0:
        raise no_clips()
    return float(np.unique(truth, return_counts=True)[1].max() / len(truth))
