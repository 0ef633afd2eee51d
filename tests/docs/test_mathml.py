"""Formulas as they are written mean the same when they are set as MathML."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.mathml import BLOCK, INLINE, FormulaError, mathml

ROOT = Path(__file__).parents[2]

NAMES = {"x": 1.75, "y": -0.5, "n": 3.0, "b_1": 0.875}


def value(node: ElementTree.Element) -> float:
    """The number that MathML stands for, read as a person does: by its structure alone."""
    if node.tag == "mn":
        return float(node.text or "")
    if node.tag == "mi":
        return NAMES[str(node.text)]
    children = list(node)
    if node.tag == "mfrac":
        return value(children[0]) / value(children[1])
    if node.tag == "msub":
        return _lowered(children)
    if node.tag in ("msup", "msubsup"):
        base = value(children[0]) if node.tag == "msup" else _lowered(children)
        return float(base ** value(children[-1]))
    if node.tag == "msqrt":
        return math.sqrt(_of_row(children))
    return _of_row(children)


def _lowered(children: list[ElementTree.Element]) -> float:
    return NAMES["_".join("".join(child.itertext()) for child in children[:2])]


def _of_row(children: list[ElementTree.Element]) -> float:
    signs = [child.text if child.tag == "mo" else None for child in children]
    if signs[:1] in (["("], ["|"]):  # a row of its own
        inner = _of_row(children[1:-1])
        return abs(inner) if signs[0] == "|" else inner
    total, sign, product = 0.0, 1.0, None
    for child, operator in zip(children, signs, strict=True):
        if operator in ("+", "−"):
            if product is None:
                sign = -sign if operator == "−" else sign
            elif child.get("form") == "prefix":  # a · −b
                product = -product
            else:
                total, product = total + sign * product, None
                sign = -1.0 if operator == "−" else 1.0
        elif operator is None and child.tag != "mspace":
            product = value(child) * (1.0 if product is None else product)
    assert product is not None
    return total + sign * product


def shown(formula: str) -> ElementTree.Element:
    return ElementTree.fromstring(mathml(formula))


def _pairs(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from([" + ", " - ", " * ", " / ", "/", " * -"])
    return st.one_of(
        st.builds("{}{}{}".format, inner, signs, inner),
        inner.map("({})".format),
        inner.map("|{}|".format).filter(lambda text: text.count("|") == 2),
        st.builds("{}**{}".format, st.sampled_from(list("xn2")), st.sampled_from("2n3")),
        inner.map("sqrt(2 + ({})**2)".format),
        inner.map("({})**-2".format),
    )


FORMULAS = st.recursive(
    st.sampled_from(["x", "y", "n", "b1", "2", "0.5", "1e-3"]), _pairs, max_leaves=6
)


@given(FORMULAS)
def test_what_is_set_has_the_value_of_the_same_formula_in_python(formula: str) -> None:
    python = re.sub(r"\|([^|]*)\|", r"abs(\1)", formula)
    names = NAMES | {"b1": NAMES["b_1"], "sqrt": math.sqrt, "abs": abs}
    try:
        wanted = eval(python, {}, names)
    except (ZeroDivisionError, OverflowError):
        return
    if isinstance(wanted, float) and math.isfinite(wanted):
        assert value(shown(formula)) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("1/n · x", "(1 / n) * x"),
        ("2/n · (x − y)", "(2 / n) * (x - y)"),
        ("x y / n x", "(x * y) / (n * x)"),  # what stands side by side binds more closely
        ("2x / 3n", "(2 * x) / (3 * n)"),
        ("x / y / n", "(x / y) / n"),
        ("x · y / n", "(x * y) / n"),
        ("|x - n| y", "abs(x - n) * y"),
        ("√n x", "n**0.5 * x"),
        ("√(2 n)", "(2 * n)**0.5"),
        ("x² y", "x**2 * y"),
        ("b₁ⁿ", "b_1**n"),
        ("-x**2", "-(x**2)"),
    ],
)
def test_what_python_does_not_know(formula: str, same: str) -> None:
    assert value(shown(formula)) == pytest.approx(eval(same, {"abs": abs}, NAMES), rel=1e-12)


@pytest.mark.parametrize(
    ("formula", "inside"),
    [
        ("xᵀ @ g", "<msup><mrow><mi>x</mi></mrow><mrow><mi>T</mi></mrow></msup>"),
        ("m <- g", "<mi>m</mi><mo>←</mo><mi>g</mi>"),
        ("a <= b", "<mo>≤</mo>"),
        ("y_pred - p_c", "<msub><mi>p</mi><mi>c</mi></msub>"),
        ("learning_rate g", '<mi>learning_rate</mi><mspace width="0.17em"/><mi>g</mi>'),
        ("f(x)", "<mi>f</mi><mrow>"),
        ("x for x > 0, else alpha x", "<mo>,</mo><mtext>&#160;else&#160;</mtext><mi>α</mi>"),
        ("x_1 + ... + x_n", "<mo>…</mo>"),
        ("Σⱼ xⱼ", "<msub><mrow><mo>Σ</mo></mrow><mrow><mi>j</mi></mrow></msub>"),
        ("f′(x)", "<msup><mrow><mi>f</mi></mrow><mrow><mo>′</mo></mrow></msup>"),
        ("xᵢ²", "<msubsup>"),
        ("[-1, 1)", '<mo form="postfix" stretchy="false">)</mo>'),
        ("(1 / n)", '<mo form="prefix" stretchy="true">(</mo>'),
    ],
)
def test_signs_are_those_of_mathematics(formula: str, inside: str) -> None:
    assert inside in mathml(formula)


def test_the_element_says_how_it_is_shown_and_what_was_written() -> None:
    assert mathml("a < b").startswith('<math alttext="a &lt; b">')
    assert mathml("a", block=True).startswith('<math display="block" alttext="a">')


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("", "expected a number, a name or a bracket, got the end"),
        ("(1 + x", "expected the bracket that closes '(', got the end"),
        ("|x", "expected the | that closes another one, got the end"),
        ("x ]", "expected an operator or the end, got ']' at column 3"),
        ("x + * y", "expected a number, a name or a bracket, got '*' at column 5"),
        (r"\frac{1}{n}", r"expected a number, a name or a bracket, got '\\' at column 1"),
        ("a_{n}", "expected an operator or the end, got '_' at column 2"),
        ("x % y", "expected an operator or the end, got '%' at column 3"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=re.escape(f"formula {formula!r}: {message}")):
        mathml(formula)


def _formulas(markdown: str) -> list[str]:
    """The formulas of a page or of a docstring."""
    text = re.sub(r"^( *)(```+).*?^\1\2[ \t]*$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.findall(f"^{BLOCK}", text, re.MULTILINE) + re.findall(INLINE, text)


PAGES = sorted(
    path for language in ("en", "es") for path in (ROOT / "docs" / language).rglob("*.md")
)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT / "docs")))
def test_every_formula_of_a_page_can_be_set(path: Path) -> None:
    for formula in _formulas(path.read_text("utf-8")):
        assert mathml(formula).startswith("<math")


def test_the_guides_have_the_same_formulas_in_both_languages() -> None:
    english, spanish = (
        {path.name: len(_formulas(path.read_text("utf-8"))) for path in PAGES if path.parent == one}
        for one in (ROOT / "docs" / "en", ROOT / "docs" / "es")
    )
    assert english == spanish
    told = ("losses.md", "optimizers.md", "autodiff.md", "arrays.md", "depth.md", "attention.md")
    assert [page for page in told if english[page] == 0] == []


def test_every_formula_of_a_docstring_can_be_set() -> None:
    found = 0
    for path in sorted(ROOT.glob("packages/*/src/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                for formula in _formulas(ast.get_docstring(node) or ""):
                    assert mathml(formula).startswith("<math"), path
                    found += 1
    assert found > 80
