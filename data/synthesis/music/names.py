"""Names for artists, albums and tracks."""

from __future__ import annotations

import numpy as np

_FIRST = (
    "Amber", "Borrowed", "Broken", "Copper", "Distant", "Early", "Empty", "Faded", "Gentle",
    "Hidden", "Hollow", "Idle", "Late", "Little", "Lucky", "Narrow", "Northern", "Paper", "Quiet",
    "Restless", "Salted", "Second", "Silent", "Slow", "Southern", "Spare", "Sudden", "Velvet",
    "Wandering", "Winter",
)  # fmt: skip
_SECOND = (
    "Anchors", "Bridges", "Calendars", "Clocks", "Corners", "Echoes", "Engines", "Ferries",
    "Gardens", "Harbours", "Islands", "Kitchens", "Ladders", "Lanterns", "Letters", "Machines",
    "Meadows", "Mirrors", "Numbers", "Orchards", "Parades", "Rivers", "Rooms", "Signals",
    "Stations", "Sundays", "Tides", "Trains", "Walls", "Windows",
)  # fmt: skip


def names(count: int, rng: np.random.Generator) -> list[str]:
    """Return so many different names of two words, at most 900."""
    chosen = rng.permutation(len(_FIRST) * len(_SECOND))[:count]
    return [f"{_FIRST[k // len(_SECOND)]} {_SECOND[k % len(_SECOND)]}" for k in chosen]
