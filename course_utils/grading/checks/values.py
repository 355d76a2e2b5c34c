"""Values that travel from a learner's kernel to the judge: as JSON and .npy, never as pickle.

What comes out of :func:`decode` is only ever numbers, text, lists, dictionaries, sets and arrays
of plain types, whoever wrote what goes in.
"""

import base64
import binascii
import io
import math
from collections.abc import Iterable

import numpy as np

MIME = "application/vnd.course.values+json"
"""Type of an output that holds what the calls of a check cell gave."""

LARGEST = 8_000_000
"""Characters that the values of one task may take when they are written down."""

_DEEPEST = 20
_ARRAYS = "biufcU"
_ALLOWED = "numbers, text, arrays, and lists, dictionaries or sets of these"


def encode(value: object, depth: int = 0) -> object:
    """Write a value down so that JSON can hold it.

    Parameters
    ----------
    value : object
        None, a number, text, a NumPy array or scalar, or a list, tuple, dictionary or set of such.
        A tuple is written as a list.
    depth : int
        How deep inside another value this one lies.

    Returns
    -------
    object
        What :func:`decode` reads.

    Raises
    ------
    TypeError
        If it is, or holds, something else.
    ValueError
        If lists lie in lists more than 20 deep.
    """
    if depth > _DEEPEST:
        raise ValueError(f"lists lie in lists more than {_DEEPEST} deep; expected a plain value.")
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | str):
        # A member of an enumeration is written as its plain value.
        return int(value) if isinstance(value, int) else str.__str__(value)
    if isinstance(value, float | complex):
        return _number(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, list | tuple):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {"dict": _pairs(value.items(), depth)}
    if isinstance(value, set | frozenset):
        return {"set": [encode(item, depth + 1) for item in sorted(value, key=repr)]}
    raise TypeError(f"is a {type(value).__name__}; expected {_ALLOWED}.")


def _pairs(items: Iterable[tuple[object, object]], depth: int) -> list:
    return [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in items]


def _number(value: float | complex) -> object:
    if isinstance(value, complex):
        return {"complex": [_number(value.real), _number(value.imag)]}
    return float(value) if math.isfinite(value) else {"float": str(float(value))}


def _array(value: np.ndarray) -> object:
    if value.dtype.kind not in _ARRAYS:
        raise TypeError(f"is an array of {value.dtype} values; expected numbers or text in it.")
    if 4 * value.nbytes > 3 * LARGEST:
        raise ValueError(f"is an array of {value.nbytes:,} bytes; expected less than {LARGEST:,}.")
    file = io.BytesIO()
    np.save(file, np.asarray(value), allow_pickle=False)
    return {"npy": base64.b64encode(file.getvalue()).decode("ascii")}


def decode(written: object, depth: int = 0) -> object:
    """Read what :func:`encode` wrote.

    Parameters
    ----------
    written : object
        What JSON gave.
    depth : int
        How deep inside another value this one lies.

    Returns
    -------
    object
        The value; a new one at each call.

    Raises
    ------
    ValueError
        If it is anything that ``encode`` does not write.
    """
    if depth > _DEEPEST:
        raise ValueError(f"values lie more than {_DEEPEST} deep")
    if written is None or isinstance(written, bool | int | float | str):
        return written
    if isinstance(written, list):
        return [decode(item, depth + 1) for item in written]
    if isinstance(written, dict) and len(written) == 1:
        ((kind, content),) = written.items()
        if kind in _READERS:
            try:
                return _READERS[kind](content, depth + 1)
            except (TypeError, KeyError, EOFError, OverflowError, binascii.Error) as problem:
                raise ValueError(f"a value of kind {kind} cannot be read") from problem
    raise ValueError("a value has a form that no check writes")


def _read_array(content: object, depth: int) -> np.ndarray:
    data = io.BytesIO(base64.b64decode(content, validate=True))
    array = np.load(data, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in _ARRAYS:
        raise ValueError("an array holds neither numbers nor text")
    return array


def _read_complex(content: object, depth: int) -> complex:
    real, imaginary = (decode(part, depth) for part in content)
    return complex(real, imaginary)


_READERS = {
    "float": lambda content, depth: float(content),
    "complex": _read_complex,
    "npy": _read_array,
    "dict": lambda content, depth: {decode(k, depth): decode(v, depth) for k, v in content},
    "set": lambda content, depth: {decode(item, depth) for item in content},
}
