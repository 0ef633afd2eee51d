"""examples/lesson: short, alone, in agreement with the real engine, and what the guide builds."""

from __future__ import annotations

import ast
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from examples.lesson import array as lesson_array
from examples.lesson import value as lesson_value
from smolml import Generator, MLArray, Value
from tests.array.seed_blocks import ENGLISH, SPANISH
from tests.docs.markdown import blocks
from tests.value import test_seeds as seeds

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "examples" / "lesson"
MOST_LINES = {"value.py": 150, "array.py": 300}
EXACT = 1e-12


def assert_close(got: Any, expected: Any, scale: float = 1.0) -> None:
    assert got == pytest.approx(expected, rel=EXACT, abs=EXACT * scale)


# Short and alone -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "most"), MOST_LINES.items())
def test_it_is_as_short_as_promised(name: str, most: int) -> None:
    assert len((LESSON / name).read_text("utf-8").splitlines()) <= most


@pytest.mark.parametrize("name", MOST_LINES)
def test_it_needs_nothing_but_python(name: str) -> None:
    nodes = list(ast.walk(ast.parse((LESSON / name).read_text("utf-8"))))
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    found |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    assert {name.partition(".")[0] for name in found} <= sys.stdlib_module_names
    near = {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.level}
    assert near <= {"value"}


# The examples of the documents that SmolML comes from --------------------------------------------

OURS: dict[str, Any] = {"Value": lesson_value.Value, "MLArray": lesson_array.MLArray}
REAL: dict[str, Any] = {"Value": Value, "MLArray": MLArray}


@pytest.mark.parametrize("block", [*ENGLISH, *SPANISH])
def test_the_examples_of_the_seeds(block: str) -> None:
    ours, real = dict(OURS), dict(REAL)
    for names in (ours, real):
        exec(block, names)
        if "y" in names:
            names["y"].backward()
    made = {name for name, x in ours.items() if isinstance(x, tuple(OURS.values()))}
    assert made == {name for name, x in real.items() if isinstance(x, tuple(REAL.values()))}
    assert made
    for name in made:
        x, y = ours[name], real[name]
        if isinstance(y, Value):
            assert_close((x.data, x.grad), (y.data, y.grad))
            assert (x._op, len(x._prev)) == (y._op, len(y._prev))
        else:
            assert x.shape == y.shape
            assert_nested(x.to_list(), y.to_list())
            assert_nested(x.grad().to_list(), y.grad().to_list())


def assert_nested(got: Any, expected: Any, scale: float = 1.0) -> None:
    if isinstance(expected, list):
        assert len(got) == len(expected)
        for item, other in zip(got, expected, strict=True):
            assert_nested(item, other, scale)
    else:
        assert_close(got, expected, scale)


PROMISED: tuple[Callable[..., None], ...] = (
    seeds.test_backward_gives_the_numbers_of_the_lessons,
    seeds.test_the_walk_by_hand_step_by_step,
    seeds.test_one_step_adds_to_what_is_there,
    seeds.test_gradients_tell_how_sensitive_the_output_is,
    seeds.test_the_step_of_a_leaf_does_nothing,
    seeds.test_gradient_descent_lowers_a_loss,
)


@pytest.mark.parametrize("promise", PROMISED, ids=lambda test: test.__name__)
def test_what_the_seeds_promise_of_value(
    promise: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "Value", lesson_value.Value)
    a, b, c = map(lesson_value.Value, (2.0, 3.0, 4.0))
    d = a * b
    promise(*[(a, b, c, d, d + c)] * promise.__code__.co_argcount)


def test_a_trail_is_left() -> None:
    a, b = lesson_value.Value(2.0), lesson_value.Value(3.0)
    assert (a._op, a._prev) == ("", set())
    assert ((a * b)._op, (a * b)._prev) == ("*", {a, b})
    assert ((a + b)._op, a.tanh()._op, (a**2)._op) == ("+", "tanh", "**")


# Random programs ---------------------------------------------------------------------------------

Step = Callable[[Any, Any], Any]
STEPS: tuple[Step, ...] = (
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / (1.5 + abs(y)),
    lambda x, y: (abs(x) + 0.5) ** (y * 0.25),
    lambda x, y: 1.25 ** (x * 0.25) + 2.0 * y,
    lambda x, y: 3.0 - x + -y,
    lambda x, y: 1.0 / (x * x + 1.0) - 0.5,
    lambda x, y: x**3 + y**2 + x**0 * 0.5,
    lambda x, y: (x * 0.25).exp(),
    lambda x, y: (abs(x) + 0.1).log(),
    lambda x, y: x.tanh(),
    lambda x, y: x.relu(),
    lambda x, y: x.sigmoid(),
    lambda x, y: (x * x + 0.5).sqrt(),
    lambda x, y: x if x > y else y * 0.5,
    lambda x, y: y if x < 0.25 else x,
)
numbers = st.floats(-2.0, 2.0, allow_subnormal=False)
places = st.integers(0, 10**6)


