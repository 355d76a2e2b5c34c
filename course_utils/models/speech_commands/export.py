"""Write a recogniser for other places: TensorFlow's SavedModel, and a TensorFlow Lite file.

What is written takes raw sound and gives scores: the front end is inside, so that nobody has to
rebuild it, with other constants, on the other side.

In a file of 8-bit integers only the network is in integers. The magnitudes of a spectrum span five
powers of ten, and 256 steps cannot: converted as one piece, ``tc_resnet`` fell from 90 % to 72 % on
the shipped test clips; with its front end in floating point it stayed at 90 %. So front end,
network and softmax are converted each on its own, and the three graphs are joined.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import flatbuffers
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from course_utils import files, machine, places
from course_utils.models.speech_commands.ends import LABELS_FILE, read_labels, write_labels
from course_utils.models.speech_commands.exported import RATE_ENTRY
from course_utils.models.speech_commands.recogniser import Recogniser

_VERSION_ENTRY = b"min_runtime_version"


def saved_model(recogniser: Recogniser, folder: str | os.PathLike[str]) -> Path:
    """Write a SavedModel and ``labels.txt`` into a folder.

    Parameters
    ----------
    recogniser : Recogniser
    folder : path-like

    Returns
    -------
    Path
        The folder. ``tf.saved_model.load(folder).serve(samples)["scores"]`` gives scores (batch,
        labels) for samples (batch, samples), float32. Where the front end is ``micro``, import
        TensorFlow's ``audio_microfrontend_op`` first, which holds its operation.

    Raises
    ------
    ValueError
        If the folder holds the labels of another recogniser.
    """
    folder = Path(folder)
    _check_labels_there(folder, recogniser.labels)

    def scores(samples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": recogniser.model(samples, training=False)}

    with _quietly():
        _archive(scores, (None, recogniser.front_end.samples), folder)
    write_labels(folder, recogniser.labels)
    return folder


def tflite(
    recogniser: Recogniser, path: str | os.PathLike[str], calibration: np.ndarray | None = None
) -> Path:
    """Write a TensorFlow Lite file, and ``labels.txt`` beside it.

    Parameters
    ----------
    recogniser : Recogniser
    path : path-like
        Where to, ending in ``.tflite``.
    calibration : np.ndarray of float32, shape (clips, samples), optional
        Typical sounds, about a hundred. With them, weights and activations of the network become
        8-bit integers, over the ranges that these sounds need; without them, all stays float.

    Returns
    -------
    Path
        The file, for :class:`course_utils.models.speech_commands.exported.ExportedRecogniser`. It
        takes samples (1, samples) and gives scores (1, labels), both float32.

    Raises
    ------
    ValueError
        If the front end is ``micro``, the name has another ending, the calibration sounds are not
        clips of this recogniser, or the folder holds the labels of another one.
    """
    path, front_end = Path(path), recogniser.front_end
    _check(recogniser, path, calibration)
    _check_labels_there(path.parent, recogniser.labels)

    def decide(table: tf.Tensor) -> tf.Tensor:
        return recogniser.network(table, training=False)

    tables = None if calibration is None else [front_end(clip[None]) for clip in calibration]
    with _quietly():
        parts = [
            _converted(front_end, (1, front_end.samples)),
            _converted(decide, (1, *front_end.output_size), tables),
            _converted(tf.nn.softmax, (1, len(recogniser.labels))),
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.whole(path) as unfinished:
        unfinished.write_bytes(_joined(parts, recogniser.sample_rate))
    write_labels(path.parent, recogniser.labels)
    return path


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the converter's remarks, and without TensorFlow's line for each file it writes."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with machine.quietly():
            yield
    finally:
        logger.setLevel(level)


def _check(recogniser: Recogniser, path: Path, calibration: np.ndarray | None) -> None:
    """Refuse what cannot be exported to TensorFlow Lite."""
    if recogniser.front_end.kind == "micro":
        raise ValueError(
            "The front end is 'micro', whose operation TensorFlow Lite does not have; expected"
            " mfcc, average or log_mel; train with one of these, or export a saved_model."
        )
    if path.suffix != ".tflite":
        raise ValueError(
            f"The file is to be called {path.name!r}; expected a name that ends in .tflite; rename"
            " it."
        )
    found, length = np.shape(calibration), recogniser.front_end.samples
    if calibration is not None and (len(found) != 2 or not found[0] or found[1] != length):
        raise ValueError(
            f"The calibration sounds have shape {found}; expected (clips, {length}), at least one"
            " clip; take what batches.heard gives for training clips."
        )


def _check_labels_there(folder: Path, labels: tuple[str, ...]) -> None:
    """Refuse a folder whose labels belong to other files in it."""
    path = folder / LABELS_FILE
    if path.is_file() and read_labels(folder) != labels:
        raise ValueError(
            f"{places.shown(path)} holds the labels of another recogniser; expected none, or those"
            f" of this one ({', '.join(labels)}); export into another folder."
        )


def _archive(function: Callable, shape: tuple, folder: Path) -> None:
    """Write a function of one float32 tensor as a SavedModel."""
    archive = keras.export.ExportArchive()
    archive.add_endpoint("serve", function, [tf.TensorSpec(shape, tf.float32, "samples")])
    archive.write_out(str(folder), verbose=False)


def _converted(function: Callable, shape: tuple, typical: list | None = None) -> bytes:
    """A function of one float32 tensor as TensorFlow Lite; in int8 if typical inputs are given."""
    with tempfile.TemporaryDirectory() as folder:
        _archive(function, shape, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if typical is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([table] for table in typical)
            # Nothing else, so that no operation stays in float without a word.
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return converter.convert()


def _joined(parts: list[bytes], sample_rate: int) -> bytes:
    """One file that computes the graph of each part on what the one before it gives."""
    whole, *others = (schema.ModelT.InitFromObj(schema.Model.GetRootAs(part)) for part in parts)
    oldest = max(_runtime_version(model) for model in (whole, *others))
    for other in others:
        _append(whole, other)
    (graph,), (signature,) = whole.subgraphs, whole.signatureDefs
    signature.inputs[0].name, signature.outputs[0].name = b"samples", b"scores"
    signature.outputs[0].tensorIndex = graph.outputs[0]
    whole.metadata = []
    _add_metadata(whole, _VERSION_ENTRY, ".".join(map(str, oldest)))
    _add_metadata(whole, RATE_ENTRY, str(sample_rate))
    builder = flatbuffers.Builder()
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _append(whole: schema.ModelT, other: schema.ModelT) -> None:
    """Let the graph of ``whole`` go on with that of ``other``."""
    (graph,), (rest,) = whole.subgraphs, other.subgraphs
    # Every number of a tensor moves up, but -1, which stands for none, and the input.
    fixed, tensors = {-1: -1, rest.inputs[0]: graph.outputs[0]}, len(graph.tensors)

    def moved(numbers: list[int]) -> list[int]:
        return [fixed.get(number, number + tensors) for number in numbers]

    for tensor in rest.tensors:
        tensor.buffer += len(whole.buffers)
    for operator in rest.operators:
        operator.opcodeIndex += len(whole.operatorCodes)
        operator.inputs, operator.outputs = moved(operator.inputs), moved(operator.outputs)
    graph.tensors += rest.tensors
    graph.operators += rest.operators
    graph.outputs = moved(rest.outputs)
    whole.operatorCodes += other.operatorCodes
    whole.buffers += other.buffers


def _runtime_version(model: schema.ModelT) -> tuple[int, ...]:
    """The oldest TensorFlow Lite that can run a file."""
    (buffer,) = (entry.buffer for entry in model.metadata if entry.name == _VERSION_ENTRY)
    text = bytes(model.buffers[buffer].data).rstrip(b"\0")
    return tuple(map(int, text.split(b".")))


def _add_metadata(model: schema.ModelT, name: bytes, text: str) -> None:
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = name, len(model.buffers)
    buffer.data = list(text.encode("ascii"))
    model.metadata.append(entry)
    model.buffers.append(buffer)
