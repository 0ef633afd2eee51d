"""The model of gpt.py on MLArray: the same weights, the same loss, whole matrices at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.gpt import Size, initial, windows
from smolml_array import MLArray
from smolml_utils import Adam


class ArrayTrainer:
    """As gpt.Trainer, with an MLArray for each matrix of weights."""

    def __init__(self, size: Size | None = None, rate: float = 0.01) -> None:
        self.size = size or Size()
        self.pieces: Iterator[list[int]] = windows(self.size)
        self.weights = {name: MLArray(rows) for name, rows in initial(self.size).items()}
        self.optimizer = Adam(rate, exp_decay_gradients=0.9, exp_decay_squared=0.95)
        n = self.size.context
        # added to the scores: nobody looks ahead
        self.mask = MLArray(
            [[0.0 if j <= i else -1e30 for j in range(n)] for i in range(n)], requires_grad=False
        )

    def loss(self, piece: list[int]) -> Any:
        """The mean of -log p(next character) over the piece."""
        w = self.weights
        x = _normalized(w["token"][piece[:-1]] + w["place"])
        for i in range(self.size.layers):
            y = _normalized(x)
            q, k, v = (self._split(y @ w[f"{name}{i}"].T) for name in ("query", "key", "value"))
            scores = q @ k.transpose(0, 2, 1) * (self.size.width // self.size.heads) ** -0.5
            mixed = (_softmax(scores + self.mask) @ v).transpose(1, 0, 2)
            x = x + mixed.reshape(self.size.context, self.size.width) @ w[f"mix{i}"].T
            hidden = (_normalized(x) @ w[f"widen{i}"].T).relu()
            x = x + hidden @ w[f"narrow{i}"].T
        chances = _softmax(x @ w["head"].T)
        return -chances[list(range(self.size.context)), piece[1:]].log().mean()

    def _split(self, x: MLArray) -> MLArray:
        """(place, width) as (head, place, part of the width)."""
        heads = self.size.heads
        return x.reshape(self.size.context, heads, self.size.width // heads).transpose(1, 0, 2)

    def step(self) -> float:
        """One step; the loss before it."""
        loss = self.loss(next(self.pieces))
        loss.backward()
        self.optimizer.step(list(self.weights.values()))
        for w in self.weights.values():
            w.zero_grad()
        return float(loss.item())


def _normalized(x: MLArray) -> MLArray:
    return x * ((x * x).mean(axis=-1, keepdims=True) + 1e-5) ** -0.5


def _softmax(x: MLArray) -> Any:
    powers = (x - x.max(axis=-1, keepdims=True).detach()).exp()
    return powers / powers.sum(axis=-1, keepdims=True)
