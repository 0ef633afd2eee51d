"""A character-level GPT on scalars, and its trainer; the class of the numbers is an argument.

A number needs attributes `data` and `grad`, methods `exp`, `log`, `relu` and `backward`, and
operators that take plain numbers too. Nothing else in this file knows what it computes with.

The model is that of Radford et al. (2019) in its smallest form, with RMS norm (Zhang & Sennrich
2019) and without biases; the optimizer is Adam (Kingma & Ba 2015).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pydoc_data.topics import topics
from typing import Any

Number = Any
Vector = list[Number]
Matrix = list[Vector]

CHARACTERS = " abcdefghijklmnopqrstuvwxyz.,"


@dataclass(frozen=True)
class Size:
    """How large the model is."""

    width: int = 16
    heads: int = 4
    layers: int = 1
    context: int = 8


def text() -> str:
    """Prose about Python, of the characters above."""
    words = " ".join(topics[name] for name in sorted(topics)).lower().split()
    plain = (word.strip("\"'*`()[]:") for word in words)
    return " ".join(word for word in plain if word and set(word) <= set(CHARACTERS))


def initial(size: Size, seed: int = 0) -> dict[str, list[list[float]]]:
    """The weights to begin with, by name."""
    draw = random.Random(seed)

    def matrix(rows: int, columns: int, spread: float) -> list[list[float]]:
        return [[draw.gauss(0.0, spread) for _ in range(columns)] for _ in range(rows)]

    n = size.width
    weights = {"token": matrix(len(CHARACTERS), n, 0.1), "place": matrix(size.context, n, 0.1)}
    for i in range(size.layers):
        for name in ("query", "key", "value", "mix"):
            weights[f"{name}{i}"] = matrix(n, n, n**-0.5)
        weights[f"widen{i}"] = matrix(4 * n, n, n**-0.5)
        weights[f"narrow{i}"] = matrix(n, 4 * n, (4 * n) ** -0.5)
    weights["head"] = matrix(len(CHARACTERS), n, n**-0.5)
    return weights


def windows(size: Size, seed: int = 1) -> Iterator[list[int]]:
    """Random pieces of the text as indices of characters, one longer than the context."""
    written, draw = text(), random.Random(seed)
    while True:
        start = draw.randrange(len(written) - size.context)
        yield [CHARACTERS.index(c) for c in written[start : start + size.context + 1]]


# The model -------------------------------------------------------------------------------------


def linear(x: Vector, rows: Matrix) -> Vector:
    """The matrix times x."""
    return [sum(w * v for w, v in zip(row, x)) for row in rows]


def plus(x: Vector, y: Vector) -> Vector:
    """x + y."""
    return [a + b for a, b in zip(x, y)]


def normalized(x: Vector) -> Vector:
    """x divided by the root of its mean square."""
    scale = (sum(v * v for v in x) / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]


def softmax(x: Vector) -> Vector:
    """exp(x_i) / sum of exp(x_j)."""
    top = max(v.data for v in x)
    powers = [(v - top).exp() for v in x]
    total = sum(powers)
    return [p / total for p in powers]


class GPT:
    """The model: the loss of a piece of text."""

    def __init__(self, number: Callable[[float], Number], size: Size) -> None:
        self.size = size
        self.weights: dict[str, Matrix] = {
            name: [[number(w) for w in row] for row in rows] for name, rows in initial(size).items()
        }

    def parameters(self) -> list[Number]:
        """All weights, in order."""
        return [w for rows in self.weights.values() for row in rows for w in row]

    def loss(self, piece: list[int]) -> Number:
        """The mean of -log p(next character) over the piece."""
        seen: list[tuple[list[Vector], list[Vector]]] = [([], []) for _ in range(self.size.layers)]
        losses = []
        for place, (here, following) in enumerate(pairwise(piece)):
            x = normalized(plus(self.weights["token"][here], self.weights["place"][place]))
            for i, (keys, values) in enumerate(seen):
                x = self.block(x, i, keys, values)
            chances = softmax(linear(x, self.weights["head"]))
            losses.append(-chances[following].log())
        return sum(losses) * (1.0 / len(losses))

    def block(self, x: Vector, i: int, keys: list[Vector], values: list[Vector]) -> Vector:
        """One layer: attention to what came before, then a perceptron, each added to x."""
        w, heads = self.weights, self.size.heads
        n = self.size.width // heads
        y = normalized(x)
        query = linear(y, w[f"query{i}"])
        keys.append(linear(y, w[f"key{i}"]))
        values.append(linear(y, w[f"value{i}"]))
        mixed: Vector = []
        for h in range(0, self.size.width, n):
            scores = [
                sum(q * k for q, k in zip(query[h : h + n], key[h : h + n])) * n**-0.5
                for key in keys
            ]
            shares = softmax(scores)
            mixed += [
                sum(share * value[j] for share, value in zip(shares, values))
                for j in range(h, h + n)
            ]
        x = plus(x, linear(mixed, w[f"mix{i}"]))
        hidden = [v.relu() for v in linear(normalized(x), w[f"widen{i}"])]
        return plus(x, linear(hidden, w[f"narrow{i}"]))


# The trainer -----------------------------------------------------------------------------------


class Trainer:
    """Adam on the loss of one random piece of text a step."""

    def __init__(self, number: Callable[[float], Number], size: Size | None = None) -> None:
        size = size or Size()
        self.model = GPT(number, size)
        self.pieces = windows(size)
        self.parameters = self.model.parameters()
        self.means = [0.0] * len(self.parameters)
        self.squares = [0.0] * len(self.parameters)
        self.steps = 0

    def step(self, rate: float = 0.01, b1: float = 0.9, b2: float = 0.95) -> float:
        """One step; the loss before it."""
        loss = self.model.loss(next(self.pieces))
        loss.backward()
        self.steps += 1
        for i, p in enumerate(self.parameters):
            g = p.grad
            self.means[i] = b1 * self.means[i] + (1 - b1) * g
            self.squares[i] = b2 * self.squares[i] + (1 - b2) * g * g
            mean = self.means[i] / (1 - b1**self.steps)
            square = self.squares[i] / (1 - b2**self.steps)
            p.data -= rate * mean / (square**0.5 + 1e-8)
            p.grad = 0.0
        return float(loss.data)
