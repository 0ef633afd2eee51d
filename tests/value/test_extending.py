"""smolml_value.extending: every name is there, somebody needs it, and it brings no guests along."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from smolml_value import extending
from smolml_value.extending.derivatives import NodeRules, of
from smolml_value.node import Node
from tests.children import printed

ROOT = Path(__file__).parents[2]
MODULES = [
    extending.__name__,
    *(f"{extending.__name__}.{m.name}" for m in pkgutil.iter_modules(extending.__path__)),
]
LIGHT = """
import sys, smolml_value.value
before = set(sys.modules)
import smolml_value, smolml_value.extending
print(*[m for m in set(sys.modules) - before if "_derivatives" in m or "_showing" in m])
"""


@pytest.mark.parametrize("name", MODULES)
def test_every_name_is_there_and_said_to_be(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__all__
    assert [n for n in module.__all__ if not hasattr(module, n) or n.startswith("_")] == []
    for folder in ("en", "es"):
        page = (ROOT / "docs" / folder / "reference" / "value.md").read_text("utf-8")
        assert f"::: {name}\n" in page


@pytest.mark.parametrize("name", MODULES)
def test_every_name_is_used_by_another_package_or_explained(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__
    explained = Path(module.__file__).read_text("utf-8")
    used = "\n".join(
        path.read_text("utf-8")
        for package in ("smolml-array", "smolml-utils", "smolml")
        for path in (ROOT / "packages" / package / "src").rglob("*.py")
    )
    idle = [n for n in module.__all__ if not re.search(rf"\b{n}\b", used)]
    assert [n for n in idle if f"`{n}`" not in explained] == []


def test_the_import_of_the_first_module_is_light() -> None:
    assert printed(LIGHT).strip() == ""


class Strange(Node):
    """A kind of node that says nothing of itself."""


def test_a_kind_of_node_that_says_nothing_is_refused_by_its_name() -> None:
    node, rules = Strange(), NodeRules()
    asked: list[Callable[[], object]] = [
        lambda: node._sends(1.0),
        lambda: node._add_to_grad(1.0),
        lambda: node._receive(1.0),
        lambda: rules.vjp(node, 1.0, [True]),
        lambda: rules.jvp(node, [1.0], True),
        lambda: rules.values(node),
        lambda: rules.lift(node, 1.0),
    ]
    for ask in asked:
        with pytest.raises(TypeError, match=r"^Strange: this kind of node "):
            ask()


def test_what_is_no_operand_is_refused() -> None:
    x = "text"
    rules = of(x)
    asked: list[Callable[[], object]] = [
        lambda: rules.node_of(x),
        lambda: rules.alias(x),
        lambda: rules.new_leaf(x),
        lambda: rules.plain(x, x),
        lambda: rules.full_like(x, 1.0),
        lambda: rules.make_output(x, Strange(), 0, "op"),
        lambda: rules.from_floats(x, [1.0]),
    ]
    for ask in asked:
        with pytest.raises(TypeError, match="expected a float, Value or MLArray, got a str"):
            ask()
