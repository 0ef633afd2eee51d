"""Linear algebra: laws, closed forms, special matrices, errors, and programs that use it."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import smolml_array
from smolml_array import (
    LinAlgError,
    MLArray,
    ShapeError,
    cholesky,
    det,
    eye,
    inv,
    matrix_power,
    replay,
    slogdet,
    solve,
    zeros,
)
from smolml_value import SmolMLError, check_grads, grad, hessian, jvp
from tests.array.linalg_programs import MOVES, NOISES, SCALES, SEES, gaussian_process, kalman
from tests.array.numeric import array, assert_same

PROGRAMS = SimpleNamespace(
    array=lambda a: MLArray(a, False),
    eye=lambda n: eye(n, requires_grad=False),
    **{name: getattr(smolml_array, name) for name in ("cholesky", "diagonal", "slogdet", "solve")},
)


@st.composite
def regular(draw: st.DrawFn) -> Any:
    """A batch of matrices that are far from singular, some of negative determinant."""
    n, lead = draw(st.integers(0, 4)), draw(st.lists(st.integers(0, 3), max_size=2))
    x = draw(hnp.arrays("float64", (*lead, n, n), elements=st.floats(-1.0, 1.0)))
    return (x + 2.0 * n * np.eye(n))[..., draw(st.permutations(range(n))), :]


# Laws ------------------------------------------------------------------------------------------


@given(a=regular(), columns=st.integers(0, 3), batches=st.booleans(), data=st.data())
@settings(max_examples=40)
def test_what_solve_finds_is_a_solution(
    a: Any, columns: int, batches: bool, data: st.DataObject
) -> None:
    shape = (*(a.shape[:-2] if batches else ()), a.shape[-1], columns)
    b = data.draw(hnp.arrays("float64", shape, elements=st.floats(-9.0, 9.0)))
    for name in ("numpy", "pure"):
        x = solve(MLArray(a, backend=name), b)
        assert x.shape == (*a.shape[:-1], columns)
        assert_same(MLArray(a, backend=name) @ x, np.broadcast_to(b, x.shape), 1e-9, 1e-9)
        line = solve(MLArray(a, backend=name), np.ones(a.shape[-1]))
        assert_same(line, np.linalg.solve(a, np.ones(a.shape[-1])), 1e-9, 1e-9)


@given(a=regular())
@settings(max_examples=40)
def test_inverses_determinants_and_roots_answer_as_numpy(a: Any) -> None:
    square = a @ np.swapaxes(a, -1, -2)
    for name in ("numpy", "pure"):
        x, s = MLArray(a, backend=name), MLArray(square, backend=name)
        assert_same(inv(x), np.linalg.inv(a), 1e-9, 1e-9)
        assert_same(det(x), np.linalg.det(a), 1e-9, 1e-9)
        assert_same(slogdet(x).sign, np.linalg.slogdet(a).sign)
        assert_same(slogdet(x).logabsdet, np.linalg.slogdet(a).logabsdet, 1e-9, 1e-9)
        assert_same(cholesky(s), np.linalg.cholesky(square), 1e-9, 1e-9)
        assert_same(cholesky(s, upper=True).mT @ cholesky(s).mT, square, 1e-9, 1e-9)
        for n in (-2, 0, 1, 3):
            assert_same(matrix_power(x, n), np.linalg.matrix_power(a, n), 1e-8, 1e-8)


def test_powers_of_an_infinite_matrix_are_numpys(backend: str) -> None:
    a = np.array([[math.inf, 2.0], [0.0, 1.0]])
    with np.errstate(invalid="ignore"):
        for n in (0, 1, 2, 3):
            want = np.linalg.matrix_power(a, n)
            np.testing.assert_array_equal(np.asarray(matrix_power(MLArray(a), n)), want)


# Gradients in closed form ----------------------------------------------------------------------


@given(a=regular())
@settings(max_examples=25)
def test_gradients_of_determinants_are_inverses(a: Any) -> None:
    for name in ("numpy", "pure"):
        x = MLArray(a, backend=name)
        turned = np.swapaxes(np.linalg.inv(a), -1, -2)
        slogdet(x).logabsdet.sum().backward()
        assert_same(x.grad(), turned, 1e-8, 1e-8)
        x.zero_grad()
        det(x).sum().backward()
        assert_same(x.grad(), np.linalg.det(a)[..., None, None] * turned, 1e-8, 1e-8)


def test_half_of_a_logarithm_of_a_determinant_is_on_the_diagonal_of_the_root(backend: str) -> None:
    """sum log L_ii = log det(x) / 2, whose gradient x⁻¹ / 2 is symmetric, as cholesky's is."""
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]])
    x = MLArray(a)
    cholesky(x).diagonal().log().sum().backward()
    assert_same(x.grad(), np.linalg.inv(a) / 2.0, 1e-12, 1e-12)


