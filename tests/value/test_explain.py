"""explain: the seeds' four steps, numbers equal to `.grad`, formulas, languages, forms."""

from __future__ import annotations

import io
import math
import random
import re
from statistics import NormalDist
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_value import Op, Value, draw, elementwise, explain, fused, ops, scalar
from smolml_value._showing.explaining.steps import Step
from smolml_value._showing.explaining.translations import NOTES, WORDS
from smolml_value._showing.formulas import partial_formula
from smolml_value.table import TABLE
from smolml_value.transforms import checkpoint, custom_vjp, grad
from tests.value.fuzz import grow
from tests.value.graphs import VALUE_OPS, programs, run
from tests.value.helpers import close, identical, samples

# The seeds' example ----------------------------------------------------------------------------

ENGLISH = """\
1. Start at the end: y.grad = 1.
2. y = d + c has y.grad = 1 and passes it back:
   - ∂y/∂d = 1, so d.grad += 1 · 1 = 1; now d.grad = 1
   - ∂y/∂c = 1, so c.grad += 1 · 1 = 1; now c.grad = 1
3. d = a · b has d.grad = 1 and passes it back:
   - ∂d/∂a = b = 3, so a.grad += 3 · 1 = 3; now a.grad = 3
   - ∂d/∂b = a = 2, so b.grad += 2 · 1 = 2; now b.grad = 2
4. Everything has its gradient: a.grad = 3, b.grad = 2, c.grad = 1."""

SPANISH = """\
1. Empezar por el final: y.grad = 1.
2. y = d + c tiene y.grad = 1 y lo pasa hacia atrás:
   - ∂y/∂d = 1, así que d.grad += 1 · 1 = 1; ahora d.grad = 1
   - ∂y/∂c = 1, así que c.grad += 1 · 1 = 1; ahora c.grad = 1
3. d = a · b tiene d.grad = 1 y lo pasa hacia atrás:
   - ∂d/∂a = b = 3, así que a.grad += 3 · 1 = 3; ahora a.grad = 3
   - ∂d/∂b = a = 2, así que b.grad += 2 · 1 = 2; ahora b.grad = 2
4. Todo tiene su gradiente: a.grad = 3, b.grad = 2, c.grad = 1."""


def html_of(x: Any) -> Any:
    """What a notebook shows; the method is given to the class when the package is imported."""
    return x._repr_html_()


def seeds() -> dict[str, Value]:
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    d = a * b
    return {"a": a, "b": b, "c": c, "d": d, "y": d + c}


def test_the_seeds_example_gives_exactly_their_four_steps() -> None:
    graph = seeds()
    told = explain(graph["y"], names=graph)
    assert str(told) == told.text == ENGLISH
    assert explain(graph["y"], names=graph, language="es").text == SPANISH
    assert [step.number for step in told.steps] == [1, 2, 3, 4]
    assert [step.kind for step in told.steps] == ["start", "op", "op", "end"]
    plus, times = told.steps[1:3]
    assert [(step.name, step.op, step.cotangent) for step in (plus, times)] == [
        ("y", "+", 1.0),
        ("d", "*", 1.0),
    ]
    assert [
        (c.name, c.formula, c.partial, c.contribution, c.gradient) for c in times.contributions
    ] == [("a", "b", 3.0, 3.0, 3.0), ("b", "a", 2.0, 2.0, 2.0)]
    assert [(g.name, g.added, g.before) for g in told.steps[3].gradients] == [
        ("a", 3.0, 0.0),
        ("b", 2.0, 0.0),
        ("c", 1.0, 0.0),
    ]


def test_labels_name_nodes_and_others_are_numbered_as_they_were_made() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    told = explain((a * b + 1.0) * a)
    assert [step.name for step in told.steps] == ["v3", "v3", "v2", "v1", "v3"]
    assert [step.expression for step in told.steps[1:4]] == ["v2 · a", "v1 + 1", "a · b"]
    assert explain(a * b, names={"v1": a}).steps[0].name == "v2"


def test_after_backward_it_says_what_another_one_would_add() -> None:
    graph = seeds()
    graph["y"].backward()
    text = explain(graph["y"], names=graph).text
    changes = "a.grad 3 → 6, b.grad 2 → 4, c.grad 1 → 2."
    more = " They hold this already, as after backward(); another one would add it again: "
    assert text == ENGLISH + more + changes
    graph["a"].grad = 1.0  # of something else
    text = explain(graph["y"], names=graph).text
    changes = changes.replace("3 → 6", "1 → 4")
    assert text == f"{ENGLISH} backward() adds this to what is there: {changes}"


