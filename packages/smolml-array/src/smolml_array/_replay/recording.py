"""A backend that writes down what it is asked to do, as a program that does it again.

Its raw arrays look like ndarrays to rules and ops, but tell their numbers to nobody: what Python
concludes from a number cannot be repeated. Truth values (`if xp.any(...)`) are told, and become
conditions of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import numpy as np

from smolml_array._graph.node import ArrayNode
from smolml_array._replay.buffers import copier
from smolml_array._replay.captures import notice, uses
from smolml_array._replay.program import Program
from smolml_array._replay.recorded import Recorded
from smolml_array._replay.writing import Note, elementwise
from smolml_array.backends.above import Above
from smolml_array.backends.numpy.cotangents import ndarray
from smolml_array.backends.numpy.indexing import index_add, index_put
from smolml_array.backends.protocol import Backend
from smolml_value import GraphError
from smolml_value.extending.derivatives import leaves, map_leaves

# What they make depends on the shapes and dtypes alone.
_OF_SHAPES = frozenset({"ones_like", "zeros_like", "placeholder"})
# What is told by them, or how much they make, depends on the numbers: these must stay.
_OF_NUMBERS = frozenset({"nonzero", "to_flat", "to_list", "uniform", "unique_values"})


class _Number(NamedTuple):
    """What stands in the log for an array whose numbers will be others."""

    number: int


class Recording(Above):
    """A backend for the length of one recording.

    Attributes:
        program: what has been recorded.
        notes: the same in words, to compare two recordings.
        taken: nodes from elsewhere that have gradients, and whose numbers were taken in.
    """

    def __init__(self, base: Backend) -> None:
        super().__init__(base, base.silence.plain)
        self.program = Program()
        self.notes: list[tuple[Any, ...]] = []
        self.taken: list[Any] = []
        self._count = 0
        self._open = True

    def __repr__(self) -> str:
        return f"<recording on {self.adopts!r}>"

    def _call(self, name: str, f: Any, *args: Any, **params: Any) -> Any:
        if name in _OF_NUMBERS:
            return map_leaves(self._kept, f(*map(_told, args), **params))
        return self.call(name, f, args, params)

    # Recording ---------------------------------------------------------------------------------

    def input(self, raw: Any) -> Recorded:
        """An array whose numbers will be others each time."""
        return self._live(copier(raw)())

    def constant(self, raw: Any) -> Recorded:
        """An array whose numbers stay."""
        return Recorded(self, raw, None)

    def take_in(self, operand: Any) -> ArrayNode:
        """The numbers of an array from elsewhere, which stay.

        Raises:
            GraphError: a Value, to which gradients would have to flow.
        """
        if not hasattr(operand, "_current_node"):
            raise GraphError(uses("a Value"))
        node = operand._current_node()
        if node.tracked:
            self.taken.append(node)
        return ArrayNode(cast(Backend, self), self.constant(node.raw), False)

    def close(self) -> None:
        """From now on nothing can be computed from what was made here."""
        self._open = False

    def call(
        self, name: str, f: Callable[..., Any], args: Sequence[Any], params: Mapping[str, Any]
    ) -> Any:
        """f(*args, **params) with the numbers of this run; noted if it depends on an input.

        Raises:
            GraphError: the recording is over.
        """
        if not self._open:
            raise GraphError(
                "replay: an array that was made inside the replayed function is used outside of "
                "it, where it has no numbers; return what is needed, or keep a detached copy of "
                "what the function was given"
            )
        asked = tuple(args), dict(params)
        met = []
        for x in leaves(asked):
            if isinstance(x, Recorded):
                met.append(x)
            else:
                notice(x)
        plain, plain_params = map_leaves(_buffer, asked)
        writes = name in _IN_PLACE
        if writes and args[0].number is None:  # a constant is not written to
            writes, (name, f) = False, _IN_PLACE[name]
        made = f(*plain, **plain_params)
        if name in _OF_SHAPES or all(x.number is None for x in met):
            return map_leaves(self._kept, made)
        self.notes.append((name, *map_leaves(_noted, asked)))
        if writes:
            f = np.add if name == "add_into" else f
            self.program.notes.append(Note(name, f, plain, {}, plain[0], "change"))
            return args[0]
        buffers: list[Any] = []  # of the results, None for what looks into an operand

        def received(array: Any) -> Any:
            if not _is_numbers(array):
                return array
            array = np.asarray(array)  # of one of NumPy's scalars
            sharing = [x for x in met if np.may_share_memory(array, x.array)]
            others = [x for x in buffers if x is not None]  # each is written by itself
            shared = any(np.may_share_memory(array, x) for x in others)
            if not sharing and (shared or not array.flags.writeable):
                array = copier(array)()
            buffers.append(None if sharing or not array.size else array)
            if not array.size:
                return self.constant(array)
            if sharing and all(x.number is None for x in sharing):
                return self.constant(array)
            return self._live(array)

        result = map_leaves(received, made)
        parts = [x for x in (made if isinstance(made, tuple | list) else (made,)) if _is_numbers(x)]
        if not all(x.size for x in parts) and elementwise(f, plain, plain_params) is None:
            # what is empty now need not be so the next time: x[x > 0]
            shapes = tuple(x.shape for x in parts)
            self.program.notes.append(Note(name, f, plain, plain_params, shapes, "shapes"))
        out = tuple(buffers) if isinstance(made, tuple | list) else buffers and buffers[0]
        if any(x is not None for x in buffers):
            self.program.notes.append(Note(name, f, plain, plain_params, out))
        return result

    def expect(self, condition: Recorded, truth: bool) -> None:
        """Note that the program is right only where a 0-d array is as true as it is now."""
        self.notes.append(("bool", condition.number, truth))
        self.program.notes.append(Note("bool", bool, (condition.array, truth), {}, None, "expect"))

    def _kept(self, made: Any) -> Any:
        """A result that stays the same; what is no array is left as it is."""
        return self.constant(np.asarray(made)) if _is_numbers(made) else made

    def _live(self, array: Any) -> Recorded:
        self._count += 1
        return Recorded(self, array, self._count)

    # The parts of the protocol that are no functions of arrays --------------------------------

    def is_array(self, obj: object, /) -> bool:
        return isinstance(obj, Recorded)

    def asarray(self, obj: Any, /, *, dtype: Any = None, copy: bool | None = None) -> Any:
        if isinstance(obj, Recorded):
            return obj if dtype in (None, obj.dtype) else self.astype(obj, dtype)
        notice(obj)
        return self.constant(self.adopts.asarray(obj, dtype=dtype, copy=copy))


_IN_PLACE: Final[dict[str, tuple[str, Callable[..., Any]]]] = {
    "add_into": ("add", np.add),
    "index_add_into": ("index_add", index_add),
    "index_put_into": ("index_put", index_put),
}
"""What writes to its first argument, and what does the same in new memory."""


def _told(x: Any) -> Any:
    """The numbers of a constant.

    Raises:
        GraphError: they will be others the next time.
    """
    return x._told() if isinstance(x, Recorded) else x


def _buffer(x: Any) -> Any:
    """What the call itself is given in the place of x."""
    return x.array if isinstance(x, Recorded) else x


def _noted(x: Any) -> Any:
    """What is compared with another recording: a number in the place of what will be others."""
    if not isinstance(x, Recorded):
        return x
    return x.array if x.number is None else _Number(x.number)


def _is_numbers(x: Any) -> bool:
    return isinstance(x, ndarray | np.generic)
