"""Windows: how an array shows the elements of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import Rule
from smolml_array._graph.walking import numbered
from smolml_array.backends.signatures import Raw

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


class Behind(NamedTuple):
    """What all windows onto an array have in common.

    Attributes:
        nodes: its node: who else holds it is what `alone` asks.
        stand_ins: its shape and dtype without its numbers, for rules that read no more.
    """

    nodes: list[ArrayNode]
    stand_ins: list[Raw]

    @classmethod
    def of(cls, node: ArrayNode) -> Behind:
        """That of a node; a constant has no rule that would read anything."""
        plain = node.backend.silence.plain
        return cls([node], [plain.placeholder(node.raw)] if node.tracked else [])


class ViewOf(NamedTuple):
    """How a window came from the array that it looks into.

    Attributes:
        root: that array, which is no window itself.
        behind: its node when the window was made, in a list that all windows onto it share. If
            the root has moved on, make it anew.
        version: which of the numbers that this node has had; if there are others, too.
        rule: the rule that made the window, of the root or of the window before.
        params: its parameters.
        before: the window that this one looks through.
    """

    root: Any
    behind: list[ArrayNode]
    version: int
    rule: Rule
    params: Mapping[str, Any]
    before: ViewOf | None

    def steps(self) -> list[tuple[Rule, Mapping[str, Any]]]:
        """The rules that lead from the root to the window, in order."""
        found = []
        view: ViewOf | None = self
        while view is not None:
            found.append((view.rule, view.params))
            view = view.before
        return found[::-1]

    def shown(self, xp: Backend, raw: Raw) -> Raw:
        """What the window shows of an array shaped like its root."""
        for rule, params in self.steps():
            raw = rule.forward(xp, raw, **params)
        return raw

    def positions(self, xp: Backend) -> Raw:
        """For each element its position in the root, in C order."""
        return self.shown(xp, numbered(xp, self.root.shape))
