"""Products on both backends, against NumPy itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.array.backends.agreement import agree, arrays, oracle, tame_arrays

TOLERANCE: dict[str, Any] = {"rtol": 1e-12, "scale": 1e4}


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Any, Any]:
    """Operands of matmul: 1-D, 2-D and batched, with leading axes that broadcast."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    first, second = shapes.input_shapes
    left = draw(st.sampled_from([(k,), (n, k), (*first, n, k)]))
    right = draw(st.sampled_from([(k,), (k, m), (*second, k, m)]))
    return draw(arrays(left, tame=True)), draw(arrays(right, tame=True))


@given(matrices())
@settings(max_examples=150)
def test_matmul(ab: tuple[Any, Any]) -> None:
    agree("matmul", *ab, **TOLERANCE)


@given(arrays(tame=True), arrays(tame=True))
@settings(max_examples=60)
def test_matmul_of_shapes_that_need_not_align(a: Any, b: Any) -> None:
    agree("matmul", a, b, **TOLERANCE)


@given(hnp.arrays("float64", (2, 3), elements=st.sampled_from([0.0, 1.0, np.inf, -np.inf, np.nan])))
@settings(max_examples=30)
def test_matmul_of_what_is_not_finite(a: Any) -> None:
    def expected(a: Any, b: Any) -> Any:  # BLAS and NumPy's loops must not differ from sums
        with np.errstate(all="ignore"):
            return (a[:, :, None] * b[None]).sum(1)

    agree("matmul", a, np.ones((3, 2)), expected=expected)


@given(arrays())
@settings(max_examples=30)
def test_matrix_transpose(x: Any) -> None:
    agree("matrix_transpose", x)


@given(arrays(), arrays())
@settings(max_examples=40)
def test_outer(x: Any, y: Any) -> None:
    agree("outer", x, y)


@given(st.data())
@settings(max_examples=80)
def test_vecdot(data: st.DataObject) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    k, other = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 9))
    first, second = shapes.input_shapes
    x = data.draw(arrays((*first, k), tame=True))
    y = data.draw(arrays((*second, k if other else 2), tame=True))
    agree("vecdot", x, y, **TOLERANCE)
    agree("vecdot", np.moveaxis(x, -1, 0), np.moveaxis(y, -1, 0), axis=0, **TOLERANCE)


@given(st.data())
@settings(max_examples=80)
def test_tensordot(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    x = data.draw(tame_arrays(shape))
    n = data.draw(st.integers(0, len(shape)))
    y = data.draw(tame_arrays((*shape[len(shape) - n :], 2)))
    agree("tensordot", x, y, axes=n, **TOLERANCE)
    axes = data.draw(st.permutations(range(len(shape))))[:n]
    z = data.draw(tame_arrays((2, *(shape[i] for i in axes))))
    pairs = (tuple(axes), tuple(range(1, n + 1)))
    agree("tensordot", x, z, axes=pairs, expected=oracle("tensordot"), **TOLERANCE)


@given(st.lists(st.integers(0, 3), min_size=3, max_size=4), st.integers(0, 3), st.data())
@settings(max_examples=60)
def test_matmul_of_a_stack_of_matrices_and_one_matrix(
    shape: list[int], m: int, data: st.DataObject
) -> None:
    a = data.draw(arrays(tuple(shape), tame=True)).transpose(1, 0, *range(2, len(shape)))
    b = data.draw(arrays((m, shape[-1]), tame=True)).T  # neither lies in C order
    agree("matmul", a, b, **TOLERANCE)
