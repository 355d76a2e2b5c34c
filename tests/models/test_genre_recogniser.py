"""From raw sound to genres, for every front end and both kinds of models; saving and loading."""

import hashlib
import json
import shutil
import subprocess
import sys
from functools import cache

import keras
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skops import io as skops_io
from small_genres import LABELS, sound

from course_utils import audio
from course_utils.features.music import EngineeredFeatures, FrontEnd, MelImages, RawWindows
from course_utils.models import genres
from course_utils.models.genres.classical import METHODS, fit
from course_utils.models.genres.recogniser import Recogniser

RATE = 16000
CLASSES = np.repeat(np.arange(4), 6)
ARTISTS = [f"{genre}.{k % 3}" for genre in range(4) for k in range(6)]
FRONT_ENDS = {
    "raw windows": RawWindows(RATE, 800, 2),
    "mel images": MelImages(RATE, 0.5, 32, 2),
    "engineered features": EngineeredFeatures(RATE),
}


def clips(sample_rate: int = RATE) -> list[np.ndarray]:
    return [sound(genre, 3.1, sample_rate, seed) for seed, genre in enumerate(CLASSES)]


@cache
def features_of(front_end: FrontEnd) -> np.ndarray:
    """The first window of each clip, shape (clips, *shape)."""
    return np.stack([front_end(clip)[0] for clip in clips()])


def network(shape: tuple[int, ...], outputs: int = 4) -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(outputs)]
    )


def classical(front_end, method: str = "logistic regression") -> Recogniser:
    search = fit(method, features_of(front_end), CLASSES, ARTISTS)
    return Recogniser(front_end, search.best_estimator_, LABELS)


@pytest.fixture(scope="module")
def engineered() -> Recogniser:
    """A trained recogniser that no test changes."""
    return classical(FRONT_ENDS["engineered features"])


@pytest.fixture(scope="module")
def recognisers(engineered) -> dict[str, Recogniser]:
    """One of each kind."""
    raw, pictures = FRONT_ENDS["raw windows"], FRONT_ENDS["mel images"]
    return {
        "classical on features": engineered,
        "classical on samples": classical(raw, "Gaussian naive Bayes"),
        "network on samples": Recogniser(raw, network(raw.shape), LABELS),
        "network on pictures": Recogniser(pictures, network(pictures.shape), LABELS),
    }


KINDS = ["classical on features", "classical on samples", "network on samples",
         "network on pictures"]  # fmt: skip


# ---------------------------------------------------------------- scores


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_probabilities_in_the_order_of_the_labels(recognisers, kind):
    recogniser = recognisers[kind]
    found = recogniser.predict(sound(1, 4, RATE), RATE)
    assert tuple(found) == LABELS and recogniser.sample_rate == RATE
    assert all(type(score) is float and 0 <= score <= 1 for score in found.values())
    assert sum(found.values()) == pytest.approx(1, abs=1e-6)
    assert len(set(found.values())) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_has_the_mean_of_its_windows(recognisers, kind):
    recogniser = recognisers[kind]
    clip = np.concatenate([sound(0, 2, RATE), sound(3, 2, RATE)])
    scores = recogniser.scores(recogniser.front_end(clip))
    assert scores.shape == (recogniser.front_end.windows, 4) and scores.dtype == np.float32
    found = list(recogniser.predict(clip, RATE).values())
    np.testing.assert_allclose(found, scores.mean(axis=0), atol=1e-6)


def test_scores_of_a_network_are_the_softmax_of_its_logits(recognisers):
    recogniser = recognisers["network on pictures"]
    x = np.concatenate([recogniser.front_end(clip) for clip in clips()])  # more than one batch
    expected = keras.ops.softmax(recogniser.model(x, training=False))
    np.testing.assert_allclose(recogniser.scores(x), expected, atol=1e-6)


def test_it_has_learned_what_the_test_below_relies_on(engineered):
    found = [engineered.predict(clip, RATE) for clip in clips()]
    assert [max(s, key=s.get) for s in found] == [LABELS[k] for k in CLASSES]


@pytest.mark.parametrize("sample_rate", [44100, 22050, 48000])
def test_another_rate_is_resampled(engineered, sample_rate):
    for genre in range(4):
        clip = sound(genre, 3.1, sample_rate)
        found = engineered.predict(clip, sample_rate)
        resampled = audio.resample(clip, sample_rate, RATE)
        assert found == engineered.predict(resampled, RATE)
    wrong = engineered.predict(sound(1, 3.1, RATE * 2), RATE)
    assert max(wrong, key=wrong.get) != LABELS[1], "as if the rate were not looked at"


