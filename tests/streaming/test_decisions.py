"""Words out of scores: the published rule, its golden values, and streams of any length."""

import dataclasses
import math
import pickle
import time

import numpy as np
import pytest
import score_streams
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from score_streams import LABELS, published

from course_utils.streaming import PUBLISHED, RecognizeCommands, Result, Settings

YES, SILENCE = [0, 0, 1, 0], [1, 0, 0, 0]
FOUR = ("_silence_", "_unknown_", "yes", "no")


def recogniser(settings: Settings, labels=LABELS) -> RecognizeCommands:
    return RecognizeCommands(labels, **dataclasses.asdict(settings))


def told(commands: RecognizeCommands, calls) -> list[tuple]:
    """The decisions: (time, label, score)."""
    results = [(time_ms, commands.process(row, time_ms)) for time_ms, row in calls]
    return [(time_ms, found.label, found.score) for time_ms, found in results if found.is_new]


def two_words(between=SILENCE) -> list[tuple]:
    """The same word twice, 600 ms each, within four seconds of silence; a row every 30 ms."""
    calls = []
    for time_ms in range(0, 3991, 30):
        spoken = 1000 <= time_ms < 1600 or 2500 <= time_ms < 3100
        pause = between if 1600 <= time_ms < 2500 else SILENCE
        calls.append((time_ms, YES if spoken else pause))
    return calls


def test_one_word_after_the_other():
    """As the example's own test in C++ has it."""
    commands = RecognizeCommands(["_silence_", "a", "b"], 1000, 0.2, 500, 3)
    calls = [(t, [0, 1, 0] if t < 1000 else [0, 0, 1]) for t in range(0, 2000, 100)]
    assert told(commands, calls) == [(300, "a", 1.0), (1500, "b", pytest.approx(6 / 11))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [(1350, "yes"), (1950, "_silence_"), (2850, "yes"), (3450, "_silence_")]),
        ({"suppression_ms": 1500}, [(1350, "yes"), (3450, "_silence_")]),  # a word is lost
    ],
)
def test_the_same_word_twice(options, expected):
    found = told(RecognizeCommands(FOUR, **options), two_words())
    assert [each[:2] for each in found] == expected
    assert [each[2] for each in found] == pytest.approx([12 / 17] * len(found), abs=1e-9)


def test_a_high_threshold_tells_late():
    found = told(RecognizeCommands(FOUR, detection_threshold=0.95), two_words())
    assert [each[0] for each in found] == [1500, 2100, 3000, 3600]


def test_the_same_word_is_told_again_only_after_another_label():
    found = told(RecognizeCommands(FOUR), two_words(between=[0.4, 0, 0.6, 0]))
    assert [each[:2] for each in found] == [(1350, "yes"), (3450, "_silence_")]


def test_after_silence_nothing_is_suppressed():
    """Silence at 400 is late enough after "a"; "b" at 430 follows it at once."""
    commands = RecognizeCommands(["_silence_", "a", "b"], 20, 0.5, 300, 1)
    rows = {"a": [0, 1, 0], "silence": [1, 0, 0], "b": [0, 0, 1]}
    calls = [(t, rows["a" if t < 390 else "silence" if t < 420 else "b"]) for t in range(0, 600, 5)]
    assert [each[:2] for each in told(commands, calls)] == [
        (5, "a"), (400, "_silence_"), (430, "b"),
    ]  # fmt: skip


@pytest.mark.parametrize("score", [0.7, 0.1, 0.3, 0.55])
def test_an_average_at_the_threshold_is_not_above_it(score):
    """Summed as floats, 17 times 0.7 comes out above 17 * 0.7, or below, by chance."""
    commands = RecognizeCommands(["_silence_", "yes"], detection_threshold=score)
    assert not told(commands, [(t, [0, score]) for t in range(0, 30_000, 30)])
    slightly_more = [(t, [0, score + 1e-9]) for t in range(30_000, 32_000, 30)]
    assert [each[1] for each in told(commands, slightly_more)] == ["yes"]


