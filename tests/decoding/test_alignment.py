"""Forced alignment: by brute force the likeliest path that writes the text, and bad input named."""

import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_lattices import lattices, log_probs

from course_utils.decoding.alignment import Span, align, words
from course_utils.decoding.paths import collapse
from course_utils.features.text import LETTERS, minimum_steps


def path_of(spans: list[Span], classes: list[int], steps: int, blank: int) -> list[int]:
    """The path that spans stand for."""
    path = [blank] * steps
    for span, k in zip(spans, classes, strict=True):
        path[span.first : span.stop] = [k] * (span.stop - span.first)
    return path


def total(lattice: np.ndarray, path: list[int]) -> float:
    return float(lattice[np.arange(len(lattice)), path].sum())


@given(lattices(), st.data())
@settings(deadline=None)
def test_the_path_is_the_likeliest_of_all_that_write_the_text(lattice, data):
    found, alphabet, blank = lattice
    text = data.draw(st.text(alphabet, min_size=1, max_size=len(found)))
    assume(minimum_steps(text) <= len(found))
    spans = align(found, text, alphabet, blank)
    assert "".join(span.text for span in spans) == text
    others = [k for k in range(found.shape[1]) if k != blank]
    classes = [others[alphabet.index(character)] for character in text]
    paths = product(range(found.shape[1]), repeat=len(found))
    writing = [list(path) for path in paths if collapse(path, blank) == classes]
    path = path_of(spans, classes, len(found), blank)
    assert path in writing
    assert total(found, path) == pytest.approx(max(total(found, other) for other in writing))
    for span, k in zip(spans, classes, strict=True):
        inside = np.exp(found[span.first : span.stop, k])
        assert span.score == pytest.approx(inside.mean())


@given(st.text("ab", min_size=1, max_size=4), st.integers(0, 2**32), st.integers(0, 3))
@settings(deadline=None)
def test_where_classes_are_impossible_a_possible_path_is_found(text, seed, more):
    """Of each step, one class is impossible, but never the one that a hidden path takes."""
    rng = np.random.default_rng(seed)
    hidden = [k for character in text for k in ("ab".index(character), 2)] + [2] * more
    probabilities = rng.uniform(0.1, 1, (len(hidden), 3))
    shut = (np.array(hidden) + rng.integers(1, 3, len(hidden))) % 3
    probabilities[np.arange(len(hidden)), shut] = 0
    with np.errstate(divide="ignore"):
        lattice = np.log(probabilities / probabilities.sum(axis=1, keepdims=True))
    classes = ["ab".index(character) for character in text]
    path = path_of(align(lattice, text, "ab"), classes, len(hidden), 2)
    assert collapse(path, 2) == classes and total(lattice, path) >= total(lattice, hidden)


SURE, REST = 0.9, 0.1 / 28


def written(path: str) -> np.ndarray:
    """Log-probabilities of the course's 29 classes, with 0.9 for those of a path; _ is blank."""
    found = np.full((len(path), 29), REST)
    classes = [LETTERS.blank if c == "_" else LETTERS.symbols.index(c) for c in path]
    found[np.arange(len(path)), classes] = SURE
    return np.log(found)


def test_characters_and_words_of_a_path_that_is_seen():
    spans = align(written("__hhe_l_llo_ __yo__"), "hello you", LETTERS)
    assert [span[:3] for span in spans[:6]] == [
        ("h", 2, 4), ("e", 4, 5), ("l", 6, 7), ("l", 8, 10), ("o", 10, 11), (" ", 12, 13),
    ]  # fmt: skip
    assert [span.score for span in spans[:5]] == pytest.approx([SURE] * 5)
    hello, you = words(spans)
    assert hello[:3] == ("hello", 2, 11) and hello.score == pytest.approx(SURE)
    assert you[:2] == ("you", 15) and you.score == pytest.approx((2 * SURE + REST) / 3)


def test_words_weigh_their_characters_by_steps():
    found = words([Span("a", 0, 3, 0.9), Span("b", 5, 6, 0.5), Span(" ", 6, 9, 0.1)])
    assert found == [Span("ab", 0, 6, pytest.approx(0.8))]
    assert words([]) == words([Span(" ", 0, 1, 1.0)]) == []
    doubled = [Span(" ", 0, 1, 1.0), Span("a", 1, 2, 1.0)] + [Span(" ", 2, 3, 1.0)] * 2
    assert [word.text for word in words([*doubled, Span("b", 4, 5, 1.0)])] == ["a", "b"]


@pytest.mark.parametrize("convert", [list, np.float32, torch.tensor, torch.Tensor.bfloat16])
def test_lists_arrays_and_tensors_are_the_same(convert):
    lattice = written("_ab_b")
    given = torch.tensor(lattice) if convert is torch.Tensor.bfloat16 else lattice
    spans = align(convert(given), "abb", LETTERS)
    assert [span[:3] for span in spans] == [("a", 1, 2), ("b", 2, 3), ("b", 4, 5)]
    assert all(type(each) is int for span in spans for each in span[1:3])
    tracked = torch.tensor(lattice, requires_grad=True)
    assert [span[:3] for span in align(tracked, "abb", LETTERS)] == [span[:3] for span in spans]


def test_another_blank_and_a_plain_alphabet():
    lattice = log_probs(5, 6, 4)
    first = align(lattice, "ba", ["_", "a", "b", "c"], 0)
    turned = align(np.roll(lattice, -1, axis=1), "ba", "abc")
    assert first == turned


@pytest.mark.parametrize(
    ("lattice", "text", "sentence"),
    [
        (written("ab"), "", "Found an empty text; expected at least one character"),
        (written("ab__"), "a1", r"Found '1' at place 1 of 'a1'; expected characters of \"' abc"),
        (written("a_a"), "aaa", "Found 3 steps for 'aaa'; expected at least 5, one for each"),
        (written("abc"), "hello", "Found 3 steps for 'hello'; expected at least 6"),
        (written("abc")[:0], "a", "Found 0 steps for 'a'; expected at least 1"),
        (written("ab")[None], "a", r"shape \(1, 2, 29\); expected \(time, classes\), one item"),
        (written("ab")[:, 1:], "a", "an alphabet of 29 entries for 28 classes"),
        (np.full((3, 29), np.nan), "a", "Found NaN in frame 0"),
        (np.zeros((3, 29)), "a", "add up to 29 in frame 0; expected 1; give log-prob"),
        (np.full((3, 29), -np.inf), "a", "add up to 0 in frame 0"),
        (np.full((3, 29), np.inf), "a", "add up to .* in frame 0"),
    ],
)
def test_bad_input_is_named(lattice, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        align(lattice, text, LETTERS)


def test_a_text_that_cannot_be_is_named():
    with np.errstate(divide="ignore"):
        certain = np.log(np.eye(3)[[0, 2, 2]])  # an "a" and two blanks, nothing else
    assert align(certain, "a", "ab") == [Span("a", 0, 1, 1.0)]
    with pytest.raises(ValueError, match="probability of 0 for every path that writes 'ab'"):
        align(certain, "ab", "ab")


def test_the_blank_is_no_character():
    with pytest.raises(ValueError, match="Found '_' at place 1 of 'a_'; expected characters of 'a"):
        align(log_probs(1, 5, 3), "a_", ["a", "b", "_"])


def test_torch_is_loaded_by_aligning_only():
    code = "import sys, course_utils.decoding.alignment; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
