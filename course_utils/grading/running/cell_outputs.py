"""What a kernel answers to one cell's message, kept within bounds."""

import json
from typing import Any

from nbformat import NotebookNode, ValidationError
from nbformat.v4 import output_from_msg

EVIDENCE = {
    "application/vnd.course.values+json",
    "application/vnd.course.score+json",
}
"""MIME types that grading rests on. They are kept whole, or not at all."""

_TEXT = 100_000  # characters of one stream or one representation as text
_ALL = 20_000_000  # characters of all outputs of a notebook that are no evidence
_PIECES = 1000  # outputs of one cell
_EVIDENCE_ONE, _EVIDENCE_ALL = 12_000_000, 40_000_000
_KINDS = {"stream", "display_data", "execute_result", "error"}
_NONSENSE = (
    AttributeError, KeyError, TypeError, ValueError, RecursionError, ValidationError,
)  # fmt: skip
_CUT = "\n… (cut off: this cell writes more than is kept)"


class Outputs:
    """The outputs of one notebook, cell after cell.

    Attributes
    ----------
    cell : list of NotebookNode
        What has been kept of the present cell.
    notes : list of str
        What was left out of the present cell, and why.
    """

    def __init__(self) -> None:
        self.cell: list[NotebookNode] = []
        self.notes: list[str] = []
        self._left, self._left_for_evidence = _ALL, _EVIDENCE_ALL
        self._clear = False

    def begin(self) -> None:
        """A new cell begins."""
        self.cell, self.notes, self._clear = [], [], False

    def take(self, message: dict[str, Any]) -> bool:
        """Keep what a message of the cell says, if there is room for it.

        Parameters
        ----------
        message : dict
            From the kernel's iopub channel. Its content is cut to what is kept.

        Returns
        -------
        bool
            Whether it was an output and is kept.
        """
        kind = message["header"]["msg_type"]
        if kind == "clear_output":
            self._clear = True
            if not message["content"].get("wait"):
                self._cleared()
        if kind not in _KINDS:
            return False
        try:
            output = output_from_msg(message)
            kept = self._take(output)
        except _NONSENSE as error:
            self.note(f"An output that makes no sense was left out ({type(error).__name__}).")
            return False
        message["content"].update({key: output[key] for key in ("text", "data") if key in output})
        return kept

    def note(self, sentence: str) -> None:
        """Say something about the cell, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _take(self, output: NotebookNode) -> bool:
        if output.output_type == "stream":
            return self._take_stream(output)
        data = output.get("data", {})
        for mime in [mime for mime in data if isinstance(data[mime], str)]:
            if mime.startswith("text/"):
                data[mime] = self._short(data[mime])
        proof = bool(EVIDENCE & set(data))
        if not proof and self._crowded():
            return False
        size = len(json.dumps(output))
        left = min(_EVIDENCE_ONE, self._left_for_evidence) if proof else self._left
        if size > left:
            self.note(f"An output of {size / 1e6:.1f} MB was left out: it is more than is kept.")
            return False
        self._spend(size, proof)
        self._cleared()
        self.cell.append(output)
        return True

    def _take_stream(self, output: NotebookNode) -> bool:
        """Join a stream with what came before it, as a notebook shows it."""
        if not (isinstance(output.text, str) and output.name in ("stdout", "stderr")):
            raise TypeError("a stream has a name and a text")
        self._cleared()
        if self._crowded():
            return False
        written = sum(len(other.text) for other in self._streams(output.name))
        if written > _TEXT or self._left < 6 * len(output.text[:_TEXT]):
            self.note(f"What it wrote to {output.name} was cut off.")
            return False
        output.text = self._short(output.text, _TEXT - written)
        self._spend(len(json.dumps(output)), False)
        last = self.cell[-1] if self.cell else None
        if last is not None and last in self._streams(output.name):
            last.text += output.text
        else:
            self.cell.append(output)
        return True

    def _streams(self, name: str) -> list[NotebookNode]:
        return [out for out in self.cell if out.output_type == "stream" and out.name == name]

    def _crowded(self) -> bool:
        """Whether the cell has put out so many pieces that no more are kept."""
        if len(self.cell) < _PIECES:
            return False
        self.note(f"More than {_PIECES} outputs were put out; the others were left out.")
        return True

    def _short(self, text: str, room: int = _TEXT) -> str:
        if len(text) <= room:
            return text
        self.note("A long text was cut off.")
        return text[:room] + _CUT

    def _spend(self, size: int, proof: bool) -> None:
        if proof:
            self._left_for_evidence -= size
        else:
            self._left -= size

    def _cleared(self) -> None:
        """Do what ``clear_output`` asked for, when the next output is there."""
        if self._clear:
            self.cell, self._clear = [], False
