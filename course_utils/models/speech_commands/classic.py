"""The six networks of TensorFlow's ``speech_commands`` example, layer by layer.

Every function takes the size of the features, (frames, bins), and the number of labels, and gives
a Keras model from features (batch, frames, bins) to logits (batch, labels). Weights begin as
truncated normal numbers with a standard deviation of 0.01, biases at zero, as in the example; the
tests hold parameters and multiply-adds to its figures.

Sources: Tara Sainath and Carolina Parada, *Convolutional Neural Networks for Small-Footprint
Keyword Spotting*, Interspeech 2015 (``conv``, ``low_latency_conv``); Preetum Nakkiran et al.,
*Compressing Deep Neural Networks using a Rank-Constrained Topology*, Interspeech 2015
(``low_latency_svdf``); ``models.py`` of the example for the rest.
"""

import keras
from keras import layers

from course_utils.models.speech_commands.svdf import Svdf

_DROPOUT = 0.5


def _normal(deviation: float = 0.01) -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=deviation)


def _image(size: tuple[int, int]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input, and the input as a picture with one channel."""
    table = keras.Input(size, name="features")
    return table, layers.Reshape((*size, 1), name="picture")(table)


def _conv(x: keras.KerasTensor, name: str, filters: int, kernel: tuple, **options: object):
    """Convolution with bias, ReLU, dropout."""
    x = layers.Conv2D(filters, kernel, kernel_initializer=_normal(), name=name, **options)(x)
    return layers.Dropout(_DROPOUT, name=f"{name}_dropout")(layers.ReLU(name=f"{name}_relu")(x))


def _dense(x: keras.KerasTensor, name: str, units: int, deviation: float = 0.01):
    return layers.Dense(units, kernel_initializer=_normal(deviation), name=name)(x)


def single_fc(size: tuple[int, int], n_labels: int) -> keras.Model:
    """One fully connected layer: every feature votes for every label."""
    table = keras.Input(size, name="features")
    logits = _dense(layers.Flatten(name="flat")(table), "logits", n_labels, 0.001)
    return keras.Model(table, logits, name="single_fc")


def conv(size: tuple[int, int], n_labels: int) -> keras.Model:
    """Two convolutions with 64 filters: the tutorial's own model."""
    table, x = _image(size)
    x = _conv(x, "conv1", 64, (20, 8), padding="same")
    x = layers.MaxPooling2D(2, padding="same", name="pool")(x)
    x = _conv(x, "conv2", 64, (10, 4), padding="same")
    return keras.Model(
        table, _dense(layers.Flatten(name="flat")(x), "logits", n_labels), name="conv"
    )


def low_latency_conv(size: tuple[int, int], n_labels: int) -> keras.Model:
    """One convolution as long as the clip, then dense layers with no ReLU between them."""
    table, x = _image(size)
    x = _conv(x, "conv1", 186, (size[0], 8))
    return keras.Model(table, _two_dense(x, 128, n_labels), name="low_latency_conv")


def low_latency_svdf(size: tuple[int, int], n_labels: int) -> keras.Model:
    """1280 filters of rank 2, each a frequency filter followed by a time filter, then dense layers.

    :class:`course_utils.models.speech_commands.svdf.Stream` runs it frame by frame.
    """
    table = keras.Input(size, name="features")
    x = Svdf(1280, rank=2, name="svdf")(table)
    x = layers.Dropout(_DROPOUT, name="svdf_dropout")(layers.ReLU(name="svdf_relu")(x))
    return keras.Model(table, _two_dense(x, 256, n_labels), name="low_latency_svdf")


def _two_dense(x: keras.KerasTensor, units: int, n_labels: int) -> keras.KerasTensor:
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = layers.Dropout(_DROPOUT, name=f"dropout{number}")(_dense(x, f"dense{number}", units))
    return _dense(x, "logits", n_labels)


def tiny_conv(size: tuple[int, int], n_labels: int) -> keras.Model:
    """One strided convolution with 8 filters, for microcontrollers."""
    table, x = _image(size)
    x = _conv(x, "conv1", 8, (10, 8), strides=2, padding="same")
    x = layers.Flatten(name="flat")(x)
    return keras.Model(table, _dense(x, "logits", n_labels), name="tiny_conv")


def tiny_embedding_conv(size: tuple[int, int], n_labels: int) -> keras.Model:
    """``tiny_conv`` with a second, widely strided convolution: few numbers left to vote with."""
    table, x = _image(size)
    x = _conv(x, "conv1", 8, (10, 8), strides=2, padding="same")
    x = _conv(x, "conv2", 8, (10, 8), strides=8, padding="same")
    x = layers.Flatten(name="flat")(x)
    return keras.Model(table, _dense(x, "logits", n_labels), name="tiny_embedding_conv")
