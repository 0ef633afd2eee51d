"""Activation functions of numbers, Values and MLArrays: float -> float, Value -> Value, and so on.

Each is the op of that name (`smolml.ops.relu`), which is also a method (`x.relu()`). Lists and
ndarrays are taken too and give an MLArray. Kinks: relu, leaky_relu and elu have the derivative
of the left branch at 0.
"""

from __future__ import annotations

from typing import Any, TypeVar, overload

from smolml_array import MLArray
from smolml_array.extending import ArrayLike, Axis, Rule, apply_rule, normalize_axes
from smolml_utils._operands import as_array, as_floats, is_scalar
from smolml_utils._rules import LOG_SOFTMAX, SOFTMAX
from smolml_value import Op, Value, table
from smolml_value.extending import answering, as_float

A = TypeVar("A", float, Value, MLArray)

__all__ = ["elu", "gelu", "leaky_relu", "linear", "relu", "sigmoid", "silu", "softplus", "tanh"]
__all__ += ["log_softmax", "softmax"]  # of whole rows


def _apply(op: Op, x: Any) -> Any:
    return op(x if isinstance(x, MLArray) or is_scalar(x) else as_floats(as_array(op.name, x)))


def linear(x: A) -> A:
    """x itself: where a layer needs no non-linearity.

    >>> linear(3.0)
    3.0
    """
    return x


@overload
def relu(x: A) -> A: ...
@overload
def relu(x: ArrayLike) -> MLArray: ...
def relu(x: Any) -> Any:
    """$max(x, 0)$, element by element; derivative 0 at 0.

    Source: Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".

    >>> relu(MLArray([-1.0, 2.0])).to_list()
    [0.0, 2.0]
    """
    return _apply(table.relu, x)


@overload
def leaky_relu(x: A, alpha: float = ...) -> A: ...
@overload
def leaky_relu(x: ArrayLike, alpha: float = ...) -> MLArray: ...
def leaky_relu(x: Any, alpha: float = 0.01) -> Any:
    """$x for x > 0, else alpha x$; derivative alpha at 0.

    Source: Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic
    models".

    >>> leaky_relu(-2.0, alpha=0.5)
    -1.0
    """
    return _apply(table.leaky_relu.bind(alpha=as_float(alpha, "leaky_relu: alpha")), x)


@overload
def elu(x: A, alpha: float = ...) -> A: ...
@overload
def elu(x: ArrayLike, alpha: float = ...) -> MLArray: ...
def elu(x: Any, alpha: float = 1.0) -> Any:
    """$x for x > 0, else alpha (exp(x) - 1)$; derivative alpha at 0.

    Source: Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289.

    >>> elu(-1000.0, alpha=2.0)
    -2.0
    """
    return _apply(table.elu.bind(alpha=as_float(alpha, "elu: alpha")), x)


@overload
def sigmoid(x: A) -> A: ...
@overload
def sigmoid(x: ArrayLike) -> MLArray: ...
def sigmoid(x: Any) -> Any:
    """$1 / (1 + exp(-x))$, in [0, 1]. For a loss on it take `bce_with_logits` of x.

    >>> sigmoid(MLArray([0.0, 1000.0, -1000.0])).to_list()
    [0.5, 1.0, 0.0]
    """
    return _apply(table.sigmoid, x)


@overload
def tanh(x: A) -> A: ...
@overload
def tanh(x: ArrayLike) -> MLArray: ...
def tanh(x: Any) -> Any:
    """The hyperbolic tangent $(e**x - e**-x) / (e**x + e**-x)$, in [-1, 1].

    >>> tanh(Value(0.0))
    Value(data=0.0, grad=0.0)
    """
    return _apply(table.tanh, x)


@overload
def softplus(x: A) -> A: ...
@overload
def softplus(x: ArrayLike) -> MLArray: ...
def softplus(x: Any) -> Any:
    """$log(1 + exp(x))$ without overflow; its derivative is the sigmoid.

    Source: Dugas et al. 2001, "Incorporating second-order functional knowledge for better option
    pricing".

    >>> softplus(1000.0)
    1000.0
    """
    return _apply(table.softplus, x)


@overload
def gelu(x: A) -> A: ...
@overload
def gelu(x: ArrayLike) -> MLArray: ...
def gelu(x: Any) -> Any:
    """$x Phi(x)$, Phi the standard normal distribution function; exact, not the tanh formula.

    Source: Hendrycks & Gimpel 2016, arXiv:1606.08415.

    >>> round(gelu(1.0), 6)
    0.841345
    """
    return _apply(table.gelu, x)


@overload
def silu(x: A) -> A: ...
@overload
def silu(x: ArrayLike) -> MLArray: ...
def silu(x: Any) -> Any:
    """$x sigmoid(x)$, also called swish.

    Source: Hendrycks & Gimpel 2016, arXiv:1606.08415.

    >>> round(silu(1.0), 6)
    0.731059
    """
    return _apply(table.silu, x)


@answering
def softmax(x: ArrayLike, axis: Axis = -1) -> MLArray:
    """$exp(x) / sum(exp(x))$ along an axis, several, or all (None): each row sums to 1.

    The maximum is subtracted first, so no exp overflows. An entry of -inf, one that is masked, gets
    0; where all of a row are masked it is all 0, and so is its gradient. A row with inf or nan has
    no softmax: nan. For a loss on it take `cross_entropy` of x.

    Args:
        x: an array of one axis at least, or (nested) lists of numbers or Values.
        axis: along which to normalise.

    Raises:
        AxisError: an axis that x does not have.

    >>> softmax(MLArray([[0.0, 0.0], [1000.0, -1000.0]])).to_list()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    return _along("softmax", SOFTMAX, x, axis)


@answering
def log_softmax(x: ArrayLike, axis: Axis = -1) -> MLArray:
    """$x - log(sum(exp(x)))$ along an axis, several, or all (None): the log of softmax.

    The maximum is subtracted first; exact where softmax itself underflows to 0. The logarithm of 0
    is -inf: so are masked entries, and all of a row that is all masked. Rows without a softmax (see
    there) give nan.

    Args:
        x: an array of one axis at least, or (nested) lists of numbers or Values.
        axis: along which to normalise.

    Raises:
        AxisError: an axis that x does not have.

    >>> log_softmax(MLArray([1000.0, -1000.0])).to_list()
    [0.0, -2000.0]
    """
    return _along("log_softmax", LOG_SOFTMAX, x, axis)


def _along(who: str, rule: Rule, x: ArrayLike, axis: Axis) -> MLArray:
    """The rule on x; of nothing, of which there is no maximum, nothing."""
    array = as_floats(as_array(who, x))
    axes = normalize_axes(axis, array.ndim, who)
    return apply_rule(rule, array, axis=axes) if array.size() else array
