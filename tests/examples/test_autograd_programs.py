"""Programs of the kind that HIPS/autograd shows, run by it and by us: the same numbers.

A program is written once, for `lib`: NumPy's functions and the transforms of one of the two. For
us the functions are NumPy's own, which MLArrays go through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final

import autograd
import autograd.extend
import autograd.misc.fixed_points
import autograd.misc.optimizers
import autograd.numpy
import numpy as np
import pytest
from autograd.scipy.special import gammaln
from autograd.tracer import Node, getval, trace
from scipy import optimize, special

import smolml
from smolml import ops, use_backend

TRANSFORMS: Final = ("grad", "value_and_grad", "elementwise_grad")
OURS: Final = SimpleNamespace(
    **vars(np) | {name: getattr(smolml, name) for name in TRANSFORMS},
    hvp=smolml.hvp,
    constant=lambda x: np.asarray(smolml.stop_gradient(x)),
)
THEIRS: Final = SimpleNamespace(
    **vars(autograd.numpy) | {name: getattr(autograd, name) for name in TRANSFORMS},
    hvp=autograd.hessian_vector_product,
    constant=getval,
)
RNG: Final = np.random.default_rng(0)


@pytest.fixture(params=["numpy", "pure"], autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[None]:
    with use_backend(request.param):
        yield


def same(program: Callable[..., Any], *rest: Any, tolerance: float = 1e-10) -> Any:
    """What the program gives with us, after comparing it with what it gives with autograd."""
    ours = program(OURS, *rest)
    compare(ours, program(THEIRS, *rest), tolerance)
    return ours


def compare(ours: Any, theirs: Any, tolerance: float = 1e-10) -> None:
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(theirs, list | tuple):
        for a, b in zip(ours, theirs, strict=True):
            compare(a, b, tolerance)
    else:
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=tolerance, atol=tolerance)


def log_sum_exp(lib: Any, x: Any, axis: int | None = None) -> Any:
    most = np.max(lib.constant(x))
    return most + lib.log(lib.sum(lib.exp(x - most), axis=axis))


# Derivatives of derivatives ----------------------------------------------------------------------


def test_derivatives_of_tanh() -> None:
    """A curve and its first four derivatives, of a formula that nobody simplified."""
    x = np.linspace(-7, 7, 29)

    def curves(lib: Any) -> list[Any]:
        found: list[Any] = [lambda x: (1.0 - lib.exp(-2 * x)) / (1.0 + lib.exp(-(2 * x)))]
        for _ in range(4):
            found.append(lib.elementwise_grad(found[-1]))
        return [f(x) for f in found]

    ours, t = same(curves), np.tanh(x)
    s = 1 - t**2
    by_hand = [t, s, -2 * t * s, s * (6 * t**2 - 2), s * (16 * t - 24 * t**3)]
    compare(ours, by_hand, 1e-9)


def test_the_derivative_of_a_fixed_point() -> None:
    """A root as where an iteration comes to rest: differentiated there, not through the steps.

    x = f(a, x) gives dx/da = (df/da) / (1 - df/dx), however x was found.
    """

    def step(a: Any, x: Any) -> Any:
        return x - 0.05 * (x**2 - a)

    def iterated(a: Any) -> Any:
        x = 1.0
        while abs(x**2 - a) > 1e-15 * a:
            x = step(a, x)
        return x

    def backward(a: Any, g: Any) -> tuple[Any]:
        df_da, df_dx = smolml.grad(step, argnums=(0, 1))(a, root(a))
        return (g * df_da / (1 - df_dx),)

    root = smolml.custom_vjp(iterated)
    root.defvjp(lambda a: (iterated(a), a), backward)

    def theirs(a: Any) -> Any:
        return autograd.misc.fixed_points.fixed_point(
            lambda a: lambda x: step(a, x), a, 1.0, lambda x, y: abs(x - y), 1e-14
        )

    for ours in (root, smolml.grad(root), smolml.grad(smolml.grad(root))):
        compare(ours(2.0), theirs(2.0))
        theirs = autograd.grad(theirs)
    compare(smolml.grad(smolml.grad(root))(2.0), -(2.0**-1.5) / 4)


def test_a_gradient_of_one_s_own() -> None:
    """log(sum(exp(x))) as a black box with a rule, inside a larger function; twice."""

    def black_box(x: Any) -> Any:
        return log_sum_exp(OURS, x)

    ours = smolml.custom_vjp(black_box)
    ours.defvjp(lambda x: (black_box(x), x), lambda x, g: (g * np.exp(x - ours(x)),))
    theirs = autograd.extend.primitive(lambda x: special.logsumexp(x))
    autograd.extend.defvjp(
        theirs, lambda out, x: lambda g: g * autograd.numpy.exp(x - autograd.numpy.full(5, out))
    )
    x = RNG.normal(size=5)
    a, b = ((lambda y, f=f: f(y**2)) for f in (ours, theirs))
    compare(smolml.grad(a)(x), autograd.grad(b)(x))
    compare(smolml.hessian(a)(x), autograd.hessian(b)(x))


# Models ------------------------------------------------------------------------------------------


def test_a_gaussian_mixture() -> None:
    """Its likelihood, with parameters in a dict: gradient, and the Hessian times a vector."""
    points = RNG.normal(size=(12, 2))
    start = {
        "log proportions": RNG.normal(size=3),
        "means": RNG.normal(size=(3, 2)),
        "roots": RNG.normal(size=(3, 2, 2)) + 2 * np.eye(2),
    }

    def program(lib: Any) -> Any:
        def loss(p: Any) -> Any:
            each = p["log proportions"] - log_sum_exp(lib, p["log proportions"])
            rows = []
            for k in range(3):
                z = lib.linalg.solve(p["roots"][k], (points - p["means"][k]).T)
                log_det = lib.linalg.slogdet(p["roots"][k])[1]
                rows.append(each[k] - lib.sum(z**2, axis=0) / 2 - log_det)
            return -lib.sum(log_sum_exp(lib, lib.stack(rows), axis=0))

        def of_means(means: Any) -> Any:
            return loss(start | {"means": means})

        return loss(start), lib.grad(loss)(start), lib.hvp(of_means)(start["means"], points[:3])

    same(program)


def test_a_gaussian_process() -> None:
    """The kernel's scales by the slope of the marginal likelihood, with SciPy's optimizer."""
    x = np.concatenate([np.linspace(0, 3, 6), np.linspace(6, 8, 6)])
    y = np.cos(x) / 2 + 0.05 * RNG.normal(size=12)

    def program(lib: Any) -> Any:
        def loss(p: Any) -> Any:
            gaps = (x[:, None] - x[None, :]) / lib.exp(p[3])
            kernel = lib.exp(p[2] - gaps**2 / 2) + (lib.exp(p[1]) + 1e-4) * np.eye(12)
            miss = y - p[0]
            return (
                lib.dot(miss, lib.linalg.solve(kernel, miss)) + lib.linalg.slogdet(kernel)[1]
            ) / 2

        how = {"jac": True, "method": "BFGS", "options": {"maxiter": 3}}
        found = optimize.minimize(lib.value_and_grad(loss), np.array([0.0, -2.0, 0.0, 0.0]), **how)
        return found.x, found.fun, found.jac

    same(program)


def test_a_hidden_markov_model() -> None:
    """Expectation maximization: the expected counts are a gradient of the log-likelihood."""
    text = [0, 1, 1, 2, 0, 2, 2, 1, 0]

    def rows(a: Any) -> Any:
        return a / a.sum(-1, keepdims=True)

    start = [rows(RNG.uniform(size=shape)) for shape in [(2,), (2, 2), (2, 3)]]

    def program(lib: Any) -> Any:
        def log_likelihood(logs: Any) -> Any:
            first, moves, shown = logs
            alpha = first
            for letter in text:
                alpha = log_sum_exp(lib, alpha[:, None] + moves, axis=0) + shown[:, letter]
            return log_sum_exp(lib, alpha)

        probabilities, likelihoods = start, []
        for _ in range(4):
            likelihood, counts = lib.value_and_grad(log_likelihood)(
                [np.log(p) for p in probabilities]
            )
            likelihoods.append(likelihood)
            probabilities = [rows(np.asarray(c)) for c in counts]
        return probabilities, likelihoods, [np.sum(np.asarray(c)) for c in counts]

    _, likelihoods, totals = same(program)
    assert np.all(np.diff(likelihoods) > 0)  # EM never goes down
    compare(totals, [1.0, len(text), len(text)])  # of counts: how often something was chosen


def test_a_negative_binomial() -> None:
    """A likelihood with SciPy's log-gamma in it, its stationary point by Newton's method."""
    data = np.array([3.0, 7, 2, 9, 4, 1, 12, 5])

    def program(lib: Any, log_gamma: Any) -> Any:
        def likelihood(r: Any) -> Any:
            p = lib.sum(data) / (lib.sum(data) + len(data) * r)
            each = log_gamma(r + data) - log_gamma(r) + data * lib.log(p) + r * lib.log(1 - p)
            return lib.sum(each)

        slope = lib.grad(likelihood)
        r = optimize.newton(slope, 1.0, fprime=lib.grad(slope))
        return r, likelihood(r), lib.grad(lib.grad(slope))(r)

    first, second = (lambda x, n=n: float(special.polygamma(n, x)) for n in (1, 2))
    trigamma = smolml.scalar_elementwise("trigamma", first, second)
    digamma = smolml.scalar_elementwise("digamma", special.psi, trigamma)
    log_gamma = smolml.scalar_elementwise("log_gamma", special.gammaln, digamma)
    compare(program(OURS, log_gamma), program(THEIRS, gammaln))


def test_black_box_variational_inference() -> None:
    """A Gaussian as close to a funnel as can be, by samples through its mean and its scale."""
    noise = RNG.normal(size=(30, 20, 2))

    def bound(lib: Any, p: Any, i: int) -> Any:
        samples = noise[i] * lib.exp(p[2:]) + p[:2]
        x, log_scale = samples[:, 0], samples[:, 1]
        density = -((log_scale / 1.35) ** 2) / 2 - (x / lib.exp(log_scale)) ** 2 / 2 - log_scale
        return -(lib.sum(p[2:]) + lib.mean(density))

    p = smolml.MLArray([-1.0, -1.0, -2.0, -2.0])
    start, adam = np.array(p), smolml.Adam(learning_rate=0.1)
    for i in range(30):
        adam.step([p], [smolml.grad(lambda p: bound(np, p, i))(p)])  # noqa: B023
    slope = autograd.grad(lambda p, i: bound(autograd.numpy, p, i))
    compare(p, autograd.misc.optimizers.adam(slope, start, num_iters=30, step_size=0.1))


# Simulations -------------------------------------------------------------------------------------


def test_an_oscillator() -> None:
    """What drives a differential equation, from a path: the gradient goes through Runge-Kutta."""
    truth, guess = np.array([[-0.1, 2.0], [-2.0, -0.1]]), np.array([[0.0, 1.5], [-1.5, 0.0]])

    def path(lib: Any, a: Any) -> Any:
        y, h, seen = np.array([2.0, 0.0]), 0.05, []
        for _ in range(20):
            k1 = lib.dot(y**3, a)
            k2 = lib.dot((y + h / 2 * k1) ** 3, a)
            k3 = lib.dot((y + h / 2 * k2) ** 3, a)
            k4 = lib.dot((y + h * k3) ** 3, a)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            seen.append(y)
        return lib.stack(seen)

    wanted = path(np, truth)

    def program(lib: Any) -> Any:
        return lib.value_and_grad(lambda a: lib.mean((path(lib, a) - wanted) ** 2))(guess)

    same(program)


def test_a_fluid() -> None:
    """Smoke that is blown about on a torus: which wind at first makes it look like that at last?"""
    n, (rows, columns) = 6, np.mgrid[:6, :6]
    smoke, goal = np.eye(n), np.eye(n)[::-1]
    wind = 0.6 * RNG.normal(size=(2, n, n))

    def project(lib: Any, v: Any) -> Any:
        """What of a wind takes as much air from everywhere as it brings: by Jacobi's method."""
        x, y = v
        roll = lib.roll
        div = -(roll(x, -1, 1) - roll(x, 1, 1) + roll(y, -1, 0) - roll(y, 1, 0)) / (2 * n)
        p = np.zeros((n, n))
        for _ in range(5):
            p = (div + roll(p, 1, 1) + roll(p, -1, 1) + roll(p, 1, 0) + roll(p, -1, 0)) / 4
        x = x - n / 2 * (roll(p, -1, 1) - roll(p, 1, 1))
        return x, y - n / 2 * (roll(p, -1, 0) - roll(p, 1, 0))

    def carry(lib: Any, f: Any, v: Any) -> Any:
        """A field one step later: each cell looks against the wind, between four others."""
        at = [columns - v[0], rows - v[1]]
        left, top = (np.floor(lib.constant(a)).astype(int) for a in at)
        right, down = at[0] - left, at[1] - top
        above = (1 - right) * f[top % n, left % n] + right * f[top % n, (left + 1) % n]
        below = (1 - right) * f[(top + 1) % n, left % n] + right * f[(top + 1) % n, (left + 1) % n]
        return (1 - down) * above + down * below

    def program(lib: Any) -> Any:
        def loss(wind: Any) -> Any:
            v, f = (wind[0], wind[1]), smoke
            for _ in range(3):
                v = project(lib, [carry(lib, part, v) for part in v])
                f = carry(lib, f, v)
            return lib.mean((f - goal) ** 2)

        return lib.value_and_grad(loss)(wind)

    same(program)


def test_the_graph_of_a_function() -> None:
    """What was computed from what: as many operations as in their trace, of the same kinds."""
    kinds: list[str] = []

    class Noted(Node):  # type: ignore[misc]  # it has no types
        def __init__(self, value: Any, fun: Any, *rest: Any) -> None:
            kinds.append(fun.__name__)

        def initialize_root(self, *rest: Any) -> None:
            pass

    def f(lib: Any, x: Any) -> Any:
        y = lib.sin(x)
        return (y + lib.exp(x) - 0.5) * y

    trace(Noted.new_root(1.0), lambda x: f(autograd.numpy, x), 1.0)
    drawn = smolml.draw(f(ops, smolml.Value(1.0))).dot
    names = {"sin": "sin", "exp": "exp", "+": "add", "-": "subtract", "*": "multiply"}
    assert sorted(kinds) == sorted(names.values())
    assert [drawn.count(f'"{sign}\\n') for sign in names] == [1] * 5
