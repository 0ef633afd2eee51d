"""detect_anomaly: the first nan or inf raises, and the line that made it is named.

While a block is open, whoever makes nodes or walks over them tells `MODE.watcher`. Nothing else is
paid outside of the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from smolml_value._anomaly.messages import forward_error, origin
from smolml_value._anomaly.nodes import given, made_by, misfit, outcome, text
from smolml_value._anomaly.source import keep_lines
from smolml_value._anomaly.state import checking, is_open, opened
from smolml_value._anomaly.walk import WatchedPush, inspect_pass, watched_pull
from smolml_value.node import Node
from smolml_value.op import Op
from smolml_value.recording import MODE, Watcher, grad_enabled


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise at the first nan or inf, and name the op and the line of the program it came from.

    Looked at are the results of all ops on Values and arrays, inside no_grad() too, the
    cotangents that `backward` and the transforms send to each operand, and tangents. Plain
    floats are not, nor is data: a nan or inf that was given, by Value(nan) say, is reported by
    the first op that hands it on. A nan in a branch that where() does not take counts.

    Lines are known for nodes that were made inside the block; for others an error says so. The
    block holds for the current thread or task only, and nests. It costs time while it is open.

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
    MODE.open_watch(_WATCHER)
    try:
        with opened():
            yield
    finally:
        MODE.close_watch()


class _Anomalies(Watcher):
    """Looks at results, cotangents and tangents where a block is open, and keeps lines."""

    def made(self, node: Node) -> None:
        out = outcome(node) if checking() else None
        if out is not None:
            _look(node, made_by(node), out, given(node))
        if is_open() and grad_enabled():
            keep_lines(node)

    def computed(self, out: Any, op: Any, args: Sequence[Any]) -> None:
        if checking():
            operands = [(a if isinstance(a, Node) else None, float(a)) for a in args]
            _look(out, op, outcome(out), operands)

    def passed(self, root: Node) -> None:
        if checking():
            inspect_pass(root)

    def pull(self, traced: bool) -> Any:
        return watched_pull(traced) if checking() else None

    def push(self, traced: bool) -> Any:
        return WatchedPush(traced) if checking() else None


_WATCHER: Final = _Anomalies()


def _look(node: Node, op: Any, out: Any, operands: Sequence[tuple[Node | None, Any]]) -> None:
    """Raise if the result that `op` has made of these operands holds a nan or inf."""
    bad = misfit(node, out)
    if bad is None:
        return
    known = [(i, a, c) for i, (a, c) in enumerate(operands) if c is not None]
    before = [
        f"  operand {i} was {earlier} before: {'a constant' if a is None else origin(a)}"
        for i, a, c in known
        if (earlier := misfit(node, c)) is not None
    ]
    place = bad.place if isinstance(op, Op) else None
    texts = [text(node, c, a, place) for _, a, c in known]
    raise forward_error(op.name, bad, texts, before[:1])
