"""Networks for genres: their size, what of them learns, and where their weights come from."""

import keras
import numpy as np
import pytest

from course_utils import places
from course_utils.models.genres import base_weights, networks

SMALL = {"classes": 3, "image": 32, "alpha": 0.35}


def pictures(n: int = 4, image: int = 32) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (n, image, image, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def fresh() -> keras.Model:
    """A base of random numbers that learns; no test changes it."""
    keras.utils.set_random_seed(0)
    return networks.mobilenet(**SMALL)


@pytest.fixture(scope="module")
def weights_file(fresh, tmp_path_factory):
    """Weights as an earlier training would leave them: running means are not at their start."""
    path = tmp_path_factory.mktemp("weights") / "earlier.npz"
    before, rng = networks.base_of(fresh).get_weights(), np.random.default_rng(1)
    for layer in norms(fresh):
        layer.moving_mean.assign(rng.normal(0, 0.02, layer.moving_mean.shape))
        layer.moving_variance.assign(np.exp(rng.normal(0, 0.1, layer.moving_variance.shape)))
    base_weights.save(networks.base_of(fresh), path)
    networks.base_of(fresh).set_weights(before)
    return path


@pytest.fixture
def frozen(weights_file) -> keras.Model:
    return networks.mobilenet(**SMALL, weights=weights_file)


def norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    layers = networks.base_of(model).layers
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]


def parameters(variables) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)


