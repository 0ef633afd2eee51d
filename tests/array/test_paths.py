"""Every op and array function along every path: all find the gradient that backward finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, concat, replay, stack, where
from smolml_value import Value, ops
from tests.array.by_hand import backward_by_hand
from tests.array.numeric import array, cotangent
from tests.array.operations import ROWS
from tests.array.walk import every_op, operand_count
from tests.value.helpers import close
from tests.value.paths import PATHS, Path, by_backward, leaf, numbers

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


def weighted(y: Any) -> Any:
    """One number, in which each element of y counts differently."""
    return (y * MLArray(cotangent(y.shape), False, backend=y.backend)).sum()


def by_replay(f: Function, xs: Sequence[MLArray]) -> list[Any]:
    """Played back, once it has been recorded."""
    leaves = [leaf(x) for x in xs]
    step = replay(lambda: f(*leaves), leaves)
    step()
    for x in leaves:
        x.zero_grad()
    step()
    return [x.grad() for x in leaves]


def by_elements(f: Function, xs: Sequence[MLArray]) -> list[Any]:
    """As arrays of Values, whose gradients come through the graph of Values."""
    values = [[Value(n) for n in numbers(x)] for x in xs]
    arrays = [
        MLArray(row, backend=x.backend).reshape(x.shape) for row, x in zip(values, xs, strict=True)
    ]
    f(*arrays).backward()
    return [
        MLArray([v.grad for v in row], backend=x.backend).reshape(x.shape)
        for row, x in zip(values, xs, strict=True)
    ]


def by_walk(f: Function, xs: Sequence[MLArray]) -> list[Any]:
    """From element to element, each with its own `_backward`."""
    leaves = [leaf(x) for x in xs]
    backward_by_hand(f(*leaves))
    return [x.grad() for x in leaves]


ALL: dict[str, Path] = PATHS | {
    "replay": by_replay,
    "arrays of Values": by_elements,
    "element by element": by_walk,
}


def check(f: Function, xs: list[MLArray], where: str, paths: dict[str, Path] = ALL) -> None:
    """All paths give what backward gives."""
    want = [numbers(g) for g in by_backward(f, xs)]
    for name, path in paths.items():
        found = path(f, xs)
        for x, g, w in zip(xs, found, want, strict=True):
            got = [g] * len(w) if isinstance(g, float) else numbers(g)  # of what is not reached
            assert isinstance(g, float) or (g.shape, g.dtype) == (x.shape, x.dtype), name
            same = all(a == b or close(a, b, 1e-9, 1e-12) for a, b in zip(got, w, strict=True))
            assert same, f"{where}, {name}: {got}, and backward {w}"


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
    "elements": (lambda x: x * x.data[0] + x.data[1] * x.data[1], ((2,),)),
}
CALLS = {name: (row.ours, row.shapes) for name, row in ROWS.items()} | OTHERS


@pytest.mark.parametrize("name", CALLS)
def test_all_paths_agree_with_backward_for_every_array_function(name: str, backend: str) -> None:
    f, shapes = CALLS[name]
    xs = [MLArray(array(shape, i), backend=backend) for i, shape in enumerate(shapes)]
    left_out = {"replay"} if name == "elements" else set()  # it would read numbers
    if sum(len(numbers(x)) for x in xs) > 8:  # a pass for each of them
        left_out |= {"jacobian by columns, nested", "checkpoint by columns"}
    paths = {key: path for key, path in ALL.items() if key not in left_out}
    check(lambda *xs: weighted(f(*xs)), xs, name, paths)
