"""The checkpoint file: whole or not there, and of this run or refused."""

import io
import zipfile

import keras
import numpy as np
import pytest

from course_utils.training import keras_checkpoint

IDENTITY = {
    "recipe": {"batch_size": 50, "steps": (9, 2), "front_end": {"kind": "mfcc"}},
    "labels": ("_silence_", "yes"),
}


def variables(start: float = 0.0) -> list[keras.Variable]:
    return [
        keras.Variable(np.arange(6, dtype="float32").reshape(2, 3) + start, name="kernel"),
        keras.Variable(np.int64(start), name="iterations", dtype="int64"),
    ]


def values(of: list[keras.Variable]) -> list:
    return [variable.numpy().tolist() for variable in of]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "checkpoint.npz"
    keras_checkpoint.save(file, variables(7), IDENTITY | {"step": 3})
    return file


def refused(path, expected=IDENTITY, into=None) -> str:
    """The sentence of the refusal, after which no variable has changed."""
    into = into or variables()
    before = values(into)
    with pytest.raises(ValueError) as caught:
        keras_checkpoint.restore(path, into, expected)
    assert values(into) == before
    return str(caught.value)


def test_comes_back(path):
    restored = variables()
    assert keras_checkpoint.restore(path, restored, IDENTITY)["step"] == 3
    assert values(restored) == values(variables(7))
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_crash_leaves_the_last_one(path, monkeypatch, where):
    def crash(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):
        patched.setattr(keras_checkpoint.os, where, crash)
        keras_checkpoint.save(path, variables(8), IDENTITY | {"step": 4})
    restored = variables()
    assert keras_checkpoint.restore(path, restored, IDENTITY)["step"] == 3
    assert values(restored) == values(variables(7))
    keras_checkpoint.save(path, variables(9), IDENTITY | {"step": 5})
    assert keras_checkpoint.restore(path, restored, IDENTITY)["step"] == 5
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


def test_a_damaged_file_is_refused_wherever_it_is_damaged(path):
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    sentences = []
    for position in range(0, len(whole), 7):
        content = bytearray(whole)
        content[position] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        try:
            restored = variables()
            keras_checkpoint.restore(path, restored, IDENTITY)
            # A bit that means nothing here, such as one in the time of day of an entry.
            assert values(restored) == values(variables(7))
        except ValueError:
            sentences.append(refused(path))
    assert len(sentences) > len(whole) / 7 / 2
    for length in range(0, len(whole), 11):
        path.write_bytes(whole[:length])
        sentences.append(refused(path))
    assert all("checkpoint.npz is no checkpoint (" in sentence for sentence in sentences)
    assert all("; delete it to train from the start." in sentence for sentence in sentences)


def array_file() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as writer:
        for name, content in members.items():
            writer.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def arrays(**members: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **members)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"not an archive", array_file(), archive(), archive(record=b"{}"),
        arrays(a=np.ones(2)), arrays(record=np.array("{")), arrays(record=np.array("[1]")),
    ],
)  # fmt: skip
def test_something_else_is_refused(path, content):
    path.write_bytes(content)
    assert "is no checkpoint (" in refused(path)


def test_a_folder_is_refused(tmp_path):
    assert "is no checkpoint (" in refused(tmp_path)


@pytest.mark.parametrize(
    "expected, phrase",
    [
        (
            {"recipe": IDENTITY["recipe"] | {"batch_size": 100, "steps": (9, 3)}},
            "with batch_size 50, expected 100; steps 9 2, expected 9 3; train in another folder",
        ),
        (
            {"recipe": IDENTITY["recipe"] | {"front_end": {"kind": "mfcc", "bins": 13}}},
            "with bins not given, expected 13; train",
        ),
        (
            {"recipe": {"batch_size": 50, "steps": (9, 2), "front_end": {}}},
            "with kind mfcc, expected not given; train",
        ),
        (
            {"labels": ("_silence_", "no")},
            "with labels _silence_ yes, expected _silence_ no;",
        ),
        ({"clips": "40 at 8000 Hz"}, "with clips not given, expected 40 at 8000 Hz; train"),
    ],
)
def test_another_run_is_refused_by_what_differs(path, expected, phrase):
    sentence = refused(path, IDENTITY | expected)
    assert f"checkpoint.npz is a checkpoint of another run, {phrase}" in sentence


@pytest.mark.parametrize(
    "into, phrase",
    [
        (variables()[:1], "holds 2 arrays; expected 1,"),
        (variables() + variables()[:1], "holds 2 arrays; expected 3,"),
        (
            [keras.Variable(np.zeros((2, 4), "float32"), name="kernel"), variables()[1]],
            "has float32 of shape (2, 3) for 'kernel'; expected float32 of shape (2, 4),",
        ),
        (
            [variables()[0], keras.Variable(0, name="iterations", dtype="int32")],
            "has int64 of shape () for 'iterations'; expected int32 of shape (),",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(path, into, phrase):
    assert phrase in refused(path, into=into)
