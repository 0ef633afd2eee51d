"""Random expressions, as programs: evaluated on Values, by dual numbers or with PyTorch alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

BINARY: tuple[str, ...] = ("add", "sub", "mul", "div", "max", "min")
UNARY: tuple[str, ...] = ("tanh", "sin", "exp", "neg", "sqr", "abs", "relu", "sigmoid", "log1p")


@dataclass(frozen=True)
class Step:
    """One operation on earlier results, given by their index; `constant` replaces the second."""

    name: str
    left: int
    right: int
    constant: float | None


@st.composite
def programs(draw: st.DrawFn, inputs: int = 3, most: int = 20) -> list[Step]:
    """Steps over `inputs` numbers; each step may reuse any result before it, also twice."""
    steps = []
    for made in range(inputs, inputs + draw(st.integers(1, most))):
        index = st.integers(0, made - 1)
        constant = draw(st.none() | st.sampled_from([-1.5, 0.5, 2.0]))
        name = draw(st.sampled_from(BINARY + UNARY))
        steps.append(Step(name, draw(index), draw(index), constant))
    return steps


def run(steps: Sequence[Step], xs: Sequence[Any], ops: dict[str, Callable[..., Any]]) -> Any:
    """The result: the sum of all steps, damped, so that every step counts and none overflows."""
    made = list(xs)
    for step in steps:
        left = made[step.left]
        right = made[step.right] if step.constant is None else step.constant
        out = ops[step.name](left, right) if step.name in BINARY else ops[step.name](left)
        made.append(out)
    total = made[0] * 1.0
    for result in made[1:]:
        total = total + ops["tanh"](result * 0.25)
    return total


# A forward-mode oracle: numbers with one tangent, about as small as it can be ---------------------


@dataclass(frozen=True)
class Dual:
    """x + t e with e**2 = 0 (Clifford 1873): arithmetic on it is the chain rule."""

    x: float
    t: float = 0.0

    def __add__(self, other: Dual | float) -> Dual:
        o = _dual(other)
        return Dual(self.x + o.x, self.t + o.t)

    def __sub__(self, other: Dual | float) -> Dual:
        o = _dual(other)
        return Dual(self.x - o.x, self.t - o.t)

    def __mul__(self, other: Dual | float) -> Dual:
        o = _dual(other)
        return Dual(self.x * o.x, self.t * o.x + self.x * o.t)

    def __neg__(self) -> Dual:
        return Dual(-self.x, -self.t)


def _dual(x: Dual | float) -> Dual:
    return x if isinstance(x, Dual) else Dual(x)


def _choose(left: Dual, right: Dual | float, first: Callable[[float, float], bool]) -> Dual:
    r = _dual(right)
    if left.x == r.x:
        return Dual(left.x, (left.t + r.t) / 2)
    return left if first(left.x, r.x) else r


def _divide(left: Dual, right: Dual | float) -> Dual:
    # 1 + r**2 in the denominator: nothing is divided by zero
    r = _dual(right)
    d, dt = 1.0 + r.x * r.x, 2.0 * r.x * r.t
    return Dual(left.x / d, (left.t * d - left.x * dt) / d**2)


def _lift(f: Callable[[float], float], df: Callable[[float], float]) -> Callable[[Dual], Dual]:
    return lambda d: Dual(f(d.x), df(d.x) * d.t)


def _sigma(x: float) -> float:
    e = math.exp(min(x, 40.0))
    return e / (1.0 + e)


DUAL_OPS: dict[str, Callable[..., Dual]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: DUAL_OPS["tanh"](a) * b,  # squashed, so that products stay small
    "div": _divide,
    "max": lambda a, b: _choose(a, b, lambda x, y: x > y),
    "min": lambda a, b: _choose(a, b, lambda x, y: x < y),
    "tanh": _lift(math.tanh, lambda x: 1.0 / math.cosh(x) ** 2 if abs(x) < 300.0 else 0.0),
    "sin": _lift(math.sin, math.cos),
    "exp": lambda d: _lift(math.exp, math.exp)(DUAL_OPS["tanh"](d)),
    "neg": lambda d: -d,
    "sqr": lambda d: _lift(lambda x: math.pow(x, 2.0), lambda x: 2.0 * x)(DUAL_OPS["tanh"](d)),
    "abs": _lift(math.fabs, lambda x: float((x > 0) - (x < 0))),
    "relu": _lift(lambda x: max(x, 0.0), lambda x: float(x > 0)),
    "sigmoid": _lift(_sigma, lambda x: _sigma(x) * _sigma(-x)),
    "log1p": lambda d: _lift(math.log1p, lambda x: 1.0 / (1.0 + x))(DUAL_OPS["abs"](d)),
}


# The forwards are the same float functions in the same order as those of the Values, so that both
# meet the same ties, to the bit.


def distance_to_a_kink(steps: Sequence[Step], xs: Sequence[float]) -> float:
    """How near any abs, relu, max or min on the way is to its kink."""
    found = [math.inf]

    def noted(name: str) -> Callable[..., Dual]:
        def op(a: Dual, b: Dual | float = 0.0) -> Dual:
            if a is not b:
                found.append(abs(a.x - _dual(b).x))
            return DUAL_OPS[name](a, b) if name in BINARY else DUAL_OPS[name](a)

        return op

    watched = {name: noted(name) for name in ("max", "min", "abs", "relu", "log1p")}
    run(steps, [Dual(x) for x in xs], DUAL_OPS | watched)
    return min(found)


def forward_mode(steps: Sequence[Step], xs: Sequence[float]) -> tuple[float, list[float]]:
    """The result and its gradient, one pass per input."""
    passes = [
        run(steps, [Dual(x, float(i == j)) for j, x in enumerate(xs)], DUAL_OPS)
        for i in range(len(xs))
    ]
    return passes[0].x, [d.t for d in passes]


VALUE_OPS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a.tanh() * b,
    "div": lambda a, b: a / (b * b + 1.0),
    "max": lambda a, b: a.maximum(b),
    "min": lambda a, b: a.minimum(b),
    "tanh": lambda a: a.tanh(),
    "sin": lambda a: a.sin(),
    "exp": lambda a: a.tanh().exp(),
    "neg": lambda a: -a,
    "sqr": lambda a: a.tanh() ** 2,
    "abs": abs,
    "relu": lambda a: a.relu(),
    "sigmoid": lambda a: a.sigmoid(),
    "log1p": lambda a: abs(a).log1p(),
}


def torch_ops(torch: Any) -> dict[str, Callable[..., Any]]:
    """The same on PyTorch's tensors."""

    def tensor(x: Any) -> Any:
        return torch.as_tensor(x, dtype=torch.float64)

    return {
        **VALUE_OPS,
        "max": lambda a, b: torch.maximum(a, tensor(b)),
        "min": lambda a, b: torch.minimum(a, tensor(b)),
    }