@pytest.mark.parametrize(
    ("matrix", "adjugate"),
    [
        ([[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        ([[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]),
        ([[0.0]], [[1.0]]),
        ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
        ([[1, 2, 0], [2, 4, 0], [0, 0, 5]], [[20, -10, 0], [-10, 5, 0], [0, 0, 0]]),
    ],
)
def test_the_gradient_of_a_singular_determinant_is_the_adjugate(
    matrix: Any, adjugate: Any, backend: str
) -> None:
    """Also where rounding makes the determinant only nearly 0."""
    x = MLArray(matrix)
    det(x).backward()
    assert_same(x.grad(), np.transpose(adjugate), 1e-9, 1e-9)
    u = array(x.shape, "u")
    tangent = jvp(det, (x,), (MLArray(u),))[1]
    assert_same(tangent, (u * np.transpose(adjugate)).sum(), 1e-9, 1e-9)


def test_second_derivatives_of_a_determinant_of_zero(backend: str) -> None:
    """det = ad - bc has the same Hessian everywhere; of 3 by 3 zeros it is 0, the third is not."""
    want = np.zeros((2, 2, 2, 2))
    want[0, 0, 1, 1] = want[1, 1, 0, 0] = 1.0
    want[0, 1, 1, 0] = want[1, 0, 0, 1] = -1.0
    assert_same(hessian(det)(zeros(2, 2)), want, 0.0, 0.0)
    assert_same(hessian(det)(MLArray([[1.0, 2.0], [2.0, 4.0]])), want, 1e-12, 1e-12)
    assert not hessian(det)(zeros(3, 3)).any()


def test_third_derivatives_of_a_determinant_of_zero(backend: str) -> None:
    """det(x + t u) is a polynomial of t, and its cubic term det(u)."""
    u = array((3, 3), "u")
    for a in (np.zeros((3, 3)), np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 5.0]])):
        f = grad(grad(grad(lambda t, a=a: det(MLArray(u, False) * t + a))))
        assert f(0.0) == pytest.approx(6.0 * np.linalg.det(u), rel=1e-9)


def test_one_singular_matrix_of_a_batch_spoils_no_gradient(backend: str) -> None:
    a = np.array([[[1.0, 2.0], [2.0, 4.0]], [[2.0, 1.0], [0.0, 3.0]]])
    x = MLArray(a)
    det(x).sum().backward()
    assert_same(x.grad(), [[[4.0, -2.0], [-2.0, 1.0]], [[3.0, 0.0], [-1.0, 2.0]]], 1e-12, 1e-12)


def test_large_determinants(backend: str) -> None:
    """Where det itself is beyond all floats, its logarithm is not."""
    n = 40
    x = MLArray(np.eye(n) * 1e-10)
    sign, logs = slogdet(x)
    assert sign.item() == 1.0
    assert logs.item() == pytest.approx(-10.0 * n * math.log(10.0))
    logs.backward()
    assert_same(x.grad(), np.eye(n) * 1e10, 1e-12, 1e-12)
    sign, logs = slogdet(zeros(2, 2))
    assert (sign.item(), logs.item()) == (0.0, -math.inf)


def test_numbers_values_and_lists_are_operands(backend: str) -> None:
    assert solve([[2, 0], [0, 4]], [2, 4]).to_list() == [1.0, 1.0]
    whole = MLArray([[2, 1], [1, 1]], dtype="int64")
    assert_same(inv(whole), [[1.0, -1.0], [-1.0, 2.0]], 1e-12, 1e-12)
    assert_same(det(whole), 1.0, 1e-12, 1e-12)
    b = MLArray([1.0, 2.0])
    solve([[2.0, 0.0], [0.0, 4.0]], b).sum().backward()
    assert b.grad().to_list() == [0.5, 0.25]


# Errors ----------------------------------------------------------------------------------------


def test_errors(backend: str) -> None:
    singular = MLArray([[1.0, 2.0], [2.0, 4.0]])
    for call in (
        lambda: solve(singular, [1.0, 1.0]),
        lambda: inv(singular),
        lambda: inv([[[1.0]], [[0.0]]]),
        lambda: matrix_power(singular, -1),
        lambda: slogdet(singular)[1].backward(),
    ):
        with pytest.raises(LinAlgError, match=r"^solve: a matrix is singular: expected one with"):
            call()
    for matrix in ([[1.0, 2.0], [2.0, 1.0]], [[0.0]]):
        with pytest.raises(LinAlgError, match=r"^cholesky: a matrix is not positive definite"):
            cholesky(matrix)


def test_cholesky_lets_nan_and_infinity_through(backend: str) -> None:
    for matrix, lower in (
        ([[math.inf, 0.0], [0.0, 4.0]], [[math.inf, 0.0], [0.0, 2.0]]),
        ([[4.0, 0.0], [0.0, math.nan]], [[2.0, 0.0], [0.0, math.nan]]),
        ([[math.nan, 0.0], [0.0, 1.0]], [[math.nan, 0.0], [math.nan, math.nan]]),
    ):
        found = cholesky(MLArray(matrix, backend=backend))
        np.testing.assert_array_equal(np.asarray(found), lower)
    assert issubclass(LinAlgError, SmolMLError)
    assert issubclass(LinAlgError, ValueError)
    for function in (inv, det, slogdet, cholesky, lambda x: matrix_power(x, 2)):
        for wrong in ([1.0, 2.0], [[1.0, 2.0]], 3.0):
            with pytest.raises(ShapeError, match=r"expected square matrices in the last two axes"):
                function(wrong)
    with pytest.raises(ShapeError, match=r"solve: shapes \(2, 2\) and \(3,\) do not align"):
        solve(eye(2), [1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match=r"solve: .* batch axes do not broadcast"):
        solve(np.zeros((2, 1, 1)), np.zeros((3, 1, 1)))
    with pytest.raises(TypeError, match="integer"):
        matrix_power(eye(2), 0.5)  # type: ignore[arg-type]


# Programs --------------------------------------------------------------------------------------


def test_the_likelihood_of_a_kalman_filter(backend: str) -> None:
    """Its gradients against central differences, and one number against the joint density."""
    args = tuple(map(MLArray, (MOVES, SEES, NOISES)))
    check_grads(lambda *xs: kalman(PROGRAMS, *xs), args, order=1)


def test_the_likelihood_of_a_gaussian_process(backend: str) -> None:
    check_grads(lambda x: gaussian_process(PROGRAMS, x), (MLArray(SCALES),))


def test_replayed_steps(backend: str) -> None:
    """Derivatives of derivatives among them, which ask whether determinants are 0."""
    if backend == "pure":
        pytest.skip("replay records on NumPy")

    def f(x: MLArray) -> Any:
        return (grad(lambda y: det(y) + slogdet(y)[1] + cholesky(y @ y.mT).sum())(x) ** 2).sum()

    x = MLArray([[2.0, 1.0], [0.5, 3.0]])
    step = replay(lambda: f(x), [x])
    for _ in range(3):
        x.zero_grad()
        step()
        assert_same(x.grad(), np.asarray(grad(f)(MLArray(np.asarray(x)))), 1e-10, 1e-10)
        x.update_values(np.asarray(x) + 0.1)


@pytest.mark.parametrize("offset", range(-6, 7))
def test_diagonals_that_begin_outside_are_empty(offset: int, backend: str) -> None:
    a = np.arange(12.0).reshape(3, 4)
    x = MLArray(a.tolist())
    assert x.diagonal(offset).to_list() == np.diagonal(a, offset).tolist()
    assert x.trace(offset).item() == np.trace(a, offset)


@pytest.mark.parametrize("ord", [2, 3, -1])
def test_a_norm_that_vanishes_has_no_slope(ord: float, backend: str) -> None:
    """Also where it is the power that vanishes, not the number."""
    for numbers in ([0.0, 0.0], [1e-200, 0.0]):
        x = MLArray(numbers)
        norm = x.vector_norm(ord=ord)
        assert norm.item() == 0.0
        norm.backward()
        assert x.grad().to_list() == [0.0, 0.0]
