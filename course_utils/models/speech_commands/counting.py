"""How much arithmetic a network does."""

import math

import keras
from keras import layers

from course_utils.models.speech_commands.svdf import Svdf, first_layer


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with a weight, each with its addition, for one clip.

    Biases, normalisation (which an exported model folds into its weights), activations, pooling
    and the front end are not counted; multiplications with the zeros of padding are.

    Parameters
    ----------
    model : keras.Model
        Made of convolutions over one or two dimensions, depthwise convolutions, dense layers and
        :class:`Svdf`.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If a layer has weights and is none of these.
    """
    return sum(_of_layer(layer) for layer in model.layers)


def multiply_adds_per_frame(model: keras.Model) -> int:
    """Like :func:`multiply_adds`, for each new frame that :class:`Stream` is given.

    Raises
    ------
    ValueError
        If the model does not begin with :class:`Svdf`, and so cannot be run frame by frame.
    """
    svdf = first_layer(model)
    remembered = svdf.time.shape[0] - 1
    return multiply_adds(model) - remembered * math.prod(svdf.frequency.shape)


def _of_layer(layer: layers.Layer) -> int:
    if isinstance(layer, layers.DepthwiseConv1D | layers.DepthwiseConv2D):
        return math.prod(layer.output.shape[1:]) * math.prod(layer.kernel_size)
    if isinstance(layer, layers.Conv1D | layers.Conv2D):
        positions = math.prod(layer.output.shape[1:-1])
        return positions * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape)
    if isinstance(layer, Svdf):
        frames = layer.time.shape[0]
        return frames * math.prod(layer.frequency.shape) + math.prod(layer.time.shape)
    if layer.weights and not isinstance(layer, layers.BatchNormalization):
        raise ValueError(
            f"The layer {layer.name!r} is {type(layer).__name__}; expected a convolution, a dense"
            " layer or Svdf; count the multiplications of this kind in counting.py."
        )
    return 0
