"""The module for packages that extend SmolML's arrays: rules of their own."""

from __future__ import annotations

import gc
import math
import re
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from smolml_array import MLArray, extending, use_backend, vmap, zeros
from smolml_array.extending import Rule, apply_rule
from smolml_value import GraphError, Value, elementwise, grad, gradients, jvp

SCALE = Rule(
    "scale",
    lambda xp, x, *, by: by * xp.flip(x),
    lambda xp, g, out, x, *, by: by * xp.flip(g),
    jvp="linear",
    not_saved=(0, extending.OUT),
)

SQUARES = Rule(
    "squares",
    lambda xp, x, y: xp.sum(x * x * y),
    lambda xp, g, out, x, y: 2.0 * g * x * y,
    lambda xp, g, out, x, y: g * x * x,
    jvp=lambda xp, tangents, out, x, y: sum(
        xp.sum(t * part)
        for t, part in zip(tangents, (2.0 * x * y, x * x), strict=True)
        if t is not None
    ),
)

MIRRORED = Rule(
    "mirrored",
    lambda xp, x, y: x * xp.flip(y),
    lambda xp, g, out, x, y: g * xp.flip(y),
    lambda xp, g, out, x, y: xp.flip(g * x),
    jvp="multilinear",
)

NO_TANGENT = Rule("mute", lambda xp, x: 1.0 * x, lambda xp, g, out, x: g)


def test_a_rule_runs_forwards_and_backwards_on_every_backend(backend: str) -> None:
    with use_backend(backend):
        x = MLArray([1.0, 2.0, 3.0])
    y = apply_rule(SCALE, x, by=2.0)
    assert (y.to_list(), y.backend) == ([6.0, 4.0, 2.0], backend)
    (y * MLArray([1.0, 10.0, 100.0], backend=backend)).backward()
    assert x.grad().to_list() == [200.0, 20.0, 2.0]
    _, tangent = jvp(
        lambda x: apply_rule(SCALE, x, by=2.0), (x,), (MLArray([1.0, 0.0, 0.0], backend=backend),)
    )
    assert tangent.to_list() == [0.0, 0.0, 2.0]


@pytest.mark.parametrize("slope", [1.0, -1.0, 2.0, -2.0, -0.5, 0.0])
def test_a_partial_may_be_a_number(slope: float, backend: str) -> None:
    op = elementwise("op", lambda xp, x, y: slope * x + y * y, (slope, lambda xp, out, x, y: 2 * y))
    x, y = MLArray([1.0, 2.0], backend=backend), MLArray([3.0], backend=backend)
    weights = [0.5, -3.0]
    (op(x, y) * weights).backward()
    first = gradients((op(x, y) * weights).sum(), [x, y])
    for found in ([x.grad(), y.grad()], first):
        assert [g.to_list() for g in found] == [[slope * 0.5, slope * -3.0], [6.0 * -2.5]]
    tangent = jvp(op, (x, y), (MLArray(weights, backend=backend), y))[1]
    assert tangent.to_list() == [slope * 0.5 + 18.0, slope * -3.0 + 18.0]


@pytest.mark.parametrize("shape", [(2, 3), (1, 3), (2, 1, 3), (3, 3)])
def test_a_partial_that_has_the_shape_of_nothing_is_refused(
    shape: tuple[int, ...], backend: str
) -> None:
    op = elementwise("op", lambda xp, x, y: x + y, (lambda xp, out, x, y: xp.ones(shape), 1.0))
    x, y = MLArray([1.0, 2.0, 3.0], backend=backend), zeros(2, 3, 1, requires_grad=False)
    with pytest.raises(
        GraphError, match=rf"^op: its partial for operand 0 .* {re.escape(str(shape))}"
    ):
        op(x, y.to_backend(backend)).backward()
    assert x.grad().to_list() == [0.0, 0.0, 0.0]


def test_nothing_keeps_an_op_that_nobody_has_any_more(backend: str) -> None:
    """Only what is known of the ops that come with us is kept for good."""

    def used() -> Iterator[weakref.ref[Any]]:
        square = elementwise("square", lambda xp, x: x * x, (lambda xp, out, x: 2.0 * x,))
        double = elementwise("double", lambda xp, x: x + x, vjp=lambda xp, g, out, x: (2.0 * g,))
        for op in (square, double):
            x = MLArray([1.0, 2.0], backend=backend)
            op(x).backward()
            op(x).data[0]._backward()
            (found,) = gradients(op(x), [x])
            assert found.to_list() == [2.0, 4.0 if op is square else 2.0]
            assert jvp(op, (x,), (x,))[1].to_list() == [2.0, 8.0 if op is square else 4.0]
            yield weakref.ref(op)

    left = list(used())
    gc.collect()
    assert [op() for op in left] == [None, None]


def test_tangents_of_what_is_linear_in_each_operand(backend: str) -> None:
    with use_backend(backend):
        x, y = MLArray([1.0, 2.0]), MLArray([3.0, 5.0])
        u, v = MLArray([1.0, 10.0]), MLArray([0.5, -1.0])
    _, both = jvp(lambda x, y: apply_rule(MIRRORED, x, y), (x, y), (u, v))
    assert both.to_list() == [1.0 * 5.0 + 1.0 * -1.0, 10.0 * 3.0 + 2.0 * 0.5]
    _, one = jvp(lambda y: apply_rule(MIRRORED, x, y), (y,), (v,))
    assert one.to_list() == [1.0 * -1.0, 2.0 * 0.5]
    assert grad(lambda y: apply_rule(MIRRORED, x, y).sum())(y).to_list() == [2.0, 1.0]


