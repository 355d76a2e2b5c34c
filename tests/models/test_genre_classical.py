"""Classical methods: tuned on artists they have not heard, and the same each time."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score
from small_genres import ARTISTS, FEATURES, GENRES, tracks

from course_utils.models.genres import METHODS
from course_utils.models.genres.classical import fit

NAMES = list(METHODS)


@pytest.fixture(scope="module")
def fitted():
    """Every method, fitted to the same tracks without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {name: fit(name, *tracks(0)) for name in NAMES}


def test_the_four_methods_of_the_lesson():
    assert NAMES == ["logistic regression", "k nearest neighbours", "Gaussian naive Bayes",
                     "support vector machine"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_learns_and_has_probabilities(fitted, name):
    X, classes, _ = tracks(1)
    search = fitted[name]
    probabilities = search.predict_proba(X)
    assert probabilities.shape == (len(X), GENRES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), search.predict(X))
    found = (search.predict(X) == classes).mean()
    assert found > 2.5 / GENRES and search.best_score_ == pytest.approx(found, abs=0.15)
    of_the_truth = probabilities[np.arange(len(X)), classes]
    assert np.log(of_the_truth + 1e-3).mean() > 0.7 * np.log(1 / GENRES), "guessing"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_model(fitted, name):
    again, X = fit(name, *tracks(0)), tracks(1)[0]
    assert again.best_params_ == fitted[name].best_params_
    np.testing.assert_array_equal(again.predict_proba(X), fitted[name].predict_proba(X))


@pytest.mark.parametrize("name", NAMES)
def test_best_settings_and_their_score_are_recorded(fitted, name):
    search = fitted[name]
    grids = METHODS[name].pipeline_grid
    assert any(all(v in g[k] for k, v in search.best_params_.items()) for g in grids)
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])


def test_no_artist_is_on_both_sides_of_a_fold_and_the_score_shows_it():
    """Features that only name the artist are worth nothing for another one."""
    rng = np.random.default_rng(0)
    _, classes, artists = tracks(0)
    ids = np.unique(artists, return_inverse=True)[1]
    X = rng.normal(0, 1, (ids.max() + 1, FEATURES))[ids] + rng.normal(0, 0.01, (len(ids), FEATURES))
    search = fit("k nearest neighbours", X, classes, artists)
    assert search.best_score_ < 2 / GENRES
    nearest = METHODS["k nearest neighbours"].pipeline().set_params(classify__n_neighbors=1)
    leaky = StratifiedKFold(3, shuffle=True, random_state=0)
    assert cross_val_score(nearest, X, classes, cv=leaky).mean() > 0.95, "so would a random split"
    for train, test in search.cv:
        assert not set(np.array(artists)[train]) & set(np.array(artists)[test])
        assert set(classes[train]) == set(classes[test]) == set(range(GENRES))


def test_the_scaler_is_inside_and_learns_from_the_rows_that_are_fitted():
    X, classes, _ = tracks(0)
    for method in METHODS.values():
        pipeline = method.pipeline().fit(X[:40], classes[:40])
        np.testing.assert_allclose(pipeline["scale"].mean_, X[:40].mean(axis=0), rtol=1e-5)


def test_the_unit_of_a_feature_does_not_matter():
    X, classes, artists = tracks(0)
    found = [
        fit("support vector machine", values, classes, artists).predict_proba(values)
        for values in (X, 1000 * X - 7)
    ]
    np.testing.assert_allclose(*found, atol=1e-3)


def test_probabilities_of_the_support_vector_machine_come_from_artists_it_had_not_heard(fitted):
    X, classes, _ = tracks(1)
    search = fitted["support vector machine"]
    best = search.best_estimator_
    assert best.cv is search.cv and not best.ensemble
    assert best.predict_proba(X)[np.arange(len(X)), classes].mean() > 2 / GENRES


def test_windows_with_more_axes_are_flattened(fitted):
    X, classes, artists = tracks(0)
    cube = X.reshape(len(X), 3, -1)
    found = fit("Gaussian naive Bayes", cube, classes, artists).predict_proba(X)
    np.testing.assert_array_equal(found, fitted["Gaussian naive Bayes"].predict_proba(X))


def test_few_rows_get_few_neighbours():
    X, classes, artists = tracks(0, per_artist=1)
    keep = np.isin(artists, [f"{genre}.{k}" for genre in range(2) for k in range(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = fit("k nearest neighbours", X[keep], classes[keep], np.array(artists)[keep])
    assert max(search.cv_results_["param_classify__n_neighbors"]) == 3 and keep.sum() == 6


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match=r"no method 'magic'; expected one of logistic regression"):
        fit("magic", *tracks(0))


def test_a_genre_with_fewer_artists_than_folds_is_refused():
    X, classes, artists = tracks(0)
    sentence = f"Class 0 has {ARTISTS} artists and there are {ARTISTS + 1} folds; expected at least"
    with pytest.raises(ValueError, match=sentence):
        fit("logistic regression", X, classes, artists, folds=ARTISTS + 1)
    with pytest.raises(ValueError, match="folds is 1; expected a whole number from 2 up"):
        fit("logistic regression", X, classes, artists, folds=1)


def test_one_genre_alone_is_refused():
    X, classes, artists = tracks(0)
    with pytest.raises(ValueError, match=r"Found 1 classes in .* rows; expected at least 2"):
        fit("logistic regression", X, np.zeros_like(classes), artists)


def test_rows_that_do_not_fit_together_are_refused():
    X, classes, artists = tracks(0)
    n = len(X)
    with pytest.raises(ValueError, match=rf"{n - 1} classes, {n} artists and {n} names; expected"):
        fit("logistic regression", X, classes[1:], artists)
    with pytest.raises(ValueError, match=rf"shape \({n},\), .* expected \(rows, features\)"):
        fit("logistic regression", X[:, 0], classes, artists)


def test_numbers_that_are_none_are_refused_with_the_track():
    X, classes, artists = tracks(0)
    X[7, 3] = np.nan
    names = [f"{k:06d}" for k in range(len(X))]
    with pytest.raises(ValueError, match=r"^000007: found NaN or infinity, first in feature 3;"):
        fit("logistic regression", X, classes, artists, names=names)
    X[9, 0] = np.inf
    with pytest.raises(ValueError, match=r"^row 7 and 1 other rows: found NaN"):
        fit("logistic regression", X, classes, artists)
