"""What an Op is: its definition and its errors, composites, vjps, parameters, any arity, `on`."""

from __future__ import annotations

import copy
import functools
import math
import operator
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from smolml_value import Op, OpError, UnknownOpError, Value, elementwise, ops, scalar_elementwise
from smolml_value.node import OperandBase
from tests.value.helpers import gradients

CUBE = elementwise("cube", lambda xp, x: x * x * x, (lambda xp, out, x: 3.0 * x * x,))
SCALED = elementwise(
    "scaled",
    lambda xp, x, *, by=2.0, shift=0.0: by * x + shift,
    (lambda xp, out, x, *, by=2.0, shift=0.0: by,),
)
SWISH = elementwise("swish", lambda xp, x: x * ops.sigmoid.on(xp, x))
FUSED = elementwise(  # a x + b: three operands
    "fused",
    lambda xp, a, x, b: a * x + b,
    (lambda xp, out, a, x, b: x, lambda xp, out, a, x, b: a, 1),
)
MEAN = elementwise(
    "mean",
    lambda xp, *xs: sum(xs) / len(xs),
    vjp=lambda xp, g, out, *xs: [g / len(xs)] * len(xs),
)
NORM = elementwise(
    "norm",
    lambda xp, *xs, p=2.0: xp.pow(sum(xp.pow(xp.abs(x), p) for x in xs), 1.0 / p),
)


# Defined ---------------------------------------------------------------------------------------


def test_an_op_knows_its_definition() -> None:
    forward, partial = operator.attrgetter("x"), 1.0
    op = elementwise(
        "op", forward, [partial], arity=1, domain=[(0.0, 1.0)], symbol="~", doc="What it does"
    )
    assert (op.name, op.symbol, op.arity, op.__doc__) == ("op", "~", 1, "What it does")
    assert op.forward is forward
    assert op.partials == (1.0,)
    assert op.domain == ((0.0, 1.0),)
    assert dict(op.params) == {}
    assert op.vjp is None
    assert not op.is_composite


def test_defaults_of_a_definition() -> None:
    op = elementwise("op", lambda xp, x, y, *, a=1, b="two": x)
    assert (op.symbol, op.arity, op.domain) == ("op", 2, ((-2.0, 2.0),) * 2)
    assert dict(op.params) == {"a": 1, "b": "two"}
    assert op.is_composite
    assert op.__doc__ == "op, element by element."
    assert MEAN.arity == -1
    assert len(MEAN.domain) == 1


def test_docs_come_from_the_author() -> None:
    def forward(xp: Any, x: Any) -> Any:
        """What the forward says."""
        return x

    assert elementwise("op", forward).__doc__ == "What the forward says."
    assert elementwise("op", forward, doc="Mine").__doc__ == "Mine"
    assert scalar_elementwise("op", math.erf, math.exp).__doc__ == math.erf.__doc__
    plain = scalar_elementwise("op", lambda x: x, lambda x: 1.0)
    assert plain.__doc__ == "op, element by element."


class Methods:
    """A forward may be a method."""

    def forward(self, xp: Any, x: Any) -> Any:
        """2 x."""
        return 2.0 * x


def test_a_method_as_forward() -> None:
    op = elementwise("op", Methods().forward, (2.0,))
    assert op.arity == 1
    assert gradients(op, 3.0) == [2.0]


def test_a_callable_without_a_signature_needs_its_arity() -> None:
    forward = functools.partial(lambda by, xp, x: by * x, 3.0)
    with pytest.raises(OpError, match=r"^op: cannot read the arguments.*pass arity="):
        elementwise("op", forward)
    assert elementwise("op", forward, arity=1)(2.0) == 6.0


def forward_1(xp: Any, x: Any) -> Any:
    """A forward of one operand."""
    return x


def forward_2(xp: Any, x: Any, y: Any) -> Any:
    """A forward of two operands."""
    return x + y


