"""From paths to texts: a class for each frame, repeats merged, blanks dropped.

Source: Graves, Fernández, Gomez and Schmidhuber, *Connectionist temporal classification*, ICML
2006. Lesson: 06.
"""

from collections.abc import Sequence
from itertools import groupby, product

import numpy as np

from course_utils.decoding.checks import as_array, checked_batch, checked_symbols
from course_utils.features.text import Alphabet

_MOST_PATHS = 1_000_000  # some seconds


def collapse(path: Sequence, blank: object = "_") -> Sequence:
    """What a path writes: neighbours that are alike are merged, then blanks are dropped.

    Parameters
    ----------
    path : str, or sequence of int
        One entry for each frame: ``"hheel_lloo"``, or the classes of a network's best path.
    blank : str or int
        The entry that writes nothing.

    Returns
    -------
    str or list
        Of a string a string, of anything else a list.
    """
    kept = [entry for entry, _ in groupby(path) if entry != blank]
    return "".join(kept) if isinstance(path, str) else kept


def greedy(
    log_probs: np.ndarray,
    lengths: Sequence[int],
    alphabet: Alphabet | Sequence[str],
    blank: int | None = None,
) -> list[str]:
    """The text of the best path: in each frame the likeliest class, then :func:`collapse`.

    Many paths write one text, so that the best path's text need not be the best text; see
    :func:`prefix_beam_search`.

    Parameters
    ----------
    log_probs : array_like or torch tensor, shape (batch, time, classes)
        Log-probabilities, or anything else that grows with them.
    lengths : sequence of int, array or tensor, shape (batch,)
        Frames of each item; what stands behind them is padding and writes nothing.
    alphabet : Alphabet, or sequence of str
        What the classes write; an entry for the blank may be there or not.
    blank : int, optional
        Class of the blank; by default the alphabet's, or else the last class.

    Returns
    -------
    list of str, length batch

    Raises
    ------
    ValueError
        If shapes, lengths, alphabet or blank do not fit one another, or a frame holds NaN.
    """
    log_probs, lengths = checked_batch(log_probs, lengths)
    symbols, blank = checked_symbols(alphabet, blank, log_probs.shape[2])
    best = log_probs.argmax(axis=2)
    kept = (best != blank) & (np.arange(best.shape[1]) < lengths[:, None])
    kept[:, 1:] &= best[:, 1:] != best[:, :-1]
    written = [symbols[k] for k in best[kept].tolist()]
    stops = np.cumsum(kept.sum(axis=1)).tolist()
    return ["".join(written[a:b]) for a, b in zip([0, *stops], stops, strict=False)]


def text_probabilities(
    log_probs: np.ndarray, alphabet: Alphabet | Sequence[str], blank: int | None = None
) -> dict[str, float]:
    """Probability of every text that a small lattice can write, by walking all of its paths.

    Minus the logarithm of a text's share is its CTC loss. There are classes to the power of time
    paths: this is for three frames, to see that the clever ways are right.

    Parameters
    ----------
    log_probs : array_like or torch tensor, shape (time, classes)
        Log-probabilities of one item.
    alphabet, blank
        As in :func:`greedy`.

    Returns
    -------
    dict of str to float
        The likeliest text first. Of log-probabilities, the shares add up to 1.

    Raises
    ------
    ValueError
        As in :func:`greedy`, or if there are more than a million paths.
    """
    log_probs = one_item(log_probs)
    frames, classes = log_probs.shape
    symbols, blank = checked_symbols(alphabet, blank, classes)
    if classes**frames > _MOST_PATHS:
        raise ValueError(
            f"Found {frames} frames of {classes} classes, with {classes}**{frames} paths; expected"
            f" at most {_MOST_PATHS} paths; give fewer frames, or use prefix_beam_search."
        )
    probabilities = np.exp(log_probs.astype(np.float64))
    shares = {}
    for path in product(range(classes), repeat=frames):
        text = "".join(symbols[k] for k in collapse(path, blank))
        share = float(np.prod(probabilities[np.arange(frames), list(path)]))
        shares[text] = shares.get(text, 0.0) + share
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def one_item(log_probs: np.ndarray, length: int | None = None) -> np.ndarray:
    """The frames of one item within its length, held to what :func:`checked_batch` expects.

    Parameters
    ----------
    log_probs : array_like or torch tensor, shape (time, classes)
    length : int, optional
        All frames by default.

    Returns
    -------
    np.ndarray, shape (length, classes)
    """
    log_probs = as_array(log_probs)
    if log_probs.ndim != 2:
        raise ValueError(
            f"Found log_probs of shape {log_probs.shape}; expected (time, classes), one item; give"
            " log_probs[0] for the first of a batch."
        )
    length = len(log_probs) if length is None else length
    checked, lengths = checked_batch(log_probs[None], np.array([length]))
    return checked[0, : lengths[0]]
