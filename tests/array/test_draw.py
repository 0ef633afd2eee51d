"""draw and notebooks on arrays: an MLP's loss, mixed graphs, windows, constants, tables."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from smolml_array import MLArray, concat, ones, zeros
from smolml_value import Value, draw, explain, no_grad
from smolml_value.extending.showing import colors
from smolml_value.transforms import checkpoint, grad
from tests.array.helpers import filled
from tests.array.programs import Arrays, Step, run, steps
from tests.array.test_random_graphs import leaves
from tests.value.svg import Box, faults, read


def drawn(x: Any, **options: Any) -> list[Box]:
    """The boxes of a drawing, which must be without faults."""
    picture = read(draw(x, **options).svg)
    assert faults(picture) == []
    return picture.boxes


def rows(box: Box) -> dict[str, str]:
    """The rows of a box by name."""
    found: dict[str, list[str]] = {}
    for text in box.texts:
        if text in ("shape", "data", "grad"):
            found[text] = []
        elif found:
            [*found.values()][-1].append(text.replace("\xa0", " "))
    return {name: "\n".join(lines) for name, lines in found.items()}


def titled(boxes: list[Box], title: str) -> Box:
    (found,) = [box for box in boxes if title in box.texts[:2]]
    return found


def test_the_loss_of_a_perceptron(backend: str) -> None:
    x, t = filled((8, 3), "x", requires_grad=False), filled((8, 1), "t", requires_grad=False)
    w1, b1 = MLArray([[0.5, -0.5]] * 3, label="layer1.w"), zeros(2)
    b1.label = "layer1.b"
    w2 = MLArray([[1.0], [2.0]], label="layer2.w")
    loss = (((x @ w1 + b1).tanh() @ w2 - t) ** 2).mean()
    loss.label = "loss"
    loss.backward()
    boxes = drawn(loss, names={"x": x, "t": t})
    assert len(boxes) == 3 + 4 + 4 + 1 + 1  # parameters, inner results, -, t, x, ** with its 2
    assert rows(titled(boxes, "layer1.w")) == {
        "shape": "(3, 2)",
        "data": "\n".join(["[ 0.5, −0.5]"] * 3),
        "grad": _written(w1.grad()),
    }
    assert rows(titled(boxes, "loss"))["data"] == f"{loss.item():.4g}"
    assert rows(titled(boxes, "loss"))["grad"] == "1"
    assert titled(boxes, "x").kind == titled(boxes, "t").kind == "constant"
    assert rows(titled(boxes, "x")) == {"shape": "(8, 3)", "data": _range(x)}


def _written(x: MLArray) -> str:
    """A table of numbers as boxes show it: all as wide as the longest."""
    table = [[f"{number:.3g}".replace("-", "−") for number in row] for row in x.to_list()]
    width = max(len(text) for row in table for text in row)
    return "\n".join(f"[{', '.join(text.rjust(width) for text in row)}]" for row in table)


def _range(x: MLArray) -> str:
    low, high = x.min().item(), x.max().item()
    return f"{low:.3g} … {high:.3g}".replace("-", "−")


def test_values_and_arrays_in_one_graph(backend: str) -> None:
    x, s = MLArray([[1.0, 2.0], [3.0, 4.0]], label="x"), Value(0.5, "s")
    q = x.data[0][1] * s + x.T.data[1][1]
    m = MLArray([q, s, 2.0])
    r = (m * x[0, 0]).sum() * q
    r.backward()
    boxes = drawn(r, names={"q": q, "m": m, "r": r})
    assert sorted(box.texts[1] for box in boxes if box.texts[0] == "element") == [
        "x[0, 1]",
        "x[1, 1]",
    ]
    assert titled(boxes, "m").texts[0] == "array"
    assert titled(boxes, "[0, 0]").kind == "node"
    assert rows(titled(boxes, "x"))["grad"] == _written(x.grad())
    assert rows(titled(boxes, "s"))["grad"] == f"{s.grad:.4g}"
    assert len(boxes) == 12


def test_windows_show_the_way_to_their_array(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], label="x")
    boxes = drawn(x.T.reshape(4)[1:3].sum())
    assert [box.texts[0] for box in sorted(boxes, key=lambda box: box.x)] == [
        *("x", "permute_dims", "reshape", "[1:3]", "sum"),
    ]


def test_one_constant_array_used_twice_is_one_box(backend: str) -> None:
    c, x = filled((2, 2), requires_grad=False), filled((2, 2), 1)
    kinds = [box.kind for box in drawn((x * c + c) * 2.0)]
    assert kinds.count("constant") == 2


def test_few_numbers_are_written_out_and_many_summed_up(backend: str) -> None:
    shown = {
        "5": MLArray(5.0),
        "[1, 2, 3]": MLArray([1.0, 2.0, 3.0]),
        "[0, 1, 2, 3,\n 4, 5, 6, 7,\n 8, 9]": MLArray([float(i) for i in range(10)]),
        "[0.333,   100,     0,     0,\n     1]": MLArray([1 / 3, 100.0, 0.0, 0.0, 1.0]),
        "[1]\n[2]": MLArray([[1.0], [2.0]]),
        "[1, 2]\n[3, 4]\n[5, 6]\n[7, 8]": MLArray(
            [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]
        ),
        "[  1, nan]": MLArray([[1.0, math.nan]]),
        "0 … 6": MLArray([[float(i)] for i in range(7)]),
        "0 … 12": MLArray([float(i) for i in range(13)]),
        "all 1": ones(4, 4),
        "empty": MLArray([]),
        "has nan": MLArray([[1.0, math.nan] + [0.0] * 11]),
        "−∞ … 1": MLArray([[1.0, -math.inf] + [0.0] * 11]),
    }
    for text, x in shown.items():
        assert rows(drawn(x)[0])["data"] == text


def test_drawings_and_explanations_speak_spanish(backend: str) -> None:
    x, c = MLArray([[1.0, 2.0]] * 9), ones(9, 2)
    c.requires_grad = False
    x.data[0][0].data = math.nan
    y = (x * c).sum()
    shown = {text for box in drawn(y, language="es") for text in box.texts}
    assert shown >= {"forma", "constante", "contiene nan", "todo 0", "todo 1"}
    assert "∂v2/∂v1 = const = (9, 2) todo 1" in explain(y, language="es").text
    assert '"grad": "todo 1"' in draw(y, language="es", steps=True).svg.replace("&quot;", '"')


def test_data_that_was_set_is_shown(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    x.data[1].data = 7.0
    assert rows(drawn(x)[0])["data"] == "[1, 7]"


def test_functions_with_a_rule_of_their_own(backend: str) -> None:
    x = MLArray([1.0, 2.0], label="x")
    for y in (checkpoint(lambda a: a * a.tanh())(x), grad(lambda a: (a**3).sum())(x)):
        boxes = drawn((y * 2.0).sum())
        assert titled(boxes, "x").kind == "leaf"
        assert any(box.kind == "function" for box in boxes)


def test_joined_arrays(backend: str) -> None:
    xs = [filled((2, 3), i) for i in range(3)]
    boxes = drawn(concat(xs, axis=0), names={"xs": xs, "a": xs[0]})
    assert [box.texts[0] for box in boxes if box.kind == "node"] == ["concat(axis=0)"]
    assert titled(boxes, "a").kind == "leaf"


@settings(max_examples=40)
@given(program=steps, given_leaves=leaves)
def test_random_programs_are_drawn(backend: str, program: list[Step], given_leaves: Any) -> None:
    _, loss = run(Arrays(), program, given_leaves)
    for options in ({}, {"direction": "down"}, {"max_nodes": 5}):
        drawn(loss, **options)


def test_a_large_graph_of_arrays_is_folded(backend: str) -> None:
    x, total = ones(2, 2), zeros(2, 2)
    for _ in range(300):
        total = (total + x).tanh()
    boxes = drawn(total.sum())
    assert 5 < len(boxes) <= 100
    assert "603 nodes" in read(draw(total.sum(), fold="depth").svg).texts


def test_wrong_roots_are_refused() -> None:
    with pytest.raises(TypeError, match="expected a Value, an MLArray or a list of them"):
        draw("x")


# Tables ----------------------------------------------------------------------------------------


def cells(x: MLArray) -> list[list[str]]:
    table = ElementTree.fromstring(x._repr_html_().replace("<br>", " "))
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_a_table_shows_numbers_and_gradients(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, -4.0]], label="w")
    (x * x).sum().backward()
    assert cells(x) == [
        ["", "0", "1"],
        ["0", "1 grad 2", "2 grad 4"],
        ["1", "3 grad 6", "−4 grad −8"],
    ]
    assert "<b>w</b> (shape (2, 2), float64)" in x._repr_html_()


def test_tables_of_every_shape(backend: str) -> None:
    assert cells(MLArray(2.5)) == [["2.5 grad 0"]]
    assert cells(MLArray([2.5, 1.0])) == [["0", "1"], ["2.5 grad 0", "1 grad 0"]]
    assert cells(MLArray([])) == []
    assert cells(zeros(2, 0)) == []
    assert [row[0] for row in cells(zeros(2, 2, 1))[1:]] == ["0, 0", "0, 1", "1, 0", "1, 1"]


def test_constants_have_no_gradients(backend: str) -> None:
    x = MLArray([[1.0, 2.0]], requires_grad=False)
    assert cells(x)[1] == ["0", "1", "2"]
    assert "requires_grad=False" in x._repr_html_()
    assert cells(MLArray([1, 2], dtype="int64"))[1] == ["1", "2"]
    assert cells(MLArray([1.0, 2.0]) > 1.5)[1] == ["False", "True"]
    with no_grad():
        assert cells(MLArray([1.0, 2.0]) * 2.0)[1] == ["2", "4"]


def test_large_arrays_are_abbreviated(backend: str) -> None:
    x = MLArray([[float(100 * i + j) for j in range(30)] for i in range(40)])
    table = cells(x)
    assert table[0] == ["", "0", "1", "2", "3", "⋯", "26", "27", "28", "29"]
    assert [row[0] for row in table[1:]] == [*"01234", "⋮", *map(str, range(35, 40))]
    assert table[-1][-1] == "3929 grad 0"
    assert table[6][5] == "⋱"


def test_windows_show_the_gradient_of_their_array(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    window = x.T[1]
    (x * x).sum().backward()
    assert cells(window)[1] == ["2 grad 4", "4 grad 8"]


def test_labels_are_text_and_nothing_else() -> None:
    x = MLArray([1.0, 2.0], label="<script>alert(1)</script>")
    assert "<script" not in x._repr_html_()
    assert "<script" not in draw(x.sum()).svg


def test_a_table_of_gradients_that_are_no_finite_numbers(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0], backend=backend)
    x.set_grad([math.inf, math.nan, 1.0])
    assert cells(x)[1] == ["1 grad ∞", "2 grad nan", "3 grad 1"]
    shades = re.findall("background:(#[0-9a-f]{6})", x._repr_html_())
    assert shades == [colors.RED, colors.RED, colors.SCALE[-1]]