BAD: dict[str, tuple[Callable[[], Op], str]] = {
    "name with a dash": (lambda: elementwise("a-b", forward_1), "the name 'a-b' is not an ident"),
    "empty name": (lambda: elementwise("", forward_1), "the name '' is not an identifier"),
    "name of a wrong type": (lambda: elementwise(3, forward_1), "the name 3 is not"),  # type: ignore[arg-type]
    "no operands": (lambda: elementwise("op", lambda xp: 1.0), "at least one operand"),
    "no arguments": (lambda: elementwise("op", lambda: 1.0), "at least one operand"),
    "arity 0": (lambda: elementwise("op", forward_1, arity=0), "an arity of 1 or more"),
    "operand with a default": (
        lambda: elementwise("op", lambda xp, x, a=1.0: x),
        "operands have no defaults",
    ),
    "parameter without one": (
        lambda: elementwise("op", lambda xp, x, *, a: x),
        "parameters need one",
    ),
    "too few partials": (
        lambda: elementwise("op", forward_2, (1.0,)),
        "expected 2 partials, one per operand, got 1",
    ),
    "too many partials": (
        lambda: elementwise("op", forward_1, (1.0, 1.0)),
        "expected 1 partials, one per operand, got 2",
    ),
    "no partials at all": (lambda: elementwise("op", forward_1, ()), "expected 1 partials"),
    "forgotten tuple": (
        lambda: elementwise("op", forward_1, lambda xp, out, x: 1.0),  # type: ignore[arg-type]
        "partials must be a sequence.*comma",
    ),
    "forgotten tuple of a number": (
        lambda: elementwise("op", forward_1, 1.0),  # type: ignore[arg-type]
        "partials must be a sequence, one per operand, got a float.*comma",
    ),
    "partials as text": (
        lambda: elementwise("op", forward_1, "1"),  # type: ignore[arg-type]
        "partials must be a sequence",
    ),
    "a partial that is text": (
        lambda: elementwise("op", forward_2, (1.0, "x")),  # type: ignore[arg-type]
        "partial 1 is 'x'; expected a formula",
    ),
    "partials and vjp": (
        lambda: elementwise("op", forward_1, (1.0,), vjp=lambda xp, g, out, x: (g,)),
        "give partials or a vjp, not both",
    ),
    "partials for any number": (
        lambda: elementwise("op", lambda xp, *xs: xs[0], (1.0,)),
        "any number of operands cannot list its partials",
    ),
    "one interval for two": (
        lambda: elementwise("op", forward_2, domain=((0.0, 1.0),)),
        "expected 2 intervals in domain, got 1",
    ),
    "an interval, not a list": (
        lambda: elementwise("op", forward_2, domain=(0.0, 1.0)),  # type: ignore[arg-type]
        r"expected intervals \(low, high\) in domain, got 0.0",
    ),
    "an empty interval": (
        lambda: elementwise("op", forward_1, domain=((1.0, 0.0),)),
        r"the interval \(1.0, 0.0\) in domain is empty",
    ),
    "too many derivatives": (
        lambda: scalar_elementwise("op", math.sin, (math.cos, math.cos), arity=1),
        "expected 1 partials, one per operand, got 2",
    ),
}


@pytest.mark.parametrize(("define", "message"), BAD.values(), ids=BAD.keys())
def test_a_wrong_definition_is_refused(define: Callable[[], Op], message: str) -> None:
    with pytest.raises(OpError, match=message) as caught:
        define()
    assert str(caught.value).startswith(("op: ", "elementwise: the name "))


@pytest.mark.parametrize("wrong", [None, (1.0,), "text", "1.0", [1.0]], ids=str)
def test_a_rule_that_gives_no_number_is_named(wrong: Any) -> None:
    op = elementwise("mine", lambda xp, x: wrong, (1.0,))
    with pytest.raises(OpError, match=r"^mine: its forward must give a number"):
        op(1.0)
    op = elementwise("mine", lambda xp, x: x, (lambda xp, out, x: wrong,))
    with pytest.raises(OpError, match=r"^mine: its partial 0 must give a number"):
        op(Value(1.0))


def test_a_rule_of_too_few_arguments_is_named() -> None:
    op = elementwise("mine", lambda xp, x: x, (lambda x: 1.0,))
    with pytest.raises(OpError, match=r"mine: its partial 0 .*takes 1 positional argument"):
        op(Value(1.0))


@pytest.mark.parametrize(
    "wrong", [1.0, None, (), (1.0,), (1.0, 2.0, 3.0), "ab", (1.0, "x"), (None, (1.0,))], ids=str
)
def test_a_vjp_of_wrong_cotangents_is_named(wrong: Any) -> None:
    op = elementwise("mine", forward_2, vjp=lambda xp, g, out, x, y: wrong)
    x = Value(1.0)
    made = op(x, Value(2.0))
    with pytest.raises(OpError, match=r"^mine: its vjp"):
        made.backward()
    assert x.grad == 0.0


