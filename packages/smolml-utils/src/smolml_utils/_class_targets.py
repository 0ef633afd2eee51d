"""Targets of a classification: class indices, checked and made one-hot, or rows as they are."""

from __future__ import annotations

from typing import NoReturn

from smolml_array import MLArray, ShapeError
from smolml_array.extending import Shape, for_message, is_floating
from smolml_utils._operands import check_probabilities, with_dtype


def class_targets(who: str, logits: MLArray, targets: MLArray, axis: int) -> MLArray:
    """Target probabilities of the shape and dtype of the logits, whichever way they were given.

    Args:
        who: the loss, for messages.
        logits: with the classes along `axis`.
        targets: class indices (whole numbers, of whatever dtype) or rows of probabilities.
        axis: counted from 0.

    Raises:
        ShapeError: targets of neither shape.
        ValueError: an index that is no class, a probability outside [0, 1].
    """
    shape = logits.shape
    without = shape[:axis] + shape[axis + 1 :]
    if targets.shape == shape:
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
    if bool(xp.any(wrong)):
        held, bad = xp.to_flat(for_message(indices)), xp.to_flat(for_message(wrong))
        _refuse(who, held, bad, shape, axis)
    classes = xp.reshape(xp.arange(count), (count, *(1 for _ in shape[axis + 1 :])))
    column = xp.reshape(indices, (*shape[:axis], 1, *shape[axis + 1 :]))
    return MLArray._constant(xp, xp.astype(xp.equal(column, classes), logits.dtype))


def _refuse(who: str, indices: list[float], wrong: list[bool], shape: Shape, axis: int) -> NoReturn:
    first = wrong.index(True)
    raise ValueError(
        f"{who}: y_true holds {indices[first]:g} (element {first} in C order), which is no class "
        f"index: expected whole numbers from 0 to {shape[axis] - 1}, as y_pred of shape {shape} "
        f"has {shape[axis]} classes along axis {axis}"
    )