def test_times_may_go_back_to_the_oldest_row_that_is_kept():
    commands = RecognizeCommands(FOUR)
    for time_ms in (0, 100, 50):
        commands.process(SILENCE, time_ms)
    commands = RecognizeCommands(FOUR)
    commands.process(SILENCE, 100)
    with pytest.raises(ValueError, match="said to be of 50 ms; expected 100 ms or later, as time"):
        commands.process(SILENCE, 50)


irregular = score_streams.streams(st.sampled_from([0, 0.5, 12.5, 25, 62.5, 125, 300, -20, -300]))


@given(score_streams.settings, irregular)
def test_it_is_the_published_rule(settings, calls):
    """Also which calls are refused, and that nothing is kept of them."""
    commands = recogniser(settings)
    for (time_ms, row), expected in zip(calls, published(LABELS, settings, calls), strict=True):
        if expected is None:
            with pytest.raises(ValueError, match="as time goes forward"):
                commands.process(row, time_ms)
        else:
            found = commands.process(row, time_ms)
            assert (found.label, found.is_new) == (expected.label, expected.is_new)
            assert found.score == pytest.approx(expected.score, abs=1e-11)


@runs(deadline=None)  # hundreds of calls, slowly by hand
@given(score_streams.settings, st.integers(1, 30), st.integers(0, 2**32))
def test_it_is_the_published_rule_on_regular_streams(settings, finer, seed):
    rng = np.random.default_rng(seed)
    stride = settings.slowest_stride_ms / finer
    loud = np.repeat(rng.integers(0, 3, 20), rng.integers(1, 30, 20))
    scores = np.clip(
        np.eye(3)[loud] * rng.integers(2, 9) + rng.integers(0, 4, (len(loud), 3)), 0, 8
    )
    calls = [(i * stride, (row / 8).tolist()) for i, row in enumerate(scores)]
    commands = recogniser(settings)
    expected = [
        (time_ms, each.label, pytest.approx(each.score, abs=1e-11))
        for (time_ms, _), each in zip(calls, published(LABELS, settings, calls), strict=True)
        if each.is_new
    ]
    assert told(commands, calls) == expected


def test_both_published_sets():
    assert PUBLISHED["python"] == Settings(500, 0.7, 500, 4) == Settings()
    assert PUBLISHED["cpp"] == Settings(500, 0.7, 1500, 3)
    assert RecognizeCommands(LABELS).settings == Settings()
    assert recogniser(PUBLISHED["cpp"]).settings == PUBLISHED["cpp"]


def test_a_result_is_of_plain_values():
    commands = RecognizeCommands(("a", "b"), minimum_count=1, average_window_ms=4)
    assert commands.process(np.array([0, 1], np.float32), 0) == Result("_silence_", 0.0, False)
    found = commands.process(np.array([0, 1], np.float32), np.float64(1))
    assert found == ("b", 1.0, True)
    assert [type(each) for each in found] == [str, float, bool]


def test_the_array_of_a_call_may_be_used_again():
    """Both ways: it is not changed, and changing it later changes nothing."""
    rows = np.random.default_rng(0).dirichlet([0.2] * 3, 300)
    once, again = recogniser(Settings()), recogniser(Settings())
    buffer = np.empty(3)
    for number, row in enumerate(rows):
        buffer[:] = row
        assert once.process(buffer, 30 * number) == again.process(row.copy(), 30 * number)
        np.testing.assert_array_equal(buffer, row)


@pytest.mark.parametrize("kind", [np.uint64, np.uint8, np.int8, np.float16])
def test_times_of_any_type(kind):
    """Of unsigned integers 0 - 50 would be a large number, of int8 100 + 50 a negative one."""
    commands = RecognizeCommands(("a", "b"), 50, 0.5, 100, 2)
    assert [each[0] for each in told(commands, [(kind(t), [0, 1]) for t in range(0, 128, 9)])] == [
        18
    ]


def test_rounded_softmax_is_accepted():
    commands = RecognizeCommands(("a", "b"))
    assert commands.process([-0.0001, 1.0001], 0).label == "_silence_"


# Errors.

