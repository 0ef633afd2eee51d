"""replay: a training step that is recorded once, and played back without a graph."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.backward import commit
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.node import ArrayNode
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Backend, Raw
from smolml_array.config import default_backend
from smolml_array.convert import to_raw
from smolml_value.extending import MODE, PASS_LOCK

if TYPE_CHECKING:  # the module needs NumPy
    from smolml_array._replay.recorded_step import RecordedStep

KEPT: Final = 8
"""For how many different shapes of its arguments a step is kept."""

PRICE: Final = 500
"""What a recording costs, in steps; as many as are kept are free. So a step costs hardly more than
the graph however often shapes, or arrays that the function has from elsewhere, change."""


def replay(f: Callable[..., MLArray], params: Iterable[MLArray]) -> Replay:
    """f with its backward pass, recorded at the first call and played back from then on.

    `step = replay(f, params)` makes `loss = step(*data)` mean

        loss = f(*data); loss.backward(); loss = loss.detach()

    to the last bit, for less: played back, a step is the bare NumPy calls, each into a buffer
    that stays. What pays is small arrays, where the graph costs more than the arithmetic. After
    CUDA graphs and `torch.compile(mode="reduce-overhead")`.

    It is recorded anew for arguments of other shapes, dtypes or layouts (eight are kept), and when
    an MLArray or a NumPy array that f has from elsewhere, and reads, has changed; where that
    happens all the time, the step goes through the graph. Truth values that ops take from numbers
    (is a class index out of range?), and how many elements a mask takes, are conditions of the
    recording: where one comes out differently, that step goes through the graph. So does every
    step on the pure backend, and inside `no_grad()` and `detect_anomaly()`.

    What f does otherwise than by ops on its arguments and on params happens when it is recorded,
    and is the same in each step: what it takes from numbers, lists and Values, what NumPy computes
    for it, the branches it goes, the attributes it sets. At the first call f is run twice, and must
    do the same both times: random numbers that it draws are refused. Pass what changes from step to
    step as an argument. Arrays that f makes itself it may change as it likes.

    Args:
        f: a function of arrays that returns one array, of which backward is called. It may use
            `params` from elsewhere, as a model does its weights, and constants.
        params: the leaves whose gradients are wanted. Those among the arguments of a step get
            theirs without being named here.

    Returns:
        The step: a function of what f takes, of which what is no MLArray becomes a constant: an
        int one of int64, a float one as wide as the arrays that have floats. The first call with
        arguments of some shape is slow.

    Raises:
        GraphError: (a step) f reads numbers, by `item()`, `float()` or printing; changes an array
            that it has not made; draws random numbers; or uses something that has a gradient and
            that it was not given.
        TypeError: something among the parameters that is no MLArray.
        ValueError: a parameter is given twice.

    >>> w = MLArray([[1.0], [2.0]])
    >>> step = replay(lambda x, t: ((x @ w - t) ** 2).mean(), [w])
    >>> step([[1.0, 1.0]], [[2.0]]).item(), w.grad().to_list()
    (1.0, [[2.0], [2.0]])
    >>> w.zero_grad()
    >>> step([[1.0, 0.0]], [[0.0]]).item(), w.grad().to_list()
    (1.0, [[2.0], [0.0]])
    """
    return Replay(f, params)


class Replay:
    """A step that `replay` has made."""

    def __init__(self, f: Callable[..., MLArray], params: Iterable[MLArray]) -> None:
        if isinstance(params, MLArray):
            raise TypeError("replay: expected a list of parameters, got one MLArray; write [x]")
        self._f = f
        self._params = list(params)
        for i, p in enumerate(self._params):
            if not isinstance(p, MLArray):
                raise TypeError(
                    f"replay: parameter {i} must be an MLArray, got {type(p).__name__} {p!r:.60}"
                )
        if len({id(p) for p in self._params}) != len(self._params):
            raise ValueError("replay: a parameter is given twice; give each once")
        self._steps: list[RecordedStep] = []  # the last one that was used comes first
        self._lock = threading.RLock()
        self._playing = threading.Lock()  # held inside the other one, by the same thread
        self._budget = KEPT * PRICE

    @property
    def recordings(self) -> int:
        """For how many different shapes of the arguments there is a recording."""
        return len(self._steps)

    def __reduce__(self) -> Any:
        return Replay, (self._f, self._params)  # it is recorded anew where it arrives

    def __repr__(self) -> str:
        name = getattr(self._f, "__name__", type(self._f).__name__)
        return f"<replay of {name}: {self.recordings} recordings>"

    def __call__(self, *data: ArrayLike) -> MLArray:
        """The value of f(*data), a constant; adds the gradients to those of the leaves."""
        nodes = []
        for p in self._params:
            node = p._node  # most are plain leaves: one look, since this is in every step
            plain = not node.is_live and HOOKS.on_read is None
            nodes.append(node if plain else p._current_node())
        xp = nodes[0].backend if nodes else self._backend_of(data)
        for x in data:
            if isinstance(x, MLArray):
                node = x._node
                plain = not node.is_live and HOOKS.on_read is None
                nodes.append(node if plain else x._current_node())
            else:
                nodes.append(ArrayNode(xp, self._numbers(xp, x, data), False))
        step = parts = None
        with self._lock:
            # it is played already if it is called by f, or by what has interrupted it
            if not (MODE.special or self._playing.locked()):
                with self._playing:
                    self._budget += 1
                    step = self._step(xp, nodes)
                    parts = None if step is None else step.play()
        if step is None or parts is None:
            return self._once(xp, data)
        with PASS_LOCK:
            commit(step.gradients(nodes, parts))
        return MLArray._constant(xp, parts[0])

    def _step(self, xp: Backend, nodes: list[ArrayNode]) -> RecordedStep | None:
        """What is recorded for arguments like these, now if need be; None for the graph."""
        steps = self._steps
        for step in steps:
            if step.takes(nodes):
                if step is not steps[0]:
                    steps.remove(step)
                    steps.insert(0, step)
                return step
        if xp.name != "numpy" or any(node.backend is not xp for node in nodes) or xp.adopts:
            return None
        steps[:] = [s for s in steps if s.is_current()]
        budget = min(self._budget, KEPT * PRICE)
        if budget < PRICE:
            return None
        from smolml_array._replay.recorded_step import record  # which needs NumPy

        step = record(self._f, self._params, nodes)
        self._budget = budget - PRICE
        steps[:] = [step, *steps][:KEPT]
        return step

    @staticmethod
    def _backend_of(data: Iterable[ArrayLike]) -> Backend:
        """The backend for data that is not on one, where there are no parameters to go by."""
        own = (x._node.backend for x in data if isinstance(x, MLArray))
        return next(own, None) or default_backend()

    def _once(self, xp: Backend, data: Sequence[ArrayLike]) -> MLArray:
        """The same through the graph."""
        given = (
            x if isinstance(x, MLArray) else MLArray._constant(xp, self._numbers(xp, x, data, True))
            for x in data
        )
        loss = self._f(*given)
        loss.backward()
        return loss.detach()

    def _numbers(
        self, xp: Backend, x: ArrayLike, data: Sequence[ArrayLike], copy: bool | None = None
    ) -> Raw:
        """Those of an argument that is no MLArray; a float is as wide as the arrays beside it."""
        raw = to_raw(xp, x, "replay", copy=copy)
        if not copy and xp.name == "numpy" and not raw.flags.c_contiguous:
            raw = to_raw(xp, x, "replay", copy=True)  # it lies as it does in the graph
        if type(x) is float:
            arrays = [*self._params, *(a for a in data if isinstance(a, MLArray))]
            floats = {a.dtype.name: a.dtype for a in arrays if a.dtype.name.startswith("float")}
            if [*floats] == ["float32"]:
                return xp.astype(raw, floats["float32"])
        return raw
