"""The contestants of scalar.py: each runs a program forward, or forward and backward."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import FunctionType, SimpleNamespace
from typing import Any

from benchmarks.programs import Program, leaves, tree_map

Run = Callable[[], Any]
Runs = tuple[Run, Run, Callable[[], list[float]]]
"""Forward; forward and backward; the gradient of one such run, to be compared."""


def own(f: Callable[..., Any]) -> Callable[..., Any]:
    """f with code of its own: CPython adapts code to the types it meets, and these are shared."""
    assert isinstance(f, FunctionType)
    return FunctionType(
        f.__code__.replace(), f.__globals__, f.__name__, f.__defaults__, f.__closure__
    )


class Floats:
    """Plain floats, with the derivative written by hand; "forward" is the same."""

    name = "floats, by hand"

    def prepare(self, program: Program) -> Runs | None:
        inputs, by_hand, repeat = program.inputs, program.by_hand, program.repeat

        def both() -> None:
            for _ in range(repeat):
                by_hand(inputs)

        return both, both, lambda: leaves(by_hand(inputs)[1])


class ValueLike:
    """Anything made with `leaf(number)` that has `relu()`, `backward()` and `grad`."""

    def __init__(self, name: str, leaf: Callable[[float], Any], fused: Any = None) -> None:
        self.name = name
        self.leaf = leaf
        self.fused = fused

    def function(self, program: Program, tree: Any) -> Run | None:
        """The program on a tree of leaves; None if it takes ops that are not there."""
        if program.generic is not None:
            generic, relu = own(program.generic), own(lambda x: x.relu())
            return own(lambda: generic(tree, relu))
        if self.fused is not None and program.fused is not None:
            fused, ops = own(program.fused), self.fused
            return own(lambda: fused(tree, ops))
        return None

    def prepare(self, program: Program) -> Runs | None:
        tree = tree_map(self.leaf, program.inputs)
        f = self.function(program, tree)
        if f is None:
            return None
        repeat = program.repeat

        def forward() -> None:
            for _ in range(repeat):
                f()

        def both() -> None:
            for _ in range(repeat):
                f().backward()

        def gradient() -> list[float]:
            fresh = tree_map(self.leaf, program.inputs)
            run = self.function(program, fresh)
            assert run is not None
            run().backward()
            return [float(x.grad) for x in leaves(fresh)]

        return own(forward), own(both), gradient


class Autograd:
    """HIPS autograd: one flat array goes in, whose elements are taken out one by one."""

    name = "autograd"

    def __init__(self) -> None:
        self.make_vjp = importlib.import_module("autograd").make_vjp
        self.numpy = importlib.import_module("autograd.numpy")

    def prepare(self, program: Program) -> Runs | None:
        if program.generic is None:
            return None
        generic, repeat, maximum = program.generic, program.repeat, self.numpy.maximum
        flat = self.numpy.array(leaves(program.inputs))

        def f(x: Any) -> Any:
            elements = iter([x[i] for i in range(len(flat))])
            return generic(
                tree_map(lambda _: next(elements), program.inputs), lambda s: maximum(s, 0.0)
            )

        trace = self.make_vjp(f)

        def forward() -> None:
            for _ in range(repeat):
                trace(flat)

        def both() -> None:
            for _ in range(repeat):
                trace(flat)[0](1.0)

        return forward, both, lambda: [float(x) for x in trace(flat)[0](1.0)]


Contestant = Floats | ValueLike | Autograd


def others() -> Sequence[Contestant]:
    """The libraries that are installed here."""
    found: list[Contestant] = []
    if importlib.util.find_spec("micrograd"):
        sys.setrecursionlimit(100_000)  # its backward() recurses as deep as the graph is
        found.append(ValueLike("micrograd", importlib.import_module("micrograd.engine").Value))
    if importlib.util.find_spec("autograd"):
        found.append(Autograd())
    if importlib.util.find_spec("torch"):
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)

        def leaf(x: float) -> Any:
            return torch.tensor(x, dtype=torch.float64, requires_grad=True)

        found.append(ValueLike("PyTorch", leaf))
    return found


def ours(kind: str, build: SimpleNamespace) -> Contestant:
    """One build of smolml-value."""
    return ValueLike(f"smolml-value, {kind}", build.Value, build.fused)