# Called ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.tanh(1.0, 2.0), "tanh: expected 1 argument, got 2"),
        (lambda: ops.add(1.0), "add: expected 2 arguments, got 1"),
        (lambda: ops.add(Value(1.0), 2.0, 3.0), "add: expected 2 arguments, got 3"),
        (lambda: ops.where(Value(1.0), 2.0), "where: expected 3 arguments, got 2"),
        (lambda: ops.clip(1.0, 2.0, 3.0, 4.0), "clip: expected 1 argument and min, max, got 4"),
        (lambda: SCALED(1.0, 2.0, by=3.0), "scaled: got 'by' twice"),
        (lambda: SCALED(1.0, hue=3.0), "scaled: unknown parameter 'hue'.*by, shift"),
        (lambda: ops.tanh(1.0, alpha=3.0), "tanh: unknown parameter 'alpha'.*none"),
        (lambda: ops.tanh.bind(alpha=3.0), "tanh: unknown parameter 'alpha'.*none"),
        (lambda: MEAN(1.0, hue=3.0), "mean: unknown parameter 'hue'"),
        (lambda: ops.clip(1.0, min=Value(0.0)), "clip: the parameter 'min' is not different"),
        (lambda: ops.clip(Value(1.0), Value(0.0)), "clip: the parameter 'min' is not different"),
    ],
)
def test_a_wrong_call_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OpError, match=message):
        call()


def test_operands_are_positional() -> None:
    tanh: Any = ops.tanh
    with pytest.raises(TypeError):
        tanh(x=1.0)
    with pytest.raises(TypeError):
        tanh()


@pytest.mark.parametrize("wrong", ["a", None, [1.0], 1j, object()], ids=lambda x: type(x).__name__)
def test_an_operand_of_a_wrong_type_is_refused(wrong: Any) -> None:
    for op in (ops.tanh, ops.add, FUSED, SWISH, MEAN):
        others: list[Any] = [0.5] * (max(op.arity, 1) - 1)
        with pytest.raises(TypeError, match=f"^{op.name}: expected a number"):
            op(wrong, *others)
    for op in (ops.add, FUSED, elementwise("sum2", forward_2), MEAN):
        others = [0.5] * (max(op.arity, 2) - 2)
        with pytest.raises(TypeError, match=f"^{op.name}: expected a number"):
            op(Value(1.0), wrong, *others)


def test_parameters_by_position_by_name_and_bound() -> None:
    want = 3.0 * 2.0 + 1.0
    spellings: list[Callable[..., Any]] = [
        lambda x: SCALED(x, 3.0, 1.0),
        lambda x: SCALED(x, 3.0, shift=1.0),
        lambda x: SCALED(x, by=3.0, shift=1.0),
        lambda x: SCALED(x, shift=1.0, by=3.0),
        SCALED.bind(by=3.0, shift=1.0),
        SCALED.bind(by=3.0).bind(shift=1.0),
        lambda x: SCALED.bind(by=3.0)(x, shift=1.0),
        lambda x: SCALED.bind(by=7.0)(x, 3.0, 1.0),
    ]
    for f in spellings:
        assert f(2.0) == want
        assert gradients(f, 2.0) == [3.0]
    assert gradients(SCALED, 2.0) == [2.0]


def test_binding() -> None:
    bound = SCALED.bind(by=3.0)
    assert bound.name == "scaled"
    assert dict(bound.params) == {"by": 3.0, "shift": 0.0}
    assert dict(SCALED.params) == {"by": 2.0, "shift": 0.0}
    assert SCALED.bind() is SCALED
    assert SCALED.bind(by=3.0) is bound
    assert repr(bound) == "<op scaled(x, by=3.0, shift=0.0)>"
    assert repr(ops.add) == "<op add(x, y)>"
    assert repr(MEAN) == "<op mean(*args)>"
    with pytest.raises(AttributeError, match="scaled: an Op is frozen; cannot set 'by'"):
        bound.by = 4.0


