"""Normalisation: rows brought to mean 0 and variance 1."""

from __future__ import annotations

from smolml_array import MLArray
from smolml_array.extending import ArrayLike, Axis, apply_rule, normalize_axes
from smolml_utils._operands import as_array, as_floats
from smolml_utils._rules import LAYER_NORM
from smolml_value.extending import answering, as_float

__all__ = ["layer_norm"]


@answering
def layer_norm(x: ArrayLike, axis: Axis = -1, *, epsilon: float = 1e-5) -> MLArray:
    """$(x - mean(x)) / sqrt(var(x) + epsilon)$ along an axis, several, or all (None).

    Scale and shift it as you like: `layer_norm(x) * weight + bias`. One node of the graph.
    Source: Ba, Kiros & Hinton 2016, "Layer normalization".

    Args:
        x: an array of one axis at least, or (nested) lists of numbers or Values.
        axis: along which mean and variance are taken.
        epsilon: keeps the quotient finite where all numbers are equal; at least 0.

    Raises:
        AxisError: an axis that x does not have.
        ValueError: a negative epsilon.

    >>> layer_norm(MLArray([1.0, 3.0]), epsilon=0.0).to_list()
    [-1.0, 1.0]
    """
    number = as_float(epsilon, "layer_norm: epsilon")
    if not number >= 0.0:
        raise ValueError(f"layer_norm: epsilon must be at least 0, got {number:g}")
    array = as_floats(as_array("layer_norm", x))
    axes = normalize_axes(axis, array.ndim, "layer_norm")
    return apply_rule(LAYER_NORM, array, axis=axes, epsilon=number)
