"""detect_anomaly: the first nan or inf raises, and the line that made it is named.

Who makes nodes calls a `watch...` function here while `MODE.watched` is not 0, which counts the
open blocks of all threads; whether one is open in this thread is looked up here. Nothing else is
paid outside of the blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Final

from smolml_value._anomaly.source import Place, user_places
from smolml_value._runtime.identity_map import Beside
from smolml_value._runtime.labels import label_of
from smolml_value.errors import AnomalyError
from smolml_value.node import Node
from smolml_value.recording import MODE, grad_enabled

SHOWN: Final = 6  # operands that a message shows

_OFF, _LINES, _CHECKS = 0, 1, 2  # do nothing; keep lines only; keep lines and look at results
_state: Final[ContextVar[int]] = ContextVar("smolml_anomaly", default=_OFF)
_lines: Final[Beside[tuple[Place, ...]]] = Beside()


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
    MODE.open_watch()
    token = _state.set(_CHECKS)
    try:
        yield
    finally:
        _state.reset(token)
        MODE.close_watch()


def checking() -> bool:
    """Whether the results of ops are to be looked at here."""
    return MODE.watched != 0 and _state.get() == _CHECKS


@contextmanager
def unchecked() -> Iterator[None]:
    """Let rules compute what they like: an inf may well meet a zero that it counts nothing with."""
    token = _state.set(min(_state.get(), _LINES))
    try:
        yield
    finally:
        _state.reset(token)


# Derivatives -----------------------------------------------------------------------------------

# Imported when a derivative is first looked at: most programs never do.
_answers: Final = ["smolml_value._anomaly.walk"]


def answers_in(module: str) -> None:
    """Say that a module holds answers of further nodes, for `_anomaly_walk`."""
    _answers.append(module)


def _walk() -> Any:
    first, *_ = [import_module(name) for name in _answers]
    return first


def look_at_pass(root: Node) -> None:
    """Raise if the backward pass that ends here has made a nan or inf."""
    if checking():
        _walk().inspect_pass(root)


def watched_pull(traced: bool) -> Callable[[Node, Any, Sequence[bool]], Sequence[Any]] | None:
    """What a walk with cotangents uses in place of the rules; None outside of a block."""
    return _walk().watched_pull(traced) if checking() else None


def watched_push(traced: bool) -> Any:
    """What a walk with tangents uses in place of the rules; None outside of a block."""
    return _walk().WatchedPush(traced) if checking() else None


# Results ---------------------------------------------------------------------------------------


def watch(
    v: Node, op: Any, out: float, left: Node | None, right: Node | None, dl: float, dr: float
) -> None:
    """Look at a new Value that is no leaf; a constant's number is in its partial's place."""
    if op is None:
        return
    if left is not None or right is not None:
        args: Sequence[Any] = (dl if left is None else left, dr if right is None else right)
        watch_many(v, op, out, args[: op.arity])
    elif getattr(v, "_args", None) is not None:  # it has more operands
        watch_many(v, op, out, v._args)  # type: ignore[attr-defined]  # a NaryValue


def watch_many(v: Node | None, op: Any, out: float, args: Sequence[Any]) -> None:
    """Look at what `op` made of these operands; v is the node, if there is one."""
    state = _state.get()
    if state == _CHECKS and not math.isfinite(out):
        texts = [f"{float(a)!r}{_label(a)}" for a in args]
        given = [
            f"operand {i} was {number} before: {_origin(a)}"
            for i, a in enumerate(args)
            if not math.isfinite(number := float(a))
        ]
        raise forward_error(op.name, f"{out}", texts, given)
    if v is not None:
        keep_lines(v)


def keep_lines(node: Node) -> None:
    """Remember where a node was made."""
    if _state.get() != _OFF and grad_enabled():
        _lines.set(node, user_places())


def lines_of(node: Node) -> tuple[Place, ...]:
    """Where a node was made, the innermost line first; empty if that was outside of a block."""
    return _lines.get(node) or ()


def _label(a: Any) -> str:
    label = label_of(a)
    return f" ({label})" if label else ""


def _origin(a: Any) -> str:
    op = getattr(getattr(a, "_made_by", None), "name", "")
    return origin(op, a) if isinstance(a, Node) else "a constant"


def origin(op: str, node: Any) -> str:
    """Where an operand came from; `op` is what made its node, "" for a leaf."""
    if not op:
        return "it was given as data"
    places = lines_of(node)
    return f"made by {op} " + (f"at {places[0]}" if places else "outside detect_anomaly()")


# Errors ----------------------------------------------------------------------------------------


def forward_error(
    op: str, result: str, operands: Sequence[str], given: Sequence[str]
) -> AnomalyError:
    """The error for a result; `given` says which operands were nan or inf already."""
    lines = [f"{op}: the result is {result}", *operand_lines(operands), *map(_indented, given[:1])]
    return _error(lines, user_places(), op, "forward", None, "")


def operand_lines(operands: Sequence[str]) -> list[str]:
    """A line for each operand, not too many."""
    lines = [f"  operand {i}: {text}" for i, text in enumerate(operands[:SHOWN])]
    more = len(operands) - SHOWN
    return [*lines, f"  and {more} more"] if more > 0 else lines


def backward_error(
    op: str, direction: str, what: str, details: Sequence[str], node: Node, operand: int | None
) -> AnomalyError:
    """The error for a cotangent or tangent of `node`."""
    return _error(
        [f"{op}: {what}", *details], lines_of(node), op, direction, operand, "the node was made "
    )


def _error(
    lines: list[str],
    places: Sequence[Place],
    op: str,
    direction: str,
    operand: int | None,
    made: str,
) -> AnomalyError:
    if not places:
        lines = [*lines, "  the node was made outside detect_anomaly(), so its line is not known"]
        return AnomalyError("\n".join(lines), op, direction, operand)
    first, *others = places
    lines = [*lines, f"  {made}at {first}", *(f"  called from {place}" for place in others)]
    return AnomalyError(
        "\n".join(lines), op, direction, operand, first.file, first.line, first.code
    )


def _indented(line: str) -> str:
    return f"  {line}"
