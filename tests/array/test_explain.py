"""explain on arrays: numbers equal to `.grad`, what is said of each operation, mixed graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from smolml_array import MLArray, concat, stack
from smolml_array.extending import Rule, apply_rule
from smolml_value import Value, elementwise, explain
from smolml_value.transforms import checkpoint, custom_vjp, grad
from tests.array.helpers import filled
from tests.array.programs import Arrays, Step, run, steps
from tests.array.test_random_graphs import leaves, tame


def _same(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=1e-12, atol=1e-300)


@settings(max_examples=60)
@given(program=steps, given_leaves=leaves)
def test_numbers_equal_grad(backend: str, program: list[Step], given_leaves: Any) -> None:
    made, loss = run(Arrays(), program, given_leaves)
    if not all(tame(np.asarray(x)) for x in made):
        return
    before = [np.asarray(x.grad()) for x in made]
    told = explain(loss, max_steps=1000)
    short = explain(loss, max_steps=1)
    for x, g in zip(made, before, strict=True):
        np.testing.assert_array_equal(np.asarray(x.grad()), g)
    loss.backward()
    for x in made[: len(given_leaves)]:
        try:
            found = told.gradient(x)
        except KeyError:
            assert not np.any(np.asarray(x.grad()))
            continue
        _same(found, x.grad())
        _same(short.gradient(x), x.grad())
    for step in told.steps:
        for c in step.contributions:
            assert np.shape(np.asarray(c.contribution)) == np.shape(np.asarray(c.gradient))


def test_elements_and_arrays_of_values(backend: str) -> None:
    x, s = MLArray([[1.0, 2.0], [3.0, 4.0]], label="x"), Value(0.5, "s")
    q = x.data[0][1] * s + x.T.data[1][1]
    r = (MLArray([q, s, 2.0]) * x[0, 0]).sum() * q
    told = explain(r, names={"q": q, "r": r})
    r.backward()
    _same(told.gradient(x), x.grad())
    assert (told.gradient(s), told.gradient(q)) == (s.grad, q.grad)
    assert "x[0, 1]" in [step.expression for step in told.steps]
    assert "v2.grad = [[0, 6.25], [0, 0]] (at [0, 1])" in told.text


def test_functions_with_a_rule_of_their_own(backend: str) -> None:
    @custom_vjp
    def clipped(a: Any) -> Any:
        return a

    clipped.defvjp(lambda a: (a, None), lambda _, g: (g.clip(-1.0, 1.0),))
    for f in (clipped, checkpoint(lambda a: a * a.tanh()), grad(lambda a: (a**3).sum())):
        x = MLArray([1.0, 2.0], label="x")
        y = (f(x) * 5.0 + x).sum()
        found = explain(y).gradient(x)
        y.backward()
        _same(found, x.grad())


def told(make: Any, *shapes: Any) -> list[str]:
    """The texts of the contributions of one operation on arrays a, b, ..."""
    xs = [filled(shape, i, label="abc"[i]) for i, shape in enumerate(shapes)]
    y = make(*xs)
    y.label = "y"
    step = explain(y).steps[1]
    return [
        f"{step.expression}: {c.formula} {c.note} {c.details}".rstrip() for c in step.contributions
    ]


@pytest.mark.parametrize(
    ("make", "shapes", "texts"),
    [
        (lambda a, b: a @ b, [(2, 3), (3, 4)], ["a @ b: y.grad @ bᵀ", "a @ b: aᵀ @ y.grad"]),
        (lambda a: a.sum(), [(2, 3)], ["sum(a): y.grad each"]),
        (lambda a: a.sum(axis=1), [(2, 3)], ["sum(a, axis=1): y.grad each"]),
        (lambda a: a.mean(), [(2, 3)], ["mean(a): y.grad / 6 each"]),
        (lambda a: a.mean(axis=0), [(2, 3)], ["mean(a, axis=0): y.grad / 2 each"]),
        (lambda a: a.max(), [(3,)], ["max(a): y.grad first_max"]),
        (lambda a: a.var(), [(4,)], ["var(a): y.grad · 2 (a − mean(a)) / 4"]),
        (lambda a: a.T, [(2, 3)], ["aᵀ: y.grad back"]),
        (lambda a: a.reshape(3, 2), [(2, 3)], ["reshape(a, (3, 2)): y.grad back"]),
        (lambda a: a[1:, 0], [(2, 3)], ["a[1:, 0]: y.grad at [1:, 0]"]),
        (lambda a, b: a * b, [(2, 3), (3,)], ["a · b: b", "a · b: a summed (3,)"]),
        (lambda a, b: a - b, [(3,), (3,)], ["a − b: 1", "a − b: −1"]),
        (lambda a: a.tanh(), [(3,)], ["tanh(a): (1 / cosh(a))²"]),
        (lambda a: a**2, [(3,)], ["a ** 2: 2 · a"]),
        (lambda a: a.relu(), [(3,)], ["ReLU(a): 1 if y > 0 else 0"]),
        (lambda a: a.cumulative_sum(), [(3,)], ["cumulative_sum(a, axis=0): (∂y/∂a)ᵀ · y.grad"]),
        (
            lambda a, b: concat([a, b]),
            [(2,), (1,)],
            ["concat(a, b, axis=0): y.grad part", "concat(a, b, axis=0): y.grad part"],
        ),
        (lambda a, b: stack([a, b]), [(2,), (2,)], ["stack(a, b, axis=0): y.grad part"] * 2),
    ],
)
def test_what_is_said_of_an_operation(
    backend: str, make: Any, shapes: Any, texts: list[str]
) -> None:
    assert told(make, *shapes) == texts


def test_the_text_for_a_layer(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], requires_grad=False)
    w, b = MLArray([[0.5], [-0.5]], label="w"), MLArray([1.0], label="b")
    loss = ((x @ w + b) ** 2).mean()
    loss.label = "loss"
    assert explain(loss, names={"x": x}).text == (
        "1. Start at the end: loss.grad = 1.\n"
        "2. loss = mean(v3) has loss.grad = 1 and passes it back:\n"
        "   - v3.grad += loss.grad / 2 = [[0.5], [0.5]] (to each element); "
        "now v3.grad = [[0.5], [0.5]]\n"
        "3. v3 = v2 ** 2 has v3.grad = [[0.5], [0.5]] and passes it back:\n"
        "   - ∂v3/∂v2 = 2 · v2 = [[1], [1]], so v2.grad += (2 · v2) · v3.grad = [[0.5], [0.5]]; "
        "now v2.grad = [[0.5], [0.5]]\n"
        "4. v2 = v1 + b has v2.grad = [[0.5], [0.5]] and passes it back:\n"
        "   - ∂v2/∂v1 = 1, so v1.grad += 1 · v2.grad = [[0.5], [0.5]]; "
        "now v1.grad = [[0.5], [0.5]]\n"
        "   - ∂v2/∂b = 1, so b.grad += 1 · v2.grad = [1] (summed up to the shape (1,)); "
        "now b.grad = [1]\n"
        "5. v1 = x @ w has v1.grad = [[0.5], [0.5]] and passes it back:\n"
        "   - w.grad += xᵀ @ v1.grad = [[2], [3]]; now w.grad = [[2], [3]]\n"
        "6. Everything has its gradient: w.grad = [[2], [3]], b.grad = [1]."
    )


def test_an_op_with_a_vjp_of_its_own(backend: str) -> None:
    op = elementwise(
        "half_product",
        lambda xp, x, y: 0.5 * x * y,
        vjp=lambda xp, g, out, x, y: (0.5 * g * y, 0.5 * g * x),
    )
    x, y = MLArray([3.0, 1.0], label="x"), MLArray([4.0, 2.0], label="y")
    explained = explain(op(x, y))
    _same(explained.gradient(x), [2.0, 1.0])
    assert "x.grad += ∂v1/∂x · v1.grad = [2, 1]" in explained.text


def test_float32_stays_float32() -> None:
    x = MLArray(np.ones(3, dtype=np.float32), backend="numpy")
    assert explain((x * x).sum()).gradient(x).dtype.name == "float32"


def test_what_backward_would_add(backend: str) -> None:
    x = MLArray([1.0, 2.0], label="x")
    y = (x * x).sum()
    y.backward()
    assert "another one would add it again: x.grad [2, 4] → [4, 8]." in explain(y).text
    _same(x.grad(), [2.0, 4.0])


def test_spanish_says_all_of_it_in_spanish(backend: str) -> None:
    x = MLArray([[1.0, 2.0]], label="x")
    text = explain(x.max() + x.mean(), language="es").text
    assert "(al primer elemento más grande)" in text
    assert "(a cada elemento)" in text
    assert " the " not in text


def test_a_rule_says_what_becomes_of_the_cotangent(backend: str) -> None:
    def said(formula: str | tuple[str, ...]) -> list[tuple[str, str, str]]:
        rule = Rule(
            "weighted",
            lambda xp, x, w: x * xp.sum(w),
            lambda xp, g, out, x, w: g * xp.sum(w),
            lambda xp, g, out, x, w: xp.broadcast_to(xp.sum(g * x), w.shape),
            formula=formula,
        )
        out = apply_rule(rule, x, w)
        out.label = "out"
        told = explain(out).steps[1].contributions
        _same(told[1].contribution, [[3.0, 3.0]])
        return [(c.formula, c.note, c.details) for c in told]

    x, w = MLArray([1.0, 2.0], label="{x}; y"), MLArray([[3.0, 4.0]], label="w")
    assert said(("{g} · sum({y})", "sum({g} · {x}); each")) == [
        ("out.grad · sum(w)", "", ""),
        ("sum(out.grad · {x}; y)", "each", ""),
    ]
    assert said("{g}; summed {shape}") == [("out.grad", "summed", "(2,)")] * 2
    assert said("") == [("(∂out/∂{x}; y)ᵀ · out.grad", "", ""), ("(∂out/∂w)ᵀ · out.grad", "", "")]
