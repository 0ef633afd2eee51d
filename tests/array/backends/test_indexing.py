"""All of NumPy's forms of indexing on both backends, against NumPy itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array._shapes.axes import ShapeError
from tests.array.backends.agreement import NUMPY, PURE, agree, arrays, attempt, on_pure, same

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """A key: ints, slices, None, ..., integer arrays, lists and masks, mixed; some are wrong."""
    parts: list[Any] = []
    axis = 0
    common = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    while axis < len(shape) and draw(st.integers(0, 5)):
        n = shape[axis]
        form = draw(
            st.sampled_from(["int", "slice", "slice", "none", "array", "array", "list", "mask"])
        )
        inside = st.integers(-n, n - 1) if n else st.integers(0, 0)
        if form == "none":
            parts.append(None)
            continue
        if form == "int":
            parts.append(draw(inside))
        elif form == "slice":
            parts.append(draw(st.slices(n)))
        elif form == "list":
            parts.append(draw(st.lists(inside, max_size=3)))
        elif form == "mask":
            ndim = draw(st.integers(0, min(2, len(shape) - axis)))
            parts.append(draw(hnp.arrays(np.bool_, shape[axis : axis + ndim])))
            axis += ndim
            continue
        else:
            picked = draw(hnp.broadcastable_shapes(common, max_dims=2, max_side=3))
            parts.append(draw(hnp.arrays(np.int64, picked, elements=inside)))
        axis += 1
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    if len(parts) == 1 and draw(st.booleans()):
        return parts[0]
    return tuple(parts)


@st.composite
def indexed(draw: st.DrawFn) -> tuple[Any, Any]:
    """An array and a key for it."""
    shape = draw(SHAPES)
    return draw(arrays(shape)), draw(keys(shape))


def _at(x: Any, key: Any) -> Any:
    return np.asarray(x[key])


@given(indexed())
@settings(max_examples=400)
def test_reading(case: tuple[Any, Any]) -> None:
    x, key = case
    agree("index", x, key, expected=_at)
    expected = attempt(_at, x, key)
    if not isinstance(expected, Exception):
        same("pure x[key]", on_pure(x)[on_pure(key)], expected)


@given(indexed(), st.data())
@settings(max_examples=200)
def test_adding_and_putting(case: tuple[Any, Any], data: st.DataObject) -> None:
    x, key = case
    part = attempt(_at, x, key)
    if isinstance(part, Exception):
        return
    floats = st.floats(-50, 50).map(lambda v: round(v, 2))
    small = {"float64": floats, "int64": st.integers(-9, 9), "bool": st.booleans()}[x.dtype.name]
    shapes = st.just(part.shape) | st.just(())
    if part.ndim:
        shapes |= st.just((1, *part.shape[1:])) | st.just(part.shape[1:])
    v = data.draw(hnp.arrays(x.dtype, shapes, elements=small))

    def add(x: Any, key: Any, v: Any) -> Any:
        out = x.copy()
        np.add.at(out, key, np.broadcast_to(v, part.shape))  # NumPy 2.4 may read beyond v itself
        return out

    def put(x: Any, key: Any, v: Any) -> Any:
        out = x.copy()
        out[key] = v
        return out

    x = np.asarray(np.clip(x, -100, 100)) if x.dtype.kind != "b" else x
    agree("index_add", x, key, v, expected=add, rtol=1e-12, scale=100)
    if part.size == np.unique(np.arange(x.size).reshape(x.shape)[key]).size:
        agree("index_put", x, key, v, expected=put)  # what repeats is put in no promised order


def test_a_row_is_added_at_each_row_of_an_index() -> None:
    """Where np.add.at itself, on 1-D arrays, reads beyond the row (NumPy 2.4)."""
    for backend in (PURE, NUMPY):
        zeros, rows = backend.asarray([0.0, 0.0, 0.0]), backend.asarray([[0, 1], [2, 0]])
        added = backend.index_add(zeros, rows, backend.asarray([1.0, 2.0]))
        assert backend.to_list(added) == [3.0, 2.0, 1.0]


@pytest.mark.parametrize("name", ["index_put", "index_add"])
def test_an_element_takes_a_number(name: str) -> None:
    """As in NumPy: a list of one is no number, but has the shape of x[0, ...] and of x[0:1]."""
    for backend in (PURE, NUMPY):
        f, x = getattr(backend, name), backend.asarray([0.0, 2.0])
        key: Any
        for key in (0, (1,), -1):
            with pytest.raises(ShapeError, match=r"a value of shape \(1,\) does not broadcast"):
                f(x, key, backend.asarray([5.0]))
            with pytest.raises(ShapeError, match=r"a value of shape \(1, 1\) does not"):
                f(x, key, backend.asarray([[5.0]]))
        for key in (slice(0, 1), ([0],), *([(0, ...)] if name == "index_put" else [])):
            assert backend.to_list(f(x, key, backend.asarray([5.0]))) == [5.0, 2.0]


def test_values_take_the_dtype_of_the_array() -> None:
    for backend in (PURE, NUMPY):
        whole = backend.asarray([1, 2, 3])
        assert backend.to_list(backend.index_put(whole, 0, 7.9)) == [7, 2, 3]
        assert backend.to_list(backend.index_add(whole, slice(0, 2), 1.5)) == [2, 3, 3]
        assert backend.to_list(backend.index_add(whole, [0, 0], 1.0)) == [3, 2, 3]
        assert backend.index_put(backend.asarray([1.0]), 0, 7).dtype == backend.float64


@pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])
@pytest.mark.parametrize(
    ("key", "message"),
    [
        (5, "index 5 is out of bounds for axis 0 with size 3"),
        (-4, "index -4 is out of bounds for axis 0 with size 3"),
        ((0, [1, 7]), "index 7 is out of bounds for axis 1 with size 4"),
        ((0, 0, 0), "too many indices for array: array is 2-dimensional, but 3 were indexed"),
        ((..., 0, ...), "an index can only have a single ellipsis"),
        (1.0, "only integers, slices"),
        ("a", "only integers, slices|arrays used as indices|expected a real number"),
        (
            [True, False],
            "boolean index did not match indexed array along axis 0",
        ),
        (([0, 1], [0, 1, 2]), "shape mismatch: indexing arrays could not be broadcast together"),
    ],
)
def test_errors(backend: Any, key: Any, message: str) -> None:
    x = backend.zeros((3, 4))
    with pytest.raises((IndexError, TypeError), match=message):
        backend.index(x, key)
    with pytest.raises((IndexError, TypeError), match=message):
        x[key]


@pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])
@pytest.mark.parametrize(("name", "said"), [("index_add", "index_add"), ("index_put", "setitem")])
def test_values_that_do_not_fit(backend: Any, name: str, said: str) -> None:
    message = (
        rf"{said}: a value of shape \(7,\) does not broadcast to \(4,\), "
        r"the shape of the indexed part"
    )
    with pytest.raises(ShapeError, match=message):
        getattr(backend, name)(backend.zeros((3, 4)), 0, backend.zeros(7))


@given(arrays(SHAPES.filter(len)), st.data())
@settings(max_examples=80)
def test_take(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    picked = st.integers(-n, n) if n else st.just(0)
    shape = hnp.array_shapes(min_dims=0, max_dims=2, min_side=1 if n else 0, max_side=3)
    indices = data.draw(hnp.arrays(np.int64, shape, elements=picked))

    def expected(x: Any, indices: Any, axis: int) -> Any:
        return x[(slice(None),) * (axis % x.ndim) + (indices,)]

    agree("take", x, indices, axis=axis, expected=expected)


@given(st.data())
@settings(max_examples=80)
def test_take_along_axis(data: st.DataObject) -> None:
    x = data.draw(arrays(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    shape = [data.draw(st.sampled_from([1, n])) for n in x.shape]
    shape[axis] = data.draw(st.integers(0, 4))
    n = x.shape[axis]
    indices = data.draw(hnp.arrays(np.int64, tuple(shape), elements=st.integers(-n, n - 1)))
    agree("take_along_axis", x, indices, axis=axis)


@given(arrays())
@settings(max_examples=40)
def test_nonzero(x: Any) -> None:
    if x.ndim:
        agree("nonzero", x)
