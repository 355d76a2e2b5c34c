"""Networks that are smaller and better than the tutorial's.

Same signature as in :mod:`course_utils.models.speech_commands.classic`. All normalise their input
per band, so they do not mind how loud or in which unit the features are.
"""

import keras
from keras import layers

_DROPOUT = 0.5


def _normed(x: keras.KerasTensor, name: str, relu: bool = True) -> keras.KerasTensor:
    """Batch normalisation, and ReLU."""
    # Keras' default momentum of 0.99 would need thousands of steps to forget its start.
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _voted(table: keras.KerasTensor, x: keras.KerasTensor, n_labels: int, name: str) -> keras.Model:
    """The model that ends with dropout and one dense layer."""
    x = layers.Dropout(_DROPOUT, name="dropout")(x)
    return keras.Model(table, layers.Dense(n_labels, name="logits")(x), name=name)


def ds_cnn(size: tuple[int, int], n_labels: int) -> keras.Model:
    """Depthwise-separable convolutions: filter each channel alone, then mix the channels.

    Source: Yundong Zhang et al., *Hello Edge: Keyword Spotting on Microcontrollers*, 2017,
    arXiv:1711.07128; four blocks of 64 channels as in its small model, with a wider stride in
    front, because its features have 10 columns and these 40.
    """
    table = keras.Input(size, name="features")
    x = layers.Reshape((*size, 1), name="picture")(_normed(table, "input", relu=False))
    x = layers.Conv2D(64, (10, 8), strides=4, padding="same", use_bias=False, name="conv1")(x)
    x = _normed(x, "conv1")
    for number in (1, 2, 3, 4):
        name = f"block{number}"
        depthwise = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_depth")
        x = _normed(depthwise(x), f"{name}_depth")
        x = layers.Conv2D(64, 1, use_bias=False, name=f"{name}_point")(x)
        x = _normed(x, f"{name}_point")
    return _voted(table, layers.GlobalAveragePooling2D(name="mean")(x), n_labels, "ds_cnn")


def res_cnn(size: tuple[int, int], n_labels: int) -> keras.Model:
    """Convolutions over time and frequency, with shortcuts.

    Sources: Kaiming He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016; Raphael
    Tang and Jimmy Lin, *Deep Residual Learning for Small-Footprint Keyword Spotting*, ICASSP 2018,
    arXiv:1710.10361, whose res8 has three such blocks, too. Theirs keep one width of 45 filters;
    here filters grow in number as the picture shrinks, which costs a fraction of the work.
    """
    table = keras.Input(size, name="features")
    x = layers.Reshape((*size, 1), name="picture")(_normed(table, "input", relu=False))
    x = layers.Conv2D(16, 5, strides=2, padding="same", use_bias=False, name="conv1")(x)
    x = _normed(x, "conv1")
    for number, filters in enumerate((32, 48, 64), start=1):
        x = _picture_block(x, filters, f"block{number}")
    return _voted(table, layers.GlobalAveragePooling2D(name="mean")(x), n_labels, "res_cnn")


def _picture_block(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Two 3 by 3 convolutions, halving time and frequency, added to a shortcut."""
    options = {"padding": "same", "use_bias": False}
    y = layers.Conv2D(filters, 3, strides=2, name=f"{name}_a", **options)(x)
    y = layers.Conv2D(filters, 3, name=f"{name}_b", **options)(_normed(y, f"{name}_a"))
    # Averaged rather than skipped, so that no place of the picture is left out of the shortcut.
    shortcut = layers.AveragePooling2D(2, padding="same", name=f"{name}_half")(x)
    shortcut = layers.Conv2D(filters, 1, name=f"{name}_short", **options)(shortcut)
    shortcut = _normed(shortcut, f"{name}_short", relu=False)
    x = layers.Add(name=f"{name}_sum")([shortcut, _normed(y, f"{name}_b", relu=False)])
    return layers.ReLU(name=f"{name}_out")(x)


def tc_resnet(size: tuple[int, int], n_labels: int) -> keras.Model:
    """Convolutions over time alone, with shortcuts: the bands are channels, not a picture.

    Source: Seungwoo Choi et al., *Temporal Convolution for Real-time Keyword Spotting on Mobile
    Devices*, Interspeech 2019, arXiv:1904.03814: its TC-ResNet8 with width 1.5.
    """
    table = keras.Input(size, name="features")
    x = _normed(table, "input", relu=False)
    x = layers.Conv1D(24, 3, padding="same", use_bias=False, name="conv1")(x)
    x = _normed(x, "conv1")
    for number, channels in enumerate((36, 48, 72), start=1):
        x = _time_block(x, channels, f"block{number}")
    return _voted(table, layers.GlobalAveragePooling1D(name="mean")(x), n_labels, "tc_resnet")


def _time_block(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    """Two convolutions of nine frames, halving time, added to a shortcut."""
    options = {"padding": "same", "use_bias": False}
    y = layers.Conv1D(channels, 9, strides=2, name=f"{name}_a", **options)(x)
    y = layers.Conv1D(channels, 9, name=f"{name}_b", **options)(_normed(y, f"{name}_a"))
    y = _normed(y, f"{name}_b", relu=False)
    shortcut = layers.Conv1D(channels, 1, strides=2, name=f"{name}_short", **options)(x)
    x = layers.Add(name=f"{name}_sum")([_normed(shortcut, f"{name}_short"), y])
    return layers.ReLU(name=f"{name}_out")(x)
