"""What all tests share: what the longest of them wait for, and how fast the machine is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

UNTIL = "LONG_TESTS_UNTIL"
"""Seconds since 1970, as `date +%s` says: no long test begins after that."""
COUNTED, AS_A_RULE_S = 2_000_000, 0.05


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave long tests out, with a reason, where the time is up: a run that is cut says nothing."""
    if item.get_closest_marker("long") and time.time() > float(os.environ.get(UNTIL) or "inf"):
        pytest.skip("long, and this machine was too slow to come to it in time; call it alone")


@pytest.fixture
def pace() -> Callable[[], float]:
    """A function: how many times slower than as a rule the machine is at this moment, at least 1.

    What takes so many minutes on two idle cores takes longer beside other work.
    """

    def measured() -> float:
        began = time.perf_counter()
        for _ in range(COUNTED):
            pass
        return max(1.0, (time.perf_counter() - began) / AS_A_RULE_S)

    return measured