@given(
    st.lists(numbers, min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from(range(len(STEPS))), places, places), max_size=20),
    st.integers(1, 2),
)
def test_random_programs_of_values(
    leaves: list[float], steps: list[tuple[int, int, int]], passes: int
) -> None:
    def run(kind: Any) -> tuple[list[Any], Any]:
        values = [kind(x) for x in leaves]
        made = list(values)
        for which, i, j in steps:
            made.append(STEPS[which](made[i % len(made)], made[j % len(made)]))
        root = made[-1]  # a leaf where there are no steps
        for _ in range(passes):
            root.backward()
        return made, root

    try:
        ours, root = run(lesson_value.Value)
    except OverflowError:
        assume(False)
    real, expected = run(Value)
    scale = max(abs(x) for v in ours for x in (v.data, v.grad, 1.0))
    assume(scale < 1e6)
    assert_close(root.data, expected.data, scale)
    for v, w in zip(ours, real, strict=True):
        assert_close(v.data, w.data, scale)
        assert_close(v.grad, w.grad, scale)


ARRAY_STEPS: tuple[Callable[[Any], Any], ...] = (
    lambda x: x + [0.5, -0.25, 1.0] if x.shape[-1] == 3 else x * 0.5,
    lambda x: x * x.T if len(set(x.shape)) == 1 else x - x.sum(axis=0, keepdims=True) * 0.5,
    lambda x: 2.0 - x,
    lambda x: 1.0 / (x * x + 1.0),
    lambda x: x / (1.0 + x * x),
    lambda x: (x * 0.25).exp() + 0.5 * x,
    lambda x: (x * x + 0.5).log(),
    lambda x: (x * x + 0.5).sqrt() - x**2,
    lambda x: ([1.5] * x.shape[-1]) - x.sigmoid(),
    lambda x: x.tanh(),
    lambda x: x.relu(),
    lambda x: -x.transpose(),
    lambda x: x.reshape(-1, x.shape[0]),
    lambda x: x - x.mean(axis=-1, keepdims=True),
    lambda x: x + x.max(axis=0) * 0.5,
    lambda x: x - x.min(axis=-1, keepdims=True),
    lambda x: x * x.mean() + x[0] * x.max(),
    lambda x: (x @ x.T) * 0.25,
    lambda x: x + (x @ x[0]).reshape(x.shape[0], 1) * 0.1,
    lambda x: x + x.flatten().sum(0) * 0.1 + x.min(),
    lambda x: (x[:1] + x).T,
)


@given(
    st.sampled_from([(1, 1), (1, 3), (2, 3), (3, 3), (4, 2)]),
    st.integers(0, 1000),
    st.lists(st.sampled_from(range(len(ARRAY_STEPS))), max_size=6),
)
def test_random_programs_of_arrays(shape: tuple[int, int], seed: int, steps: list[int]) -> None:
    rng = random.Random(seed)
    rows = [[rng.uniform(-1.0, 1.0) for _ in range(shape[1])] for _ in range(shape[0])]

    def run(kind: Any) -> list[Any]:
        made = [kind(rows)]
        for step in steps:
            made.append(ARRAY_STEPS[step](made[-1]))
        made[-1].backward()
        return made

    ours = run(lesson_array.MLArray)
    real = run(MLArray)
    floats = [v for x in ours for v in lesson_array.flat(x.data)]
    scale = max(abs(x) for v in floats for x in (v.data, v.grad, 1.0))
    assume(scale < 1e6)
    for x, y in zip(ours, real, strict=True):
        assert x.shape == y.shape
        assert_nested(x.to_list(), y.to_list(), scale)
        assert_nested(x.grad().to_list(), y.grad().to_list(), scale)


