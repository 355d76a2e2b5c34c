"""What every decoder expects of a recogniser's output, each refused in one sentence."""

from collections.abc import Sequence

import numpy as np

from course_utils.features.text import Alphabet


def as_array(values: object) -> np.ndarray:
    """An array of a list, an array or a torch tensor, whatever its device and precision."""
    if hasattr(values, "detach"):  # a tensor; torch itself is not loaded for this
        values = values.detach().cpu()
        if values.is_floating_point() and values.element_size() < 4:
            values = values.float()  # NumPy has no bfloat16
    return np.asarray(values)


def checked_batch(log_probs: object, lengths: object) -> tuple[np.ndarray, np.ndarray]:
    """A batch and its lengths as arrays, frames beyond a length left as they are.

    Parameters
    ----------
    log_probs : array_like or tensor, shape (batch, time, classes)
    lengths : array_like or tensor of int, shape (batch,)

    Returns
    -------
    (np.ndarray, shape (batch, time, classes), np.ndarray of int64, shape (batch,))

    Raises
    ------
    ValueError
        If the shapes do not fit, a length is no whole number from 0 to time, or a frame within its
        length holds NaN.
    """
    log_probs, lengths = as_array(log_probs), as_array(lengths)
    if log_probs.ndim != 3 or not log_probs.shape[2] or lengths.shape != log_probs.shape[:1]:
        raise ValueError(
            f"Found log_probs of shape {log_probs.shape} and lengths of shape {lengths.shape};"
            " expected (batch, time, classes) and (batch,); swap the first two axes if time came"
            " first, as torch's ctc_loss has it."
        )
    frames = log_probs.shape[1]
    if len(lengths) and not np.issubdtype(lengths.dtype, np.integer):
        raise ValueError(
            f"Found lengths of type {lengths.dtype}; expected whole frames; count them, and do not"
            " give shares of the longest."
        )
    for item in np.flatnonzero((lengths < 0) | (lengths > frames)):
        raise ValueError(
            f"Found a length of {lengths[item]} frames for item {item}; expected 0 to {frames}, the"
            " frames in log_probs; give the lengths of the network's output, not of its input."
        )
    lengths = lengths.astype(np.int64)
    heard = np.arange(frames) < lengths[:, None]
    unknown = np.isnan(log_probs)
    # The usual case first: to reduce over the classes takes longer than all of greedy.
    for item, frame in np.argwhere(unknown.any(axis=2) & heard) if unknown.any() else ():
        raise ValueError(
            f"Found NaN in frame {frame} of item {item}; expected log-probabilities; look at what"
            " the recogniser was given for that item, and at its weights."
        )
    return log_probs, lengths


def checked_symbols(
    alphabet: Alphabet | Sequence[str], blank: int | None, classes: int
) -> tuple[tuple[str, ...], int]:
    """What each class writes, and which of them is the blank.

    Parameters
    ----------
    alphabet : Alphabet, or sequence of str
        A string or a list of what the classes write, with or without an entry for the blank.
    blank : int, optional
        By default the blank of the :class:`Alphabet`; of a plain sequence, the last class.
    classes : int
        Of the recogniser.

    Raises
    ------
    ValueError
        If the alphabet does not have so many classes, or the blank is none of them.
    """
    if isinstance(alphabet, Alphabet):
        symbols, known = alphabet.symbols, alphabet.blank
        possible = {known}
    else:
        symbols, known, possible = tuple(alphabet), classes - 1, range(classes)
    blank = known if blank is None else int(blank)
    if blank not in possible:
        raise ValueError(
            f"Found blank={blank} for {classes} classes; expected"
            f" {known if len(possible) == 1 else f'0 to {classes - 1}'}; give the class that the"
            " recogniser was trained with."
        )
    if len(symbols) == classes - 1 and not isinstance(alphabet, Alphabet):
        symbols = (*symbols[:blank], "", *symbols[blank:])
    if len(symbols) != classes:
        raise ValueError(
            f"Found an alphabet of {len(alphabet)} entries for {classes} classes; expected"
            f" {classes}, the blank among them; give the alphabet that the recogniser was"
            " trained with."
        )
    return symbols, blank


def check_log_probs(frames: np.ndarray) -> None:
    """Refuse frames, of shape (time, classes), whose exponentials do not add up to 1.

    Raises
    ------
    ValueError
        The first such frame is named.
    """
    totals = np.exp(np.minimum(frames, 1).astype(np.float64)).sum(axis=1)
    for frame in np.flatnonzero(np.abs(totals - 1) > 0.05):  # bfloat16 is off by 0.02
        raise ValueError(
            f"Found probabilities that add up to {totals[frame]:.3g} in frame {frame}; expected 1;"
            " give log-probabilities, the log_softmax of the recogniser's output."
        )
