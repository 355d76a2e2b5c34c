"""Long tests are left out, with a reason, where the time is up."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

TESTS = """
import pytest

@pytest.mark.long
def test_long():
    pass

def test_short():
    pass
"""


@pytest.mark.parametrize(("seconds", "said"), [(-5, "1 passed, 1 skipped"), (60, "2 passed")])
def test_no_long_test_begins_after_the_time(seconds, said, root, tmp_path):
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text((root / "tests/conftest.py").read_text())
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "-c", os.devnull, "."],
        cwd=tmp_path,
        env={**os.environ, "LONG_TESTS_UNTIL": str(time.time() + seconds)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and said in ran.stdout, ran.stdout
    assert ("too slow to come to it in time" in ran.stdout) == (seconds < 0)


def test_the_pace_is_that_of_the_machine(pace):
    assert 1 <= pace() < 1000
