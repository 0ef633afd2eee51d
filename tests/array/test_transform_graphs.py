"""Transforms of arrays beside the graph that the user holds: elements, views, changes, memory."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import gc
import math
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, concat, use_backend, where
from smolml_value import (
    GraphError,
    Value,
    checkpoint,
    custom_vjp,
    elementwise,
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
from tests.array.helpers import assert_close, filled
from tests.value.test_custom_rules import FURTHER, NEAR

Function = Callable[..., Any]

# Together with backward() ----------------------------------------------------------------------


def test_the_user_s_gradients_are_left_alone(backend: str) -> None:
    x, w = filled((3, 2), 1), filled((2, 2), 2)
    (x.sum() + w.sum()).backward()
    f: Function = lambda x: ((x @ w).tanh() ** 2).sum()
    grad(f)(x)
    vjp(f, x)[1](1.0)
    jvp(f, (x,), (x,))
    jacobian(lambda x: x @ w)(x)
    hessian(f)(x)
    hvp(f)(x, x)
    gradients(f(x), [x, w])
    grad(lambda x: (grad(f)(x) ** 2).sum())(x)
    float(checkpoint(f)(x))
    for a in (x, w):
        assert_close(a.grad(), np.ones(a.shape).tolist())


def test_gradients_of_gradients_by_backward(backend: str) -> None:
    x, w = filled((3,), 1), filled((3,), 2)
    (grad(lambda x: (w * x**3).sum())(x) * x).sum().backward()  # sum 3 w x**3
    X, W = np.array(x.to_list()), np.array(w.to_list())
    assert_close(x.grad(), (9 * W * X**2).tolist())
    assert_close(w.grad(), (3 * X**3).tolist())
    x.restart()
    value, slope = value_and_grad(lambda x: (x**2).sum())(x)
    (value * slope.sum()).backward()
    assert_close(x.grad(), (2 * X * 2 * X.sum() + 2 * (X**2).sum()).tolist())
    x.restart()
    jvp(lambda x: x**2, (x,), (w,))[1].backward()  # sum 2 x w
    assert_close(x.grad(), (2 * W).tolist())


def test_constants_have_gradients_by_transforms_only(backend: str) -> None:
    data = filled((3,), 1, requires_grad=False)
    w = filled((3,), 2)
    g = grad(lambda x: (w * x**2).sum())(data)
    assert_close(g, (2.0 * w * data).to_list())
    g.backward()  # through w, which the function closes over
    assert_close(w.grad(), (2.0 * data).to_list())
    assert_close(data.grad(), [0.0] * 3)


def test_inside_no_grad_the_result_is_a_constant(backend: str) -> None:
    x = filled((3,))
    with no_grad():
        value, slope = value_and_grad(lambda x: (x**3).sum())(x)
        second = hvp(lambda x: (x**3).sum())(x, x)
        matrix = jacobian(lambda x: x**2)(x)
    for made in (value, slope, second, matrix):
        assert not made.requires_grad
    assert_close(second, (6.0 * x * x).to_list())


# Elements, views, Values -------------------------------------------------------------------------


def test_gradients_of_elements_views_and_values(backend: str) -> None:
    x = filled((2, 3), 1)
    y = (x**2).sum() + x.data[0][1] * 10.0 + (x.T * x.T).sum()
    want = [[4.0 * v for v in row] for row in x.to_list()]
    want[0][1] += 10.0
    whole, turned, row, element = gradients(y, [x, x.T, x[1], x.data[0][1]])
    assert_close(whole, want)
    assert_close(turned, np.array(want).T.tolist())
    assert_close(row, want[1])
    assert isinstance(element, Value)
    assert element.data == pytest.approx(want[0][1])
    (again,) = gradients(whole.sum(), [x])
    assert_close(again, np.full((2, 3), 4.0).tolist())
    v, u = Value(2.0), Value(3.0)
    a = MLArray([v, u])
    whole, dv = gradients((a**3).sum() + v * u, [a, v])
    assert_close(whole, [12.0 + 3.0, 27.0 + 2.0])
    assert dv.data == 15.0
    assert gradients(dv, [v])[0].data == 12.0


def test_views_elements_and_arrays_of_values_as_arguments(backend: str) -> None:
    x = filled((2, 3))
    f: Function = lambda x: (x**3).sum()
    assert_close(grad(f)(x.T), (3.0 * x.T**2).to_list())
    assert_close(grad(f)(x[1]), (3.0 * x[1] ** 2).to_list())
    rows = grad(lambda rows: rows[0][1] * rows[1][2] ** 2)(x.data)
    numbers = x.to_list()
    assert rows[1][2].data == pytest.approx(2 * numbers[0][1] * numbers[1][2])
    assert float(grad(lambda v: v**3)(x.data[0][0])) == pytest.approx(3 * numbers[0][0] ** 2)
    a = MLArray([Value(2.0), Value(3.0)])
    assert_close(grad(f)(a), [12.0, 27.0])
    assert_close(hvp(f)(a, MLArray([1.0, 0.0])), [12.0, 0.0])


def test_scalar_code_over_the_elements_takes_no_quadratic_time(backend: str) -> None:
    x = filled((3000,))

    def f(x: MLArray) -> Any:
        total: Any = 0.0
        for v in x.data:
            total = total + v * v
        return total

    assert_close(grad(f)(x), (2.0 * x).to_list())
    (traced,) = gradients(f(x), [x])
    assert_close(traced, (2.0 * x).to_list())


def test_values_among_array_operands(backend: str) -> None:
    s, x = Value(1.5), filled((2, 2))
    f: Function = lambda s, x: ((x * s).tanh() @ MLArray([s, s * s])).sum()
    got = grad(f, (0, 1))(s, x)
    f(s, x).backward()
    assert got[0].data == pytest.approx(s.grad)
    assert_close(got[1], x.grad())
    mixed = grad(lambda s: (grad(f, 1)(s, x) ** 2).sum())(1.5)
    h = 1e-5
    at: Function = lambda s: float((grad(f, 1)(s, x) ** 2).sum())
    assert mixed == pytest.approx((at(1.5 + h) - at(1.5 - h)) / (2 * h), rel=1e-8)


# Numbers that change -----------------------------------------------------------------------------


def test_what_was_recorded_keeps_its_numbers(backend: str) -> None:
    x, w = filled((3,), 1), filled((3,), 2)
    X, W = x.to_list(), w.to_list()
    y = (x * w).sin()
    _, pullback = vjp(lambda x: (x * w).sin(), x)
    x[0] = 100.0
    w.update_values([7.0, 8.0, 9.0])
    y.data[0].data = 55.0
    want = [b * math.cos(a * b) for a, b in zip(X, W, strict=True)]
    (dx,) = gradients(y, [x])
    assert_close(dx, want)
    assert_close(pullback(MLArray([1.0] * 3))[0], want)
    (second,) = gradients(dx.sum(), [w])
    assert_close(
        second,
        [math.cos(a * b) - a * b * math.sin(a * b) for a, b in zip(X, W, strict=True)],
    )


def test_division_by_a_zero_number(backend: str) -> None:
    x = MLArray([1.0, -2.0])
    assert_close(gradients(x / 0.0, [x])[0], [math.inf, math.inf])
    assert_close(grad(lambda x: (where(x < 5, 1.0, x / 0.0)).sum())(x), [0.0, 0.0])


# Guarded points ----------------------------------------------------------------------------------

GUARDED: dict[str, tuple[Function, list[float], list[float]]] = {
    "where sqrt": (lambda x: where(x > 0, x.sqrt(), 0.0), [0.0, 4.0], [0.0, 0.25]),
    "where log": (lambda x: where(x > 0, x * x.log(), 0.0), [0.0, 1.0], [0.0, 1.0]),
    "max tie": (lambda x: x.max() ** 2, [3.0, 3.0], [6.0, 0.0]),
    "min tie": (lambda x: x.min() ** 2, [3.0, 3.0], [6.0, 0.0]),
    "maximum tie": (lambda x: x.maximum(3.0) * x, [3.0, 4.0], [4.5, 8.0]),
    "std without spread": (lambda x: x.std(), [2.0, 2.0], [0.0, 0.0]),
    "var without spread": (lambda x: x.var() * x[0], [2.0, 2.0], [0.0, 0.0]),
    "norm at 0": (lambda x: ops.hypot(x[0], x[1]), [0.0, 0.0], [0.0, 0.0]),
    "vector_norm": (lambda x: x.vector_norm(), [0.0, 0.0], [0.0, 0.0]),
    "vector_norm, 3": (lambda x: x.vector_norm(ord=3), [0.0, -2.0], [0.0, -1.0]),
    "vector_norm, 1/2": (lambda x: x.vector_norm(ord=0.5), [0.0, 4.0], [0.0, 1.0]),
    "sort tie": (lambda x: x.sort() * MLArray([1.0, 2.0]), [3.0, 3.0], [1.0, 2.0]),
    "cumulative_prod": (lambda x: x.cumulative_prod()[1] + x[0], [0.0, 0.0], [1.0, 0.0]),
    "prod with zeros": (lambda x: x.prod() * x[0], [0.0, 0.0], [0.0, 0.0]),
    "relu": (lambda x: x.relu() ** 2, [0.0, -1.0], [0.0, 0.0]),
    "abs": (lambda x: abs(x) * x, [0.0, 2.0], [0.0, 4.0]),
}


@pytest.mark.parametrize("name", GUARDED)
def test_second_derivatives_at_guarded_points_are_numbers(name: str, backend: str) -> None:
    function, numbers, first = GUARDED[name]
    f: Function = lambda x: function(x).sum()
    x, u = MLArray(numbers), MLArray([0.7, -0.4])
    assert_close(grad(f)(x), first)
    along: Function = lambda f: lambda x: jvp(f, (x,), (u,))[1]
    for second in (
        hessian(f)(x),
        hvp(f)(x, u),
        grad(along(f))(x),
        grad(lambda x: (grad(f)(x) * u).sum())(x),
        along(f)(x),
        along(along(f))(x),
        along(along(along(f)))(x),
    ):
        assert np.isfinite(np.array(second.to_list())).all()
    if name not in ("max tie", "min tie", "maximum tie", "abs", "relu"):
        slope = float(along(f)(x))
        assert slope == pytest.approx(sum(a * b for a, b in zip(first, [0.7, -0.4], strict=True)))


# Errors ------------------------------------------------------------------------------------------


class Wrapped:
    """Some other library's array."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.ones(3)