@pytest.mark.parametrize(
    ("samples", "sample_rate", "sentence"),
    [
        (np.full(RATE * 4, np.nan, np.float32), RATE, "holds NaN or infinity"),
        (np.zeros((RATE * 4, 2), np.float32), RATE, "average channels"),
        (np.zeros(RATE * 4, np.int16), RATE, "divide 16-bit integers by 32768"),
        (np.zeros(0, np.float32), RATE, "holds no samples"),
        (np.zeros(RATE, np.float32), RATE, "lasts 1 s; expected at least 3 s"),
        (np.zeros(RATE * 4, np.float32), 0, "has a rate of 0 Hz"),
    ],
    ids=["nan", "stereo", "integers", "empty", "short", "no rate"],
)
def test_unfit_sounds_are_refused(engineered, samples, sample_rate, sentence):
    with pytest.raises(audio.AudioError, match=sentence):
        engineered.predict(samples, sample_rate)


@pytest.mark.parametrize("kind", KINDS)
def test_windows_of_another_shape_are_refused(recognisers, kind):
    recogniser = recognisers[kind]
    longer = np.zeros((2, recogniser.front_end.shape[0] + 1, *recogniser.front_end.shape[1:]))
    for x in (longer, longer[:0], longer[0, 0]):
        with pytest.raises(
            ValueError, match=r"^Found windows of shape .+ expected \(windows, .+\)"
        ):
            recogniser.scores(x)


@pytest.mark.parametrize("kind", KINDS)
def test_windows_that_hold_no_numbers_are_refused(recognisers, kind):
    x = np.zeros((3, *recognisers[kind].front_end.shape), np.float32)
    x[1, 2] = np.nan
    with pytest.raises(ValueError, match="Found NaN or infinity in window 1; expected finite"):
        recognisers[kind].scores(x)


# ---------------------------------------------------------------- what does not fit together


def test_a_model_for_another_front_end_is_refused(engineered, recognisers):
    with pytest.raises(ValueError, match=r"shape \(92,\) and the front end gives \(800,\)"):
        Recogniser(FRONT_ENDS["raw windows"], engineered.model, LABELS)
    with pytest.raises(ValueError, match=r"shape \(800, 1\) and the front end gives \(32, 32, 3\)"):
        Recogniser(FRONT_ENDS["mel images"], recognisers["network on samples"].model, LABELS)


@pytest.mark.parametrize("labels", [LABELS[:3], (*LABELS[:3], "Folk"), (*LABELS, "more")])
@pytest.mark.parametrize("kind", KINDS[1:3])
def test_labels_that_are_not_those_of_the_model_are_refused(recognisers, kind, labels):
    sentence = f"Found {len(labels)} labels, {len(set(labels))} of them different, .* 4 outputs"
    with pytest.raises(ValueError, match=sentence):
        Recogniser(recognisers[kind].front_end, recognisers[kind].model, labels)


def test_a_model_that_never_saw_a_genre_is_refused():
    front_end = FRONT_ENDS["engineered features"]
    x, keep = features_of(front_end), CLASSES != 2
    model = METHODS["Gaussian naive Bayes"].pipeline().fit(x[keep], CLASSES[keep])
    with pytest.raises(ValueError, match=r"knows the classes \[0, 1, 3\]; expected 0, 1, 2 and"):
        Recogniser(front_end, model, LABELS)


@pytest.mark.parametrize("model", [None, METHODS["support vector machine"].pipeline()])
def test_what_is_no_fitted_model_is_refused(model):
    with pytest.raises(ValueError, match=f"Found a model of type {type(model).__name__}; expected"):
        Recogniser(FRONT_ENDS["engineered features"], model, LABELS)


# ---------------------------------------------------------------- disk


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_recogniser_comes_back_with_the_same_scores(recognisers, kind, tmp_path):
    before = recognisers[kind]
    after = genres.load(before.save(tmp_path / "new" / "run"))
    assert (after.labels, after.front_end) == (LABELS, before.front_end)
    assert after.is_network is before.is_network is kind.startswith("network")
    for genre in range(4):
        clip = sound(genre, 3.1, RATE)
        assert after.predict(clip, RATE) == before.predict(clip, RATE)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_comes_back(method, tmp_path):
    before = classical(FRONT_ENDS["engineered features"], method)
    after = genres.load(before.save(tmp_path))
    x = features_of(before.front_end)
    np.testing.assert_array_equal(after.scores(x), before.scores(x))


