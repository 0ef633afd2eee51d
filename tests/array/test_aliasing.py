"""Memory shared with others: nothing that anybody writes to changes an array or its gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from smolml_array import (
    MLArray,
    concat,
    einsum,
    from_dlpack,
    outer,
    pad,
    repeat,
    roll,
    stack,
    take_along_axis,
    where,
)
from smolml_value import Value

LARGE = 300  # large enough for buffers that a small case might not share


def _numbers(seed: int) -> Any:
    return np.random.default_rng(seed).uniform(0.5, 2.0, (LARGE, 3))


def _mask() -> Any:
    return _numbers(7) > 1.2


# Each gives an array computed from x and from an ndarray `a` (or others made by _given).
TAKEN: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "constructor": lambda x, g: x * MLArray(g["a"]),
    "constant": lambda x, g: x * MLArray(g["a"], requires_grad=False),
    "float32": lambda x, g: x * MLArray(g["a"], dtype="float64"),
    "nested": lambda x, g: x * MLArray([g["a"][i] for i in range(LARGE)]),
    "right": lambda x, g: x * g["a"],
    "left": lambda x, g: g["a"] / x,
    "ufunc": lambda x, g: np.multiply(x, g["a"]),
    "function": lambda x, g: np.concatenate([x * x, g["a"]]) * 2.0,
    "strided": lambda x, g: x * g["wide"][:, ::2],
    "transposed": lambda x, g: x.T * g["a"].T,
    "broadcast": lambda x, g: x * np.broadcast_to(g["row"], (LARGE, 3)),
    "scalar": lambda x, g: x * g["scalar"],
    "matmul": lambda x, g: x @ g["square"],
    "rmatmul": lambda x, g: g["square"] @ x.T,
    "maximum": lambda x, g: (x * x).maximum(g["a"]),
    "where": lambda x, g: where(g["mask"], x * x, g["a"]),
    "concat": lambda x, g: concat([x * x, g["a"]]) ** 2,
    "stack": lambda x, g: stack([x, g["a"]]).prod(axis=0),
    "indices": lambda x, g: x[g["index"]] * x[g["index"]],
    "mask": lambda x, g: x[g["mask"]] ** 2,
    "ensure_array": lambda x, g: x * MLArray.ensure_array(g["a"]),
    "setitem": lambda x, g: _put(x, g["a"]),
    "update_values": lambda x, g: x * MLArray(np.ones((LARGE, 3))).update_values(g["a"]),
    "data": lambda x, g: x * _with_data(g["a"]),
    "dlpack": lambda x, g: x * from_dlpack(g["a"]).to_backend(x.backend),
    "namespace": lambda x, g: x * x.__array_namespace__().asarray(g["a"]),
    "from_dlpack": lambda x, g: x * x.__array_namespace__().from_dlpack(g["a"]),
    "clip": lambda x, g: x.__array_namespace__().clip(x * x, g["low"], g["a"]),
    "einsum": lambda x, g: einsum("ij,ij->i", x, g["a"]),
    "outer": lambda x, g: outer(x[:2], g["row"]),
    "pad": lambda x, g: pad(x, 1, constant_values=g["scalar"]),
    "repeat": lambda x, g: repeat(x, g["many"], axis=0),
    "roll": lambda x, g: roll(x * x, 1) - g["a"],
    "take_along_axis": lambda x, g: take_along_axis(x, g["index"][:, None], axis=0),
    "take": lambda x, g: np.take(x * x, g["index"], axis=0),
}


def _put(x: Any, a: Any) -> Any:
    y = x * 1.0
    y[...] = a
    return y * x


def _with_data(a: Any) -> Any:
    y = MLArray(np.ones((LARGE, 3)))
    y.data = a
    return y


def _given() -> dict[str, Any]:
    return {
        "a": _numbers(1),
        "wide": np.repeat(_numbers(2), 2, axis=1),
        "row": _numbers(3)[0],
        "scalar": np.array(1.5),
        "square": _numbers(4)[:3],
        "mask": _mask(),
        "index": np.arange(LARGE)[::-1].copy(),
        "many": np.arange(LARGE) % 3,
        "low": _numbers(5) * 0.1,
    }


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_ndarrays_changed_after_they_were_given(backend: str, name: str) -> None:
    results = []
    for tamper in (False, True):
        x, given = MLArray(_numbers(0)), _given()
        out = TAKEN[name](x, given)
        if tamper:
            for array in given.values():
                array[...] = 0
        (out * out).sum().backward()
        results.append((out.to_list(), x.grad().to_list()))
    assert results[0] == results[1]


def _written(out: Any) -> None:
    """Try to write to everything that somebody got; where that is refused, it is fine."""
    with contextlib.suppress(ValueError):
        out[...] = 1e6


def _unchecked(x: Any) -> Any:
    return x


EXITS: dict[str, Callable[[MLArray], Any]] = {
    "asarray": np.asarray,
    "asanyarray": np.asanyarray,
    "array": np.array,
    "float32": lambda x: np.asarray(x, np.float32),
    "ravel": lambda x: np.asarray(x).ravel(),
    "from_dlpack": np.from_dlpack,
    "frombuffer": lambda x: np.asarray(memoryview(_unchecked(np.asarray(x)))),
    "transposed": lambda x: np.asarray(x.T),
    "window": lambda x: np.asarray(x[:1]),
    "column": lambda x: np.asarray(x[:, 0]),
    "reshaped": lambda x: np.asarray(x.reshape(-1)),
    "detached": lambda x: np.asarray(x.detach()),
    "copied handle": lambda x: np.asarray(MLArray(x)),
    "namespace": lambda x: np.asarray(x.__array_namespace__().asarray(x)),
    "broadcast": lambda x: np.asarray(x.broadcast_to((2, *x.shape))),
    "list": lambda x: np.asarray(x.to_list()),
}


def _program(x: Any, w: Any) -> Iterator[Any]:
    """Every array of a small graph, as it is made."""
    yield x
    yield w
    hidden = x @ w
    yield hidden
    bent = hidden.tanh()
    yield bent
    yield bent.T
    weighed = bent * bent / (1.0 + bent.exp())
    yield weighed
    yield weighed.sum(axis=0)
    yield (weighed - weighed.max()).exp().prod(axis=1) + weighed.std(axis=1)


@pytest.mark.parametrize("name", sorted(EXITS))
def test_results_that_are_written_to(backend: str, name: str) -> None:
    results = []
    for tamper in (False, True):
        x, w = MLArray(_numbers(0)), MLArray(_numbers(1)[:3])
        made = []
        for array in _program(x, w):
            made.append(array)
            if tamper and array.ndim > 1:
                _written(EXITS[name](array))
        made[-1].sum().backward()
        if tamper:
            for array in made:
                if array.ndim > 1:
                    _written(EXITS[name](array))
                    _written(EXITS[name](array.grad()))
        made[-1].sum().backward()  # what was accumulated must be untouched too
        results.append([(a.to_list(), a.grad().to_list()) for a in made])
    assert results[0] == results[1]


def test_what_was_handed_out_does_not_change_either(backend: str) -> None:
    x = MLArray(_numbers(0))
    y = x * x
    y.backward()
    seen = [np.asarray(x), np.asarray(y), np.asarray(x.grad()), np.from_dlpack(x)]
    before = [a.copy() for a in seen]
    y.backward()
    x[0] = 0.0
    x.update_values(_numbers(1))
    x.data[1][0].data = 7.0
    x -= 0.1 * x.grad()
    x.zero_grad()
    for a, b in zip(seen, before, strict=True):
        assert np.array_equal(a, b)


def test_an_optimizers_step_leaves_what_was_handed_out() -> None:
    optimizers: Any = pytest.importorskip("smolml_utils")
    for optimizer in (
        optimizers.SGD(0.1),
        optimizers.SGDMomentum(0.1),
        optimizers.Adam(0.1),
        optimizers.AdamW(0.1),
        optimizers.AdaGrad(0.1),
        optimizers.RMSProp(0.1),
    ):
        w = MLArray(_numbers(0))
        recorded = w * w
        for _ in range(3):
            seen, before = np.asarray(w), w.to_list()
            (w * w).sum().backward()
            slope, slope_before = np.asarray(w.grad()), w.grad().to_list()
            optimizer.step([w])
            assert seen.tolist() == before
            assert slope.tolist() == slope_before
            w.restart()
        recorded.backward()  # with the numbers it was made with


def test_values_that_change_after_an_array_took_them(backend: str) -> None:
    v = Value(2.0)
    x = MLArray([v, 3.0])
    y = x * x
    v.data = 100.0
    y.backward()
    assert v.grad == 4.0