def test_errors_say_what_to_do(backend: str) -> None:
    x = filled((2, 3))
    with pytest.raises(TypeError, match=r"got shape \(2, 3\); use jacobian, elementwise_grad, or"):
        grad(lambda x: x * 2.0)(x)
    with pytest.raises(TypeError, match=r"argument 0\['i'\]: an array of .*int64.*astype"):
        grad(lambda p: 1.0)({"i": MLArray([1, 2], dtype="int64")})
    with pytest.raises(TypeError, match=r"argument 0: an ndarray of int64 .*astype\('float64'\)"):
        grad(lambda x: x)(np.arange(3))
    with pytest.raises(TypeError, match=r"argument 0 is a Wrapped.*wrap it in an MLArray"):
        grad(lambda x: x)(Wrapped())
    with pytest.raises(TypeError, match=r"tangents\[0\] has shape \(2,\), but .* \(2, 3\)"):
        jvp(lambda x: x, (x,), (MLArray([1.0, 2.0]),))
    with pytest.raises(TypeError, match=r"the cotangent has shape \(3,\), but .* \(2, 3\)"):
        vjp(lambda x: x, x)[1](MLArray([1.0, 2.0, 3.0]))
    with pytest.raises(TypeError, match=r"the cotangent has shape \(3,\)"):
        gradients(x, [x], MLArray([1.0, 2.0, 3.0]))
    with pytest.warns(UserWarning, match="returned a constant") as caught:
        zero = grad(lambda x: x.detach().sum())(x)
    assert caught[0].filename == __file__
    assert zero.to_list() == [[0.0] * 3] * 2
    _, zeros = grad(lambda x, y: (x * x).sum(), (0, 1))(x, x[0])
    assert zeros.to_list() == [0.0] * 3


