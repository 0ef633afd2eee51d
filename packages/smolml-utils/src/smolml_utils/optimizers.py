"""Optimizers, from gradients to better parameters, and schedules of their learning rates.

A schedule is a plain function of the number of the step:
`optimizer.learning_rate = cosine_decay(step, 0.1, 1000)` before each step is all there is to it.
It has no state: a training that goes on at some step has the rate of that step.
"""

from __future__ import annotations

import math
from typing import Any

from smolml_array.extending import Raw
from smolml_utils._operands import not_negative
from smolml_utils._optimizer import Optimizer, State

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Optimizer", "RMSProp", "SGDMomentum"]
__all__ += ["cosine_decay", "linear_warmup", "step_decay"]


class SGD(Optimizer):
    """Stochastic gradient descent.

    > x <- x - learning_rate g

    With weight decay, $g <- g + weight_decay x$ comes first. With momentum v takes the place of g,
    $v <- momentum_coefficient v + g$, and nesterov looks one step ahead: it takes
    $g + momentum_coefficient v$. The formulas are those of PyTorch's SGD.

    Source: Robbins & Monro 1951, "A stochastic approximation method"; Polyak 1964, "Some methods
    of speeding up the convergence of iteration methods"; Sutskever et al. 2013, "On the importance
    of initialization and momentum in deep learning".

    Args:
        learning_rate: the size of a step, at least 0.
        momentum_coefficient: how much of the last step stays, in [0, 1); PyTorch's `momentum`.
        nesterov: whether momentum is Nesterov's.
        weight_decay: how fast parameters shrink, in units of the learning rate; at least 0.

    Raises:
        ValueError: an argument out of its range, or nesterov without momentum.

    >>> from smolml_array import MLArray
    >>> w = MLArray([1.0, 2.0])
    >>> (w * w).sum().backward()
    >>> SGD(learning_rate=0.1).step([w])
    >>> w.to_list()
    [0.8, 1.6]
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum_coefficient: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate)
        self.momentum_coefficient: float = self._share("momentum_coefficient", momentum_coefficient)
        self.nesterov: bool = nesterov
        self.weight_decay: float = self._checked("weight_decay", weight_decay)
        if nesterov and not momentum_coefficient:
            raise ValueError(f"{self._who}: nesterov needs a momentum_coefficient above 0")

    def _advance(self, xp: Any, x: Raw, g: Raw, state: State) -> Raw:
        if self.weight_decay:
            g = g + self.weight_decay * x
        kept = self.momentum_coefficient
        if kept:
            velocity = state["velocity"] = kept * state.get("velocity", 0.0) + g
            g = g + kept * velocity if self.nesterov else velocity
        return x - self.learning_rate * g


class SGDMomentum(SGD):
    """`SGD` with momentum.

    > v <- momentum_coefficient v + g,   x <- x - learning_rate v

    Args:
        learning_rate: the size of a step, at least 0.
        momentum_coefficient: how much of the last step stays, in [0, 1).

    Raises:
        ValueError: an argument out of its range.

    >>> from smolml_value import Value
    >>> w, optimizer = Value(1.0), SGDMomentum(0.5, momentum_coefficient=0.5)
    >>> w.grad = 1.0
    >>> for _ in range(2):
    ...     optimizer.step([w])
    >>> w.data
    -0.25
    """

    def __init__(self, learning_rate: float = 0.01, momentum_coefficient: float = 0.9) -> None:
        super().__init__(learning_rate, momentum_coefficient)


class AdaGrad(Optimizer):
    """Steps that shrink with all gradients seen so far.

    > G <- G + g**2,   x <- x - learning_rate g / (sqrt(G) + epsilon)

    Source: Duchi, Hazan & Singer 2011, "Adaptive subgradient methods".

    Args:
        learning_rate: the size of a step, at least 0.
        epsilon: keeps the quotient finite where no gradient was seen; at least 0.

    Raises:
        ValueError: an argument out of its range.

    >>> from smolml_value import Value
    >>> w = Value(1.0)
    >>> w.grad = 4.0
    >>> AdaGrad(learning_rate=0.5, epsilon=0.0).step([w])
    >>> w.data
    0.5
    """

    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-8) -> None:
        super().__init__(learning_rate)
        self.epsilon: float = self._checked("epsilon", epsilon)

    def _advance(self, xp: Any, x: Raw, g: Raw, state: State) -> Raw:
        total = state["squared_gradients"] = state.get("squared_gradients", 0.0) + g * g
        return x - xp.divide(self.learning_rate * g, xp.sqrt(total) + self.epsilon)


class RMSProp(Optimizer):
    """Steps divided by a running root mean square of the gradients.

    > v <- d v + (1 - d) g**2,   x <- x - learning_rate g / (sqrt(v) + epsilon)

    Source: Tieleman & Hinton 2012, "Neural networks for machine learning", lecture 6.5.

    Args:
        learning_rate: the size of a step, at least 0.
        exp_decay_squared: d, how slowly squared gradients are forgotten, in [0, 1).
        epsilon: keeps the quotient finite where no gradient was seen; at least 0.

    Raises:
        ValueError: an argument out of its range.

    >>> from smolml_value import Value
    >>> w = Value(1.0)
    >>> w.grad = 4.0
    >>> RMSProp(learning_rate=0.5, exp_decay_squared=0.75, epsilon=0.0).step([w])
    >>> w.data
    0.0
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        exp_decay_squared: float = 0.9,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.exp_decay_squared: float = self._share("exp_decay_squared", exp_decay_squared)
        self.epsilon: float = self._checked("epsilon", epsilon)

    def _advance(self, xp: Any, x: Raw, g: Raw, state: State) -> Raw:
        d = self.exp_decay_squared
        mean = state["mean_square"] = d * state.get("mean_square", 0.0) + (1.0 - d) * (g * g)
        return x - xp.divide(self.learning_rate * g, xp.sqrt(mean) + self.epsilon)


