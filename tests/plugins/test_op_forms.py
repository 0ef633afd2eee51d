"""What authors of ops rely on: every form of op on arrays, mixtures, universal functions, names."""

from __future__ import annotations

import html
import inspect
import math
import pickle
import pydoc
from typing import Any, Final

import numpy as np
import pytest

from smolml_array import MLArray, use_backend
from smolml_value import GraphError, Op, OpError, Value, elementwise, ops, scalar_elementwise
from smolml_value.transforms import gradients

both_backends = pytest.mark.parametrize("backend", ["numpy", "pure"])

ratio: Final = elementwise("ratio", lambda xp, x, y: 1 / y * x + y * y)  # a composite
importable: Final = elementwise("importable", lambda xp, x: 2 * x)


@both_backends
def test_a_composite_takes_every_mixture(backend: str) -> None:
    wanted = [1 / 4 * 1 + 16, 1 / 5 * 2 + 25]
    with use_backend(backend):
        x = MLArray([1.0, 2.0])
        others: list[Any] = [[4.0, 5.0], np.array([4.0, 5.0]), MLArray([4.0, 5.0])]
        for y in [*others, [Value(4.0), Value(5.0)]]:
            assert ratio(x, y).to_list() == wanted
        assert ratio(x, 4.0).to_list() == [16.25, 16.5]
        assert ratio(8.0, x).to_list() == [9.0, 8.0]
        assert ratio(x, 0).to_list() == [math.inf, math.inf]  # as NumPy, not ZeroDivisionError
        v: Any = Value(4.0)
        out = ratio(x, v)
        assert out.to_list() == [16.25, 16.5]
        out.backward()
        assert v.grad == sum(-1 / 16 * a + 8 for a in (1.0, 2.0))
        assert x.grad().to_list() == [0.25, 0.25]


def test_a_composite_keeps_float32() -> None:
    x = MLArray(np.array([1.0, 2.0], dtype=np.float32))
    out = ratio(x, 4.0)
    out.backward()
    assert out.dtype == x.grad().dtype == np.float32


@both_backends
def test_arrays_outrank_values(backend: str) -> None:
    x: Any = MLArray([[1.0, 2.0]], backend=backend)
    v = Value(3.0)
    for out in (ops.hypot(x, v), ops.hypot(v, x)):
        assert isinstance(out, MLArray)
    ops.maximum(x, v).backward()
    assert (v.grad, x.grad().to_list()) == (2.0, [[0.0, 0.0]])


@both_backends
def test_cotangents_that_are_numbers(backend: str) -> None:
    op = elementwise("op", lambda xp, x, y: x + 0 * y, vjp=lambda xp, g, out, x, y: (g, 0.0))
    x, y = MLArray([[1.0], [2.0]], backend=backend), MLArray([3.0, 4.0, 5.0], backend=backend)
    op(x, y).backward()
    assert (x.grad().to_list(), y.grad().to_list()) == ([[3.0], [3.0]], [0.0, 0.0, 0.0])
    assert [g.to_list() for g in gradients(op(x, y), [x, y])] == [[[3.0], [3.0]], [0.0, 0.0, 0.0]]
    v, w = Value(1.0), Value(2.0)
    assert [type(g) for g in gradients(op(v, w), [v, w])] == [Value, Value]


@both_backends
def test_a_vjp_may_leave_out_any_operand(backend: str) -> None:
    """One that needs nothing, or is a constant; those after it have theirs."""
    first, second = ([1.0, 2.0], [3.0, 4.0])
    for cut in (True, False):
        op = elementwise(
            "op",
            lambda xp, x, y: x * y,
            vjp=lambda xp, g, out, x, y, cut=cut: (None if cut else g * y, g * x),
        )
        x, y = (MLArray(numbers, backend=backend) for numbers in (first, second))
        op(x, y).backward()
        assert x.grad().to_list() == ([0.0, 0.0] if cut else second)
        assert y.grad().to_list() == first
        y.zero_grad()
        op(x.detach(), y).backward()
        assert y.grad().to_list() == first


@both_backends
def test_a_partial_whose_shape_would_broadcast_is_refused(backend: str) -> None:
    def slope(xp: Any, out: Any, x: Any) -> Any:
        return xp.sum(2 * x, axis=0, keepdims=True)

    op = elementwise("op", lambda xp, x: x * x, (slope,))
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    with pytest.raises(GraphError, match=r"op: its partial for operand 0 gave the shape \(1, 2\)"):
        op(x).backward()
    assert x.grad().to_list() == [[0.0, 0.0], [0.0, 0.0]]


@both_backends
def test_a_partial_may_have_the_shape_of_operands_or_be_a_number(backend: str) -> None:
    op = elementwise(
        "op",
        lambda xp, x, y, z: x * y + x * z,
        (
            lambda xp, out, x, y, z: y + z,  # neither the result's shape nor an operand's
            lambda xp, out, x, y, z: x,
            lambda xp, out, x, y, z: xp.exp(0.0 * out) * x,
        ),
    )
    x = MLArray(np.ones((2, 1, 1)).tolist(), backend=backend)
    y, z = MLArray([[1.0], [2.0]], backend=backend), MLArray([1.0, 2.0, 3.0], backend=backend)
    op(x, y, z).backward()
    assert x.grad().shape == (2, 1, 1)
    assert x.grad().to_list() == [[[21.0]], [[21.0]]]
    assert y.grad().to_list() == [[6.0], [6.0]]
    assert z.grad().to_list() == [4.0, 4.0, 4.0]