def test_derivatives_of_every_order_follow(backend: str) -> None:
    def f(x: Any, y: Any) -> Any:
        return apply_rule(SQUARES, x, y)

    with use_backend(backend):
        x, y = MLArray([1.0, 2.0]), MLArray([3.0, 5.0])
    assert f(x, y).item() == 23.0
    assert grad(f)(x, y).to_list() == [6.0, 20.0]
    assert grad(lambda x: grad(f)(x, y).sum())(x).to_list() == [6.0, 10.0]
    _, tangent = jvp(
        f, (x, y), (MLArray([1.0, 0.0], backend=backend), MLArray([0.0, 1.0], backend=backend))
    )
    assert tangent.item() == 6.0 + 4.0


def test_operands_may_be_lists_numbers_and_values() -> None:
    v = Value(2.0)
    y = apply_rule(SQUARES, [v, 3.0], [1.0, 1.0])
    y.backward()
    assert (y.item(), v.grad) == (13.0, 4.0)
    assert apply_rule(SQUARES, 3.0, 2.0).item() == 18.0


def test_a_rule_without_a_jvp_says_so_in_forward_mode_only() -> None:
    x = MLArray([1.0])
    apply_rule(NO_TANGENT, x).backward()
    assert x.grad().to_list() == [1.0]
    with pytest.raises(GraphError, match=r"mute.*jvp="):
        jvp(lambda x: apply_rule(NO_TANGENT, x), (x,), (MLArray([1.0]),))


def test_no_operand_without_a_cotangent_and_no_cotangent_without_an_operand(backend: str) -> None:
    def vjp(xp: Any, g: Any, out: Any, x: Any, y: Any) -> Any:
        return g

    x, y = MLArray([1.0, 2.0], backend=backend), MLArray([3.0, 4.0], backend=backend)
    for n in (1, 3):
        rule = Rule("f", lambda xp, x, y: x + y, *[vjp] * n)
        with pytest.raises(ValueError, match=rf"^f: {n} vjps for 2 operands$"):
            apply_rule(rule, x, y)
        every = Rule("f", lambda xp, x, y: x + y, vjp_all=lambda xp, g, *xs, n=n: [g] * n)
        for derivative in (MLArray.backward, lambda out: gradients(out, [x, y])):
            with pytest.raises(ValueError, match="zip"):
                derivative(apply_rule(every, x, y))
        assert x.grad().to_list() == y.grad().to_list() == [0.0, 0.0]


@pytest.mark.parametrize("all_at_once", [False, True])
def test_a_cotangent_of_the_wrong_shape_is_told(all_at_once: bool, backend: str) -> None:
    def wrong(xp: Any, g: Any, out: Any, x: Any) -> Any:
        return xp.sum(g)

    def all_wrong(xp: Any, g: Any, out: Any, x: Any) -> Any:
        return [xp.sum(g)]

    rule = Rule("wrong", lambda xp, x: 2.0 * x, wrong)
    if all_at_once:
        rule = Rule("wrong", lambda xp, x: 2.0 * x, vjp_all=all_wrong)
    with use_backend(backend):
        x = MLArray([1.0, 2.0])

    def total(x: MLArray) -> MLArray:
        return apply_rule(rule, x).sum()

    said = r"wrong: its rule returned a cotangent of shape \(\) for an operand of shape \(2,\)"
    with pytest.raises(GraphError, match=said):
        grad(total)(x)
    with pytest.raises(GraphError, match=said):
        grad(lambda x: grad(total)(x).sum())(x)
    with pytest.raises(GraphError, match=said):
        total(x).backward()
    assert x.grad().to_list() == [0.0, 0.0]
    v = Value(3.0)  # beside Values another pass runs
    with pytest.raises(GraphError, match=said):
        (total(x) * v).backward()
    with pytest.raises(GraphError, match=said):
        vmap(grad(total))(x.reshape(1, 2))


def test_no_array_as_a_cotangent_and_a_tangent_of_the_wrong_shape_are_told(backend: str) -> None:
    rule = Rule(
        "wrong",
        lambda xp, x: 2.0 * x,
        lambda xp, g, out, x: 2.0,
        jvp=lambda xp, tangents, out, x: xp.sum(tangents[0]),
    )
    x = MLArray([1.0, 2.0], backend=backend)
    with pytest.raises(GraphError, match=r"returned no array as a cotangent .* \(2,\)"):
        apply_rule(rule, x).backward()
    said = r"wrong: .* a tangent of shape \(\) for a result of shape \(2,\)"
    with pytest.raises(GraphError, match=said):
        jvp(lambda x: apply_rule(rule, x), (x,), (MLArray([1.0, 1.0], backend=backend),))


def test_what_is_declared_is_there_and_checks_what_it_is_given() -> None:
    assert all(hasattr(extending, name) for name in extending.__all__)
    assert extending.normalize_axes(-1, 2, "f") == (1,)
    with pytest.raises(extending.AxisError, match="f: axis 2"):
        extending.normalize_axis(2, 2, "f")
    assert math.isclose(extending.to_raw(extending.get_backend("pure"), 1.5, "f").flat[0], 1.5)