def taught(model: keras.Model, steps: int = 3) -> keras.Model:
    """The model after a few steps on noise."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    for _ in range(steps):
        model.train_on_batch(pictures(), np.arange(4) % 3)
    return model


def test_the_source_network_has_its_parameters():
    model = networks.raw_cnn("source")
    assert model.input_shape == (None, 10000, 1) and model.output_shape == (None, 8)
    assert model.count_params() == 16_014_640
    assert model.get_layer("flat").output.shape == (None, 159_872)
    assert model.get_layer("dense1").count_params() == 15_987_300
    assert [layer.units for layer in model.layers[-3:]] == [100, 20, 8]


def test_the_small_raw_network_is_small_and_gives_logits():
    model = networks.raw_cnn("small", classes=5, samples=3000)
    assert 10_000 < model.count_params() < 160_000
    sound = np.random.default_rng(0).normal(0, 0.1, (3, 3000, 1)).astype(np.float32)
    logits = model(sound).numpy()
    assert logits.shape == (3, 5) and np.isfinite(logits).all() and (logits < 0).any()
    assert {n.momentum for n in model.layers if hasattr(n, "momentum")} == {0.9}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"size": "large"}, "no raw_cnn of size 'large'; choose one of source, small"),
        ({"classes": 1}, "classes is 1; expected at least 2"),
        ({"samples": 100}, "samples is 100; expected at least 256"),
    ],
)
def test_a_raw_network_that_cannot_be_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        networks.raw_cnn(**options)


def test_mobilenet_has_its_parameters():
    model = networks.mobilenet()
    base = networks.base_of(model)
    assert (model.input_shape, model.output_shape) == ((None, 224, 224, 3), (None, 8))
    assert (base.count_params(), model.count_params()) == (2_257_984, 2_257_984 + 10_248)
    assert len(base.layers) == 154


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"classes": 1}, "classes is 1"),
        ({"image": 16}, "image is 16 and alpha 1.0; expected at least 32"),
        ({"alpha": 0.4}, "alpha 0.4; expected at least 32, and one of 0.35, 0.5"),
    ],
)
def test_a_mobilenet_that_cannot_be_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        networks.mobilenet(**options)


@pytest.mark.slow
def test_from_scratch_all_learns_and_running_means_move_fast(fresh):
    assert {layer.momentum for layer in norms(fresh)} == {0.9}
    base = networks.base_of(fresh)
    in_norms = sum(2 * layer.gamma.shape[0] for layer in norms(fresh))
    assert parameters(base.trainable_variables) == base.count_params() - in_norms
    twin = taught(networks.mobilenet(**SMALL))
    assert all(np.abs(layer.moving_mean.numpy()).max() > 0 for layer in norms(twin))


def test_a_frozen_base_keeps_its_weights_and_running_means(frozen, weights_file):
    assert parameters(frozen.trainable_variables) == 3 * 1281
    before = networks.base_of(frozen).get_weights()
    head = frozen.get_layer("logits").get_weights()
    taught(frozen)
    for old, new in zip(before, networks.base_of(frozen).get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.abs(frozen.get_layer("logits").get_weights()[0] - head[0]).max() > 0


def test_a_frozen_base_answers_in_training_as_it_does_otherwise(frozen):
    base = frozen.layers[1]
    frozen.get_layer("dropout").rate = 0.0
    expected = frozen(pictures(), training=False)
    np.testing.assert_allclose(frozen(pictures(), training=True), expected, atol=1e-5)
    assert base is networks.base_of(frozen)


def test_unfrozen_layers_learn_but_batch_normalisation_stays(frozen):
    networks.unfreeze(frozen, 54)
    base = networks.base_of(frozen)
    learning = [layer for layer in base.layers if layer.trainable_variables]
    assert learning and set(learning) <= set(base.layers[-54:]) - set(norms(frozen))
    before = {layer.name: layer.get_weights() for layer in base.layers}
    taught(frozen)
    changed = {
        layer.name
        for layer in base.layers
        for old, new in zip(before[layer.name], layer.get_weights(), strict=True)
        if (old != new).any()
    }
    assert changed == {layer.name for layer in learning}


def test_all_and_no_layers_can_be_unfrozen(frozen):
    networks.unfreeze(frozen, 154)
    assert len(frozen.trainable_variables) == 2 + sum(
        bool(layer.weights) for layer in networks.base_of(frozen).layers
    ) - len(norms(frozen))
    networks.unfreeze(frozen, 0)
    assert len(frozen.trainable_variables) == 2


@pytest.mark.parametrize("count", [-1, 155])
def test_more_layers_than_there_are_cannot_be_unfrozen(fresh, count):
    with pytest.raises(ValueError, match=f"{count} layers cannot learn: the base has 154"):
        networks.unfreeze(fresh, count)


def test_a_model_without_a_base_is_refused():
    raw = networks.raw_cnn("small", samples=256)
    for use in (networks.weights_in_use, lambda model: networks.unfreeze(model, 1)):
        with pytest.raises(ValueError, match="'raw_cnn_small' has no base"):
            use(raw)


def test_weights_come_from_the_file(frozen, fresh, weights_file):
    again = networks.mobilenet(**SMALL, weights=str(weights_file))
    pairs = zip(*(networks.base_of(m).get_weights() for m in (frozen, again)), strict=True)
    assert all((one == other).all() for one, other in pairs)
    kernels = (networks.base_of(m).get_layer("Conv1").kernel.numpy() for m in (frozen, fresh))
    np.testing.assert_allclose(*kernels, rtol=1e-3)
    assert all(np.abs(layer.moving_mean.numpy()).max() > 0.01 for layer in norms(frozen))


def test_a_base_with_weights_can_learn_as_a_whole(weights_file):
    model = networks.mobilenet(**SMALL, weights=weights_file, trainable=True)
    assert len(model.trainable_variables) > 100 and {n.momentum for n in norms(model)} == {0.9}


def test_which_weights_are_in_use_is_known_after_loading(frozen, fresh, tmp_path):
    assert networks.weights_in_use(fresh) == "random numbers: trained from scratch"
    assert networks.weights_in_use(frozen) == "earlier: a file of weights"
    frozen.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert networks.weights_in_use(loaded) == "earlier: a file of weights"
    np.testing.assert_allclose(loaded(pictures()), frozen(pictures()), atol=1e-5)
    loaded.get_layer("dropout").rate = 0.0
    np.testing.assert_allclose(loaded(pictures(), training=True), loaded(pictures()), atol=1e-5)


def test_a_file_that_is_missing_or_does_not_fit_is_refused(weights_file, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights at .*none\.npz; expected"):
        networks.mobilenet(**SMALL, weights=tmp_path / "none.npz")
    with pytest.raises(ValueError, match=r"earlier\.npz are of another .*alpha 0\.5"):
        networks.mobilenet(3, 32, 0.5, weights=weights_file)
    broken = tmp_path / "broken.npz"
    for content in (weights_file.read_bytes()[:5000], b"", b"no archive"):
        broken.write_bytes(content)
        with pytest.raises(ValueError, match=r"broken\.npz is no file of weights"):
            networks.mobilenet(**SMALL, weights=broken)


def test_weights_that_16_bits_cannot_hold_are_not_written(tmp_path):
    base = networks.base_of(networks.mobilenet(**SMALL))
    kernel = base.get_layer("Conv1").kernel
    for value in (1e5, np.nan):
        kernel.assign(np.full(kernel.shape, value))
        with pytest.raises(ValueError, match=r"weights Conv1\.kernel are not all finite"):
            base_weights.save(base, tmp_path / "weights.npz")
    assert not any(tmp_path.iterdir())


def test_imagenet_without_a_network_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    # The discard port of this machine: refused at once, whether or not there is a network.
    module = keras.src.applications.mobilenet_v2
    monkeypatch.setattr(module, "BASE_WEIGHT_PATH", "http://127.0.0.1:9/")
    with pytest.raises(OSError, match=r"could not be downloaded .*connect .*mini_weights"):
        networks.mobilenet(3, 96, 0.35, weights="imagenet")


def test_body_and_head_are_the_model(frozen):
    body, head = networks.split(frozen)
    embeddings = body.predict(pictures(), verbose=0)
    assert embeddings.shape == (4, 1280)
    np.testing.assert_allclose(head(embeddings), frozen(pictures()), atol=1e-5)
    head.get_layer("logits").set_weights([np.zeros((1280, 3)), np.array([1.0, 2.0, 3.0])])
    np.testing.assert_allclose(frozen(pictures()), [[1, 2, 3]] * 4, atol=1e-6)


def test_the_shipped_weights_lie_beside_the_cards():
    assert networks.mini_weights().parent == places.shipped()
