"""The programs on HIPS autograd, where it is installed and knows what they do."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from tests.fuzz.machines import Function, Key, OnTensors, Window
from tests.fuzz.program import Program
from tests.fuzz.subject import NothingError, Subject, compare, outcome

_NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "pow": "power",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}


class Names:
    """What PyTorch's functions are called there, for the twins of ours that are written for it."""

    def __init__(self) -> None:
        special = importlib.import_module("autograd.scipy.special")
        self.np: Any = importlib.import_module("autograd.numpy")
        self.erf, self._logsumexp = special.erf, special.logsumexp
        self.tensor, self.cat = np.asarray, self.np.concatenate

    def __getattr__(self, name: str) -> Any:
        return getattr(self.np, _NAMES.get(name, name))

    def sigmoid(self, x: Any) -> Any:
        return 0.5 * (1.0 + self.np.tanh(0.5 * x))

    def clip(self, x: Any, min: float = -math.inf, max: float = math.inf) -> Any:
        return self.np.clip(x, min, max)

    def logsumexp(self, x: Any, axis: int) -> Any:
        return self._logsumexp(x, axis=axis)


@cache
def names() -> Names | None:
    """Names, or None where autograd is not installed."""
    return Names() if importlib.util.find_spec("autograd") else None


class OnAutograd(OnTensors):
    """autograd's boxes of float64."""

    def __init__(self, t: Names) -> None:
        self.torch, self.rounding = t, 0
        self._numbers_of = importlib.import_module("autograd.tracer").getval

    def arguments(self, program: Program) -> list[Any]:
        return [leaf.array() for leaf in program.leaves]

    def differentiated(self, f: Function, arguments: Sequence[Any]) -> tuple[float, list[float]]:
        make_vjp: Any = importlib.import_module("autograd").make_vjp
        ends = np.cumsum([a.size for a in arguments])

        def of_all(flat: Any) -> Any:
            parts = zip(ends, arguments, strict=True)
            return f([flat[end - a.size : end].reshape(a.shape) for end, a in parts])

        vjp, loss = make_vjp(of_all)(np.concatenate([a.ravel() for a in arguments]))
        return float(loss), [float(n) for n in vjp(np.float64(1.0))]

    def greater(self, x: Any, number: float) -> Any:
        return self.made((self.numbers(x) > number).astype(float))

    def numbers(self, x: Any) -> Any:
        return np.asarray(self._numbers_of(x.tensor))

    def assign(self, x: Any, key: Key, y: Any) -> None:
        at = x.at[key]
        number = (y.tensor if isinstance(y, Window) else float(y)) + np.zeros(at.shape)
        flat = x.memory.flat
        here = np.zeros((flat.size, at.size))
        here[np.ravel(at), np.arange(at.size)] = 1.0
        placed = self.torch.dot(here, number.reshape(-1))
        x.memory.flat = self.torch.where(here.any(axis=1), placed, flat)

    def set(self, x: Any, at: tuple[int, ...], number: float) -> None:
        place = int(x.at[at])
        change = np.zeros(x.memory.flat.size)
        change[place] = number - self._numbers_of(x.memory.flat)[place]
        x.memory.flat = x.memory.flat + change

    def detached(self, x: Any) -> Any:
        return self.made(self.numbers(x).copy())


def on_autograd(subject: Subject) -> None:
    """Where all of it is known there, and finite."""
    t = names()
    if subject.program.edges or t is None:
        raise NothingError
    try:
        got = outcome(OnAutograd(t), subject.program)
    except (AttributeError, TypeError, ValueError, NotImplementedError) as error:
        raise NothingError from error  # a function is PyTorch's alone, or has no gradient there
    if not np.isfinite(got.gradients).all():
        raise NothingError  # it has no rule for zero times infinity
    compare(subject, got)
