"""The programs that scalar.py times, and their derivatives written by hand on plain floats.

A program is a function of a tree (nested lists of numbers). It is written once, for whatever acts
like a number, and once more on floats, with its derivative, which every contestant's gradient is
compared with before anything is timed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any

Tree = Any
"""A number, or a list of trees."""


@dataclass(frozen=True)
class Program:
    """What is computed, on which numbers, and by hand.

    `generic(tree, relu)` is for anything that acts like a number, `fused(tree, fused)` for Values
    with the n-ary ops of `smolml_value.fused`; one of them may be missing.
    """

    name: str
    inputs: Tree
    by_hand: Callable[[Tree], tuple[float, Tree]]
    generic: Callable[[Tree, Callable[[Any], Any]], Any] | None = None
    fused: Callable[[Tree, ModuleType], Any] | None = None
    repeat: int = 1  # so many graphs, each with its own backward()


def tree_map(f: Callable[[Any], Any], tree: Tree) -> Tree:
    """The same tree with f applied to each number."""
    return [tree_map(f, part) for part in tree] if isinstance(tree, list) else f(tree)


def leaves(tree: Tree) -> list[Any]:
    """The numbers of a tree, in order."""
    return [x for part in tree for x in leaves(part)] if isinstance(tree, list) else [tree]


_rng = random.Random(0)


def _numbers(n: int, size: float = 1.0) -> list[float]:
    return [_rng.uniform(-size, size) for _ in range(n)]


# Dot product -----------------------------------------------------------------------------------


def dot_loop(tree: Tree, relu: Callable[[Any], Any]) -> Any:
    xs, ys = tree
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        total = total + x * y
    return total


def dot_fused(tree: Tree, fused: ModuleType) -> Any:
    xs, ys = tree
    return fused.dot(xs, ys)


def dot_by_hand(tree: Tree) -> tuple[float, Tree]:
    xs, ys = tree
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        total = total + x * y
    g = 1.0
    return total, [[g * y for y in ys], [g * x for x in xs]]


# A perceptron: 2 inputs, two hidden layers of 16, squared error over a few points ----------------

_POINTS = [(_numbers(2), _rng.choice((-1.0, 1.0))) for _ in range(8)]
_SIZES = (2, 16, 16, 1)


def _layers() -> Tree:
    """For each layer a list of neurons [weights, bias]."""
    return [
        [[_numbers(n, n**-0.5), _rng.uniform(0.0, 0.1)] for _ in range(m)]
        for n, m in pairwise(_SIZES)
    ]


def perceptron(tree: Tree, relu: Callable[[Any], Any]) -> Any:
    loss: Any = 0.0
    last = len(tree) - 1
    for point, target in _POINTS:
        a: Sequence[Any] = point
        for i, layer in enumerate(tree):
            sums = []
            for weights, bias in layer:
                s = bias
                for w, x in zip(weights, a, strict=True):
                    s = s + w * x
                sums.append(s)
            a = sums if i == last else [relu(s) for s in sums]
        loss = loss + (a[0] - target) ** 2
    return loss


def perceptron_fused(tree: Tree, fused: ModuleType) -> Any:
    dot = fused.dot
    losses = []
    last = len(tree) - 1
    for point, target in _POINTS:
        a: Sequence[Any] = point
        for i, layer in enumerate(tree):
            sums = [dot(weights, a) + bias for weights, bias in layer]
            a = sums if i == last else [s.relu() for s in sums]
        losses.append((a[0] - target) ** 2)
    return fused.fsum(losses)


def perceptron_by_hand(tree: Tree) -> tuple[float, Tree]:
    gradient = [[[[0.0] * len(weights), 0.0] for weights, _ in layer] for layer in tree]
    loss = 0.0
    last = len(tree) - 1
    for point, target in _POINTS:
        a = point
        inputs = []  # of each layer
        for i, layer in enumerate(tree):
            inputs.append(a)
            sums = []
            for weights, bias in layer:
                s = bias
                for w, x in zip(weights, a, strict=True):
                    s = s + w * x
                sums.append(s)
            a = sums if i == last else [s if s > 0.0 else 0.0 for s in sums]
        error = a[0] - target
        loss = loss + error**2
        gs = [2.0 * error]
        for i in range(last, -1, -1):
            layer, a = tree[i], inputs[i]
            ga = [0.0] * len(a)
            for neuron, sums_to, g in zip(layer, gradient[i], gs, strict=True):
                if g != 0.0:
                    weights = neuron[0]
                    gw = sums_to[0]
                    sums_to[1] += g
                    for j, x in enumerate(a):
                        gw[j] += g * x
                        ga[j] += g * weights[j]
            # a is the output of a relu, so it is zero where the slope is
            gs = [g if x > 0.0 else 0.0 for g, x in zip(ga, a, strict=True)] if i else ga
    return loss, gradient


# A polynomial by Horner's rule -------------------------------------------------------------------


def polynomial(tree: Tree, relu: Callable[[Any], Any]) -> Any:
    coefficients, x = tree
    p = coefficients[0]
    for c in coefficients[1:]:
        p = p * x + c
    return p


def polynomial_by_hand(tree: Tree) -> tuple[float, Tree]:
    coefficients, x = tree
    p = coefficients[0]
    steps = [p]
    for c in coefficients[1:]:
        p = p * x + c
        steps.append(p)
    g, gx = 1.0, 0.0
    gradient = []
    for step in reversed(steps[:-1]):
        gradient.append(g)
        gx += g * step
        g *= x
    gradient.append(g)
    return p, [gradient[::-1], gx]


# A deep chain ------------------------------------------------------------------------------------

_LINKS = 10_000


def chain(tree: Tree, relu: Callable[[Any], Any]) -> Any:
    v = tree[0]
    for _ in range(_LINKS):
        v = v * 0.9999
    return v


def chain_by_hand(tree: Tree) -> tuple[float, Tree]:
    v = tree[0]
    for _ in range(_LINKS):
        v = v * 0.9999
    g = 1.0
    for _ in range(_LINKS):
        g = g * 0.9999
    return v, [g]


# Many small graphs -------------------------------------------------------------------------------


def square(tree: Tree, relu: Callable[[Any], Any]) -> Any:
    (x,) = tree
    return x * x


def square_by_hand(tree: Tree) -> tuple[float, Tree]:
    (x,) = tree
    return x * x, [x + x]


_VECTORS: Tree = [_numbers(1000), _numbers(1000)]
_NETWORK: Tree = _layers()

PROGRAMS: tuple[Program, ...] = (
    Program("dot", _VECTORS, dot_by_hand, dot_loop),
    Program("dot, fused", _VECTORS, dot_by_hand, None, dot_fused),
    Program("perceptron", _NETWORK, perceptron_by_hand, perceptron),
    Program("perceptron, fused", _NETWORK, perceptron_by_hand, None, perceptron_fused),
    Program("polynomial", [_numbers(200), 0.99], polynomial_by_hand, polynomial),
    Program("deep chain", [0.7], chain_by_hand, chain),
    Program("small graphs", [0.7], square_by_hand, square, repeat=1000),
)
