"""Forward mode where an argument that is one number meets arrays that are constants."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_value import Value, hessian, hvp, jacobian, jvp, ops
from tests.array.helpers import assert_close, flat
from tests.array.walk import NAMES, operand_count, samples

SEVERAL = [name for name in NAMES if operand_count(getattr(ops, name)) > 1]
SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (2,), (2, 1))


def along_v(name: str, place: int, numbers: list[float], constant: Callable[[float], Any]) -> Any:
    """v -> op(.., v, ..), with constants for the other operands."""
    f = getattr(ops, name)

    def of_v(v: Any) -> Any:
        return f(*(v if i == place else constant(c) for i, c in enumerate(numbers)))

    return of_v


def filled(number: float, shape: tuple[int, ...]) -> MLArray:
    return (MLArray(number, False) * 1.0).broadcast_to(shape).detach()


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("kind", [float, Value])
def test_constants_of_every_shape_beside_a_number(name: str, kind: Any, backend: str) -> None:
    """The derivative of the op on numbers, at every element."""
    op = getattr(ops, name)
    numbers = [float(a) for a in samples(op, [()])]
    for place, at in enumerate(numbers):
        alone = along_v(name, place, numbers, lambda c: c)
        value, slope = jvp(alone, (at,), (2.0,))
        second = hessian(alone)(at)
        for shape in SHAPES:
            beside = along_v(name, place, numbers, partial(filled, shape=shape))
            y, t = jvp(beside, (kind(at),), (2.0,))
            assert_close(_floats(y), [value] * len(_floats(y)))
            assert_close(_floats(t), [slope] * len(_floats(t)))

            def several(v: Any, f: Any = beside) -> Any:
                return [f(v), v, v * 1.0]

            columns = jacobian(several)(kind(at))
            assert_close(_floats(columns[0]), [slope / 2.0] * len(_floats(columns[0])))

            def total(v: Any, f: Any = beside) -> Any:
                return f(v).sum()

            count = len(_floats(y))
            assert_close(_floats(hessian(total)(kind(at))), [count * second], 1e-9)
            assert_close(_floats(hvp(total)(kind(at), 1.0)), [count * second], 1e-9)


def _floats(x: Any) -> list[float]:
    nested = x.to_list() if isinstance(x, MLArray) else x
    return [float(number) for number in flat(nested)]


@pytest.mark.parametrize("shape", SHAPES)
def test_rules_of_arrays_beside_a_number(shape: tuple[int, ...], backend: str) -> None:
    """What is no op of two: reductions of a sum, arrays made of a number and a constant."""
    cases: list[tuple[Callable[[Any], Any], float]] = [
        (lambda v: (filled(3.0, shape) + v).mean(), 1.0),
        (lambda v: (filled(3.0, shape) * v).max(), 3.0),
        (lambda v: MLArray([filled(3.0, shape).sum(), v])[1], 1.0),
        (lambda v: filled(3.0, (2,)) @ MLArray([v, v]), 6.0),
    ]
    for f, slope in cases:

        def pair(v: Any, f: Any = f) -> Any:
            return [f(v), v]

        assert float(jvp(f, (0.5,), (1.0,))[1]) == pytest.approx(slope)
        assert float(jacobian(pair)(0.5)[0]) == pytest.approx(slope)
