"""The checkpoint file of a run in PyTorch: whole or not there, and of this run or refused."""

import io
import zipfile

import numpy as np
import pytest
import torch
from small_torch import one_thread  # noqa: F401
from torch import nn

from course_utils.training import torch_checkpoint

IDENTITY = {"recipe": {"batch_size": 50, "steps": (9, 2)}, "labels": ("_silence_", "yes")}
RANDOM = [[torch.arange(9, dtype=torch.uint8)]]


def parts(start: float = 0.0, size: int = 3, groups: int = 1, **more) -> dict:
    """A model whose weights and optimizer hold numbers that begin with ``start``."""
    model = nn.Linear(size, 2)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.arange(weight.numel()).reshape(weight.shape) + start)
    weights = list(model.parameters())
    optimizer = torch.optim.AdamW([{"params": weights[at::groups]} for at in range(groups)])
    if start:
        model(torch.full((1, size), float(start))).sum().backward()
        optimizer.step()
    return {"model": model, "optimizer": optimizer} | more


def values(of: dict) -> list:
    held = list(of["model"].state_dict().values())
    for state in of["optimizer"].state.values():
        held += state.values()
    return [value.tolist() for value in held]


def record(step: int) -> dict:
    return {"identity": IDENTITY, "step": step}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "checkpoint.pt"
    torch_checkpoint.save(file, parts(7), RANDOM, record(3))
    return file


def refused(path, expected=IDENTITY, into=None) -> str:
    """The sentence of the refusal, after which nothing has changed."""
    into = into or parts()
    before = values(into)
    with pytest.raises(ValueError) as caught:
        torch_checkpoint.restore(path, into, expected)
    assert values(into) == before
    return str(caught.value)


def test_comes_back(path):
    into = parts()
    found, random = torch_checkpoint.restore(path, into, IDENTITY)
    assert found["step"] == 3 and values(into) == values(parts(7))
    assert torch.equal(random[0][0], RANDOM[0][0])
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_crash_leaves_the_last_one(path, monkeypatch, where):
    def crash(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):
        patched.setattr(torch_checkpoint.os, where, crash)
        torch_checkpoint.save(path, parts(8), [], record(4))
    into = parts()
    assert torch_checkpoint.restore(path, into, IDENTITY)[0]["step"] == 3
    assert values(into) == values(parts(7))
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


def test_it_is_flushed_to_the_disk_before_it_takes_its_place(path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        before = getattr(torch_checkpoint.os, name)
        monkeypatch.setattr(
            torch_checkpoint.os, name, lambda *a, n=name, b=before: done.append(n) or b(*a)
        )
    torch_checkpoint.save(path, parts(8), [], record(4))
    assert done == ["fsync", "replace"]


def test_a_damaged_file_is_refused_wherever_it_is_damaged(path):
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    sentences = []
    for position in range(0, len(whole), 31):
        content = bytearray(whole)
        content[position] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        try:
            into = parts()
            torch_checkpoint.restore(path, into, IDENTITY)
            # A bit that means nothing here, such as one of the bytes between two entries.
            assert values(into) == values(parts(7))
        except ValueError:
            sentences.append(refused(path))
    assert len(sentences) > len(whole) / 31 / 2
    for length in range(0, len(whole), 61):
        path.write_bytes(whole[:length])
        sentences.append(refused(path))
    assert all("checkpoint.pt is no checkpoint (" in sentence for sentence in sentences)
    assert all("; delete it to train from the start." in sentence for sentence in sentences)


def test_every_bit_of_a_weight_counts(path):
    """torch.load alone would take it."""
    content = bytearray(path.read_bytes())
    at = bytes(content).index(parts(7)["model"].weight.detach().numpy().tobytes())
    content[at] ^= 1
    path.write_bytes(content)
    torch.load(path, weights_only=True)
    assert "in it has another checksum); expected a file that" in refused(path)


def saved(what: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(what, buffer)
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as writer:
        writer.writestr("hello.txt", "hello")
    return buffer.getvalue()


class Harmful:
    """What a pickle may do when it is opened."""

    def __reduce__(self):
        return exec, ("raise SystemExit",)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"not an archive", archive(), saved([1]), saved(nn.Linear(2, 2).state_dict()),
        saved({"record": "{", "random": [], "states": {}}), saved(Harmful()),
        saved({"record": "{}", "random": [], "states": {}}),
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
            {"recipe": {"batch_size": 100, "steps": (9, 3)}},
            "with batch_size 50, expected 100; steps 9 2, expected 9 3; train in another folder",
        ),
        ({"labels": ("_silence_", "no")}, "with labels _silence_ yes, expected _silence_ no;"),
        ({"scenes": "40 of 10 s"}, "with scenes not given, expected 40 of 10 s; train"),
    ],
)
def test_another_run_is_refused_by_what_differs(path, expected, phrase):
    sentence = refused(path, IDENTITY | expected)
    assert f"checkpoint.pt is a checkpoint of another run, {phrase}" in sentence


def test_other_kinds_of_parts_are_refused(path):
    bare = parts(scheduler=nn.Identity())
    assert "with scheduler not given, expected Identity; train" in refused(path, into=bare)
    other = parts()
    other["model"] = nn.Sequential(other["model"])
    assert "with model Linear, expected Sequential; train" in refused(path, into=other)


@pytest.mark.parametrize(
    "options, phrase",
    [
        (
            {"size": 4},
            "has float32 of shape (2, 3) for 'weight'; expected float32 of shape (2, 4), as this",
        ),
        ({"model": nn.Linear(3, 2, bias=False)}, "shape (2,) for 'bias'; expected nothi"),
        (
            {"model": nn.Linear(3, 2).double()},
            "has float32 of shape (2, 3) for 'weight'; expected float64 of shape (2, 3), as",
        ),
        ({"groups": 2}, "does not fit the optimizer (loaded state dict has a different number"),
    ],
)
def test_weights_that_do_not_fit_are_refused(path, options, phrase):
    assert phrase in refused(path, into=parts(**options))
