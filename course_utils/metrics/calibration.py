"""Whether a recogniser is as often right as it claims to be."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax

from course_utils.metrics.checks import checked_scores
from course_utils.metrics.classification import Predictions
from course_utils.metrics.intervals import wilson

TEMPERATURES = (0.05, 20.0)
"""Where :func:`fit_temperature` searches; recognisers need 1 to 5."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Claimed against measured, for clips in bins of equal confidence; see :func:`reliability`.

    Attributes
    ----------
    edges : np.ndarray, shape (bins + 1,)
        Where the bins begin and end, from 0 to 1.
    confidence, accuracy : np.ndarray, shape (bins,)
        Mean score of the predicted class, and share of clips that are right; NaN without clips.
    counts : np.ndarray of int, shape (bins,)
        Clips.
    low, high : np.ndarray, shape (bins,)
        95 % interval of the accuracy (Wilson); NaN without clips.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def gap(self) -> float:
        """Mean distance of confidence and accuracy, each bin weighted by its clips."""
        return float(np.nansum(self.counts * np.abs(self.accuracy - self.confidence)) / self.n)

    @property
    def n(self) -> int:
        """How many clips."""
        return int(self.counts.sum())


def reliability(predictions: Predictions, bins: int = 10) -> Reliability:
    """Sort clips by the score of the predicted class and compare it with the share that is right.

    Parameters
    ----------
    predictions : Predictions
    bins : int
        Bins of equal width from 0 to 1; an edge belongs to the bin below it.

    Raises
    ------
    ValueError
        If there is no bin.

    Notes
    -----
    DeGroot and Fienberg, *The comparison and evaluation of forecasters*, The Statistician 32,
    1983; the bins are those of Guo et al., *On calibration of modern neural networks*, ICML 2017.
    """
    if bins < 1:
        raise ValueError(f"Found bins={bins}; expected at least 1; 10 are usual.")
    edges = np.linspace(0, 1, bins + 1)
    scores = predictions.scores.max(axis=1)
    bin_of_clip = np.digitize(scores, edges[1:-1], right=True)
    counts, right, claimed = (
        np.bincount(bin_of_clip, weights, minlength=bins)
        for weights in (None, predictions.right, scores)
    )
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is promised
        confidence, accuracy = claimed / counts, right / counts
    intervals = [
        wilson(int(successes), n) if n else (np.nan, np.nan)
        for successes, n in zip(right, counts, strict=True)
    ]
    return Reliability(edges, confidence, accuracy, counts, *np.transpose(intervals))


def expected_calibration_error(predictions: Predictions, bins: int = 10) -> float:
    """Mean distance of confidence and accuracy over bins of :func:`reliability`, from 0 to 1.

    Depends on the bins: compare only figures with the same number of them. Raises ValueError if
    there is no bin. Source: Naeini et al., *Obtaining well calibrated probabilities using Bayesian
    binning*, AAAI 2015.
    """
    return reliability(predictions, bins).gap


def log_loss(predictions: Predictions) -> float:
    """Mean negative natural logarithm of the score of the right class, in nats.

    A score below 2.2e-16 counts as that, because one clip would make the mean infinite.
    """
    scores = predictions.scores[np.arange(predictions.n), predictions.truth]
    return float(-np.log(np.maximum(scores, np.finfo(np.float64).eps)).mean())


def soften(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities from logits: ``softmax(logits / temperature)``.

    Parameters
    ----------
    logits : array_like, shape (..., k)
        Scores before the softmax.
    temperature : float
        Above 1 for less confidence, below 1 for more. The order of the classes stays, and with it
        the accuracy.

    Returns
    -------
    np.ndarray of float64, shape (..., k)

    Raises
    ------
    ValueError
        If the temperature is not a positive number.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(
            f"Found temperature={temperature}; expected a positive number; 1 changes nothing."
        )
    return softmax(np.asarray(logits, np.float64) / temperature, axis=-1)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature for :func:`soften` that makes the truth most likely.

    Fit it on clips that the recogniser was neither trained nor is tested on.

    Parameters
    ----------
    logits : array_like, shape (n, k)
        Scores before the softmax.
    truth : array_like of int, shape (n,)
        The right class of each clip.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are no clips, a class is out of range or a logit not finite,
        or if no temperature within :data:`TEMPERATURES` is best, as when every clip is right.

    Notes
    -----
    Guo, Pleiss, Sun and Weinberger, *On calibration of modern neural networks*, ICML 2017.
    """
    from scipy.optimize import minimize_scalar  # slow to load, and rarely needed

    logits, truth = checked_scores(logits, truth)
    low, high = np.log(TEMPERATURES)  # halving and doubling are steps of the same size

    def loss(log_temperature: float) -> float:
        log_probs = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -log_probs[np.arange(len(truth)), truth].mean()

    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6}).x
    right = (logits.argmax(axis=1) == truth).mean()
    if right == 1 or not low + 1e-3 < found < high - 1e-3:
        raise ValueError(
            f"Found no best temperature from {TEMPERATURES[0]} to {TEMPERATURES[1]} with "
            f"{right:.0%} of {len(truth)} clips right; expected logits that are mostly right, but "
            "not always; use more clips, or leave the scores as they are."
        )
    return float(np.exp(found))
