"""When two values are the same, and the sentence where they are not."""

import numpy as np
import pytest

from course_utils.grading.checks import comparing


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (98, 98),
        (98.0, 98),
        (0.1 + 0.2, 0.3),
        (float("nan"), float("nan")),
        (float("-inf"), float("-inf")),
        (1 + 1e-9j, 1 + 0j),
        ("yes", "yes"),
        ([1, [2.0]], (1, (2.0,))),
        ({"a": [1]}, {"a": (1,)}),
        ({1, 2}, {2, 1}),
        (None, None),
        (np.arange(3), np.arange(3.0)),
        (np.array(["a"]), np.array(["a"])),
        ([1, 2.0], np.array([1, 2])),
        (np.array([[1, 2], [3, 4]]), [[1, 2], (3, 4)]),
        (np.array([np.nan, 1]), np.array([np.nan, 1])),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_the_same(got, expected):
    assert comparing.difference(got, expected, 1e-5, 1e-8) is None
    assert comparing.equal(got, expected, 1e-5, 1e-8)


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        (97, 98, "gave 97; expected 98."),
        (2**60 + 1, 2**60, "gave 1152921504606846977; expected"),
        (True, 1, "gave True, which is True or False; expected a number."),
        (1, True, "which is a number; expected True or False."),
        ("98", 98, "gave '98', which is text; expected a number."),
        (None, 98, "gave None, which is None; expected a number."),
        ([1, 3], np.array([1, 2]), "gave 1 of 2 values that are wrong, the first at [1]: gave 3"),
        ([1, [2, 3]], np.array([1, 2]), "which is a list; expected an array."),
        (np.array([1, 3]), [1, "2"], "gave 2 of 2 values that are wrong"),
        (3, np.array([3]), "gave 3, which is a number; expected an array."),
        (np.array(3), 3, "which is an array; expected a number."),
        (float("nan"), 1.0, "gave nan; expected 1."),
        (1.0, float("inf"), "gave 1; expected inf."),
        (10**400, 1.5, "gave 1000"),
        (np.zeros(3), np.zeros((3, 1)), r"of shape (3,); expected (3, 1)."),
        (
            np.array([0.0, 2.0]),
            np.array([0.0, 3.0]),
            "gave 1 of 2 values that are wrong, the first at [1]: gave 2; expected 3.",
        ),
        (np.array(1.0), np.array(2.0), "the first at []: gave 1; expected 2."),
        (np.array(["a"]), np.array(["b"]), "gave 'a'; expected 'b'."),
        (np.array(["1"]), np.array([1]), "gave '1'; expected 1."),
        ([1], [1, 2], "a list of length 1; expected length 2: [1, 2]."),
        ([1, "3"], [1, "2"], "gave [1, '3']; expected [1, '2']."),
        (["a" * 70, "b"], ["a" * 70, "c"], "gave a list; item 1 of it: gave 'b'; expected 'c'."),
        ({"a": 1}, {"b": 1}, "gave the keys ['a']; expected ['b']."),
        ({"a": 1}, {"a": 2}, "gave a dictionary; its 'a': gave 1; expected 2."),
        ({1}, {2}, "gave {1}; expected {2}."),
    ],
)
def test_what_differs_is_said(got, expected, said):
    assert said in comparing.difference(got, expected, 1e-5, 1e-8)


def test_a_sentence_stays_short():
    assert len(comparing.shown("a" * 1000)) <= 60
    assert comparing.shown(np.zeros((90, 40))) == "an array of shape (90, 40)"
    assert len(comparing.difference(list(range(999)), [], 0, 0)) < 200


def test_tolerances():
    assert comparing.equal(1.01, 1.0, rtol=0, atol=0.02)
    assert not comparing.equal(np.array([1.01]), np.array([1.0]), rtol=1e-3, atol=0)
