"""Numbers that are not finite stop a run, by name, before they do harm."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_loops import batches, looped, network, plan, values

from course_utils.training.keras_loop import Diverged, Loop


@keras.saving.register_keras_serializable(package="tests")
class Bent(layers.Layer):
    """Gives its input on, with a slope at zero that is not a number."""

    def call(self, x):
        return x + tf.sqrt(0 * x)


def diverges(loop: Loop, given=None) -> str:
    """The sentence; nothing but the features has changed, neither in memory nor on disk."""
    before, step = values(loop), loop.step
    content = loop._file.read_bytes() if loop._file.exists() else None
    with pytest.raises(Diverged) as caught:
        loop.run(given or batches(loop.step, 9), plan(9))
    assert values(loop) == before and loop.step == step
    assert (loop._file.read_bytes() if loop._file.exists() else None) == content
    return str(caught.value)


def test_features(tmp_path):
    table, labels = next(batches(0, 1))
    table = tf.tensor_scatter_nd_update(table, [[3, 2]], [np.nan])
    sentence = diverges(looped(tmp_path), [(table, labels)])
    assert sentence == (
        "Training of 'small' stopped before step 1, whose loss is nan: the first number that"
        " is not finite is in the features; expected finite numbers; look for the clip or the"
        " setting of the front end that such a number comes from, and train again."
    )


@pytest.mark.parametrize("layer", ["hidden", "norm", "logits"])
def test_a_weight(tmp_path, layer):
    loop = looped(tmp_path)
    weight = loop.model.get_layer(layer).weights[0]
    weight.assign(np.where(np.arange(weight.shape[-1]) == 1, np.nan, weight.numpy()))
    assert f"in a weight of layer '{layer}'; expected finite numbers; lower" in diverges(loop)


@pytest.mark.parametrize("layer", ["hidden", "logits"])
def test_an_output_that_overflows(tmp_path, layer):
    loop = looped(tmp_path)
    kernel = loop.model.get_layer(layer).kernel
    kernel.assign(np.full(kernel.shape, 3e38))
    assert f"in the output of layer '{layer}'; expected" in diverges(loop)


def test_an_output_that_overflows_in_training_alone(tmp_path):
    """Dropout doubles what it keeps; when the network is only used, it does nothing."""
    loop = looped(tmp_path)
    norm = loop.model.get_layer("norm")
    norm.gamma.assign(np.zeros(6))
    norm.beta.assign(np.full(6, 2e38))
    assert "in the output of layer 'dropout'; expected" in diverges(loop)


def test_only_the_loss(tmp_path):
    def loss(labels, logits):
        return tf.reduce_sum(tf.square(1e30 * logits))

    assert "whose loss is inf: the first number that is not finite is in the loss;" in (
        diverges(looped(tmp_path, loss=loss))
    )


def test_only_a_gradient(tmp_path):
    loop = looped(tmp_path, network(Bent(name="bent")))
    sentence = diverges(loop)
    assert "whose loss is nan" not in sentence
    # On its way back the gradient leaves "bent" through the output of the layer before it.
    assert "is in the gradient at the output of layer 'dropout'; expected" in sentence


def test_only_the_gradient_of_a_weight(tmp_path):
    @tf.custom_gradient
    def scaled(x, weight):
        return x * weight, lambda slope: (slope, tf.fill(weight.shape, np.inf))

    class Scale(layers.Layer):
        def build(self, shape):
            self.weight = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, x):
            return scaled(x, self.weight.value)

    loop = looped(tmp_path, network(Scale(name="scale")))
    assert "is in the gradient of a weight of layer 'scale'; expected" in diverges(loop)


def test_only_the_sum_of_the_gradients(tmp_path):
    def loss(labels, logits):
        return 2e38 * tf.reduce_sum(logits[0] - tf.stop_gradient(logits[0]))

    model = network()
    model.get_layer("norm").gamma.assign(np.full(6, 1e-3))
    model.get_layer("logits").kernel.assign(np.zeros((6, 3)))
    assert "in the sum of all gradients; expected" in diverges(looped(tmp_path, model, loss=loss))


def test_a_rate_that_is_too_high(tmp_path):
    loop = looped(tmp_path / "high", optimizer=keras.optimizers.SGD(1e25))
    with pytest.raises(Diverged, match=r"the first number that is not finite is in .* of layer '"):
        loop.run(batches(0, 9), plan(9, save_every=1))
    # Whatever is on disk is finite, and the advice works.
    saved = looped(tmp_path / "high", optimizer=keras.optimizers.SGD(1e25))
    assert all(np.isfinite(variable.numpy()).all() for variable in saved._variables)
    assert 0 < saved.step == loop.step < 9
    low = looped(tmp_path / "low", optimizer=keras.optimizers.SGD(0.01))
    assert np.isfinite(low.run(batches(0, 9), plan(9))[-1]["loss"])


def test_the_advice_depends_on_whether_there_is_a_checkpoint(tmp_path):
    loop = looped(tmp_path)
    features = tf.fill((8, 5), 3e38)
    too_large = [(features, labels) for _, labels in batches(0, 1)]
    assert diverges(loop, too_large).endswith("; lower the learning rate, and train again.")
    loop.save()
    assert diverges(loop, too_large).endswith(
        "; lower the learning rate, and train in another folder (checkpoint.npz in this one,"
        " untouched, fits only what it was made with)."
    )


@pytest.mark.parametrize("last", [{}, {"save_every": 99, "evaluate_every": 1}])
def test_a_step_that_bursts_the_weights_is_neither_saved_nor_evaluated(tmp_path, last):
    """The loss and the gradients of the last step are finite, and the weights after it are not."""

    def loss(labels, logits):
        return 1e10 * tf.reduce_sum(logits)

    loop = looped(tmp_path, loss=loss, optimizer=keras.optimizers.SGD(1e30))
    evaluated = []
    with pytest.raises(Diverged, match=r"stopped after step 1: .* is in a weight of layer '"):
        loop.run(batches(0, 1), plan(1, **last), lambda: evaluated.append(1) or {})
    assert not evaluated and not loop._file.exists()


def test_the_optimizer_too(tmp_path):
    loop = looped(tmp_path)
    loop._optimizer.variables[2].assign(np.full((5, 6), np.inf))
    with pytest.raises(Diverged, match=r"in the optimizer's '.*hidden.*'; expected"):
        loop.save()
    assert not loop._file.exists()