def test_saving_another_kind_replaces_what_was_there(recognisers, tmp_path):
    recognisers["network on samples"].save(tmp_path)
    recognisers["classical on features"].save(str(tmp_path))
    assert not genres.load(tmp_path).is_network
    recognisers["network on pictures"].save(tmp_path)
    assert genres.load(tmp_path).front_end == FRONT_ENDS["mel images"]


@pytest.fixture(params=["classical on samples", "network on samples"])
def run(request, recognisers, tmp_path):
    """The folder of a run that a test may spoil, and the name of its model file."""
    folder = recognisers[request.param].save(tmp_path / "run")
    return folder, "model.keras" if "network" in request.param else "model.skops"


def test_a_folder_without_a_recogniser_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=r"no recogniser\.json in .+finish lesson 07"):
            genres.load(folder)


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-100], flipped, lambda content: b"", lambda content: None],
    ids=["cut", "flipped", "empty", "missing"],
)
def test_a_damaged_model_is_refused(run, damage):
    folder, name = run
    content = damage((folder / name).read_bytes())
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} cannot be read \(.+train it again"):
        genres.load(folder)


def test_the_model_of_another_run_is_refused(run, recognisers, tmp_path):
    folder, name = run
    other = "network on pictures" if name == "model.keras" else "classical on features"
    shutil.copy(recognisers[other].save(tmp_path / "other") / name, folder)
    with pytest.raises(ValueError, match=r"it is not the file that recogniser\.json was written"):
        genres.load(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda record: "{", "cannot be read"),
        (lambda record: "[]", "it is another kind of file"),
        (lambda record: json.dumps(record | {"format": "x"}), "it is another kind of file"),
        (lambda record: json.dumps(record | {"model": "../a.keras"}), "it names the model"),
        (lambda record: json.dumps(record | {"front_end": {"kind": "x"}}), "front end of kind 'x'"),
        (lambda record: json.dumps({**record, "labels": ["a"]}), "Found 1 labels"),
        (lambda record: json.dumps({"format": record["format"]}), "'model'"),
        (lambda record: "\udcff", "cannot be read"),
    ],
    ids=["cut", "list", "other", "outside", "front end", "labels", "bare", "binary"],
)
def test_a_damaged_record_is_refused(run, change, sentence):
    file = run[0] / "recogniser.json"
    text = change(json.loads(file.read_text(encoding="utf-8")))
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=f"{sentence}.*; expected a recogniser as training writes"):
        genres.load(run[0])


def shout(x):
    """Code that a file must not bring with it."""
    return x


@pytest.fixture
def foreign():
    """A model with a function of somebody's own inside."""
    x = features_of(FRONT_ENDS["engineered features"])
    return make_pipeline(FunctionTransformer(shout), GaussianNB()).fit(x, CLASSES)


def test_a_file_that_would_run_foreign_code_is_refused(engineered, foreign, tmp_path):
    engineered.save(tmp_path)
    skops_io.dump(foreign, tmp_path / "model.skops")
    file = tmp_path / "recogniser.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    record["sha256"] = hashlib.sha256((tmp_path / "model.skops").read_bytes()).hexdigest()
    file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ValueError, match=r"model\.skops cannot be read \(it holds .*shout, which"):
        genres.load(tmp_path)


def test_a_model_that_could_not_be_loaded_again_is_not_saved(engineered, foreign, tmp_path):
    engineered.save(tmp_path)
    bad = Recogniser(FRONT_ENDS["engineered features"], foreign, LABELS)
    with pytest.raises(ValueError, match=r"The model holds .*shout; expected only parts of scikit"):
        bad.save(tmp_path)
    clip = sound(2, 3.1, RATE)
    assert genres.load(tmp_path).predict(clip, RATE) == engineered.predict(clip, RATE)


def test_another_classifier_of_scikit_learn_will_do(tmp_path):
    front_end = FRONT_ENDS["engineered features"]
    model = LinearDiscriminantAnalysis().fit(features_of(front_end), CLASSES)
    before = Recogniser(front_end, model, LABELS)
    clip = sound(1, 3.1, RATE)
    assert genres.load(before.save(tmp_path)).predict(clip, RATE) == before.predict(clip, RATE)


def test_a_classical_recogniser_loads_no_framework(engineered, tmp_path):
    engineered.save(tmp_path)
    code = (
        "import sys, numpy as np; from course_utils.models import genres\n"
        "recogniser = genres.load(sys.argv[1])\n"
        "recogniser.predict(np.zeros(99999, np.float32), 16000); recogniser.save(sys.argv[1])\n"
        "print(*{'tensorflow', 'keras', 'torch', 'librosa'} & set(sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "\n"
