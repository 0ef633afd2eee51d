"""Value as an object: what it is made from, compares with, converts to, and refuses."""

from __future__ import annotations

import copy
import gc
import importlib
import math
import operator
import pickle
import weakref
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import Value, ops
from tests.value.helpers import identical

np: Any = pytest.importorskip("numpy")

NUMBERS: list[tuple[Any, float]] = [
    (2, 2.0),
    (-3.5, -3.5),
    (True, 1.0),
    (False, 0.0),
    (Fraction(1, 3), 1 / 3),
    (Fraction(10**400, 10**399), 10.0),
    (Decimal("0.1"), 0.1),
    (Decimal("Infinity"), math.inf),
    (10**300, 1e300),
    (2**53 + 1, float(2**53)),
    (math.inf, math.inf),
    (math.nan, math.nan),
    (-0.0, -0.0),
    (np.float64(1.5), 1.5),
    (np.float32(1.5), 1.5),
    (np.float16(1.5), 1.5),
    (np.longdouble(1.5), 1.5),
    (np.int8(-7), -7.0),
    (np.uint64(7), 7.0),
    (np.int64(2**40), 2.0**40),
    (np.bool_(True), 1.0),
    (np.array(1.5), 1.5),
    (np.array(3), 3.0),
    (np.array(True), 1.0),
]
REFUSED: list[Any] = [
    "a",
    "1.0",
    b"1",
    None,
    1j,
    [1.0],
    (1.0,),
    {},
    {1.0},
    object(),
    float,
    Value(1.0),
    np.complex128(1j),
    np.complex64(1),
    np.array(1j),
    np.array([1.0]),
    np.array([1.0, 2.0]),
    np.array([[]]),
    np.str_("1"),
    np.array("1"),
    np.datetime64("2020-01-01"),
    np.array(1.0, dtype=object),
]


def shown(x: object) -> str:
    """An id for a test case, the same in every process: no address in it."""
    return f"{type(x).__name__} {x!r:.30}".partition(" at 0x")[0]


# Made from -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given_", "want"), NUMBERS, ids=[shown(n) for n, _ in NUMBERS])
def test_numbers_become_floats(given_: Any, want: float) -> None:
    v = Value(given_)
    assert type(v.data) is float
    assert identical(v.data, want)
    v.data = 9.0
    v.data = given_
    v.grad = given_
    assert type(v.data) is type(v.grad) is float
    assert identical(v.data, want)
    assert identical(v.grad, want)


@pytest.mark.parametrize("given_", REFUSED, ids=map(shown, REFUSED))
def test_everything_else_is_refused(given_: Any) -> None:
    kind = type(given_).__name__
    with pytest.raises(TypeError, match=rf"^Value: expected a number.*got.* {kind}"):
        Value(given_)
    v = Value(2.0)
    with pytest.raises(TypeError, match=r"^Value\.data: expected a number"):
        v.data = given_
    with pytest.raises(TypeError, match=r"^Value\.grad: expected a number"):
        v.grad = given_
    assert (v.data, v.grad) == (2.0, 0.0)


def test_the_message_for_a_value_says_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"got a Value; use it as it is, or its `\.data`"):
        Value(Value(1.0))  # type: ignore[arg-type]


def test_a_long_thing_is_shown_in_short() -> None:
    with pytest.raises(TypeError) as caught:
        Value("x" * 10_000)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 200


def test_a_number_too_large_for_a_float() -> None:
    with pytest.raises(OverflowError, match="Value: int too large for a float"):
        Value(10**400)


def test_a_label() -> None:
    v = Value(1.0, label="w")
    assert (v.label, Value(1.0, "w").label) == ("w", "w")
    assert repr(v) == "Value(data=1.0, grad=0.0, label='w')"
    v.label = "bias"
    assert v.label == "bias"
    assert (v + 1).label == ""
    with pytest.raises(TypeError, match="label must be a str, got int"):
        Value(1.0, 3)  # type: ignore[arg-type]


def test_data_set_anew_is_seen_by_what_comes_later() -> None:
    v = Value(2.0)
    before = v * 3.0
    v.data = 5
    assert before.data == 6.0
    assert (v * 3.0).data == 15.0


