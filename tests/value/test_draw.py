"""draw: what the seeds' picture shows, layout without faults, folding, the three forms, files."""

from __future__ import annotations

import json
import math
import random
import re
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from smolml_value import Value, draw, elementwise, fused, grad, no_grad
from smolml_value._showing.drawing import colors
from smolml_value._showing.drawing.collect import collect
from smolml_value._showing.drawing.fold import FOLDS, HIDDEN, Folded, folds
from smolml_value._showing.drawing.picture import picture
from smolml_value.transforms import checkpoint, custom_vjp
from tests.children import printed
from tests.value.fuzz import grow
from tests.value.svg import Box, faults, read


def seeds() -> tuple[Value, ...]:
    a, b, c = Value(2.0, "a"), Value(3.0, "b"), Value(4.0, "c")
    d = a * b
    d.label = "d"
    y = d + c
    y.label = "y"
    return a, b, c, d, y


def boxes(x: Any, **options: Any) -> list[Box]:
    return read(draw(x, **options).svg).boxes


def random_graph(seed: int, size: int) -> list[Value]:
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-2, 2), rng.choice(["", f"x{i}"])) for i in range(5)]
    nodes = grow(rng, leaves, size)
    for node in rng.sample(nodes, 3):
        node.label = rng.choice(["h", "net.out", "a rather long label for a node of a graph"])
    return nodes


# What is shown ---------------------------------------------------------------------------------


def test_the_seeds_example_before_and_after_backward() -> None:
    *_, y = seeds()
    before = {tuple(box.texts) for box in boxes(y)}
    y.backward()
    after = {tuple(box.texts) for box in boxes(y)}
    rows = [("a", 2, 3), ("b", 3, 2), ("c", 4, 1), ("*", "d", 6, 1), ("+", "y", 10, 1)]
    shown = {(*map(str, head), "data", str(data), "grad", str(g)) for *head, data, g in rows}
    assert after == shown
    assert before == {(*texts[:-1], "0") for texts in shown}
    assert len(read(draw(y).svg).edges) == 4


def test_leaves_inner_nodes_and_constants_are_told_apart() -> None:
    x = Value(3.0, "x")
    found = {box.kind: box.texts for box in boxes(2.0 * x)}
    assert found["leaf"][0] == "x"
    assert found["node"][0] == "*"
    assert found["constant"] == ["2"]


@pytest.mark.parametrize(
    ("make", "constants"),
    [
        (lambda x: x + 2.5, ["2.5"]),
        (lambda x: 2.5 - x, ["2.5"]),
        (lambda x: x / 4.0, ["4"]),
        (lambda x: 4.0 / x, ["4"]),
        (lambda x: x**2, ["2"]),
        (lambda x: 2**x, ["2"]),
        (lambda x: x.maximum(0.0), ["0"]),
        (lambda x: x.tanh(), []),
        (lambda x: -x, []),
        (lambda x: abs(x), []),
        (lambda x: fused.dot([x, 7.0], [5.0, x]), ["5", "7"]),
        (lambda x: fused.fsum([x, 7.0, x]), ["7"]),
    ],
)
def test_constants_are_small_leaves(make: Callable[[Value], Value], constants: list[str]) -> None:
    found = [box.texts[0] for box in boxes(make(Value(1.5))) if box.kind == "constant"]
    assert sorted(found) == constants


def test_the_order_of_operands_is_shown_where_it_matters() -> None:
    x, y = Value(2.0), Value(3.0)
    for z, shown in [(x - y, 2), (x / 5.0, 2), (x * y, 0), (x + y + x, 0), (x**y, 2)]:
        drawing = draw(z)
        assert drawing.svg.count('font-size="8"') == shown
        assert drawing.dot.count("headlabel") == shown
        assert len(re.findall('-- "[12]" -->', drawing.mermaid)) == shown


def test_drawings_speak_spanish() -> None:
    x = Value(1.0, "nodes")  # what users wrote is left alone
    y = x
    for _ in range(10):
        y = y * 2.0
    z = fused.fsum([y, *map(Value, range(10))])
    folded = draw(z, fold="op", language="es")
    assert {"nodes", "grad", "10 nodos", "10 valores", "22 nodos"} <= set(read(folded.svg).texts)
    assert "<title>10 aristas</title>" in folded.svg
    assert folded.summary == "4 cajas para 22 nodos"
    cut = draw(z, fold="depth", max_nodes=2, language="es")
    assert "20 nodos más" in read(cut.svg).texts
    assert "<title>grafo de cálculo</title>" in draw(x, language="es").svg
    assert draw(x, language="es").summary == "1 caja"