class Adam(Optimizer):
    """Adaptive moments: momentum and RMSProp in one, both corrected for their start at 0.

    > m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g**2
    > x <- x - learning_rate * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + epsilon)

    t is the number of the step; every parameter counts its own.

    Source: Kingma & Ba 2014, arXiv:1412.6980.

    Args:
        learning_rate: the size of a step, at least 0.
        exp_decay_gradients: b1, how slowly gradients are forgotten, in [0, 1).
        exp_decay_squared: b2, how slowly squared gradients are forgotten, in [0, 1).
        epsilon: keeps the quotient finite where no gradient was seen; at least 0.

    Raises:
        ValueError: an argument out of its range.

    >>> from smolml_value import Value
    >>> w = Value(1.0)
    >>> w.grad = 4.0
    >>> Adam(learning_rate=0.5, epsilon=0.0).step([w])
    >>> w.data
    0.5
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        exp_decay_gradients: float = 0.9,
        exp_decay_squared: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.exp_decay_gradients: float = self._share("exp_decay_gradients", exp_decay_gradients)
        self.exp_decay_squared: float = self._share("exp_decay_squared", exp_decay_squared)
        self.epsilon: float = self._checked("epsilon", epsilon)

    def _advance(self, xp: Any, x: Raw, g: Raw, state: State) -> Raw:
        b1, b2 = self.exp_decay_gradients, self.exp_decay_squared
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = b1 * state.get("m", 0.0) + (1.0 - b1) * g
        v = state["v"] = b2 * state.get("v", 0.0) + (1.0 - b2) * (g * g)
        size = self.learning_rate / (1.0 - b1**t)
        root = xp.sqrt(v) * (1.0 / math.sqrt(1.0 - b2**t))
        return x - xp.divide(size * m, root + self.epsilon)


class AdamW(Adam):
    """Adam with decoupled weight decay: before Adam's step parameters shrink.

    > x <- (1 - learning_rate weight_decay) x

    Source: Loshchilov & Hutter 2017, arXiv:1711.05101.

    Args:
        learning_rate: the size of a step, at least 0.
        exp_decay_gradients: b1, how slowly gradients are forgotten, in [0, 1).
        exp_decay_squared: b2, how slowly squared gradients are forgotten, in [0, 1).
        weight_decay: how fast parameters shrink, in units of the learning rate; at least 0.
        epsilon: keeps the quotient finite where no gradient was seen; at least 0.

    Raises:
        ValueError: an argument out of its range.

    >>> from smolml_value import Value
    >>> w = Value(1.0)
    >>> AdamW(learning_rate=0.5, weight_decay=0.5).step([w])
    >>> w.data
    0.75
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        exp_decay_gradients: float = 0.9,
        exp_decay_squared: float = 0.999,
        weight_decay: float = 0.01,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate, exp_decay_gradients, exp_decay_squared, epsilon)
        self.weight_decay: float = self._checked("weight_decay", weight_decay)

    def _advance(self, xp: Any, x: Raw, g: Raw, state: State) -> Raw:
        shrunk = (1.0 - self.learning_rate * self.weight_decay) * x
        return super()._advance(xp, shrunk, g, state)


