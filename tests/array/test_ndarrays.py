"""ndarrays in transforms: the function sees MLArrays, and what comes back is what was given."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_array import MLArray
from smolml_value import (
    Op,
    Value,
    check_grads,
    checkpoint,
    custom_vjp,
    elementwise,
    elementwise_grad,
    grad,
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

np = pytest.importorskip("numpy")

A = np.array([[2.0, -1.0, 0.5], [0.3, 1.0, 4.0]])
X = np.array([0.5, -1.5, 2.0])


def quartic(x: Any) -> Any:
    """sum (A x)^2 squared: gradient 4 s A'Ax, hessian 4 s A'A + 8 A'Ax (A'Ax)', s = |Ax|^2."""
    return ((x @ A.T) ** 2).sum() ** 2


def linear(x: Any) -> Any:
    return x @ A.T


S = float(((A @ X) ** 2).sum())
G = A.T @ A @ X
HESSIAN = 4 * S * A.T @ A + 8 * np.outer(G, G)


def is_like(got: Any, want: Any, rtol: float = 1e-12) -> None:
    """An ndarray, ours to write to, with the dtype and the numbers of another."""
    assert type(got) is np.ndarray
    assert got.dtype == want.dtype
    assert got.flags.writeable
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)


def test_each_transform(backend: str) -> None:
    x, v = X.copy(), np.array([1.0, 0.0, -2.0])
    is_like(grad(quartic)(x), 4 * S * G)
    value, slope = value_and_grad(quartic)(x)
    assert type(value) is float
    assert value == pytest.approx(S**2, rel=1e-13)
    is_like(slope, 4 * S * G)
    is_like(hessian(quartic)(x), HESSIAN)
    is_like(jacobian(linear)(x), A)
    is_like(hvp(quartic)(x, v), HESSIAN @ v)
    is_like(elementwise_grad(lambda x: x**3)(x), 3 * X**2)
    y, pullback = vjp(linear, x)
    is_like(y, A @ X)
    is_like(pullback(np.array([1.0, 2.0]))[0], A.T @ [1.0, 2.0])
    for part, want in zip(jvp(linear, (x,), (v,)), (A @ X, A @ v), strict=True):
        is_like(part, want)
    is_like(grad(checkpoint(quartic))(x), 4 * S * G)
    is_like(grad(lambda x: stop_gradient(x) @ x)(x), X)
    check_grads(quartic, x)
    check_grads(lambda p: p["w"] * p["s"], {"w": x, "s": np.float32(2.0)})
    assert (x == X).all()  # nothing was written to it
    with no_grad():
        is_like(grad(quartic)(x), 4 * S * G)


def test_the_function_sees_an_array(backend: str) -> None:
    def f(p: Any, data: Any, labels: Any) -> Any:
        assert isinstance(p["w"], MLArray)
        assert p["w"].backend == backend
        assert isinstance(p["b"], Value)
        assert data is A
        assert labels is indices  # what is not differentiated passes as it is
        return (p["w"][labels] * p["b"] * data[:, 0]).sum()

    indices = np.array([2, 0])
    found = grad(f)({"w": X, "b": 3.0}, A, indices)
    is_like(found["w"], np.array([3 * A[1, 0], 0.0, 3 * A[0, 0]]))
    assert found["b"] == pytest.approx(X[2] * A[0, 0] + X[0] * A[1, 0], rel=1e-14)
    assert type(found["b"]) is float


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_the_dtype_comes_back(backend: str, dtype: str) -> None:
    x = np.array([0.5, 2.0], dtype=dtype)
    is_like(grad(lambda x: (x**3).sum())(x), 3 * x**2, 1e-6)
    along = jvp(lambda x: x * x.sum(), (x,), (x,))[1]
    np.testing.assert_allclose(along, np.array([2.5, 10.0]), rtol=1e-6)
    single = np.array(2.0, dtype=dtype)
    is_like(grad(lambda x: x**3)(single), np.array(12.0, dtype=dtype))
    scalar = single[()]
    assert grad(lambda x: x**3)(scalar) == 12.0
    if dtype != "float64":  # which is a float, and has always been one
        assert type(grad(lambda x: x**3)(scalar)) is type(scalar)