def test_both_edges_of_a_square_are_drawn() -> None:
    x = Value(3.0)
    assert len(read(draw(x * x).svg).edges) == 2


def test_parameters_of_an_op_are_shown() -> None:
    (node,) = [box for box in boxes(Value(-1.0).leaky_relu(0.2)) if box.kind == "node"]
    assert node.texts[0] == "leaky_relu(alpha=0.2)"


def test_a_leaf_alone_and_a_result_without_graph() -> None:
    assert [box.texts for box in boxes(Value(1.0, "w"))] == [["w", "data", "1", "grad", "0"]]
    with no_grad():
        y = Value(1.0) * 2.0
    assert len(boxes(y)) == 1


def test_names_come_from_labels_then_from_the_variables_given() -> None:
    a, b = Value(1.0, "label"), Value(2.0)
    y = a * b
    titles = {box.texts[-5] for box in boxes(y, names={"a": a, "b": b, "y": y, "n": 5, "_": b})}
    assert titles == {"label", "b", "y"}


def test_several_roots_share_what_they_have_in_common() -> None:
    a, b = Value(1.0), Value(2.0)
    d = a * b
    assert len(boxes([d + 1.0, d - 1.0])) == 2 + 1 + 2 + 2
    assert len(boxes([d, d])) == 3


def test_functions_with_a_rule_of_their_own() -> None:
    @custom_vjp
    def clipped(x: Any) -> Any:
        return x

    clipped.defvjp(lambda x: (x, None), lambda _, g: (g,))
    x = Value(2.0, "x")
    for y in (clipped(x), checkpoint(lambda v: v * v)(x), grad(lambda v: v**3)(x)):
        drawn = read(draw(y * 2.0).svg)
        assert faults(drawn) == []
        assert any("x" in box.texts for box in drawn.boxes)


def test_plugin_ops_and_composites() -> None:
    cube = elementwise("cube", lambda xp, x: x * x * x, (lambda xp, out, x: 3 * x * x,))
    swish = elementwise("swish", lambda xp, x: x / (1 + xp.exp(-x)))
    ops = [box.texts[0] for box in boxes(swish(cube(Value(0.5)))) if box.kind == "node"]
    assert sorted(ops) == ["+", "/", "cube", "exp", "neg"]


@pytest.mark.parametrize("size", [0.0, 1e-9, 0.3, 0.7, 1.0, math.nan, math.inf, None])
def test_texts_stand_out_from_every_colour(size: float | None) -> None:
    fill = colors.shade(size, 1.0)
    dark = colors.DARK["fill"]
    for box, ink, faint in (
        (fill, colors.INK, colors.FAINT),
        (dark[fill], dark[colors.INK], dark[colors.FAINT]),
    ):
        assert _contrast(box, ink) > 7.0
        assert _contrast(box, faint) > 4.5
    for page in ("#ffffff", "#1e2129", "#000000"):  # light and dark pages
        assert _contrast(colors.LINE, page) > 3.0
    for pill in (colors.NODE, colors.GROUP):
        assert _contrast(pill, "#ffffff") > 4.5
    for outline, in_dark in colors.DARK["stroke"].items():
        assert _contrast(outline, "#ffffff") > 4.5
        assert _contrast(in_dark, "#1e2129") > 4.5


def test_colours_leave_that_of_zero_with_the_gradient() -> None:
    shades = [colors.shade(10.0**-k, 1.0) for k in range(6)]
    light = [_luminance(shade) for shade in shades]
    dark = [_luminance(colors.DARK["fill"][shade]) for shade in reversed(shades)]
    for luminances in (light, dark):
        assert luminances == sorted(luminances)
        assert len(set(luminances)) == 6


def test_nan_and_infinity_are_red() -> None:
    x, w = Value(0.0, "x"), Value(1.0, "w")
    y = x.log() * 2.0 + w  # -inf
    y.backward()
    drawing = draw(y)
    root = ElementTree.fromstring(drawing.svg)
    red = {}
    for box in root.iter("{http://www.w3.org/2000/svg}g"):
        if box.get("class", "").startswith("smolml-"):
            texts = [text.text for text in box.iter("{http://www.w3.org/2000/svg}text")]
            (rect,) = [r for r in box if r.get("rx") == "6"]
            red[texts[0]] = (rect.get("fill"), rect.get("stroke")) == (colors.RED, colors.ALARM)
    assert red == {"x": True, "w": False, "log": True, "*": True, "2": False, "+": True}
    assert drawing.dot.count(colors.RED) == 4
    assert draw(Value(1.0) * math.nan).dot.count(colors.RED) == 2  # the constant, too


