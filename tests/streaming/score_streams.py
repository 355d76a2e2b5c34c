"""Streams of scores, and the published rule written out slowly."""

import math

import numpy as np
from hypothesis import strategies as st

from course_utils.streaming import Result, Settings

LABELS = ("_silence_", "yes", "no")

# All numbers are multiples of 1/8, so that plain floats add and compare them exactly.
eighths = st.integers(0, 8).map(lambda n: n / 8)
rows = st.one_of(
    st.sampled_from(np.eye(3).tolist()),
    st.lists(eighths, min_size=3, max_size=3),
    eighths.map(lambda score: [score] * 3),  # a tie
)
settings = st.builds(
    Settings,
    average_window_ms=st.sampled_from([100, 250, 500, 1000]),
    detection_threshold=eighths,
    suppression_ms=st.sampled_from([0, 60, 500, 1500]),
    minimum_count=st.integers(1, 6),
)


@st.composite
def streams(draw, gaps):
    """At most 24 calls (time, row): too few to be told that they come too rarely."""
    time, calls = draw(st.integers(-1000, 1000)) / 2, []
    for row, times in draw(
        st.lists(st.tuples(rows, st.lists(gaps, min_size=1, max_size=6)), max_size=4)
    ):
        for gap in times:
            time += gap
            calls.append((time, row))
    return calls


def published(labels, settings: Settings, calls) -> list[Result | None]:
    """What ``RecognizeCommands`` of TensorFlow's example gives; None for a refused call."""
    kept, results, last, last_time = [], [], "_silence_", None
    for time, row in calls:
        if kept and time < kept[0][0]:
            results.append(None)
            continue
        kept.append((time, row))
        while kept[0][0] < time - settings.average_window_ms:
            kept.pop(0)
        too_short = time - kept[0][0] < settings.average_window_ms / 4
        if len(kept) < settings.minimum_count or too_short:
            results.append(Result(last, 0.0, False))
            continue
        means = [sum(row[k] for _, row in kept) / len(kept) for k in range(len(labels))]
        score = max(means)
        label = labels[means.index(score)]
        since = math.inf if last == "_silence_" or last_time is None else time - last_time
        above = score > settings.detection_threshold
        is_new = above and label != last and since > settings.suppression_ms
        if is_new:
            last, last_time = label, time
        results.append(Result(label, score, is_new))
    return results
