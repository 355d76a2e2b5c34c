"""Exported files: raw sound in, scores out, and the same scores as before."""

import shutil
import warnings

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from small_recognisers import LABELS, LENGTH, RATE, beeps, trained, untrained

from course_utils.models import speech_commands as models
from course_utils.models.speech_commands import export
from course_utils.models.speech_commands.ends import read_labels, write_labels
from course_utils.models.speech_commands.exported import ExportedRecogniser

CALIBRATION, _ = beeps(60, seed=7)
TESTING, CLASSES = beeps(400, seed=8)


def scores_of(path, sounds=TESTING):
    recogniser = ExportedRecogniser(path)
    return np.array([list(recogniser.predict(sound, RATE).values()) for sound in sounds])


def parsed(path):
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes()))


def named(constants):
    """Names of an enumeration's values."""
    return {value: name for name, value in vars(constants).items() if isinstance(value, int)}


def operations(path):
    """Name of every operation in a file, and type of what it gives."""
    model, kinds = parsed(path), named(schema.BuiltinOperator)
    codes, (graph,) = [code.builtinCode for code in model.operatorCodes], model.subgraphs
    types = [named(schema.TensorType)[tensor.type] for tensor in graph.tensors]
    return [(kinds[codes[each.opcodeIndex]], types[each.outputs[0]]) for each in graph.operators]


@pytest.fixture(scope="module")
def folder(recogniser, tmp_path_factory):
    """float.tflite and int8.tflite of the shared recogniser."""
    folder = tmp_path_factory.mktemp("exported")
    export.tflite(recogniser, folder / "float.tflite")
    export.tflite(recogniser, folder / "int8.tflite", CALIBRATION)
    return folder


def test_a_float_file_gives_the_scores_of_the_recogniser(folder, recogniser):
    expected = recogniser.model(TESTING, training=False)
    np.testing.assert_allclose(scores_of(folder / "float.tflite"), expected, atol=1e-4)
    assert (folder / "labels.txt").read_text("utf-8").split() == list(LABELS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("conv", "mfcc"), ("low_latency_svdf", "average"), ("tiny_conv", "log_mel")],
)
def test_other_networks_and_front_ends_give_their_scores_too(name, kind, tmp_path):
    recogniser = untrained(name, kind)
    path = export.tflite(recogniser, tmp_path / "new" / "model.tflite")
    expected = recogniser.model(TESTING[:20], training=False)
    np.testing.assert_allclose(scores_of(path, TESTING[:20]), expected, atol=1e-4)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_every_network_can_be_exported_in_eight_bits(name, tmp_path):
    recogniser = untrained(name)
    path = export.tflite(recogniser, tmp_path / "model.tflite", CALIBRATION)
    expected = recogniser.model(TESTING[:60], training=False).numpy()
    alike = np.corrcoef(expected.ravel(), scores_of(path, TESTING[:60]).ravel())[0, 1]
    assert alike > 0.98


def test_only_built_in_operations_are_needed(folder):
    for path in folder.glob("*.tflite"):
        names = {name for name, _ in operations(path)}
        assert "RFFT2D" in names and "CUSTOM" not in names


def accuracy(scores):
    return np.mean(scores.argmax(axis=1) == CLASSES)


@pytest.mark.parametrize("name", ["tc_resnet", "tiny_conv"])
def test_eight_bits_cost_less_than_a_point_of_accuracy(name, folder, recogniser, tmp_path):
    learned, path = recogniser, folder / "int8.tflite"
    if name == "tiny_conv":
        learned = trained(name)
        path = export.tflite(learned, tmp_path / "int8.tflite", CALIBRATION)
    before, after = accuracy(learned.model(TESTING, training=False).numpy()), scores_of(path)
    assert before > 0.9
    assert abs(accuracy(after) - before) < 0.01
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-5)


def test_in_eight_bits_the_network_is_integer_and_the_front_end_is_not(folder):
    steps = operations(folder / "int8.tflite")
    names = [name for name, _ in steps]
    network = steps[names.index("QUANTIZE") + 1 : names.index("DEQUANTIZE")]
    front, tail = steps[: names.index("QUANTIZE")], steps[names.index("DEQUANTIZE") :]
    assert {"CONV_2D", "FULLY_CONNECTED", "ADD"} <= {name for name, _ in network}
    assert {dtype for _, dtype in network} == {"INT8"}
    assert {"RFFT2D", "COMPLEX_ABS", "LOG"} <= {name for name, _ in front}
    assert {dtype for _, dtype in front} == {"FLOAT32", "COMPLEX64"}
    assert tail == [("DEQUANTIZE", "FLOAT32"), ("SOFTMAX", "FLOAT32")]
    assert {dtype for _, dtype in operations(folder / "float.tflite")} == {"FLOAT32", "COMPLEX64"}


