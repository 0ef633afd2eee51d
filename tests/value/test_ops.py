"""Every op of the registry, plugins included: partials, spellings, constants, pickles, frozen."""

from __future__ import annotations

import copy
import itertools
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import Op, Value, elementwise, ops, table
from tests.value.helpers import (
    EDGES,
    close,
    difference,
    gradients,
    identical,
    operand_count,
    samples,
)

NAMES = ops.names()
every_op = pytest.mark.parametrize("name", NAMES)

OPERATORS: dict[str, Callable[..., Any]] = {
    "abs": operator.abs,
    "add": operator.add,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "multiply": operator.mul,
    "negative": operator.neg,
    "pow": operator.pow,
    "remainder": operator.mod,
    "subtract": operator.sub,
}


def check_partials(op: Op) -> int:
    """Compare all partials of `op` with differences on its domain; how many could be compared."""
    compared = 0
    for xs in samples(op):
        got = gradients(op, *xs)
        for i, partial in enumerate(got):
            want = difference(op, xs, i)
            if want is not None:
                compared += 1
                assert close(partial, want, 1e-7, 1e-8), f"{op.name} {xs}, operand {i}"
    return compared


@every_op
def test_partials_agree_with_differences(name: str) -> None:
    op = ops[name]
    # a few points may lie at a kink, but not most
    assert check_partials(op) >= 8 * operand_count(op)


@pytest.mark.parametrize(
    "wrong",
    [
        elementwise("wrong", lambda xp, x: xp.sin(x), (lambda xp, out, x: xp.cos(x) + 1e-5,)),
        elementwise("wrong", lambda xp, x, y: x - y, (1.0, 1.0)),
        elementwise("wrong", lambda xp, x: xp.exp(x), (lambda xp, out, x: out * (1 + 1e-5),)),
        elementwise("wrong", lambda xp, x: x * x, (None,)),
        elementwise("wrong", lambda xp, x: x * x, vjp=lambda xp, g, out, x: (2.0 * x,)),
    ],
)
def test_the_check_rejects_wrong_partials(wrong: Op) -> None:
    # a test of the test; the last one forgets its cotangent, which only a chain shows
    chained = elementwise("chained", lambda xp, *args: 3.0 * wrong.on(xp, *args), arity=wrong.arity)
    with pytest.raises(AssertionError):
        check_partials(chained)


@every_op
def test_all_spellings_are_one_op(name: str) -> None:
    op = ops[name]
    assert getattr(ops, name) is op
    assert op.name == name
    for xs in samples(op, 4):
        want = op(*xs)
        assert type(want) is float
        leaves = [Value(x) for x in xs]
        spellings = [op(*leaves), getattr(leaves[0], name)(*leaves[1:])]
        if name in OPERATORS:
            spellings.append(OPERATORS[name](*leaves))
        for made in spellings:
            assert type(made) is not float
            assert identical(made.data, want)
            assert made._op == op.symbol or op.is_composite
        if name in OPERATORS:
            assert identical(OPERATORS[name](*xs), want)
        wanted = gradients(op, *xs)
        assert gradients(lambda x, *rest: getattr(x, name)(*rest), *xs) == wanted
        if name in OPERATORS:
            assert gradients(OPERATORS[name], *xs) == wanted


@every_op
def test_numbers_in_float_out(name: str) -> None:
    op = ops[name]
    (xs,) = samples(op, 1)
    assert type(op(*xs)) is float
    assert type(op(*(round(x) for x in xs))) is float
    assert type(op(*(x > 0 for x in xs))) is float


@every_op
def test_constants_are_not_differentiated(name: str) -> None:
    op = ops[name]
    count = operand_count(op)
    for xs in samples(op, 4):
        full = gradients(op, *xs)
        for tracked in itertools.product([True, False], repeat=count):
            if not any(tracked):
                continue
            operands: list[Any] = [Value(x) if t else x for x, t in zip(xs, tracked, strict=True)]
            made = op(*operands)
            made.backward()
            assert identical(made.data, op(*xs))
            for operand, wanted in zip(operands, full, strict=True):
                if isinstance(operand, Value):
                    assert identical(operand.grad, wanted)


