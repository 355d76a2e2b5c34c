"""Whether a learner's value is the expected one, and in words where it is not."""

from numbers import Number

import numpy as np

_SHOWN = 60


def equal(got: object, expected: object, rtol: float, atol: float) -> bool:
    """Whether two values are the same, numbers within a tolerance.

    Parameters
    ----------
    got, expected : object
        As :func:`course_utils.grading.checks.values.decode` gives them. Lists and tuples are alike;
        truth values are not numbers; two integers are compared exactly; NaN equals NaN.
    rtol, atol : float
        Relative and absolute tolerance, as in :func:`numpy.isclose`.

    Returns
    -------
    bool
    """
    return difference(got, expected, rtol, atol) is None


def difference(got: object, expected: object, rtol: float, atol: float) -> str | None:
    """Say in what two values differ.

    Parameters
    ----------
    got, expected, rtol, atol
        As in :func:`equal`.

    Returns
    -------
    str or None
        A sentence such as ``gave 97; expected 98.``, or None if they do not differ.
    """
    if isinstance(got, np.ndarray) != isinstance(expected, np.ndarray):
        # Right numbers are right in an array as in a list; a task can ask for the shape.
        got, expected = (_array_of(value) for value in (got, expected))
    if kind(got) != kind(expected):
        return f"gave {shown(got)}, which is {kind(got)}; expected {kind(expected)}."
    if isinstance(expected, np.ndarray):
        return _arrays(got, expected, rtol, atol)
    if isinstance(expected, list | tuple):
        return _lists(list(got), list(expected), rtol, atol)
    if isinstance(expected, dict):
        return _dictionaries(got, expected, rtol, atol)
    if _same(got, expected, rtol, atol):
        return None
    return f"gave {shown(got)}; expected {shown(expected)}."


def _array_of(value: object) -> object:
    """A list of numbers, or of equally long such lists, as an array; anything else as it is."""
    if not isinstance(value, list | tuple):
        return value
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # lists of different lengths; numbers too large
        return value
    return array if array.dtype.kind in "biufcU" else value


def kind(value: object) -> str:
    """What sort of value it is, in a learner's words."""
    kinds = {
        bool: "True or False",
        Number: "a number",
        str: "text",
        np.ndarray: "an array",
        (list, tuple): "a list",
        dict: "a dictionary",
        (set, frozenset): "a set",
        type(None): "None",
    }
    return next(
        (name for types, name in kinds.items() if isinstance(value, types)),
        f"a {type(value).__name__}",
    )


def shown(value: object) -> str:
    """A value, short enough for a sentence."""
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"an array of shape {value.shape}"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join((str if isinstance(value, np.ndarray) else repr)(value).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 2] + " …"


def _same(got: object, expected: object, rtol: float, atol: float) -> bool:
    exact = all(
        isinstance(value, int) or not isinstance(value, Number) for value in (got, expected)
    )
    if exact:
        return got == expected
    try:
        with np.errstate(all="ignore"):
            return bool(np.isclose(complex(got), expected, rtol=rtol, atol=atol, equal_nan=True))
    except OverflowError:  # an integer that no float holds
        return False


def _arrays(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str | None:
    if got.shape != expected.shape:
        return f"gave an array of shape {got.shape}; expected {expected.shape}."
    texts = [array.dtype.kind == "U" for array in (got, expected)]
    if any(texts):
        same = got == expected if all(texts) else np.zeros(got.shape, bool)
    else:
        # An overflow in float16 is a difference, no reason for a warning.
        with np.errstate(all="ignore"):
            same = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    if np.all(same):
        return None
    first = tuple(int(index) for index in np.argwhere(~np.atleast_1d(same))[0])
    at = list(first)[: got.ndim]
    one, other = (np.atleast_1d(array)[first].item() for array in (got, expected))
    wrong = f"gave {np.count_nonzero(~same)} of {same.size} values that are wrong"
    return f"{wrong}, the first at {at}: gave {shown(one)}; expected {shown(other)}."


def _lists(got: list, expected: list, rtol: float, atol: float) -> str | None:
    if len(got) != len(expected):
        return (
            f"gave {shown(got)}, a list of length {len(got)}; expected length {len(expected)}: "
            f"{shown(expected)}."
        )
    for place, (one, other) in enumerate(zip(got, expected, strict=True)):
        found = difference(one, other, rtol, atol)
        if found:
            both = f"gave {shown(got)}; expected {shown(expected)}."
            # Short lists are seen at a glance; of long ones the place is told.
            return both if "…" not in both else f"gave a list; item {place} of it: {found}"
    return None


def _dictionaries(got: dict, expected: dict, rtol: float, atol: float) -> str | None:
    if got.keys() != expected.keys():
        names = [shown(sorted(table, key=str)) for table in (got, expected)]
        return f"gave the keys {names[0]}; expected {names[1]}."
    for key, other in expected.items():
        found = difference(got[key], other, rtol, atol)
        if found:
            return f"gave a dictionary; its {key!r}: {found}"
    return None