def test_weights_take_a_byte_each_instead_of_four(folder, recogniser):
    bigger, smaller = ((folder / f"{kind}.tflite").stat().st_size for kind in ("float", "int8"))
    saved = 3 * recogniser.network.count_params()
    assert bigger - smaller == pytest.approx(saved, rel=0.1)


def test_a_file_says_what_goes_in_and_out(folder):
    runner = Interpreter(str(folder / "int8.tflite")).get_signature_runner()
    scores = runner(samples=TESTING[:1])["scores"]
    np.testing.assert_allclose(scores, scores_of(folder / "int8.tflite", TESTING[:1]), atol=1e-6)
    assert ExportedRecogniser(folder / "int8.tflite").sample_rate == RATE


def test_a_file_asks_for_a_runtime_that_knows_all_of_its_parts(folder):
    """RFFT2D came with 2.5.0, later than anything in the network."""
    for path in folder.glob("*.tflite"):
        model = parsed(path)
        entries = {e.name: bytes(model.buffers[e.buffer].data) for e in model.metadata}
        assert tuple(map(int, entries[b"min_runtime_version"].split(b"."))) >= (2, 5, 0)


def test_a_saved_model_gives_the_scores_of_the_recogniser(recogniser, tmp_path):
    folder = export.saved_model(recogniser, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(folder))
    expected = recogniser.model(TESTING, training=False)
    np.testing.assert_allclose(loaded.serve(TESTING)["scores"], expected, atol=1e-5)
    served = loaded.signatures["serving_default"](samples=tf.constant(TESTING[:1]))
    np.testing.assert_allclose(served["scores"], expected[:1], atol=1e-5)
    assert (folder / "labels.txt").read_text("utf-8").split() == list(LABELS)


def test_micro_goes_into_a_saved_model_but_not_to_tensorflow_lite(tmp_path):
    recogniser = untrained("tiny_conv", "micro")
    with pytest.raises(ValueError, match=r"front end is 'micro'.+export a saved_model"):
        export.tflite(recogniser, tmp_path / "model.tflite")
    assert not any(tmp_path.iterdir())
    loaded = tf.saved_model.load(str(export.saved_model(recogniser, tmp_path / "saved")))
    sounds = np.pad(TESTING[:3], ((0, 0), (0, LENGTH)))
    expected = recogniser.model(sounds, training=False)
    np.testing.assert_allclose(loaded.serve(sounds)["scores"], expected, atol=1e-5)


def test_exporting_says_nothing(recogniser, tmp_path, capfd, caplog, monkeypatch):
    logger = tf.get_logger()
    monkeypatch.setattr(logger, "propagate", True)
    level = logger.level
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        export.saved_model(recogniser, tmp_path / "saved")
        export.tflite(recogniser, tmp_path / "int8.tflite", CALIBRATION[:2])
        ExportedRecogniser(tmp_path / "int8.tflite").predict(TESTING[0], RATE)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records  # in a notebook these would be printed
    assert logger.level == level
    assert [str(warning.message) for warning in caught] == []


def test_another_ending_is_refused(recogniser, tmp_path):
    with pytest.raises(ValueError, match=r"called 'model\.lite'; expected .+ ends in \.tflite"):
        export.tflite(recogniser, tmp_path / "model.lite")


@pytest.mark.parametrize("shape", [(LENGTH,), (0, LENGTH), (3, LENGTH + 1)])
def test_calibration_sounds_that_are_no_clips_are_refused(recogniser, tmp_path, shape):
    with pytest.raises(ValueError, match=r"calibration sounds have shape .+, 4000\), at least one"):
        export.tflite(recogniser, tmp_path / "model.tflite", np.zeros(shape, np.float32))


def test_labels_of_another_recogniser_are_not_overwritten(recogniser, tmp_path):
    write_labels(tmp_path, LABELS[::-1])
    for write, name in ((export.tflite, "second.tflite"), (export.saved_model, "")):
        with pytest.raises(ValueError, match=r"labels\.txt holds the labels of another recogniser"):
            write(recogniser, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.txt"]
    assert read_labels(tmp_path) == LABELS[::-1]


def test_exporting_again_replaces_the_file(recogniser, folder, tmp_path):
    shutil.copy(folder / "int8.tflite", tmp_path / "model.tflite")
    write_labels(tmp_path, LABELS)
    path = export.tflite(recogniser, tmp_path / "model.tflite")
    assert path.read_bytes() == (folder / "float.tflite").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["labels.txt", "model.tflite"]
