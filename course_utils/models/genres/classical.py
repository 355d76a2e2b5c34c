"""Classical learning on features: scikit-learn pipelines, tuned on artists they have not heard."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Method:
    """A way to learn, and what is tried to find its settings.

    Attributes
    ----------
    classifier : callable
        From a seed to a scikit-learn classifier.
    grid : dict or list of dict
        Values by setting of the classifier; every combination is tried.
    """

    classifier: Callable[[int], BaseEstimator]
    grid: Mapping[str, Sequence] | Sequence[Mapping[str, Sequence]]

    def pipeline(self, seed: int = 0) -> Pipeline:
        """A new pipeline, not fitted: the scaler is inside, so that it learns where the rest does.

        The source system scales before it splits, and each clip by itself.
        """
        return Pipeline([("scale", StandardScaler()), ("classify", self.classifier(seed))])

    @property
    def pipeline_grid(self) -> list[dict]:
        """The grid with names as the pipeline has them."""
        grids = [self.grid] if isinstance(self.grid, Mapping) else self.grid
        return [{f"classify__{name}": values for name, values in g.items()} for g in grids]


METHODS = {
    "logistic regression": Method(
        lambda seed: LogisticRegression(max_iter=5000, random_state=seed),
        {"C": [0.001, 0.01, 0.1, 1.0, 10.0]},
    ),
    "k nearest neighbours": Method(
        lambda seed: KNeighborsClassifier(),
        {"n_neighbors": [1, 3, 5, 9, 15, 21], "weights": ["uniform", "distance"]},
    ),
    "Gaussian naive Bayes": Method(
        lambda seed: GaussianNB(),
        {"var_smoothing": [1e-10, 1e-6, 1e-3, 1e-2, 1e-1, 1.0]},
    ),
    "support vector machine": Method(
        lambda seed: SVC(random_state=seed),
        [
            {"kernel": ["linear"], "C": [0.001, 0.01, 0.1, 1.0]},
            {"kernel": ["rbf"], "C": [0.1, 1.0, 10.0, 100.0], "gamma": [0.001, "scale"]},
        ],
    ),
}
"""By name, in the order of the lesson."""


def fit(
    method: str,
    X: np.ndarray,
    classes: np.ndarray,
    artists: Sequence[str],
    seed: int = 0,
    *,
    folds: int = 3,
    names: Sequence[str] | None = None,
) -> GridSearchCV:
    """Tune a method by cross-validation over artists, then fit it to all that it is given.

    Parameters
    ----------
    method : str
        One of :data:`METHODS`.
    X : np.ndarray of float, shape (rows, features) or (rows, *shape)
        Of training tracks only; what has more axes is flattened.
    classes : np.ndarray of int, shape (rows,)
    artists : sequence of str, length rows
        All rows of an artist are in one fold.
    seed : int
        Draws the folds, and whatever the method draws.
    folds : int
        How often another part of the artists is left out.
    names : sequence of str, length rows, optional
        Track of each row, for the errors; rows are counted from 0 by default.

    Returns
    -------
    GridSearchCV
        Fitted: ``best_params_``, ``best_score_`` (mean share of rows that is correct, of artists
        left out), ``cv_results_``, ``predict``, ``predict_proba`` and ``best_estimator_``, which
        goes into a :class:`Recogniser`. The same arguments give the same result.

    Raises
    ------
    ValueError
        If there is no such method, the rows do not fit together or hold NaN or infinity, or a genre
        has fewer artists than folds.

    Notes
    -----
    A support vector machine has no probabilities. Those it is given are fitted (Platt's sigmoid for
    each genre) to its answers for artists that it had not heard, by the same folds; so the best
    estimator holds the pipeline in a ``CalibratedClassifierCV``. More neighbours than the smallest
    training part has rows are not tried.
    """
    if method not in METHODS:
        raise ValueError(
            f"There is no method {method!r}; expected one of {', '.join(METHODS)}; choose one."
        )
    X, classes, artists = _checked(X, classes, artists, names)
    _check_artists(classes, artists, folds)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    splits = list(splitter.split(X, classes, artists))
    grid = METHODS[method].pipeline_grid
    if method == "k nearest neighbours":
        fewest = min(len(train) for train, _ in splits)
        grid = [g | {_NEIGHBOURS: [k for k in g[_NEIGHBOURS] if k <= fewest]} for g in grid]
    pipeline = METHODS[method].pipeline(seed)
    search = GridSearchCV(pipeline, grid, cv=splits, n_jobs=1, error_score="raise")
    # One thread: on tables as small as these, many spend their time waiting for one another.
    with threadpool_limits(1):
        search.fit(X, classes)
        if not hasattr(search.best_estimator_, "predict_proba"):
            calibrated = CalibratedClassifierCV(search.best_estimator_, cv=splits, ensemble=False)
            search.best_estimator_ = calibrated.fit(X, classes)
    return search


_NEIGHBOURS = "classify__n_neighbors"


def _checked(
    X: np.ndarray, classes: np.ndarray, artists: Sequence[str], names: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that fit together and hold numbers only."""
    X, classes, artists = np.asarray(X), np.asarray(classes), np.asarray(artists)
    names = [f"row {k}" for k in range(len(X))] if names is None else names
    if not (X.ndim > 1 and len(X) == len(classes) == len(artists) == len(names)):
        raise ValueError(
            f"Found features of shape {X.shape}, {len(classes)} classes, {len(artists)} artists and"
            f" {len(names)} names; expected (rows, features) and one of each for each row; take"
            " all from the same tracks."
        )
    X = X.reshape(len(X), -1)
    if len(bad := np.flatnonzero(~np.isfinite(X).all(axis=1))):
        column = np.flatnonzero(~np.isfinite(X[bad[0]]))[0]
        others = f" and {len(bad) - 1} other rows" if len(bad) > 1 else ""
        raise ValueError(
            f"{names[bad[0]]}{others}: found NaN or infinity, first in feature {column}; expected"
            " finite numbers; compute its features again, or leave it out and count it."
        )
    return X, classes, artists


def _check_artists(classes: np.ndarray, artists: np.ndarray, folds: int) -> None:
    """Refuse a genre that cannot be in every fold with artists of its own."""
    if not isinstance(folds, int) or folds < 2:
        raise ValueError(f"folds is {folds!r}; expected a whole number from 2 up; 3 is usual.")
    if len(np.unique(classes)) < 2:
        raise ValueError(
            f"Found {len(np.unique(classes))} classes in {len(classes)} rows; expected at least 2"
            " to tell apart; give tracks of more genres."
        )
    for genre in np.unique(classes):
        if (count := len(np.unique(artists[classes == genre]))) < folds:
            raise ValueError(
                f"Class {genre} has {count} artists and there are {folds} folds; expected at least"
                " one artist for each fold; give more artists or lower folds."
            )
