"""Shapes, joining, repeating and flipping on both backends, against NumPy itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array._shapes.axes import reshape_shape
from tests.array.backends.agreement import (
    NUMPY,
    PURE,
    agree,
    arrays,
    on_pure,
    operands,
    oracle,
    same,
)

LENGTHS = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def some_axes(ndim: int) -> st.SearchStrategy[Any]:
    """None, one axis, or several."""
    if ndim == 0:
        return st.sampled_from([None, ()])
    one = st.integers(-ndim, ndim - 1)
    several = st.lists(st.integers(0, ndim - 1), unique=True, max_size=ndim).map(tuple)
    return st.none() | one | several


@given(arrays(), st.lists(st.integers(-1, 6), max_size=3).map(tuple))
@settings(max_examples=100)
def test_reshape(x: Any, shape: Any) -> None:
    agree("reshape", x, shape)
    agree("reshape", x, -1)
    agree("reshape", x, (*x.shape, 1))
    agree("reshape", x.T, x.shape[::-1])


@given(arrays(), st.data())
@settings(max_examples=80)
def test_orders_of_axes(x: Any, data: st.DataObject) -> None:
    order = tuple(data.draw(st.permutations(range(x.ndim))))
    agree("permute_dims", x, order)
    agree("permute_dims", x, tuple(i - x.ndim for i in order))
    if x.ndim:
        source, target = (data.draw(st.integers(-x.ndim, x.ndim - 1)) for _ in range(2))
        agree("moveaxis", x, source, target)
        n = data.draw(st.integers(0, x.ndim))
        agree("moveaxis", x, order[:n], tuple(data.draw(st.permutations(range(x.ndim)))[:n]))


@given(arrays(), st.data())
@settings(max_examples=80)
def test_axes_of_length_one(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    agree("expand_dims", x, axis=axis)
    agree("expand_dims", x, axis=(0, -1))
    agree("squeeze", x, axis=data.draw(some_axes(x.ndim)))
    agree("squeeze", np.expand_dims(x, axis), axis=axis)


@given(operands(count=3, scalars=False))
@settings(max_examples=60)
def test_broadcasting(args: tuple[Any, ...]) -> None:
    agree("broadcast_arrays", *args)
    agree("broadcast_to", args[0], np.broadcast_shapes(*(a.shape for a in args)))
    agree("broadcast_to", args[0], args[1].shape)


def test_broadcasting_to_many_elements() -> None:
    agree("broadcast_to", np.arange(3.0).reshape(3, 1), (2, 3, 2000))


@given(arrays(), st.data())
@settings(max_examples=80)
def test_flip_and_roll(x: Any, data: st.DataObject) -> None:
    axis = data.draw(some_axes(x.ndim))
    agree("flip", x, axis=axis)
    shift = st.integers(-5, 5)
    if axis != ():
        shifts = data.draw(st.tuples(*[shift] * len(axis)) if isinstance(axis, tuple) else shift)
        agree("roll", x, shifts, axis=axis)


@given(arrays(), LENGTHS | st.integers(0, 3))
@settings(max_examples=60)
def test_tile(x: Any, counts: Any) -> None:
    agree("tile", x, counts)


@given(arrays(), st.data())
@settings(max_examples=80)
def test_repeat(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.none() if x.ndim == 0 else st.none() | st.integers(-x.ndim, x.ndim - 1))
    n = x.size if axis is None else x.shape[axis]
    counts: Any = data.draw(st.integers(0, 3) | st.lists(st.integers(0, 3), min_size=n, max_size=n))
    if isinstance(counts, list):
        counts = np.array(counts, np.int64)
    agree("repeat", x, counts, axis=axis)


@given(st.data())
@settings(max_examples=80)
def test_concat_and_stack(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = []
    for n in data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)):
        own = list(shape)
        own[axis] = n
        parts.append(data.draw(arrays(tuple(own))))
    agree("concat", parts, axis=axis, expected=oracle("concatenate"))
    agree("concat", parts, axis=None, expected=oracle("concatenate"))
    agree("stack", parts, axis=axis)
    alike = [data.draw(arrays(shape)) for _ in parts]
    agree("stack", alike, axis=data.draw(st.integers(-len(shape) - 1, len(shape))))


@given(arrays(), st.data())
@settings(max_examples=40)
def test_unstack(x: Any, data: st.DataObject) -> None:
    def expected(x: Any, axis: int) -> Any:
        return tuple(np.moveaxis(x, axis, 0)[i] for i in range(x.shape[axis]))

    if x.ndim:
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        agree("unstack", x, axis=axis, expected=expected)
        same("iteration", tuple(on_pure(x)), expected(x, 0))


@given(arrays(), st.integers(-3, 3))
@settings(max_examples=40)
def test_triangles(x: Any, k: int) -> None:
    for name in ("tril", "triu"):
        if x.ndim >= 2:
            agree(name, x, k=k)


@given(st.lists(arrays(st.integers(0, 3)), min_size=1, max_size=3))
@settings(max_examples=30)
def test_meshgrid(xs: list[Any]) -> None:
    for indexing in ("xy", "ij"):
        agree("meshgrid", *xs, indexing=indexing)


@given(hnp.array_shapes(min_dims=0, min_side=0), st.lists(st.integers(-1, 8), max_size=3))
@settings(max_examples=80)
def test_shapes_worked_out_are_numpys(shape: tuple[int, ...], new: list[int]) -> None:
    try:
        expected = np.empty(shape).reshape(new).shape
    except ValueError:
        with pytest.raises(ValueError, match="reshape: cannot reshape"):
            reshape_shape(shape, new)
    else:
        assert reshape_shape(shape, new) == expected


def test_arrays_are_never_changed() -> None:
    for backend in (PURE, NUMPY):
        x = backend.asarray([[3.0, 1.0], [2.0, 4.0]])
        for name in ("sort", "flip", "matrix_transpose", "exp", "negative", "cumulative_sum"):
            kwargs = {"axis": 0} if name == "cumulative_sum" else {}
            getattr(backend, name)(x, **kwargs)
        backend.index_add(x, 0, 1.0)
        backend.index_put(x, (slice(None), 0), 1.0)
        backend.roll(x, 1)
        assert backend.to_list(x) == [[3.0, 1.0], [2.0, 4.0]]
