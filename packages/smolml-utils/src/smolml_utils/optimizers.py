"""Optimizers: from gradients to better parameters."""

from __future__ import annotations

import math
from typing import Any

from smolml_array.extending import Raw
from smolml_utils._optimizer import Optimizer, State

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Optimizer", "RMSProp", "SGDMomentum"]


class SGD(Optimizer):
    """Stochastic gradient descent: x <- x - learning_rate g.

    With weight decay, g <- g + weight_decay x comes first. With momentum
    v <- momentum_coefficient v + g takes the place of g, and nesterov looks one step ahead:
    g + momentum_coefficient v does. The formulas are those of PyTorch's SGD.

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
        self.momentum_coefficient: float = self._checked(
            "momentum_coefficient", momentum_coefficient, below=1.0
        )
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
    """`SGD` with momentum: v <- momentum_coefficient v + g, x <- x - learning_rate v.

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

    G <- G + g**2, x <- x - learning_rate g / (sqrt(G) + epsilon).

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
        total = state.get("squared_gradients", 0.0) + g * g
        state["squared_gradients"] = total
        return x - xp.divide(self.learning_rate * g, xp.sqrt(total) + self.epsilon)


class RMSProp(Optimizer):
    """Steps divided by a running root mean square of the gradients.

    v <- d v + (1 - d) g**2, x <- x - learning_rate g / (sqrt(v) + epsilon).

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
        self.exp_decay_squared: float = self._checked(
            "exp_decay_squared", exp_decay_squared, below=1.0
        )
        self.epsilon: float = self._checked("epsilon", epsilon)

    def _advance(self, xp: Any, x: Raw, g: Raw, state: State) -> Raw:
        d = self.exp_decay_squared
        mean = d * state.get("mean_square", 0.0) + (1.0 - d) * (g * g)
        state["mean_square"] = mean
        return x - xp.divide(self.learning_rate * g, xp.sqrt(mean) + self.epsilon)


class Adam(Optimizer):
    """Adaptive moments: momentum and RMSProp in one, both corrected for their start at 0.

    m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g**2, and after t steps
    x <- x - learning_rate m / (1 - b1**t) / (sqrt(v / (1 - b2**t)) + epsilon).
    Every parameter counts its own t.

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
        self.exp_decay_gradients: float = self._checked(
            "exp_decay_gradients", exp_decay_gradients, below=1.0
        )
        self.exp_decay_squared: float = self._checked(
            "exp_decay_squared", exp_decay_squared, below=1.0
        )
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
    """Adam with decoupled weight decay: x <- (1 - learning_rate weight_decay) x, then Adam's step.

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
