"""Every code block of the two founding documents runs, and the numbers stated there hold."""

from __future__ import annotations

import math
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_value import Value
from tests.array.helpers import assert_close, flat
from tests.array.seed_blocks import ENGLISH, SPANISH

each_language = pytest.mark.parametrize("blocks", [ENGLISH, SPANISH], ids=["en", "es"])


def run(block: str) -> dict[str, Any]:
    """The names that a block defines."""
    names: dict[str, Any] = {"Value": Value, "MLArray": MLArray}
    exec(block, names)
    return names


@each_language
def test_the_graph_of_scalars(backend: str, blocks: tuple[str, ...]) -> None:
    names = run(blocks[0])
    a, b, c, d, y = (names[name] for name in "abcdy")
    assert (d._op, d._prev) == ("*", {a, b})
    assert (y._op, y._prev) == ("+", {d, c})
    assert y.data == 10.0
    y.backward()
    assert (y.grad, d.grad) == (1.0, 1.0)
    assert (a.grad, b.grad, c.grad) == (3.0, 2.0, 1.0)


@each_language
def test_every_number_is_a_value(backend: str, blocks: tuple[str, ...]) -> None:
    matrix = run(blocks[1])["my_matrix"]
    assert matrix.shape == (2, 2)
    elements = flat(matrix.data)
    assert all(isinstance(v, Value) for v in elements)
    assert [v.data for v in elements] == [1.0, 2.0, 3.0, 4.0]


@each_language
def test_the_example_with_arrays(
    backend: str, blocks: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    names = run(blocks[2])
    x, w, z, a, L = (names[name] for name in "xwzaL")
    # z = (x0 - x1) / 2 = -1/2 in both rows; tanh' there is 1 / cosh(1/2)**2
    slope = 1.0 / math.cosh(0.5) ** 2
    assert_close(z, [[-0.5], [-0.5]])
    assert_close(a, [[math.tanh(-0.5)]] * 2)
    assert_close(L, 2.0 * math.tanh(-0.5))
    assert isinstance(L.data, Value)
    assert_close(x.grad(), [[0.5 * slope, -0.5 * slope]] * 2)
    assert_close(w.grad(), [[4.0 * slope], [6.0 * slope]])
    assert_close(z.grad(), [[slope], [slope]])
    assert a.grad().to_list() == [[1.0], [1.0]]
    printed = capsys.readouterr().out
    assert "[ 0.3932, -0.3932]" in printed
    assert "4.7187" in printed


@each_language
def test_the_value_inside_the_loss_does_the_same(backend: str, blocks: tuple[str, ...]) -> None:
    block = blocks[2].replace("L.backward()", "L.data.backward()")
    assert block != blocks[2]
    ours, theirs = run(block), run(blocks[2])
    for name in "xwzaL":
        assert ours[name].grad().to_list() == theirs[name].grad().to_list()
