"""MLArrays among NumPy's: ufuncs stay in the graph, ndarrays on either side, copies out and in."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, use_backend, zeros
from smolml_value import Value, ops
from tests.array.helpers import gradient
from tests.array.numeric import array, assert_same, cotangent

# NumPy's names of our ops where they differ
ALIASES = {
    "absolute": "abs",
    "fabs": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "float_power": "pow",
    "power": "pow",
    "rint": "round",
    "true_divide": "divide",
}
UFUNCS = {
    **{n: n for n in ops.names() if isinstance(getattr(np, n, None), np.ufunc)},
    **ALIASES,
}


@pytest.mark.parametrize("name", sorted(UFUNCS))
def test_ufuncs_are_our_ops(backend: str, name: str) -> None:
    ufunc: Any = getattr(np, name)
    op: Any = ops[UFUNCS[name]]
    arrays = [
        np.random.default_rng(i).uniform(low, high, size=(2, 3))
        for i, (low, high) in enumerate(op.domain)
    ]
    want, leaves = op(*map(MLArray, arrays)), [MLArray(a) for a in arrays]
    out = ufunc(*leaves)
    assert isinstance(out, MLArray)
    assert out.to_list() == want.to_list()
    assert_same(out, ufunc(*arrays), 1e-13, 1e-14)
    (out * cotangent(out.shape)).backward()
    assert all(np.any(leaf.grad().to_list()) for leaf in leaves) or 0.0 in op.partials
    if len(leaves) == 2:
        for mixed in (ufunc(arrays[0], leaves[1]), ufunc(leaves[0], arrays[1])):
            assert isinstance(mixed, MLArray)
            assert mixed.to_list() == want.to_list()
            assert mixed.requires_grad


OPERATORS: list[Callable[[Any, Any], Any]] = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul),
    *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
]


@pytest.mark.parametrize("apply", OPERATORS)
def test_an_ndarray_on_either_side(backend: str, apply: Callable[[Any, Any], Any]) -> None:
    a, b = array((3, 3), "a", 0.5, 2.0), array((3, 3), "b", 0.5, 2.0)
    b[0] = a[0]  # something to be equal
    x, y = MLArray(a), MLArray(b)
    for out in (apply(a, y), apply(x, b), apply(x, y)):
        assert isinstance(out, MLArray)
        assert_same(out, apply(a, b), 1e-13, 1e-14)
    for scalar in (np.float64(1.5), np.float32(1.5), np.int64(2), np.array(1.5)):
        if apply is not operator.matmul:
            assert_same(apply(scalar, y), apply(float(scalar), b), 1e-13, 1e-14)
            assert_same(apply(x, scalar), apply(a, float(scalar)), 1e-13, 1e-14)


def test_an_ndarray_is_a_constant(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    for out in (np.array([3.0, 4.0]) * x, np.multiply([3.0, 4.0], x), np.float64(3.0) * x):
        assert isinstance(out, MLArray)
        out.backward()
    assert gradient(x) == [9.0, 11.0]


def test_comparisons_and_tests_are_constants(backend: str) -> None:
    a = np.array([-1.0, 0.0, np.nan, np.inf])
    x = MLArray(a)
    for ufunc in (np.isfinite, np.isinf, np.isnan, np.signbit, np.logical_not):
        out: Any = ufunc(x)
        assert isinstance(out, MLArray)
        assert out.to_list() == ufunc(a).tolist()
        assert not out.requires_grad
    compare: list[Any] = [np.less, np.greater_equal, np.equal, np.logical_and, np.logical_or]
    for binary in compare:
        assert binary(x, 0.0).to_list() == binary(a, 0.0).tolist()
        assert binary(np.zeros(4), x).to_list() == binary(np.zeros(4), a).tolist()


OTHER_UFUNCS: list[Callable[[Any, Any], Any]] = [
    lambda x, y: np.add.reduce(x),
    lambda x, y: np.add.reduce(x, axis=None, keepdims=True),
    lambda x, y: np.multiply.reduce(x, 1),
    lambda x, y: np.maximum.reduce(x, axis=(0, 1)),
    lambda x, y: np.minimum.reduce(x),
    lambda x, y: np.subtract.outer(x[0], y),
    lambda x, y: np.hypot.outer(y, [1.0, 2.0]),
    lambda x, y: np.vecdot(x, y),
    lambda x, y: np.matmul(x.T, y),
    lambda x, y: np.exp2(x) + np.deg2rad(x) + np.rad2deg(x) + np.degrees(y) + np.radians(y),
    lambda x, y: np.conjugate(x),
]


@pytest.mark.skipif(not hasattr(np, "vecdot"), reason="NumPy 2.0 has no np.vecdot")
@pytest.mark.parametrize("apply", OTHER_UFUNCS)
def test_methods_and_companions_of_ufuncs(backend: str, apply: Callable[[Any, Any], Any]) -> None:
    a, b = array((2, 3), "a", 0.5, 2.0), array((2, 3), "b", 0.5, 2.0)
    x, y = MLArray(a), MLArray(b)
    out = apply(x, y)
    assert isinstance(out, MLArray)
    assert_same(out, apply(a, b), 1e-13, 1e-14)
    out.backward()
    assert any(np.any(leaf.grad().to_list()) for leaf in (x, y))


def test_all_and_any_as_reductions(backend: str) -> None:
    for a in (np.array([[1.0, 0.0], [2.0, 3.0]]), np.zeros((2, 2))):
        for ufunc in (np.logical_and, np.logical_or):
            out: Any = ufunc.reduce(MLArray(a))
            assert out.to_list() == ufunc.reduce(a).tolist()


def test_ufuncs_without_a_derivative_take_constants(backend: str) -> None:
    a = np.array([5.5, -5.5, 0.0, np.inf])
    x = MLArray(a)
    binary: list[Any] = [np.remainder, np.floor_divide, np.copysign]
    for ufunc in binary:
        out = ufunc(x.detach(), 2.0)
        assert isinstance(out, MLArray)
        with np.errstate(all="ignore"):
            assert_same(out, ufunc(a, 2.0), 0.0, 0.0)
    with pytest.raises(TypeError, match="has no derivative here"):
        np.copysign(x, 2.0)
    for periodic, slope in ((np.remainder, 1.0), (np.floor_divide, 0.0)):
        y: Any = MLArray(a[:2])
        (periodic(y, 2.0) + 0.0 * y).sum().backward()
        assert y.grad().to_list() == [slope, slope]
    whole: Any
    rest: Any
    whole, rest = np.divmod(x.detach(), [2.0, 3.0, 4.0, 5.0])  # two results
    with np.errstate(all="ignore"):
        want = np.divmod(a, [2.0, 3.0, 4.0, 5.0])
    assert_same(whole, want[0], 0.0, 0.0)
    assert_same(rest, want[1], 0.0, 0.0)
    assert_same(7.0 % MLArray([2.0, 4.0]).detach() + x[:2].detach() // 2, [3.0, 0.0], 0.0, 0.0)


def test_what_numpy_cannot_do_with_an_array_is_a_type_error(backend: str) -> None:
    x: Any = MLArray([1.0, 2.0])
    a = np.array([1.0, 2.0])
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: np.add(a, x, out=a), r"np.add: an MLArray cannot be written .* a = a \+ x"),
        (lambda: a.__iadd__(x), r"np.add: an MLArray cannot be written into an ndarray"),
        (lambda: np.add.at(a, [0], x), r"np.add.at: there is no such function of MLArrays"),
        (lambda: np.subtract.reduce(x), "np.subtract.reduce: there is no such function"),
        (lambda: np.add.accumulate(x), "np.add.accumulate: there is no such function"),
        (lambda: np.gcd(x, x), r"np.gcd: there is no such function .* np.asarray\(x\)"),
        (lambda: np.modf(x), "np.modf: there is no such function"),
        (lambda: np.tanh(x, where=[True, False]), "np.tanh: of MLArrays it takes no where="),
        (lambda: np.add(x, x, dtype=np.float32), "np.add: of MLArrays it takes no dtype="),
        (lambda: np.add.reduce(x, initial=1.0), "np.add.reduce: of MLArrays .* no initial="),
        (
            lambda: np.matmul(x, x, axes=[(0, 1), (0, 1), (0, 1)]),
            "np.matmul: of MLArrays it takes no axes=",
        ),
    ]
    for do, said in refused:
        with pytest.raises(TypeError, match=said):
            do()
    assert a.tolist() == [1.0, 2.0]


def test_another_librarys_array_may_take_over(backend: str) -> None:
    class Other:
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> str:
            return f"other's {ufunc.__name__}"

        def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> str:
            return f"other's {func.__name__}"

    x: Any = MLArray([1.0])
    other: Any = Other()
    assert np.add(x, other) == "other's add"
    assert np.stack([x, other]) == "other's stack"


def test_a_value_and_an_ndarray(backend: str) -> None:
    v = Value(2.0)
    x = MLArray(np.array([1.0, 2.0])) * v
    x.backward()
    assert v.grad == 3.0


# Out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 1, 3)])
def test_as_an_ndarray(backend: str, shape: tuple[int, ...]) -> None:
    a = array(shape)
    x = MLArray(a)
    out = np.asarray(x)
    assert out.shape == shape
    assert out.dtype == np.float64
    assert np.array_equal(out, a)
    assert np.array_equal(np.array(x.T), a.T)
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    assert zeros(shape, dtype="int64").__array__().dtype == np.int64
    assert zeros(shape, dtype="bool").__array__().dtype == np.bool_


def test_an_ndarray_of_it_is_a_read_only_view_or_a_copy(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    y = x * x
    for made in (x, y, x.T, x[0], x.grad(), x.detach(), x.reshape(4), x > 2.0):
        out, again = np.asarray(made), np.asarray(made)
        assert np.shares_memory(out, again) == (backend == "numpy")
        assert out.flags.writeable == (backend == "pure")
        assert np.array_equal(out, made.to_list())
        own = np.array(made)
        assert own.flags.writeable
        assert not np.shares_memory(own, out)
    if backend == "numpy":
        assert not np.asarray(x, copy=False).flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            np.asarray(x)[0, 0] = 100.0
        with pytest.raises(ValueError, match="MLArray: copy=False, but float64 becomes float32"):
            np.asarray(x, dtype=np.float32, copy=False)
    else:
        with pytest.raises(ValueError, match=r"the pure backend holds no ndarray.*to_backend"):
            np.asarray(x, copy=False)


def test_lists_that_are_read_are_copies(backend: str) -> None:
    x = MLArray([[1.0, 2.0]])
    rows = x.to_list()
    rows[0][0] = 100.0
    assert x.to_list() == [[1.0, 2.0]]


def test_float32_comes_out_as_float32() -> None:
    with use_backend("numpy"):
        x = MLArray(np.array([0.1, 0.2], dtype=np.float32))
        assert np.asarray(x).dtype == np.float32
        assert np.array_equal(np.asarray(x), np.array([0.1, 0.2], dtype=np.float32))


# In ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype",
    [*(np.float64, np.float32, np.float16, np.int8, np.int64, np.uint8, np.uint32, np.bool_)],
)
def test_ndarrays_of_every_real_type(backend: str, dtype: Any) -> None:
    a = np.array([[0, 1], [1, 0]], dtype=dtype)
    x = MLArray(a)
    assert x.to_list() == [[0.0, 1.0], [1.0, 0.0]]
    assert x.requires_grad
    assert_same(MLArray([[2.0, 3.0]]) * a, [[0.0, 3.0], [2.0, 0.0]])


@pytest.mark.parametrize(
    "wrong",
    [
        np.array([1j]),
        np.array(["a"]),
        np.array([None]),
        np.array([{}]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.complex128(1j),
        np.str_("a"),
    ],
    ids=repr,
)
def test_ndarrays_of_other_types_are_refused(backend: str, wrong: Any) -> None:
    x = MLArray([1.0])
    uses: list[Callable[[], object]] = [
        lambda: MLArray(wrong),
        lambda: x.maximum(wrong),
        lambda: x + wrong,
        lambda: wrong + x,
        lambda: x.__setitem__(0, wrong),
    ]
    for use in uses:
        with pytest.raises(TypeError):
            use()


def test_strided_read_only_and_big_endian_ndarrays(backend: str) -> None:
    a = np.arange(24.0).reshape(4, 6)
    frozen = a.copy()
    frozen.flags.writeable = False
    for b in (a[::-2, 1::2], a.T, np.broadcast_to(a[0], (2, 6)), frozen, a.astype(">f8")):
        assert_same(MLArray(b), b, 0.0, 0.0)
        assert_same(MLArray(np.ones(b.shape)) * b, b, 0.0, 0.0)


def test_nothing_warns(backend: str) -> None:
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e308, -1e308, 5e-324]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = MLArray(edges)
        for name in ops.names():
            op: Any = ops[name]
            op(*[x] * len(op.domain)).backward()
        for reduced in (x.sum(), x.mean(), x.prod(), x.max(), x.var(), x.std(), x @ x):
            reduced.backward()
        (x.reshape(2, 4) @ x.reshape(4, 2)).backward()
        zeros(0).mean().backward()
        zeros(0).std().backward()
        with pytest.raises(ValueError, match="no int64"):
            x.astype("int64")
        x[0] = np.inf
        x.update_values(edges[::-1])