def test_of_several_arguments_each_comes_back_as_it_was_given(backend: str) -> None:
    w = MLArray([1.0, 2.0, 3.0])
    of_x, of_w, of_c = grad(lambda x, w, c: (x * w).sum() * c, (0, 1, 2))(X, w, 2.0)
    is_like(of_x, 2 * np.array([1.0, 2.0, 3.0]))
    assert isinstance(of_w, MLArray)
    assert of_w.to_list() == (2 * X).tolist()
    assert of_c == (X * [1.0, 2.0, 3.0]).sum()
    blocks = jacobian(lambda x, c: [x * c, (x * x).sum()], (0, 1))(X, 2.0)
    is_like(blocks[0][0], 2 * np.eye(3))
    is_like(blocks[0][1], X)  # beside ndarrays arrays are ndarrays
    is_like(blocks[1][0], 2 * X)
    assert blocks[1][1] == 0.0
    value, aux = value_and_grad(lambda x: (x.sum(), x * x), has_aux=True)(X)[0]
    assert value == 1.0
    is_like(aux, X**2)


def test_inside_another_transform_it_is_an_array() -> None:
    def inner(a: Any) -> Any:
        slope = grad(lambda x: (x * x).sum() * a)(X)
        assert isinstance(slope, MLArray)
        return slope.sum()

    assert grad(inner)(3.0) == 2 * X.sum()


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (np.arange(3), "argument 0: an ndarray of int64"),
        (np.array([True]), "argument 0: an ndarray of bool"),
        (np.array([1j]), "argument 0: an ndarray of complex128"),
        ([1.0, np.arange(3)], r"argument 0\[1\]: an ndarray of int64"),
        (np.array(["a"]), "argument 0: an ndarray of <U1"),
        (np.array([1.0, None]), "argument 0: an ndarray of object"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "argument 0: .*masked array"),
        (np.int64(3), "argument 0 is the int64"),
    ],
)
def test_what_has_no_derivative_is_refused(given: Any, what: str) -> None:
    for transform in (grad, jacobian, hessian, value_and_grad):
        with pytest.raises(TypeError, match=f"{what}"):
            transform(lambda x: 1.0)(given)
    with pytest.raises(TypeError, match="check_grads: " + what):
        check_grads(lambda x: 1.0, given)


def test_a_rule_by_hand_takes_them() -> None:
    @custom_vjp
    def doubled(x: Any, data: Any) -> Any:
        return x * data

    doubled.defvjp(lambda x, data: (x * data, data), lambda data, g: (g * data * 2.0, None))
    is_like(grad(lambda x: doubled(x, X).sum())(np.ones(3)), 2 * X)


def test_losses_take_them(backend: str) -> None:
    utils: Any = pytest.importorskip("smolml_utils")
    losses: list[Callable[[Any], Any]] = [
        lambda w: utils.mse_loss(A @ X, linear(w)),
        lambda w: utils.mse_loss(linear(w), A @ X),
        lambda w: ((linear(w) - A @ X) ** 2).mean(),
    ]
    for loss in losses:
        is_like(grad(loss)(np.ones(3)), A.T @ (A @ np.ones(3) - A @ X))
    assert float(utils.mse_loss(X, X + 2.0)) == 4.0


# Beside Values ------------------------------------------------------------------------------------

OPERATORS: list[tuple[Callable[[Any, Any], Any], Callable[[Any, Any], tuple[Any, Any]]]] = [
    (operator.add, lambda x, y: (1.0 + 0 * y, 1.0 + 0 * y)),
    (operator.sub, lambda x, y: (1.0 + 0 * y, -1.0 + 0 * y)),
    (operator.mul, lambda x, y: (y, x + 0 * y)),
    (operator.truediv, lambda x, y: (1 / y, -x / y**2)),
    (operator.pow, lambda x, y: (y * x ** (y - 1), np.log(x) * x**y)),
    (np.multiply, lambda x, y: (y, x + 0 * y)),
    (np.maximum, lambda x, y: (x > y, y > x)),
    (np.arctan2, lambda x, y: (y / (x**2 + y**2), -x / (x**2 + y**2))),
    (ops.hypot, lambda x, y: (x / np.hypot(x, y), y / np.hypot(x, y))),
    (ops["logaddexp"], lambda x, y: (1 / (1 + np.exp(y - x)), 1 / (1 + np.exp(x - y)))),
]
BESIDE = np.array([[0.5, 1.0, 2.0], [3.0, 0.25, 1.25]])


