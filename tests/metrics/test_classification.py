"""Confusion matrix, precision, recall, F1: by hand, and beside scikit-learn's."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import f1_score, precision_recall_fscore_support

from course_utils import metrics
from course_utils.metrics import Predictions

LABELS = ("yes", "no", "go")
# Rows are the truth. "yes" is taken for "no" twice, "no" for "go" once; "go" is never wrong.
MATRIX = np.array([[4, 2, 0], [0, 2, 1], [0, 0, 3]])


def said(truth, predicted, labels=LABELS, groups=()) -> Predictions:
    """Predictions that are sure of everything they say."""
    return Predictions(labels, np.array(truth), np.eye(len(labels))[predicted], groups)


@st.composite
def pairs(draw):
    """Truth and prediction of 1 to 40 clips of 2 to 5 classes, and how many classes."""
    classes, n = draw(st.integers(2, 5)), draw(st.integers(1, 40))
    values = arrays.arrays(np.int64, n, elements=st.integers(0, classes - 1))
    return draw(values), draw(values), classes


def test_what_is_read_off_the_scores():
    scores = [[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0, 0, 1], [0.4, 0.4, 0.2]]
    found = Predictions(LABELS, [0, 1, 2, 0], scores, groups=("a", "b", "a", "c"))
    assert found.n == 4 and found.accuracy == 0.75
    assert found.predicted.tolist() == [0, 0, 2, 0], "the first one of equals"
    assert found.right.tolist() == [True, False, True, True]
    assert found.matrix.tolist() == [[2, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_predictions_cannot_change_afterwards():
    scores = np.eye(3)
    found = Predictions(LABELS, [0, 1, 2], scores)
    scores[0] = 0
    assert found.accuracy == 1
    with pytest.raises(ValueError, match="read-only"):
        found.scores[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.labels = ("a", "b", "c")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"labels": ("yes", "no", "yes")}, "the label 'yes' 2 times; expected each label once"),
        ({"labels": ("yes", "no")}, r"scores of shape \(2, 3\); expected \(n,\) and \(n, 2\)"),
        ({"labels": ()}, r"scores of shape \(2, 3\); expected \(n,\) and \(n, 0\)"),
        ({"truth": [0]}, r"truth of shape \(1,\) and scores of shape \(2, 3\)"),
        ({"truth": [[0], [1]]}, r"truth of shape \(2, 1\)"),
        ({"truth": [], "scores": np.zeros((0, 3))}, "no clips; expected at least one"),
        ({"truth": [0, 3]}, "class 3 as the truth of clip 1; expected a whole number from 0 to 2"),
        ({"truth": [-1, 0]}, "class -1 as the truth of clip 0"),
        ({"truth": [0.0, 1.0]}, "class 0.0 as the truth of clip 0; expected a whole number"),
        ({"scores": [[1, 0, 0], [0, np.nan, 1]]}, "NaN or infinity in the scores of clip 1"),
        ({"scores": [[1, 0, 0], [4.5, -1, 0]]}, r"from -1 to 4\.5 .* for clip 1; .*\.soften"),
        ({"scores": [[0.9, 0.8, 0], [1, 0, 0]]}, "with a sum of 1.7 for clip 0; expected prob"),
        ({"scores": [[1.2, -0.2, 0], [1, 0, 0]]}, "from -0.2 to 1.2"),
        ({"groups": ("a", "b", "c")}, "3 groups for 2 clips; expected one group for each clip"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(changed, sentence):
    fitting = {"labels": LABELS, "truth": [0, 1], "scores": [[1, 0, 0], [0, 1, 0]]}
    Predictions(**fitting)
    with pytest.raises(ValueError, match=sentence):
        Predictions(**{**fitting, **changed})


def test_probabilities_of_half_precision_are_taken():
    logits = np.random.default_rng(0).normal(0, 5, (50, 12))
    scores = metrics.soften(logits).astype(np.float16)
    assert Predictions(range(12), np.zeros(50, np.int8), scores).n == 50


@given(pairs())
def test_a_matrix_counts_every_clip_once(given):
    truth, predicted, classes = given
    found = said(truth, predicted, range(classes))
    assert found.matrix.sum() == found.n
    assert found.matrix.sum(axis=1).tolist() == np.bincount(truth, minlength=classes).tolist()
    assert found.matrix.sum(axis=0).tolist() == np.bincount(predicted, minlength=classes).tolist()
    assert np.trace(found.matrix) == found.right.sum()


def test_shares_by_hand():
    assert metrics.normalise(MATRIX)[0].tolist() == [4 / 6, 2 / 6, 0]
    assert metrics.normalise(MATRIX, by="predicted")[:, 1].tolist() == [0.5, 0.5, 0]
    assert metrics.normalise(MATRIX, by="all")[0, 1] == pytest.approx(2 / 12)


@given(pairs())
def test_shares_add_up_to_one_and_empty_rows_stay_empty(given):
    truth, predicted, classes = given
    matrix = said(truth, predicted, range(classes)).matrix
    for by, axis in (("truth", 1), ("predicted", 0)):
        sums, clips = metrics.normalise(matrix, by).sum(axis=axis), matrix.sum(axis=axis)
        assert sums == pytest.approx((clips > 0).astype(float))
    assert metrics.normalise(matrix, "all").sum() == pytest.approx(1)


def test_the_shares_of_nothing_are_zero():
    assert not metrics.normalise(np.zeros((2, 2), int), by="all").any()


def test_precision_recall_and_f1_by_hand():
    yes, no, go = metrics.per_class(MATRIX, LABELS)
    assert yes == ("yes", 1, 4 / 6, 0.8, 6)
    assert no == ("no", 0.5, 2 / 3, pytest.approx(4 / 7), 3)
    assert go == ("go", 0.75, 1, pytest.approx(6 / 7), 3)
    assert go.support == 3 and type(go.support) is int
    assert metrics.macro_f1(MATRIX) == pytest.approx((4 / 5 + 4 / 7 + 6 / 7) / 3)


@given(pairs())
def test_they_are_scikit_learns(given):
    truth, predicted, classes = given
    matrix = said(truth, predicted, range(classes)).matrix
    options = {"labels": range(classes), "zero_division": np.nan}
    expected = precision_recall_fscore_support(truth, predicted, **options)
    found = np.array([scores[1:] for scores in metrics.per_class(matrix, range(classes))])
    np.testing.assert_allclose(found.T, expected, equal_nan=True)
    macro = f1_score(truth, predicted, average="macro", **options)
    assert metrics.macro_f1(matrix) == pytest.approx(macro)


def test_what_cannot_be_divided_is_nan():
    never_said, never_there, neither = (
        metrics.per_class(np.array(matrix), ("a", "b"))[1]
        for matrix in ([[2, 0], [1, 0]], [[2, 1], [0, 0]], [[3, 0], [0, 0]])
    )
    assert np.isnan(never_said.precision) and never_said.recall == never_said.f1 == 0
    assert np.isnan(never_there.recall) and never_there.precision == never_there.f1 == 0
    assert np.isnan([neither.precision, neither.recall, neither.f1]).all()
    assert metrics.macro_f1(np.array([[3, 0], [0, 0]])) == 1, "a class without F1 is left out"


def test_the_biggest_confusions_come_first():
    assert metrics.most_confused(MATRIX, LABELS) == [
        ("yes", "no", 2, 2 / 6),
        ("no", "go", 1, 1 / 3),
    ]
    assert metrics.most_confused(MATRIX, LABELS, count=1)[0].predicted == "no"
    assert metrics.most_confused(np.diag([3, 2, 1]), LABELS) == []


def test_of_equal_counts_the_larger_share_comes_first():
    found = metrics.most_confused(np.array([[8, 1, 1], [1, 1, 0], [0, 0, 5]]), LABELS)
    assert [(cell.truth, cell.predicted) for cell in found] == [
        ("no", "yes"), ("yes", "no"), ("yes", "go"),
    ]  # fmt: skip


def test_the_majority_is_the_share_of_the_largest_class():
    assert metrics.majority_baseline([0, 2, 2, 1]) == 0.5
    with pytest.raises(ValueError, match="no clips; expected at least one"):
        metrics.majority_baseline([])


@pytest.mark.parametrize(
    "measure",
    [
        lambda matrix: metrics.per_class(matrix, LABELS),
        lambda matrix: metrics.most_confused(matrix, LABELS),
        metrics.macro_f1,
        metrics.normalise,
    ],
)
def test_a_matrix_that_is_not_square_is_refused(measure):
    for matrix in (np.ones((3, 2)), np.ones(3), 3):
        with pytest.raises(ValueError, match=r"a confusion matrix of shape .*; expected \(.*a row"):
            measure(matrix)


def test_a_matrix_of_other_labels_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 3\); expected \(2, 2\)"):
        metrics.per_class(MATRIX, ("yes", "no"))


def test_other_shares_are_refused():
    with pytest.raises(ValueError, match="by='row'; expected one of truth, predicted, all"):
        metrics.normalise(MATRIX, by="row")


def test_the_f1_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no clips"):
        metrics.macro_f1(np.zeros((2, 2), int))
