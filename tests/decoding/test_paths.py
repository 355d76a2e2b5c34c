"""Greedy decoding: golden collapses, and the twin written as a loop."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_lattices import lattices, log_probs

from course_utils import decoding
from course_utils.decoding import collapse, greedy
from course_utils.features.text import LETTERS, Alphabet

GOLDEN = {
    "hheel_lloo": "hello", "hello": "helo", "a_a": "aa", "aa_aa__a": "aaa", "aabb": "ab",
    "__": "", "  _ a": "  a", "": "",
}  # fmt: skip


def one_hot(path: str, symbols: str) -> np.ndarray:
    return np.log(np.eye(len(symbols))[[symbols.index(c) for c in path]] + 1e-9)


def loop(scores: torch.Tensor, lengths: torch.Tensor, blank: int) -> list[str]:
    """The source's decoder with its lengths mended: a tensor comparison for each frame."""
    texts = []
    for item, best in enumerate(torch.argmax(scores, dim=2)):
        written = []
        for frame, k in enumerate(best[: lengths[item]]):
            if k != blank:
                if frame and k == best[frame - 1]:
                    continue
                written.append(k.item())
        texts.append(LETTERS.decode(written))
    return texts


@pytest.mark.parametrize(("path", "text"), GOLDEN.items())
def test_golden_collapses(path, text):
    assert collapse(path) == text
    classes = ["_ abehlo".index(c) for c in path]
    assert collapse(classes, blank=0) == ["_ abehlo".index(c) for c in text]
    if path:
        found = greedy(one_hot(path, "_ abehlo")[None], [len(path)], " abehlo", 0)
        assert found == [text]


def test_dropping_blanks_alone_is_not_collapsing():
    assert "hheel_lloo".replace("_", "") == "hheellloo" != collapse("hheel_lloo")


@given(st.integers(0, 2**32), st.integers(0, 5), st.integers(0, 12), st.integers(0, 28))
def test_greedy_is_the_loop(seed, batch, frames, blank):
    scores = log_probs(seed, batch, frames, 29, sharpness=3.0)
    scores[..., 5] += 3  # repeats are common
    lengths = np.random.default_rng(seed).integers(0, frames + 1, size=batch)
    alphabet = Alphabet(LETTERS.characters, blank)
    expected = [
        "".join(alphabet.symbols[k] for k in collapse(item[:length].argmax(1).tolist(), blank))
        for item, length in zip(scores, lengths, strict=True)
    ]
    assert greedy(scores, lengths, alphabet) == expected


@given(lattices(), st.integers(0, 3))
def test_padding_writes_nothing(lattice, padding):
    scores, alphabet, blank = lattice
    padded = np.concatenate([scores, np.full((padding, scores.shape[1]), np.nan)])
    expected = greedy(scores[None], [len(scores)], alphabet, blank)
    assert greedy(padded[None], [len(scores)], alphabet, blank) == expected


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_of_every_precision_are_welcome(dtype):
    scores = torch.from_numpy(one_hot("hheel_lloo", "_ ehlo"))[None].to(dtype).requires_grad_()
    assert greedy(scores, torch.tensor([10]), " ehlo", 0) == ["hello"]
    assert greedy(scores.tolist(), [5], " ehlo", 0) == ["hel"]


def test_an_alphabet_may_be_written_in_many_ways():
    scores = one_hot("b_aa", "ab_")[None]
    for alphabet, blank in [
        (Alphabet("ab"), None), (Alphabet("ab"), 2), ("ab", None), ("ab", 2), ("ab_", 2),
        (["a", "b", "<blank>"], 2),
    ]:  # fmt: skip
        assert greedy(scores, [4], alphabet, blank) == ["ba"]
    assert greedy(scores, [4], ["▁a", "b"]) == ["b▁a"]


def test_an_empty_batch_and_no_frames():
    assert greedy(np.zeros((0, 4, 29)), np.zeros(0, int), LETTERS) == []
    assert greedy(np.zeros((2, 0, 29)), [0, 0], LETTERS, 28) == ["", ""]
    assert greedy(np.zeros((0, 4, 29)), [], LETTERS, 28) == []


UNIFORM = np.full((2, 3, 3), -np.log(3))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((UNIFORM[0], [3], "ab"), r"shape \(3, 3\) and lengths of shape \(1,\); expected \(batch"),
        ((UNIFORM.swapaxes(0, 1), [3, 3], "ab"), "swap the first two axes"),
        ((UNIFORM[..., :0], [3, 3], "ab"), r"shape \(2, 3, 0\)"),
        ((UNIFORM, [3], "ab"), r"lengths of shape \(1,\)"),
        ((UNIFORM, [3, 4], "ab"), "length of 4 frames for item 1; expected 0 to 3"),
        ((UNIFORM, [-1, 3], "ab"), "length of -1 frames for item 0"),
        ((UNIFORM, [0.5, 1.0], "ab"), "lengths of type float64; expected whole frames"),
        ((UNIFORM, [3, 3], "abcd"), "alphabet of 4 entries for 3 classes; expected 3"),
        ((UNIFORM, [3, 3], LETTERS), "alphabet of 29 entries for 3 classes"),
        ((UNIFORM, [3, 3], "ab", 3), "blank=3 for 3 classes; expected 0 to 2"),
        ((UNIFORM, [3, 3], Alphabet("ab"), 0), "blank=0 for 3 classes; expected 2"),
        (
            (np.where(np.arange(18).reshape(2, 3, 3) == 14, np.nan, UNIFORM), [3, 3], "ab"),
            "NaN in frame 1 of item 1; expected log-probabilities",
        ),
    ],
)
def test_what_does_not_fit_is_told(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        greedy(*arguments)


def test_importing_decoding_loads_no_framework():
    code = "import sys, course_utils.decoding; print({'torch', 'tensorflow'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_too_many_paths_to_walk():
    with pytest.raises(ValueError, match=r"10 frames of 29 classes, with 29\*\*10 paths; expected"):
        decoding.text_probabilities(log_probs(0, 10, 29), LETTERS)
    with pytest.raises(ValueError, match=r"shape \(1, 3, 3\); expected \(time, classes\)"):
        decoding.text_probabilities(UNIFORM[:1], "ab")
