"""Targets of a classification: class indices, checked and made one-hot, or rows as they are."""

from __future__ import annotations

import math

from smolml_array import MLArray, ShapeError
from smolml_array.extending import ArrayLike, for_message, is_floating
from smolml_utils._operands import as_array, check_probabilities, with_dtype
from smolml_value.extending import as_float


def class_targets(
    who: str,
    logits: MLArray,
    targets: MLArray,
    axis: int,
    weight: ArrayLike | None,
    ignored: int | None,
    smoothing: float,
) -> tuple[MLArray, MLArray | None]:
    """What -log softmax is multiplied with, and what the mean divides by, None for their number.

    Args:
        who: the loss, for messages.
        logits: with the classes along `axis`.
        targets: class indices (whole numbers, of whatever dtype) or rows of probabilities.
        axis: counted from 0.
        weight: how much each class counts, None for 1.
        ignored: the index of samples that do not count: their rows are 0.
        smoothing: how much of each row goes to all classes alike.

    Raises:
        ShapeError: targets of neither shape, or weights that are not one for each class.
        ValueError: an index that is no class, a probability outside [0, 1]; rows, and an index
            that is ignored.
    """
    check_probabilities(who, "label_smoothing", as_float(smoothing, who), "0 smooths nothing")
    count, soft = logits.shape[axis], targets.shape == logits.shape
    result = rows = _rows(who, logits, targets, axis, ignored)
    if smoothing:  # where a sample is ignored, its row sums to 0
        there = 1.0 if soft else rows.sum(axis=axis, keepdims=True)
        result = (1.0 - smoothing) * rows + smoothing / count * there
    if weight is not None:
        w = as_array(f"{who}: weight", weight, logits._node.backend)
        if w.shape != (count,):
            raise ShapeError(f"{who}: weight has shape {w.shape}, expected ({count},)")
        w = with_dtype(w, logits.dtype).reshape(count, *(1 for _ in logits.shape[axis + 1 :]))
        rows, result = rows * w, result * w
    return result, None if soft or (weight is None and ignored is None) else rows.sum()


def _rows(who: str, logits: MLArray, targets: MLArray, axis: int, ignored: int | None) -> MLArray:
    """Target probabilities of the shape and dtype of the logits, whichever way they were given."""
    shape = logits.shape
    without = shape[:axis] + shape[axis + 1 :]
    if targets.shape == shape:
        if ignored is not None:
            raise ValueError(f"{who}: ignore_index goes with class indices, y_true has rows")
        check_probabilities(who, "y_true", targets, "give class indices or rows of probabilities")
        return with_dtype(targets, logits.dtype)
    if targets.shape != without:
        raise ShapeError(
            f"{who}: y_pred has shape {shape}, y_true has shape {targets.shape}: expected class "
            f"indices of shape {without} or rows of probabilities of shape {shape}"
        )
    node = targets._current_node()
    xp = node.backend
    indices, count = node.raw, shape[axis]
    wrong = xp.logical_or(xp.less(indices, 0), xp.greater_equal(indices, count))
    if is_floating(xp, indices):
        # nan differs from its own floor
        wrong = xp.logical_or(wrong, xp.not_equal(xp.floor(indices), indices))
    counts = xp.not_equal(indices, math.nan if ignored is None else ignored)
    wrong = xp.logical_and(wrong, counts)
    if bool(xp.any(wrong)):
        held, bad = xp.to_flat(for_message(indices)), xp.to_flat(for_message(wrong))
        first = bad.index(True)
        raise ValueError(
            f"{who}: y_true holds {held[first]:g} (element {first} in C order), which is no class "
            f"index: expected whole numbers from 0 to {count - 1}, as y_pred of shape {shape} "
            f"has {count} classes along axis {axis}"
        )
    classes = xp.reshape(xp.arange(count), (count, *(1 for _ in shape[axis + 1 :])))
    one = (*shape[:axis], 1, *shape[axis + 1 :])
    rows = xp.logical_and(xp.equal(xp.reshape(indices, one), classes), xp.reshape(counts, one))
    return MLArray._constant(xp, xp.astype(rows, logits.dtype))
