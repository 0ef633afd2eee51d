"""Every array function of the table: against NumPy, its derivatives in both modes to order 2."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smolml_array
from smolml_array import MLArray
from smolml_array.functions.table import FUNCTIONS
from smolml_value import check_grads, gradients, jvp, vjp
from smolml_value.table import TABLE
from tests.array.backends.agreement import attempt, oracle, same
from tests.array.backends.cases import CASES
from tests.array.numeric import array, assert_same
from tests.array.operations import ROWS, Function, Row

every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def test_no_function_is_left_out() -> None:
    elsewhere = {"concat", "matmul", "stack"}
    public = {name for name in smolml_array.__all__ if name in FUNCTIONS} - elsewhere
    assert {name.replace(",", " ").split()[0] for name in ROWS} == public


@every_row
def test_numbers(row: Row, backend: str) -> None:
    arrays = [array(shape, i) for i, shape in enumerate(row.shapes)]
    assert_same(row.ours(*map(MLArray, arrays)), row.theirs(*arrays))


@every_row
def test_derivatives_to_second_order(row: Row, backend: str) -> None:
    xs = tuple(MLArray(array(shape, i)) for i, shape in enumerate(row.shapes))
    f: Function = (lambda *xs: row.ours(*xs).sin()) if row.linear else row.ours
    check_grads(f, xs)


@every_row
def test_the_cotangent_is_adjoint_to_the_tangent(row: Row, backend: str) -> None:
    """<J u, v> = <u, J' v>; a linear function is its own tangent."""
    xs = tuple(MLArray(array(shape, i)) for i, shape in enumerate(row.shapes))
    us = tuple(MLArray(array(shape, f"u{i}")) for i, shape in enumerate(row.shapes))
    out, tangent = jvp(row.ours, xs, us)
    v = MLArray(array(out.shape, "v"))
    cotangents = vjp(row.ours, *xs)[1](v)
    forth = float((v * tangent).sum())
    back = sum(float((u * c).sum()) for u, c in zip(us, cotangents, strict=True))
    assert forth == pytest.approx(back, rel=1e-10, abs=1e-10)
    traced = gradients((row.ours(*xs) * v).sum(), list(xs))
    for c, t in zip(cotangents, traced, strict=True):
        assert_same(t, np.asarray(c), 1e-10, 1e-10)
    if row.linear:
        assert_same(tangent, np.asarray(row.ours(*us)), 1e-12, 1e-12)


@every_row
def test_float32_stays_float32(row: Row) -> None:
    arrays = [array(shape, i) for i, shape in enumerate(row.shapes)]
    xs = [MLArray(a, dtype="float32", backend="numpy") for a in arrays]
    out = row.ours(*xs)
    out.backward()
    assert out.dtype == np.float32
    assert all(x.grad().dtype == np.float32 for x in xs)
    assert_same(out, row.theirs(*arrays), 1e-4, 1e-4)


TYPES = {"numpy": ("float32", "float64", "int64", "bool"), "pure": ("float64", "int64", "bool")}
NOT_BOOL = ("average", "cross", "index_add", "interp")  # which subtract them, or NumPy goes its way
of_several = {name: row for name, row in ROWS.items() if len(row.shapes) > 1}


@pytest.mark.parametrize("name", of_several)
def test_operands_of_different_types_answer_as_numpy(name: str, backend: str) -> None:
    row = of_several[name]
    for types in itertools.product(TYPES[backend], repeat=len(row.shapes)):
        if name.startswith(NOT_BOOL) and "bool" in types:
            continue
        arrays = [array(shape, i) for i, shape in enumerate(row.shapes)]
        arrays = [
            a > -1 if t == "bool" else a.astype(t) for a, t in zip(arrays, types, strict=True)
        ]
        xs = [MLArray(a, a.dtype.kind == "f", dtype=a.dtype.name) for a in arrays]
        out, want = row.ours(*xs), row.theirs(*arrays)
        assert out.dtype.name == want.dtype.name, types
        assert_same(out, want, 1e-5, 1e-5)
        if out.requires_grad:
            out.backward()
        assert all(x.grad().dtype == x.dtype for x in xs if x.requires_grad), types


# Methods that have the name of a function of the backends: any dtype, any number, any shape -----

METHODS = sorted(
    n for n in CASES if hasattr(MLArray, n) and n not in {*TABLE, "nonzero", "to_list"}
)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=8)
@given(data=st.data())
def test_methods_answer_as_numpy(name: str, data: st.DataObject, backend: str) -> None:
    case = CASES[name]
    (x, *args), kwargs = data.draw(case.calls)
    kwargs.pop("dtype", None)
    if name == "matmul" and 0 in (x.ndim, args[0].ndim):
        return
    constant: Any = lambda a: MLArray(a, requires_grad=False, dtype=a.dtype.name)
    if name in ("matmul", "outer"):
        args = [constant(args[0])]
    called = [a if not isinstance(a, MLArray) else np.asarray(a) for a in args]
    expected = case.expected or oracle(name)
    wanted = attempt(expected, x, *called, **kwargs)
    got = attempt(getattr(constant(x), name), *args, **kwargs)
    what = f"{name}{(x, *called)}{kwargs}"
    if isinstance(wanted, Exception):
        assert isinstance(got, Exception), f"{what}: {got!r}, not {wanted!r}"
        return
    assert isinstance(got, MLArray), f"{what}: {got!r}"
    same(what, got._current_node().raw, wanted, case.rtol, case.scale)