@pytest.mark.parametrize(("apply", "partials"), OPERATORS)
def test_a_value_on_either_side(
    backend: str, apply: Callable[[Any, Any], Any], partials: Callable[[Any, Any], Any]
) -> None:
    weights = np.arange(1.0, 7.0).reshape(2, 3)
    for turned in (False, True):
        v = Value(1.5)
        pair = (BESIDE, v) if turned else (v, BESIDE)
        numbers = (BESIDE, 1.5) if turned else (1.5, BESIDE)
        made = apply(*pair)
        assert isinstance(made, MLArray)
        assert made.backend == backend
        want = apply(*numbers) if not isinstance(apply, Op) else getattr(np, apply.name)(*numbers)
        np.testing.assert_allclose(np.array(made), want, rtol=1e-14)
        (made * weights).sum().backward()
        partial = partials(BESIDE, 1.5)[1] if turned else partials(1.5, BESIDE)[0]
        assert v.grad == pytest.approx((partial * weights).sum(), rel=1e-13)


def test_comparisons_of_a_value_and_an_ndarray(backend: str) -> None:
    v, a = Value(1.0), np.array([0.5, 1.0, 2.0])
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        for made, want in ((compare(v, a), compare(1.0, a)), (compare(a, v), compare(a, 1.0))):
            assert isinstance(made, MLArray)
            assert made.to_list() == want.tolist()


def test_ops_take_ndarrays(backend: str) -> None:
    a = np.array([[0.5, -1.0]])
    for name in ("tanh", "sin", "exp", "abs", "square"):
        made = ops[name](a)
        assert isinstance(made, MLArray)
        assert not made.requires_grad
        np.testing.assert_allclose(np.array(made), getattr(np, name)(a), rtol=1e-14)
    assert ops.leaky_relu(a, alpha=0.5).to_list() == [[0.5, -0.5]]
    assert ops.maximum(a, 0.0).to_list() == [[0.5, 0.0]]
    for name in ("numpy", "pure"):  # an array beside it says on which backend
        x = MLArray([[1.0, 2.0]], backend=name)
        made = ops.multiply(a, x)
        assert made.backend == name
        made.sum().backward()
        assert x.grad().to_list() == a.tolist()
    made = elementwise("twice_of_any", lambda xp, x: x + x)(a)  # a composite
    assert made.to_list() == (2 * a).tolist()
    a[0, 0] = 7.0  # it was copied
    assert made.to_list() == [[1.0, -2.0]]


def test_what_goes_wrong_beside_a_value() -> None:
    v, a = Value(2.0), np.ones(2)
    with pytest.raises(TypeError, match=r"np\.add: an MLArray cannot be written into an ndarray"):
        a += v
    with pytest.raises(TypeError, match=r"np\.gcd: there is no such function of MLArrays"):
        np.gcd(v, a)
    with pytest.raises(TypeError, match="complex"):
        v * np.array([1j])


@given(
    st.lists(st.floats(0.1, 3.0), min_size=1, max_size=5),
    st.floats(0.1, 2.0),
    st.floats(-1.0, 1.0),
)
def test_scalar_parameters_times_data(data: list[float], a: float, b: float) -> None:
    """Least squares of a exp(-b x): the gradient in closed form."""
    x, y = np.array(data), np.linspace(0.0, 1.0, len(data))
    e = np.exp(-b * x)
    r = a * e - y
    found = grad(lambda a, b: ((a * np.exp(-b * x) - y) ** 2).sum(), (0, 1))(a, b)
    np.testing.assert_allclose(found, [2 * (r * e).sum(), -2 * (r * a * x * e).sum()], 1e-9, 1e-9)
