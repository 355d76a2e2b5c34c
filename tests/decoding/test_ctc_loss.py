"""CTC by hand: all paths walked give torch's loss."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_lattices import lattices
from torch.nn.functional import ctc_loss

from course_utils.decoding import text_probabilities
from course_utils.features.text import minimum_steps


def loss_of(log_probs: np.ndarray, target: list[int], blank: int, **settings) -> float:
    return ctc_loss(
        torch.from_numpy(log_probs)[:, None],
        torch.tensor([target], dtype=torch.long),
        torch.tensor([len(log_probs)]),
        torch.tensor([len(target)]),
        blank=blank,
        reduction="none",
        **settings,
    ).item()


def uniform(frames: int) -> np.ndarray:
    return np.full((frames, 3), -math.log(3))


@pytest.mark.parametrize(
    ("frames", "target", "loss"),
    [
        (3, [0], 1.504077),
        (3, [0, 0], 3.295837),
        (2, [0, 0], math.inf),
        (3, [], 3.295837),
    ],
)
def test_golden_losses(frames, target, loss):
    assert loss_of(uniform(frames), target, 2) == pytest.approx(loss, abs=1e-6)
    share = text_probabilities(uniform(frames), "ab", 2).get("ab"[:1] * len(target), 0.0)
    assert share == pytest.approx(math.exp(-loss), abs=1e-6)
    assert (minimum_steps(target) > frames) == math.isinf(loss)


def test_an_impossible_target_is_zero_where_infinity_is_zeroed():
    assert loss_of(uniform(2), [0, 0], 2, zero_infinity=True) == 0


@given(lattices(), st.data())
@settings(deadline=None)
def test_all_paths_give_the_loss(lattice, data):
    log_probs, alphabet, blank = lattice
    shares = text_probabilities(log_probs, alphabet, blank)
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    text = data.draw(st.sampled_from(list(shares)))
    labels = [k for k in range(log_probs.shape[1]) if k != blank]
    target = [labels[alphabet.index(c)] for c in text]
    assert loss_of(log_probs, target, blank) == pytest.approx(-math.log(shares[text]), abs=1e-6)
    assert max(map(minimum_steps, shares)) <= len(log_probs)


def test_the_best_text_is_not_the_best_path():
    """Two frames, each with p(a) = 0.4: the likeliest path is silent, the likeliest text is not."""
    shares = text_probabilities(np.log([[0.4, 0.6]] * 2), "a", 1)
    assert shares == pytest.approx({"a": 0.64, "": 0.36}) and next(iter(shares)) == "a"
