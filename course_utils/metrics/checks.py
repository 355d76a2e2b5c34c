"""What every measure expects of its numbers, each refused in one sentence."""

import numpy as np


def checked_scores(scores: np.ndarray, truth: np.ndarray, n_labels: int | None = None) -> tuple:
    """Hold scores and truth to what the measures expect.

    Parameters
    ----------
    scores : array_like, shape (n, k)
        One row for each clip, one column for each label.
    truth : array_like of int, shape (n,)
        The right column of each row.
    n_labels : int, optional
        How many columns there have to be; any number by default.

    Returns
    -------
    (np.ndarray of float64, shape (n, k), np.ndarray of int64, shape (n,))
        Copies that cannot be written to.

    Raises
    ------
    ValueError
        If there are no clips, the shapes do not fit, a score is NaN or infinite, or a class is no
        whole number from 0 to k - 1.
    """
    scores, truth = np.array(scores, np.float64), np.array(truth)
    columns = n_labels
    if columns is None:
        columns = scores.shape[1] if scores.ndim == 2 else "k"
    if truth.ndim != 1 or scores.shape != (len(truth), columns):
        raise ValueError(
            f"Found truth of shape {truth.shape} and scores of shape {scores.shape}; expected (n,) "
            f"and (n, {columns}); give each clip one row, with one score for each label."
        )
    if len(truth) == 0:
        raise no_clips()
    if not np.isfinite(scores).all():
        clip = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0])
        raise ValueError(
            f"Found NaN or infinity in the scores of clip {clip}; expected finite numbers; look at "
            "what the recogniser was given for that clip, and at its weights."
        )
    truth = _checked_classes(truth, columns)
    scores.flags.writeable = truth.flags.writeable = False
    return scores, truth


def _checked_classes(truth: np.ndarray, n_labels: int) -> np.ndarray:
    whole = np.issubdtype(truth.dtype, np.integer)
    outside = np.flatnonzero((truth < 0) | (truth >= n_labels)) if whole else [0]
    if len(outside):
        clip = int(outside[0])
        raise ValueError(
            f"Found class {truth[clip]} as the truth of clip {clip}; expected a whole number "
            f"from 0 to {n_labels - 1}; count classes from 0, in the order of the labels."
        )
    return truth.astype(np.int64)


def checked_matrix(matrix: np.ndarray, n_labels: int | None = None) -> np.ndarray:
    """A confusion matrix as an array; ValueError unless it is square and fits the labels."""
    matrix = np.asarray(matrix)
    size = n_labels
    if size is None:
        size = matrix.shape[0] if matrix.ndim else "k"
    if matrix.shape != (size, size):
        raise ValueError(
            f"Found a confusion matrix of shape {matrix.shape}; expected ({size}, {size}), a row "
            "and a column for each label; give the labels that it was made with."
        )
    return matrix


def no_clips() -> ValueError:
    """Nothing can be said about nothing."""
    return ValueError("Found no clips; expected at least one; check how they were selected.")


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is no share between 0 and 1 (ValueError)."""
    if not 0 < confidence < 1:
        raise ValueError(
            f"Found confidence={confidence}; expected a share between 0 and 1; 0.95 is usual."
        )