def test_a_parameter_may_be_anything() -> None:
    table = elementwise("table", lambda xp, x, *, entries=(): entries[int(x)])
    assert table(1.0, entries=[5.0, 6.0]) == 6.0  # a list cannot be hashed
    assert table(0.0, entries=(7.0,)) == 7.0


def test_many_bindings_stay_right() -> None:
    for i in range(1000):
        assert SCALED(2.0, by=float(i)) == 2.0 * i


def test_numbers_of_any_kind() -> None:
    np = pytest.importorskip("numpy")
    for number in (2, True, np.float32(2.0), np.int64(2), np.array(2.0)):
        assert type(CUBE(number)) is float
        assert CUBE(number) == float(number) ** 3
        assert FUSED(Value(1.0), number, 0.0).data == float(number)


# Composites ------------------------------------------------------------------------------------


def test_a_composite_is_differentiated_through_its_forward() -> None:
    x = 0.7
    s = 1.0 / (1.0 + math.exp(-x))
    assert SWISH(x) == pytest.approx(x * s, rel=1e-15)
    assert SWISH(Value(x)).data == SWISH(x)
    assert gradients(SWISH, x) == pytest.approx([s + x * s * (1.0 - s)], rel=1e-14)


def test_composites_of_composites() -> None:
    twice = elementwise("twice", lambda xp, x: SWISH.on(xp, SWISH.on(xp, x)))
    assert twice(0.7) == SWISH(SWISH(0.7))
    assert gradients(twice, 0.7) == gradients(lambda x: SWISH(SWISH(x)), 0.7)


def test_a_composite_of_several_operands_and_constants() -> None:
    op = elementwise("op", lambda xp, x, y: xp.where(x > y, xp.exp(x) * y, xp.hypot(x, y)))
    for xs in [(1.0, 0.5), (0.5, 1.0)]:
        full = gradients(op, *xs)
        left, right = Value(xs[0]), Value(xs[1])
        op(left, xs[1]).backward()
        op(xs[0], right).backward()
        assert [left.grad, right.grad] == full


def test_a_composite_with_parameters() -> None:
    op = elementwise("op", lambda xp, x, *, a=1.0: xp.tanh(a * x))
    assert gradients(op, 0.5) == pytest.approx([1.0 - math.tanh(0.5) ** 2], rel=1e-15)
    assert gradients(op.bind(a=2.0), 0.5) == [2.0 * (1.0 - math.tanh(1.0) ** 2)]


def test_a_composite_may_return_a_constant_or_its_operand() -> None:
    constant = elementwise("constant", lambda xp, x: xp.pi)
    x = Value(1.0)
    assert constant(x).data == math.pi
    constant(x).backward()
    assert x.grad == 0.0
    identity = elementwise("identity", lambda xp, x: x)
    assert identity(x) is x
    assert identity(2) == 2.0


def test_a_composite_may_ask_about_numbers() -> None:
    op = elementwise("op", lambda xp, x: xp.where(xp.isnan(x), 0.0, x))
    assert gradients(op, 3.0) == [1.0]
    assert op(Value(math.nan)).data == 0.0


@pytest.mark.parametrize(
    "forward",
    [
        lambda xp, x: xp.copysign(x, 1.0) * 2.0,
        lambda xp, x: xp.map_scalar(math.exp, x),
    ],
)
def test_a_gradient_is_never_lost_in_silence(forward: Callable[..., Any]) -> None:
    # these functions give plain numbers: a composite with them would have gradient zero
    op = elementwise("op", forward)
    assert isinstance(op(3.0), float)
    with pytest.raises(OpError, match=r"^xp\.\w+ has no derivative"):
        op(Value(3.0))


def test_an_unknown_function_in_a_composite() -> None:
    op = elementwise("op", lambda xp, x: xp.tahn(x))
    for x in (1.0, Value(1.0)):
        with pytest.raises(AttributeError, match="tahn"):
            op(x)


def test_what_floats_and_arrays_do_not_have_is_refused_on_values_too() -> None:
    op = elementwise("op", lambda xp, x: xp.relu(x) + xp.erf(x))
    with pytest.raises(AttributeError, match=r"xp\.relu .* ops\.relu\.on\(xp, x\)"):
        op(Value(0.5))


def test_a_composite_that_works_on_values_works_on_floats() -> None:
    op = elementwise("op", lambda xp, x: ops.relu.on(xp, x) + ops.erf.on(xp, x))
    assert op(0.5) == op(Value(0.5)).data


