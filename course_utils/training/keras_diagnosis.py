"""Where a number first leaves what a computer can hold."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

_SLOWER = "lower the learning rate"
_FRONT_END = "look for the clip or the setting of the front end that such a number comes from"


def _finite(*arrays: object) -> bool:
    """Whether every number in all of the arrays is finite."""
    return all(np.isfinite(array).all() for array in arrays)


def in_step(
    model: keras.Model, loss: keras.losses.Loss, table: tf.Tensor, labels: tf.Tensor
) -> tuple[str, str]:
    """Where the first number of a training step that is not finite appears.

    The step is computed again, with the same dropout, and every intermediate result looked at: from
    the features to the loss, then the gradients on the way back. The model is left as it was.

    Parameters
    ----------
    model : keras.Model
        As it was before the step.
    loss : keras.losses.Loss
    table, labels : tf.Tensor
        The step's batch.

    Returns
    -------
    (str, str)
        The place, and what to do about it.
    """
    if not _finite(table):
        return "the features", _FRONT_END
    layers = model.layers
    inside = keras.Model(model.inputs, [*(layer.output for layer in layers), model.output])
    with _state_kept(model), tf.GradientTape() as tape:
        *outputs, logits = inside(table, training=True)
        value = loss(labels, logits)
    for layer, output in zip(layers, outputs, strict=True):
        if not _finite(*layer.get_weights()):
            return f"a weight of layer {layer.name!r}", _SLOWER
        if not _finite(output):
            return f"the output of layer {layer.name!r}", _SLOWER
    if not _finite(value):
        return "the loss", _SLOWER
    weights = [[weight.value for weight in layer.trainable_weights] for layer in layers]
    slopes = tape.gradient(value, list(zip(outputs, weights, strict=True)))
    for layer, (at_output, of_weights) in zip(reversed(layers), reversed(slopes), strict=True):
        # Nothing flows back to the features: they are given, and their slope is None.
        if at_output is not None and not _finite(at_output):
            return f"the gradient at the output of layer {layer.name!r}", _SLOWER
        if not _finite(*of_weights):
            return f"the gradient of a weight of layer {layer.name!r}", _SLOWER
    return "the sum of all gradients", _SLOWER


def in_state(model: keras.Model, others: Sequence[keras.Variable]) -> tuple[str, str] | None:
    """Where a number that is not finite lies in the weights, or in other variables.

    Parameters
    ----------
    model : keras.Model
    others : sequence of keras.Variable
        Such as the optimizer's.

    Returns
    -------
    (str, str) or None
        The place, and what to do about it; None if all numbers are finite.
    """
    for layer in model.layers:
        if not _finite(*layer.get_weights()):
            return f"a weight of layer {layer.name!r}", _SLOWER
    for variable in others:
        if not _finite(variable.numpy()):
            return f"the optimizer's {variable.path!r}", _SLOWER
    return None


@contextmanager
def _state_kept(model: keras.Model) -> Iterator[None]:
    """Put running means and random generators back at the end of the block."""
    variables = model.non_trainable_variables
    values = [variable.numpy() for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
