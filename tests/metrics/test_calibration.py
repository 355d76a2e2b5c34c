"""Confidence against accuracy: bins by hand, temperatures that are found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import log_loss

from course_utils import metrics
from course_utils.metrics import Predictions


def sure(scores, right) -> Predictions:
    """Two classes; the first one is predicted with these scores and is right or not."""
    scores = np.array(scores)
    return Predictions(("a", "b"), 1 - np.array(right, int), np.column_stack([scores, 1 - scores]))


def drawn(temperature: float, n: int = 4000, classes: int = 5, seed: int = 0):
    """Logits that are ``temperature`` times too large, and the truth drawn by the honest ones."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 2, (n, classes))
    truth = (metrics.soften(honest).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return honest * temperature, truth.clip(0, classes - 1)


def logits_of(n: int = 20, classes: int = 4):
    return arrays.arrays(np.float64, (n, classes), elements=st.floats(-30, 30))


def test_bins_by_hand():
    found = metrics.reliability(sure([0.61, 0.69, 0.7, 0.95], [1, 0, 1, 1]))
    assert found.edges == pytest.approx(np.arange(11) / 10)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 0, 3, 0, 0, 1], "0.7 belongs to the bin below"
    assert found.confidence[[6, 9]] == pytest.approx([2 / 3, 0.95])
    assert found.accuracy[[6, 9]] == pytest.approx([2 / 3, 1])
    assert (found.low[6], found.high[6]) == metrics.wilson(2, 3)
    empty = found.counts == 0
    for values in (found.confidence, found.accuracy, found.low, found.high):
        assert np.isnan(values[empty]).all() and np.isfinite(values[~empty]).all()
    assert found.n == 4 and found.gap == pytest.approx(0.05 / 4)


def test_the_calibration_error_by_hand():
    half_right = sure([0.9, 0.9, 0.9, 0.9, 0.6, 0.6], [1, 1, 0, 0, 1, 1])
    assert metrics.expected_calibration_error(half_right) == pytest.approx((4 * 0.4 + 2 * 0.4) / 6)
    assert metrics.expected_calibration_error(half_right, bins=1) == pytest.approx(0.8 - 4 / 6)


@given(logits_of(), st.integers(1, 20))
def test_every_clip_is_in_one_bin(logits, bins):
    predictions = Predictions(range(4), np.arange(20) % 4, metrics.soften(logits))
    found = metrics.reliability(predictions, bins)
    assert found.n == 20 and 0 <= found.gap <= 1
    filled = found.counts > 0
    assert (found.counts * found.accuracy)[filled].sum() == pytest.approx(predictions.right.sum())
    for low, high, confidence in zip(
        found.edges[:-1][filled], found.edges[1:][filled], found.confidence[filled], strict=True
    ):
        assert low - 1e-9 <= confidence <= high + 1e-9


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="bins=0; expected at least 1"):
        metrics.reliability(sure([0.6], [1]), bins=0)
    with pytest.raises(ValueError, match="bins=0; expected at least 1"):
        metrics.expected_calibration_error(sure([0.6], [1]), bins=0)


def test_log_loss_by_hand():
    found = metrics.log_loss(sure([0.5, 0.75], [1, 0]))
    assert found == pytest.approx((np.log(2) + np.log(4)) / 2)


@given(logits_of())
def test_log_loss_is_scikit_learns(logits):
    predictions = Predictions(range(4), np.arange(20) % 4, metrics.soften(logits))
    expected = log_loss(predictions.truth, predictions.scores, labels=range(4))
    assert metrics.log_loss(predictions) == pytest.approx(expected, abs=1e-9)


def test_one_impossible_clip_does_not_make_the_loss_infinite():
    assert metrics.log_loss(sure([1.0], [0])) == pytest.approx(-np.log(2**-52))


@given(logits_of(), st.floats(0.1, 10))
def test_softening_keeps_the_order(logits, temperature):
    before, after = metrics.soften(logits), metrics.soften(logits, temperature)
    assert after.sum(axis=1) == pytest.approx(1) and (after >= 0).all()
    chosen = before.argmax(axis=1)
    assert np.allclose(np.take_along_axis(after, chosen[:, None], 1)[:, 0], after.max(axis=1))
    if temperature >= 1:
        assert (after.max(axis=1) <= before.max(axis=1) + 1e-12).all()


def test_softening_by_hand():
    assert metrics.soften([0, np.log(9)], 2) == pytest.approx([0.25, 0.75])
    assert metrics.soften([1000.0, 0.0]) == pytest.approx([1, 0]), "large logits do not overflow"


@pytest.mark.parametrize("temperature", [0, -1, np.nan, np.inf])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(ValueError, match=r"temperature=.*; expected a positive number"):
        metrics.soften([1.0, 2.0], temperature)


@pytest.mark.parametrize("temperature", [0.4, 1, 2.5])
def test_a_temperature_is_found_again(temperature):
    logits, truth = drawn(temperature)
    assert metrics.fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_has_a_smaller_loss_and_the_calibration_improves():
    logits, truth = drawn(3)
    best = metrics.fit_temperature(logits, truth)
    found, colder, warmer, raw = (
        Predictions(range(5), truth, metrics.soften(logits, temperature))
        for temperature in (best, best * 0.99, best * 1.01, 1)
    )
    assert metrics.log_loss(found) < min(metrics.log_loss(colder), metrics.log_loss(warmer))
    errors = metrics.expected_calibration_error(found), metrics.expected_calibration_error(raw)
    assert errors[0] < 0.03 < 0.15 < errors[1] and found.accuracy == raw.accuracy


@pytest.mark.parametrize(
    ("logits", "truth", "sentence"),
    [
        (np.zeros((2, 3)), [0], r"truth of shape \(1,\) and scores of shape \(2, 3\)"),
        (np.zeros(2), [0, 1], r"scores of shape \(2,\); expected \(n,\) and \(n, k\)"),
        (np.zeros((0, 3)), [], "no clips"),
        (np.zeros((2, 3)), [0, 3], "as the truth of clip 1; expected a whole number from 0 to 2"),
        ([[0, np.inf]], [0], "NaN or infinity in the scores of clip 0"),
        (np.eye(3), [0, 1, 2], "no best temperature .* with 100% of 3 clips right"),
        (np.eye(3), [1, 2, 0], "no best temperature .* with 0% of 3 clips right"),
    ],
)
def test_a_temperature_cannot_be_fitted_to_this(logits, truth, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.fit_temperature(logits, truth)
