"""What packages that extend SmolML's arrays need, and may rely on: rules, operands, backends.

An element-wise op needs none of this: see `smolml_value.elementwise`. What is not element-wise is
a `Rule`: a forward and its derivatives, written against a namespace `xp`, and `apply_rule` makes
a function of arrays of it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.mixing import for_message, meeting
from smolml_array._graph.rule import OUT, Rule, Vjp
from smolml_array._graph.vjps import check_shape
from smolml_array._shapes.axes import (
    Axis,
    AxisError,
    Shape,
    ShapeError,
    as_shape,
    normalize_axes,
    normalize_axis,
)
from smolml_array.array import MLArray
from smolml_array.backends import BackendInfo, backends, get_backend
from smolml_array.backends.namespace import Namespace
from smolml_array.backends.protocol import Backend, DType, Raw
from smolml_array.config import default_backend
from smolml_array.convert import as_dtype, holds, is_array_like, is_floating, to_raw
from smolml_array.functions.creation import shape_of
from smolml_array.functions.random import generator_of

__all__ = ["OUT", "Rule", "Vjp", "apply_rule"]
__all__ += ["ArrayLike", "as_shape", "holds", "is_array_like", "shape_of", "to_raw"]  # users give
__all__ += ["Axis", "AxisError", "Shape", "ShapeError", "normalize_axes", "normalize_axis"]
__all__ += ["DType", "Raw", "as_dtype", "for_message", "generator_of", "is_floating", "meeting"]
__all__ += ["Backend", "BackendInfo", "Namespace", "backends", "default_backend", "get_backend"]


def apply_rule(rule: Rule, *operands: ArrayLike, **params: Any) -> MLArray:
    """The array that a rule makes of its operands: a node of the graph if one of them is in it.

    Args:
        rule: what is done.
        operands: what is differentiated: arrays, Values, numbers, lists.
        params: keyword arguments of the rule's functions, which are not.

    Raises:
        TypeError: an operand that is not numbers.
        ValueError: arrays of different backends, or not as many operands as the rule has vjps.
        GraphError: in a derivative: a cotangent that has not the shape of its operand, a tangent
            that has not that of the result.

    >>> double = Rule("double", lambda xp, x: 2 * x, lambda xp, g, out, x: 2 * g, jvp="linear")
    >>> x = MLArray([1.0, 2.0])
    >>> y = apply_rule(double, x)
    >>> y.backward()
    >>> y.to_list(), x.grad().to_list()
    ([2.0, 4.0], [2.0, 2.0])
    """
    if not isinstance(operands[0], MLArray) and not any(isinstance(x, MLArray) for x in operands):
        operands = (MLArray.ensure_array(operands[0]), *operands[1:])
    if len(rule.vjps) not in (0, len(operands)):
        raise ValueError(f"{rule.name}: {len(rule.vjps)} vjps for {len(operands)} operands")
    if not any(getattr(vjp, "func", None) is _checked_vjp for vjp in rule.vjps):
        rule.vjps = tuple(v and partial(_checked_vjp, rule, i, v) for i, v in enumerate(rule.vjps))
    return MLArray._rule(rule, *operands, **params)


def _checked_vjp(
    rule: Rule, i: int, vjp: Vjp, xp: Any, g: Raw, out: Raw, /, *operands: Any, **params: Any
) -> Raw:
    """The vjp to operand `i` of a plugin's rule, which may give whatever shape it likes."""
    c = vjp(xp, g, out, *operands, **params)
    check_shape(rule, "cotangent", c, "an operand", operands[i])
    return c
