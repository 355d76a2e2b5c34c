"""Data set cards: what a set is, whose it is, where it comes from and how to know it is intact.

A card is a JSON file beside the shipped archives, ``<name>.json``. Shipped and real sets have the
same keys; a shipped set has no ``url``. Keys beyond the common ones are kept in ``Card.more``,
where the door looks for four of them (see ``Card``).
"""

import json
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from course_utils import places

_KINDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "title": str,
    "description": str,
    "licence": str,
    "source": str,
    "archive": str,
    "url": (str, type(None)),
    "sha256": (str, type(None)),
    "bytes": int,
    "sample_rate": int,
    "counts": dict,
}


@dataclass(frozen=True)
class Card:
    """What is known about a data set before it is opened.

    Attributes
    ----------
    name : str
        Short name, the card's file name without its ending.
    title, description, licence, source : str
        For people: what it is, under which licence, who made it and how.
    archive : str
        File name of the archive.
    url : str or None
        Where the archive is downloaded from; None when it ships with the course.
    sha256 : str or None
        Checksum of the archive, 64 hexadecimal digits; None where only an ``sha1`` is published.
    bytes : int
        Size of the archive.
    sample_rate : int
        Sample rate of the recordings in Hz.
    counts : dict
        Numbers of clips, speakers and so on; a value may be a dict of numbers itself.
    more : dict
        Every other key. ``folder``: where the set lies below the root (default: ``name``);
        ``inside``: the folder in the archive that becomes it (default: all of the archive);
        ``sound``: ``"wav"`` or ``"flac"``, what the archive's sound files are written as (default:
        ``"wav"`` for a shipped set, unchanged for a real one); ``sha1``: 40 hexadecimal digits,
        for an archive whose publisher gives nothing better.
    """

    name: str
    title: str
    description: str
    licence: str
    source: str
    archive: str
    url: str | None
    sha256: str | None
    bytes: int
    sample_rate: int
    counts: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where the set lies below the root, with ``/`` between parts."""
        return self.more.get("folder", self.name)

    @property
    def checksum(self) -> str:
        """The SHA-256 of the archive, or its SHA-1 where no other is known."""
        return self.sha256 or self.more["sha1"]

    @property
    def sound(self) -> str | None:
        """Ending that sound files get when the archive is unpacked; None leaves them alone."""
        return self.more.get("sound", None if self.url else "wav")

    def summary(self) -> str:
        """The card as a Markdown table."""
        origin = "downloaded" if self.url else "shipped"
        rows = {
            "What": self.description,
            "Licence": self.licence,
            "Source": self.source,
            "Recordings": _counted(self.counts),
            "Sample rate": f"{self.sample_rate:,} Hz",
            "Archive": f"`{self.archive}`, {_megabytes(self.bytes)}, {origin}",
            "SHA-256" if self.sha256 else "SHA-1": f"`{self.checksum}`",
        }
        lines = [f"| Data set | {_cell(self.title)} |", "|---|---|"]
        return "\n".join(lines + [f"| {key} | {_cell(text)} |" for key, text in rows.items()])

    def _repr_markdown_(self) -> str:
        """What a notebook shows when the card is the last line of a cell."""
        return self.summary()


def _names() -> list[str]:
    """Names of all data sets that have a card."""
    return sorted(path.stem for path in places.shipped().glob("*.json") if _is_card(path))


def load(name: str) -> Card:
    """Read a data set's card.

    Parameters
    ----------
    name : str
        For example ``speech_commands_mini``.

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        If there is no such card, or the file is not a card.
    """
    path = places.shipped() / f"{name}.json"
    if not re.fullmatch(r"[\w.-]+", name) or not path.is_file():
        raise ValueError(
            f"There is no data set {name!r} in {places.shown(places.shipped())}: choose one of"
            f" {', '.join(_names()) or '(no cards were found there)'}."
        )
    return _checked(_read(path), path)


def _read(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # covers broken JSON and broken UTF-8
        raise ValueError(
            f"The card {places.shown(path)} is not JSON ({error}): restore it from the course."
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"The card {places.shown(path)} holds a {type(content).__name__}: a JSON object was"
            " expected; restore it from the course."
        )
    return content


def _checked(content: dict[str, Any], path: Path) -> Card:
    """A card from the content of its file."""
    problems = [f"{key} is missing" for key in _KINDS if key not in content]
    problems += [
        f"{key} is {content[key]!r}"
        for key, kind in _KINDS.items()
        if key in content and (not isinstance(content[key], kind) or content[key] is True)
    ]
    if not problems:
        problems = _odd(content, path)
    if problems:
        raise ValueError(
            f"The card {places.shown(path)} cannot be used: {'; '.join(problems)};"
            " correct it (the keys are described in course_utils.datasets.cards.Card)."
        )
    known = {key: content[key] for key in _KINDS}
    return Card(**known, more={key: content[key] for key in content if key not in _KINDS})


def _odd(content: dict[str, Any], path: Path) -> list[str]:
    """What is wrong with values that have the right type."""
    problems = []
    if content["name"] != path.stem:
        problems.append(f"name is {content['name']!r}, but the file is {path.name}")
    key, digits = ("sha1", 40) if content["sha256"] is None else ("sha256", 64)
    if not re.fullmatch(rf"[0-9a-f]{{{digits}}}", str(content.get(key))):
        found = f"{key} is {content.get(key)!r}"
        problems.append(f"{found}, not {digits} lower-case hexadecimal digits")
    problems += [f"{key} is {content[key]}" for key in ("bytes", "sample_rate") if content[key] < 1]
    if Path(content["archive"]).name != content["archive"] or not content["archive"]:
        problems.append(f"archive is {content['archive']!r}, not a plain file name")
    return problems


def _is_card(path: Path) -> bool:
    """Whether a JSON file describes a data set: other files may lie beside the cards."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(content, dict) and {item.name for item in fields(Card)} - {"more"} <= set(
        content
    )


def _counted(counts: dict[str, Any]) -> str:
    """Counts as words: ``12 clips, 3 words``; a dict of counts stands in brackets."""
    texts = []
    for key, value in counts.items():
        if isinstance(value, dict):
            texts.append(f"{key} ({_counted(value)})")
        elif isinstance(value, int | float):
            texts.append(f"{value:,} {key}")
        else:
            texts.append(f"{key} {value}")
    return ", ".join(texts)


def _megabytes(size: int) -> str:
    """A size in decimal megabytes, as download pages give it."""
    return f"{size / 1e6:,.1f} MB"


def _cell(text: str) -> str:
    """Text that cannot break a Markdown table."""
    return " ".join(text.split()).replace("|", r"\|")