# Plain functions and universal functions -------------------------------------------------------


class Counting:
    """math.sin, and how often it was called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: float) -> float:
        self.calls += 1
        return math.sin(x)


def test_a_plain_function_is_mapped_and_keeps_float32() -> None:
    f = Counting()
    op = scalar_elementwise("op", f, math.cos)
    x = MLArray(np.array([[0.1, 0.2], [0.3, 0.4]], dtype=np.float32))
    out = op(x)
    out.backward()
    assert f.calls == 4
    assert out.dtype == x.grad().dtype == np.float32
    assert np.allclose(np.asarray(out), np.sin(np.asarray(x)), rtol=1e-6)


def test_a_universal_function_runs_at_once() -> None:
    op = scalar_elementwise("op", np.sin, elementwise("slope", lambda xp, x: xp.cos(x)))
    large = MLArray(np.linspace(0.0, 1.0, 300_000))
    out = op(large)
    out.backward()
    assert np.array_equal(np.asarray(out), np.sin(np.asarray(large)))  # bit by bit NumPy's own
    assert np.array_equal(np.asarray(large.grad()), np.cos(np.asarray(large)))
    assert type(op(0.5)) is float
    assert op(MLArray([0.5], backend="pure")).to_list() == [float(np.sin(0.5))]
    assert op(MLArray([True, False], dtype="bool")).dtype == np.float64
    assert op(MLArray(np.array([1.0], dtype=np.float32))).dtype == np.float32


def test_it_answers_nan_where_the_plain_function_raises() -> None:
    op = scalar_elementwise("op", math.log, lambda x: 1 / x)
    assert math.isnan(op(-1.0))
    assert math.isnan(op(MLArray([-1.0])).item())


def test_a_plain_derivative_has_no_derivative_and_says_so() -> None:
    op = scalar_elementwise("op", math.sin, math.cos)
    for x in (Value(0.5), MLArray([0.5])):
        with pytest.raises(OpError, match="op: its derivative is a plain float function"):
            gradients(op(x), [x])


def test_functions_of_xp_that_would_lose_the_gradient_are_refused() -> None:
    op = elementwise("op", lambda xp, x: xp.map_scalar(math.sin, x))
    assert op(0.5) == math.sin(0.5)
    with pytest.raises(OpError, match=r"xp\.map_scalar has no derivative"):
        op(Value(0.5))


# Names, help, pickles --------------------------------------------------------------------------


def test_help_shows_signature_and_docstring() -> None:
    assert str(inspect.signature(ops.leaky_relu)) == "(x, /, *, alpha=0.01)"
    assert str(inspect.signature(ops.where)) == "(condition, x, y, /)"
    assert str(inspect.signature(ops.erf)) == "(x, /)"
    assert str(inspect.signature(elementwise("op", lambda xp, *xs: xs[0]))) == "(*args)"
    mapped = scalar_elementwise("op", math.hypot, (math.sin, math.cos))
    assert str(inspect.signature(mapped)) == "(x, y, /)"
    text = pydoc.plain(pydoc.render_doc(ops.leaky_relu))
    assert "<op leaky_relu(x, alpha=0.01)>" in text
    assert "else alpha x" in text
    assert ops.tanh.__name__ == ops.tanh.__qualname__ == "tanh"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ops.tanh.nothing  # type: ignore[attr-defined]  # that is what is tested


def test_notebooks_show_the_operands_that_the_author_named() -> None:
    share = elementwise(
        "share",
        lambda xp, part, all, *, scale=1.0: scale * part / all,
        (lambda xp, out, part, all, *, scale=1.0: scale / all, None),
    )
    shown: Any
    for op, scale, numerator in ((share, 1.0, "1"), (share.bind(scale=2.0), 2.0, "2")):
        shown = op
        assert str(inspect.signature(op)) == f"(part, all, /, *, scale={scale})"
        table = html.unescape(shown._repr_html_())
        assert f"<code>share(part, all, scale={scale})</code>" in table
        assert f'>∂out/∂part</td><td style="text-align:left">{numerator} / all</td>' in table
        assert '>∂out/∂all</td><td style="text-align:left">–</td>' in table
    shown = elementwise("op", lambda xp, *xs: xs[0])
    assert "<code>op(*args)</code>" in shown._repr_html_()


def test_pickled_by_the_name_of_the_global_if_not_registered() -> None:
    assert ops.name_of(importable) is None
    assert pickle.loads(pickle.dumps(importable)) is importable
    bound = elementwise("bound", lambda xp, x, *, k=2: k * x)
    with ops.registered(bound):
        assert ops.name_of(bound) == "bound"
        assert pickle.loads(pickle.dumps(bound.bind(k=3)))(1.0) == 3.0


@pytest.mark.parametrize("name", ["nowhere", "ratio", "tanh"])
def test_what_cannot_be_found_again_is_not_pickled(name: str) -> None:
    op = elementwise(name, lambda xp, x: 2 * x)
    with pytest.raises(OpError, match=f"{name}: only an op that can be found by its name"):
        pickle.dumps(op)


def test_ops_are_what_they_were_after_a_failed_attempt_to_change_them() -> None:
    op: Op = importable
    with pytest.raises(AttributeError, match="frozen"):
        op.__name__ = "other"
    assert op.__name__ == "importable"
