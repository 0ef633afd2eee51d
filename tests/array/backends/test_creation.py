"""Creation, conversion and dtypes on both backends, against NumPy itself."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array._shapes.axes import ShapeError
from smolml_array.backends import get_backend
from tests.array.backends.agreement import NUMPY, PURE, agree, arrays, on_pure, same

BACKENDS = pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])
SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple) | st.integers(0, 3)
WHOLE = st.integers(-9, 9)
NUMBERS = WHOLE | st.floats(-9, 9).map(lambda v: round(v, 1))
NAMES = ["float64", "int64", "bool"]


@given(SHAPES, st.sampled_from([None, *NAMES]))
@settings(max_examples=40)
def test_constant_arrays(shape: Any, dtype: str | None) -> None:
    for name in ("zeros", "ones"):
        agree(name, shape, dtype=dtype)
    agree("empty", shape, dtype=dtype, expected=np.zeros)
    for value in (True, 3, -2.5):
        agree("full", shape, value, dtype=dtype)


@given(arrays(), st.sampled_from([None, *NAMES]))
@settings(max_examples=60)
def test_arrays_like_others(x: Any, dtype: str | None) -> None:
    for name in ("zeros_like", "ones_like"):
        agree(name, x, dtype=dtype)
    agree("full_like", x, 2, dtype=dtype)
    for name in NAMES:
        if x.dtype.kind != "f" or name != "int64":
            agree("astype", x, name, expected=lambda x, dtype: x.astype(dtype))


@given(st.lists(st.floats(-1e6, 1e6), max_size=5))
@settings(max_examples=30)
def test_floats_become_integers_towards_zero(values: list[float]) -> None:
    agree("astype", np.array(values), "int64", expected=lambda x, dtype: x.astype(dtype))


def test_floats_without_an_integer() -> None:
    for value in (math.nan, math.inf, -math.inf, 1e30):
        for backend in (PURE, NUMPY):  # which integer is up to the machine: it must not raise
            out = backend.astype(backend.asarray([value, 2.5]), backend.int64)
            assert backend.to_list(out)[1] == 2


@given(NUMBERS, NUMBERS, NUMBERS.filter(bool))
@settings(max_examples=60)
def test_arange(start: float, stop: float, step: float) -> None:
    agree("arange", start, stop, step)
    agree("arange", start, stop, step, dtype="int64")
    agree("arange", stop)


@given(NUMBERS, NUMBERS, st.integers(0, 6), st.booleans(), st.sampled_from([None, "int64"]))
@settings(max_examples=60)
def test_linspace(start: float, stop: float, num: int, endpoint: bool, dtype: Any) -> None:
    agree("linspace", start, stop, num, endpoint=endpoint, dtype=dtype)


@given(st.integers(0, 4), st.none() | st.integers(0, 4), st.integers(-4, 4))
@settings(max_examples=30)
def test_eye(n: int, m: int | None, k: int) -> None:
    agree("eye", n, m, k=k, expected=lambda n, m, k: np.eye(n, m, k))
    agree("eye", n, dtype="int64", expected=lambda n, dtype: np.eye(n, dtype=dtype))


@given(arrays())
@settings(max_examples=60)
def test_there_and_back(x: Any) -> None:
    nested = x.tolist()
    for backend in (PURE, NUMPY):
        again = backend.asarray(nested, dtype=x.dtype.name)
        assert repr(backend.to_list(again)) == repr(nested)
        assert repr(backend.to_flat(again)) == repr(x.ravel().tolist())
        flat = backend.from_flat(x.ravel().tolist(), x.shape, x.dtype.name)
        same("from_flat", flat, x)
        guessed = backend.from_flat(x.ravel().tolist(), x.shape)
        assert guessed.dtype.name == ("bool" if x.dtype.kind == "b" and x.size else "float64")
        if x.size:
            same("asarray", backend.asarray(nested), x)
            same("asarray of nested arrays", backend.asarray([x, x]), np.array([x, x]))
    same("onto the other backend", NUMPY.asarray(on_pure(x)), x)
    same("as an ndarray", np.asarray(on_pure(x)), x)


@BACKENDS
@pytest.mark.parametrize(
    ("obj", "expected", "dtype"),
    [
        (1, 1, "int64"),
        (True, True, "bool"),
        (0.5, 0.5, "float64"),
        ([1, True], [1, 1], "int64"),
        ([True, 0.5], [1.0, 0.5], "float64"),
        ([], [], "float64"),
        ([[], []], [[], []], "float64"),
        (((1, 2), [3, 4]), [[1, 2], [3, 4]], "int64"),
        (range(3), [0, 1, 2], "int64"),
        ([Fraction(1, 2), 1], [0.5, 1.0], "float64"),
        ([np.float64(0.5), np.int8(2)], [0.5, 2.0], "float64"),
        (np.array([1, 2], np.int16), [1, 2], "int64"),
        (np.array([1, 2], np.uint8), [1, 2], "int64"),
        (np.float64(2.5), 2.5, "float64"),
        (np.array([[1.0, 2.0]]).T, [[1.0], [2.0]], "float64"),
    ],
)
def test_asarray(backend: Any, obj: Any, expected: Any, dtype: str) -> None:
    out = backend.asarray(obj)
    assert repr(backend.to_list(out)) == repr(expected)
    assert out.dtype.name == dtype
    assert backend.is_array(out)


@BACKENDS
def test_copies(backend: Any) -> None:
    x = backend.asarray([1.0, 2.0])
    assert backend.asarray(x) is x
    assert backend.asarray(x, copy=False) is x
    assert backend.asarray(x, copy=True) is not x
    assert backend.astype(x, backend.float64, copy=False) is x
    assert backend.astype(x, backend.float64) is not x
    for obj, dtype in (([1.0], None), (x, backend.int64)):
        with pytest.raises(ValueError, match="asarray: copy=False"):
            backend.asarray(obj, dtype=dtype, copy=False)


@BACKENDS
@pytest.mark.parametrize(
    ("obj", "kind", "message"),
    [
        (
            [[1, 2, 3], [4, 5]],
            ShapeError,
            "asarray: ragged nested list: [1] has length 2, but [0] has length 3",
        ),
        (
            [[[1], [2]], [[3], [4, 5]]],
            ShapeError,
            "asarray: ragged nested list: [1][1] has length 2, but [0][0] has length 1",
        ),
        (
            [[1], 2],
            ShapeError,
            "asarray: ragged nested list: [1] is a number, but [0] has length 1",
        ),
        (
            [1, [2]],
            ShapeError,
            "asarray: ragged nested list: [1] has length 1, but [0] is a number",
        ),
        (
            [[1, 2], ["a", 3]],
            TypeError,
            "asarray: [1][0] is 'a' (str): expected a real number",
        ),
        ([1, None], TypeError, "asarray: [1] is None (NoneType): expected a real number"),
        (1j, TypeError, "asarray: the argument is 1j (complex): expected a real number"),
        ("12", TypeError, "asarray: the argument is '12' (str): expected a real number"),
        ({1: 2}, TypeError, "asarray: the argument is {1: 2} (dict): expected a real number"),
        (
            [2**63],
            OverflowError,
            "asarray: [0] is 9223372036854775808, which does not fit in int64: write it as a float",
        ),
        (
            np.array([1j]),
            TypeError,
            "asarray: an array of dtype complex128: expected real numbers",
        ),
    ],
)
def test_what_is_no_array(backend: Any, obj: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        backend.asarray(obj)
    assert str(caught.value) == message


@BACKENDS
def test_dtypes(backend: Any) -> None:
    for name in NAMES:
        dtype = getattr(backend, name)
        assert dtype.name == name
        assert backend.zeros(2, dtype=dtype).dtype == dtype
        assert backend.zeros(2, dtype=name).dtype == dtype
        assert hash(dtype) == hash(backend.ones(1, dtype=dtype).dtype)
        assert dtype != backend.float64 or name == "float64"
    assert backend.ones(1, dtype=float).dtype == backend.float64
    assert backend.ones(1, dtype=NUMPY.int64).dtype.name == "int64"
    assert backend.ones(1, dtype=PURE.int64).dtype.name == "int64"
    with pytest.raises(TypeError, match=r"zeros: .*expected one of float64"):
        backend.zeros(2, dtype="complex128")
    kinds = {
        "bool": "bool",
        "signed integer": "int64",
        "unsigned integer": "",
        "integral": "int64",
        "real floating": "float64",
        "complex floating": "",
        "numeric": "int64 float64",
    }
    for kind, members in kinds.items():
        for name in NAMES:
            assert backend.isdtype(getattr(backend, name), kind) is (name in members.split())
    assert backend.isdtype(backend.int64, ("bool", backend.int64))
    assert not backend.isdtype(backend.int64, backend.float64)
    floats, whole = backend.finfo(backend.float64), backend.iinfo(backend.zeros(1, dtype="int64"))
    assert (floats.bits, float(floats.eps)) == (64, 2.0**-52)
    assert float(floats.max) == -float(floats.min) == np.finfo(float).max
    assert float(floats.smallest_normal) == np.finfo(float).smallest_normal
    assert (whole.bits, whole.min, whole.max) == (64, -(2**63), 2**63 - 1)
    with pytest.raises(ValueError, match="kind"):
        backend.isdtype(backend.int64, "whole")


@BACKENDS
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda B: B.arange(0, 1, 0), "arange: the step is 0"),
        (lambda B: B.linspace(0, 1, -1), "linspace: num is -1: expected >= 0"),
        (lambda B: B.zeros((2, -1)), "zeros: shape \\(2, -1\\) has a negative length"),
        (lambda B: B.meshgrid(B.zeros(2), indexing="zz"), "meshgrid: unknown indexing 'zz'"),
    ],
)
def test_errors(backend: Any, call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(backend)


@BACKENDS
def test_backends_and_arrays_copy_and_pickle(backend: Any) -> None:
    assert pickle.loads(pickle.dumps(backend)) is backend
    assert copy.deepcopy(backend) is backend
    assert get_backend(backend.name) is backend
    assert repr(backend) == f"<backend {backend.name!r}>"
    x = backend.asarray([[1.0, 2.0]])
    again = pickle.loads(pickle.dumps(x))
    assert backend.to_list(again) == [[1.0, 2.0]]
    assert again.dtype == x.dtype


def test_unknown_backend() -> None:
    with pytest.raises(ValueError, match="unknown backend 'foo': expected one of 'numpy', 'pure'"):
        get_backend("foo")


def test_whole_numbers_beyond_int64() -> None:
    """Of NumPy's unsigned integers those that int64 does not hold become floats, as in a list."""
    for big in ([2**63 + 1], [2**64 - 1, 1], [[2**63]]):
        given_array = np.array(big, np.uint64)
        for backend in (PURE, NUMPY):
            made = backend.asarray(given_array)
            assert made.dtype.name == "float64"
            assert backend.to_list(made) == given_array.astype(float).tolist()
            with pytest.raises(OverflowError, match="int64"):
                backend.asarray(given_array, dtype="int64")
            listed = [np.uint64(x) for x in given_array.ravel()]
            assert backend.to_list(backend.asarray(listed)) == list(map(float, listed))
    assert NUMPY.to_list(NUMPY.asarray(np.uint64(2**63))) == 2.0**63
    small = np.array([2**63 - 1, 0], np.uint64)
    for backend in (PURE, NUMPY):
        assert backend.asarray(small).dtype.name == "int64"
        assert backend.to_list(backend.asarray(small)) == [2**63 - 1, 0]
