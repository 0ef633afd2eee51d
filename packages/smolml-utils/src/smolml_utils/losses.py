"""Loss functions: how far predictions are from targets, as one number to minimise.

Every loss takes `(y_pred, y_true)`: MLArrays of any shape, (nested) lists of numbers or Values,
ndarrays, or one number or Value each. Arrays give a 0-d MLArray, Values a Value, floats a float.
The shapes must be equal, nothing is broadcast. `reduction` is "mean" (of all elements, or of all
samples where a loss sums over classes), "sum", or "none" for all losses in the shape they have.
The mean of nothing is nan. Targets take the dtype of the predictions.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias, TypeVar, overload

from smolml_array import MLArray, ShapeError
from smolml_array.extending import ArrayLike, apply_rule, normalize_axis
from smolml_utils import _loss_ops
from smolml_utils._class_targets import class_targets
from smolml_utils._operands import arrays, as_floats, check_probabilities, pair, reduced
from smolml_utils._rules import CROSS_ENTROPY, MEAN_OF_SQUARES, NLL, SUM_OF_SQUARES
from smolml_value import Value, table
from smolml_value.extending import answering, as_float

Reduction: TypeAlias = Literal["mean", "sum", "none"]
S = TypeVar("S", float, Value)

_OF_SQUARES: Final = {"mean": MEAN_OF_SQUARES, "sum": SUM_OF_SQUARES}

__all__ = ["huber_loss", "log_cosh_loss", "mae_loss", "mse_loss"]
__all__ += ["bce_with_logits", "binary_cross_entropy"]
__all__ += ["categorical_cross_entropy", "cross_entropy"]


@overload
def mse_loss(y_pred: S | float, y_true: S | float, reduction: Reduction = ...) -> S: ...
@overload
def mse_loss(y_pred: ArrayLike, y_true: ArrayLike, reduction: Reduction = ...) -> MLArray: ...
def mse_loss(y_pred: Any, y_true: Any, reduction: Reduction = "mean") -> Any:
    """Mean squared error: the mean of $(y_pred - y_true)**2$.

    Args:
        y_pred: predictions, of any shape.
        y_true: targets, of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        ValueError: an unknown reduction, or arrays of different backends.

    >>> mse_loss(MLArray([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """
    p, t = pair("mse_loss", y_pred, y_true)
    if isinstance(p, MLArray) and reduction in _OF_SQUARES:
        return apply_rule(_OF_SQUARES[reduction], p, t)
    return reduced("mse_loss", table.square(p - t), reduction)


@overload
def mae_loss(y_pred: S | float, y_true: S | float, reduction: Reduction = ...) -> S: ...
@overload
def mae_loss(y_pred: ArrayLike, y_true: ArrayLike, reduction: Reduction = ...) -> MLArray: ...
def mae_loss(y_pred: Any, y_true: Any, reduction: Reduction = "mean") -> Any:
    """Mean absolute error: the mean of $|y_pred - y_true|$; gradient 0 where they are equal.

    Args:
        y_pred: predictions, of any shape.
        y_true: targets, of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        ValueError: an unknown reduction, or arrays of different backends.

    >>> mae_loss(MLArray([1.0, 2.0]), [1.0, 4.0]).item()
    1.0
    """
    p, t = pair("mae_loss", y_pred, y_true)
    return reduced("mae_loss", abs(p - t), reduction)


@overload
def huber_loss(
    y_pred: S | float, y_true: S | float, delta: float = ..., reduction: Reduction = ...
) -> S: ...
@overload
def huber_loss(
    y_pred: ArrayLike, y_true: ArrayLike, delta: float = ..., reduction: Reduction = ...
) -> MLArray: ...
def huber_loss(y_pred: Any, y_true: Any, delta: float = 1.0, reduction: Reduction = "mean") -> Any:
    """Huber's loss, squared for small errors, absolute for outliers.

    > d**2 / 2 for |d| <= delta, else delta (|d| - delta / 2), with d = y_pred - y_true

    The gradient is d held in $[-delta, delta]$.
    Source: Huber 1964, "Robust estimation of a location parameter".

    Args:
        y_pred: predictions, of any shape.
        y_true: targets, of the same shape.
        delta: where the parabola goes over into straight lines; above 0.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        ValueError: a delta that is not above 0, an unknown reduction, different backends.

    >>> huber_loss(MLArray([0.5, 4.0]), [0.0, 0.0], reduction="none").to_list()
    [0.125, 3.5]
    """
    bound = as_float(delta, "huber_loss: delta")
    if not bound > 0.0:
        raise ValueError(f"huber_loss: delta must be above 0, got {bound:g}")
    p, t = pair("huber_loss", y_pred, y_true)
    return reduced("huber_loss", _loss_ops.huber(p - t, delta=bound), reduction)


@overload
def log_cosh_loss(y_pred: S | float, y_true: S | float, reduction: Reduction = ...) -> S: ...
@overload
def log_cosh_loss(y_pred: ArrayLike, y_true: ArrayLike, reduction: Reduction = ...) -> MLArray: ...
def log_cosh_loss(y_pred: Any, y_true: Any, reduction: Reduction = "mean") -> Any:
    """The mean of $log(cosh(d))$, d the difference $y_pred - y_true$.

    It is about $d**2 / 2$ near 0, and about $|d| - log 2$ far off. Smooth everywhere; its gradient
    is $tanh(d)$. Does not overflow, and keeps all digits near 0.

    Args:
        y_pred: predictions, of any shape.
        y_true: targets, of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        ValueError: an unknown reduction, or arrays of different backends.

    >>> d = Value(1000.0)
    >>> log_cosh_loss(d, 0.0).backward()
    >>> round(log_cosh_loss(1000.0, 0.0), 6), d.grad
    (999.306853, 1.0)
    """
    p, t = pair("log_cosh_loss", y_pred, y_true)
    return reduced("log_cosh_loss", _loss_ops.log_cosh(p - t), reduction)


@overload
def binary_cross_entropy(y_pred: S | float, y_true: S | float, reduction: Reduction = ...) -> S: ...
@overload
def binary_cross_entropy(
    y_pred: ArrayLike, y_true: ArrayLike, reduction: Reduction = ...
) -> MLArray: ...
def binary_cross_entropy(y_pred: Any, y_true: Any, reduction: Reduction = "mean") -> Any:
    """The cross-entropy of probabilities p, `y_pred`, with t, `y_true`, in [0, 1]: the mean of

    > -t log p - (1 - t) log(1 - p)

    As PyTorch's: each logarithm counts as at least -100, so that a p of 0 or 1 that does not agree
    with the target gives 100 and not inf, and the gradient is $(p - t) / max(p (1 - p), 1e-12)$.
    On the result of a sigmoid take `bce_with_logits`, which bends nothing.

    Args:
        y_pred: probabilities, of any shape.
        y_true: targets in [0, 1], of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        ValueError: numbers outside [0, 1], an unknown reduction, different backends.

    >>> binary_cross_entropy(MLArray([0.0, 1.0, 1.0]), [0, 1, 0], reduction="none").to_list()
    [0.0, 0.0, 100.0]
    """
    who = "binary_cross_entropy"
    p, t = pair(who, y_pred, y_true)
    check_probabilities(who, "y_pred", p, "for logits use bce_with_logits")
    check_probabilities(who, "y_true", t, "give the probability of the class that counts as 1")
    return reduced(who, _loss_ops.bce(p, t), reduction)


@overload
def bce_with_logits(y_pred: S | float, y_true: S | float, reduction: Reduction = ...) -> S: ...
@overload
def bce_with_logits(
    y_pred: ArrayLike, y_true: ArrayLike, reduction: Reduction = ...
) -> MLArray: ...
def bce_with_logits(y_pred: Any, y_true: Any, reduction: Reduction = "mean") -> Any:
    """Binary cross-entropy of the sigmoid of `y_pred`, exact for logits of any size.

    > (1 - t) softplus(x) + t softplus(-x), with x = y_pred, t = y_true

    Its gradient is $sigmoid(x) - t$.

    Args:
        y_pred: logits, of any shape.
        y_true: targets in [0, 1], of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        ValueError: targets outside [0, 1], an unknown reduction, different backends.

    >>> bce_with_logits(MLArray([1000.0, -1000.0]), [1, 1], reduction="none").to_list()
    [0.0, 1000.0]
    """
    who = "bce_with_logits"
    x, t = pair(who, y_pred, y_true)
    check_probabilities(who, "y_true", t, "give the probability of the class that counts as 1")
    return reduced(who, _loss_ops.bce_logits(x, t), reduction)


def categorical_cross_entropy(
    y_pred: ArrayLike, y_true: ArrayLike, reduction: Reduction = "mean", *, axis: int = -1
) -> MLArray:
    """Cross-entropy of probabilities: the mean over samples of a sum over the classes.

    > -sum(t log p), with p = y_pred, t = y_true

    As in `binary_cross_entropy` each logarithm counts as at least -100, and the gradient is
    $-t / max(p, 1e-12)$. On the result of a softmax take `cross_entropy` of the logits.

    Args:
        y_pred: probabilities of the classes along `axis`, as `softmax` gives them.
        y_true: target probabilities (one-hot rows), of the same shape.
        reduction: "mean", "sum" or "none", over the samples.
        axis: where the classes are.

    Raises:
        AxisError: an axis that y_pred does not have.
        ShapeError: the shapes differ.
        ValueError: numbers outside [0, 1], an unknown reduction, different backends.

    >>> categorical_cross_entropy(MLArray([[0.25, 0.75], [0.0, 1.0]]), [[1, 0], [0, 1]])
    MLArray(0.6931)
    """
    who = "categorical_cross_entropy"
    p, t = arrays(who, y_pred, y_true)
    axis = normalize_axis(axis, p.ndim, who)
    if p.ndim == t.ndim + 1:
        raise ShapeError(
            f"{who}: y_pred has shape {p.shape}, y_true has shape {t.shape}: they must be equal; "
            f"for class indices use cross_entropy on the logits"
        )
    p, t = pair(who, p, t)
    check_probabilities(who, "y_pred", p, "for logits use cross_entropy")
    check_probabilities(who, "y_true", t, "give one-hot rows or rows of probabilities")
    losses = apply_rule(NLL, _loss_ops.log_probability(p), t, axis=axis, keepdims=False)
    return reduced(who, losses, reduction)


@answering
def cross_entropy(
    y_pred: ArrayLike,
    y_true: ArrayLike,
    reduction: Reduction = "mean",
    *,
    axis: int = -1,
    weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> MLArray:
    """Cross-entropy of logits: the mean over samples of a sum over the classes.

    > -sum(w t log softmax(x)), with x = y_pred, t = y_true

    Exact for logits of any size; without weights its gradient is $softmax(x) - t$, divided by the
    number of samples for the mean. As in PyTorch, the mean of class indices divides by the sum of
    the weights of the samples' classes, without those that are ignored; of nothing it is nan.

    Args:
        y_pred: logits with the classes along `axis`.
        y_true: class indices, of the shape without that axis, or rows of target probabilities
            (one-hot, or smoothed), of the same shape.
        reduction: "mean", "sum" or "none", over the samples.
        axis: where the classes are.
        weight: w, how much each class counts; one number for each.
        ignore_index: samples with this class index do not count (PyTorch's default is -100).
        label_smoothing: e in [0, 1]: t becomes $(1 - e) t + e / n$, n the number of classes.
            Source: Szegedy et al. 2015, arXiv:1512.00567.

    Raises:
        AxisError: an axis that y_pred does not have.
        ShapeError: y_true has neither shape, or weight not one number for each class.
        ValueError: indices that are no class, probabilities outside [0, 1], ignore_index with
            rows, an unknown reduction, different backends.

    >>> cross_entropy(MLArray([[0.0, 0.0], [1000.0, 0.0]]), [1, 0], reduction="none").to_list()
    [0.6931471805599453, 0.0]
    >>> cross_entropy(MLArray([[0.0, 0.0], [5.0, 0.0]]), [1, -100], ignore_index=-100)
    MLArray(0.6931)
    """
    who = "cross_entropy"
    x, t = arrays(who, y_pred, y_true)
    x = as_floats(x)
    axis = normalize_axis(axis, x.ndim, who)
    targets, total = class_targets(who, x, t, axis, weight, ignore_index, label_smoothing)
    losses = apply_rule(CROSS_ENTROPY, x, targets, axis=axis, keepdims=False)
    if reduction == "mean" and total is not None:
        return losses.sum() / total
    return reduced(who, losses, reduction)
