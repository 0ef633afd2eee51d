"""What may stand beside an MLArray: numbers, lists, Values, ndarrays, for every op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray
from smolml_value import Op, OpError, Value, ops
from tests.array.helpers import assert_close, flat, is_close
from tests.array.numeric import assert_same, cotangent
from tests.array.walk import NAMES, OPERATORS, on_values, operand_count, samples

FORMS: dict[str, Callable[[Any], Any]] = {
    "MLArray": MLArray,
    "constant": lambda a: MLArray(a, requires_grad=False),
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a.tolist())),
    "ndarray": lambda a: a,
    "transposed ndarray": lambda a: np.asfortranarray(a),
    "Values": lambda a: [[Value(float(x)) for x in row] for row in a],
    "Values and numbers": lambda a: [[Value(float(row[0])), *row[1:].tolist()] for row in a],
}
SCALARS: dict[str, Callable[[float], Any]] = {
    "float": float,
    "Value": lambda x: Value(float(x)),
    "0-d MLArray": MLArray,
    "numpy scalar": np.float64,
    "0-d ndarray": np.asarray,
}


def check_forms(op: Op, arrays: list[Any], make: Callable[[Any], Any]) -> None:
    """`op` with one operand an MLArray and the others made by `make` equals all MLArrays."""
    want, grads = on_values(op, arrays)
    for i, a in enumerate(arrays):
        leaf = MLArray(a)
        others = [leaf if j == i else make(b) for j, b in enumerate(arrays)]
        apply: list[Any] = [op, OPERATORS[op.name]] if op.name in OPERATORS else [op]
        for f in apply:
            leaf.zero_grad()
            out = f(*others)
            assert isinstance(out, MLArray)
            assert_same(out, want, 1e-13, 1e-14)
            (out * cotangent(out.shape)).backward()
            assert_same(leaf.grad(), grads[i], 1e-12, 1e-13)
        for other, grad in zip(others, grads, strict=True):
            leaves = [v for v in flat(other) if isinstance(v, Value)]
            if len(leaves) == grad.size and len(apply) == 1:
                assert_close([v.grad for v in leaves], grad.ravel().tolist())


MANY = [name for name in NAMES if operand_count(ops[name]) > 1]


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("form", FORMS)
def test_operands_of_every_kind(backend: str, name: str, form: str) -> None:
    check_forms(ops[name], samples(ops[name], [(2, 3)]), FORMS[form])


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("form", SCALARS)
def test_scalar_operands_of_every_kind(backend: str, name: str, form: str) -> None:
    op = ops[name]
    make = SCALARS[form]
    arrays = samples(op, [(2, 3)])
    for i in range(len(arrays)):  # the i-th is an array, the others are scalars
        given = [a if j == i else a[0, 0] for j, a in enumerate(arrays)]
        want, grads = on_values(op, [np.asarray(a) for a in given])
        args = [MLArray(a) if j == i else make(a) for j, a in enumerate(given)]
        out = op(*args)
        assert_same(out, want, 1e-13, 1e-14)
        (out * cotangent(out.shape)).backward()
        for arg, grad in zip(args, grads, strict=True):
            if isinstance(arg, MLArray):
                assert_same(arg.grad(), grad, 1e-12, 1e-13)
            elif isinstance(arg, Value):
                assert is_close(arg.grad, float(grad), 1e-12, 1e-13)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_integers_and_bools_are_numbers(backend: str, name: str) -> None:
    f = OPERATORS[name]
    x = MLArray([[1, 2], [3, 4]])
    if operand_count(ops[name]) == 1:
        assert_same(f(x), f(np.array([[1.0, 2.0], [3.0, 4.0]])))
        return
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    for other in (2, True, [1, 2], np.array([1, 2]), np.int64(3), np.array([True, True])):
        assert_same(f(x, other), f(a, np.asarray(other, dtype=float)))
        assert_same(f(other, x), f(np.asarray(other, dtype=float), a))


def test_masks_are_inverted_and_floats_are_no_masks(backend: str) -> None:
    x = MLArray([1.0, -2.0, 3.0])
    assert (~(x > 0)).to_list() == [False, True, False]
    assert x[~(x > 0)].to_list() == [-2.0]
    assert (~MLArray([0, 5], dtype="int64")).to_list() == [-1, -6]
    wrong: list[Callable[[], object]] = [lambda: x & x, lambda: ~x, lambda: (x > 0) | 1.0]
    for mistake in wrong:
        with pytest.raises(TypeError, match=r"expected booleans or integers, got floats"):
            mistake()


def test_what_is_no_option(backend: str) -> None:
    wrong: Any = 2.0
    with pytest.raises(TypeError, match=r"requires_grad must be True or False, got float 2.0"):
        MLArray(1.0, wrong)
    with pytest.raises(TypeError, match="label must be a str, got float"):
        MLArray(1.0, label=wrong)
    with pytest.raises(TypeError, match=r"clip: min: expected a number.*list"):
        MLArray([1.0, 2.0]).clip([1.0, 1.5])  # type: ignore[arg-type]
    with pytest.raises(OpError, match="leaky_relu: the parameter 'alpha' is a number, got 'a'"):
        MLArray([1.0, 2.0]).leaky_relu("a")  # type: ignore[arg-type]
