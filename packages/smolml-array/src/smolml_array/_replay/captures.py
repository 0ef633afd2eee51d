"""What a function reads and changes while it is recorded, other than what is recorded itself.

In the place of a parameter the recording has a node of its own, and so has what is given numbers
that will be others each time. The arrays themselves are not touched, whenever it is interrupted.
"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

import numpy as np

from smolml_array._graph.array_base import ArrayBase
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.node import ArrayNode
from smolml_array.backends import get_backend
from smolml_array.backends.signatures import Raw
from smolml_array.convert import has_buffer
from smolml_value import GraphError
from smolml_value.extending import WeakIdentityDict, topological

NUMPY: Final = get_backend("numpy")

_captures: Final[ContextVar[Captures | None]] = ContextVar("smolml_captures", default=None)
_lock: Final = threading.Lock()


class _Switch:
    """While somebody holds one, in whatever thread, the graph tells us what is read."""

    __slots__ = ("__weakref__",)


def _off() -> None:
    return None


_switch: Callable[[], _Switch | None] = _off  # no count of ours, which an interrupt could leave


def _switched_on() -> _Switch:
    global _switch
    with _lock:
        held = _switch() or _Switch()
        _switch = weakref.ref(held)
        HOOKS.on_read, HOOKS.on_move = _node_of, _is_moved
        HOOKS.on_gradient, HOOKS.on_foreign = _refuse_gradients, notice
    return held


def _here() -> Captures | None:
    """The captures of the recording that runs in this context."""
    found = _captures.get()
    if found is None and _switch() is None:
        with _lock:
            if _switch() is None:
                HOOKS.on_read = HOOKS.on_move = HOOKS.on_gradient = HOOKS.on_foreign = None
    return found


def _node_of(x: ArrayBase) -> ArrayNode:
    found = _here()
    return x._node if found is None else found.node_of(x)


def _is_moved(x: ArrayBase, node: ArrayNode) -> bool:
    found = _here()
    return found is not None and found.is_moved(x, node)


def _refuse_gradients() -> None:
    """A gradient is read or set, or backward is called: raise if a recorded function does it."""
    if _here() is not None:
        raise GraphError(
            "replay: the function uses gradients, which will be others the next time, or calls "
            "backward(); pass x.grad() to it as an argument, and change arrays or their gradients "
            "outside of it"
        )


def notice(x: Any) -> None:
    """Numbers are read that are no MLArray's."""
    found = _here()
    if found is not None:
        found.notice(x)


class Captures:
    """Those of one recording.

    Args:
        backend: the recording.
        given: the parameters, each with the node in its place.
    """

    def __init__(self, backend: Any, given: Sequence[tuple[ArrayBase, ArrayNode]]) -> None:
        self._switch = _switched_on()
        self._base = backend.adopts
        self._given = {id(x): node for x, node in given}
        self._nodes: WeakIdentityDict[ArrayNode] = WeakIdentityDict()
        self._read: WeakIdentityDict[Raw] = WeakIdentityDict()
        self._foreign: dict[Hashable, _Foreign] = {}
        for x, node in given:
            self._nodes.set(x, node)

    def listen(self) -> None:
        """From now on, in this context."""
        _captures.set(self)

    def node_of(self, x: ArrayBase) -> ArrayNode:
        """The node of an array whose numbers are read."""
        placed = self._nodes.get(x)
        if placed is not None:
            return placed
        node = x._node
        if node.backend is self._base:
            self._read.obtain(x, lambda: node.raw)
        return node

    def is_moved(self, x: ArrayBase, node: ArrayNode) -> bool:
        """Whether it is noted here, and not in x, that x is to have this node."""
        if x._node.backend.adopts is not None:
            return False  # it was made here
        if node.backend.adopts is None and self._nodes.get(x) is None:
            return False
        self._nodes.set(x, node)
        return True

    def notice(self, x: Any) -> None:
        """The numbers of what is no MLArray are read."""
        if isinstance(x, ArrayBase | type) or not (hasattr(x, "__array__") or has_buffer(x)):
            return
        owner, place, look = _owner(x)
        known = self._foreign.get(place)
        if known is None or known.owner() is not owner:
            with suppress(TypeError):  # of numbers
                self._foreign[place] = _Foreign(weakref.ref(owner), look, _state(look(owner)))

    def stop(self) -> None:
        """The function is done."""
        _captures.set(None)

    def sources(self, taken: Sequence[ArrayNode]) -> Sources:
        """What of all this outlives the function.

        Args:
            taken: the nodes with gradients of which the recording has taken the numbers.

        Raises:
            GraphError: it has been changed, or gradients would have to flow there.
        """
        if self._wrong(taken):
            gc.collect()  # what is gone may be in a cycle
        if wrong := self._wrong(taken):
            raise GraphError(wrong)
        return Sources(
            [(weakref.ref(x), raw) for x, raw in self._read.items()],
            [known for known in self._foreign.values() if known.owner() is not None],
        )

    def _wrong(self, taken: Sequence[ArrayNode]) -> str:
        for placed, node in self._nodes.items():
            if node is not self._given.get(id(placed)):
                return CHANGES
        reached = {*topological(taken)}
        x: Any
        for x, _ in self._read.items():
            if x._node in reached:
                return uses(f"an array of shape {x.shape}")
        return ""


CHANGES: Final = (
    "replay: the function changes arrays that it is given, or that it has from elsewhere; do that "
    "outside of it"
)


def uses(what: str) -> str:
    """Why a function is refused that meets what has a gradient."""
    return (
        f"replay: the function uses {what} that gradients flow to, but that it was not given: name "
        f"it among the parameters, or pass it as an argument"
    )


class _Foreign(NamedTuple):
    """Numbers that are no MLArray's.

    Attributes:
        owner: whose memory it is.
        look: from it to an ndarray with these numbers.
        state: what that was.
    """

    owner: weakref.ref[Any]
    look: Callable[[Any], Any]
    state: tuple[Any, ...]


def _owner(x: Any) -> tuple[Any, Hashable, Callable[[Any], Any]]:
    """Who owns the numbers of x, which of them they are, and how to look at them again."""
    base = x.base if isinstance(x, np.ndarray) else None
    if type(base) is not np.ndarray:
        return x, id(x), np.asarray
    start = x.ctypes.data - base.ctypes.data
    shape, dtype, strides = x.shape, x.dtype, x.strides

    def look(own: Any) -> Any:
        memory = own if own.flags.c_contiguous else own.T
        return np.ndarray(shape, dtype, memory, start, strides)

    return base, (id(base), start, shape, strides), look


def _state(x: Any) -> tuple[Any, ...]:
    return x.shape, x.dtype, x.tobytes()


class Sources:
    """What a recording depends on: arrays, and numbers that are no MLArray's."""

    def __init__(
        self, arrays: Sequence[tuple[weakref.ref[Any], Raw]], foreign: Sequence[_Foreign]
    ) -> None:
        self._arrays = arrays
        self._foreign = foreign

    def are_current(self) -> bool:
        """Whether all are still there, with the same numbers."""
        for ref, raw in self._arrays:
            x = ref()
            if x is None or x._current_node().raw is not raw:
                return False
        for owner, look, state in self._foreign:
            own = owner()
            if own is None or _state(look(own)) != state:
                return False
        return True
