"""The repository stays small enough to clone in a classroom."""

from __future__ import annotations

MB = 1e6


def sizes(paths):
    return sum(path.stat().st_size for path in paths) / MB


def test_tracked_files_are_under_60_mb(tracked):
    assert sizes(tracked) < 60


def test_shipped_data_is_under_40_mb(root, tracked):
    assert sizes(path for path in tracked if path.is_relative_to(root / "data")) < 40
