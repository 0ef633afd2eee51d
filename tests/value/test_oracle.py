"""Every built-in op against mpmath: forward to 1e-14 and partials to 1e-12, relative."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import pytest
from mpmath import mp

from smolml_value import Op, ops
from smolml_value.table import TABLE
from tests.value.helpers import TINY, close, gradients, samples
from tests.value.oracle import DELICATE, ORACLE, PARAMETERS, ROUNDED_AT_ONE, slope

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
    assert set(ROUNDED_AT_ONE) <= set(ORACLE)


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

    scale = max([1.0, *map(abs, params.values())])
    floor = 2.3e-16 * scale if op.name in ROUNDED_AT_ONE else 0.0
    bound = op.bind(**params)
    for xs in points:
        want = _as_float(exact(*map(mpmath.mpf, xs)))
        # gelu alone has its forward among the rounded ones
        assert close(bound(*xs), want, 1e-14, floor if op.name == "gelu" else 0.0), xs
        got = gradients(bound, *xs)
        for i, partial in enumerate(got):
            wanted = _as_float(slope(exact, xs, i))
            assert close(partial, wanted, 1e-12, floor), (xs, i, partial, wanted)


def _smooth(op: Op, params: dict[str, float], xs: tuple[float, ...]) -> bool:
    """Whether no kink or jump is so near that the oracle's step could cross it."""
    if op.name in {"maximum", "minimum"}:
        return abs(xs[0] - xs[1]) > 1e-6
    if op.name == "round":
        return abs(xs[0] % 1.0 - 0.5) > 1e-6
    if op.name in {"floor", "ceil", "trunc"}:
        return abs(xs[0] - round(xs[0])) > 1e-6
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


def test_the_comparison_rejects_a_slightly_wrong_op() -> None:
    # a test of the test: one wrong digit in the forward or in the partial is noticed
    fields = vars(TABLE["sin"])
    nearly = Op(**{**fields, "forward": lambda xp, x: xp.sin(x) * (1 + 1e-13)})
    with mp.workdps(ON_DOMAIN), pytest.raises(AssertionError):
        _compare(nearly, {}, [(0.5,)])
    nearly = Op(**{**fields, "partials": (lambda xp, out, x: xp.cos(x) * (1 + 1e-11),)})
    with mp.workdps(ON_DOMAIN), pytest.raises(AssertionError):
        _compare(nearly, {}, [(0.5,)])
