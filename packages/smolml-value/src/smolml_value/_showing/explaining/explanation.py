"""explain: the backward pass of any graph, as the lessons tell it for y = a * b + c."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from smolml_value._derivatives.rules import node_of
from smolml_value._showing import protocol
from smolml_value._showing.explaining import renderers
from smolml_value._showing.explaining.steps import Step, Walk
from smolml_value._showing.explaining.translations import Language
from smolml_value._showing.unfolding import unfolded
from smolml_value.node import OperandBase

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType


class Explanation:
    """A backward pass told step by step.

    A notebook and `rich` show it as a table, `print` as text.

    Attributes:
        steps: the steps, in order; see `Step`.
        language: "en" or "es".
    """

    def __init__(self, walk: Walk, language: Language, copies: Mapping[Any, Any]) -> None:
        self._walk = walk
        self._copies = copies  # of elements, where it is told of them
        self.steps: tuple[Step, ...] = tuple(walk.steps)
        self.language: Language = language

    @property
    def text(self) -> str:
        """Plain text, one numbered paragraph per step."""
        return renderers.text(self.steps, self.language)

    @property
    def markdown(self) -> str:
        """A numbered list in Markdown."""
        return renderers.markdown(self.steps, self.language)

    @property
    def html(self) -> str:
        """A table in HTML."""
        return renderers.html(self.steps, self.language)

    def gradient(self, x: Any) -> Any:
        """d(root)/dx as the steps found it: what backward() adds to x if x is a leaf.

        A float for a Value, a constant array for an array.

        Raises:
            KeyError: x is not in the graph.

        >>> a = Value(3.0)
        >>> explain(a * a).gradient(a)
        6.0
        """
        node = self._copies.get(x) or node_of(x)
        if node not in self._walk.name:
            raise KeyError(f"explain: this {type(x).__name__} is not part of the graph")
        return self._walk.gradient(node)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Explanation of {self.steps[0].name} in {len(self.steps)} steps; print() shows it>"

    def _repr_html_(self) -> str:
        return self.html

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        from smolml_value._showing.explaining.table import table  # only rich calls this

        yield table(self.steps, self.language)


def explain(
    root: Any,
    *,
    max_steps: int = 20,
    names: Mapping[str, Any] | None = None,
    language: Language = "en",
    elements: bool = False,
) -> Explanation:
    """The backward pass from a Value or an array, in numbered steps.

    Step 1 gives the root a gradient of 1. Then each result, in the order of `backward`, passes
    its gradient back: to each operand, times the local partial derivative. The last step lists
    the gradients of the leaves, which are what `backward` adds; the gradients that nodes hold
    are left as they are. Of a large graph `max_steps` operations are told and the others counted.

    Args:
        root: a Value or an MLArray.
        max_steps: how many operations are told one by one.
        names: names for nodes without a label; names=locals() takes those of your variables.
            All others are called v1, v2, ... in the order in which they were made.
        language: "en" or "es".
        elements: tell it of the Values that arrays consist of, number by number; root has one.

    Raises:
        TypeError: root is no Value or array.
        GraphError: with elements, root is an array of more than one.
        ValueError: max_steps is no whole number from 0, or an unknown language.

    Source: the naming of intermediate results follows Griewank & Walther, Evaluating Derivatives
    (2008), chapter 2.

    >>> a, b, c = Value(2.0), Value(3.0), Value(4.0)
    >>> d = a * b
    >>> y = d + c
    >>> print(explain(y, names=dict(a=a, b=b, c=c, d=d, y=y)))
    1. Start at the end: y.grad = 1.
    2. y = d + c has y.grad = 1 and passes it back:
       - ∂y/∂d = 1, so d.grad += 1 · 1 = 1; now d.grad = 1
       - ∂y/∂c = 1, so c.grad += 1 · 1 = 1; now c.grad = 1
    3. d = a · b has d.grad = 1 and passes it back:
       - ∂d/∂a = b = 3, so a.grad += 3 · 1 = 3; now a.grad = 3
       - ∂d/∂b = a = 2, so b.grad += 2 · 1 = 2; now b.grad = 2
    4. Everything has its gradient: a.grad = 3, b.grad = 2, c.grad = 1.
    """
    if not isinstance(root, OperandBase):
        raise TypeError(f"explain: expected a Value or an MLArray, got a {type(root).__name__}")
    if not isinstance(max_steps, int) or max_steps < 0:
        raise ValueError(f"explain: max_steps must be a whole number from 0, got {max_steps!r}")
    if language not in get_args(Language):
        raise ValueError(f"explain: language must be 'en' or 'es', got {language!r}")
    known = protocol.named(names)
    copies = unfolded("explain", root, known) if elements else {}
    start = [*copies.values()][-1] if elements else node_of(root)
    return Explanation(Walk(start, max_steps, known), language, copies)
