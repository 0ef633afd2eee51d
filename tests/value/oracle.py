"""An independent definition of every built-in op in arbitrary precision, and where to look hard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
from mpmath import mp

Exact = Callable[..., Any]


def _clip(x: Any, *, min: float, max: float) -> Any:
    return mpmath.mpf(min) if x < min else mpmath.mpf(max) if x > max else x


def _real_power(x: Any, y: Any) -> Any:
    return mp.power(x, y)


ORACLE: dict[str, Exact] = {
    "abs": lambda x: -x if x < 0 else x,
    "acos": mp.acos,
    "acosh": mp.acosh,
    "add": lambda x, y: x + y,
    "asin": mp.asin,
    "asinh": mp.asinh,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "atanh": mp.atanh,
    "ceil": mp.ceil,
    "clip": _clip,
    "cos": mp.cos,
    "cosh": mp.cosh,
    "divide": lambda x, y: x / y,
    "elu": lambda x, *, alpha: x if x > 0 else alpha * (mp.exp(x) - 1),
    "erf": mp.erf,
    "exp": mp.exp,
    "expm1": lambda x: mp.exp(x) - 1,
    "floor": mp.floor,
    "floor_divide": lambda x, y: mp.floor(x / y),
    "gelu": lambda x: x * mp.ncdf(x),
    "hypot": lambda x, y: mp.sqrt(x * x + y * y),
    "leaky_relu": lambda x, *, alpha: x if x > 0 else alpha * x,
    "log": mp.log,
    "log10": lambda x: mp.log(x) / mp.log(10),
    "log1p": lambda x: mp.log(1 + x),
    "log2": lambda x: mp.log(x) / mp.log(2),
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "maximum": lambda x, y: x if x > y else y,
    "minimum": lambda x, y: x if x < y else y,
    "multiply": lambda x, y: x * y,
    "negative": lambda x: -x,
    "positive": lambda x: +x,
    "pow": _real_power,
    "reciprocal": lambda x: 1 / x,
    "remainder": lambda x, y: x - y * mp.floor(x / y),
    "relu": lambda x: x if x > 0 else mpmath.mpf(0),
    "round": mp.nint,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "sign": mp.sign,
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "sin": mp.sin,
    "sinh": mp.sinh,
    "softplus": lambda x: mp.log(1 + mp.exp(x)),
    "sqrt": mp.sqrt,
    "square": lambda x: x * x,
    "subtract": lambda x, y: x - y,
    "tan": mp.tan,
    "tanh": mp.tanh,
    "trunc": lambda x: mp.floor(x) if x >= 0 else mp.ceil(x),
    "where": lambda condition, x, y: x if condition != 0 else y,
}
"""Built-in op -> the same function of mpmath numbers."""

PARAMETERS: dict[str, list[dict[str, float]]] = {
    "clip": [{"min": -0.6, "max": 0.9}],
    "elu": [{"alpha": 1.0}, {"alpha": 1.7}, {"alpha": -0.3}],
    "leaky_relu": [{"alpha": 0.01}, {"alpha": 0.3}, {"alpha": -0.5}],
}
"""Built-in op with parameters -> values of them to try."""

_FAR = (-745.0, -700.0, -40.0, -1e-9, -1e-300, 1e-300, 1e-9, 40.0, 700.0)
_SMALL = (-1e-3, -1e-8, -1e-17, -1e-300, 1e-300, 1e-17, 1e-8, 1e-3)

DELICATE: dict[str, Sequence[tuple[float, ...]]] = {
    "acos": [(-0.999999,), (0.999999,), (1e-17,)],
    "acosh": [(1.0000001,), (1e8,), (1e155,), (1e300,)],
    "add": [(1e300, -1e284), (1e-320, 1e-320)],
    "asin": [(-0.999999,), (0.999999,), *((x,) for x in _SMALL)],
    "asinh": [*((x,) for x in _SMALL), (-1e155,), (1e300,)],
    "atan": [*((x,) for x in _SMALL), (-1e100,), (1e100,)],
    "atan2": [
        *[(1e-200, 1e-200), (1e200, -1e200), (1e-170, 0.0), (0.0, 1e-170), (1e160, 1.0)],
        *[(1.0, 1e160), (-1e-20, 1.0), (1.0, -1e-20), (0.0, 1e300)],
    ],
    "atanh": [(-0.999999,), (0.9999999999,), *((x,) for x in _SMALL)],
    "cosh": [(-700.0,), (1e-9,), (700.0,)],
    "divide": [(1e-200, 1e150), (1e200, 1e-100), (1.0, 1e-160), (1e-300, 1e300), (3.0, -1e200)],
    "elu": [(x,) for x in (*_FAR, -1e308, 1e308)],
    "erf": [*((x,) for x in _SMALL), (5.0,), (-5.0,), (20.0,)],
    "exp": [(x,) for x in (*_FAR, 709.0)],
    "expm1": [(x,) for x in (*_FAR, 709.0)],
    "floor_divide": [(1e-17, 3.0), (-1e-8, 1e3), (1e15, 3.0), (7.5, -2.0), (-1e-300, 1e300)],
    "gelu": [
        *[*((x,) for x in _SMALL), (-2.5,), (5.0,), (40.0,), (1e20,), (1e308,)],
        *[(-5.5,), (-8.0,), (-10.0,), (-40.0,)],
    ],
    "hypot": [(1e200, 1e200), (1e-200, 1e-200), (3e300, 4e300), (1e-170, 0.0), (1.0, 1e-30)],
    "leaky_relu": [(-1e308,), (1e308,), (-1e-308,)],
    "log": [(1e-300,), (0.999999999,), (1.000000001,), (1e300,)],
    "log10": [(1e-300,), (1e300,), (1e308,)],
    "log1p": [*((x,) for x in _SMALL), (-0.999999,), (1e300,)],
    "log2": [(1e-300,), (1e300,), (1e308,)],
    "logaddexp": [
        *[(1000.0, 1000.0), (-1000.0, -1000.0), (0.0, 700.0), (700.0, 0.0), (1e5, -1e5)],
        *[(-3.0, -700.0), (1e300, 1e300), (40.0, 0.0), (0.0, -40.0)],
    ],
    "multiply": [(1e200, 1e100), (1e-200, -1e-100), (1e-160, 1e160)],
    "pow": [
        *[(1e-300, 0.5), (1e-300, -0.5), (1e300, 0.5), (1e100, 3.0), (1e-100, 3.0)],
        *[(0.999999, 1e6), (1.000001, 1e6), (2.0, -1000.0), (1e155, -1.0), (1e5, 1e-20)],
    ],
    "reciprocal": [(1e-150,), (-1e-150,), (1e150,), (1e-308,), (1e300,)],
    "remainder": [(1e-17, 3.0), (-1e-8, 1e3), (1e16, 3.0), (7.5, -2.0), (1e-300, 1e-310)],
    "relu": [(1e308,), (-1e308,), (1e-308,)],
    "sigmoid": [(x,) for x in (*_FAR, -710.0)],
    "silu": [(x,) for x in (*_FAR[1:], -710.0, 1e6, 1e16, 1e20, 1e308, -1e308)],
    "sin": [*((x,) for x in _SMALL), (1e5,), (-1e9,)],
    "sinh": [*((x,) for x in _SMALL), (-700.0,), (700.0,)],
    "softplus": [(x,) for x in (*_FAR, 1e300, -1e300)],
    "sqrt": [(1e-300,), (1e300,), (5e-324,)],
    "square": [(1e-160,), (1e150,), (-1e150,)],
    "tan": [*((x,) for x in _SMALL), (1.5707963,), (1e5,)],
    "tanh": [*((x,) for x in _SMALL), (-20.0,), (20.0,), (400.0,)],
}
"""Built-in op -> points where a naive formula loses digits, overflows or underflows."""


def slope(f: Exact, xs: Sequence[float], i: int) -> Any:
    """d f / d xs[i] by a central difference of relative step 10**-(digits / 3)."""
    at = [mpmath.mpf(x) for x in xs]
    h = (abs(at[i]) or mpmath.mpf(1)) * mpmath.mpf(10) ** (-(mp.dps // 3))

    def value(shift: Any) -> Any:
        return f(*at[:i], at[i] + shift, *at[i + 1 :])

    return (value(h) - value(-h)) / (2 * h)


def second(f: Exact, xs: Sequence[float], i: int, j: int) -> Any:
    """d2 f / d xs[i] d xs[j] by central differences, of relative step 10**-(digits / 4)."""
    at = [mpmath.mpf(x) for x in xs]
    steps = [(abs(x) or mpmath.mpf(1)) * mpmath.mpf(10) ** (-(mp.dps // 4)) for x in at]

    def value(a: int, b: int) -> Any:
        moved = [*at]
        moved[i] += a * steps[i]
        moved[j] += b * steps[j]
        return f(*moved)

    if i == j:
        return (value(1, 0) - 2 * value(0, 0) + value(-1, 0)) / steps[i] ** 2
    corners = value(1, 1) - value(1, -1) - value(-1, 1) + value(-1, -1)
    return corners / (4 * steps[i] * steps[j])