def test_a_rule_of_a_wrong_shape_is_refused(backend: str) -> None:
    wrong = elementwise(
        "wrong_shape", lambda xp, x: x * x, [lambda xp, out, x: xp.sum(x, axis=0) * 2.0]
    )
    x = filled((2, 3))
    with pytest.raises(GraphError, match="wrong_shape: its partial for operand 0"):
        grad(lambda x: wrong(x).sum())(x)


# Rules of one's own ------------------------------------------------------------------------------


def test_custom_vjp_on_arrays(backend: str) -> None:
    @custom_vjp
    def normalized(x: Any, scale: float) -> Any:
        return x / x.std() * scale

    def forward(x: Any, scale: float) -> Any:
        s = x.std()
        y = x / s
        return y * scale, (x, y, s, scale)

    def backward(kept: Any, g: Any) -> Any:
        x, y, s, scale = kept
        centered = (x - x.mean()) / s
        return (scale * (g - (g * y).mean() * centered) / s, None)

    normalized.defvjp(forward, backward)
    x, w = filled((4,), 1), filled((4,), 2)
    ours: Function = lambda x: (normalized(x, 2.0) * w).sin().sum()
    plain: Function = lambda x: (normalized.f(x, 2.0) * w).sin().sum()
    assert_close(grad(ours)(x), grad(plain)(x))
    assert_close(hessian(ours)(x), hessian(plain)(x), tol=1e-10)
    assert_close(jvp(ours, (x,), (w,))[1], jvp(plain, (x,), (w,))[1])
    ours(x).backward()
    assert_close(x.grad(), grad(plain)(x))

    bad = custom_vjp(lambda x: x * 2.0)
    bad.defvjp(lambda x: (x * 2.0, None), lambda _, g: (g.sum(),))
    with pytest.raises(TypeError, match=r"a cotangent of shape \(\) for an argument of shape \(4,"):
        grad(lambda x: bad(x).sum())(x)


