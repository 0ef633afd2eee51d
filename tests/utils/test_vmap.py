"""Every loss and function of rows through vmap, beside a loop."""

from __future__ import annotations

import pytest

from smolml_array import MLArray, stack, vmap
from smolml_utils import cross_entropy
from smolml_value import grad
from tests.array.numeric import array
from tests.array.test_vmap import SIZE, Counted, check, same
from tests.utils.operations import ROWS


@pytest.mark.parametrize("name", ROWS)
def test_every_function_beside_a_loop(name: str, backend: str) -> None:
    row = ROWS[name]
    xs = [
        MLArray(array((SIZE, *shape), i, *domain))
        for i, (shape, domain) in enumerate(zip(row.shapes, row.domains, strict=True))
    ]
    check(row.ours, xs, name)


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_a_class_for_each_example(dtype: str, backend: str) -> None:
    logits, classes = MLArray(array((4, 3))), MLArray([2, 0, 1, 1], dtype=dtype)
    slope = Counted(grad(cross_entropy))
    got = vmap(slope)(logits, classes)
    wanted = [grad(cross_entropy)(x, y) for x, y in zip(logits, classes, strict=True)]
    same(got, stack(wanted))
    assert slope.calls == 1
