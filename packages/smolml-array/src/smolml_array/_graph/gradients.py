"""Gradients: what an array has of them, and the passes that make them."""

from __future__ import annotations

import warnings
from contextvars import copy_context
from typing import Any, Final, Never, Self

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.array_base import ArrayBase
from smolml_array._graph.backward import backward_arrays
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.node import ArrayNode, cast
from smolml_array._graph.views import ValuesNode
from smolml_array._graph.walking import put_at
from smolml_array.backends.signatures import Raw
from smolml_array.convert import is_floating
from smolml_value import GraphError, table
from smolml_value.extending import MODE, PASS_LOCK, one_pass, refusal

_MANY: Final = 100


def _steps(node: Any) -> int:
    """How many constants were subtracted, one after the other, to make it; at most _MANY + 1."""
    count = 0
    while getattr(node, "rule", None) is table.subtract and node.operands[1] is None:
        node, count = node.operands[0], count + 1
        if count > _MANY:
            break
    return count


class Gradients(ArrayBase):
    """An array that can be differentiated."""

    __slots__ = ()

    def backward(self, **foreign: Never) -> None:
        """Add d(self)/d(leaf) to the gradient of every leaf; of the sum, for several elements.

        Reverse-mode differentiation; see `Value.backward`. Calling it twice adds exactly twice.

        Raises:
            GraphError: a constant, or an array computed from constants only or inside no_grad.

        >>> x = MLArray([1.0, 2.0])
        >>> (x * x).backward()
        >>> x.grad().to_list()
        [2.0, 4.0]
        """
        if foreign:
            raise refusal(Gradients.backward, foreign)
        node = self._node
        if node.is_live or HOOKS.on_gradient is not None:
            HOOKS.gradients_used()
            node = self._current_node()
        if not node.tracked:
            raise GraphError(
                "backward: this array is a constant, or was computed from constants only or inside "
                "no_grad(): it depends on nothing that has a gradient; use requires_grad=True"
            )
        here = copy_context()  # what is set inside is undone
        here.run(node.backend.silence.enter)
        plain = node.__class__ is ArrayNode and not MODE.watched
        with PASS_LOCK:
            if not (plain and here.run(one_pass, node, backward_arrays)):
                here.run(one_pass, node, None)

    def grad(self) -> Self:
        """The gradients of the elements: a new array each time (`set_grad` changes them), constant.

        >>> MLArray([1.0, 2.0]).grad().to_list()
        [0.0, 0.0]
        """
        node, hook = self._node, HOOKS.on_gradient
        if node.rule is not None or node.is_live or hook is not None:
            return self._inner_grad()
        return self._constant(node.backend, node.gradient() if node.grad is None else node.grad)

    def _inner_grad(self) -> Self:
        """The same where it is no plain leaf."""
        node, view = self._node, self._view if self._node.is_live else None
        if view is not None:
            node = view.root._current_node()
        elif _steps(node) == _MANY:
            warnings.warn(
                f"w = w - rate * w.grad() in a loop: w remembers the {_MANY} steps so far, and "
                f"each backward() goes back through all; step inside `with no_grad(): w -= ...`, "
                f"by an optimizer, or call w.restart() after each step",
                stacklevel=3,
            )
        raw = node.grad
        if raw is None or HOOKS.on_gradient is not None:
            raw = node.gradient()
        return self._constant(node.backend, raw if view is None else view.shown(node.backend, raw))

    def zero_grad(self) -> None:
        """Set the gradient to zero."""
        node = self._node
        if not node.is_live and HOOKS.on_gradient is None:  # it is in every step
            node.grad = None
        else:
            self._put_grad(None)

    def set_grad(self, new: ArrayLike) -> None:
        """Put these numbers in the place of the gradient; `backward()` adds to those of a leaf.

        Args:
            new: an array, or nested lists of numbers, of the same shape.

        Raises:
            GraphError: a constant has no gradient.
            ShapeError: another shape.

        >>> x = MLArray([1.0, 2.0])
        >>> (x * x).backward()
        >>> x.set_grad(0.5 * x.grad())
        >>> x.grad().to_list()
        [1.0, 2.0]
        """
        node = (self if self._view is None else self._view.root)._current_node()
        if not node.tracked:
            raise GraphError("set_grad: a constant has no gradient; use requires_grad=True")
        self._put_grad(cast(node.backend, self._given("set_grad", new)[0], node.raw))

    def _put_grad(self, raw: Raw | None) -> None:
        """Another gradient, None for zeros; a window puts it into the array that it looks at."""
        HOOKS.gradients_used()
        node = (self if self._view is None else self._view.root)._current_node()
        if isinstance(node, ValuesNode):
            flat = None if raw is None else node.backend.to_flat(raw)
            for i, v in enumerate(self._values()):
                v.grad = 0.0 if flat is None else flat[i]
            return
        node._show()
        if self._view is None:
            node.grad = raw
        elif raw is not None or node.grad is not None:
            xp, new = node.backend, 0.0 if raw is None else raw
            node.grad = put_at(xp, node.gradient(), self._view.positions(xp), new)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow here; can be set on leaves."""
        return self._current_node().tracked

    @requires_grad.setter
    def requires_grad(self, new: bool) -> None:
        node = self._current_node()
        if bool(new) == node.tracked:
            return
        if node.rule is not None or isinstance(node, ValuesNode):
            raise ValueError(
                f"requires_grad: only a leaf can be switched, and this is the result of "
                f"{node.name}; use x.detach() for a constant copy"
            )
        if new and not is_floating(node.backend, node.raw):
            raise ValueError(f"requires_grad: an array of {node.raw.dtype} has no gradient")
        self._become(ArrayNode(node.backend, node.raw, bool(new)))
