"""Weights of a MobileNetV2 without its last layer: downloaded, from a file, to a file."""

import os
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np

from course_utils import files, places


def mini_weights() -> Path:
    """The weights that ship: MobileNetV2, alpha 0.35, trained by this project for 96 x 96 pictures.

    Their card, ``mobilenet_mini.json``, lies beside them.
    """
    return places.shipped() / "mobilenet_mini.npz"


def save(base: keras.Model, path: str | os.PathLike[str]) -> None:
    """Write the weights of a base, as 16-bit floating-point numbers.

    Keras' own file of weights has five times the size, and loading one into a model of models sets
    off a warning for each layer.

    Parameters
    ----------
    base : keras.Model
    path : path-like
        Ends in ``.npz``.

    Raises
    ------
    ValueError
        If a weight is not finite, or too large for 16 bits.
    """
    with np.errstate(over="ignore"):  # said in a sentence of our own
        arrays = {_name(v): v.numpy().astype(np.float16) for v in base.variables}
    broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if broken:
        raise ValueError(
            f"The weights {broken[0]} are not all finite numbers of 16 bits; expected at most 65504"
            " in size; train the network again with a lower learning rate."
        )
    with files.whole(path) as unfinished:
        np.savez_compressed(unfinished, **arrays)


def _name(variable: keras.Variable) -> str:
    """A layer's and its variable's name, without that of the model around them."""
    return ".".join(variable.path.split("/")[-2:])


def restore(base: keras.Model, path: str | os.PathLike[str], alpha: float) -> None:
    """Give a base the weights that :func:`save` wrote.

    Raises
    ------
    ValueError
        If the file is none of weights, or they are of another network.
    FileNotFoundError
        If there is none.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There are no weights at {places.shown(path)}; expected None, 'imagenet' or the path"
            " of a file that training wrote; correct it."
        )
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name].astype(np.float32) for name in content.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{places.shown(path)} is no file of weights ({' '.join(str(error).split())[:120]});"
            " expected one that training wrote; restore it, or make it again."
        ) from error
    wanted = {_name(variable): tuple(variable.shape) for variable in base.variables}
    if {name: array.shape for name, array in arrays.items()} != wanted:
        raise ValueError(
            f"The weights in {places.shown(path)} are of another network; expected those of a"
            f" MobileNetV2 with alpha {alpha}; take another file or alpha."
        )
    for variable in base.variables:
        variable.assign(arrays[_name(variable)])


def downloaded(form: dict, name: str) -> keras.Model:
    """A base of a form (arguments of Keras' MobileNetV2) with ImageNet's weights.

    Raises
    ------
    OSError
        If they are neither on this machine nor can be downloaded.
    """
    try:
        return keras.applications.MobileNetV2(**form, weights="imagenet", name=name)
    except Exception as error:  # Keras raises no narrower one for a download that fails
        if "fetch failure" not in str(error):
            raise
        reason = " ".join(str(error).split())[-120:]
        raise OSError(
            f"ImageNet's weights for MobileNetV2 are not on this machine and could not be"
            f" downloaded ({reason}): connect to the internet once, or use weights that ship with"
            " the course (networks.mini_weights(), alpha 0.35, 96 x 96 pictures)."
        ) from error