# Numbers ---------------------------------------------------------------------------------------


def _check(root: Value, nodes: list[Value]) -> None:
    """The numbers of an explanation against `.grad`, which it must leave alone."""
    for node in nodes:
        node.grad = 0.25
    told = explain(root, max_steps=10_000)
    assert all(node.grad == 0.25 for node in nodes)
    assert sum(step.kind == "folded" for step in told.steps) == 0
    short = explain(root, max_steps=2)
    for node in nodes:
        node.grad = 0.0
    root.backward()
    for node in nodes:
        try:
            found = told.gradient(node)
        except KeyError:
            assert node.grad == 0.0
            continue
        assert close(found, node.grad, rel=1e-12, floor=1e-300)
        assert identical(short.gradient(node), found)
    for step in told.steps:
        for c in step.contributions:
            if c.partial is not None and math.isfinite(c.contribution):
                assert close(c.contribution, c.partial * step.cotangent, rel=1e-12, floor=1e-300)


@pytest.mark.parametrize("seed", range(100))
def test_numbers_equal_grad_on_random_graphs(seed: int) -> None:
    rng = random.Random(seed)
    nodes = grow(rng, [Value(rng.uniform(-2, 2)) for _ in range(5)], rng.randrange(1, 60))
    _check(nodes[-1], nodes)


