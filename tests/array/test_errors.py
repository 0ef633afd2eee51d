"""Bad input: each error names who complains, what was given and what was expected."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import (
    Generator,
    MLArray,
    ShapeError,
    affine,
    arange,
    clip,
    concat,
    full,
    linspace,
    matmul,
    maximum,
    stack,
    use_backend,
    where,
    zeros,
)
from smolml_value import OpError, UnknownOpError, Value, ops
from tests.array.refusals import Case, X, check, raises, unchecked

NOT_NUMBERS: list[Case] = [
    (lambda: MLArray("abc"), TypeError, r"MLArray: expected numbers, .* got str 'abc'"),
    (lambda: MLArray(["a"]), TypeError, r"MLArray: \[0\] is 'a' \(str\): expected a real number"),
    (lambda: MLArray([[1.0, "b"]]), TypeError, r"MLArray: \[0\]\[1\] is 'b' \(str\)"),
    (lambda: MLArray([[1.0], ["b"]]), TypeError, r"MLArray: \[1\]\[0\] is 'b' \(str\)"),
    (lambda: MLArray(None), TypeError, r"MLArray: expected numbers, .* got NoneType None"),
    (lambda: MLArray([1.0, None]), TypeError, r"MLArray: \[1\] is None \(NoneType\)"),
    (lambda: MLArray(1j), TypeError, r"MLArray: expected numbers, .* got complex 1j"),
    (lambda: MLArray([2.0, 1j]), TypeError, r"MLArray: \[1\] is 1j \(complex\)"),
    (lambda: MLArray([Value(1.0), "x"]), TypeError, r"MLArray: \[1\] is 'x' \(str\)"),
    (lambda: MLArray(b"x"), TypeError, r"MLArray: expected numbers, .* got bytes b'x'"),
    (lambda: MLArray({1.0}), TypeError, r"MLArray: expected numbers, .* got set {1.0}"),
    (lambda: MLArray({1: 2.0}), TypeError, r"MLArray: expected numbers, .* got dict"),
    (lambda: MLArray(iter([1.0])), TypeError, r"MLArray: expected numbers, .* got list_iterator"),
    (lambda: MLArray([object()]), TypeError, r"MLArray: \[0\] is <object .* \(object\)"),
    (lambda: MLArray(["a" * 500]), TypeError, r"\.\.\. \(str\)"),
    (lambda: full(2, unchecked("a")), TypeError, r"full: expected a number.*, got str 'a'"),
    (lambda: full(2, unchecked(Value(1.0))), TypeError, r"full: expected a number, got a Value"),
    (lambda: arange(unchecked("a")), TypeError, r"arange: expected a number.*, got str 'a'"),
    (lambda: linspace(0.0, unchecked(None), 3), TypeError, r"linspace: expected a number.* None"),
    (lambda: X() + ["a", 1.0, 2.0], TypeError, r"add: \[0\] is 'a' \(str\)"),
    (lambda: X() @ [[1.0], [None], [2.0]], TypeError, r"matmul: \[1\]\[0\] is None"),
    (lambda: X() < ["a", 1.0, 2.0], TypeError, r"less: \[0\] is 'a' \(str\)"),
    (lambda: X().maximum(None), TypeError, r"maximum: expected numbers, .* got NoneType None"),
    (lambda: maximum("a", X()), TypeError, r"expected numbers, .* got str 'a'"),
    (lambda: matmul(None, X()), TypeError, r"expected numbers, .* got NoneType None"),
    (lambda: X().matmul("a"), TypeError, r"matmul: expected numbers, .* got str 'a'"),
    (lambda: where(X() > 0, "a", 1.0), TypeError, r"where: expected numbers, .* got str 'a'"),
    (lambda: X().__setitem__(0, "a"), TypeError, r"setitem: expected numbers, .* got str 'a'"),
    (lambda: X().__setitem__(0, [1.0, None, 2.0]), TypeError, r"setitem: \[1\] is None"),
    (lambda: X().update_values("a"), TypeError, r"expected numbers, .* got str 'a'"),
    (lambda: setattr(X(), "data", None), TypeError, r"expected numbers, .* got NoneType"),
    (lambda: X().data[0].__setitem__(0, "a"), TypeError, r"expected numbers, .* got str 'a'"),
    (lambda: setattr(X().data[0][0], "data", "a"), TypeError, r"expected a number.*, got str 'a'"),
    (lambda: setattr(X().data[0][0], "grad", "a"), TypeError, r"expected a number.*, got str 'a'"),
    (lambda: concat([X(), "a"]), TypeError, r"expected numbers, .* got str 'a'"),
    (lambda: clip("a", 0.0, 1.0), TypeError, r"expected numbers, .* got str 'a'"),
    (lambda: X().clip(X(), 1.0), OpError, r"clip: the parameter 'min' .* got a MLArray"),
    (lambda: concat(unchecked(3.0)), TypeError, r"concat: expected a sequence of arrays, got floa"),
    (lambda: stack(unchecked(None)), TypeError, r"stack: expected a sequence of arrays, got NoneT"),
]


@raises(NOT_NUMBERS)
def test_what_is_not_a_number(
    backend: str, do: Callable[[], object], error: type[Exception], said: str
) -> None:
    check(do, error, said)


RAGGED: list[Case] = [
    (
        lambda: MLArray([[1.0, 2.0], [3.0]]),
        ShapeError,
        r"MLArray: ragged nested list: \[1\] has length 1, but \[0\] has length 2",
    ),
    (
        lambda: MLArray([1.0, [2.0]]),
        ShapeError,
        r"MLArray: ragged nested list: \[1\] has length 1, but \[0\] is a number",
    ),
    (
        lambda: MLArray([[1.0], 2.0]),
        ShapeError,
        r"MLArray: ragged nested list: \[1\] is a number, but \[0\] has length 1",
    ),
    (
        lambda: MLArray([[[1.0, 2.0]], [[3.0]]]),
        ShapeError,
        r"MLArray: ragged nested list: \[1\]\[0\] has length 1, but \[0\]\[0\] has length 2",
    ),
    (
        lambda: MLArray([[Value(1.0)], [Value(1.0), 2.0]]),
        ShapeError,
        r"MLArray: ragged nested list: \[1\] has length 2, but \[0\] has length 1",
    ),
    (
        lambda: MLArray([X(), [1.0]]),
        ShapeError,
        r"MLArray: ragged nested list: \[1\] has shape \(1,\), but \[0\] has shape \(2, 3\)",
    ),
    (lambda: X() + [[1.0], [1.0, 2.0]], ShapeError, r"add: ragged nested list: \[1\] has length 2"),
    (lambda: X().__setitem__(0, [1.0, [2.0]]), ShapeError, r"setitem: ragged nested list: \[1\]"),
]


@raises(RAGGED)
def test_ragged_lists(
    backend: str, do: Callable[[], object], error: type[Exception], said: str
) -> None:
    check(do, error, said)


SIZES: list[Case] = [
    (lambda: len(MLArray(1.0)), TypeError, r"len: a 0-d array has no length; use size\(\)"),
    (lambda: iter(MLArray(1.0)), TypeError, r"iter: a 0-d array has no axis .*; use item\(\)"),
    (lambda: bool(X()), ValueError, r"bool: an array of 6 elements is neither true nor false"),
    (lambda: bool(zeros(0)), ValueError, r"bool: an array of 0 elements"),
    (lambda: X().item(), ValueError, r"item: expected one element, got 6 \(shape \(2, 3\)\)"),
    (lambda: bool(X()), ValueError, r"use x\.any\(\) or x\.all\(\)"),
    (lambda: zeros(0).item(), ValueError, r"item: expected one element, got 0"),
    (lambda: float(X()), ValueError, r"item: expected one element, got 6"),
    (lambda: int(X()), ValueError, r"item: expected one element, got 6"),
    (lambda: operator.index(MLArray(1.0)), TypeError, r"'float' object cannot be interpreted"),
    (lambda: f"{X():.2f}", ValueError, r"item: expected one element, got 6"),
    (lambda: bool(X()[0]), ValueError, r"bool: an array of 3 elements"),
]


@raises(SIZES)
def test_sizes(backend: str, do: Callable[[], object], error: type[Exception], said: str) -> None:
    check(do, error, said)


NAMES: list[Case] = [
    (lambda: X().frobnicate(), AttributeError, r"MLArray has no attribute or op 'frobnicate'"),
    (lambda: X().tahn(), AttributeError, r"no attribute or op 'tahn'; did you mean .*tanh"),
    (lambda: ops.frobnicate(X()), UnknownOpError, r"frobnicate"),
    (
        lambda: MLArray([1.0], backend="foo"),
        ValueError,
        r"unknown backend 'foo': expected one of 'numpy', 'pure'",
    ),
    (lambda: use_backend("foo"), ValueError, r"unknown backend 'foo': expected one of"),
    (lambda: X().to_backend("foo"), ValueError, r"unknown backend 'foo'"),
    (lambda: Generator(0).rand(2, backend="foo"), ValueError, r"unknown backend 'foo'"),
    (
        lambda: MLArray([1.0], dtype="float63"),
        TypeError,
        r"dtype: expected one of float64, .* got 'float63'",
    ),
    (lambda: X().astype("complex128"), TypeError, r"dtype: expected one of float64"),
    (lambda: zeros(2, dtype=unchecked(3)), TypeError, r"dtype: expected one of float64, .* got 3"),
    (lambda: X().leaky_relu(beta=1.0), TypeError, r"beta"),
    (lambda: ops.leaky_relu(X(), beta=1.0), OpError, r"leaky_relu: unknown parameter 'beta'"),
    (lambda: ops.tanh(X(), X()), OpError, r"tanh: expected 1 argument, got 2"),
    (lambda: ops.atan2(X()), OpError, r"atan2: expected 2 arguments, got 1"),
    (lambda: X().sum(axes=1), TypeError, r"axes"),
    (lambda: setattr(X(), "shape", (3, 2)), AttributeError, r"shape"),
    (lambda: setattr(X(), "frobnicate", 1), AttributeError, r"frobnicate"),
]


@raises(NAMES)
def test_names(backend: str, do: Callable[[], object], error: type[Exception], said: str) -> None:
    ops.refresh()  # see tests/value/test_attributes.py for names asked for after much work
    check(do, error, said)


FOREIGN: list[Any] = ["a", None, 1j, {}, object(), int]


OPERATORS = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul),
    *(operator.lt, operator.ge, operator.and_, operator.or_, operator.xor),
]


@pytest.mark.parametrize("apply", OPERATORS)
@pytest.mark.parametrize("other", FOREIGN, ids=lambda x: type(x).__name__)
def test_foreign_operands(backend: str, apply: Callable[[Any, Any], Any], other: Any) -> None:
    for operands in [(X(), other), (other, X())]:
        with pytest.raises(TypeError, match=r"MLArray|Value|unsupported|concatenate|expected"):
            apply(*operands)
    assert operator.eq(X(), other) is False
    assert operator.ne(X(), other) is True


def test_arrays_of_different_backends_do_not_mix() -> None:
    pytest.importorskip("numpy")
    a, b = MLArray([1.0, 2.0], backend="numpy"), MLArray([1.0, 2.0], backend="pure")
    mixed: list[tuple[str, Callable[[], object]]] = [
        ("add", lambda: a + b),
        ("matmul", lambda: b @ a),
        ("less", lambda: a < b),
        ("maximum", lambda: maximum(a, b)),
        ("where", lambda: where(a > 0, a, b)),
        ("concat", lambda: concat([a, b])),
        ("stack", lambda: stack([b, a])),
        ("affine", lambda: affine(a, a, b[0])),
        ("setitem", lambda: a.__setitem__(0, b[0])),
    ]
    for name, do in mixed:
        with pytest.raises(
            ValueError, match=rf"{name}: one operand lives on .*; move one with x\.to_backend"
        ):
            do()
    assert (a + b.to_backend("numpy")).to_list() == [2.0, 4.0]


def test_a_failed_assignment_changes_nothing(backend: str) -> None:
    x = X()
    before = x.to_list()
    failing: list[Callable[[], object]] = [
        lambda: x.__setitem__(0, [1.0, 2.0]),
        lambda: x.__setitem__(9, 1.0),
        lambda: x.T.__setitem__(0, zeros(5)),
        lambda: x.update_values([[1.0]]),
        lambda: setattr(x, "data", [["a"]]),
        lambda: x.data[0].__setitem__(0, None),
    ]
    for do in failing:
        with pytest.raises((ValueError, IndexError, TypeError)):
            do()
        assert x.to_list() == before
    (x * x).sum().backward()
    assert x.grad().to_list() == [[2.0 * v for v in row] for row in before]
