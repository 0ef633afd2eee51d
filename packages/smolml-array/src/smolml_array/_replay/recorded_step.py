"""A step that was recorded: arguments in, a program of NumPy calls, loss and gradients out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from smolml_array._graph.node import ArrayNode
from smolml_array._replay.captures import CHANGES, NUMPY, Captures, Sources
from smolml_array._replay.recording import Recording
from smolml_array._replay.writing import DiffersError
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Backend, Raw
from smolml_value import GraphError

SILENCE = NUMPY.silence


class _Slot:
    """Where one argument goes."""

    __slots__ = ("buffer", "node", "raw", "tracked")

    def __init__(self, buffer: Any, tracked: bool) -> None:
        self.buffer = buffer
        self.tracked = tracked
        self.node: ArrayNode | None = None  # what the numbers in the buffer are those of
        self.raw: Raw = None

    def take(self, node: ArrayNode) -> bool:
        """Copy the numbers of a node into the buffer; False if it is not like this argument."""
        raw, buffer = node.raw, self.buffer
        if (
            raw.__class__ is not np.ndarray
            or raw.shape != buffer.shape
            or raw.dtype != buffer.dtype
            or raw.strides != buffer.strides
            or node.tracked is not self.tracked
            or not _ends_here(node)
        ):
            return False
        self.node = None
        np.copyto(buffer, raw)
        self.node, self.raw = node, raw
        return True


class _Run(NamedTuple):
    """What was recorded of one run.

    Attributes:
        recording: the backend of it.
        notes: all that happened, to be compared with another run.
        slots: where each argument goes, a leaf that is given twice to one place.
        firsts: what `_firsts` says of the arguments; None where it cannot be otherwise.
        results: the buffers of the loss and of the gradients.
        leaves: the positions of the arguments that the gradients belong to, in order.
        sources: the arrays from elsewhere whose numbers were read.
    """

    recording: Recording
    notes: list[Any]
    slots: list[_Slot]
    firsts: list[int] | None
    results: list[Raw]
    leaves: list[int]
    sources: Sources


class RecordedStep:
    """A program, where its arguments go, and which of them its results belong to."""

    def __init__(self, run: _Run) -> None:
        self._sources = run.sources
        self._slots = run.slots
        self._firsts = run.firsts
        self._pause = self._skip = 0  # steps without a try, after conditions were not as they were
        self._leaves = run.leaves
        self._run = run.recording.program.run
        SILENCE.run(run.recording.program.finish, run.results)

    def is_current(self) -> bool:
        """Whether the arrays that the function has from elsewhere still have the same numbers."""
        return self._sources.are_current()

    def takes(self, nodes: Sequence[ArrayNode]) -> bool:
        """Whether it was recorded for arguments like these, which are copied if so."""
        slots = self._slots
        if len(slots) != len(nodes):
            return False
        if self._firsts is not None and _firsts(nodes) != self._firsts:
            return False
        # those first that are no parameters: their shapes may be others
        for slot, node in zip(reversed(slots), reversed(nodes)):  # noqa: B905  # they are as many
            if (node is not slot.node or node.raw is not slot.raw) and not slot.take(node):
                return False
        return self.is_current()

    def play(self) -> list[Raw] | None:
        """The loss and the gradients; None if a condition is not as it was, or hardly ever is."""
        if self._skip > 0:
            self._skip -= 1
            return None
        try:
            parts: list[Raw] = SILENCE.run(self._run)
        except DiffersError:
            self._pause = min(2 * self._pause + 1, 63)
            self._skip = self._pause
            return None
        self._pause = 0
        return parts

    def gradients(self, nodes: Sequence[ArrayNode], parts: Sequence[Raw]) -> dict[ArrayNode, Raw]:
        """The gradients among what `play` gave, each with the leaf that it belongs to."""
        return {nodes[i]: grad for i, grad in zip(self._leaves, parts[1:])}  # noqa: B905  # as many


def record(
    f: Callable[..., MLArray], params: Sequence[MLArray], nodes: Sequence[ArrayNode]
) -> RecordedStep:
    """f with its backward pass, for arguments like these.

    It is recorded twice and played once, and must come out the same each time.

    Raises:
        GraphError: it cannot be played back; says why.
    """
    for node in nodes:
        if not _ends_here(node):
            what = "made of Values" if node.rule is None else f"the result of {node.name!r}"
            raise GraphError(
                f"replay: a parameter or an argument of shape {node.shape} is {what}, and "
                f"gradients would have to flow on from it; give a leaf, or detach() it"
            )
    first: _Run = SILENCE.run_apart(_recorded, f, params, nodes)
    second: _Run = SILENCE.run_apart(_recorded, f, params, nodes)
    if not _same(first.notes, second.notes):
        raise GraphError(
            "replay: the function did not do the same when it was called again (does it draw "
            "random numbers, or count its calls?); pass what changes as an argument"
        )
    if not second.sources.are_current():  # by now it has set up what it sets up once
        raise GraphError(CHANGES)
    expected = [x.copy() for x in second.results]
    step = RecordedStep(second)
    found = step.play()
    if found is None or not all(
        np.array_equal(*pair, equal_nan=True) for pair in zip(expected, found, strict=True)
    ):
        raise GraphError(
            "replay: played back, the function gives other numbers: an op in it does not always "
            "give the same result, or changes what it is given"
        )
    return step


def _recorded(
    f: Callable[..., MLArray], params: Sequence[MLArray], nodes: Sequence[ArrayNode]
) -> _Run:
    """One run of f and its backward pass, recorded."""
    recording = Recording(NUMPY)
    backend = cast(Backend, recording)
    firsts = _firsts(nodes)
    inputs: list[Any] = []
    leaves: list[ArrayNode] = []
    for i, node in zip(firsts, nodes, strict=True):
        new = i == len(leaves)
        inputs.append(recording.input(node.raw) if new else inputs[i])
        leaves.append(ArrayNode(backend, inputs[i], node.tracked) if new else leaves[i])
    own, data = leaves[: len(params)], leaves[len(params) :]
    captures = Captures(recording, list(zip(params, own, strict=True)))
    given = list(map(MLArray._from_node, data))
    captures.listen()
    loss = f(*given)
    root = loss._current_node() if isinstance(loss, MLArray) else None
    captures.stop()
    if root is None or root.backend is not backend:
        raise GraphError(
            f"replay: the function returned {loss!r:.60}; expected one MLArray that depends on "
            f"its arguments or on the parameters"
        )
    del loss  # or it would outlive the function
    sources = captures.sources(recording.taken)
    alike = (v.raw is x for v, x in zip(leaves, inputs, strict=True))
    if [x._node for x in given] != data or not all(alike):
        raise GraphError(CHANGES)
    MLArray._from_node(root).backward()
    value: Any = root.raw
    grads: dict[int, Any] = {i: leaves[i].grad for i in set(firsts) if leaves[i].grad is not None}
    recording.close()
    slots = [_Slot(x.array, leaf.tracked) for x, leaf in zip(inputs, leaves, strict=True)]
    slots = [slots[i] for i in firsts]
    results = [value.array, *(x.array for x in grads.values())]
    notes = [*recording.notes, value.number, [(i, x.number) for i, x in grads.items()]]
    kept = firsts if any(leaf.tracked for leaf in data) else None
    return _Run(recording, notes, slots, kept, results, list(grads), sources)


def _firsts(nodes: Sequence[ArrayNode]) -> list[int]:
    """For each argument the position where it comes first, of a constant its own.

    The gradients that a leaf gets in several places are added up in the order of the graph.
    """
    return [nodes.index(node) if node.tracked else i for i, node in enumerate(nodes)]


def _ends_here(node: ArrayNode) -> bool:
    """Whether gradients flow no further than to this node."""
    return not node.tracked or (node.rule is None and type(node) is ArrayNode)


def _same(a: Any, b: Any) -> bool:
    """Whether two logs are: arrays by their numbers, functions by being functions."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(v, b[k]) for k, v in a.items())
    return callable(a) or a == b or a != a
