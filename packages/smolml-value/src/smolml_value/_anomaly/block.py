"""detect_anomaly: the first nan or inf raises, and the line that made it is named.

While a block is open, whoever makes nodes or walks over them tells `MODE.watcher`. Nothing else is
paid outside of the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_value._anomaly.messages import forward_error
from smolml_value._anomaly.nodes import given, made_by, misfit, outcome
from smolml_value._anomaly.source import keep_lines
from smolml_value._anomaly.state import OPEN, Looks, checking, is_open
from smolml_value._anomaly.walk import WatchedJvp, inspect_pass, watched_vjp
from smolml_value._runtime.modes import Setting
from smolml_value.node import Node
from smolml_value.recording import MODE, Watcher, grad_enabled


def detect_anomaly() -> Setting[Looks]:
    """Raise at the first nan or inf, and name the op and the line of the program it came from.

    Looked at are the results of all ops on Values and arrays, inside no_grad() too, the
    cotangents that `backward` and the transforms send to each operand, and tangents. Plain
    floats are not, nor is data: a nan or inf that was given, by Value(nan) say, is reported by
    the first op that hands it on. A nan in a branch that where() does not take counts.

    Lines are known for nodes that were made inside the block; for others an error says so. The
    block holds for the current thread or task only, and nests; what this returns may be entered as
    often as one likes, and decorates functions. It costs time while it is open.

    Raises:
        AnomalyError: in the block, at the op. The graph can be used further, and no leaf's
            gradient has changed.

    >>> from smolml_value import AnomalyError, Value, detect_anomaly
    >>> x = Value(-1.0)
    >>> with detect_anomaly():
    ...     try:
    ...         x.log()
    ...     except AnomalyError as error:
    ...         print(error.op, error.direction)
    log forward
    """
    return OPEN


class _Anomalies(Watcher):
    """Looks at results, cotangents and tangents where a block is open, and keeps lines."""

    def made(self, node: Node) -> None:
        if checking():
            bad = misfit(node, outcome(node))
            if bad is not None:
                raise forward_error(node, bad, made_by(node), given(node))
        if is_open() and grad_enabled():
            keep_lines(node)

    def computed(self, out: Any, op: Any, args: Sequence[Any]) -> None:
        bad = misfit(out, outcome(out)) if checking() else None
        if bad is not None:
            operands = [(a if isinstance(a, Node) else None, float(a)) for a in args]
            raise forward_error(out, bad, op, operands)

    def passed(self, root: Node) -> None:
        if checking():
            inspect_pass(root)

    def vjp(self) -> Any:
        return watched_vjp() if checking() else None

    def jvp(self) -> Any:
        return WatchedJvp() if checking() else None


MODE.watcher = _Anomalies()  # the only one, told while `MODE.watched` is not 0
