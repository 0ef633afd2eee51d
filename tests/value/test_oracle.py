"""Every built-in op against mpmath: forward to 1e-14 and partials to 1e-12, relative."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import mpmath
import pytest
from mpmath import mp

from smolml_value import Op, ops
from smolml_value.table import TABLE
from tests.value.helpers import TINY, close, gradients, samples
from tests.value.oracle import DELICATE, ORACLE, PARAMETERS, second, slope

CASES = [(name, params) for name in sorted(ORACLE) for params in PARAMETERS.get(name, [{}])]
ON_DOMAIN = 60  # digits: an error of the oracle is far below one of ours
AT_EDGES = 1000  # and where 1 + exp(-745) must not round to 1

every_op = pytest.mark.parametrize(
    ("name", "params"), CASES, ids=[f"{name}{params or ''}" for name, params in CASES]
)


def test_the_oracle_knows_exactly_the_built_in_ops() -> None:
    assert set(ORACLE) == set(TABLE)
    assert {row.name for row in ops.info() if row.status == "built-in"} == set(ORACLE)
    assert set(PARAMETERS) == {name for name, op in TABLE.items() if op.params}
    assert set(DELICATE) <= set(ORACLE)


def _as_float(x: Any) -> float:
    """The nearest float; mpmath's own conversion loses the subnormal ones."""
    x = mpmath.mpf(x)
    if x and abs(x) < mpmath.mpf(2) ** -1022:
        return float(mp.nint(x / mpmath.mpf(TINY))) * TINY
    try:
        return float(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def _compare(op: Op, params: dict[str, float], points: list[tuple[float, ...]]) -> None:
    def exact(*xs: Any) -> Any:
        return ORACLE[op.name](*xs, **params)

    bound = op.bind(**params)
    for xs in points:
        want = _as_float(exact(*map(mpmath.mpf, xs)))
        assert close(bound(*xs), want, 1e-14), xs
        got = gradients(bound, *xs)
        for i, partial in enumerate(got):
            wanted = _as_float(slope(exact, xs, i))
            assert close(partial, wanted, 1e-12), (xs, i, partial, wanted)


def _smooth(op: Op, params: dict[str, float], xs: tuple[float, ...]) -> bool:
    """Whether no kink or jump is so near that the oracle's step could cross it."""
    if op.name in {"maximum", "minimum"}:
        return abs(xs[0] - xs[1]) > 1e-6
    if op.name == "round":
        return abs(xs[0] % 1.0 - 0.5) > 1e-6
    if op.name in {"floor", "ceil", "trunc"}:
        return abs(xs[0] - round(xs[0])) > 1e-6
    if op.name in {"floor_divide", "remainder"}:
        quotient = mpmath.mpf(xs[0]) / xs[1]
        return bool(abs(quotient) < 1e8 and abs(quotient - mpmath.nint(quotient)) > 1e-6)
    return all(abs(xs[0] - bound) > 1e-6 for bound in params.values())


@every_op
def test_on_its_domain(name: str, params: dict[str, float]) -> None:
    op = TABLE[name]
    points = [xs for xs in samples(op, 20) if _smooth(op, params, xs)]
    assert len(points) >= 15
    with mp.workdps(ON_DOMAIN):
        _compare(op, params, points)


@every_op
def test_where_it_is_delicate(name: str, params: dict[str, float]) -> None:
    with mp.workdps(AT_EDGES):
        _compare(TABLE[name], params, list(DELICATE.get(name, [])))


# The whole range: no tail loses its digits ------------------------------------------------------

_HALF = (
    *(1e-300, 1e-160, 1e-17, 1e-8, 1e-3, 0.1, 0.5, 0.9, 1.5, 2.2, 3.3, 5.5, 8.0, 12.0, 20.0, 37.0),
    *(40.0, 100.0, 354.0, 360.0, 372.0, 700.0, 709.9, 720.0, 744.0, 1e3, 1e8, 1e16, 1e155, 1e300),
)
WHOLE_RANGE = (*(-x for x in reversed(_HALF)), *_HALF)
SPARSE = tuple(s * x for s in (-1.0, 1.0) for x in (1e-160, 0.01, 0.3, 2.0, 38.0, 710.0))
EPSILON = 2.0**-52


def _real(f: Any, *args: Any) -> Any:
    """What the oracle says; None where it has no real number."""
    try:
        y = f(*args)
    except (ValueError, ZeroDivisionError, OverflowError, mpmath.libmp.ComplexResult):
        return None
    return None if isinstance(y, mpmath.mpc) or mpmath.isnan(y) else y


def _is_near(xs: tuple[float, ...], got: float, want: Any, slopes: Any) -> bool:
    """Within 1e-14, or what rounding of the operands does: `slopes()` are those of what is wanted.

    Below the normal numbers a factor x multiplies the rounding of the other factor.
    """
    wanted = _as_float(want)
    floor = 4 * TINY * max([1.0, *(abs(x) for x in xs if abs(x) < 1e3)])
    if close(got, wanted, 1e-14, floor):
        return True
    moved = sum(abs(mpmath.mpf(x) * (s or 0) / want) for x, s in zip(xs, slopes(), strict=True))
    return close(got, wanted, float(min(1e-14 + 4 * EPSILON * moved, mpmath.mpf(1))), floor)


@every_op
def test_over_the_whole_range(name: str, params: dict[str, float]) -> None:
    op = TABLE[name]
    bound = op.bind(**params)

    def exact(*xs: Any) -> Any:
        return ORACLE[name](*xs, **params)

    points = list(product(WHOLE_RANGE if op.arity == 1 else SPARSE, repeat=op.arity))
    every = range(op.arity)
    compared = 0
    with mp.workdps(AT_EDGES):
        for xs in (xs for xs in points if op.arity < 3 and _smooth(op, params, xs)):
            y = _real(exact, *map(mpmath.mpf, xs))
            slopes = [_real(slope, exact, xs, i) for i in every]
            if y is None or None in slopes:
                continue
            compared += 1
            assert _is_near(xs, bound(*xs), y, lambda s=slopes: s), xs
            for i, got in enumerate(gradients(bound, *xs)):

                def bends(i: int = i, xs: tuple[float, ...] = xs) -> list[Any]:
                    return [_real(second, exact, xs, i, j) for j in every]

                assert _is_near(xs, got, slopes[i], bends), (xs, i, got)
    assert compared > 15 or op.arity == 3


def test_the_comparison_rejects_a_slightly_wrong_op() -> None:
    # a test of the test: one wrong digit in the forward or in the partial is noticed
    fields = vars(TABLE["sin"])
    nearly = Op(**{**fields, "forward": lambda xp, x: xp.sin(x) * (1 + 1e-13)})
    with mp.workdps(ON_DOMAIN), pytest.raises(AssertionError):
        _compare(nearly, {}, [(0.5,)])
    nearly = Op(**{**fields, "partials": (lambda xp, out, x: xp.cos(x) * (1 + 1e-11),)})
    with mp.workdps(ON_DOMAIN), pytest.raises(AssertionError):
        _compare(nearly, {}, [(0.5,)])
