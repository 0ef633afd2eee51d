"""Numbers that leave the graph while a transform's function runs: a warning, with the line."""

from __future__ import annotations

import dis
import sys
import warnings
from collections.abc import Sequence
from sysconfig import get_path
from types import FrameType
from typing import Any, Final

from smolml_value._anomaly.source import is_outside
from smolml_value._derivatives.function_node import LazyGradient
from smolml_value._derivatives.rules import node_of
from smolml_value._runtime.modes import Setting
from smolml_value.errors import LostGradientWarning
from smolml_value.node import Node
from smolml_value.recording import LEAVING, Leaving, grad_enabled


class _Arguments:
    """Warns of the first number that leaves and that depends on one of these nodes."""

    def __init__(self, nodes: Sequence[Node], around: _Arguments | None) -> None:
        self._ids = {id(node) for node in nodes}
        self._warned: list[bool] = []
        if around is not None:  # of a transform in whose function this one is called
            self._ids |= around._ids
            self._warned = around._warned

    def __call__(self, x: Any) -> None:
        if self._warned or not grad_enabled() or not self.reach(x):
            return
        frame = _innermost()
        if frame is None or _is_formatting(frame):
            return
        self._warned.append(True)
        frame = _of_user(frame)
        warnings.warn_explicit(
            "a number leaves the graph here, by float(), math, NumPy or the like, and with it a "
            "part of the gradient of the function that is being differentiated; use the methods "
            "of Values and arrays (x.sin(), not math.sin(x)), or say that the number is meant as "
            "a constant: stop_gradient(x)",
            LostGradientWarning,
            frame.f_code.co_filename,
            frame.f_lineno,
            frame.f_globals.get("__name__"),
            frame.f_globals.setdefault("__warningregistry__", {}),
        )

    def reach(self, x: Any) -> bool:
        """Whether x depends on one of the nodes, and not by steps alone."""
        seen: set[int] = set()
        stack: list[Node] = [node_of(x)]
        while stack:
            node = stack.pop()
            if id(node) in self._ids:
                return True
            if id(node) not in seen and not isinstance(node, LazyGradient) and not _is_step(node):
                seen.add(id(node))
                stack += node._parents()
        return False


def differentiating(nodes: Sequence[Node]) -> Setting[Leaving | None]:
    """A block in which a function of these nodes runs."""
    around = LEAVING.get()
    return Setting(LEAVING, _Arguments(nodes, around if isinstance(around, _Arguments) else None))


def reached(x: Any) -> bool:
    """Whether x depends on what is being differentiated here."""
    here = LEAVING.get()
    return isinstance(here, _Arguments) and here.reach(x)


def silent() -> Setting[Leaving | None]:
    """A block of our own computations: what leaves in it is not lost."""
    return Setting(LEAVING, None)


def _is_step(node: Node) -> bool:
    """Whether an op made it whose derivative is 0, such as floor."""
    op = getattr(node, "_made_by", None) or getattr(node, "rule", None)
    partials: Any = getattr(op, "partials", None) or ()
    return partials != () and all(isinstance(p, float) and p == 0.0 for p in partials)


# Where ------------------------------------------------------------------------------------------

_LIBRARIES: Final = (
    *(path for name in ("stdlib", "purelib", "platlib") if (path := get_path(name))),
    "<frozen",
    "<__array_function__",
)


def _innermost() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_outside(frame):
        frame = frame.f_back
    return frame


def _of_user(frame: FrameType) -> FrameType:
    """The innermost frame that is no library's, or this one if all are up to the transform."""
    caller: FrameType | None = frame
    while caller is not None and is_outside(caller):
        if not caller.f_code.co_filename.startswith(_LIBRARIES):
            return caller
        caller = caller.f_back
    return frame


def _is_formatting(frame: FrameType) -> bool:
    """Whether the call comes from `text % x`, which asks for a float as float() does."""
    at = frame.f_lasti
    here = next((i for i in dis.get_instructions(frame.f_code) if i.offset == at), None)
    return here is not None and here.argrepr in ("%", "%=")
