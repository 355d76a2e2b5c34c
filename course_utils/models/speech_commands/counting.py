"""How much arithmetic a network does for one clip."""

import math

import keras

from course_utils.models.speech_commands.svdf import Svdf


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with a weight, each with its addition, for one clip.

    Biases, normalisation (which an exported model folds into its weights), activations and the
    front end are not counted; multiplications with the zeros of padding are.

    Parameters
    ----------
    model : keras.Model
        Made of convolutions over one or two dimensions, depthwise convolutions, dense layers and
        :class:`Svdf`.

    Returns
    -------
    int
    """
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return math.prod(layer.output.shape[1:]) * math.prod(layer.kernel_size)
    if isinstance(layer, keras.layers.Conv1D | keras.layers.Conv2D):
        positions = math.prod(layer.output.shape[1:-1])
        return positions * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if isinstance(layer, Svdf):
        frames = layer.time.shape[0]
        return frames * math.prod(layer.frequency.shape) + math.prod(layer.time.shape)
    return 0
