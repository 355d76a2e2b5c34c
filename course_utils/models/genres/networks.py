"""Networks for music genres: convolutions over raw sound, and MobileNetV2 over pictures of it.

All give logits, one for each genre. A network that was trained on something else can be used in
three ways: from scratch (its form without its weights), frozen (only a new last layer learns), and
fine-tuned (:func:`unfreeze` lets the upper layers learn, too).

Batch normalisation is where this goes wrong. Its running mean and variance decide what the network
says outside training, and Keras moves them by 1 % a step, MobileNetV2 by 0.1 %: after the few
hundred steps that small data allow they are still near their start, and a network that has learned
evaluates near chance. So wherever a base is trained, its layers forget faster (``momentum`` 0.9).
Where a base is frozen or fine-tuned they keep what they brought along: they run in inference mode,
also in training, as Keras' guide to transfer learning advises.

Source: Mark Sandler et al., *MobileNetV2: Inverted Residuals and Linear Bottlenecks*, CVPR 2018,
arXiv:1801.04381. Lesson: 07.
"""

import os
from pathlib import Path

import keras
from keras import layers

from course_utils.models.genres import base_weights
from course_utils.models.genres.base_weights import mini_weights

__all__ = [
    "ALPHAS", "RAW_SIZES", "base_of", "mini_weights", "mobilenet", "raw_cnn", "split", "unfreeze",
    "weights_in_use",
]  # fmt: skip

RAW_SIZES = ("source", "small")
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""Widths of MobileNetV2 that ImageNet weights exist for."""

_MOMENTUM = 0.9
_EMBEDDING, _LOGITS, _DROPOUT = "embedding", "logits", "dropout"
_BASE = "base_with_"


def raw_cnn(size: str = "source", classes: int = 8, samples: int = 10000) -> keras.Model:
    """A network over samples as they are.

    Parameters
    ----------
    size : {"source", "small"}
        ``source`` is the source system's: with 10,000 samples and 8 classes 16,014,640 parameters,
        15,987,300 of them in one dense layer, which can learn its training clips by heart.
        ``small`` has a hundredth of them: strided convolutions, as many as there are octaves, and
        a mean over time.
    classes : int
    samples : int
        In a window.

    Returns
    -------
    keras.Model
        float32 (batch, samples, 1) to logits (batch, classes).

    Raises
    ------
    ValueError
        If there is no such size, or the window is too short for it.
    """
    if size not in RAW_SIZES:
        raise ValueError(
            f"There is no raw_cnn of size {size!r}; choose one of {', '.join(RAW_SIZES)}."
        )
    _check_classes(classes)
    if samples < 256:
        raise ValueError(
            f"samples is {samples}; expected at least 256, which the convolutions need; take longer"
            " windows."
        )
    sound = keras.Input((samples, 1), name="sound")
    x = _source(sound) if size == "source" else _small(sound)
    return keras.Model(sound, layers.Dense(classes, name=_LOGITS)(x), name=f"raw_cnn_{size}")


def _source(x: keras.KerasTensor) -> keras.KerasTensor:
    """The source system's layers: two convolutions, then everything to everything."""
    for number, filters in enumerate((128, 64), start=1):
        x = layers.Conv1D(filters, 3, activation="relu", name=f"conv{number}")(x)
        x = layers.MaxPooling1D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(100, activation="relu", name="dense1")(x)
    return layers.Dense(20, activation="relu", name="dense2")(x)


