"""The pure backend by itself: no NumPy here, the numbers are worked out by hand."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import pytest

from smolml_array.backends import get_backend
from smolml_array.backends.pure.broadcasting import _broadcast_and_apply
from smolml_array.backends.pure.ndarray import NDArray
from tests.children import printed

B = get_backend("pure")


def array(nested: Any) -> Any:
    return B.asarray(nested)


def test_arithmetic() -> None:
    x = array([[1.0, 2.0], [3.0, 4.0]])
    assert (x + 1).tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert (10 - x * array([1.0, 10.0])).tolist() == [[9.0, -10.0], [7.0, -30.0]]
    assert (x @ x).tolist() == [[7.0, 10.0], [15.0, 22.0]]
    assert (x @ array([1.0, 1.0])).tolist() == [3.0, 7.0]
    assert (1 / (x - 1)).tolist() == [[math.inf, 1.0], [0.5, 1 / 3]]
    assert (x**2).tolist() == [[1.0, 4.0], [9.0, 16.0]]
    assert (x > 2).tolist() == [[False, False], [True, True]]


def test_broadcast_and_apply() -> None:
    column, row = array([[1], [2]]), array([10, 20, 30])
    flat, shape = _broadcast_and_apply(lambda a, b: (a, b), column, row)
    assert shape == (2, 3)
    assert flat == [(1, 10), (1, 20), (1, 30), (2, 10), (2, 20), (2, 30)]


def test_shapes_and_reductions() -> None:
    x = B.reshape(B.arange(6), (2, 3))
    assert x.T.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert B.sum(x, axis=0).tolist() == [3, 5, 7]
    assert B.mean(x).item() == 2.5
    assert B.std(x, axis=1).tolist() == pytest.approx([math.sqrt(2 / 3)] * 2)
    assert B.max(x, axis=1, keepdims=True).tolist() == [[2], [5]]
    assert (B.argmax(x).item(), B.argmin(x, axis=1).tolist()) == (5, [0, 0])
    assert x[:, ::-1].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert x[x > 2].tolist() == [3, 4, 5]
    assert x[[1, 0], [0, 2]].tolist() == [3, 2]
    assert x[..., None].shape == (2, 3, 1)


def test_reshaped_arrays_share_the_elements() -> None:
    x = B.zeros((2, 3))
    assert B.reshape(x, (3, 2)).flat is x.flat
    assert B.expand_dims(x, axis=1).flat is x.flat
    assert B.squeeze(B.reshape(x, (1, 6))).flat is x.flat


def test_integers_wrap_around_as_int64() -> None:
    top = array([2**63 - 1])
    assert (top + 1).tolist() == [-(2**63)]
    assert (top * 2).tolist() == [-2]
    assert B.sum(array([2**62, 2**62])).item() == -(2**63)
    assert (array([3]) ** 1000).tolist() == [((3**1000 + 2**63) % 2**64) - 2**63]


def test_one_element_as_a_number() -> None:
    x = array([[2.5]])
    assert (float(x), int(x), bool(x), x.item()) == (2.5, 2, True, 2.5)
    assert [10, 20, 30][array(1)] == 20
    for convert in (float, int, bool):
        with pytest.raises(ValueError, match=r"an array of shape \(2,\) has 2 elements"):
            convert(B.zeros(2))
    with pytest.raises(TypeError, match="only a 0-d int64 array is an index"):
        [1, 2][array(1.0)]


def test_as_a_sequence() -> None:
    x = array([[1, 2], [3, 4]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    for use in (len, iter):
        with pytest.raises(TypeError, match="0-d array: expected at least 1 dimension"):
            use(array(1))


def test_repr() -> None:
    assert repr(array([[1.0, -0.0]])) == "NDArray([[1.0, -0.0]], dtype=float64)"
    assert repr(array(True)) == "NDArray(True, dtype=bool)"
    many = repr(B.zeros((20, 30)))
    assert many == ("NDArray(0.0, 0.0, 0.0, ..., 0.0, 0.0, 0.0, shape=(20, 30), dtype=float64)")


def test_operators_leave_strangers_to_the_other_side() -> None:
    class Stranger:
        def __radd__(self, other: object) -> str:
            return f"met {type(other).__name__}"

    assert array([1.0]) + Stranger() == "met NDArray"
    with pytest.raises(TypeError, match="unsupported operand"):
        array([1.0]) + "a"
    with pytest.raises(TypeError, match="unsupported operand"):
        array([1.0]) @ 2.0
    assert (array([1.0]) == "a") is False
    with pytest.raises(TypeError, match="unhashable"):
        hash(array([1.0]))


def test_nothing_is_hidden_in_the_result_of_an_operation() -> None:
    x = array([1.0, 2.0])
    y = x + x
    assert isinstance(y, NDArray)
    assert y.flat is not x.flat


def test_works_and_says_what_is_missing_without_numpy() -> None:
    program = textwrap.dedent("""
        import sys
        sys.modules["numpy"] = None  # as if it were not installed
        from smolml_array.backends import get_backend
        B = get_backend("pure")
        print(B.to_list(B.matmul(B.ones((2, 3)), B.ones(3))), B.asarray([[1, 2]]).T.tolist())
        try:
            get_backend("numpy")
        except ImportError as error:
            print(error)
    """)
    assert printed(program).splitlines() == [
        "[3.0, 3.0] [[1], [2]]",
        "the numpy backend needs NumPy >= 2, which is not installed: pip install numpy",
    ]
