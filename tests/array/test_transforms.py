"""Transforms of functions of arrays: every op and rule, both modes, both backends, to order 2."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, concat, einsum, stack, where
from smolml_value import (
    Value,
    check_grads,
    elementwise_grad,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    ops,
    value_and_grad,
    vjp,
)
from tests.array.helpers import assert_close, filled
from tests.array.walk import every_op, operand_count, samples

Function = Callable[..., Any]

# Every op and rule -------------------------------------------------------------------------------


@every_op
def test_every_op_passes_check_grads(name: str, backend: str) -> None:
    op = ops[name]
    shapes = [(2,), (2, 1)] if operand_count(op) > 1 else [(2, 2)]
    check_grads(op, tuple(MLArray(a, backend=backend) for a in samples(op, shapes)))


# Every rule --------------------------------------------------------------------------------------

MATMULS = [
    *(((2,), (2,)), ((2,), (2, 3)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((2, 2, 3), (3, 2))),
    *(((2, 2, 3), (2, 3, 1)), ((1, 2, 3), (2, 3, 1)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,))),
    *(((2, 3), (2, 3, 2)), ((2, 1, 1, 2), (3, 2, 1))),
]


@pytest.mark.parametrize(("left", "right"), MATMULS)
def test_matmul_of_all_ranks(left: tuple[int, ...], right: tuple[int, ...], backend: str) -> None:
    check_grads(lambda a, b: a @ b, (filled(left, 1), filled(right, 2)))


REDUCTIONS: dict[str, Function] = {
    "sum": lambda x, **k: x.sum(**k) ** 2,
    "mean": lambda x, **k: x.mean(**k) ** 2,
    "prod": lambda x, **k: x.prod(**k),
    "max": lambda x, **k: x.max(**k) ** 2,
    "min": lambda x, **k: x.min(**k) ** 2,
    "var": lambda x, **k: x.var(**k),
    "std": lambda x, **k: x.std(**k),
    "var, corrected": lambda x, **k: x.var(correction=1, **k),
    "std, corrected": lambda x, **k: x.std(correction=0.5, **k),
}
AXES: list[dict[str, Any]] = [
    *({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}),
    {"axis": (1, -1), "keepdims": True},
]


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_reduction(name: str, axes: dict[str, Any], backend: str) -> None:
    check_grads(lambda x: REDUCTIONS[name](x, **axes), filled((2, 1, 3)))


@pytest.mark.parametrize("zeros", [[], [1], [1, 4], [0, 1]])
def test_prod_with_zeros(zeros: list[int], backend: str) -> None:
    numbers = [1.5, -2.0, 0.5, 3.0, -1.0, 2.0]
    for i in zeros:
        numbers[i] = 0.0
    x = MLArray(numbers).reshape(2, 3)
    check_grads(lambda x: x.prod(axis=1), x)
    check_grads(lambda x: x.prod(), x)


W = [[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]]
RULES: dict[str, Function] = {
    "reshape": lambda x: x.reshape(3, 2) @ x,
    "flatten": lambda x: x.flatten() ** 2,
    "T": lambda x: x.T @ x,
    "transpose": lambda x: x.reshape(1, 2, 3).transpose(2, 0, 1) ** 2,
    "flip": lambda x: x.flip(0) * x.flip() * x,
    "squeeze": lambda x: x.reshape(2, 1, 3).squeeze(1) ** 2,
    "expand_dims": lambda x: x.expand_dims((0, 2)) ** 2,
    "broadcast_to": lambda x: x.broadcast_to((2, 2, 3)) ** 2,
    "broadcasting": lambda x: x * x[:, :1] + x[0],
    "slices": lambda x: x[1:, ::-2] ** 2,
    "integer": lambda x: x[-1] * x[0],
    "ellipsis, newaxis": lambda x: x[..., None, 1] ** 2,
    "repeated indices": lambda x: x[[0, 1, 0, 0]] ** 2,
    "index arrays": lambda x: x[[0, 1, 0], [2, 0, 2]] ** 3,
    "mask": lambda x: x[MLArray([[1, 0, 1], [0, 1, 1]], dtype="bool")] ** 2,
    "where": lambda x: where(x > 0, x**2, x.exp()),
    "where, broadcast": lambda x: where(x > 0, x[0] ** 2, x[:, :1] * x),
    "concat": lambda x: concat([x, x * x, x[:1]], axis=0) ** 2,
    "concat, axis 1": lambda x: concat([x, x * x], axis=-1) ** 2,
    "stack": lambda x: stack([x, x.sin(), x], axis=1) ** 2,
    "nested lists": lambda x: MLArray([x[0], x[1] * x[0]]) ** 2,
    "clip": lambda x: x.clip(-0.5, 0.5) * x,
    "maximum": lambda x: ops.maximum(x, x**2) * x,
    "the same twice at a maximum": lambda x: concat([x, x]).max(axis=0) ** 2,
    "constants": lambda x: (x @ MLArray(W, requires_grad=False).T) ** 2 * W[0][:2] + W[1][:2],
    "elements": lambda x: x.data[0][1] * x.data[1][2].sin() * x.sum(),
    "an array of elements": lambda x: MLArray([[v * v for v in row] for row in x.data]) * x,
    "elements of a view": lambda x: x.T.data[2][1] * (x.T @ x),
    "an element into an array": lambda x: x * x.data[0][0],
    "astype": lambda x: x.astype("float64") ** 2,
    "detach": lambda x: x**2 + x.detach() * 0.0,
    "hypot and atan2": lambda x: ops.hypot(x, 1.0) * ops.atan2(x, 2.0),
}


@pytest.mark.parametrize("name", RULES)
def test_every_other_rule(name: str, backend: str) -> None:
    check_grads(RULES[name], filled((2, 3)))


ASSIGNMENTS: dict[str, Function] = {
    "row": lambda x, v: (0, v),
    "element": lambda x, v: ((1, 2), v[0]),
    "slice": lambda x, v: ((slice(None), slice(1, 3)), v[:2]),
    "repeated": lambda x, v: ([1, 1], stack([v, v * v])),
    "number": lambda x, v: (0, 3.0),
    "itself": lambda x, v: (0, x[1] * v),
}


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_assignment(name: str, backend: str) -> None:
    def assigned(x: MLArray, v: MLArray) -> MLArray:
        y = x * 2.0
        before = y.sin()
        key, new = ASSIGNMENTS[name](y, v)
        y[key] = new
        return y * y + before

    check_grads(assigned, (filled((2, 3), 1), filled((3,), 2)))


def test_mixtures_of_numbers_values_arrays_and_containers(backend: str) -> None:
    def f(p: Any, s: Any) -> Any:
        rows = [p["x"] * s, MLArray([p["v"], s]) @ p["x"].sum(axis=1)]
        return {"rows": rows, "number": p["v"] ** 2 * s, "constant": 1.0}

    check_grads(f, ({"x": filled((2, 2)), "v": Value(0.7)}, 1.5))


def test_float32(backend: str) -> None:
    if backend == "pure":
        pytest.skip("the pure backend has float64 only")
    x = filled((2, 3), dtype="float32")
    f: Function = lambda x: ((x @ x.T).tanh() * x.std()).sum()
    check_grads(f, x)
    for made in (grad(f)(x), hvp(f)(x, x), jvp(lambda x: x * x, (x,), (x,))[1]):
        assert made.dtype.name == "float32"
    assert jacobian(lambda x: x.sum(axis=0))(x).dtype.name == "float32"
    (traced,) = gradients(f(x), [x])
    assert traced.dtype.name == "float32"
    assert_close(traced, grad(f)(x), rel=1e-5, tol=1e-5)


# Matrices of derivatives -------------------------------------------------------------------------


def test_shapes_of_jacobians(backend: str) -> None:
    x, w = filled((2, 3), 1), filled((3, 4), 2)
    assert jacobian(lambda x: x @ w)(x).shape == (2, 4, 2, 3)
    assert jacobian(lambda x: x.sum())(x).shape == (2, 3)
    assert jacobian(lambda x: (x @ w).sum(axis=0))(x).shape == (4, 2, 3)
    assert jacobian(lambda t: x * t)(2.0).shape == (2, 3)
    assert jacobian(lambda t: x * t)(Value(2.0)).shape == (2, 3)
    assert jacobian(lambda x: x[0, 0] * Value(1.0))(x).shape == (2, 3)
    assert hessian(lambda x: (x * x).sum())(x).shape == (2, 3, 2, 3)
    both = jacobian(lambda x, w: {"y": x @ w}, (0, 1))(x, w)
    assert [j.shape for j in both["y"]] == [(2, 4, 2, 3), (2, 4, 3, 4)]
    assert not jacobian(lambda t: MLArray([t, t * t]))(2.0).requires_grad


def test_jacobians_of_nothing(backend: str) -> None:
    none = MLArray([])
    assert jacobian(lambda x: x * 2.0)(none).shape == (0, 0)
    assert jacobian(lambda x: x.sum())(none).shape == (0,)
    assert grad(lambda x: (x * x).sum())(none).shape == (0,)
    assert hessian(lambda x: (x * x).sum())(none).shape == (0, 0)


def test_jacobian_of_a_softmax_layer_equals_the_closed_form(backend: str) -> None:
    w, b, x = filled((4, 3), 1), filled((3,), 2), filled((4,), 3)

    def layer(x: MLArray) -> MLArray:
        z = x @ w + b
        e = (z - z.max()).exp()
        return e / e.sum()

    W, p = np.array(w.to_list()), np.array(layer(x).to_list())
    want = (np.diag(p) - np.outer(p, p)) @ W.T
    assert_close(jacobian(layer)(x), want.tolist(), tol=1e-14)
    # the hessian of log-sum-exp is the same matrix
    lse: Function = lambda z: z.exp().sum().log()
    assert_close(hessian(lse)(x @ w + b), (np.diag(p) - np.outer(p, p)).tolist(), tol=1e-14)


def mlp(x: Any, w: Any, v: Any) -> Any:
    return ((x @ w).tanh() @ v).sum()


def penalty(x: Any, w: Any, v: Any) -> Any:
    return (grad(mlp)(x, w, v) ** 2).sum()


def closed_penalty_gradient(X: Any, W: Any, V: Any) -> Any:
    """d/dX of sum G**2 with G = (V * (1 - H**2)) W', H = tanh(X W)."""
    H = np.tanh(X @ W)
    slope = (1 - H**2) * V.T
    G = slope @ W.T
    return ((2 * G @ W) * V.T * (-2 * H * (1 - H**2))) @ W.T