def _small(x: keras.KerasTensor) -> keras.KerasTensor:
    """Filters of 64 samples, then ever longer and coarser patterns, then their mean over time."""
    for number, (filters, width, stride) in enumerate(
        ((32, 64, 4), (32, 9, 4), (64, 9, 4), (64, 9, 4), (128, 3, 1)), start=1
    ):
        options = {"strides": stride, "padding": "same", "use_bias": False}
        x = layers.Conv1D(filters, width, name=f"conv{number}", **options)(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.GlobalAveragePooling1D(name=_EMBEDDING)(x)
    return layers.Dropout(0.3, name=_DROPOUT)(x)


def mobilenet(
    classes: int = 8,
    image: int = 224,
    alpha: float = 1.0,
    weights: str | os.PathLike[str] | None = None,
    trainable: bool | None = None,
) -> keras.Model:
    """MobileNetV2 with a new last layer.

    Parameters
    ----------
    classes : int
    image : int
        Rows and columns of a picture, at least 32. ImageNet weights fit 96, 128, 160, 192, 224
        best.
    alpha : float
        Width, one of :data:`ALPHAS`. With 1.0 the base has 2,257,984 parameters, the last layer
        10,248 for 8 classes.
    weights : None, "imagenet" or path
        Of the base: random numbers; ImageNet's, which Keras downloads once and keeps; or a file,
        such as :func:`mini_weights`. :func:`weights_in_use` says what a network has.
    trainable : bool, optional
        Whether the base learns, batch normalisation included. By default a base without weights
        does, and one with weights is frozen.

    Returns
    -------
    keras.Model
        float32 (batch, image, image, 3) in [-1, 1] to logits (batch, classes).

    Raises
    ------
    ValueError
        If a number is impossible, or the file has weights of another network.
    OSError
        If the file is missing, or ImageNet's weights are neither there nor can be downloaded.
    """
    _check_classes(classes)
    if image < 32 or alpha not in ALPHAS:
        raise ValueError(
            f"image is {image} and alpha {alpha}; expected at least 32, and one of"
            f" {', '.join(map(str, ALPHAS))}; correct them."
        )
    base = _base(image, alpha, weights)
    if trainable is None:
        trainable = weights is None
    base.trainable = trainable
    for layer in _norms(base):
        layer.momentum = _MOMENTUM
    picture = keras.Input((image, image, 3), name="picture")
    # training=False stays with the base, whatever is unfrozen later.
    x = base(picture) if trainable else base(picture, training=False)
    x = layers.GlobalAveragePooling2D(name=_EMBEDDING)(x)
    x = layers.Dropout(0.2, name=_DROPOUT)(x)
    return keras.Model(picture, layers.Dense(classes, name=_LOGITS)(x), name="mobilenet")


def _base(image: int, alpha: float, weights: str | os.PathLike[str] | None) -> keras.Model:
    """MobileNetV2 without its last layer."""
    form = {"input_shape": (image, image, 3), "alpha": alpha, "include_top": False}
    if weights == "imagenet":
        return base_weights.downloaded(form, _BASE + weights)
    origin = "random_numbers" if weights is None else Path(weights).name.split(".")[0]
    base = keras.applications.MobileNetV2(**form, weights=None, name=_BASE + origin)
    if weights is None:
        return base
    base_weights.restore(base, weights, alpha)
    return base


def weights_in_use(model: keras.Model) -> str:
    """Where the weights of a :func:`mobilenet` began, for people; also of one that was loaded.

    Raises
    ------
    ValueError
        If the model is none.
    """
    origin = base_of(model).name.removeprefix(_BASE)
    known = {
        "random_numbers": "random numbers: trained from scratch",
        "imagenet": "ImageNet: 1.3 million photographs of a thousand kinds of things",
        "mobilenet_mini": "mobilenet_mini: this project's own, from synthetic music by chance",
    }
    return known.get(origin, f"{origin}: a file of weights")


def base_of(model: keras.Model) -> keras.Model:
    """The base inside a :func:`mobilenet`.

    Raises
    ------
    ValueError
        If the model is none.
    """
    for layer in model.layers:
        if layer.name.startswith(_BASE):
            return layer
    raise ValueError(
        f"The model {model.name!r} has no base; expected one that networks.mobilenet made; make it"
        " with that."
    )


def unfreeze(model: keras.Model, count: int) -> None:
    """Let the upper layers of a base learn, except for batch normalisation.

    Compile the model again afterwards, as ``training.genres.fit`` does.

    Parameters
    ----------
    model : keras.Model
        A :func:`mobilenet`. One whose last layer is still random would spoil the base: train it
        first.
    count : int
        How many layers, counted from the top; the base has 154.

    Raises
    ------
    ValueError
        If the model is none, or its base has not so many layers.
    """
    base = base_of(model)
    if not 0 <= count <= len(base.layers):
        raise ValueError(
            f"{count} layers cannot learn: the base has {len(base.layers)}; choose a number from 0"
            " to that."
        )
    base.trainable = True
    first = len(base.layers) - count
    for number, layer in enumerate(base.layers):
        layer.trainable = number >= first
    for layer in _norms(base):
        layer.trainable = False


def split(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The model as two: from a window to its embedding, and from there to logits.

    They share their layers with the model: what the second one learns, the model knows. With a
    frozen base this saves most of the time, because each window passes the base only once.

    Parameters
    ----------
    model : keras.Model
        A :func:`mobilenet`, or a ``raw_cnn`` of size ``small``.

    Returns
    -------
    (keras.Model, keras.Model)
    """
    body = keras.Model(model.input, model.get_layer(_EMBEDDING).output, name=f"{model.name}_body")
    numbers = keras.Input(body.output_shape[1:], name=_EMBEDDING)
    logits = model.get_layer(_LOGITS)(model.get_layer(_DROPOUT)(numbers))
    return body, keras.Model(numbers, logits, name=f"{model.name}_head")


def _norms(base: keras.Model) -> list[layers.BatchNormalization]:
    return [layer for layer in base.layers if isinstance(layer, layers.BatchNormalization)]


def _check_classes(classes: int) -> None:
    if classes < 2:
        raise ValueError(
            f"classes is {classes}; expected at least 2, or there is nothing to tell apart; give"
            " more."
        )
