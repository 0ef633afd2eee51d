"""What the pure backend gains: a training step on arrays of lists against one object per element.

One step is forward, backward and the gradients of all parameters, for a perceptron with one hidden
layer (relu, mean squared error). Everybody starts from the same numbers, and their gradients are
compared before anybody is timed.

Run it: python -m benchmarks.pure [--rounds N] [--batch N] [--sizes IN HIDDEN OUT]
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from smolml_array import MLArray, use_backend
from smolml_value import Value

Matrix = list[list[float]]
Gradients = list[list[float]]
Step = Callable[[], Gradients]


# One object per element ------------------------------------------------------------------------


class Scalar:
    """A number in a graph, as every element is where arrays are nested lists of objects.

    The usual lesson's design: each operation makes an object with its operands in a set and a
    closure for its derivative; backward sorts the graph and calls the closures.
    """

    def __init__(self, data: float, children: tuple[Scalar, ...] = (), op: str = "") -> None:
        self.data = data
        self.grad = 0.0
        self._backward: Callable[[], None] = lambda: None
        self._prev = set(children)
        self._op = op

    def __add__(self, other: Scalar | float) -> Scalar:
        right = other if isinstance(other, Scalar) else Scalar(other)
        out = Scalar(self.data + right.data, (self, right), "+")

        def backward() -> None:
            self.grad += out.grad
            right.grad += out.grad

        out._backward = backward
        return out

    def __mul__(self, other: Scalar | float) -> Scalar:
        right = other if isinstance(other, Scalar) else Scalar(other)
        out = Scalar(self.data * right.data, (self, right), "*")

        def backward() -> None:
            self.grad += right.data * out.grad
            right.grad += self.data * out.grad

        out._backward = backward
        return out

    def __sub__(self, other: Scalar) -> Scalar:
        return self + other * -1.0

    __radd__ = __add__
    __rmul__ = __mul__

    def relu(self) -> Scalar:
        out = Scalar(max(self.data, 0.0), (self,), "relu")

        def backward() -> None:
            self.grad += (out.data > 0.0) * out.grad

        out._backward = backward
        return out

    def backward(self) -> None:
        order: list[Scalar] = []
        visited: set[Scalar] = set()

        def build(node: Scalar) -> None:
            if node not in visited:
                visited.add(node)
                for child in node._prev:
                    build(child)
                order.append(node)

        build(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()


def objects(leaf: Callable[[float], Any], x: Matrix, t: Matrix, parameters: Sequence[Any]) -> Step:
    """The step on nested lists of objects, element by element, anew each time."""

    def dense(rows: Any, w: Any, b: Any) -> Any:
        columns = [list(column) for column in zip(*w, strict=True)]
        return [
            [
                sum((p * q for p, q in zip(row, column, strict=True)), start=bias)
                for column, bias in zip(columns, b, strict=True)
            ]
            for row in rows
        ]

    def step() -> Gradients:
        made = [_mapped(leaf, p) for p in parameters]
        inputs, targets = _mapped(leaf, x), _mapped(leaf, t)
        w1, b1, w2, b2 = made
        hidden = [[h.relu() for h in row] for row in dense(inputs, w1, b1)]
        out = dense(hidden, w2, b2)
        errors = [
            o - u
            for row, wanted in zip(out, targets, strict=True)
            for o, u in zip(row, wanted, strict=True)
        ]
        loss = sum((e * e for e in errors), start=leaf(0.0)) * (1.0 / len(errors))
        loss.backward()
        return [[v.grad for v in _flat(p)] for p in made]

    return step


def _mapped(f: Callable[[float], Any], nested: Any) -> Any:
    return [_mapped(f, v) for v in nested] if isinstance(nested, list) else f(nested)


def _flat(nested: Any) -> list[Any]:
    return [v for item in nested for v in _flat(item)] if isinstance(nested, list) else [nested]


# Arrays ----------------------------------------------------------------------------------------


def arrays(backend: str, x: Matrix, t: Matrix, parameters: Sequence[Any]) -> Step:
    """The step on MLArrays; data and parameters are arrays already, as in a training loop."""
    with use_backend(backend):
        inputs, targets = MLArray(x, requires_grad=False), MLArray(t, requires_grad=False)
        made = [MLArray(p) for p in parameters]
    w1, b1, w2, b2 = made

    def step() -> Gradients:
        error = (inputs @ w1 + b1).relu() @ w2 + b2 - targets
        (error * error).mean().backward()
        gradients = [p.grad().reshape(-1).to_list() for p in made]
        for p in made:
            p.zero_grad()
        return gradients

    return step


# Measuring -------------------------------------------------------------------------------------


def seconds(run: Step) -> float:
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def problem(batch: int, sizes: Sequence[int]) -> tuple[Matrix, Matrix, list[Any]]:
    """Inputs, targets, and the parameters w1, b1, w2, b2."""
    rng = random.Random(0)

    def matrix(n: int, m: int, scale: float = 1.0) -> Matrix:
        return [[scale * rng.gauss(0.0, 1.0) for _ in range(m)] for _ in range(n)]

    inner, hidden, outer = sizes
    parameters = [
        *(matrix(inner, hidden, inner**-0.5), matrix(1, hidden, 0.1)[0]),
        *(matrix(hidden, outer, hidden**-0.5), matrix(1, outer, 0.1)[0]),
    ]
    return matrix(batch, inner), matrix(batch, outer), parameters


def contestants(batch: int, sizes: Sequence[int]) -> dict[str, Step]:
    given = problem(batch, sizes)
    found = {
        "MLArray, pure": arrays("pure", *given),
        "one object per element": objects(Scalar, *given),
        "one smolml Value per element": objects(Value, *given),
    }
    try:
        found["MLArray, numpy"] = arrays("numpy", *given)
    except ImportError:
        print("NumPy is not installed: its backend is left out")
    return found


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def compare(steps: dict[str, Step]) -> None:
    """Raise if anybody's gradients differ."""
    wanted = _flat(next(iter(steps.values()))())
    for name, step in steps.items():
        got = _flat(step())
        if len(got) != len(wanted) or not all(map(_close, got, wanted)):
            raise AssertionError(f"{name}: its gradients differ")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--sizes", type=int, nargs=3, default=[64, 32, 10])
    options = parser.parse_args(arguments)
    sys.setrecursionlimit(100_000)  # sorting by recursion goes as deep as the longest sum
    steps = contestants(options.batch, options.sizes)
    compare(steps)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(options.rounds):
        for name, step in steps.items():
            turns = 1 if "per element" in name else 5
            times[name] += [seconds(step) for _ in range(turns)]
    medians = {name: statistics.median(found) for name, found in times.items()}
    pure = medians["MLArray, pure"]
    sizes = "-".join(map(str, options.sizes))
    print(f"One step, batch {options.batch}, {sizes}; median of {options.rounds} rounds:")
    for name, found in sorted(medians.items(), key=lambda item: item[1]):
        print(f"{name:30}{1e3 * found:12.2f} ms{found / pure:12.3g} times the pure backend")


if __name__ == "__main__":
    main()
