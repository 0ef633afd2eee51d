"""Every op of the registry on arrays: forward, gradients, shapes, spellings, dtypes, edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, use_backend
from smolml_value import Op, Value, elementwise, ops
from tests.array.helpers import flat, gradient, is_close, values_of
from tests.array.numeric import assert_same, cotangent, differences
from tests.array.walk import NAMES, OPERATORS, every_op, on_values, operand_count, samples

# per operand in turn: 0-d, empty, repeated, of different ranks
SHAPES: list[list[tuple[int, ...]]] = [
    [(2, 3), (2, 3)],
    [(3, 1), (4,)],
    [(4,), (3, 1)],
    [(2, 1, 3), (4, 1)],
    [(), (2, 2)],
    [(3,), ()],
    [(), ()],
    [(0,), (1,)],
    [(2, 0, 1), (3,)],
    [(1, 1), (1,)],
]


@every_op
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_it_does_to_each_element_what_it_does_to_a_value(
    backend: str, name: str, shapes: list[tuple[int, ...]]
) -> None:
    op = ops[name]
    arrays = samples(op, shapes)
    leaves = [MLArray(a) for a in arrays]
    out = op(*leaves)
    want, grads = on_values(op, arrays)
    assert_same(out, want, 1e-13, 1e-14)
    (out * cotangent(out.shape)).backward()
    for leaf, grad in zip(leaves, grads, strict=True):
        assert_same(leaf.grad(), grad, 1e-12, 1e-13)


def check_partials(op: Op) -> None:
    """Compare the gradients of `op` on an array with central differences of its forward."""
    arrays = samples(op, [(4, 5), (5,)])
    leaves = [MLArray(a) for a in arrays]
    out = op(*leaves)
    (out * cotangent(out.shape)).backward()

    def forward(*given: Any) -> Any:
        return np.asarray(op(*(MLArray(a, requires_grad=False) for a in given)))

    for i, leaf in enumerate(leaves):
        want, got = differences(forward, arrays, i), np.asarray(leaf.grad())
        near = np.isclose(got, want, rtol=1e-7, atol=1e-8)
        # a point may lie so near to a kink or a jump that a difference straddles it
        assert near.mean() >= 0.9, f"{op.name}, operand {i}: {got} against {want}"


@every_op
def test_partials_agree_with_differences(backend: str, name: str) -> None:
    check_partials(ops[name])


@pytest.mark.parametrize(
    "wrong",
    [
        elementwise("wrong", lambda xp, x: xp.sin(x), (lambda xp, out, x: xp.cos(x) + 1e-5,)),
        elementwise("wrong", lambda xp, x, y: x - y, (1.0, 1.0)),
        elementwise("wrong", lambda xp, x: x * x, (None,)),
        elementwise("wrong", lambda xp, x: x * x, vjp=lambda xp, g, out, x: (2.0 * x,)),
    ],
)
def test_the_check_rejects_wrong_partials(backend: str, wrong: Op) -> None:
    with pytest.raises(AssertionError):
        check_partials(wrong)


@pytest.mark.parametrize(
    "name", [n for n in NAMES if callable(getattr(np, n, None)) and n != "clip"]
)
def test_numpy_has_the_same_function(backend: str, name: str) -> None:
    op, theirs = ops[name], getattr(np, name)
    for shapes in SHAPES[:2]:
        arrays = samples(op, shapes)
        if name == "where":
            arrays[0] = arrays[0] > 0.0
        assert_same(op(*map(MLArray, arrays)), theirs(*arrays), 1e-13, 1e-14)


@every_op
def test_all_spellings_are_one_op(backend: str, name: str) -> None:
    op = ops[name]
    args = [MLArray(a) for a in samples(op, [(2, 3), (3,)])]
    spellings = [getattr(ops, name)(*args), getattr(args[0], name)(*args[1:])]
    if name in OPERATORS:
        spellings.append(OPERATORS[name](*args))
    for spelling in spellings:
        assert isinstance(spelling, MLArray)
        assert spelling.to_list() == op(*args).to_list()
        assert op.is_composite or spelling.data[0][0]._op == op.symbol


@every_op
def test_a_graph_of_constants_is_not_recorded(backend: str, name: str) -> None:
    op = ops[name]
    arrays = samples(op, [(2, 3), (3,)])
    constants = [MLArray(a, requires_grad=False) for a in arrays]
    out = op(*constants)
    assert not out.requires_grad
    for i, a in enumerate(arrays):  # one operand at a time is tracked
        leaf = MLArray(a)
        out = op(*constants[:i], leaf, *constants[i + 1 :])
        out.backward()
        assert leaf.grad().shape == leaf.shape
        assert [gradient(c) for c in constants] == [[0.0] * c.size() for c in constants]


# Types and edges -----------------------------------------------------------------------------


@every_op
def test_float32_stays_float32(name: str) -> None:
    with use_backend("numpy"):
        op: Any = ops[name]
        arrays = [a.astype(np.float32) for a in samples(op, [(2, 3), (3,)])]
        leaves = [MLArray(a) for a in arrays]
        assert [leaf.dtype for leaf in leaves] == [np.float32] * len(leaves)
        out = op(*leaves)
        assert out.dtype == np.float32
        assert_same(out, on_values(op, arrays)[0], 2e-6, 2e-6)
        if len(leaves) == 2:
            assert op(leaves[0], 1.5).dtype == op(1.5, leaves[1]).dtype == np.float32
            assert op(leaves[0], Value(1.5)).dtype == np.float32
        out.backward()
        assert [leaf.grad().dtype for leaf in leaves] == [np.float32] * len(leaves)


EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-300, -1e300, 745.2, math.inf, -math.inf, math.nan]


@every_op
def test_edges_are_those_of_the_scalar_op(backend: str, name: str) -> None:
    op = ops[name]
    count = operand_count(op)
    arrays = (
        np.meshgrid(*[EDGES] * count, indexing="ij") if count < 3 else [np.array(EDGES)] * count
    )
    leaves = [MLArray(a) for a in arrays]
    out = op(*leaves)
    out.backward()
    for i, made in enumerate(values_of(out)):
        xs = [float(a.flat[i]) for a in arrays]
        scalars = [Value(x) for x in xs]
        want = op(*scalars)
        want.backward()
        assert is_close(made.data, want.data, 1e-13, 0.0), f"{name}{xs}"
        for operand, (leaf, scalar) in enumerate(zip(leaves, scalars, strict=True)):
            got = flat(leaf.grad().to_list())[i]
            assert is_close(got, scalar.grad, 1e-12, 0.0), f"d {name}{xs}, operand {operand}"


@every_op
def test_the_backends_agree(name: str) -> None:
    op = ops[name]
    results: list[list[float]] = []
    for backend in ("numpy", "pure"):
        with use_backend(backend):
            leaves = [MLArray(EDGES) for _ in range(operand_count(op))]
            out = op(*(x.reshape((-1, *(1,) * i)) for i, x in enumerate(leaves)))
            out.backward()
            results.append([*flat(out.to_list()), *(g for x in leaves for g in gradient(x))])
    for x, y in zip(*results, strict=True):
        assert is_close(x, y, 1e-12, 0.0)
