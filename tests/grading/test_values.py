"""Values survive the way to the judge, and nothing else comes out at its end."""

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils.grading.checks import comparing, values

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
arrays = hnp.arrays(
    st.sampled_from([np.bool_, np.int16, np.uint8, np.float32, np.float64, np.complex64, "U3"]),
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
)


def sent(value: object) -> object:
    """The way of a value: written down, through JSON, read."""
    return values.decode(json.loads(json.dumps(values.encode(value))))


@given(plain)
def test_a_plain_value_comes_back_as_it_was(value):
    assert comparing.equal(sent(value), value, rtol=0, atol=0)


@given(arrays)
def test_an_array_comes_back_with_its_type_and_shape(array):
    back = sent(array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


def test_tuples_scalars_sets_and_enumerations_become_plain():
    assert sent((1, np.float64(0.5), np.bool_(True))) == [1, 0.5, True]
    assert type(sent(np.int64(3))) is int
    assert sent({"a", "b"}) == {"a", "b"}
    assert sent({1: (2,)}) == {1: [2]}


class Sly(str):
    """Text that is equal to everything."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return True


def test_a_value_of_a_class_of_its_own_loses_it():
    assert type(sent(Sly("no"))) is str
    assert not comparing.equal(sent([Sly("no")]), ["yes"], 0, 0)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "is a object; expected numbers, text"),
        (np.array([object()]), "an array of object values"),
        ([print], "is a builtin_function_or_method"),
        (b"bytes", "is a bytes"),
    ],
)
def test_what_is_not_plain_is_refused(value, said):
    with pytest.raises(TypeError, match=said):
        values.encode(value)


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="bytes; expected less than"):
        values.encode(np.zeros(values.LARGEST))
    deep = []
    for _ in range(30):
        deep = [deep]
    with pytest.raises(ValueError, match="more than 20 deep"):
        values.encode(deep)


def pickled() -> str:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    "written",
    [
        {"npy": pickled()},
        {"npy": "####"},
        {"npy": base64.b64encode(b"no array").decode()},
        {"npy": ""},
        {"npy": 3},
        {"float": "much"},
        {"float": None},
        {"complex": [1]},
        {"dict": [[[], 1]]},
        {"dict": [[1]]},
        {"set": [[1]]},
        {"set": 3},
        {"code": "1"},
        {"float": "1", "npy": ""},
        {},
        ["a", {}],
        [[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]],
    ],
)
def test_what_no_check_writes_is_not_read(written):
    with pytest.raises(ValueError):
        values.decode(written)