# Rules of vjp, of many operands, of any number of operands -------------------------------------


def test_a_vjp_in_place_of_partials() -> None:
    op = elementwise(
        "op", lambda xp, x, y: x * y * y, vjp=lambda xp, g, out, x, y: (g * y * y, 2 * g * x * y)
    )
    assert not op.is_composite
    assert gradients(op, 3.0, 5.0) == [25.0, 30.0]
    assert gradients(lambda x, y: 10.0 * op(x, y), 3.0, 5.0) == [250.0, 300.0]
    x = Value(3.0)
    op(x, 5.0).backward()
    op(2.0, x).backward()
    assert x.grad == 25.0 + 2 * 2.0 * 3.0
    x.grad = 0.0
    op(x, x).backward()
    assert x.grad == 3 * 3.0**2


def test_a_vjp_may_leave_operands_out() -> None:
    op = elementwise("op", lambda xp, x, y: x, vjp=lambda xp, g, out, x, y: [g, None])
    assert gradients(op, 3.0, 5.0) == [1.0, 0.0]


def test_a_vjp_with_parameters() -> None:
    op = elementwise(
        "op", lambda xp, x, *, a=2.0: a * x, vjp=lambda xp, g, out, x, *, a=2.0: (a * g,)
    )
    assert gradients(op, 1.0) == [2.0]
    assert gradients(op.bind(a=5.0), 1.0) == [5.0]


def test_a_vjp_sees_what_was_computed_with() -> None:
    op = elementwise("op", lambda xp, x: x * x, vjp=lambda xp, g, out, x: (g * (x + out),))
    x = Value(3.0)
    made = op(x)
    x.data, made.data = 100.0, 100.0
    made.backward()
    assert x.grad == 3.0 + 9.0


def test_three_operands() -> None:
    assert FUSED(2.0, 3.0, 4.0) == 10.0
    assert gradients(FUSED, 2.0, 3.0, 4.0) == [3.0, 2.0, 1.0]
    a = Value(2.0)
    made = FUSED(a, 3.0, a)
    assert made._op == "fused"
    assert made._children == (a, a)
    made.backward()
    assert a.grad == 4.0


def test_any_number_of_operands_with_a_vjp() -> None:
    assert MEAN(1.0) == 1.0
    assert MEAN(1.0, 2.0, 6.0) == 3.0
    assert gradients(MEAN, 1.0) == [1.0]
    assert gradients(MEAN, 1.0, 2.0, 3.0, 4.0) == [0.25] * 4
    x = Value(5.0)
    made = MEAN(x, 1.0, x)
    assert made.data == pytest.approx(11.0 / 3.0)
    assert made._op == "mean"
    made.backward()
    assert x.grad == pytest.approx(2.0 / 3.0)
    with pytest.raises(TypeError):
        MEAN()  # type: ignore[call-overload]


def test_any_number_of_operands_as_a_composite() -> None:
    assert NORM(3.0, 4.0) == 5.0
    assert gradients(NORM, 3.0, 4.0) == pytest.approx([0.6, 0.8])
    assert gradients(NORM.bind(p=1.0), 3.0, -4.0) == [1.0, -1.0]
    assert gradients(lambda *xs: NORM(*xs, p=1.0), 3.0, -4.0, 5.0) == [1.0, -1.0, 1.0]
    assert NORM(Value(3.0), 4.0).data == 5.0


def test_any_number_of_operands_through_on() -> None:
    op = elementwise("op", lambda xp, x, y: MEAN.on(xp, x, y, 0.0) * 3.0)
    assert op(1.0, 2.0) == 3.0
    assert gradients(op, 1.0, 2.0) == pytest.approx([1.0, 1.0])


def test_any_number_of_operands_registered() -> None:
    average = elementwise("average", MEAN.forward, vjp=MEAN.vjp)  # mean is a method of arrays
    with ops.registered(average):
        assert ops.average(1.0, 3.0) == 2.0
        v: Any = Value(1.0)
        assert v.average(3.0).data == 2.0
        assert pickle.loads(pickle.dumps(ops.average)) is average


# Plain functions -------------------------------------------------------------------------------


