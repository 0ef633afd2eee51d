"""NumPy's functions on MLArrays: ours where we have one, with gradients; else a clear TypeError."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, ones
from smolml_array._namespaces.numpy_functions import FUNCTIONS
from smolml_value import Value, grad, hessian, hvp, jvp
from tests.array.numeric import array, assert_same, cotangent, differences

Call = Callable[..., Any]


# Each with a (2, 3) array x of positive numbers and another one, y.
def _square(x: Any) -> Any:
    """A regular matrix made of both rows of x."""
    return x[:, :2] + np.array([[0.0, 3.0], [4.0, 0.0]])


def _positive(x: Any) -> Any:
    return x @ x.T + np.eye(2)


SMOOTH: dict[str, list[Call]] = {
    "append": [lambda x, y: np.append(x, y), lambda x, y: np.append(x, y[:1], axis=0)],
    "average": [
        lambda x, y: np.average(x, weights=y),
        lambda x, y: np.average(x, axis=1, weights=y[0], keepdims=True),
    ],
    "convolve": [
        lambda x, y: np.convolve(x[0], y[1]),
        lambda x, y: np.convolve(x[0], [1.0, 2.0], mode="same"),
        lambda x, y: np.convolve(np.ones(2), x[0], "valid"),
    ],
    "cross": [lambda x, y: np.cross(x, y), lambda x, y: np.cross(x[0], [1.0, 0.0, 2.0])],
    "diag": [lambda x, y: np.diag(x), lambda x, y: np.diag(x[1], k=-1)],
    "interp": [
        lambda x, y: np.interp(x, [0.0, 1.1, 3.0], y[0]),
        lambda x, y: np.interp([0.1, 1.5, 7.0], np.cumsum(x[1]), x[0], left=-1.0, right=-2.0),
    ],
    "kron": [lambda x, y: np.kron(x, y), lambda x, y: np.kron(np.eye(2), x)],
    "linalg.cholesky": [
        lambda x, y: np.linalg.cholesky(_positive(x)),
        lambda x, y: np.linalg.cholesky(_positive(x), upper=True),
    ],
    "linalg.cross": [lambda x, y: np.linalg.cross(x, y, axis=-1)],
    "linalg.det": [lambda x, y: np.linalg.det(_square(x))],
    "linalg.diagonal": [lambda x, y: np.linalg.diagonal(x, offset=1)],
    "linalg.inv": [lambda x, y: np.linalg.inv(_square(x))],
    "linalg.matmul": [lambda x, y: np.linalg.matmul(x, y.T)],
    "linalg.matrix_norm": [lambda x, y: np.linalg.matrix_norm(x, ord=1)],
    "linalg.matrix_power": [lambda x, y: np.linalg.matrix_power(_square(x), -3)],
    "linalg.matrix_transpose": [lambda x, y: np.linalg.matrix_transpose(x)],
    "linalg.outer": [lambda x, y: np.linalg.outer(x[0], y[1])],
    "linalg.slogdet": [lambda x, y: np.linalg.slogdet(_square(x)).logabsdet],
    "linalg.solve": [
        lambda x, y: np.linalg.solve(_square(x), y),
        lambda x, y: np.linalg.solve(_square(x), np.ones(2)),
    ],
    "linalg.tensordot": [lambda x, y: np.linalg.tensordot(x, y, axes=2)],
    "linalg.trace": [lambda x, y: np.linalg.trace(x, offset=1)],
    "linalg.vecdot": [lambda x, y: np.linalg.vecdot(x, y)],
    "linalg.vector_norm": [lambda x, y: np.linalg.vector_norm(x, ord=3, axis=0, keepdims=True)],
    "median": [lambda x, y: np.median(x), lambda x, y: np.median(x, axis=0)],
    "meshgrid": [lambda x, y: np.meshgrid(x[0], y[0])[0]],
    "trapezoid": [
        lambda x, y: np.trapezoid(x, dx=0.3),
        lambda x, y: np.trapezoid(x, np.cumsum(y[0])),
        lambda x, y: np.trapezoid(x, y, axis=0),
    ],
    "amax": [lambda x, y: np.amax(x, axis=1)],
    "amin": [lambda x, y: np.amin(x)],
    "around": [],
    "atleast_1d": [lambda x, y: np.atleast_1d(x[0, 0])],
    "atleast_2d": [lambda x, y: np.atleast_2d(x[0])],
    "broadcast_arrays": [lambda x, y: np.broadcast_arrays(x, y[0])[0]],
    "broadcast_to": [lambda x, y: np.broadcast_to(x, (2, 2, 3))],
    "clip": [
        lambda x, y: np.clip(x, 0.7, 1.4),
        lambda x, y: np.clip(x, y * 0.5, None),
        lambda x, y: np.clip(x, None, 1.1),
    ],
    "column_stack": [lambda x, y: np.column_stack([x, y[:, 0]])],
    "concatenate": [
        lambda x, y: np.concatenate([x, y]),
        lambda x, y: np.concatenate((x, np.ones((2, 1)), y), axis=-1),
        lambda x, y: np.concatenate([x, y], axis=None),
    ],
    "copy": [lambda x, y: np.copy(x)],
    "cumprod": [lambda x, y: np.cumprod(x), lambda x, y: np.cumprod(x, axis=1)],
    "cumsum": [lambda x, y: np.cumsum(x), lambda x, y: np.cumsum(x, 0)],
    "diagonal": [lambda x, y: np.diagonal(x), lambda x, y: np.diagonal(x, 1)],
    "diff": [lambda x, y: np.diff(x), lambda x, y: np.diff(x, n=2), lambda x, y: np.diff(x, 1, 0)],
    "dot": [
        lambda x, y: np.dot(x, y.T),
        lambda x, y: np.dot(x[0], y[1]),
        lambda x, y: np.dot(x, 2.0),
        lambda x, y: np.dot(x, np.stack([y.T, y.T])),
    ],
    "einsum": [
        lambda x, y: np.einsum("ij,kj->ik", x, y),
        lambda x, y: np.einsum("ij,ij", x, np.ones((2, 3))),
        lambda x, y: np.einsum("ij,kj->ik", x, y, optimize=True),
    ],
    "expand_dims": [lambda x, y: np.expand_dims(x, 1), lambda x, y: np.expand_dims(x, axis=(0, 2))],
    "flip": [lambda x, y: np.flip(x), lambda x, y: np.flip(x, 0)],
    "hstack": [lambda x, y: np.hstack([x, y]), lambda x, y: np.hstack([x[0], y[0]])],
    "inner": [lambda x, y: np.inner(x, y), lambda x, y: np.inner(x[0], y[1])],
    "lib.stride_tricks.sliding_window_view": [
        lambda x, y: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1)
    ],
    "linalg.norm": [
        lambda x, y: np.linalg.norm(x),
        lambda x, y: np.linalg.norm(x, axis=1),
        lambda x, y: np.linalg.norm(x, 1, axis=0, keepdims=True),
    ],
    "max": [
        lambda x, y: np.max(x, axis=0),
        lambda x, y: np.max(x, keepdims=True),
        lambda x, y: np.max(x, 0, initial=1.0, where=y < 1.5),
    ],
    "mean": [
        lambda x, y: np.mean(x),
        lambda x, y: np.mean(x, axis=(0, 1)),
        lambda x, y: np.mean(x, 1, keepdims=True),
    ],
    "min": [lambda x, y: np.min(x, 1), lambda x, y: np.min(x, initial=1.0, where=y > 1.0)],
    "moveaxis": [lambda x, y: np.moveaxis(x, 0, 1)],
    "outer": [lambda x, y: np.outer(x, y[0])],
    "pad": [lambda x, y: np.pad(x, 1), lambda x, y: np.pad(x, ((0, 1), (2, 0)))],
    "prod": [
        lambda x, y: np.prod(x),
        lambda x, y: np.prod(x, axis=0),
        lambda x, y: np.prod(x, 1, where=[True, False, True], initial=2.0),
    ],
    "ptp": [lambda x, y: np.ptp(x, axis=1)],
    "ravel": [lambda x, y: np.ravel(x)],
    "repeat": [lambda x, y: np.repeat(x, 2), lambda x, y: np.repeat(x, [1, 2, 0], axis=1)],
    "reshape": [lambda x, y: np.reshape(x, (3, 2)), lambda x, y: np.reshape(x, -1)],
    "roll": [lambda x, y: np.roll(x, 1), lambda x, y: np.roll(x, -1, axis=1)],
    "sort": [lambda x, y: np.sort(x), lambda x, y: np.sort(x, axis=None)],
    "split": [
        lambda x, y: np.split(x, 3, axis=1)[1],
        lambda x, y: np.split(x, [1], axis=1)[1],
    ],
    "squeeze": [lambda x, y: np.squeeze(x[:1]), lambda x, y: np.squeeze(x[:1], 0)],
    "stack": [lambda x, y: np.stack([x, y]), lambda x, y: np.stack([x, y], axis=-1)],
    "std": [lambda x, y: np.std(x), lambda x, y: np.std(x, axis=0, ddof=1)],
    "sum": [
        lambda x, y: np.sum(x),
        lambda x, y: np.sum(x, axis=0),
        lambda x, y: np.sum(x, 1, keepdims=True),
        lambda x, y: np.sum(x, dtype=np.float64),
        lambda x, y: np.sum(x, initial=1.0),
        lambda x, y: np.sum(x, 0, where=x > 1.0),
    ],
    "swapaxes": [lambda x, y: np.swapaxes(x, 0, -1)],
    "take": [lambda x, y: np.take(x, [0, 5]), lambda x, y: np.take(x, np.array([[1, 1]]), axis=1)],
    "take_along_axis": [
        lambda x, y: np.take_along_axis(x, np.array([[0, 2], [1, 1]]), 1),
        lambda x, y: np.take_along_axis(x, np.argsort(x, axis=1), axis=1),
    ],
    "tensordot": [
        lambda x, y: np.tensordot(x, y, axes=([1], [1])),
        lambda x, y: np.tensordot(x, y, axes=2),
        lambda x, y: np.tensordot(x, y, (0, 0)),
    ],
    "tile": [lambda x, y: np.tile(x, 2), lambda x, y: np.tile(x, (2, 1, 2))],
    "trace": [lambda x, y: np.trace(x)],
    "transpose": [lambda x, y: np.transpose(x), lambda x, y: np.transpose(x, (1, 0))],
    "tril": [lambda x, y: np.tril(x)],
    "triu": [lambda x, y: np.triu(x, k=1)],
    "var": [lambda x, y: np.var(x, axis=1), lambda x, y: np.var(x, ddof=1)],
    "vdot": [lambda x, y: np.vdot(x, y)],
    "vstack": [lambda x, y: np.vstack([x, y]), lambda x, y: np.vstack([x[0], y])],
    "where": [
        lambda x, y: np.where(x > 1.0, x, y),
        lambda x, y: np.where(y > 1.0, x, 0.0),
        lambda x, y: np.where([True, False, True], x, np.zeros((2, 3))),
    ],
}
CONSTANT: dict[str, list[Call]] = {
    "all": [lambda x: np.all(x > 0.0), lambda x: np.all(x > 1.0, axis=0)],
    "any": [lambda x: np.any(x > 1.0, axis=1, keepdims=True)],
    "argmax": [lambda x: np.argmax(x), lambda x: np.argmax(x, axis=0)],
    "argmin": [lambda x: np.argmin(x, 1)],
    "argsort": [lambda x: np.argsort(x), lambda x: np.argsort(x, axis=None)],
    "around": [lambda x: np.around(x)],
    "count_nonzero": [lambda x: np.count_nonzero(x > 1.0, axis=0)],
    "empty_like": [lambda x: np.empty_like(x) * 0.0],
    "full_like": [lambda x: np.full_like(x, 3.0)],
    "nonzero": [lambda x: np.stack(np.nonzero(x > 1.0)), lambda x: np.stack(np.where(x > 1.0))],
    "ones_like": [lambda x: np.ones_like(x)],
    "round": [lambda x: np.round(x), lambda x: np.round(x, 2), lambda x: np.round(x * 99, -1)],
    "searchsorted": [lambda x: np.searchsorted(np.sort(x[0]), 1.0, side="right")],
    "zeros_like": [lambda x: np.zeros_like(x), lambda x: np.zeros_like(x, dtype=np.int64)],
}


def test_every_function_is_tried() -> None:
    assert SMOOTH.keys() | CONSTANT.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, calls in SMOOTH.items() for call in calls]
)
def test_functions_with_gradients(backend: str, name: str, call: Call) -> None:
    arrays = [array((2, 3), "x", 0.5, 2.0), array((2, 3), "y", 0.5, 2.0)]
    leaves = [MLArray(a) for a in arrays]
    out = call(*leaves)
    assert isinstance(out, MLArray)
    assert_same(out, call(*arrays))
    (out * cotangent(out.shape)).sum().backward()
    for i, leaf in enumerate(leaves):
        assert_same(leaf.grad(), differences(call, arrays, i), 1e-7, 1e-7)
    assert leaves[0].grad().any()


@pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, calls in CONSTANT.items() for call in calls]
)
def test_functions_without_gradients(backend: str, name: str, call: Call) -> None:
    a = array((2, 3), "x", 0.5, 2.0)
    out = call(MLArray(a))
    assert isinstance(out, MLArray)
    want = np.asarray(call(a))
    assert_same(out, want)
    assert out.dtype.name == want.dtype.name


def test_answers_that_are_no_arrays_are_numpys(backend: str, tmp_path: Any) -> None:
    x: Any = MLArray([[1.0, 2.0], [3.0, 4.0]])
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.allclose(x, a)
    assert np.array_equal(a, x)
    assert np.isclose(x, a + 1e-12).all()
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 2), 2, 4)
    assert np.array_str(x) == np.array_str(a)
    assert np.result_type(x, np.float32) == np.float64
    assert not np.iscomplexobj(x)
    assert np.bincount(MLArray([1, 1, 2], dtype="int64")).tolist() == [0, 2, 1]
    assert np.histogram(x, 2)[0].tolist() == [2, 2]
    np.testing.assert_allclose(x, a)
    np.testing.assert_array_equal(x > 2.0, a > 2.0)
    np.copyto(a, x * 2.0)
    assert a.tolist() == [[2.0, 4.0], [6.0, 8.0]]
    np.save(tmp_path / "x.npy", x)
    assert np.load(tmp_path / "x.npy").tolist() == x.to_list()
    text = io.StringIO()
    np.savetxt(text, x, fmt="%g")
    assert text.getvalue() == "1 2\n3 4\n"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda x: np.percentile(x, 30.0),
            r"np.percentile: there is no .* MLArrays; give np.asarray\(x\) in the place of",
        ),
        (lambda x: np.linalg.pinv(x), r"np.linalg.pinv: there is no such function of MLArrays"),
        (lambda x: np.fft.fft(x), r"np.fft.fft: there is no such function of MLArrays"),
        (lambda x: np.unique(x), r"np.unique: there is no such function"),
        (lambda x: np.mean(x, where=x > 1), r"np.mean of MLArrays: .*'where'.*np.asarray\(x\)"),
        (lambda x: np.sum(x, out=np.zeros(())), r"np.sum of MLArrays: .*'out'"),
        (lambda x: np.trace(x, 0, 1, 0), r"np.trace of MLArrays: too many positional arguments"),
        (lambda x: np.reshape(x, 4, order="F"), r"np.reshape of MLArrays: order 'F'"),
    ],
)
def test_what_we_do_not_have_says_what_to_do(backend: str, call: Call, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        call(MLArray([[1.0, 2.0], [3.0, 4.0]]))


def test_errors_are_ours(backend: str) -> None:
    x: Any = ones(2, 3)
    with pytest.raises(ValueError, match=r"concat: array 1 has shape \(2, 2\)"):
        np.concatenate([x, x[:, :2]])
    with pytest.raises(ValueError, match="axis 2"):
        np.sum(x, axis=2)
    other: Any = MLArray([1.0], backend="pure" if backend == "numpy" else "numpy")
    with pytest.raises(ValueError, match="one operand lives on the backend"):
        np.stack([x[0, :1], other])


def test_a_matrix_function_of_numpy_trains(backend: str) -> None:
    """A loss written with NumPy's names only."""
    x, t = array((5, 3), "x"), array((5, 1), "t")
    w: Any = MLArray(array((3, 1), "w"))
    for _ in range(200):
        loss = np.mean(np.square(np.dot(x, w) - t)) + 1e-3 * np.linalg.norm(w)
        loss.backward()
        w = MLArray(np.asarray(w) - 0.1 * np.asarray(w.grad()))
    best = np.linalg.lstsq(x, t, rcond=None)[0]
    assert_same(w, best, 0.05, 0.01)