def test_arrays_of_other_dimensions() -> None:
    pile = [[[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], [[2.0, 2.5, -3.0], [1.5, 0.0, 1.0]]]

    def run(kind: Any) -> list[Any]:
        x, row, one = kind(pile), kind([1.0, 2.0, -1.0]), kind(0.5)
        y = x.transpose(2, 0, 1) * kind([[2.0], [3.0]]) + one
        z = (x * row).std(axis=1).sum() + y.max(axis=0).std() + row @ row + (x[1] @ row).mean()
        z.backward()
        return [x, row, one, y, z]

    for x, y in zip(run(lesson_array.MLArray), run(MLArray), strict=True):
        assert x.shape == y.shape
        assert x.size() == y.size()
        assert x.ndim == y.ndim
        assert_nested(x.to_list(), y.to_list())
        assert_nested(x.grad().to_list(), y.grad().to_list())


def test_a_network_learns_the_same() -> None:
    rng = Generator(3)
    shapes = [(2, 4), (4,), (4, 1), (1,)]
    start = [rng.randn(*shape).to_list() for shape in shapes]
    inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    targets = [[0.0], [1.0], [1.0], [0.0]]

    def loss_of(kind: Any, parameters: list[Any]) -> Any:
        w1, b1, w2, b2 = parameters
        out = ((kind(inputs) @ w1 + b1).tanh() @ w2 + b2).sigmoid()
        return ((out - kind(targets)) ** 2).mean()

    losses: dict[Any, list[float]] = {}
    for kind in (lesson_array.MLArray, MLArray):
        numbers = start
        losses[kind] = []
        for _ in range(60):
            parameters = [kind(x) for x in numbers]
            loss = loss_of(kind, parameters)
            loss.backward()
            losses[kind].append(loss.item())
            numbers = [(p - p.grad() * 0.8).to_list() for p in parameters]
    ours, real = losses.values()
    assert_nested(ours, real)
    assert ours[-1] < 0.5 * ours[0]


def test_the_elements_are_shared() -> None:
    x = lesson_array.MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert x.T.data[2][0] is x.data[0][2]
    assert x.reshape(3, 2).data[1][0] is x.data[0][2]
    assert x[1].data[0] is x.data[1][0]
    x.sum().backward()
    x.zero_grad()
    assert x.grad().to_list() == [[0.0] * 3] * 2
    assert lesson_array.zeros(2, 1).to_list() == [[0.0], [0.0]]
    assert lesson_array.ones(2).to_list() == [1.0, 1.0]
    random.seed(0)
    draws = lesson_array.flat(lesson_array.randn(30, 30).data)
    assert abs(sum(v.data for v in draws)) / 900 < 0.1
    assert abs(sum(v.data**2 for v in draws)) / 900 == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda x: lesson_array.MLArray([[1.0, 2.0], [3.0]]), "not all of the same length"),
        (lambda x: x + [1.0, 2.0, 3.0], r"shapes \(2, 2\) and \(3,\) do not broadcast"),
        (lambda x: x @ [1.0, 2.0, 3.0], r"@: shapes \(2, 2\) and \(3,\) do not fit"),
        (lambda x: x.reshape(3, 2), r"4 elements do not fill the shape \(3, 2\)"),
        (lambda x: x.sum(axis=2), r"axis 2 of an array of shape \(2, 2\)"),
    ],
)
def test_what_does_not_fit_is_said(wrong: Callable[[Any], Any], message: str) -> None:
    with pytest.raises((ValueError, IndexError), match=message):
        wrong(lesson_array.MLArray([[1.0, 2.0], [3.0, 4.0]]))


# The guide ---------------------------------------------------------------------------------------


def functions(text: str) -> dict[str, str]:
    """Every function and method of a program, by name; of several the last."""
    found = {}
    for node in ast.parse(text).body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, ast.FunctionDef):
                owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                lines = text.splitlines()[member.lineno - 1 : member.end_lineno]
                found[owner + member.name] = dedent("\n".join(lines))
    return found


def steps(language: str) -> str:
    page = (ROOT / "docs" / language / "build.md").read_text("utf-8")
    return "\n".join(block.text for block in blocks(page) if block.language == "python")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_guide_builds_the_files(language: str) -> None:
    files = "\n".join((LESSON / name).read_text("utf-8") for name in MOST_LINES)
    built, whole = functions(steps(language)), functions(files)
    assert [name for name in whole if name not in built] == []
    assert {n: built[n] for n in whole} == whole


def test_a_step_that_differs_is_noticed() -> None:
    one = "class A:\n    def f(self):\n        return 1\n\n\ndef g():\n    return 2\n"
    assert functions(one) == {"A.f": functions(one)["A.f"], "g": "def g():\n    return 2"}
    assert functions(one) != functions(one.replace("1", "3"))
    assert functions(one) != functions(one.replace("2", "3"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_guide_ends_with_the_files(language: str) -> None:
    page = (ROOT / "docs" / language / "build.md").read_text("utf-8")
    assert re.findall(r'--8<-- "examples/lesson/(\w+\.py)"', page) == list(MOST_LINES)