def test_gradient_penalty_equals_the_closed_form(backend: str) -> None:
    x, w, v = filled((4, 3), 1), filled((3, 5), 2), filled((5, 1), 3)
    X, W, V = (np.array(a.to_list()) for a in (x, w, v))
    assert_close(grad(penalty)(x, w, v), closed_penalty_gradient(X, W, V).tolist(), tol=1e-13)
    penalty(x, w, v).backward()
    assert_close(x.grad(), closed_penalty_gradient(X, W, V).tolist(), tol=1e-13)


def test_softmax_and_penalty_equal_pytorch(backend: str) -> None:
    torch: Any = pytest.importorskip("torch")
    x, w, v = filled((4, 3), 1), filled((3, 5), 2), filled((5, 1), 3)
    X, W, V = (
        torch.tensor(a.to_list(), dtype=torch.float64, requires_grad=True) for a in (x, w, v)
    )
    (g,) = torch.autograd.grad((torch.tanh(X @ W) @ V).sum(), X, create_graph=True)
    wanted = torch.autograd.grad((g**2).sum(), (X, W, V))
    for got, want in zip(grad(penalty, (0, 1, 2))(x, w, v), wanted, strict=True):
        assert_close(got, want.tolist(), rel=1e-9, tol=1e-9)

    def softmax(x: MLArray) -> MLArray:
        e = ((x @ w) - (x @ w).max(axis=-1, keepdims=True)).exp()
        return e / e.sum(axis=-1, keepdims=True)

    layer: Function = lambda X: torch.softmax(X @ W, -1)
    assert_close(
        jacobian(softmax)(x),
        torch.autograd.functional.jacobian(layer, X).tolist(),
        rel=1e-9,
        tol=1e-9,
    )
    entropy: Function = lambda x: -(softmax(x) * softmax(x).log()).sum()
    torch_entropy: Function = lambda X: -(layer(X) * layer(X).log()).sum()
    assert_close(
        hessian(entropy)(x),
        torch.autograd.functional.hessian(torch_entropy, X).tolist(),
        rel=1e-9,
        tol=1e-9,
    )


