"""vmap beside a loop: every op and function, values and derivatives of orders 1 and 2."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import AxisError, MLArray, ShapeError, concat, replay, stack, vmap, where, zeros
from smolml_array._derivatives import arguments, batching
from smolml_array.extending import Rule, apply_rule
from smolml_value import (
    AnomalyError,
    GraphError,
    Value,
    checkpoint,
    custom_vjp,
    detect_anomaly,
    draw,
    elementwise_grad,
    explain,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    ops,
    stop_gradient,
    value_and_grad,
    vjp,
)
from tests.array.numeric import array, assert_same
from tests.array.paths import weighted
from tests.array.programs import Arrays, run, steps
from tests.array.test_paths import CALLS, SHAPES
from tests.array.walk import every_op, operand_count, samples

Function = Callable[..., Any]
SIZE = 3

LOOPED = {
    "elements": "it looks at the Values in x.data",
    "interp": "it looks for the piece where each number is",
    "interp, moved points": "it looks for the piece where each number is",
}
"""What vmap calls once for each example, and why."""


class Counted:
    """A function that counts its calls."""

    def __init__(self, f: Function) -> None:
        self.f = f
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.f(*args)


def by_loop(f: Function, xs: Sequence[MLArray]) -> Any:
    """f of each example, one by one."""
    outs = [f(*(x[i] for x in xs)) for i in range(len(xs[0]))]
    if isinstance(outs[0], tuple):
        return [stack(column) for column in zip(*outs, strict=True)]
    return [stack(outs)]


def orders(f: Function, count: int) -> list[Function]:
    """f, its gradient, and a gradient of that."""
    every = tuple(range(count))
    first = grad(lambda *xs: weighted(f(*xs)), every)

    def slope(*xs: MLArray) -> Any:
        total: Any = 0.0
        for g in first(*xs):
            total = total + weighted(g.sin())
        return total

    return [f, first, grad(slope, every)]


def check(f: Function, xs: Sequence[MLArray], name: str, tolerance: float = 1e-10) -> None:
    """vmap and the loop give the same, and vmap calls f once if it is not in LOOPED."""
    for order, g in enumerate(orders(f, len(xs))):
        counted = Counted(g)
        got = vmap(counted)(*xs)
        wanted = by_loop(g, xs)
        for y, want in zip(got if isinstance(got, tuple) else [got], wanted, strict=True):
            assert_same(y, np.asarray(want), tolerance, tolerance)
        expected = 1 if name not in LOOPED else 1 + SIZE
        assert counted.calls == expected, f"{name}: order {order}, {counted.calls} calls"
    every = tuple(range(len(xs)))
    outside = grad(lambda *xs: weighted(vmap(f)(*xs).sin()), every)(*xs)
    beside = grad(lambda *xs: weighted(by_loop(f, xs)[0].sin()), every)(*xs)
    for y, want in zip(outside, beside, strict=True):
        assert_same(y, np.asarray(want), tolerance, tolerance)


@pytest.mark.parametrize("name", CALLS)
def test_every_function_beside_a_loop(name: str, backend: str) -> None:
    f, shapes = CALLS[name]
    check(f, [MLArray(array((SIZE, *shape), i)) for i, shape in enumerate(shapes)], name)


@every_op
def test_every_op_beside_a_loop(name: str, backend: str) -> None:
    op: Any = ops[name]
    shapes = [(SIZE, *shape) for shape in SHAPES[: operand_count(op)]]
    check(op, [MLArray(a) for a in samples(op, shapes)], name)


# Axes -------------------------------------------------------------------------------------------


def same(got: MLArray, want: MLArray, tolerance: float = 1e-10) -> None:
    assert_same(got, np.asarray(want), tolerance, tolerance)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("place", [0, 1, -1])
def test_axes_of_arguments_and_results(axis: int, place: int, backend: str) -> None:
    x = MLArray(array((3, 3, 3)))
    f = Counted(lambda x: (x * x[0]).sin())
    got = vmap(f, in_axes=axis, out_axes=place)(x)
    wanted = stack([(y * y[0]).sin() for y in (_slice(x, axis, i) for i in range(3))], axis=place)
    same(got, wanted)
    assert f.calls == 1


def _slice(x: MLArray, axis: int, i: int) -> MLArray:
    return x[(slice(None),) * (axis % 3) + (i,)]


def test_axes_are_nested_as_arguments_and_results_are(backend: str) -> None:
    params: Any = {"w": MLArray(array((2, 4))), "b": [MLArray(array((2,))), MLArray(array((4,)))]}
    x = MLArray(array((2, 4), "x"))
    f = Counted(lambda p, x: {"a": p["w"] * p["b"][0] + x, "b": (x, p["b"][1], 2.0, p["b"][0])})
    got = vmap(f, ({"w": 1, "b": [None, 0]}, 1), {"a": 1, "b": (0, 0, 0, None)})(params, x)
    assert f.calls == 1
    same(got["a"], params["w"] * params["b"][0].reshape(2, 1) + x)
    wanted = (x.T, params["b"][1], MLArray([2.0] * 4), params["b"][0])
    for y, want in zip(got["b"], wanted, strict=True):
        same(y, want)


def test_keyword_arguments_are_mapped_if_they_are_arrays(backend: str) -> None:
    xs, ys = MLArray(array((3, 2))), MLArray(array((3, 2), "y"))
    f: Function = lambda x, y, times: (x * y).sum() * times
    same(vmap(f)(xs, y=ys, times=2.0), (xs * ys).sum(axis=1) * 2.0)


def test_an_ndarray_is_mapped(backend: str) -> None:
    numbers = array((3, 2))
    same(vmap(lambda x: x.sum())(numbers), MLArray(numbers.sum(1)))


def test_numbers_and_values_that_f_returns_become_arrays(backend: str) -> None:
    v, xs = Value(2.0), MLArray(array((3, 2)))
    got = vmap(lambda x: (1.5, v, x.sum(), MLArray([1.0, 2.0])))(xs)
    wanted = ([1.5] * 3, [2.0] * 3, xs.sum(axis=1), [[1.0, 2.0]] * 3)
    for y, want in zip(got, wanted, strict=True):
        same(y, MLArray(want))
    got[1].sum().backward()
    assert v.grad == 3.0


def test_no_examples_and_one(backend: str) -> None:
    assert vmap(lambda x: x.sum())(zeros(0, 2)).shape == (0,)
    same(vmap(grad(lambda x: x @ x))(MLArray([[1.0, 2.0]])), MLArray([[2.0, 4.0]]))
    with pytest.raises(ValueError, match="without examples nothing is known"):
        vmap(lambda x: float(x.sum()))(zeros(0, 2))


@pytest.mark.parametrize(
    ("axes", "error", "match"),
    [
        ((2, 0), AxisError, r"in_axes of args\[0\]: axis 2 is out of range"),
        ((0, None), None, ""),
        ((0, 0), ValueError, r"one length; got 3 of args\[0\], 2 of args\[1\]"),
        (None, ValueError, "axes to map over, of one length; got none"),
        ((0, None, 0), TypeError, r"in_axes has \(0, None, 0\) where there is a tuple"),
        ((0, {"a": 0}), TypeError, "in_axes has {'a': 0} where there is a MLArray"),
    ],
)
def test_axes_that_do_not_fit(axes: Any, error: Any, match: str) -> None:
    call: Function = lambda: vmap(lambda x, y: x.sum(), axes)(zeros(3, 2), zeros(2, 3))
    if error is None:
        assert call().shape == (3,)
        return
    with pytest.raises(error, match=match):
        call()


def test_what_has_no_axes_is_named() -> None:
    with pytest.raises(TypeError, match=r"args\[0\]\['a'\] is a float.*say None for it"):
        vmap(lambda p: p["x"])({"a": 1.0, "x": zeros(3)})
    with pytest.raises(AxisError, match="out_axes: axis 1 is out of range"):
        vmap(lambda x: x.sum(), out_axes=1)(zeros(3, 2))
    with pytest.raises(TypeError, match="out_axes has"):
        vmap(lambda x: x, out_axes=(0, 0))(zeros(3, 2))


def test_errors_are_those_of_one_example(backend: str) -> None:
    with pytest.raises(ShapeError, match=r"\(2,\) and \(3,\)"):
        vmap(lambda x: x * zeros(3))(zeros(4, 2))


# What a function does that has another answer for each example: a loop ----------------------------


def _by_sign(x: MLArray) -> MLArray:
    return x.sin() if x.sum() > 0 else x.cos()


def _assigned(x: MLArray) -> MLArray:
    y = x * 1.0
    y[0] = x[1]
    y[1:] *= 2.0
    return y


MATRIX = array((3, 3), "matrix")
LOOKING: dict[str, tuple[Function, bool]] = {  # and whether it is looped
    "a condition": (_by_sign, True),
    "float": (lambda x: x * x.sum().detach().item(), True),
    "a mask": (lambda x: x[x > 0.0].sum(), True),
    "positions of the largest": (lambda x: x[x.detach().argmax()], False),
    "where": (lambda x: where(x > 0.0, x, x * x), False),
    "assignment": (_assigned, False),
    "rows by positions": (lambda x: x[[1, 0, 1]] * x[0], False),
    "sorted by positions": (lambda x: x[x.detach().argsort()] * x, False),
    "the largest of two axes": (lambda x: (x.reshape(3, 1) * x).argmax() * x, False),
    "that, with its axes": (
        lambda x: _standard(x).argmin(x.reshape(3, 1) * x, keepdims=True) + x,
        False,
    ),
    "searching": (lambda x: _standard(x).searchsorted(MLArray([0.0, 1.0], False), x) * x, True),
    "backward inside": (lambda x: _slope(x), True),
    "iterating": (lambda x: sum(v * v for v in x), False),
    "lists of numbers": (lambda x: x * [1.0, 2.0, 3.0] + [x[0], 1.0, 2.0], False),
    "lists of results": (lambda x: MLArray([x.sum(), x.mean(), 2.0]) * x, False),
    "an ndarray": (lambda x: np.array([1.0, 2.0, 3.0]) * x, False),
    "NumPy's functions": (lambda x: np.sin(x) + np.sum(x), False),
    "the array API": (lambda x: _standard(x).mean(x) * x, False),
    "a Value": (lambda x: x * Value(2.0) + Value(1.0), False),
    "a constant part": (lambda x: x * x.detach() + stop_gradient(x), False),
    "a derivative inside": (lambda x: elementwise_grad(lambda v: v.sin() * v)(x), False),
    "a comparison": (lambda x: where((x > -0.5) & (x < 0.5), x, -x), False),
    "a network": (lambda x: ((x @ MATRIX).tanh() @ MATRIX).logcumsumexp(), False),
}


def _standard(x: MLArray) -> Any:
    return x.__array_namespace__()


def _slope(x: MLArray) -> MLArray:
    y = MLArray([1.0, 2.0, 3.0])
    (y * y * x.detach()).sum().backward()
    return y.grad() * x


@pytest.mark.parametrize("name", LOOKING)
def test_what_looks_at_numbers_beside_a_loop(name: str, backend: str) -> None:
    f, looped = LOOKING[name]
    xs = MLArray(array((4, 3)))
    counted = Counted(f)
    same(vmap(counted)(xs), by_loop(f, [xs])[0])
    assert counted.calls == (5 if looped else 1)
    first = grad(lambda x: weighted(f(x)))
    same(vmap(first)(xs), by_loop(first, [xs])[0])


def test_a_table_and_positions_by_example(backend: str) -> None:
    table, places = MLArray(array((5, 2))), MLArray([[0, 4], [1, 1], [3, 0]], dtype="int64")
    f: Function = lambda t, i: (t[i] * t[i[0]]).sum()
    counted = Counted(grad(f))
    got = vmap(counted, (None, 0))(table, places)
    same(got, stack([grad(f)(table, i) for i in places]))
    assert counted.calls == 1


def test_a_rule_of_a_plugin_is_batched_as_it_is(backend: str) -> None:
    rule = Rule(
        "swap",
        lambda xp, x: xp.flip(x, axis=0),
        lambda xp, g, out, x: xp.flip(g, axis=0),
        jvp="linear",
    )
    check(lambda x: apply_rule(rule, x) * x, [MLArray(array((3, 4)))], "swap")


SINE: dict[str, Callable[[Any], Any]] = {  # of a raw array, as a plugin may write it
    "a ufunc": np.sin,
    "a function": lambda x: np.sin(np.add(np.real(x), 0.0)),
    "an array": lambda x: np.sin(np.asarray(x)),
    "numbers": lambda x: np.array([math.sin(x[0]), math.sin(x[1])]),
    "scalars": lambda x: np.float64(0.5) * x + x * np.float64(0.5) + np.ones(2) * x,
}


@pytest.mark.parametrize("name", SINE)
def test_a_rule_that_goes_to_numpy_is_looped(name: str) -> None:
    f = SINE[name]
    rule = Rule("sine", lambda xp, x: f(x), lambda xp, g, out, x: g * f(x))
    xs = MLArray([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.5]], backend="numpy")
    counted = Counted(lambda x: apply_rule(rule, x))
    same(vmap(counted)(xs), by_loop(counted, [xs])[0])
    assert counted.calls == 3 + (1 if name == "scalars" else 4)
    slope = grad(lambda x: apply_rule(rule, x).sum())
    same(vmap(slope)(xs), by_loop(slope, [xs])[0])


def test_a_fault_in_what_is_batched_is_an_error(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(batching._BATCHED, "sin", broken)
    xs = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    counted = Counted(lambda x: x.sin())
    with pytest.raises(ZeroDivisionError) as caught:
        vmap(counted)(xs)
    assert caught.value.__notes__ == [
        "vmap: this comes of all examples at once, and of none by itself"
    ]
    assert counted.calls == 3


def test_random_numbers_are_drawn_once_for_all(backend: str) -> None:
    from smolml_array import Generator

    draws = Generator(0)
    got = vmap(lambda x: x + draws.rand(2))(zeros(3, 2))
    same(got, stack([Generator(0).rand(2)] * 3))


def test_what_is_not_finite_is_so_in_its_example_alone(backend: str) -> None:
    f: Function = lambda x: (x * x).sqrt().sum() + (x / x).sum()
    xs = MLArray([[0.0, 2.0], [1.0, -2.0], [math.inf, 3.0]])
    for g in (f, grad(f), hessian(f)):
        same(vmap(g)(xs), by_loop(g, [xs])[0])
    w = MLArray(array((2, 2)))
    h: Function = lambda x: (w @ (1.0 / x)).sum()
    for g in (grad(h), hessian(h)):
        same(vmap(g)(xs), by_loop(g, [xs])[0])
    total = grad(lambda x: vmap(h)(x).sum())
    same(total(xs), by_loop(grad(h), [xs])[0])
    same(vmap(hvp(h))(xs, xs * 0.0 + 1.0), by_loop(lambda x: hvp(h)(x, x * 0.0 + 1.0), [xs])[0])


# Nested, and among the other transforms ---------------------------------------------------------


def energy(w: MLArray, x: MLArray) -> Any:
    return ((w * x).sum() - 0.5).tanh() ** 2 + (w @ w) * x[0]


W, XS = array((3,), "w"), array((4, 3), "xs")


@custom_vjp
def doubled(x: Any) -> Any:
    return x * 2.0


doubled.defvjp(lambda x: (x * 2.0, None), lambda residuals, g: (g * 3.0,))


NESTED: dict[str, tuple[Function, Function]] = {
    "grad": (
        lambda w, xs: vmap(grad(energy), (None, 0))(w, xs),
        lambda w, xs: stack([grad(energy)(w, x) for x in xs]),
    ),
    "grad by what is closed over": (
        lambda w, xs: vmap(lambda x: grad(lambda v: energy(v, x))(w))(xs),
        lambda w, xs: stack([grad(energy)(w, x) for x in xs]),
    ),
    "gradients of what is closed over": (
        lambda w, xs: vmap(lambda x: gradients(energy(w, x), [w])[0])(xs),
        lambda w, xs: stack([grad(energy)(w, x) for x in xs]),
    ),
    "grad of a sum": (
        lambda w, xs: grad(lambda w: vmap(energy, (None, 0))(w, xs).sum())(w),
        lambda w, xs: grad(lambda w: sum(energy(w, x) for x in xs))(w),
    ),
    "grad of a sum of gradients": (
        lambda w, xs: grad(lambda w: (vmap(grad(energy), (None, 0))(w, xs) ** 2).sum())(w),
        lambda w, xs: grad(lambda w: sum((grad(energy)(w, x) ** 2).sum() for x in xs))(w),
    ),
    "hessian": (
        lambda w, xs: vmap(hessian(energy), (None, 0))(w, xs),
        lambda w, xs: stack([hessian(energy)(w, x) for x in xs]),
    ),
    "hessian of a sum": (
        lambda w, xs: hessian(lambda w: vmap(energy, (None, 0))(w, xs).sum())(w),
        lambda w, xs: hessian(lambda w: sum(energy(w, x) for x in xs))(w),
    ),
    "jacobian": (
        lambda w, xs: vmap(jacobian(lambda x: (w * x).sin() * x[0]))(xs),
        lambda w, xs: stack([jacobian(lambda x: (w * x).sin() * x[0])(x) for x in xs]),
    ),
    "jacobian of it": (
        lambda w, xs: jacobian(lambda w: vmap(energy, (None, 0))(w, xs))(w),
        lambda w, xs: stack([grad(energy)(w, x) for x in xs]),
    ),
    "jvp": (
        lambda w, xs: vmap(lambda x: jvp(lambda w: energy(w, x), (w,), (x,))[1])(xs),
        lambda w, xs: stack([jvp(energy, (w, x), (x, x * 0.0))[1] for x in xs]),
    ),
    "jvp through it": (
        lambda w, xs: jvp(lambda w: vmap(energy, (None, 0))(w, xs), (w,), (w * w,))[1],
        lambda w, xs: stack([jvp(energy, (w, x), (w * w, x * 0.0))[1] for x in xs]),
    ),
    "vjp": (
        lambda w, xs: vmap(lambda x: vjp(lambda w: w * x, w)[1](x)[0])(xs),
        lambda w, xs: xs * xs,
    ),
    "hvp": (
        lambda w, xs: vmap(lambda x: hvp(energy)(w, x, x))(xs),
        lambda w, xs: stack([hvp(energy)(w, x, x) for x in xs]),
    ),
    "value_and_grad": (
        lambda w, xs: stack([*vmap(value_and_grad(energy), (None, 0))(w, xs)[1]]),
        lambda w, xs: stack([grad(energy)(w, x) for x in xs]),
    ),
    "vmap": (
        lambda w, xs: vmap(lambda a: vmap(lambda b: energy(w * a, b))(xs))(xs),
        lambda w, xs: stack([stack([energy(w * a, b) for b in xs]) for a in xs]),
    ),
    "vmap of vmap of grad": (
        lambda w, xs: vmap(vmap(grad(energy), (None, 0)), (0, None))(xs, xs),
        lambda w, xs: stack([stack([grad(energy)(a, b) for b in xs]) for a in xs]),
    ),
    "grad of vmap of vmap": (
        lambda w, xs: grad(
            lambda w: vmap(lambda a: vmap(lambda b: energy(w * a, b))(xs).sum())(xs).sum()
        )(w),
        lambda w, xs: grad(lambda w: sum(energy(w * a, b) for b in xs for a in xs))(w),
    ),
    "checkpoint": (
        lambda w, xs: vmap(grad(lambda w, x: checkpoint(energy)(w, x)), (None, 0))(w, xs),
        lambda w, xs: stack([grad(energy)(w, x) for x in xs]),
    ),
    "custom_vjp": (
        lambda w, xs: vmap(grad(lambda x: doubled(x).sum()))(xs),
        lambda w, xs: xs * 0.0 + 3.0,
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested(name: str, backend: str) -> None:
    ours, loop = NESTED[name]
    w, xs = MLArray(W), MLArray(XS)
    got, wanted = ours(w, xs), loop(w, xs)
    same(got, wanted)
    further = gradients(weighted(got.sin()), [w, xs])
    for y, want in zip(further, gradients(weighted(wanted.sin()), [w, xs]), strict=True):
        same(y, want, 1e-9)
    weighted(got.sin()).backward()
    same(w.grad(), further[0], 1e-9)
    same(xs.grad(), further[1], 1e-9)


def test_no_graph_in_no_grad(backend: str) -> None:
    with no_grad():
        assert not vmap(lambda x: x * x)(MLArray(XS)).requires_grad


def test_a_value_is_differentiated_through_it(backend: str) -> None:
    a, xs = Value(2.0), MLArray(XS)
    counted = Counted(lambda x: (x * a).sum())
    vmap(counted)(xs).sum().backward()
    assert counted.calls == 1
    assert a.grad == pytest.approx(XS.sum(), abs=1e-12)


def test_drawings_and_explanations_show_the_first_example(backend: str) -> None:
    w, xs = MLArray([1.0, 2.0]), MLArray([[3.0, 4.0], [5.0, 6.0]])
    total = vmap(lambda w, x: (w * x).sum(), (None, 0))(w, xs).sum()
    assert "vmap" in draw(total).svg
    told = str(explain(total))
    assert "= [3, 4]" in told
    assert "= [5, 6]" not in told
    with pytest.raises(GraphError, match="no graph of single numbers"):
        explain(total, elements=True)


def test_a_float_inside_is_differentiated_in_a_loop(backend: str) -> None:
    xs = MLArray(XS)
    counted = Counted(lambda x: grad(lambda a: (x * a).sum() ** 2)(2.0))
    same(vmap(counted)(xs), MLArray(4.0 * XS.sum(1) ** 2))
    assert counted.calls == 5


def test_float32_stays_float32() -> None:
    xs = MLArray(XS, dtype="float32", backend="numpy")
    got = vmap(grad(lambda x: (2.0 * x).sin() @ x))(xs)
    assert got.dtype.name == "float32"


def test_it_is_played_back() -> None:
    w, xs = MLArray(W, backend="numpy"), MLArray(XS, False, backend="numpy")
    f: Function = lambda xs: vmap(energy, (None, 0))(w, xs).sum()
    step = replay(f, [w])
    for _ in range(3):
        w.zero_grad()
        step(xs)
    same(w.grad(), grad(lambda v: vmap(energy, (None, 0))(v, xs).sum())(w))


@settings(max_examples=30, deadline=None)
@given(program=steps, data=st.data())
def test_random_programs_beside_a_loop(program: Any, data: Any, backend: str) -> None:
    leaves = [array((3, 2, 2), "a"), array((3, 2, 3), "b"), array((3, 3), "c")]

    class Given(Arrays):
        def leaf(self, a: Any) -> Any:
            return a

    def loss(*xs: MLArray) -> Any:
        return run(Given(), program, list(xs))[1]

    xs = [MLArray(a) for a in leaves]
    for g in (loss, grad(loss, (0, 1, 2))):
        got = vmap(g)(*xs)
        wanted = by_loop(g, xs)
        for y, want in zip(got if isinstance(got, tuple) else [got], wanted, strict=True):
            assert_same(y, np.asarray(want), 1e-9, 1e-9)


# Jacobians, whose rows are mapped ---------------------------------------------------------------


@pytest.mark.parametrize("numbers", [1, 7, 10**6])
def test_rows_in_portions(numbers: int, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "BATCH_NUMBERS", numbers)
    monkeypatch.setattr(arguments, "FEWEST", 1)
    a = array((4, 3))
    x = MLArray(array((3,)))
    same(jacobian(lambda x: (MLArray(a) @ x).tanh())(x), _tanh_slopes(a, array((3,))))
    y = MLArray(array((4,)))
    same(jacobian(lambda y: (y @ MLArray(a)).tanh())(y), _tanh_slopes(a.T, array((4,))))
    wide = jacobian(lambda x: concat([(MLArray(a) @ x).tanh(), x]))(x)  # columns are fewer
    same(wide, MLArray(np.concatenate([np.asarray(_tanh_slopes(a, array((3,)))), np.eye(3)])))


def _tanh_slopes(a: Any, x: Any) -> MLArray:
    return MLArray(a * (1.0 - np.tanh(a @ x) ** 2)[:, None])


def test_a_jacobian_walks_the_graph_once(backend: str) -> None:
    seen = []

    def back(xp: Any, g: Any, out: Any, x: Any) -> Any:
        seen.append(g.shape)
        return g

    rule = Rule("id", lambda xp, x: x * 1.0, back)
    jacobian(lambda x: apply_rule(rule, x).sin())(MLArray(array((9,))))
    assert seen == [(9,)]


def test_a_jacobian_of_values_among_arrays(backend: str) -> None:
    f: Function = lambda p: p["x"] * p["v"] + p["f"]
    found = jacobian(f)({"x": MLArray([1.0, 2.0]), "v": Value(3.0), "f": 1.0})
    same(found["x"], MLArray([[3.0, 0.0], [0.0, 3.0]]))
    same(found["v"], MLArray([1.0, 2.0]))
    same(found["f"], MLArray([1.0, 1.0]))


def test_the_first_number_that_is_wrong_is_found_in_its_example(backend: str) -> None:
    w, xs = MLArray([1.0, 1.0]), MLArray([[1.0, 2.0], [0.0, 0.0]])
    f: Function = lambda w, x: (w * x).sum().sqrt()
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"cotangent.*is inf at index \[1\]"):
        vmap(f, (None, 0))(w, xs).sum().backward()
    with detect_anomaly(), pytest.raises(AnomalyError, match="cotangent for operand 0 is inf"):
        vmap(grad(f), (None, 0))(w, xs)


def test_where_memory_does_not_suffice_it_is_not_tried_one_by_one() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(x)
        raise MemoryError("too many")

    with pytest.raises(MemoryError, match="too many"):
        vmap(f)(MLArray([1.0, 2.0, 3.0]))
    assert len(calls) == 1
