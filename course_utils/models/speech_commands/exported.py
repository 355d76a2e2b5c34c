"""Run an exported recogniser, as a phone or a small computer would: without TensorFlow."""

import os
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from course_utils import machine, places
from course_utils.models.speech_commands.ends import fitted, read_labels

RATE_ENTRY = b"sample_rate"
"""Name of the entry among a file's metadata that says its sample rate, in decimal digits."""


class ExportedRecogniser:
    """A ``.tflite`` file that takes raw sound, with the labels beside it.

    Parameters
    ----------
    path : path-like
        A file that :func:`course_utils.models.speech_commands.export.tflite` wrote.

    Attributes
    ----------
    labels : tuple of str
    sample_rate : int
        In Hz.

    Raises
    ------
    ValueError
        If the file is missing, damaged or not a recogniser, or the labels are not its own.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = Path(path)
        if not path.is_file():
            raise ValueError(
                f"There is no file {places.shown(path)}; expected a recogniser that was exported to"
                " TensorFlow Lite; export one first (lesson 02)."
            )
        self.sample_rate, self._interpreter = _opened(path)
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self.labels = read_labels(path.parent, int(self._output["shape"][-1]))

    def predict(self, samples: np.ndarray, sample_rate: int) -> dict[str, float]:
        """Scores of one clip; parameters, result and errors are those of ``Recogniser.predict``."""
        length = int(self._input["shape"][-1])
        clip = fitted(samples, sample_rate, self.sample_rate, length)
        self._interpreter.set_tensor(self._input["index"], clip[None])
        self._interpreter.invoke()
        scores = self._interpreter.get_tensor(self._output["index"])[0]
        return dict(zip(self.labels, scores.tolist(), strict=True))


def _opened(path: Path) -> tuple[int, Interpreter]:
    """The rate that a file names, and its interpreter, tried once."""
    content = path.read_bytes()
    try:
        with machine.quietly():  # the interpreter tells stderr how it computes
            interpreter = Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
            interpreter.invoke()  # some damage shows only here
        ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
        if [(len(end["shape"]), end["dtype"]) for end in ends] != [(2, np.float32)] * 2:
            raise ValueError("it does not turn one row of samples into one row of scores")
        return _rate(content), interpreter
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{places.shown(path)} cannot be used ({reason}); expected a recogniser as"
            " export.tflite writes it; export it again."
        ) from error


def _rate(content: bytes) -> int:
    """The sample rate among the metadata of a file, in Hz."""
    model = schema.Model.GetRootAs(content)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        if entry.Name() == RATE_ENTRY:
            return int(bytes(model.Buffers(entry.Buffer()).DataAsNumpy()))
    raise ValueError("it does not say its sample rate")