def test_every_colour_of_a_box_has_one_for_the_dark() -> None:
    *_, y = seeds()
    y.backward()
    svg = draw(y, title="t").svg
    style = svg[: svg.index("</style>")]
    for kind, color in re.findall(' (fill|stroke)="(#[0-9a-f]{6})"', svg):
        same = {"fill": {"#ffffff", colors.LINE, colors.LEAF, colors.NODE}, "stroke": {colors.LINE}}
        has_rule = f'svg.smolml [{kind}="{color}"]{{{kind}:light-dark({color},#' in style
        assert has_rule != (color in same[kind])


def _luminance(color: str) -> float:
    """As the WCAG 2 defines it."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


# Labels do nothing -----------------------------------------------------------------------------

NASTY = [
    "<script>alert(1)</script>",
    "\"quoted\" & 'single'",
    "]]> <![CDATA[ --> <!--",
    "null \0 bell \a escape \x1b lone \ud800 end",
    "línea\nnueva\ttab",
    "日本語のラベル",
    "\\N \\n {a|b} `code` #1; $x$ [[x]]",
    "e\u0301" * 5,
]


@pytest.mark.parametrize("label", NASTY)
def test_labels_are_text_and_nothing_else(label: str) -> None:
    x = Value(1.0, label)
    drawing = draw(x * 2.0, title=label)
    drawn = read(drawing.svg)
    assert "<script" not in drawing.svg
    assert len(drawn.boxes) == 3
    assert faults(drawn) == []
    shown = " ".join(label.split())[:20]
    cleaned = re.sub("[\0\a\x1b\ud800]", "\ufffd", shown)
    assert any(cleaned[:10] in text for text in drawn.texts)
    for line in drawing.dot.splitlines():
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0
    assert "<script" not in drawing.mermaid
    before, title, after, *lines = drawing.mermaid.splitlines()
    assert (before, after) == ("---", "---")
    json.loads(title.removeprefix("title: "))  # which is YAML, too
    assert all(line.count('"') in (0, 2) for line in lines)


def test_the_forms_have_the_same_boxes_and_edges() -> None:
    *_, y = seeds()
    drawing = draw(y * 2.0 - y)
    drawn = read(drawing.svg)
    assert len(re.findall(r"^  n\d+ \[", drawing.dot, re.M)) == len(drawn.boxes)
    assert drawing.dot.count("->") == len(drawn.edges)
    assert len(re.findall(r"^  n\d+ -.*-> n\d+$", drawing.mermaid, re.M)) == len(drawn.edges)
    assert drawing.mermaid.startswith("flowchart LR")
    assert draw(y, direction="down").mermaid.startswith("flowchart TB")


def test_save_writes_what_the_ending_says(tmp_path: Path) -> None:
    *_, y = seeds()
    drawing = draw(y)
    for ending, text in [
        ("svg", drawing.svg),
        ("dot", drawing.dot),
        ("gv", drawing.dot),
        ("mmd", drawing.mermaid),
        ("md", f"```mermaid\n{drawing.mermaid}```\n"),
    ]:
        path = drawing.save(tmp_path / f"graph.{ending}")
        assert path.read_text(encoding="utf-8") == text
    with pytest.raises(ValueError, match=r"ends in \.svg, \.png, .*got 'graph.jpg'"):
        drawing.save(tmp_path / "graph.jpg")


def test_a_png_shows_the_colours_at_twice_the_size(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    x = Value(0.0, "x")
    drawing = draw(x.log() * 2.0)
    image = drawing.save(tmp_path / "graph.PNG").read_bytes()
    assert image == drawing.png
    width, height, *kind = struct.unpack(">IIBBBBB", image[16:29])
    drawn = read(drawing.svg)
    assert (width, height) == (2 * drawn.width, 2 * drawn.height)
    assert (image[:8], image[12:16], kind) == (b"\x89PNG\r\n\x1a\n", b"IHDR", [8, 6, 0, 0, 0])
    pixels = _pixels(image, width)
    for color in ("#ffffff", colors.RED, colors.ALARM, colors.NO_GRADIENT, colors.NODE):
        assert bytes.fromhex(color[1:]) + b"\xff" in pixels


def _pixels(image: bytes, width: int) -> set[bytes]:
    """The colours in an RGBA image, its lines being filtered as the PNG specification has it."""
    data, at = b"", 8
    while at < len(image):
        (length,) = struct.unpack(">I", image[at : at + 4])
        if image[at + 4 : at + 8] == b"IDAT":
            data += image[at + 8 : at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(data), 4 * width
    above, found = bytes(stride), set()
    for begin in range(0, len(raw), stride + 1):
        how, line = raw[begin], bytearray(raw[begin + 1 : begin + 1 + stride])
        for i in range(stride):
            left, up = line[i - 4] if i >= 4 else 0, above[i]
            corner = above[i - 4] if i >= 4 else 0
            nearest = min((left, up, corner), key=lambda x: abs(left + up - corner - x))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, nearest)[how]) % 256
        above = bytes(line)
        found |= {above[i : i + 4] for i in range(0, stride, 4)}
    return found


def test_where_pngs_cannot_be_made_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ImportError, match=r"resvg-py: pip install 'smolml-value\[png\]'"):
        draw(Value(1.0)).save(tmp_path / "graph.png")
    assert not list(tmp_path.iterdir())


def test_notebooks_show_values_and_drawings() -> None:
    *_, y = seeds()
    assert y._repr_svg_() == draw(y)._repr_svg_() == draw(y).svg  # type: ignore[attr-defined]  # given later
    assert not hasattr(y, "_repr_html_")


def test_what_is_drawn_is_as_it_was() -> None:
    graph = seeds()
    graph[-1].backward()
    before = [(v.data, v.grad, v.label, v._pending) for v in graph]
    draw(graph[-1]).svg
    assert [(v.data, v.grad, v.label, v._pending) for v in graph] == before


# Layout ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("seed", range(25))
def test_random_graphs_are_drawn_without_faults(seed: int, direction: Any) -> None:
    nodes = random_graph(seed, 4 + 3 * seed)
    nodes[-1].backward()
    drawing = draw(nodes[-1], direction=direction, names={"root": nodes[-1]}, title="graph")
    drawn = read(drawing.svg)
    assert faults(drawn) == []
    for edge in drawn.edges:  # everything flows one way
        along = [point[direction == "down"] for point in edge]
        assert along == sorted(along)


def test_a_layout_with_many_long_edges() -> None:
    xs = [Value(float(i), f"x{i}") for i in range(4)]
    y = xs[0]
    for i in range(20):
        y = (y * xs[i % 4] + xs[(i + 1) % 4]).tanh()
    drawn = read(draw([y, xs[0] + xs[3]], fold=None).svg)
    assert faults(drawn) == []
    assert len(drawn.boxes) == 4 + 60 + 1


def chain(length: int) -> Value:
    x, w = Value(0.5, "x"), Value(0.7, "w")
    for _ in range(length):
        x = (x * w + Value(0.1)).tanh()
    return x


def test_what_is_too_wide_grows_down_and_is_folded_where_that_is_too_tall() -> None:
    short, middling, long = (draw(chain(n)) for n in (1, 5, 40))
    assert [drawing.dot.count("rankdir=TB") for drawing in (short, middling, long)] == [0, 1, 1]
    assert middling.summary == f"{2 + 5 * 4} boxes"  # nothing is left out
    assert re.search(r"for 162 nodes$", long.summary)
    for drawing in (short, middling, long):
        drawn = read(drawing.svg)
        assert drawn.width <= 1200 + 2 * 14
        assert faults(drawn) == []
    as_asked = draw(chain(5), direction="right", fold=None)
    assert "rankdir=LR" in as_asked.dot
    assert read(as_asked.svg).width > 1200
    narrower = draw(chain(5), direction="right")
    assert "rankdir=LR" in narrower.dot
    assert read(narrower.svg).width <= 1200 + 2 * 14


@pytest.mark.parametrize("label", ["", "x{i}"])
@pytest.mark.parametrize("count", [40, 200])
def test_a_sum_of_many_is_one_box_and_its_values_another(count: int, label: str) -> None:
    xs = [Value(float(i), label.format(i=i)) for i in range(count)]
    y = sum(xs[1:], xs[0])
    values, additions = sorted(boxes(y), key=lambda box: box.x)
    assert values.texts == [f"{count} values"]
    total = f"{sum(range(count)):.4g}"
    assert additions.texts == ["+", f"{count - 1} nodes", "data", total, "grad", "0"]
    equals = "x3 = 3, " if label else "3, "
    assert re.search(rf"<title>{count} nodes\n[^<]*{equals}", draw(y).svg)


def test_a_chain_of_results_stands_straight_where_it_grows_down() -> None:
    drawn = read(draw(chain(5), direction="down").svg)
    assert faults(drawn) == []
    middles = [box.x + box.width / 2 for box in drawn.boxes if box.kind == "node"]
    assert len(middles) == 15
    assert max(middles) - min(middles) < 30  # what joins it stands beside it


def test_a_drawing_is_the_same_each_time() -> None:
    texts = {draw(random_graph(3, 40)[-1]).svg for _ in range(3)}
    assert len(texts) == 1


# Folding ---------------------------------------------------------------------------------------


def _is_acyclic(x: Value, folded: Folded) -> bool:
    """By counting off: a box is done when all that it was made from are done."""
    found = collect([x])
    edges = {
        (folded.group_of[p] if p >= 0 else HIDDEN, folded.group_of[i])
        for i, row in enumerate(found.operands)
        for p in row
        if isinstance(p, int)
    }
    edges = {(s, t) for s, t in edges if s != t}
    left = {g for edge in edges for g in edge}
    while left:
        ready = {g for g in left if not any(t == g and s in left for s, t in edges)}
        if not ready:
            return False
        left -= ready
    return True


@pytest.mark.parametrize("how", FOLDS)
@pytest.mark.parametrize("seed", range(12))
def test_folded_graphs_are_acyclic_small_and_complete(seed: int, how: Any) -> None:
    root = random_graph(seed, 150)[-1]
    found = collect([root])
    for most in (1, 7, 40):
        for folded in folds(found, how, most):
            assert len(folded.groups) <= most or how == "auto"
            members = sorted(i for group in folded.groups for i in group.members)
            shown = [i for i, g in enumerate(folded.group_of) if g != HIDDEN]
            assert members == shown
            assert _is_acyclic(root, folded)
        drawn = read(draw(root, fold=how, max_nodes=most).svg)
        assert faults(drawn) == []


@pytest.mark.parametrize("how", FOLDS)
def test_graphs_that_are_only_partly_looked_at(how: Any) -> None:
    for seed in range(6):
        root = random_graph(seed, 300)[-1]
        everything = collect([root])
        found = collect([root], closely=50)
        assert found.total == everything.total
        assert found.exact
        folded = next(folds(found, how, 30))
        parents = [[p for p in row if isinstance(p, int)] for row in found.operands]
        for i in found.used_beyond:
            assert folded.group_of[i] == HIDDEN or not parents[i]
        for i, row in enumerate(parents):  # what is hidden was made from leaves and hidden nodes
            if folded.group_of[i] == HIDDEN:
                assert all(p < 0 or folded.group_of[p] == HIDDEN or not parents[p] for p in row)


def test_counting_stops_somewhere() -> None:
    x = y = Value(1.0)
    for _ in range(5000):
        y = y + x
    found = collect([y], closely=100, at_all=3000)
    assert (found.total, found.exact) == (3000, False)
    found = collect([y], closely=100, at_all=5001)
    assert (found.total, found.exact) == (5001, True)
    assert found.used_beyond == {found.nodes.index(x)}


def test_a_deep_graph_is_folded_with_a_count() -> None:
    x = y = Value(0.0, "x")
    for _ in range(20_000):
        y = y + x
    drawing = draw(y)
    texts = read(drawing.svg).texts
    assert "20,001 nodes" in texts
    assert "12,001 more nodes" in texts
    assert "<Drawing of 3 boxes for 20,001 nodes" in repr(drawing)
    found = collect([y], at_all=15_000)
    made = picture(found, next(folds(found, "auto", 100)), {}, "")
    assert made.note == "more than 15,000 nodes"
    assert "over 7,000 more nodes" in [box.title for box in made.boxes]


def test_fold_by_op_shows_layers() -> None:
    xs = [Value(float(i)) for i in range(30)]
    ws = [[Value(0.1) for _ in xs] for _ in range(4)]
    out = [sum((w * x for w, x in zip(row, xs, strict=True)), Value(0.0)).tanh() for row in ws]
    texts = [box.texts for box in boxes(sum(out[1:], out[0]), fold="op")]
    assert ["*", "120 nodes"] in texts
    assert ["+", "120 nodes"] in texts
    assert ["tanh", "4 nodes"] in texts
    assert ["150 values"] in texts  # weights and inputs: all go into the products alone
    assert ["4 values"] in texts  # what each sum begins with


def test_fold_by_label_takes_in_what_goes_into_a_node_alone() -> None:
    x, w = Value(1.0, "x"), Value(2.0, "w")
    h = (x * w + 1.0).tanh()
    h.label = "h"
    y = (h * h - w).exp()
    y.label = "y"
    found = {box.texts[0]: box.texts for box in boxes(y, fold="label")}
    assert found.keys() == {"h", "y", "x", "w"}
    assert found["h"][1:4] == ["3 nodes", "ops", "tanh ×1, + ×1, * ×1"]


def test_fold_by_module_goes_by_dotted_labels() -> None:
    x = Value(1.0, "x")
    layers = [
        [Value(0.5, f"layer{i}.w{j}") for j in range(3)] + [Value(0.0, f"layer{i}.b")]
        for i in (1, 2)
    ]
    h = x
    for *ws, b in layers:
        h = (h * ws[0] + h * ws[1] + h * ws[2] + b).tanh()
    loss = (h - 1.0) ** 2
    loss.label = "loss"
    found = [box.texts for box in boxes(loss, fold="module")]
    assert {t for texts in found for t in texts[:2]} >= {"x", "layer1", "layer2", "loss"}
    assert [t[1] for t in found if t[0] in ("layer1", "layer2")] == ["11 nodes", "12 nodes"]


def test_shared_parameters_stand_outside_of_the_modules_that_use_them() -> None:
    w, h = Value(0.5, "cell.w"), Value(1.0, "h0")
    for step in range(3):
        h = (h * w).tanh()
        h.label = f"cell{step}.h"
    titles = [box.texts[0] for box in boxes(h, fold="module")]
    assert "cell.w" in titles


def test_many_labelled_parameters_share_a_box_where_ops_do() -> None:
    xs = [Value(float(i)) for i in range(10)]
    ws = [Value(0.1, f"w{i}") for i in range(10)]
    y = fused.fsum([(w * x).tanh() for w, x in zip(ws, xs, strict=True)])
    assert ["10 values"] in [box.texts for box in boxes(y, fold="op")]
    assert len(boxes(y, fold="op")) == 5
    assert len(boxes(y, fold="label")) == 1 + 10  # what has a label is a landmark there


def test_small_graphs_are_not_folded_unless_one_asks() -> None:
    *_, y = seeds()
    assert len(boxes(y)) == len(boxes(y, fold=None)) == 5
    assert len(boxes(y, fold="label")) == 5
    assert len(boxes(y, max_nodes=4)) <= 5


# Errors ----------------------------------------------------------------------------------------


def test_wrong_arguments_are_refused() -> None:
    y = Value(1.0) + Value(2.0)
    wrong: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
        (3.0, {}, TypeError, "expected a Value, an MLArray or a list of them, got a float"),
        ([y, 3.0], {}, TypeError, "got a list with a float"),
        ([], {}, TypeError, "got an empty list"),
        (y, {"fold": "colour"}, ValueError, "fold must be None or one of auto, .*got 'colour'"),
        (y, {"direction": "up"}, ValueError, "direction must be 'right' or 'down', got 'up'"),
        (y, {"max_nodes": 0}, ValueError, "max_nodes must be from 1 to 5,000, got 0"),
        (y, {"max_nodes": 1e9}, ValueError, "max_nodes must be from 1 to 5,000"),
        (y, {"fold": None, "max_nodes": 2}, ValueError, "the graph has 3 nodes, .*max_nodes=2"),
    ]
    for root, options, error, message in wrong:
        with pytest.raises(error, match=message):
            draw(root, **options)


def test_drawing_is_imported_when_it_is_used() -> None:
    program = (
        "import sys, smolml_value\n"
        "v = smolml_value.Value(1.0)\n"
        "hasattr(v, '_repr_svg_')\n"
        "print(sorted(m for m in sys.modules if '.drawing' in m or '.explaining' in m))\n"
        "smolml_value.draw(v)\n"
        "print('smolml_value._showing.drawing.drawing' in sys.modules)\n"
    )
    assert printed(program) == "[]\nTrue\n"
