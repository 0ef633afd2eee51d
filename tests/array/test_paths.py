"""Every op and array function along every path: all find the gradient that backward finds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, concat, repeat, stack, where
from smolml_value import ops
from tests.array.by_hand import walked
from tests.array.helpers import flat
from tests.array.numeric import array
from tests.array.operations import ROWS
from tests.array.paths import ALL, check, constant, weighted
from tests.array.walk import every_op, operand_count, samples
from tests.value.helpers import close
from tests.value.paths import check_second, numbers

Function = Callable[..., Any]

# Before an op, and after it: partials that are zero or infinite at some of the points.
BEFORE: dict[str, Function] = {
    "alone": lambda x: x,
    "after relu": lambda x: x.relu(),
    "after times 0": lambda x: x * 0.0,
}
AFTER: dict[str, Function] = {
    "before sqrt": lambda x: x.sqrt(),
    "before reciprocal": lambda x: 1.0 / x,
    "before times 0": lambda x: x * 0.0,
}
SHAPES = ((2, 1), (1, 2), (2, 2))  # every point of one operand meets every point of the other


@every_op
def test_all_paths_agree_with_backward_for_every_op(name: str, backend: str) -> None:
    op: Any = ops[name]
    count = operand_count(op)
    shapes = SHAPES[:count] if count > 1 else [(3,)]
    xs = [MLArray(np.resize((0.0, -10.0, 1.0), shape), backend=backend) for shape in shapes]
    for how, g in BEFORE.items():
        check(lambda *xs, g=g: weighted(op(*map(g, xs))), xs, f"{name} {how}")
    for how, g in AFTER.items():
        check(lambda *xs, g=g: weighted(g(op(*xs))), xs, f"{name} {how}")


def assigned(x: Any, y: Any) -> Any:
    """Numbers, arrays and parts assigned to so many elements that it is done in their buffer."""
    z = repeat(x, 40) * 1.0
    z[3] = 2.0
    z[5] = y[0]
    z[10:12] = y
    z[20:22] *= y
    z[41] = 3
    return z.reshape(4, -1).sum(axis=1)


# Array functions beyond those that `operations` lists, each with the shapes of its operands.
OTHERS: dict[str, tuple[Function, tuple[tuple[int, ...], ...]]] = {
    "matmul": (lambda x, y: x @ y, ((2, 3), (3, 2))),
    "matmul of vectors": (lambda x, y: x @ y, ((3,), (3,))),
    **{
        name: (lambda x, name=name: getattr(x, name)(axis=1), ((2, 3),))
        for name in ("sum", "mean", "prod", "max", "min", "var", "std")
    },
    "reshape": (lambda x: x.reshape(3, 2), ((2, 3),)),
    "transpose": (lambda x: x.T * x.T, ((2, 3),)),
    "index": (lambda x: x[::-1, 1:] * x[0, 0], ((2, 3),)),
    "broadcast": (lambda x, y: x * y + y, ((2, 3), (3,))),
    "concat": (lambda x, y: concat([x, y, x], axis=0), ((1, 2), (2, 2))),
    "stack": (lambda x, y: stack([x, y, y]), ((2,), (2,))),
    "where": (lambda x, y: where(x > y, x * y, y), ((2, 2), (2, 2))),
    "assigned": (assigned, ((2,), (2,))),
    "elements": (lambda x: x * x.data[0] + x.data[1] * x.data[1], ((2,),)),
}
CALLS = {name: (row.ours, row.shapes) for name, row in ROWS.items()} | OTHERS


every_call = pytest.mark.parametrize("name", CALLS)


def paths_for(name: str, xs: list[MLArray]) -> dict[str, Any]:
    """Those that are not too many passes, and none that would read numbers while it is recorded."""
    left_out = {"replay"} if name == "elements" else set()
    if sum(len(numbers(x)) for x in xs) > 8:  # a pass for each of them
        left_out |= {"jacobian by columns, nested", "checkpoint by columns", "jvp"}
    return {key: path for key, path in ALL.items() if key not in left_out}


@every_call
def test_all_paths_agree_with_backward_for_every_array_function(name: str, backend: str) -> None:
    f, shapes = CALLS[name]
    xs = [MLArray(array(shape, i), backend=backend) for i, shape in enumerate(shapes)]
    check(lambda *xs: weighted(f(*xs)), xs, name, paths_for(name, xs))


# Where an array function has a kink: zeros, and ties between all elements.
FLAT = {"zeros": 0.0, "ones": 1.0}


@every_call
def test_all_paths_agree_at_zeros_and_ties(name: str, backend: str) -> None:
    f, shapes = CALLS[name]
    for what, number in FLAT.items():
        xs = [MLArray(np.full(shape, number), backend=backend) for shape in shapes]
        few = {key: path for key, path in FEW.items() if key in paths_for(name, xs)}
        check(lambda *xs: weighted(f(*xs)), xs, f"{name} of {what}", few)


# What they take, or find a root of, is a matter of numbers.
SELECTING = ("argsort", "cholesky", "interp", "median", "sort")


def made_from(f: Function, xs: list[MLArray]) -> list[set[tuple[int, int]]]:
    """For the first and the last element of f(*xs): the elements it is made from, by place."""
    places = {v: (i, k) for i, x in enumerate(xs) for k, v in enumerate(flat(x.data))}
    every = flat(f(*xs).data)
    return [{places[v] for v in walked(v) if v in places} for v in (*every[:1], *every[-1:])]


@every_call
def test_elements_are_made_from_the_same_at_zeros_and_ties(name: str, backend: str) -> None:
    f, shapes = CALLS[name]
    if not name.startswith(SELECTING):
        xs = [MLArray(array(shape, i), backend=backend) for i, shape in enumerate(shapes)]
        wanted = made_from(f, xs)
        for number in FLAT.values():
            same = [MLArray(np.full(shape, number), backend=backend) for shape in shapes]
            assert made_from(f, same) == wanted


@every_call
def test_all_ways_to_second_derivatives_agree_for_every_array_function(
    name: str, backend: str
) -> None:
    f, shapes = CALLS[name]
    xs = [MLArray(array(shape, i), backend=backend) for i, shape in enumerate(shapes)]
    us = [constant(x, np.ravel(array(x.shape, f"u{i}"))) for i, x in enumerate(xs)]
    check_second(lambda *xs: weighted(f(*xs).sin()), xs, us, name)


@every_op
def test_all_ways_to_second_derivatives_agree_for_every_op(name: str, backend: str) -> None:
    op: Any = ops[name]
    xs = [MLArray(a, backend=backend) for a in samples(op, SHAPES)]
    us = [constant(x, np.ravel(array(x.shape, f"u{i}"))) for i, x in enumerate(xs)]
    check_second(lambda *xs: weighted(op(*xs)), xs, us, name)


# Some of each kind: reverse and forward, rebuilt, told, watched, played back.
FEW = {
    key: ALL[key]
    for key in (
        *("grad", "jacobian by columns", "gradients", "grad of checkpoint", "explain"),
        *("grad, watched", "replay"),
    )
}


@every_op
def test_all_paths_agree_at_infinities_and_ties(name: str, backend: str) -> None:
    op: Any = ops[name]
    count = operand_count(op)
    for numbers_ in ((math.inf, 0.0, -math.inf), (2.0, 2.0, 2.0), (-0.0, 0.0, 1.0)):
        xs = [MLArray(numbers_, backend=backend) for _ in range(count)]
        check(lambda *xs: weighted(op(*xs)), xs, f"{name} of {numbers_}", FEW)


# Constants of every dtype and form beside a float; and leaves of float32.
CONSTANTS: dict[str, Callable[[MLArray], Any]] = {
    "bool": lambda x: MLArray([True, False], False, dtype="bool", backend=x.backend),
    "int64": lambda x: MLArray([2, 1], False, dtype="int64", backend=x.backend),
    "float64": lambda x: MLArray([0.5, 2.0], False, backend=x.backend),
    "list": lambda x: [0.5, 2.0],
    "list of bool": lambda x: [True, False],
    "ndarray of int": lambda x: np.array([3, 1]),
    "ndarray of bool": lambda x: np.array([True, False]),
    "ndarray of float32": lambda x: np.array([0.5, 2.0], dtype=np.float32),
    "number": lambda x: 2,
    "bool number": lambda x: True,
}
BINARY = [name for name in ops.names() if operand_count(ops[name]) == 2]


@pytest.mark.parametrize("name", BINARY)
def test_all_paths_agree_beside_constants(name: str, backend: str) -> None:
    op: Any = ops[name]
    x = MLArray([1.5, 0.75], backend=backend)
    for form, make in CONSTANTS.items():
        for side in (0, 1):

            def f(v: MLArray, side: int = side, make: Any = make) -> Any:
                return weighted(op(make(v), v) if side == 0 else op(v, make(v)))

            check(f, [x], f"{name}, {('first', 'second')[side]} is a {form}", FEW)
            as_floats = MLArray(np.asarray(_plain(make(x)), dtype=float), False, backend=backend)
            same = [op(as_floats, x), op(x, as_floats)][side].to_list()
            got = [op(make(x), x), op(x, make(x))][side].to_list()
            assert all(close(a, b, 1e-6) for a, b in zip(got, same, strict=True)), (form, side)


def _plain(x: Any) -> Any:
    return x.to_list() if isinstance(x, MLArray) else x


@every_op
def test_all_paths_agree_for_every_op_of_float32(name: str) -> None:
    op: Any = ops[name]
    xs = [MLArray(a, dtype="float32", backend="numpy") for a in samples(op, SHAPES)]
    check(lambda *xs: weighted(op(*xs)), xs, name, tolerance=1e-4)