def test_quadratic_form(backend: str) -> None:
    a, x, v = filled((4, 4), 1), filled((4,), 2), filled((4,), 3)
    f: Function = lambda x: 0.5 * (x @ a @ x)
    A = np.array(a.to_list())
    want = (A + A.T) / 2
    assert_close(hessian(f)(x), want.tolist(), tol=1e-13)
    assert_close(hvp(f)(x, v), (want @ np.array(v.to_list())).tolist(), tol=1e-13)
    assert_close(grad(f)(x), (want @ np.array(x.to_list())).tolist(), tol=1e-13)


def test_elementwise_grad(backend: str) -> None:
    x = filled((2, 3))
    want = (1.0 - x.tanh() ** 2).to_list()
    assert_close(elementwise_grad(lambda x: x.tanh())(x), want)
    second = elementwise_grad(elementwise_grad(lambda x: x**3))
    assert_close(second(x), (6.0 * x).to_list())
    with pytest.raises(TypeError, match=r"shape \(3,\) and argument 0 \(2, 3\)"):
        elementwise_grad(lambda x: x.sum(axis=0))(x)


# <v, J u> = <J' v, u> ---------------------------------------------------------------------------

STEPS: list[Function] = [
    lambda x, y: x.tanh() + y,
    lambda x, y: x * y.sin(),
    lambda x, y: x @ y.T @ x * 0.1,
    lambda x, y: x / (2.0 + y**2),
    lambda x, y: where(x > y, x * y, x + y),
    lambda x, y: x.max(axis=0) * y,
    lambda x, y: x - y.mean(axis=1, keepdims=True),
    lambda x, y: x * y.std(),
    lambda x, y: concat([x, y])[[3, 0]],
    lambda x, y: x[::-1, [1, 1, 0]] * y,
    lambda x, y: x * y.data[1][0],
    lambda x, y: MLArray([[v * 1.5 for v in row] for row in x.data]) + y,
    lambda x, y: x.prod(axis=-1, keepdims=True) * 0.1 + y,
    lambda x, y: ops.logaddexp(x, y),
    lambda x, y: x.cumulative_sum(axis=1) * y.roll((1, 2), axis=(0, 1)),
    lambda x, y: x.sort(axis=1) + y.pad(1).sliding_windows((2, 2)).sum(axis=(2, 3))[1:, 1:] * 0.2,
    lambda x, y: einsum("ij,kj,kl->il", x, y, x) * 0.1,
    lambda x, y: x * (1.0 + y.vector_norm(axis=0)) + y.tril(),
    lambda x, y: x.cumulative_prod(axis=1) * 0.5 + y.take([1, 0], axis=0),
    lambda x, y: x.repeat(2, axis=0).split(2)[1] * y.diagonal(1)[:, None],
]
programs = st.lists(
    st.tuples(st.sampled_from(range(len(STEPS))), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)
names = st.integers(0, 10**6)


def run(steps: Any, x: Any) -> Any:
    made = [x]
    for op, i, j in steps:
        made.append(STEPS[op](made[i % len(made)], made[j % len(made)]))
    return made[-1]


@settings(max_examples=60)
@given(steps=programs, name=names)
def test_forward_and_reverse_mode_are_adjoint(backend: str, steps: Any, name: int) -> None:
    x, u, v = (filled((2, 3), f"{name} {k}") for k in range(3))
    f: Function = lambda x: run(steps, x)
    y, ju = jvp(f, (x,), (u,))
    same, pullback = vjp(f, x)
    assert y.to_list() == same.to_list()
    (jv,) = pullback(v)
    left, right = float((v * ju).sum()), float((jv * u).sum())
    scale = 1.0 + float(abs(v * ju).sum()) + float(abs(jv * u).sum())
    assert left == pytest.approx(right, abs=1e-10 * scale)
    # what was deferred is the same when the graph is made, in both modes
    (again,) = gradients((v * y).sum(), [x])
    assert_close(again, jv, rel=1e-9, tol=1e-11 * scale)


@settings(max_examples=25)
@given(steps=programs, name=names)
def test_all_orders_of_modes_give_one_hessian(backend: str, steps: Any, name: int) -> None:
    x, u, v = (filled((2, 3), f"{name} {k}") for k in range(3))
    f: Function = lambda x: (run(steps, x) * v).sum()
    along: Function = lambda f: lambda x: jvp(f, (x,), (u,))[1]
    want = hvp(f)(x, u)
    scale = 1.0 + float(abs(want).max())
    assert_close(grad(along(f))(x), want, tol=1e-9 * scale)
    assert_close(grad(lambda x: (grad(f)(x) * u).sum())(x), want, tol=1e-9 * scale)
    second = float(along(along(f))(x))
    assert second == pytest.approx(float((want * u).sum()), abs=1e-9 * scale)


@pytest.mark.parametrize("modes", list(itertools.product(["fwd", "rev"], repeat=4)), ids="-".join)
def test_order_4_by_every_mixture_of_modes(modes: tuple[str, ...], backend: str) -> None:
    # f(x + t u) = sum sin(a_i + t b_i), whose fourth derivative by t is itself, times b_i**4
    w, x, u = filled((3, 2), 1), filled((3,), 2), filled((3,), 3)
    f: Function = lambda x: (x @ w).sin().sum()
    along: Function = lambda f: lambda x: jvp(f, (x,), (u,))[1]
    across: Function = lambda f: lambda x: (grad(f)(x) * u).sum()
    for mode in modes:
        f = along(f) if mode == "fwd" else across(f)
    a, b = (x @ w).to_list(), (u @ w).to_list()
    want = sum(q**4 * math.sin(p) for p, q in zip(a, b, strict=True))
    assert float(f(x)) == pytest.approx(want, rel=1e-11)


def test_value_and_grad_of_containers(backend: str) -> None:
    params = {"w": filled((3, 2), 1), "b": filled((2,), 2)}
    x = filled((4, 3), 3, requires_grad=False)
    loss: Function = lambda p, x, scale=1.0: ((x @ p["w"] + p["b"]).tanh() ** 2).mean() * scale
    value, got = value_and_grad(loss)(params, x, scale=2.0)
    made = loss(params, x, 2.0)
    made.backward()
    assert float(value) == pytest.approx(float(made))
    for key in params:
        assert_close(got[key], params[key].grad())
