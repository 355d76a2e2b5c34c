"""What was said over what was written, word by word, each error marked by a letter."""

from dataclasses import dataclass
from html import escape
from itertools import zip_longest

import jiwer

_LETTERS = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}
_NAMES = {"S": "substituted", "D": "deleted", "I": "inserted"}
_TAGS = {"S": "mark", "D": "del", "I": "ins"}  # seen without colour, and known to screen readers
_ROWS = ("said", "written", "error")
_GAP = "–"
_LINE = 80  # characters side by side


@dataclass(frozen=True, repr=False)
class AlignedWords:
    """One utterance, aligned: tables in Jupyter, and as readable in a terminal.

    Attributes
    ----------
    columns : tuple of (str, str, str)
        A word that was said, the word that was written for it, and what became of it: nothing,
        ``"S"`` for substituted, ``"D"`` for deleted or ``"I"`` for inserted. A dash stands where
        there is no word.
    """

    columns: tuple[tuple[str, str, str], ...]

    @property
    def summary(self) -> str:
        """How many words were said, and how many of them came out in which wrong way."""
        marks = [mark for *_, mark in self.columns]
        counts = (f"{marks.count(mark)} {name} ({mark})" for mark, name in _NAMES.items())
        said = len(marks) - marks.count("I")
        return f"{said} word{'s' * (said != 1)} said: {', '.join(counts)}"

    def __repr__(self) -> str:
        """The summary, then rows in which words stand under one another."""
        lines = [self.summary]
        for part in self._parts():
            for place, name in enumerate(_ROWS):
                cells = (f"{column[place]:{max(map(len, column))}}" for column in part)
                lines.append(f"{name:7}  {' '.join(cells)}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same as tables."""
        tables = []
        for part in self._parts():
            rows = []
            for place, name in enumerate(_ROWS):
                cells = "".join(_cell(column, place) for column in part)
                rows.append(f'<tr><th scope="row" style="text-align:left">{name}</th>{cells}</tr>')
            tables.append(f"<table>{''.join(rows)}</table>")
        return f"<figure><figcaption>{self.summary}</figcaption>{''.join(tables)}</figure>"

    def _parts(self) -> list[list[tuple[str, str, str]]]:
        """The columns, as many together as a line has room for."""
        parts, room = [], 0
        for column in self.columns:
            width = max(map(len, column)) + 1
            if room < width:
                parts.append([])
                room = _LINE
            parts[-1].append(column)
            room -= width
        return parts


def aligned_words(reference: str, hypothesis: str) -> AlignedWords:
    """Align a transcript with what was said, by as few edits as the word error rate counts.

    Parameters
    ----------
    reference, hypothesis : str
        What was said and what was written; words are what spaces divide, and case matters.

    Returns
    -------
    AlignedWords
        To be the last line of a cell.

    Raises
    ------
    ValueError
        If one of them is no string.
    """
    for role, text in (("reference", reference), ("hypothesis", hypothesis)):
        if not isinstance(text, str):
            raise ValueError(
                f"Found {text!r} as {role}; expected a string; align the utterances of a list one"
                " by one, and give an empty one where nothing was said or written."
            )
    found, columns = jiwer.process_words([reference], [hypothesis]), []
    (said,), (written,) = found.references, found.hypotheses
    for chunk in found.alignments[0]:
        pairs = zip_longest(
            said[chunk.ref_start_idx : chunk.ref_end_idx],
            written[chunk.hyp_start_idx : chunk.hyp_end_idx],
            fillvalue=_GAP,
        )
        columns += [(*pair, _LETTERS[chunk.type]) for pair in pairs]
    return AlignedWords(tuple(columns))


def _cell(column: tuple[str, str, str], place: int) -> str:
    """One cell of a table, a word that is wrong within its tag."""
    text, tag = escape(column[place]), _TAGS.get(column[2], "")
    if tag and place < 2 and text != _GAP:
        text = f"<{tag}>{text}</{tag}>"
    return f'<td style="text-align:left">{text}</td>'