def test_transforms_go_through(backend: str) -> None:
    """Higher derivatives, in both modes, of functions with NumPy's or the standard's names."""

    def by_numpy(x: Any) -> Any:
        return np.sum(np.tanh(np.dot(x, x.T)) * np.exp(-np.mean(x)))

    def by_standard(x: Any) -> Any:
        xp = x.__array_namespace__()
        product = xp.matmul(x, xp.matrix_transpose(x))
        return xp.sum(xp.tanh(product) * xp.exp(xp.negative(xp.mean(x))))

    def by_methods(x: Any) -> Any:
        return ((x @ x.T).tanh() * (-x.mean()).exp()).sum()

    x, v = MLArray(array((2, 3), "x")), MLArray(array((2, 3), "v"))
    for f in (by_numpy, by_standard):
        assert_same(grad(f)(x), np.asarray(grad(by_methods)(x)))
        assert_same(hessian(f)(x), np.asarray(hessian(by_methods)(x)))
        assert_same(hvp(f)(x, v), np.asarray(hvp(by_methods)(x, v)))
        assert_same(jvp(f, (x,), (v,))[1], np.asarray(jvp(by_methods, (x,), (v,))[1]))


@pytest.mark.parametrize("bound", [np.array([2.0]), MLArray([2.0], backend="numpy"), [2.0], 2.0])
def test_at_a_bound_clip_sends_all_of_the_gradient_to_x(bound: Any) -> None:
    """As for bounds that are numbers; nan passes, as in NumPy."""
    for low, high in ((bound, None), (None, bound), (bound, bound)):
        x = MLArray([2.0], backend="numpy")
        np.clip(x, low, high).sum().backward()
        assert x.grad().to_list() == [1.0]
    nan = math.nan
    x, low = MLArray([nan, 1.0, 1.0, 3.0]), np.array([0.0, nan, 2.0, 2.0])
    y = np.clip(x, low, np.array([2.5] * 4))
    np.testing.assert_array_equal(np.asarray(y), np.clip(np.asarray(x), low, np.array([2.5] * 4)))


def test_fill_values_with_gradients_are_refused() -> None:
    x = MLArray([1.0, 2.0], backend="numpy")
    xp: Any = x.__array_namespace__()
    for call in (
        lambda: np.full_like(x, x.sum()),
        lambda: xp.full_like(x, x[0]),
        lambda: xp.full((2,), x[0]),
        lambda: xp.arange(x[0], 5.0),
        lambda: xp.full((2,), Value(1.0)),
    ):
        with pytest.raises(TypeError, match=r"expected a number, got .* gradient would be lost"):
            call()
    filled: Any = np.full_like(x, x.sum().item())
    assert filled.to_list() == [3.0, 3.0]
    assert xp.full((2,), x[1].detach()).to_list() == [2.0, 2.0]
