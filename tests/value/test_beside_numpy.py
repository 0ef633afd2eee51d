"""Values beside NumPy: its scalars, its ufuncs and its arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from smolml_value import Value, ops
from tests.children import printed

np = pytest.importorskip("numpy")

UFUNCS = {
    **{n: n for n in ops.names() if isinstance(getattr(np, n, None), np.ufunc)},
    **{f"arc{n}": f"a{n}" for n in ("cos", "cosh", "sin", "sinh", "tan", "tanh")},
    "absolute": "abs",
    "arctan2": "atan2",
    "fabs": "abs",
    "float_power": "pow",
    "power": "pow",
    "rint": "round",
    "true_divide": "divide",
}


@pytest.mark.parametrize("name", sorted(UFUNCS))
def test_ufuncs_of_values_are_our_ops(name: str) -> None:
    ufunc: Any = getattr(np, name)
    op: Any = ops[UFUNCS[name]]
    numbers = [0.25 * low + 0.75 * high for low, high in op.domain]
    values = [Value(x) for x in numbers]
    out, want = ufunc(*values), op(*map(Value, numbers))
    assert type(out) is Value
    assert (out.data, out._op, out._children) == (want.data, want._op, tuple(values))
    assert out.data == pytest.approx(float(ufunc(*numbers)), rel=1e-14)
    if len(values) == 2:
        for mixed in (ufunc(numbers[0], values[1]), ufunc(values[0], np.float32(numbers[1]))):
            assert type(mixed) is Value
            assert mixed.data == pytest.approx(want.data, rel=1e-6)


def test_ufuncs_that_answer_without_a_gradient() -> None:
    v = Value(-math.inf)
    assert [bool(f(v)) for f in (np.isfinite, np.isinf, np.isnan, np.signbit)] == [
        *(False, True, False, True)
    ]
    for compare in (np.less, np.greater_equal, np.equal):
        assert compare(v, 1.0) is compare(-math.inf, 1.0).item()
    calls: list[Callable[[], Any]] = [
        *(lambda: np.gcd(v, v), lambda: np.modf(v), lambda: np.add(v, v, dtype="f4")),
        *(lambda: np.add.reduce(v), lambda: np.sin(v, where=False)),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"np\..*: there is no such function of Values"):
            call()


def test_an_array_of_values_stays_one() -> None:
    v, w = Value(2.0), Value(3.0)
    both = np.array([v, w])
    for made in (both * v, v * both, np.multiply(both, v)):
        assert made.dtype == object
        assert [x.data for x in made] == [4.0, 6.0]
        assert made[1]._prev == {v, w}
    assert np.array([v, w])[1] is w
    assert [x.data for x in np.exp(both)] == [v.exp().data, w.exp().data]


def test_beside_an_ndarray_a_value_needs_arrays() -> None:
    program = """
import numpy as np, sys
from smolml_value import Value, ops
v, a = Value(2.0), np.array([1.0, 2.0])
for call in (lambda: v * a, lambda: a * v, lambda: v < a, lambda: ops.sin(a),
             lambda: np.add(v, a), lambda: ops.maximum(v, a)):
    try:
        print(call())
    except TypeError as error:
        print(error)
print((np.float64(2.0) * v).data, np.exp(Value(0.0)).data, "smolml_array" in sys.modules)
"""
    said = [
        f"{name}: got a ndarray, with which MLArrays compute; import smolml_array"
        for name in ("np.multiply", "np.multiply", "np.greater", "sin", "np.add", "maximum")
    ]
    lines = printed(program).splitlines()
    assert [line for line in lines if "got a" in line] == said
    assert lines[-1] == "4.0 1.0 False"
