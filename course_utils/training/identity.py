"""What makes a training run this run, and how a checkpoint of another one is told apart."""

import json
from collections.abc import Iterator
from pathlib import Path

from course_utils import places


def check(path: Path, found: dict, expected: dict) -> None:
    """Refuse a checkpoint of another run.

    Parameters
    ----------
    path : Path
        Of the checkpoint, for the sentence.
    found, expected : dict
        What was saved, and what has to be the same now. Compared as JSON holds them, which knows
        lists and no tuples.

    Raises
    ------
    ValueError
        If they differ; it names each entry that does.
    """
    found, expected = (json.loads(json.dumps(entries)) for entries in (found, expected))
    phrases = list(_differences(found, expected))
    if phrases:
        raise ValueError(
            f"{places.shown(path)} is a checkpoint of another run, with {'; '.join(phrases)};"
            " train in another folder, or delete the checkpoint to start afresh."
        )


def _differences(found: object, wanted: object, name: str = "") -> Iterator[str]:
    """A phrase for each entry that differs, however deep it lies."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in dict.fromkeys([*wanted, *found]):
            # The last name says enough: a recipe's entries have names of their own.
            yield from _differences(found.get(key), wanted.get(key), key)
    elif found != wanted:
        yield f"{name} {_short(found)}, expected {_short(wanted)}"


def _short(value: object) -> str:
    """A value for people: lists without brackets and quotes."""
    if value is None:
        return "not given"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
