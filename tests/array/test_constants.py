"""Constants of every type beside floats: booleans, integers, float32, one number, lists, arrays."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray
from smolml_value import Op, Value, elementwise, ops
from tests.array.walk import operand_count

CONSTANTS: dict[str, Any] = {
    "bool": True,
    "int": 1,
    "np.bool": np.bool_(True),
    "np.int64": np.int64(1),
    "np.float32": np.float32(1.0),
    "0-d": np.array(1),
    "bools": np.array([True, True]),
    "ints": np.array([1, 1]),
    "float32s": np.array([1.0, 1.0], np.float32),
    "list": [True, True],
}
# of plugins, whose formulas negate and divide
NEGATES = elementwise(
    "negates",
    lambda xp, x, y: -x * -y,
    (lambda xp, out, x, y: 0.0 - -y, lambda xp, out, x, y: 0.0 - -x),
)
DIVIDES = elementwise(
    "divides",
    lambda xp, x, y: x**-1 * y**-2,
    (
        lambda xp, out, x, y: -(x**-2) * y**-2,
        lambda xp, out, x, y: -2 * x**-1 * y**-3,
    ),
)
ADDS = elementwise("adds", lambda xp, x, y: x + y, (1.0, 1.0))
OPS: list[Op] = [*(ops[n] for n in ops.names() if operand_count(ops[n]) > 1), NEGATES, DIVIDES]
LEAVES: dict[str, Callable[[str], Any]] = {
    "array": lambda backend: MLArray([0.5, 0.5], backend=backend),
    "0-d": lambda backend: MLArray(0.5, backend=backend),
    "element": lambda backend: MLArray([0.5, 0.5], backend=backend)[0],
    "value": lambda backend: Value(0.5),
}


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize("constant", CONSTANTS)
@pytest.mark.parametrize("kind", LEAVES)
def test_a_constant_of_any_type_is_its_number(
    op: Op, constant: str, kind: str, backend: str
) -> None:
    c = CONSTANTS[constant]
    if kind == "value" and np.ndim(c):
        return  # smolml-value has no arrays
    for place in range(operand_count(op)):
        found = []
        for given in (c, 1.0 if np.ndim(c) == 0 else MLArray([1.0, 1.0], False, backend=backend)):
            leaf = LEAVES[kind](backend)
            out: Any = op(*(leaf if i == place else given for i in range(operand_count(op))))
            (out.sum() if isinstance(out, MLArray) else out).backward()
            grad = leaf.grad() if isinstance(leaf, MLArray) else leaf.grad
            found.append(
                [np.asarray(n, float).ravel().tolist() for n in (_numbers(out), _numbers(grad))]
            )
        assert found[0][0] == pytest.approx(found[1][0], rel=1e-6, nan_ok=True), (op.name, place)
        assert found[0][1] == pytest.approx(found[1][1], rel=1e-6, nan_ok=True), (op.name, place)


def _numbers(x: Any) -> Any:
    return x.to_list() if isinstance(x, MLArray) else float(x)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", ["bool", "int64"])
def test_a_value_beside_arrays_without_floats(op: Op, dtype: str, backend: str) -> None:
    for place in range(operand_count(op)):
        found = []
        for of in (dtype, "float64"):
            v = Value(0.5)
            c = MLArray([1, 1], False, backend=backend, dtype=of)
            out: Any = op(*(v if i == place else c for i in range(operand_count(op))))
            out.sum().backward()
            found.append([*out.to_list(), v.grad])
        assert found[0] == pytest.approx(found[1], rel=1e-12, nan_ok=True), (op.name, place)


@pytest.mark.parametrize("op", [ops.add, ADDS], ids=lambda op: op.name)
def test_types_mix_as_numpys(op: Any, backend: str) -> None:
    names = ["bool", "int64", "float64", *(["float32"] if backend == "numpy" else [])]
    for pair in itertools.product([*names, True, 2, 2.5], repeat=2):
        theirs: list[Any] = [np.array([1, 0], x) if isinstance(x, str) else x for x in pair]
        ours = [MLArray(x, False, dtype=x.dtype.name) if np.ndim(x) else x for x in theirs]
        if any(np.ndim(x) for x in theirs):
            got, want = op(*ours), np.add(*theirs)
            assert (got.dtype.name, got.to_list()) == (want.dtype.name, want.tolist()), pair
