"""The table of kinks on arrays, nan that must not leak, and plugin ops whose rules are wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, maximum, minimum, where
from smolml_value import GraphError, OpError, elementwise
from tests.array.helpers import assert_close, gradient

# Kinks and singular points -------------------------------------------------------------------

nan, inf = math.nan, math.inf
KINKS: list[tuple[str, Callable[[MLArray], MLArray], list[float], list[float]]] = [
    ("relu at 0", lambda x: x.relu(), [-1.0, 0.0, -0.0, 1.0], [0.0, 0.0, 0.0, 1.0]),
    ("abs at 0", abs, [-1.0, 0.0, 2.0], [-1.0, 0.0, 1.0]),
    ("sign", lambda x: x.sign(), [-1.0, 0.0, 2.0], [0.0, 0.0, 0.0]),
    ("leaky_relu", lambda x: x.leaky_relu(0.2), [-1.0, 0.0, 1.0], [0.2, 0.2, 1.0]),
    ("elu", lambda x: x.elu(2.0), [-100.0, 0.0, 1.0], [2.0 * math.exp(-100.0), 2.0, 1.0]),
    ("clip", lambda x: x.clip(-1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 0.0]),
    ("maximum at a tie", lambda x: maximum(x, 1.0), [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]),
    ("minimum at a tie", lambda x: minimum(x, 1.0), [0.0, 1.0, 2.0], [1.0, 0.5, 0.0]),
    ("max, the first", lambda x: x.max(), [2.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
    ("min, the first", lambda x: x.min(), [2.0, 1.0, 1.0], [0.0, 1.0, 0.0]),
    ("std of equals", lambda x: x.std(), [3.0, 3.0], [0.0, 0.0]),
    ("x ** 2 at 0", lambda x: x**2, [0.0, -1.0], [0.0, -2.0]),
    ("x ** 0 at 0", lambda x: x**0, [0.0, 2.0], [0.0, 0.0]),
    ("0 ** y", lambda x: 0**x, [2.0, 0.0], [0.0, 0.0]),
    ("sqrt at 0", lambda x: x.sqrt(), [0.0, 4.0], [inf, 0.25]),
    ("log at 0", lambda x: x.log(), [0.0, 2.0], [inf, 0.5]),
    ("1 / x at 0", lambda x: 1 / x, [0.0, 2.0], [-inf, -0.25]),
    ("sqrt below 0", lambda x: x.sqrt(), [-1.0, 1.0], [nan, 0.5]),
    ("sqrt, not taken", lambda x: where(x > 0, x.sqrt(), 0), [0.0, 4.0], [0.0, 0.25]),
    ("log, not taken", lambda x: where(x > 0, x.log(), 0), [0.0, -1.0], [0.0, 0.0]),
    ("sqrt with a zero cotangent", lambda x: x.sqrt() * 0.0, [0.0, 1.0], [0.0, 0.0]),
    ("a branch behind max", lambda x: (1 / x).min(), [0.0, -2.0], [0.0, -0.25]),
    ("hypot at 0", lambda x: x.hypot(0.0), [0.0, -2.0], [0.0, -1.0]),
    ("softplus far out", lambda x: x.softplus(), [-1000.0, 1000.0], [0.0, 1.0]),
    ("sigmoid far out", lambda x: x.sigmoid(), [-1000.0, 1000.0], [0.0, 0.0]),
]


@pytest.mark.parametrize(("name", "f", "at", "want"), KINKS, ids=[k[0] for k in KINKS])
def test_conventions(
    backend: str, name: str, f: Callable[[MLArray], MLArray], at: list[float], want: list[float]
) -> None:
    x = MLArray(at)
    f(x).backward()
    assert_close(gradient(x), want)


# Plugin ops that are wrong -------------------------------------------------------------------


def grows(xp: Any, x: Any) -> Any:
    return xp.concat([xp.reshape(x, (-1,))] * 2)


WRONG: list[tuple[str, Any, type[Exception], str]] = [
    (
        "a partial of another shape",
        elementwise("bad_partial", lambda xp, x: x * 1.0, (lambda xp, out, x: grows(xp, x),)),
        GraphError,
        r"bad_partial: .*operand 0 gave the shape \(4,\)",
    ),
    (
        "a partial that broadcasts to more",
        elementwise("bad_wide", lambda xp, x: x * 1.0, (lambda xp, o, x: xp.ones((3, 2)),)),
        GraphError,
        r"bad_wide: .*operand 0 gave the shape \(3, 2\)",
    ),
    (
        "a vjp of another shape",
        elementwise("bad_vjp", lambda xp, x: x * 1.0, vjp=lambda xp, g, o, x: (grows(xp, g),)),
        GraphError,
        r"bad_vjp: .*operand 0 gave the shape \(4,\)",
    ),
    (
        "a vjp without its comma",
        elementwise("no_comma", lambda xp, x: x * 1.0, vjp=lambda xp, g, o, x: g),
        GraphError,
        r"no_comma: its vjp returned .*expected a tuple of 1",
    ),
    (
        "a vjp with one cotangent too many",
        elementwise("too_many", lambda xp, x: x * 1.0, vjp=lambda xp, g, o, x: (g, g)),
        GraphError,
        r"too_many: its vjp returned .*expected a tuple of 1",
    ),
    (
        "a forward of another shape",
        elementwise("bad_forward", grows, (1.0,)),
        OpError,
        r"bad_forward: its forward gave the shape \(4,\)",
    ),
]


@pytest.mark.parametrize(("name", "op", "error", "said"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_rule_raises_and_names_its_op(
    backend: str, name: str, op: Any, error: type[Exception], said: str
) -> None:
    x = MLArray([1.0, 2.0])
    x.backward()
    with pytest.raises(error, match=said):
        (op(x) * x).backward()
    assert gradient(x) == [1.0, 1.0]
    (x * x).backward()
    assert gradient(x) == [3.0, 5.0]


def test_an_operand_that_a_vjp_gives_none_for_has_no_gradient(backend: str) -> None:
    first = elementwise("first", lambda xp, x, y: x * y, vjp=lambda xp, g, out, x, y: (g * y, None))
    x, y = MLArray([1.0, 2.0]), MLArray([3.0, 4.0])
    first(x, y).sum().backward()
    assert x.grad().to_list() == [3.0, 4.0]
    assert y.grad().to_list() == [0.0, 0.0]