def test_a_plain_function_becomes_an_op() -> None:
    gamma = scalar_elementwise(
        "gamma", math.gamma, lambda x: (math.gamma(x + 1e-6) - math.gamma(x - 1e-6)) / 2e-6
    )
    assert gamma(5.0) == 24.0
    assert gamma(Value(5.0)).data == 24.0
    # gamma'(5) = 24 psi(5), psi(5) = 25/12 - Euler's constant
    assert gradients(gamma, 5.0) == pytest.approx([24.0 * (25 / 12 - 0.5772156649015329)], rel=1e-6)
    assert math.isnan(gamma(-1.0))


def test_a_plain_function_of_two_operands() -> None:
    op = scalar_elementwise(
        "op", lambda x, y: x * y**2, (lambda x, y: y**2, lambda x, y: 2.0 * x * y)
    )
    assert op.arity == 2
    assert gradients(op, 3.0, 5.0) == [25.0, 30.0]


def test_a_plain_function_with_an_op_as_derivative() -> None:
    op = scalar_elementwise("sine", math.sin, ops.cos)
    assert gradients(op, 0.3) == [math.cos(0.3)]


def test_a_plain_function_that_turns_complex_gives_nan() -> None:
    op = scalar_elementwise("root", lambda x: x**0.5, lambda x: 0.5 * x**-0.5)
    assert math.isnan(op(-4.0))
    assert math.isnan(gradients(op, -4.0)[0])


# on, and operands of other kinds ---------------------------------------------------------------


def test_on_floats_and_on_values() -> None:
    recorded = []

    def forward(xp: Any, x: Any) -> Any:
        recorded.append(type(x))
        return ops.exp.on(xp, x) + CUBE.on(xp, x)

    op = elementwise("op", forward)
    assert op(1.0) == math.e + 1.0
    assert gradients(op, 1.0) == [math.e + 3.0]
    assert recorded == [float, Value]


class Pair(OperandBase):
    """An operand of a higher rank: two numbers."""

    _rank = 2

    def __init__(self, *numbers: Any) -> None:
        self.numbers = numbers

    @classmethod
    def _apply(cls, op: Op, args: Sequence[object]) -> Any:
        spread = [a.numbers if isinstance(a, Pair) else (a, a) for a in args]
        return Pair(*(op(*xs) for xs in zip(*spread, strict=True)))


def test_the_operand_of_the_highest_rank_applies_the_op() -> None:
    v: Any = Value(10.0)
    pair: Any = Pair(1.0, 2.0)
    for made in (ops.add(v, pair), ops.add(pair, v)):
        assert isinstance(made, Pair)
        assert [x.data for x in made.numbers] == [11.0, 12.0]
    assert ops.where(1.0, v, pair).numbers == (v, v)
    assert ops.tanh(pair).numbers == (math.tanh(1.0), math.tanh(2.0))
    assert ops.clip(pair, max=1.5).numbers == (1.0, 1.5)
    assert MEAN(pair, 3.0).numbers == (2.0, 2.5)


# Frozen, copied, pickled -----------------------------------------------------------------------


def test_an_op_is_frozen_and_compares_by_identity() -> None:
    with pytest.raises(AttributeError, match="cube: an Op is frozen; cannot set 'name'"):
        CUBE.name = "other"
    with pytest.raises(AttributeError, match="cube: an Op is frozen; cannot delete 'name'"):
        del CUBE.name
    twin = elementwise("cube", CUBE.forward, CUBE.partials)
    assert CUBE == CUBE
    assert twin != CUBE
    assert len({CUBE, twin, CUBE}) == 2


def test_copying_needs_no_registry() -> None:
    for op in (CUBE, SCALED.bind(by=3.0), MEAN):
        assert copy.copy(op) is op
        assert copy.deepcopy({"activation": op})["activation"] is op


def test_pickling_needs_the_registry() -> None:
    # rules cannot be pickled, so an op that has no name to find it by cannot either
    with pytest.raises((OpError, UnknownOpError), match="cube"):
        pickle.loads(pickle.dumps([CUBE]))
    with ops.registered(CUBE):
        stored = pickle.dumps([CUBE])
        assert pickle.loads(stored) == [CUBE]
    with pytest.raises(UnknownOpError, match="unknown op 'cube'"):
        pickle.loads(stored)
    with ops.registered(SCALED):
        bound = SCALED.bind(by=3.0)
        assert pickle.loads(pickle.dumps(bound)) is bound
