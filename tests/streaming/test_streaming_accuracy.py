"""Counting what was told against what was spoken: the source's rule, and the one-to-one rule."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.streaming import (
    CORRECT,
    FALSE_POSITIVE,
    MATCHINGS,
    WRONG,
    Detection,
    StreamingAccuracy,
    streaming_accuracy,
)


def counts(accuracy: StreamingAccuracy) -> tuple[int, ...]:
    return (
        accuracy.ground_truth, accuracy.matched, accuracy.correct, accuracy.wrong,
        accuracy.false_positives,
    )  # fmt: skip


# The first four are of the original: its own test, and what it was seen to do.
GOLDEN = [
    ([("a", 1000), ("b", 9000)], [("a", 1200), ("b", 5000), ("a", 8700)], 500, (2, 2, 1, 1, 1)),
    ([("a", 1000)], [("a", 900), ("a", 1400)], 750, (1, 1, 1, 1, 0)),  # a set: matched once
    ([("a", 1000), ("b", 2000)], [("b", 1900)], 1500, (2, 1, 0, 1, 0)),  # "a" is the first in reach
    ([("a", 1000)], [("a", 1750)], 750, (1, 1, 1, 0, 0)),
    ([("a", 1000)], [("a", 1751)], 750, (1, 0, 0, 0, 1)),
    ([("a", 1000)], [("a", 250)], 750, (1, 1, 1, 0, 0)),
    ([("a", 1000)], [("a", 249)], 750, (1, 0, 0, 0, 1)),
    ([("a", 1000)], [("b", 900), ("a", 1100)], 750, (1, 1, 0, 2, 0)),  # used up by the wrong one
    ([("a", 1000)], [("a", 1000)], 0, (1, 1, 1, 0, 0)),
    ([("a", 1000)], [], 750, (1, 0, 0, 0, 0)),
    ([], [("a", 1000)], 750, (0, 0, 0, 0, 1)),
    ([], [], 750, (0, 0, 0, 0, 0)),
]


@pytest.mark.parametrize(("truth", "found", "tolerance", "expected"), GOLDEN)
@pytest.mark.parametrize("up_to", [None, -1, 10_000])
def test_golden_values(truth, found, tolerance, expected, up_to):
    assert counts(streaming_accuracy(truth, found, up_to, tolerance)) == expected


@pytest.mark.parametrize(("truth", "found", "tolerance", "expected"), GOLDEN[3:7] + GOLDEN[8:])
def test_both_rules_agree_where_nothing_competes(truth, found, tolerance, expected):
    accuracy = streaming_accuracy(truth, found, tolerance_ms=tolerance, matching="one_to_one")
    assert counts(accuracy) == expected


def test_the_tolerance_is_750_by_default():
    found = [("a", 1750), ("b", 5751)]
    assert counts(streaming_accuracy([("a", 1000), ("b", 5000)], found)) == (2, 1, 1, 0, 1)


@pytest.mark.parametrize(
    ("up_to", "expected"),
    [
        (2250, (2, 2, 2, 0, 0)),
        (2249, (1, 1, 1, 0, 1)),
        (249, (0, 0, 0, 0, 2)),
        (0, (0, 0, 0, 0, 2)),
    ],
)
@pytest.mark.parametrize("matching", MATCHINGS)
def test_words_after_the_time_and_the_tolerance_do_not_count(up_to, expected, matching):
    truth, found = [("b", 3000), ("a", 1000)], [("a", 1000), ("b", 3000)]
    assert counts(streaming_accuracy(truth, found, up_to, 750, matching=matching)) == expected


def test_each_detection_has_its_outcome_and_its_word():
    """Places are those of the lists as given, in any order."""
    truth = [("no", 9000), ("yes", 1000), ("up", 5000)]
    found = [Detection("no", 9100, 0.9), ("go", 5200), Detection("yes", 7000, 0.8), ("yes", 1100)]
    accuracy = streaming_accuracy(truth, found)
    assert accuracy.outcomes == (CORRECT, WRONG, FALSE_POSITIVE, CORRECT)
    assert accuracy.partners == (0, 2, None, 1)
    assert accuracy == streaming_accuracy(truth, found, matching="one_to_one")


def test_one_to_one_uses_every_word_and_every_detection_once():
    truth = [("a", 1000), ("b", 2000)]
    near = streaming_accuracy(truth, [("b", 1900)], tolerance_ms=1500, matching="one_to_one")
    assert (counts(near), near.partners) == ((2, 1, 1, 0, 0), (1,))
    twice = streaming_accuracy(truth, [("a", 1400), ("a", 900)], matching="one_to_one")
    assert (counts(twice), twice.partners) == ((2, 2, 1, 1, 0), (1, 0))
    again = streaming_accuracy(truth[:1], [("a", 1400), ("a", 900)], matching="one_to_one")
    assert (again.outcomes, again.partners) == ((FALSE_POSITIVE, CORRECT), (None, 0))


def test_to_be_correct_goes_before_to_be_matched():
    """Two words could be matched wrongly, and nearer; one correctly is better."""
    truth, found = [("b", 1000), ("a", 2000)], [("a", 1290), ("c", 2010)]
    accuracy = streaming_accuracy(truth, found, matching="one_to_one")
    assert (accuracy.partners, counts(accuracy)) == ((1, None), (2, 1, 1, 0, 1))


def test_distance_decides_between_equals():
    truth, found = [("a", 1000), ("a", 1600)], [("a", 1550), ("a", 1580), ("a", 1050)]
    accuracy = streaming_accuracy(truth, found, matching="one_to_one")
    assert accuracy.partners == (None, 1, 0)


# Against the rules written out, and what has to hold whatever is compared.

# Whole multiples of 50 ms, so that differences of exactly the tolerance are frequent.
times = st.integers(20, 80).map(lambda n: 50 * n)
entries = st.tuples(st.sampled_from("abc"), times)
some = st.lists(entries, max_size=4)
tolerances = st.sampled_from([0, 50, 300, 750, 1500])


def first_by_hand(truth, found, tolerance) -> tuple[int, ...]:
    """``CalculateAccuracyStats`` of the example in C++, line by line."""
    truth, used = sorted(truth, key=lambda entry: entry[1]), set()
    correct = wrong = false_positives = 0
    for label, time in found:
        for place, (word, at) in enumerate(truth):
            if time - tolerance <= at <= time + tolerance:
                if word == label and place not in used:
                    correct += 1
                else:
                    wrong += 1
                used.add(place)
                break
        else:
            false_positives += 1
    return len(truth), len(used), correct, wrong, false_positives


@given(some, some, tolerances)
def test_first_is_the_published_rule(truth, found, tolerance):
    accuracy = streaming_accuracy(truth, found, tolerance_ms=tolerance)
    assert counts(accuracy) == first_by_hand(truth, found, tolerance)


def value_of(pairs, truth, found) -> tuple[int, int, float]:
    """How good an assignment is: correct, matched, and the distances (nearer is more)."""
    correct = sum(truth[i][0] == found[j][0] for i, j in pairs)
    return correct, len(pairs), -sum(abs(truth[i][1] - found[j][1]) for i, j in pairs)


def best_by_hand(truth, found, tolerance) -> tuple[int, int, float]:
    """The best of all assignments, tried one by one."""
    best = (0, 0, 0)
    for partners in itertools.product([None, *range(len(truth))], repeat=len(found)):
        pairs = [(i, j) for j, i in enumerate(partners) if i is not None]
        in_reach = all(abs(truth[i][1] - found[j][1]) <= tolerance for i, j in pairs)
        if in_reach and len({i for i, _ in pairs}) == len(pairs):
            best = max(best, value_of(pairs, truth, found))
    return best


@given(some, some, tolerances)
def test_one_to_one_is_the_best_of_all_assignments(truth, found, tolerance):
    accuracy = streaming_accuracy(truth, found, tolerance_ms=tolerance, matching="one_to_one")
    pairs = [(i, j) for j, i in enumerate(accuracy.partners) if i is not None]
    assert value_of(pairs, truth, found) == best_by_hand(truth, found, tolerance)


many = st.lists(entries, max_size=40, unique_by=lambda entry: entry[1])
# Ten or more words within three seconds would be taken for seconds.
spread = many.map(lambda list_: [(label, 100 * time) for label, time in list_])


@given(spread, spread, tolerances.map(lambda ms: 20 * ms), st.randoms(), st.sampled_from(MATCHINGS))
def test_what_holds_for_every_comparison(truth, found, tolerance, random, matching):
    accuracy = streaming_accuracy(truth, found, tolerance_ms=tolerance, matching=matching)
    assert accuracy.ground_truth == len(truth)
    assert accuracy.correct <= accuracy.matched <= len(truth)
    assert accuracy.correct + accuracy.wrong + accuracy.false_positives == len(found)
    partners = [place for place in accuracy.partners if place is not None]
    assert accuracy.matched == len(set(partners))
    if matching == "one_to_one":
        assert len(set(partners)) == len(partners) == accuracy.correct + accuracy.wrong
    for (label, time), outcome, place in zip(
        found, accuracy.outcomes, accuracy.partners, strict=True
    ):
        assert (outcome == FALSE_POSITIVE) == (place is None)
        if place is not None:
            assert abs(truth[place][1] - time) <= tolerance
            assert outcome == WRONG or truth[place][0] == label
    shuffled = random.sample(truth, len(truth))
    again = streaming_accuracy(shuffled, found, tolerance_ms=tolerance, matching=matching)
    assert counts(again) == counts(accuracy)


@given(spread, spread, tolerances.map(lambda ms: 20 * ms))
def test_one_to_one_finds_at_least_as_many_correct_words(truth, found, tolerance):
    """Those that are correct by the first rule are one possible assignment."""
    first, best = (
        streaming_accuracy(truth, found, tolerance_ms=tolerance, matching=each)
        for each in MATCHINGS
    )
    assert best.correct >= first.correct


def test_a_long_recording_where_everything_competes():
    """Each word within reach of the next, and three detections for each."""
    truth = [("ab"[i % 2], 1000 * i) for i in range(100)]
    found = [("ab"[i % 2], 1000 * i + 10 * j) for i in range(100) for j in range(3)]
    accuracy = streaming_accuracy(truth, found, tolerance_ms=1500, matching="one_to_one")
    assert counts(accuracy) == (100, 100, 100, 0, 200)
    assert accuracy.partners[::3] == tuple(range(100)), "the nearest of the equally good"


# What is printed.


def test_percentages_are_of_the_words_spoken():
    accuracy = StreamingAccuracy(8, 6, 4, 3, 10)
    assert [accuracy.percent(count) for count in (6, 4, 10)] == [75, 50, 125]
    assert str(accuracy) == (
        "75.0 % of 8 words matched: 50.0 % correctly, 37.5 % wrongly; 125.0 % false positives"
    )


def test_without_a_word_there_is_no_percentage():
    accuracy = streaming_accuracy([], [("a", 0)])
    assert math.isnan(accuracy.percent(0))
    assert str(accuracy) == "no word was spoken, 1 false positives"


# Errors.

MALFORMED = [
    ("yes",), ("yes", "1250"), (1250, "yes"), (7, 1250), ("yes", None), None, 1250, "yes", [],
    ("yes", math.nan), ("yes", math.inf), {"label": "yes"},
]  # fmt: skip


@pytest.mark.parametrize("entry", MALFORMED)
def test_malformed_entries(entry):
    good = ("yes", 1250)
    for name, lists in (
        ("ground_truth", ([good, good, entry], [good])),
        ("found", ([good], [good, good, entry])),
    ):
        with pytest.raises(ValueError) as error:
            streaming_accuracy(*lists)
        assert str(error.value) == (
            f"Entry 2 of {name} is {entry!r}; expected (label, time in milliseconds), such as"
            " ('yes', 1250); mend the list."
        )


@pytest.mark.parametrize("tolerance", [-1, math.nan, math.inf])
def test_impossible_tolerance(tolerance):
    with pytest.raises(
        ValueError, match=f"^tolerance_ms is {tolerance}; expected 0 or more millis"
    ):
        streaming_accuracy([("a", 1000)], [("a", 1000)], tolerance_ms=tolerance)


def test_up_to_has_to_be_a_time():
    with pytest.raises(ValueError, match="up_to_ms is nan; expected a time in milliseconds"):
        streaming_accuracy([("a", 1000)], [("a", 1000)], math.nan)


def test_unknown_matching():
    with pytest.raises(ValueError, match="no matching 'nearest'; choose one of first, one_to_one"):
        streaming_accuracy([("a", 1000)], [("a", 1000)], matching="nearest")


# Ground truth in seconds. Gaps are in milliseconds here.

gaps = st.lists(st.integers(300, 9000), min_size=1, max_size=30)


@given(gaps, st.integers(0, 5000), st.lists(st.floats(0, 1), max_size=30), st.integers(0, 20_000))
def test_ordinary_milliseconds_are_accepted(gaps, begin, places, after):
    """Words at least 300 ms apart, and detections anywhere until 20 seconds after the last."""
    times = [*itertools.accumulate(gaps, initial=begin)]
    found = [("yes", place * (times[-1] + after)) for place in places]
    for matching in MATCHINGS:
        streaming_accuracy([("yes", each) for each in times], found, matching=matching)


@pytest.mark.parametrize("count", [2, 10, 200])
def test_fast_words_are_accepted(count):
    truth = [("yes", 300 * number) for number in range(count)]
    assert streaming_accuracy(truth, []).ground_truth == count


def test_a_false_alarm_that_would_fit_in_seconds_is_accepted():
    accuracy = streaming_accuracy([("yes", 5), ("yes", 4000)], [("yes", 5005)])
    assert counts(accuracy) == (2, 0, 0, 0, 1)


@given(gaps.filter(lambda gaps: min(gaps) >= 1000), st.integers(0, 3000))
def test_seconds_are_refused_where_detections_tell(gaps, late):
    times = [*itertools.accumulate(gaps)]
    truth = [("yes", each / 1000) for each in times]
    found = [("yes", each + late % 750) for each in times]
    with pytest.raises(ValueError, match="which looks like seconds; expected milliseconds; mult"):
        streaming_accuracy(truth, found)


def test_many_words_in_seconds_are_refused_even_if_nothing_was_told():
    truth = [("yes", 3 * number + 0.5) for number in range(200)]
    with pytest.raises(ValueError) as error:
        streaming_accuracy(truth, [])
    assert str(error.value) == (
        "The 200 words of the ground truth lie between 0.5 and 597.5 ms, which looks like seconds;"
        " expected milliseconds; multiply the times by 1000."
    )