BAD = {
    "average_window_ms": [0, -1, math.nan, math.inf, None, "500", [500]],
    "detection_threshold": [-0.01, 1.01, math.nan, None, "0.7", 70],
    "suppression_ms": [-1, math.nan, math.inf, None, "500"],
    "minimum_count": [0, -3, 2.5, math.nan, math.inf, None, "4"],
}
EXPECTED = {
    "average_window_ms": "milliseconds above zero, 500 say; change it",
    "detection_threshold": "a share from 0 to 1; change it",
    "suppression_ms": "milliseconds from zero up; change it",
    "minimum_count": "a whole number from 1 up; change it",
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_impossible_settings(name, value):
    for build in (Settings, lambda **options: RecognizeCommands(LABELS, **options)):
        with pytest.raises(ValueError) as error:
            build(**{name: value})
        assert str(error.value) == f"{name} is {value!r}; expected {EXPECTED[name]}."


@pytest.mark.parametrize("labels", [(), ("yes", "no", "yes")])
def test_labels_each_once(labels):
    with pytest.raises(ValueError, match=r"Found the labels \(.*\); expected at least one, each"):
        RecognizeCommands(labels)


def test_one_label_is_one_label():
    assert RecognizeCommands("yes").labels == ("yes",)


REFUSED = [
    ([0, 1], 0, r"scores of shape \(2,\); expected \(3,\), one for each label"),
    ([[0, 1, 0]], 0, r"scores of shape \(1, 3\); expected \(3,\)"),
    (np.eye(3), 0, r"scores of shape \(3, 3\)"),
    (0.5, 0, r"scores of shape \(\)"),
    ([0, 1.1, 0], 0, "scores from 0 to 1.1; expected probabilities from 0 to 1; take the softmax"),
    ([-0.1, 1, 0], 0, "scores from -0.1 to 1;"),
    ([0, math.nan, 1], 0, "scores from nan to nan"),
    ([0, math.inf, 1], 0, "scores from 0 to inf"),
    ([0, 1, 0], math.nan, "said to be of nan ms; expected"),
    ([0, 1, 0], math.inf, "said to be of inf ms"),
    ([0, 1, 0], None, "said to be of None ms"),
    ([0, 1, 0], "90", "said to be of 90 ms"),
    ([0, 1, 0], -10_000, "expected .* ms or later, as time goes forward; give each call"),
]


@pytest.mark.parametrize(("row", "time_ms", "sentence"), REFUSED)
def test_of_a_refused_call_nothing_is_kept(row, time_ms, sentence):
    """The same results as if it had never been made, whatever it was refused for."""
    rng = np.random.default_rng(3)
    disturbed, calm = recogniser(Settings()), recogniser(Settings())
    for now in range(0, 3000, 30):
        scores = rng.dirichlet([0.1] * 3)
        assert disturbed.process(scores, now) == calm.process(scores, now)
        with pytest.raises(ValueError, match=sentence):
            disturbed.process(row, now + 1 if time_ms == 0 else time_ms)
    assert pickle.dumps(disturbed) == pickle.dumps(calm)


def test_the_first_time_has_to_be_finite_as_well():
    with pytest.raises(ValueError, match="said to be of nan ms; expected a finite number"):
        RecognizeCommands(LABELS).process([1, 0, 0], math.nan)


# Streams that are too slow.


@pytest.mark.parametrize(
    ("settings", "slowest"),
    [(Settings(), 500 / 3), (Settings(minimum_count=1), 500), (Settings(900, 0.7, 0, 10), 100)],
)
def test_the_slowest_stride_is_the_limit(settings, slowest):
    assert settings.slowest_stride_ms == pytest.approx(slowest)
    for stride, count in ((0.999 * slowest, 1), (1.001 * slowest, 0)):
        calls = [(number * stride, [0, 1, 0]) for number in range(20)]
        assert sum(each.is_new for each in published(LABELS, settings, calls)) == count
    settings.check_stride(slowest)
    with pytest.raises(ValueError, match=r"are 501 ms apart; expected more than 0 and at most "):
        settings.check_stride(501)


@pytest.mark.parametrize("stride", [0, -30, math.nan, math.inf])
def test_no_stride_at_all(stride):
    with pytest.raises(ValueError, match=r"apart; expected more than 0 and at most 166\.667 ms"):
        Settings().check_stride(stride)


SLOW = "The scores are too far apart; expected .* never holds the 4 scores .*; score more often"


def test_a_stream_that_is_too_slow_says_so_after_a_while():
    """As published it would stay silent for ever."""
    commands = RecognizeCommands(LABELS)
    for number in range(20):
        assert commands.process([0, 1, 0], 600 * number) == Result("_silence_", 0.0, False)
    with pytest.raises(ValueError, match=SLOW):
        for number in range(20, 30):
            commands.process([0, 1, 0], 600 * number)


def test_a_slow_stream_in_pairs_says_so_as_well():
    """Every other call finds that nothing has left the window since the last."""
    commands = RecognizeCommands(LABELS)
    with pytest.raises(ValueError, match=SLOW):
        for number in range(30):
            for later in (0, 1):
                assert not commands.process([0, 1, 0], 600 * number + later).is_new


def test_a_slow_stream_that_becomes_fast_is_heard_again():
    commands = RecognizeCommands(LABELS)
    for number in range(25):
        commands.process([0, 1, 0], 600 * number)
    with pytest.raises(ValueError, match=SLOW):
        commands.process([0, 1, 0], 15_000)
    found = told(commands, [(t, [0, 1, 0]) for t in range(15_030, 16_000, 30)])
    assert [each[0] for each in found] == [15_150]


@pytest.mark.parametrize("gap", [200, 470, 600, 5000])
def test_late_calls_are_forgiven(gap):
    commands = RecognizeCommands(LABELS)
    start = 0
    for _ in range(60):  # more gaps than a slow stream is given calls
        times = start + 30 * np.arange(30)
        results = [commands.process([0, 1, 0], t) for t in times]
        assert results[-1].label == "yes" and results[-1].score == 1
        start = times[-1] + gap


def test_a_late_call_is_forgiven_where_a_decision_needs_many_scores():
    """After the gap the window holds 50 scores of the 90 for as many calls as it takes."""
    commands = RecognizeCommands(LABELS, average_window_ms=1000, minimum_count=90)
    calls = [(t, [0, 1, 0]) for t in range(0, 6000, 10) if not 3000 < t < 3500]
    assert [each[0] for each in told(commands, calls)] == [890]


# Streams without end.


def seconds_per_call(commands: RecognizeCommands, rows: np.ndarray, start: int) -> float:
    """The median of short stretches, so that what else the machine does is left out."""
    stretches = []
    for stretch in range(20):
        begin = time.perf_counter()
        for number in range(100):
            commands.process(rows[number], 30 * (start + 100 * stretch + number))
        stretches.append(time.perf_counter() - begin)
    return float(np.median(stretches)) / 100


def test_a_call_costs_the_same_however_long_the_stream():
    rows = np.random.default_rng(0).dirichlet([0.3] * 3, 100)
    commands = recogniser(Settings())
    early, size = seconds_per_call(commands, rows, 0), len(pickle.dumps(commands))
    for number in range(2000, 100_000):
        commands.process(rows[number % 100], 30 * number)
    late = seconds_per_call(commands, rows, 100_000)
    assert late < 4 * early
    assert len(pickle.dumps(commands)) < 1.2 * size, "it keeps the rows of the window, no others"


def test_a_call_costs_the_same_however_long_the_window():
    rows = np.random.default_rng(0).dirichlet([0.3] * 3, 100)
    short, long = (RecognizeCommands(LABELS, average_window_ms=ms) for ms in (500, 60_000))
    for commands in (short, long):
        seconds_per_call(commands, rows, 0)  # 60 s of scores, so that both windows are full
    costs = [seconds_per_call(commands, rows, 2000) for commands in (short, long)]
    assert costs[1] < 4 * costs[0]


def test_a_long_stream_leaves_no_rounding_errors():
    """Its averages are those of a machine that heard the last window only, to the last bit."""
    rng = np.random.default_rng(1)
    rows = rng.dirichlet([0.3] * 3, 20_000)
    old, new = recogniser(Settings()), recogniser(Settings())
    last = 30 * (len(rows) - 1)
    for number, row in enumerate(rows):
        found = old.process(row, 30 * number)
        if 30 * number >= last - 500:
            fresh = new.process(row, 30 * number)
    assert (found.label, found.score) == (fresh.label, fresh.score)
    assert found.score == pytest.approx(rows[-17:].mean(axis=0).max(), abs=1e-11)