@settings(max_examples=50)
@given(programs(), st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_numbers_equal_grad_on_random_programs(steps: Any, xs: list[float]) -> None:
    leaves = [Value(x) for x in xs]
    _check(run(steps, leaves, VALUE_OPS), leaves)


def test_contributions_add_up_and_run() -> None:
    x = Value(1.5, "x")
    told = explain(x * x + x.tanh() * x - 2.0 / x)
    running = 0.0
    for step in told.steps:
        for c in step.contributions:
            if c.name == "x":
                running += c.contribution
                assert c.gradient == running
    assert told.gradient(x) == running == told.steps[-1].gradients[0].added


def test_a_zero_cotangent_sends_zero_whatever_the_partial_is() -> None:
    x = Value(0.0, "x")
    y: Any = ops.where(Value(0.0), x.sqrt(), x * 3.0)
    assert explain(y).gradient(x) == 3.0


def test_functions_with_a_rule_of_their_own() -> None:
    @custom_vjp
    def clipped(x: Any) -> Any:
        return x

    clipped.defvjp(lambda x: (x, None), lambda _, g: (g.clip(-1.0, 1.0),))
    for f in (clipped, checkpoint(lambda v: v * v.tanh()), grad(lambda v: v**3)):
        x = Value(2.0, "x")
        y = f(x) * 5.0 + x
        found = explain(y).gradient(x)
        y.backward()
        assert found == x.grad != 0.0


def test_an_op_with_a_vjp_of_its_own() -> None:
    op = elementwise(
        "half_product",
        lambda xp, x, y: 0.5 * x * y,
        vjp=lambda xp, g, out, x, y: (0.5 * g * y, 0.5 * g * x),
    )
    x, y = Value(3.0, "x"), Value(4.0, "y")
    told = explain(op(x, y) * 2.0)
    assert [c.partial for c in told.steps[2].contributions] == [2.0, 1.5]
    assert (told.gradient(x), told.gradient(y)) == (4.0, 3.0)


# Formulas --------------------------------------------------------------------------------------

_SUPERSCRIPTS = {"²": "**2", "³": "**3"}
_SIGNS = {"·": "*", "−": "-", "^": "**", "≥": ">=", "≤": "<=", "≠": "!=", " = ": " == "}


def _value_of(formula: str, numbers: dict[str, float]) -> float:
    """What a formula is worth, read as Python, with the functions for floats."""
    for sign, python in {**_SUPERSCRIPTS, **_SIGNS}.items():
        formula = formula.replace(sign, python)
    functions = {name: getattr(scalar, name) for name in dir(scalar) if name[0] != "_"}
    functions |= TABLE | {"normal_cdf": NormalDist().cdf}
    functions["sign"] = lambda x: float((x > 0) - (x < 0))
    return float(eval(formula, {"__builtins__": {}}, {**functions, **numbers}))


FEW = [op for op in TABLE.values() if op.arity in (1, 2)]


@pytest.mark.parametrize("op", FEW, ids=lambda op: op.name)
def test_every_built_in_op_has_formulas_that_are_true(op: Op) -> None:
    names = ["x", "y"][: op.arity]
    for args in samples(op, 6):
        out = op.on_floats(args)
        numbers = dict(zip([*names, "out"], [*args, out], strict=True))
        for i in range(op.arity):
            expected = op.scalar_partial(i, out, args)
            for known in ([*args, out], [None] * (op.arity + 1)):
                text, number = partial_formula(op, i, names, "out", known)
                assert text
                assert number is None or close(number, expected)
                assert close(_value_of(text, numbers), expected, rel=1e-3, floor=1e-3), text


@pytest.mark.parametrize(
    ("make", "formulas"),
    [
        (lambda x, y: x * y, ["y", "x"]),
        (lambda x, y: x / y, ["1 / y", "−z / y"]),
        (lambda x, y: x**y, ["y · x^(y − 1)", "z · log(x)"]),
        (lambda x, y: x**2, ["2 · x"]),
        (lambda x, y: x**3, ["3 · x²"]),
        (lambda x, y: x**-1.0, ["−x⁻²"]),
        (lambda x, y: 2.0**x, ["z · log(2)"]),
        (lambda x, y: x.tanh(), ["(1 / cosh(x))²"]),
        (lambda x, y: x.exp(), ["z"]),
        (lambda x, y: x.log(), ["1 / x"]),
        (lambda x, y: x.relu(), ["1"]),
        (lambda x, y: (-x).relu(), ["0"]),
        (lambda x, y: x.sigmoid(), ["z · sigmoid(−x)"]),
        (lambda x, y: 1.0 / x, ["−z / x"]),
        (lambda x, y: fused.dot([x, 3.0], [y, x]), ["y", "x", "3"]),
        (lambda x, y: fused.mean([x, y, 1.0]), ["1 / 3", "1 / 3"]),
        (lambda x, y: fused.logsumexp([x, y]), ["exp(x − z)", "exp(y − z)"]),
    ],
)
def test_formulas_are_what_one_would_write(make: Any, formulas: list[str]) -> None:
    x, y = Value(1.5, "x"), Value(0.5, "y")
    z = make(x, y)
    z.label = "z"
    assert [c.formula for c in explain(z).steps[1].contributions] == formulas


def test_plugin_ops_get_formulas_for_free() -> None:
    cube = elementwise("cube", lambda xp, x: x * x * x, (lambda xp, out, x: 3 * x * x,))
    (c,) = explain(cube(Value(2.0, "x"))).steps[1].contributions
    assert (c.formula, c.partial) == ("3 · x · x", 12.0)


@pytest.mark.parametrize(
    "rule",
    [
        lambda xp, out, x: math.cos(x),  # a float function: a symbol is no float
        lambda xp, out, x: {0.5: 1.0}[x],  # a symbol cannot be looked up
        lambda xp, out, x: xp.cos(x) if isinstance(x, float) else "no",
        lambda xp, out, x: sum((xp.cos(x + 0.001 * i) / 40 for i in range(40)), 0.0),  # too long
    ],
)
def test_a_partial_without_a_readable_formula_has_its_number(rule: Any) -> None:
    op = elementwise("strange", lambda xp, x: x, (rule,))
    told = explain(op(Value(0.5, "x")), names={})
    (c,) = told.steps[1].contributions
    assert c.formula == ""
    assert "∂v1/∂x = " in told.text


def test_a_formula_does_not_lie_about_data_that_was_set_since() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z: Any = ops.maximum(x, y)
    y.data = 2.0
    contributions = {c.name: c for c in explain(z).steps[1].contributions}
    assert contributions["x"].partial == 0.0
    assert contributions["x"].formula == "0.5 if x = y else 1 if v1 = x else 0"


# Large graphs ----------------------------------------------------------------------------------


def test_a_large_graph_is_folded_and_its_gradients_are_still_right() -> None:
    x = y = Value(1.0, "x")
    for _ in range(4_000):
        y = y * 0.5 + x
    told = explain(y, max_steps=5)
    assert [step.kind for step in told.steps] == ["start", *["op"] * 5, "folded", "end"]
    assert told.steps[6].folded == (("*", 3_998), ("+", 3_997))
    assert "7,995 more steps of the same kind: * ×3,998, + ×3,997." in told.text
    assert told.gradient(x) == 2.0


def test_many_leaves_are_not_all_listed() -> None:
    xs = [Value(1.0) for _ in range(100)]
    told = explain(fused.fsum(xs))
    assert len(told.steps[-1].gradients) + told.steps[-1].left_out == 100
    assert f"{told.steps[-1].left_out} more." in told.text


def test_a_leaf_alone() -> None:
    assert [step.kind for step in explain(Value(1.0, "x")).steps] == ["start", "end"]


# Forms -----------------------------------------------------------------------------------------


def test_markdown_is_a_list_in_which_nothing_is_markup() -> None:
    x = Value(2.0, "<b>x_1*</b>|")
    text = explain(x * x).markdown
    assert "<b>" not in text
    assert re.search(r"(?<!\\)[*|<]", text.replace("+=", "")) is None
    assert [line.split(".")[0] for line in text.splitlines() if line[0].isdigit()] == list("123")


def test_html_is_a_table_in_which_nothing_is_markup() -> None:
    x = Value(2.0, "<script>alert(1)</script>")
    table = ElementTree.fromstring(explain(x * x + 1.0)._repr_html_())
    rows = table.findall("./tbody/tr")
    assert [row[0].text or "" for row in rows] == ["1", "2", "3", "", "4"]
    assert table.findall(".//script") == []
    assert any("<script>" in (cell.text or "") for cell in table.iter("td"))


def _printed(explanation: Any) -> str:
    """What rich makes of it on a wide screen."""
    console = pytest.importorskip("rich.console", reason="rich is no dependency of smolml-value")
    screen = io.StringIO()
    console.Console(file=screen, width=150).print(explanation)
    return screen.getvalue()


@pytest.mark.parametrize("language", ["en", "es"])
def test_rich_prints_a_table(language: Any) -> None:
    graph = seeds()
    text = _printed(explain(graph["y"], names=graph, language=language))
    assert WORDS[language]["partial"] in text
    assert re.search(r"3 +d = a · b +1 +∂d/∂a = b = 3 +a\.grad \+= 3 · 1 = 3 +a\.grad = 3", text)
    assert text.rstrip().endswith("a.grad = 3, b.grad = 2, c.grad = 1.")


def test_rich_markup_in_a_label_does_nothing() -> None:
    assert "[red]x[/red]" in _printed(explain(Value(1.0, "[red]x[/red]") * 2.0))


def test_both_languages_say_the_same_things() -> None:
    for words in (WORDS, NOTES):
        assert words["en"].keys() == words["es"].keys()
        for name, text in words["en"].items():
            fields = re.findall(r"\{\w+\}", text)
            assert sorted(re.findall(r"\{\w+\}", words["es"][name])) == sorted(fields)


def test_a_result_that_depends_on_nothing() -> None:
    *_, last = explain(Value(2.0, "x")).text.splitlines()
    assert last == "2. Everything has its gradient: x.grad = 1."


def test_repr_and_step() -> None:
    told = explain(Value(1.0, "x") * 2.0, names={})
    assert repr(told) == "<Explanation of v1 in 3 steps; print() shows it>"
    assert all(isinstance(step, Step) for step in told.steps)


def test_wrong_arguments_are_refused() -> None:
    y = Value(1.0) * 2.0
    with pytest.raises(TypeError, match="explain: expected a Value or an MLArray, got a float"):
        explain(3.0)
    with pytest.raises(ValueError, match="max_steps must be a whole number from 0, got -1"):
        explain(y, max_steps=-1)
    with pytest.raises(ValueError, match="language must be 'en' or 'es', got 'de'"):
        explain(y, language="de")  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="this Value is not part of the graph"):
        explain(y).gradient(Value(1.0))


# Ops in notebooks ------------------------------------------------------------------------------


def test_an_op_shows_its_formulas() -> None:
    html = html_of(ops.tanh)
    cells = [cell.text for cell in ElementTree.fromstring(html).iter("td")]
    assert cells[2:] == ["∂out/∂x", "(1 / cosh(x))²"]
    for op in TABLE.values():
        ElementTree.fromstring(html_of(op))
    assert "alpha=0.01" in html_of(ops.leaky_relu)
    nasty = elementwise("nasty", lambda xp, x: x, (1.0,), doc="<script>1</script>")
    assert "<script" not in html_of(nasty)
    assert draw(nasty(Value(1.0))).svg