def test_stop_gradient_on_arrays(backend: str) -> None:
    x = filled((3,))
    assert_close(grad(lambda x: (x * stop_gradient(x)).sum())(x), x)


# checkpoint --------------------------------------------------------------------------------------


def chain(x: Any, w: Any, layers: int) -> Any:
    for _ in range(layers):
        x = (x @ w).tanh() + x * 0.5
    return x


def test_checkpoint_gives_equal_gradients(backend: str) -> None:
    x, w = filled((3, 4), 1), filled((4, 4), 2)
    piece: Function = lambda x: chain(x, w, 3)  # which closes over w
    direct: Function = lambda x, w: (chain(x, w, 6) ** 2).sum()
    kept: Function = lambda x, w: (checkpoint(chain)(checkpoint(chain)(x, w, 3), w, 3) ** 2).sum()
    wanted = grad(direct, (0, 1))(x, w)
    for got, want in zip(grad(kept, (0, 1))(x, w), wanted, strict=True):
        assert_close(got, want)
    closed: Function = lambda x: (checkpoint(piece)(checkpoint(piece)(x)) ** 2).sum()
    closed(x).backward()
    for a, want in zip((x, w), wanted, strict=True):
        assert_close(a.grad(), want)
    u = filled((3, 4), 3)
    assert_close(hvp(lambda x: kept(x, w))(x, u), hvp(lambda x: direct(x, w))(x, u), tol=1e-10)
    assert_close(jvp(closed, (x,), (u,))[1], jvp(lambda x: direct(x, w), (x,), (u,))[1])
    assert_close(
        grad(lambda w: (grad(kept)(x, w) ** 2).sum())(w),
        grad(lambda w: (grad(direct)(x, w) ** 2).sum())(w),
        rel=1e-10,
        tol=1e-10,
    )


def test_checkpoint_notices_random_numbers(backend: str) -> None:
    draws = iter([0.5, 0.25])
    x = filled((3,))
    y = checkpoint(lambda x: x * next(draws))(x)
    with pytest.raises(GraphError, match="must not draw random numbers"):
        y.backward()
    assert_close(x.grad(), [0.0] * 3)


@pytest.mark.parametrize("pair", FURTHER)
def test_checkpoint_notices_any_other_number(pair: tuple[float, float], backend: str) -> None:
    draws = iter(pair)
    y = checkpoint(lambda x: x * 0.0 + [1.0, next(draws)])(filled((2,)))
    with pytest.raises(GraphError, match="gave other numbers when it was computed again"):
        y.backward()


@pytest.mark.parametrize("pair", NEAR)
def test_checkpoint_takes_rounding_for_the_same(pair: tuple[float, float], backend: str) -> None:
    draws = iter(pair)
    x = filled((2,))
    checkpoint(lambda x: x * 2.0 - x.detach() * 2.0 + [1.0, next(draws)])(x).backward()
    assert_close(x.grad(), [2.0, 2.0])


