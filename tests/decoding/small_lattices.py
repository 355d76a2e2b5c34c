"""Outputs of imagined networks, small enough to walk every path."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

NAMES = "ab c"


def log_probs(seed: int, *shape: int, sharpness: float = 1.0) -> np.ndarray:
    """Log-softmax of random numbers; at sharpness 0 every class is as likely as any."""
    logits = sharpness * np.random.default_rng(seed).standard_normal(shape)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@st.composite
def lattices(draw, most_frames: int = 5, most_classes: int = 4):
    """Log-probabilities (time, classes), an alphabet for them, and the blank's class."""
    classes = draw(st.integers(2, most_classes))
    found = log_probs(
        draw(st.integers(0, 2**32)),
        draw(st.integers(1, most_frames)),
        classes,
        sharpness=draw(st.sampled_from([0.3, 1.0, 3.0])),
    )
    return found, NAMES[: classes - 1], draw(st.integers(0, classes - 1))
