"""Which arrays count as an integer: those of one integer that have no axis."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, arange, eye, ones, pad, repeat, roll, split, zeros


def integers(*numbers: Any) -> MLArray:
    return MLArray(list(numbers), dtype="int64")


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (2,)])
@pytest.mark.parametrize("dtype", ["int64", "bool", "float64"])
def test_as_numpy_decides(backend: str, dtype: str, shape: tuple[int, ...]) -> None:
    theirs: Any = np.ones(shape, dtype)
    ours = MLArray(theirs, dtype=dtype)
    for use in (operator.index, lambda x: range(5)[x]):
        try:
            want = use(theirs)
        except TypeError:
            with pytest.raises(TypeError):
                use(ours)
        else:
            assert use(ours) == want


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_batch_of_one_is_a_batch(backend: str, count: int) -> None:
    x = np.arange(2.0 * count).reshape(count, 2)
    ours = MLArray(x)
    labels = np.array(["a", "b"])
    keys: list[Callable[[Any], Any]] = [
        lambda x: labels[x.argmax(axis=1)],
        lambda x: np.arange(count)[x[:, 0] > 0.5],
        lambda x: np.arange(count)[x[:, 0] > -1.0],
        lambda x: np.eye(2)[x.argmax(axis=1)],
        lambda x: np.take(labels, x.argmax(axis=1)),
    ]
    for pick in keys:
        got, want = pick(ours), pick(x)
        assert got.shape == want.shape
        assert got.tolist() == want.tolist()
    own: list[Callable[[Any], Any]] = [
        lambda x: arange(2)[x.argmax(axis=1)],
        lambda x: eye(2)[x.argmax(axis=1)],
        lambda x: x[x[:, 0] > -1.0],
    ]
    for pick in own:
        assert len(pick(ours)) == count


SEQUENCES: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "reshape": (lambda n: zeros(4).reshape(n), [2, 2]),
    "reshape to one axis": (lambda n: zeros(2, 2).reshape(n), [4]),
    "zeros": (lambda n: zeros(n), [2, 3]),
    "transpose": (lambda n: ones(2, 3).transpose(n), [1, 0]),
    "sum": (lambda n: ones(2, 3).sum(axis=n), [1]),
    "roll": (lambda n: roll(arange(3), n), [1]),
    "roll of two axes": (lambda n: roll(eye(3), n, axis=(0, 1)), [1, 2]),
    "split": (lambda n: [piece.to_list() for piece in split(arange(4), n)], [1]),
    "repeat": (lambda n: repeat(arange(1), n), [2]),
    "pad": (lambda n: pad(arange(2), n), [1]),
    "pad of two axes": (lambda n: pad(ones(1, 2), n), [1, 2]),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_integers_in_an_array_are_as_those_in_a_list(backend: str, name: str) -> None:
    f, given = SEQUENCES[name]
    want = f(given)
    shown = want if isinstance(want, list) else want.to_list()
    for form in (np.array(given), integers(*given)):
        got = f(form)
        assert (got if isinstance(got, list) else got.to_list()) == shown


def test_the_error_says_what_to_do(backend: str) -> None:
    with pytest.raises(TypeError, match=r"without axes, got one of int64 and shape \(1,\); use in"):
        operator.index(integers(3))
    assert int(integers(3)) == 3