def test_no_attribute_can_be_added_by_mistake() -> None:
    v = Value(1.0)
    with pytest.raises(AttributeError):
        v.gradient = 3.0  # type: ignore[attr-defined]


# Foreign operands ------------------------------------------------------------------------------

FOREIGN: list[Any] = ["a", None, 1j, [1.0], (1.0,), object(), np.complex128(1j)]
ARITHMETIC: list[Callable[[Any, Any], Any]] = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow),
]
ORDER: list[Callable[[Any, Any], Any]] = [operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("other", FOREIGN, ids=map(shown, FOREIGN))
@pytest.mark.parametrize("op", ARITHMETIC + ORDER)
def test_foreign_operands_are_refused(op: Callable[[Any, Any], Any], other: Any) -> None:
    with pytest.raises(TypeError):
        op(Value(2.0), other)
    with pytest.raises(TypeError):
        op(other, Value(2.0))


@pytest.mark.parametrize("other", FOREIGN, ids=map(shown, FOREIGN))
def test_functions_name_themselves_when_they_refuse(other: Any) -> None:
    for op in (ops.add, ops.maximum, ops.atan2):
        with pytest.raises(TypeError, match=f"^{op.name}: expected a number"):
            op(Value(2.0), other)
        with pytest.raises(TypeError, match=f"^{op.name}: expected a number"):
            op(other, 2.0)


class Foreign:
    """A class that knows how to work with Values, and has the right to be asked."""

    def __radd__(self, other: Value) -> str:
        return f"radd {other.data}"

    def __add__(self, other: Value) -> str:
        return f"add {other.data}"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def test_a_class_that_knows_values_gets_its_say() -> None:
    other: Any = Foreign()
    assert Value(2.0) + other == "radd 2.0"
    assert other + Value(2.0) == "add 2.0"
    assert Value(2.0) == other


@pytest.mark.parametrize("op", ARITHMETIC)
@pytest.mark.parametrize(("number", "data"), NUMBERS, ids=[shown(n) for n, _ in NUMBERS])
def test_every_number_on_either_side(
    op: Callable[[Any, Any], Any], number: Any, data: float
) -> None:
    for made, want in [
        (op(Value(3.0), number), op(Value(3.0), data)),
        (op(number, Value(3.0)), op(data, Value(3.0))),
    ]:
        assert type(made) is Value
        assert identical(made.data, want.data)
        made.backward()
        want.backward()
        (left,), (right,) = made._children, want._children
        assert isinstance(left, Value)
        assert isinstance(right, Value)
        assert identical(left.grad, right.grad)


def test_in_place_operators_make_new_nodes() -> None:
    v = w = Value(2.0)
    w += 1
    w *= 3
    w -= v
    w /= 2
    w **= 2
    assert v.data == 2.0
    assert w.data == 12.25
    w.backward()
    # w = ((3 (v + 1) - v) / 2)**2, dw/dv = (2 v + 3) / 2 * 2
    assert v.grad == 7.0


def test_sums_of_values() -> None:
    vs = [Value(1.0), Value(2.0), Value(3.0)]
    total: Any = sum(vs)
    total.backward()
    assert total.data == 6.0
    assert [v.grad for v in vs] == [1.0, 1.0, 1.0]


def test_python_operators_without_meaning_here_are_refused() -> None:
    v: Any = Value(7.0)
    for op in (divmod, operator.and_, operator.matmul):
        with pytest.raises(TypeError):
            op(v, 2)
    with pytest.raises(TypeError):
        pow(v, 2, 5)
    with pytest.raises(TypeError):
        pow(2, v, 5)
    with pytest.raises(TypeError):
        len(v)
    with pytest.raises(TypeError):
        v[0]
    with pytest.raises(TypeError):
        v()
    with pytest.raises(TypeError):
        list(v)


def test_plus_v_is_v() -> None:
    v = Value(2.0)
    (+v).backward()
    assert ((+v).data, v.grad) == (2.0, 1.0)


# Compared --------------------------------------------------------------------------------------


@given(x=st.floats(), y=st.floats())
def test_values_compare_as_their_data(x: float, y: float) -> None:
    for op in (*ORDER, operator.eq, operator.ne):
        want = op(x, y)
        for got in (op(Value(x), Value(y)), op(Value(x), y), op(x, Value(y))):
            assert got is want


@pytest.mark.parametrize(
    "number",
    [2, Fraction(5, 2), Decimal("2.5"), np.float32(2.5), np.int64(3), np.array(2.5), True],
    ids=shown,
)
def test_comparison_with_any_number_is_a_bool(number: Any) -> None:
    for op in (*ORDER, operator.eq, operator.ne):
        # np.bool and 0-d arrays of bool would read alike, but are not what `-> bool` says
        assert op(Value(2.5), number) is op(2.5, float(number))
        assert bool(op(number, Value(2.5))) is op(float(number), 2.5)


def test_unequal_to_what_is_no_number() -> None:
    v = Value(1.0)
    for other in ("1.0", None, [1.0], object()):
        assert (v == other) is False
        assert (v != other) is True


def test_equality_is_by_data_and_hash_by_identity() -> None:
    a, b = Value(2.0), Value(2.0)
    assert a == b == 2.0 == a
    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[a] == "a"
    stored = {a}
    a.data = 3.0  # the hash does not change with it
    assert a in stored
    assert a != b
    assert hash(a) == hash(a)
    # a list looks for equals, a set for the same
    assert Value(2.0) in [b]
    assert Value(2.0) not in {b}


def test_sorting_and_extremes() -> None:
    vs = [Value(x) for x in (3.0, 1.0, 2.0)]
    assert [v.data for v in sorted(vs)] == [1.0, 2.0, 3.0]
    assert max(vs) is vs[0]
    assert min(vs) is vs[1]


# Converted -------------------------------------------------------------------------------------


def test_conversions() -> None:
    v = Value(-2.7)
    assert float(v) == -2.7
    assert type(float(v)) is float
    assert int(v) == -2
    assert round(v) == -3
    assert type(round(v)) is int
    assert round(Value(2.345), 1) == 2.3
    assert bool(v)
    assert not Value(0.0)
    assert not Value(-0.0)
    assert Value(math.nan)
    assert math.isclose(math.floor(Value(2.5)), 2)
    assert np.asarray([float(v)]).tolist() == [-2.7]


def test_what_a_float_cannot_a_value_cannot() -> None:
    with pytest.raises(OverflowError):
        int(Value(math.inf))
    with pytest.raises(ValueError, match="NaN"):
        int(Value(math.nan))
    v: Any = Value(1.0)
    with pytest.raises(TypeError):
        operator.getitem([1, 2], v)


def test_text() -> None:
    v = Value(2.5)
    v.grad = -1.0
    assert repr(v) == str(v) == f"{v}" == "Value(data=2.5, grad=-1.0)"
    assert f"{v:.2f}|{v:8.1e}|{v:g}" == "2.50| 2.5e+00|2.5"
    assert format(Value(1e6), ",.0f") == "1,000,000"
    assert repr(Value(math.nan)) == "Value(data=nan, grad=0.0)"


# Copied ----------------------------------------------------------------------------------------

COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *[lambda v, p=p: pickle.loads(pickle.dumps(v, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)],
]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_is_a_leaf_with_the_same_numbers(copied: Callable[[Any], Any]) -> None:
    x = Value(3.0, "x")
    for v in (x, x * x, ops.where(x, x * x, 1.0), ops.hypot(x, 4.0)):
        v.backward()
        twin = copied(v)
        assert type(twin) is Value
        assert twin is not v
        assert (twin.data, twin.grad, twin.label) == (v.data, v.grad, v.label)
        assert twin._prev == set()
        twin.data = -1.0
        assert v.data != -1.0
        grad = x.grad
        (twin * 2.0).backward()
        assert x.grad == grad


def test_a_copy_of_a_deep_graph_is_quick() -> None:
    y = Value(1.0)
    for _ in range(50_000):
        y = y + 1.0
    assert copy.deepcopy(y).data == 50_001.0
    assert len(pickle.dumps(y)) < 200


def test_values_shared_in_a_structure_stay_shared() -> None:
    a = Value(1.0)
    pair = copy.deepcopy([a, a])
    assert pair[0] is pair[1] is not a
    pair = pickle.loads(pickle.dumps([a, a]))
    assert pair[0] is pair[1]


def test_weak_references() -> None:
    v = Value(1.0)
    made = v * 2.0
    ref, inner = weakref.ref(v), weakref.ref(made)
    assert ref() is v
    del made
    assert inner() is None
    del v
    gc.collect()
    assert ref() is None


# Subclassed ------------------------------------------------------------------------------------


class Parameter(Value):
    """What a user may write: own arguments, own attributes."""

    def __init__(self, data: float, rate: float) -> None:
        super().__init__(data)
        self.rate = rate

    def step(self) -> None:
        """One step against the gradient."""
        self.data -= self.rate * self.grad
        self.grad = 0.0


def test_a_subclass_takes_part_in_arithmetic() -> None:
    p = Parameter(3.0, rate=0.1)
    loss = (p * 2.0 - 1.0) ** 2 + Value(1.0) * p
    assert type(loss) is Value
    assert isinstance(p, Value)
    loss.backward()
    assert p.grad == 2 * (2 * 3.0 - 1.0) * 2 + 1.0
    p.step()
    assert p.data == pytest.approx(3.0 - 0.1 * 21.0)
    assert p.tanh()._prev == {p}


@pytest.mark.parametrize("copied", COPIES[:1] + COPIES[1:2] + COPIES[4:])
def test_a_copy_of_a_subclass_is_of_the_subclass(copied: Callable[[Any], Any]) -> None:
    module = importlib.import_module(Parameter.__module__)
    assert module.Parameter is Parameter
    p = Parameter(3.0, rate=0.1)
    p.grad = 5.0
    twin = copied(p)
    assert type(twin) is Parameter
    assert (twin.data, twin.grad, twin.rate) == (3.0, 5.0, 0.1)
    twin.step()
    assert p.data == 3.0


def test_a_subclass_may_override_an_operation() -> None:
    class Loud(Value):
        def __add__(self, other: Value | float) -> Value:
            return super().__add__(other) * 10.0

        def __radd__(self, other: Value | float) -> Value:
            return self.__add__(other)

    assert (Loud(1.0) + 2.0).data == 30.0
    # the more derived operand on the right is asked first, as Python does
    assert (Value(2.0) + Loud(1.0)).data == 30.0


# Attributes ------------------------------------------------------------------------------------


def test_an_unknown_attribute_names_the_nearest() -> None:
    ops.refresh()  # see test_attributes.py for what is answered where much was computed
    v: Any = Value(1.0)
    with pytest.raises(AttributeError, match=r"Value has no attribute or op 'tahn'.*tanh"):
        v.tahn()
    with pytest.raises(AttributeError, match=r"did you mean .*backward"):
        v.backwards()
    with pytest.raises(AttributeError, match=r"'nothing_like_this_exists'$"):
        v.nothing_like_this_exists()
    assert not hasattr(v, "nothing_like_this_exists")


def test_ops_without_a_written_method_are_methods_too() -> None:
    v: Any = Value(2.0)
    assert v.add(3.0).data == 5.0
    assert v.pow(3).data == 8.0
    assert v.where(1.0, 0.0).data == 1.0
    with pytest.raises(TypeError, match="add: expected 2 arguments, got 1"):
        v.add()


def test_methods_take_their_parameters_by_position_and_by_name() -> None:
    v = Value(-2.0)
    assert v.leaky_relu(0.5).data == v.leaky_relu(alpha=0.5).data == -1.0
    assert v.elu(2.0).data == v.elu(alpha=2.0).data == 2.0 * math.expm1(-2.0)
    assert v.clip(-1.0).data == v.clip(min=-1.0).data == -1.0
    assert v.clip(None, -3.0).data == v.clip(max=-3.0).data == -3.0


def test_dir_lists_fields_methods_and_ops() -> None:
    listed = dir(Value(1.0))
    assert {"data", "grad", "label", "backward", "tanh", "where", "pow"} <= set(listed)
    assert listed == sorted(set(listed))


def test_numpy_leaves_the_arithmetic_to_values() -> None:
    v = Value(3.0)
    for scalar in (np.float64(2.0), np.float32(2.0), np.int32(2), np.array(2.0)):
        made = scalar * v
        assert type(made) is Value
        assert (made.data, made._prev) == (6.0, {v})
        assert (scalar < v) is True
        assert (scalar == v) is False
    assert (np.complex128(3.0) == v) is False
    assert (np.array(v, object) * v)._prev == {v}