def peak(run: Callable[[], Any]) -> int:
    gc.collect()
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_checkpoint_lowers_the_peak_of_a_chain_of_200_layers() -> None:
    with use_backend("numpy"):
        x, w = filled((64, 64), 1), filled((64, 64), 2) * 0.1
        pieces = 14

        def cut(x: Any, w: Any) -> Any:
            for _ in range(pieces):
                x = checkpoint(chain)(x, w, 200 // pieces)
            return (chain(x, w, 200 % pieces) ** 2).sum()

        whole: Function = lambda x, w: (chain(x, w, 200) ** 2).sum()
        assert_close(grad(cut)(x, w), grad(whole)(x, w), rel=1e-9, tol=1e-12)
        stored, recomputed = (peak(lambda f=f: grad(f)(x, w)) for f in (whole, cut))  # type: ignore[misc]
        assert recomputed < stored / 4


# Large graphs, memory, threads -------------------------------------------------------------------


def test_long_chains_need_no_recursion(backend: str) -> None:
    def f(x: MLArray) -> MLArray:
        for _ in range(4_000):
            x = x * 0.9999
        return (x * x).sum()

    x = filled((2,))
    want = (2.0 * 0.9999**8_000 * x).to_list()
    assert_close(grad(f)(x), want, rel=1e-9)
    (traced,) = gradients(f(x), [x])
    assert_close(traced, want, rel=1e-9)
    assert_close(hvp(f)(x, x), want, rel=1e-9)


def test_memory_does_not_grow_and_nothing_cycles(backend: str) -> None:
    w = filled((8, 8))
    f: Function = lambda x: (checkpoint(lambda x: (x @ w).tanh())(x) ** 2).sum()
    x = filled((8, 8), 1)

    def step() -> None:
        (grad(f)(x) ** 2).sum().backward()
        hvp(f)(x, x)
        gradients(gradients(f(x), [x])[0].sum(), [x, w])
        x.zero_grad()
        w.zero_grad()

    step()
    gc.collect()
    gc.disable()
    try:
        step()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_threads(backend: str) -> None:
    w = filled((3, 3))
    f: Function = lambda x: (checkpoint(lambda x: (x @ w).tanh())(x) ** 2).sum()
    x = filled((3, 3), 1)
    shared = grad(f)(x)
    want = [grad(f)(x).to_list(), hvp(f)(x, x).to_list()]
    found: list[Any] = []
    name = backend

    def work() -> None:
        with use_backend(name):
            for _ in range(10):
                found.append([grad(f)(x).to_list(), hvp(f)(x, x).to_list()])
                found.append(gradients(shared.sum(), [w])[0].to_list())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    second = gradients(shared.sum(), [w])[0].to_list()
    assert len(found) == 80
    for got in found:
        assert_close(got, second if len(got) == 3 else want)
    assert_close(w.grad(), [[0.0] * 3] * 3)


def test_unrolled_training_is_differentiated_by_its_rate(backend: str) -> None:
    x, y = filled((6, 2), 1, requires_grad=False), filled((6,), 2, requires_grad=False)
    loss: Function = lambda w: ((x @ w - y) ** 2).mean()

    def after(rate: Any) -> Any:
        w = MLArray([0.1, -0.2], requires_grad=False)
        for _ in range(5):
            w = w - rate * grad(loss)(w)
        return loss(w)

    h = 1e-5
    want = (float(after(0.1 + h)) - float(after(0.1 - h))) / (2 * h)
    assert grad(after)(0.1) == pytest.approx(want, rel=1e-7)
    assert float(jvp(after, (0.1,), (1.0,))[1]) == pytest.approx(want, rel=1e-7)


def test_joining_arrays_of_transforms(backend: str) -> None:
    x = filled((3,))
    slope: Function = lambda x: grad(lambda x: (x**3).sum())(x)
    along: Function = lambda x: jvp(lambda x: x**2, (x,), (x,))[1]
    diagonal = np.diag(x.to_list())
    want = np.concatenate([6.0 * diagonal, 4.0 * diagonal])
    assert_close(jacobian(lambda x: concat([slope(x), along(x)]))(x), want.tolist())