# Schedules -----------------------------------------------------------------------------------


def _part(who: str, step: float, steps: float) -> float:
    """How many times `steps` are done."""
    if not steps > 0:
        raise ValueError(f"{who} must be above 0, got {steps!r}")
    return not_negative(f"{who.partition(':')[0]}: step", step) / steps


def step_decay(step: float, rate: float, every: int, factor: float = 0.1) -> float:
    """The rate falls at once, `every` so many steps, by a factor. PyTorch's StepLR.

    > rate factor**(floor(step / every))

    Args:
        step: how many steps (or epochs) were taken before, from 0.
        rate: the learning rate at the start.
        every: after how many steps it falls; above 0.
        factor: what it is multiplied with then; 1 - 1e-3, say, every 1 step decays exponentially.

    Raises:
        ValueError: an argument out of its range.

    >>> [step_decay(step, 1.0, every=2, factor=0.5) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    count = math.floor(_part("step_decay: every", step, every))
    first, base = not_negative("step_decay: rate", rate), not_negative("step_decay: factor", factor)
    return first * math.pow(base, count)


def cosine_decay(step: float, rate: float, steps: int, end: float = 0.0) -> float:
    """The rate falls along half a cosine, and is `end` after all steps.

    > end + (rate - end) (1 + cos(pi step / steps)) / 2

    PyTorch's CosineAnnealingLR, which would go up again after them.
    Source: Loshchilov & Hutter 2016, arXiv:1608.03983.

    Args:
        step: how many steps were taken before, from 0.
        rate: the learning rate at the start.
        steps: in how many steps it falls; above 0.
        end: the learning rate at the end.

    Raises:
        ValueError: an argument out of its range.

    >>> [round(cosine_decay(step, 1.0, 4), 4) for step in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """
    done = _part("cosine_decay: steps", step, steps)
    last, first = not_negative("cosine_decay: end", end), not_negative("cosine_decay: rate", rate)
    return last + (first - last) * (1.0 + math.cos(math.pi * min(done, 1.0))) / 2.0


def linear_warmup(step: float, rate: float, steps: int, start: float = 0.0) -> float:
    """From `start` in a straight line to `rate`, where it stays. PyTorch's LinearLR.

    Another schedule takes over after it:
    `linear_warmup(i, 0.1, 10) if i < 10 else cosine_decay(i - 10, 0.1, 90)`.
    Source: Goyal et al. 2017, arXiv:1706.02677.

    Args:
        step: how many steps were taken before, from 0.
        rate: the learning rate at the end.
        steps: in how many steps it gets there; above 0.
        start: the learning rate at the start.

    Raises:
        ValueError: an argument out of its range.

    >>> [linear_warmup(step, 1.0, 4) for step in range(6)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    done = _part("linear_warmup: steps", step, steps)
    first = not_negative("linear_warmup: start", start)
    last = not_negative("linear_warmup: rate", rate)
    return first + (last - first) * min(done, 1.0)