@pytest.mark.parametrize("name", [n for n in NAMES if ops[n].partials and ops[n].arity > 1])
def test_the_partial_of_a_constant_is_never_computed(name: str) -> None:
    op = ops[name]

    def forbidden(*args: Any, **params: Any) -> float:
        raise AssertionError("the partial of a constant was computed")

    assert op.partials is not None
    (xs,) = samples(op, 1)
    for i in range(op.arity):
        rules = (*op.partials[:i], forbidden, *op.partials[i + 1 :])
        guarded = Op(**{**vars(op), "partials": rules})
        operands: list[Any] = [x if i == j else Value(x) for j, x in enumerate(xs)]
        guarded(*operands).backward()


@every_op
def test_it_is_pickled_and_copied_as_what_it_is(name: str) -> None:
    op = ops[name]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        stored = pickle.dumps(op, protocol)
        assert pickle.loads(stored) is op
        assert len(stored) < 200  # the name, not the rules
    assert copy.copy(op) is op
    assert copy.deepcopy([op]) == [op]
    for parameter, value in op.params.items():
        bound = op.bind(**{parameter: 0.5 if value is None else value})
        assert pickle.loads(pickle.dumps(bound)) is bound


@every_op
def test_it_is_frozen(name: str) -> None:
    op = ops[name]
    for field in ("name", "forward", "partials", "anything"):
        with pytest.raises(AttributeError, match=f"{name}: an Op is frozen"):
            setattr(op, field, None)
    with pytest.raises(AttributeError, match=f"{name}: an Op is frozen"):
        del op.forward
    if op.params:
        with pytest.raises(TypeError):
            op.params["alpha"] = 1.0  # type: ignore[index]  # that is what is tested


@every_op
def test_it_describes_itself(name: str) -> None:
    op = ops[name]
    assert repr(op).startswith(f"<op {name}(")
    assert op.__doc__
    assert op.symbol
    assert len(op.domain) == max(op.arity, 1)
    assert all(low < high for low, high in op.domain)


@pytest.mark.parametrize("name", sorted(table.TABLE))
def test_a_built_in_is_a_method_that_tools_can_see(name: str) -> None:
    # an op that is an operator needs no method beside it; where has no natural self
    assert hasattr(Value, name) or name in {*OPERATORS, "where"}
    assert name in dir(Value(0.0))


# Value's arithmetic, written out by hand, against the table ------------------------------------

numbers = st.one_of(st.sampled_from(EDGES), st.floats())


def fields(made: Value) -> tuple[Any, ...]:
    """What a node made of (left, right) recorded."""
    return (made._made_by, made._lhs, made._rhs, made._data, made._dl, made._dr)


def assert_same_node(made: Value, wanted: Value) -> None:
    got, want = fields(made), fields(wanted)
    assert got[0] is want[0]
    assert got[1] is want[1]
    assert got[2] is want[2]
    assert all(identical(g, w) for g, w in zip(got[3:], want[3:], strict=True)), (got, want)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow"])
@given(x=numbers, y=numbers)
def test_binary_arithmetic_equals_the_table(name: str, x: float, y: float) -> None:
    op, spelled = table.TABLE[name], OPERATORS[name]
    v, w = Value(x), Value(y)
    assert_same_node(spelled(v, w), op(v, w))
    assert_same_node(spelled(v, v), op(v, v))
    assert_same_node(spelled(v, y), op(v, y))
    assert_same_node(spelled(x, w), op(x, w))


@pytest.mark.parametrize("name", ["negative", "abs"])
@given(x=numbers)
def test_unary_arithmetic_equals_the_table(name: str, x: float) -> None:
    v = Value(x)
    assert_same_node(OPERATORS[name](v), table.TABLE[name](v))


@given(x=numbers, y=numbers)
def test_the_table_equals_pythons_own_arithmetic(x: float, y: float) -> None:
    assert identical(ops.add(x, y), x + y)
    assert identical(ops.subtract(x, y), x - y)
    assert identical(ops.multiply(x, y), x * y)
    if y != 0.0:
        assert identical(ops.divide(x, y), x / y)
    assert identical(ops.negative(x), -x)
    assert identical(ops.positive(x), x)
    assert identical(ops.abs(x), math.fabs(x))


@given(x=st.integers(-(10**6), 10**6), n=st.integers(0, 8))
def test_powers_of_whole_numbers_are_exact(x: int, n: int) -> None:
    if abs(x) ** n < 2**53:
        assert (Value(x) ** n).data == x**n
        assert ops.pow(x, n) == x**n
