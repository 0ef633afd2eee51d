"""SciPy's optimizers take our derivatives as they are: ndarrays in, ndarrays and floats out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smolml import grad, hessian, hvp, jacobian, use_backend, value_and_grad

np = pytest.importorskip("numpy")
optimize: Any = pytest.importorskip("scipy.optimize")
datasets: Any = pytest.importorskip("sklearn.datasets")

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


@pytest.fixture(params=["numpy", "pure"], autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    with use_backend(request.param):
        yield request.param


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def test_derivatives_are_those_that_scipy_has_by_hand() -> None:
    v = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    np.testing.assert_allclose(grad(rosenbrock)(START), optimize.rosen_der(START), 1e-12, 1e-11)
    np.testing.assert_allclose(hessian(rosenbrock)(START), optimize.rosen_hess(START), 1e-12, 1e-11)
    want = optimize.rosen_hess_prod(START, v)
    np.testing.assert_allclose(hvp(rosenbrock)(START, v), want, 1e-12, 1e-11)
    difference = optimize.check_grad(rosenbrock, grad(rosenbrock), START)  # SciPy's own numeric one
    assert difference < 1e-3


METHODS: list[dict[str, Any]] = [
    {"method": "BFGS", "jac": grad(rosenbrock)},
    {"method": "L-BFGS-B", "jac": grad(rosenbrock)},
    {"method": "CG", "jac": grad(rosenbrock)},
    {"method": "SLSQP", "jac": grad(rosenbrock)},
    {"method": "Newton-CG", "jac": grad(rosenbrock), "hessp": hvp(rosenbrock)},
    {"method": "trust-ncg", "jac": grad(rosenbrock), "hess": hessian(rosenbrock)},
    {"method": "trust-exact", "jac": grad(rosenbrock), "hess": hessian(rosenbrock)},
]


@pytest.mark.parametrize("how", METHODS, ids=lambda how: how["method"])
def test_minimize(how: dict[str, Any]) -> None:
    by_hand: dict[str, Callable[..., Any]] = {
        "jac": optimize.rosen_der,
        "hess": optimize.rosen_hess,
        "hessp": optimize.rosen_hess_prod,
    }
    found = optimize.minimize(rosenbrock, START, **how)
    want = optimize.minimize(
        optimize.rosen, START, **{k: by_hand.get(k, v) for k, v in how.items()}
    )
    assert found.success
    np.testing.assert_allclose(found.x, np.ones(5), atol=1e-3)
    np.testing.assert_allclose(found.x, want.x, rtol=1e-6)
    assert found.nit == want.nit


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP", "TNC"])
def test_minimize_of_value_and_gradient_at_once(method: str) -> None:
    found = optimize.minimize(value_and_grad(rosenbrock), START, jac=True, method=method)
    np.testing.assert_allclose(found.x, np.ones(5), atol=1e-2)


def test_arguments_that_are_not_differentiated() -> None:
    def distance(x: Any, matrix: Any, to: Any, names: list[str]) -> Any:
        return ((matrix @ x - to) ** 2).sum() * len(names)

    matrix = np.array([[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]])
    to = np.array([1.0, 2.0, 3.0])
    others = (matrix, to, ["a", "b"])
    for how in ({"method": "BFGS"}, {"method": "Newton-CG", "hessp": hvp(distance)}):
        found = optimize.minimize(distance, [0.0, 0.0], others, jac=grad(distance), **how)
        np.testing.assert_allclose(found.x, np.linalg.lstsq(matrix, to)[0], atol=1e-6)


# Least squares on the diabetes data of scikit-learn -----------------------------------------------


@pytest.fixture(scope="module")
def diabetes() -> tuple[Any, Any]:
    data = datasets.load_diabetes()
    return data.data[:80], data.target[:80] / 100.0


def test_least_squares(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes

    def residuals(w: Any) -> Any:
        return x @ w[:-1] + w[-1] - y

    found = optimize.least_squares(residuals, np.zeros(11), jac=jacobian(residuals))
    with_ones = np.column_stack([x, np.ones(len(x))])
    np.testing.assert_allclose(found.x, np.linalg.lstsq(with_ones, y)[0], rtol=1e-6)
    np.testing.assert_allclose(jacobian(residuals)(found.x), with_ones, rtol=1e-14)
    np.testing.assert_allclose(
        grad(lambda w: (residuals(w) ** 2).sum())(np.ones(11)),
        2 * with_ones.T @ (with_ones @ np.ones(11) - y),
        rtol=1e-12,
    )


def test_curve_fit(diabetes: tuple[Any, Any]) -> None:
    data, y = diabetes
    bmi = 10.0 * data[:, 2]

    def model(x: Any, height: Any, rate: Any, base: Any) -> Any:
        return height * np.exp(rate * x) + base

    def slopes(x: Any, *p: Any) -> Any:
        return jacobian(lambda p: model(x, *p))(np.array(p))

    start = (1.0, 0.5, 0.1)
    by_scipy, covariance = optimize.curve_fit(model, bmi, y, start)  # with differences
    found, ours = optimize.curve_fit(model, bmi, y, start, jac=slopes)
    np.testing.assert_allclose(found, by_scipy, rtol=1e-4)
    np.testing.assert_allclose(ours, covariance, rtol=1e-3)
    e = np.exp(found[1] * bmi)
    closed = np.column_stack([e, found[0] * bmi * e, np.ones_like(bmi)])
    np.testing.assert_allclose(slopes(bmi, *found), closed, rtol=1e-12)
    blocks = jacobian(model, (1, 2, 3))(bmi, *found)  # by single numbers
    np.testing.assert_allclose(np.stack(blocks, axis=1), closed, rtol=1e-12)
    assert all(type(block) is np.ndarray for block in blocks)
    fitted = optimize.curve_fit(
        model, bmi, y, start, jac=lambda *a: np.stack(jacobian(model, (1, 2, 3))(*a), axis=1)
    )
    np.testing.assert_allclose(fitted[0], found, rtol=1e-6)


def test_a_root() -> None:
    def equations(x: Any) -> Any:
        return [x[0] * x[1] - 2.0, x[0] - x[1] ** 2]

    def slopes(x: Any) -> Any:
        return jacobian(equations)(x)

    found = optimize.root(
        lambda x: np.array([float(y) for y in equations(x)]), [1.0, 1.0], jac=slopes
    )
    np.testing.assert_allclose(found.x, [2 ** (2 / 3), 2 ** (1 / 3)], rtol=1e-8)
