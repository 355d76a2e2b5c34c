"""A Keras copy of the source's network, and the same weights in the PyTorch one."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import torch
from keras import layers
from small_detectors import TINY, one_thread  # noqa: F401

from course_utils.models import trigger_word
from course_utils.models.trigger_word import SOURCE, Size, TriggerNet, from_keras, parameters
from course_utils.models.trigger_word import network as module

FRAMES = {SOURCE: 1101, TINY: 61}


def keras_model(size: Size, reset_after: bool = True) -> keras.Model:
    """``model`` of the source, line by line."""
    table = keras.Input((None, size.bins))
    x = layers.Conv1D(size.filters, size.kernel, strides=size.stride)(table)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Dropout(size.dropout)(x)
    x = layers.GRU(size.units, return_sequences=True, reset_after=reset_after)(x)
    x = layers.Dropout(size.dropout)(x)
    x = layers.BatchNormalization()(x)
    x = layers.GRU(size.units, return_sequences=True, reset_after=reset_after)(x)
    x = layers.Dropout(size.dropout)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(size.dropout)(x)
    return keras.Model(table, layers.TimeDistributed(layers.Dense(1, activation="sigmoid"))(x))


def drawn(model: keras.Model, seed: int = 0) -> list[np.ndarray]:
    """Weights of every kind drawn at random: biases, both of a GRU, and moving averages, too."""
    rng = np.random.default_rng(seed)
    found = []
    for weight in model.weights:
        scale = 0.3 if weight.name in ("gamma", "beta", "bias", "moving_mean") else 1.5
        fans = sum(weight.shape) if len(weight.shape) > 1 and weight.name != "bias" else 2
        values = rng.normal(0, scale, weight.shape) * np.sqrt(2 / fans)
        if weight.name in ("gamma", "moving_variance"):
            values = rng.uniform(0.5, 2, weight.shape)
        found.append(values.astype(np.float32))
    model.set_weights(found)
    return model.get_weights()


def answers(network: TriggerNet, table: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.sigmoid(network.eval()(torch.from_numpy(table))[0]).numpy()


@pytest.fixture(scope="module")
def copies():
    """For each size: Keras' weights, two tables of frames, and what Keras says to them."""
    made = {}
    for size, frames in FRAMES.items():
        model = keras_model(size)
        weights = drawn(model)
        table = np.random.default_rng(1).normal(0, 1, (2, frames, size.bins)).astype(np.float32)
        made[size] = weights, table, np.asarray(model(table, training=False))[..., 0]
    return made


@pytest.mark.parametrize("size", FRAMES)
def test_both_say_the_same(copies, size):
    weights, table, expected = copies[size]
    network = TriggerNet(size)
    from_keras(network, weights)
    found = answers(network, table)
    assert found.shape == expected.shape == (2, network.steps_in(FRAMES[size]))
    assert expected.std() > 0.03, "the answers are not all the same"
    assert np.abs(found - expected).max() < 2e-5  # 1e-4 is promised


@pytest.mark.parametrize("size", FRAMES)
def test_every_weight_has_found_its_place(copies, size):
    weights, _, _ = copies[size]
    network = TriggerNet(size, mean=[1.0] * size.bins, std=[2.0] * size.bins)
    from_keras(network, weights)
    state = network.state_dict()
    assert (state["mean"] == 1).all() and (state["std"] == 2).all()
    moved = [values for name, values in state.items() if name not in ("mean", "std")
             and "num_batches" not in name]  # fmt: skip
    assert sum(values.numel() for values in moved) == sum(each.size for each in weights)
    total = sum(np.square(each, dtype=np.float64).sum() for each in weights)
    assert sum(values.double().square().sum().item() for values in moved) == pytest.approx(total)
    np.testing.assert_array_equal(state["norm2.running_var"], weights[12])
    np.testing.assert_array_equal(state["gru1.weight_ih_l0"][: size.units].T,
                                  weights[6][:, size.units : 2 * size.units])  # fmt: skip


@pytest.mark.parametrize("reset_after, published", [(True, False), (False, True)])
def test_parameters_are_counted_as_keras_does(reset_after, published):
    for size in FRAMES:
        count = keras_model(size, reset_after).count_params()
        assert parameters(TriggerNet(size), published) == count


def test_the_order_of_the_gates_matters(copies, monkeypatch):
    weights, table, expected = copies[TINY]
    monkeypatch.setattr(module, "_gates", lambda columns: columns.T)
    network = TriggerNet(TINY)
    from_keras(network, weights)  # all shapes fit, and nothing complains
    assert np.abs(answers(network, table) - expected).max() > 0.05


def test_the_second_bias_matters(copies):
    """It is inside the reset gate's product, so it cannot be added to the first one."""
    weights, table, expected = copies[TINY]
    merged = [each.copy() for each in weights]
    for place in (8, 15):
        merged[place] = np.stack([merged[place].sum(axis=0), 0 * merged[place][0]])
    network = TriggerNet(TINY)
    from_keras(network, merged)
    assert np.abs(answers(network, table) - expected).max() > 0.01


def refused(weights, sentence):
    network = TriggerNet(TINY)
    before = {name: values.clone() for name, values in network.state_dict().items()}
    with pytest.raises(ValueError, match=sentence):
        from_keras(network, weights)
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_gru_with_one_bias_is_refused():
    weights = keras_model(TINY, reset_after=False).get_weights()
    refused(weights, r"^The weights for 'gru1' have shapes \[.*\(18,\)\]; expected \[.*\(2, 18\)\];"
                     r" .*reset_after=True")  # fmt: skip


def test_another_number_of_weights_is_refused(copies):
    weights = copies[TINY][0]
    for others in (weights[:-1], [*weights, weights[0]], []):
        refused(
            others, rf"^Found {len(others)} arrays of weights; expected 22, .*; check the model"
        )


@pytest.mark.parametrize("place, layer", [(0, "conv"), (3, "norm1"), (7, "gru1"), (12, "norm2"),
                                          (14, "gru2"), (19, "norm3"), (20, "dense")])  # fmt: skip
def test_another_shape_is_refused(copies, place, layer):
    for change in (lambda w: w[..., :-1], np.ravel, lambda w: w[None], np.transpose, np.mean):
        others = list(copies[TINY][0])
        others[place] = change(others[place])
        if np.shape(others[place]) != copies[TINY][0][place].shape:
            refused(others, rf"^The weights for '{layer}' have shapes .*; expected .*; build both")


def test_another_size_is_refused(copies):
    sentence = (
        r"^The weights for 'conv' have shapes \[\(15, 101, 196\), \(196,\)\]; expected \[\(5, 12,"
        r" 8\), \(8,\)\]; build both networks with the same numbers, and .* two biases\.$"
    )
    refused(copies[SOURCE][0], sentence)


def test_it_is_a_public_name():
    assert trigger_word.from_keras is from_keras
