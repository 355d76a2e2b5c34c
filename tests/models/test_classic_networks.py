"""The tutorial's six networks: size, start, and the numbers that come out."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_recognisers import with_weights

from course_utils.features.front_end import FrontEnd
from course_utils.models import speech_commands as models

SIZE, N_LABELS = (98, 40), 12
# Parameters and multiply-adds, worked out from the layers of TensorFlow's models.py.
COUNTS = {
    "single_fc": (47_052, 47_040),
    "conv": (926_860, 201_456_640),
    "low_latency_conv": (949_862, 5_615_776),
    "low_latency_svdf": (751_372, 10_682_368),
    "tiny_conv": (94_740, 721_280),
    "tiny_embedding_conv": (7_804, 736_736),
}
CLASSIC = pytest.mark.parametrize("name", COUNTS)


@pytest.fixture(scope="module")
def fresh() -> dict[str, keras.Model]:
    keras.utils.set_random_seed(0)
    return {name: models.build(name, SIZE, N_LABELS) for name in COUNTS}


@pytest.fixture(scope="module")
def lively() -> dict[str, keras.Model]:
    """With weights so large that a wrong layer shows."""
    return {name: with_weights(models.build(name, SIZE, N_LABELS)) for name in COUNTS}


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """MFCC of two noises, of the size that they have in speech."""
    sounds = np.random.default_rng(3).uniform(-0.1, 0.1, (2, 16000)).astype(np.float32)
    return FrontEnd("mfcc")(sounds).numpy()


@CLASSIC
def test_counts_are_those_of_the_source(name, fresh):
    model = fresh[name]
    assert (model.count_params(), models.multiply_adds(model)) == COUNTS[name]
    assert model.output_shape == (None, N_LABELS)


@pytest.mark.parametrize(
    ("name", "size", "n_labels", "parameters"),
    [("tiny_conv", (49, 40), 4, 16_652), ("conv", SIZE, 37, 2_494_885)],
)
def test_parameters_at_other_sizes(name, size, n_labels, parameters):
    assert models.build(name, size, n_labels).count_params() == parameters


def test_multiply_adds_at_another_size():
    assert models.multiply_adds(models.build("tiny_conv", (49, 40), 4)) == 336_000


def test_multiply_adds_per_frame_count_one_frame_of_the_frequency_filters(fresh):
    assert models.multiply_adds_per_frame(fresh["low_latency_svdf"]) == 749_568


def test_a_layer_that_is_not_understood_is_not_counted_as_nothing():
    table = keras.Input((5, 4))
    model = keras.Model(table, keras.layers.GRU(3, name="memory")(table))
    with pytest.raises(ValueError, match="'memory' is GRU; expected a convolution"):
        models.multiply_adds(model)


@CLASSIC
def test_weights_begin_as_truncated_normal_numbers_and_biases_at_zero(name, fresh):
    deviation = 0.001 if name == "single_fc" else 0.01
    for variable in fresh[name].trainable_variables:
        values = np.asarray(variable)
        if variable.name == "bias":
            assert not values.any()
        else:
            assert 1.8 * deviation < abs(values).max() <= 2 * deviation
            # A normal distribution that is cut at two deviations keeps 0.88 of its own.
            assert values.std() == pytest.approx(0.88 * deviation, rel=0.1)
            assert abs(values.mean()) < 4 * deviation / math.sqrt(values.size)


@CLASSIC
def test_before_training_every_label_is_equally_likely(name, fresh, features):
    logits = fresh[name](features, training=False)
    for label in range(N_LABELS):
        truth = np.full(len(logits), label)
        loss = keras.losses.sparse_categorical_crossentropy(truth, logits, from_logits=True)
        assert float(np.mean(loss)) == pytest.approx(math.log(N_LABELS), abs=0.3)


@CLASSIC
def test_dropout_is_active_in_training_alone(name, lively, features):
    model = lively[name]
    once, again = (model(features, training=False).numpy() for _ in range(2))
    np.testing.assert_array_equal(once, again)
    in_training = model(features, training=True).numpy()
    if name == "single_fc":  # the source builds no dropout for it
        np.testing.assert_allclose(in_training, once, rtol=1e-5)
    else:
        assert abs(in_training - once).max() > 0.1


def single_fc(w, x):
    return tf.matmul(tf.reshape(x, (len(x), -1)), w["logits/kernel"]) + w["logits/bias"]


def conv(w, x):
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w["conv1/kernel"], 1, "SAME"), w["conv1/bias"]))
    x = tf.nn.max_pool2d(x, 2, 2, "SAME")
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w["conv2/kernel"], 1, "SAME"), w["conv2/bias"]))
    return single_fc(w, x)


def two_dense(w, x):
    x = tf.reshape(x, (len(x), -1))
    for name in ("dense1", "dense2"):
        x = tf.nn.bias_add(tf.matmul(x, w[f"{name}/kernel"]), w[f"{name}/bias"])
    return single_fc(w, x)


def low_latency_conv(w, x):
    x = tf.nn.bias_add(tf.nn.conv2d(x, w["conv1/kernel"], 1, "VALID"), w["conv1/bias"])
    assert x.shape[1:] == (1, 33, 186)
    return two_dense(w, tf.nn.relu(x))


def low_latency_svdf(w, x):
    # Written out as full filters over time and frequency, each the sum of two of rank one.
    pairs = tf.einsum("tp,bp->tbp", w["svdf/time"], w["svdf/frequency"])
    filters = tf.reduce_sum(tf.reshape(pairs, (98, 40, 1280, 2)), axis=3)
    return two_dense(w, tf.nn.relu(tf.einsum("ntb,tbu->nu", x[..., 0], filters) + w["svdf/bias"]))


def tiny_conv(w, x):
    x = tf.nn.bias_add(tf.nn.conv2d(x, w["conv1/kernel"], 2, "SAME"), w["conv1/bias"])
    assert x.shape[1:] == (49, 20, 8)
    return single_fc(w, tf.nn.relu(x))


def tiny_embedding_conv(w, x):
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w["conv1/kernel"], 2, "SAME"), w["conv1/bias"]))
    x = tf.nn.bias_add(tf.nn.conv2d(x, w["conv2/kernel"], 8, "SAME"), w["conv2/bias"])
    assert x.shape[1:] == (7, 3, 8)
    return single_fc(w, tf.nn.relu(x))


FROM_DEFINITION = (
    single_fc, conv, low_latency_conv, low_latency_svdf, tiny_conv, tiny_embedding_conv,
)  # fmt: skip


@pytest.mark.parametrize("definition", FROM_DEFINITION, ids=lambda function: function.__name__)
def test_logits_are_those_of_the_layers_written_out(definition, lively, features):
    model = lively[definition.__name__]
    weights = {variable.path: tf.constant(variable) for variable in model.trainable_variables}
    table = features / 10
    expected = definition(weights, tf.constant(table)[..., None]).numpy()
    assert abs(expected).max() > 0.5
    np.testing.assert_allclose(model(table, training=False), expected, atol=1e-4)


def test_an_unknown_architecture_lists_the_choices():
    with pytest.raises(ValueError, match=r"no architecture 'convnet'; choose one of") as caught:
        models.build("convnet", SIZE, N_LABELS)
    assert all(name in str(caught.value) for name in models.ARCHITECTURES)


def test_the_package_has_no_other_names():
    with pytest.raises(AttributeError, match="has no attribute 'buidl'"):
        _ = models.buidl
    assert set(models.__all__) <= set(dir(models))
    assert all(getattr(models, name) is not None for name in models.__all__)
