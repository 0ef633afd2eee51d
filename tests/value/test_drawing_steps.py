"""draw(steps=): what `explain` tells, as data in the SVG, leads to the gradients of backward()."""

from __future__ import annotations

import json
import random
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given

from smolml_value import Value, draw, explain, grad
from smolml_value._showing.drawing.fold import FOLDS
from smolml_value.transforms import checkpoint
from tests.value.fuzz import grow
from tests.value.graphs import VALUE_OPS, Step, programs, run

SVG = "{http://www.w3.org/2000/svg}"


def played(svg: str) -> tuple[dict[str, str], dict[str, str]]:
    """By node: the gradient in its box as it is drawn, and after all steps have been played."""
    root = ElementTree.fromstring(svg)
    drawn = {}
    for box in root.iter(f"{SVG}g"):
        texts = [text.text or "" for text in box.iter(f"{SVG}text")]
        if "grad" in texts:
            drawn[box.attrib["data-node"]] = "\n".join(texts[texts.index("grad") + 1 :])
    sources = {
        path.attrib["data-edge"]: path.attrib["data-from"]
        for path in root.iter(f"{SVG}path")
        if "data-edge" in path.attrib
    }
    ends = dict.fromkeys(drawn, "0")
    for step in json.loads(root.attrib["data-steps"]):
        if "grad" in step:
            node = sources[step["edge"]] if "edge" in step else str(step["node"])
            if node in ends:  # else it is a function, or several
                ends[node] = step["grad"]
        ends |= {node: grad for node, grad in step.get("grads", {}).items() if node in ends}
    return drawn, ends


def test_the_seeds_example_is_told_arrow_by_arrow() -> None:
    a, b, c = Value(2.0, "a"), Value(3.0, "b"), Value(4.0, "c")
    d = a * b
    y = d + c
    y.backward()
    svg = draw(y, names={"d": d, "y": y}, steps=True).svg
    steps = json.loads(ElementTree.fromstring(svg).attrib["data-steps"])
    assert steps[0] == {"node": 0, "text": "1. Start at the end: y.grad = 1.", "grad": "1"}
    assert [step.get("edge") for step in steps] == [
        None, None, "0.0", "0.1", None, "1.0", "1.1", None,
    ]  # fmt: skip
    assert steps[5] == {
        "node": 1,
        "edge": "1.0",
        "factor": "∂d/∂a = b = 3",
        "amount": "3",
        "grad": "3",
        "more": "∂d/∂a = b = 3, so a.grad += 3 · 1 = 3; now a.grad = 3",
    }
    # The gradients that nodes hold are no part of what is played.
    assert steps[-1]["text"].endswith("a.grad = 3, b.grad = 2, c.grad = 1.")
    told = [step["text"].partition(". ")[2] for step in steps if "text" in step]
    assert all(text in explain(y, names={"d": d, "y": y}).text for text in told[:-1])


def test_they_speak_spanish() -> None:
    x = Value(3.0, "x")
    assert "Empezar por el final" in draw(x * x, steps=True, language="es").svg


@given(programs())
def test_the_steps_end_in_the_gradients_of_backward(program: list[Step]) -> None:
    root = run(program, [Value(0.5), Value(-1.25), Value(2.0)], VALUE_OPS)
    root.backward()
    drawn, ends = played(draw(root, max_nodes=1000, steps=True).svg)
    assert ends == drawn


@pytest.mark.parametrize("how", FOLDS)
@pytest.mark.parametrize("seed", range(2))
def test_folded_drawings_are_played_too(seed: int, how: Any) -> None:
    nodes = grow(random.Random(seed), [Value(0.5, "a.x"), Value(-0.75, "a.y")], 200)
    for i, node in enumerate(nodes[10::10]):
        node.label = f"b{i}.h"
    root = nodes[0]
    for node in nodes[1:]:
        root = root + node.tanh()
    root.backward()
    for most in (30, 1000):  # steps are left out; and all told
        svg = draw(root, max_nodes=most, fold=how, steps=True).svg
        assert ('class="smolml-group"' in svg) or (how, most) == ("depth", 1000)
        drawn, ends = played(svg)
        assert ends == drawn
        assert len(drawn) > 1
        assert ('"grads"' in svg.replace("&quot;", '"')) == (most == 30)


def test_of_a_fold_its_arrows_are_told_and_what_happens_inside() -> None:
    x, w = Value(2.0, "x"), Value(0.5, "w")
    y = ((x * w) * w).tanh()
    y.backward()
    svg = draw(y, fold="op", names={"y": y}, steps=True).svg
    steps = json.loads(ElementTree.fromstring(svg).attrib["data-steps"])
    inside = [step for step in steps if "more" in step and "edge" not in step]
    assert [step["more"].partition(" = ")[0] for step in inside] == ["∂v2/∂v1"]
    assert not any(key in step for step in inside for key in ("grad", "factor", "amount"))
    to_w = [step["grad"] for step in steps if step.get("more", "").find("so w.grad") > 0]
    assert to_w[-1] == f"{w.grad:.4g}"
    drawn, ends = played(svg)
    assert ends == drawn


def test_without_steps_there_are_none() -> None:
    assert "data-steps" not in draw(Value(1.0) * 2.0).svg


def test_drawing_them_changes_no_gradient() -> None:
    x = Value(3.0)
    y = x * x
    draw(y, steps=True)
    assert (x.grad, y.grad) == (0.0, 0.0)


def test_what_cannot_be_told_is_refused() -> None:
    x, language = Value(1.0), "fr"
    with pytest.raises(ValueError, match="language must be 'en' or 'es', got 'fr'"):
        draw(x, language=language)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="steps must be True or False, got 'fr'; see language"):
        draw(x, steps=language)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="from one root, got 2; draw each alone"):
        draw([x, x * 2.0], steps=True)


def test_functions_with_a_rule_of_their_own_are_played() -> None:
    x = Value(3.0, "x")
    y = checkpoint(lambda v: v * v)(x) * 2.0
    y.backward()
    drawn, ends = played(draw(y, steps=True).svg)
    assert ends == drawn
    assert "12" in drawn.values()


def test_a_graph_inside_a_transform_is_played_too() -> None:
    drawings: list[Any] = []

    def f(x: Any) -> Any:
        y = x * x
        drawings.append(draw(y, steps=True).svg)
        return y

    assert grad(f)(3.0) == 6.0
    assert played(drawings[0])[1]
