"""Reductions: sums, products, means, spreads, extremes and where these are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, Never

from smolml_array._graph.rule import Rule, Vjp
from smolml_array._shapes.axes import (
    Axis,
    inverse_permutation,
    normalize_axes,
    normalize_axis,
    reduced_count,
    reduced_shape,
)
from smolml_array._shapes.picking import along
from smolml_array.backends.signatures import Raw
from smolml_array.functions.table import A, Array, array_function, entry, linear, on_numbers
from smolml_value.extending import as_float, refusal

# Their rules: what goes back to each element ---------------------------------------------------


def _sum_vjp(xp: Any, g: Raw, out: Raw, x: Raw, axis: Axis = None, keepdims: bool = False) -> Raw:
    """g, repeated to the shape that was reduced."""
    if not keepdims and axis is not None:
        axes = normalize_axes(axis, len(x.shape), "sum")
        g = xp.reshape(g, reduced_shape(x.shape, axes, keepdims=True))
    return xp.broadcast_to(g, x.shape)


def _mean_vjp(xp: Any, g: Raw, out: Raw, x: Raw, axis: Axis = None, **how: Any) -> Raw:
    count = reduced_count(x.shape, axis, "mean")  # 0 only where there is no element to send to
    return _sum_vjp(xp, g * (1.0 / count if count else 0.0), out, x, axis, **how)


def _in_rows(xp: Any, x: Raw, axis: Axis, f: Callable[[Raw], Raw]) -> Raw:
    """f of rows, each of what is reduced together, in C order; in the shape of x again."""
    reduced = tuple(sorted(normalize_axes(axis, x.ndim, "rows")))
    kept = tuple(a for a in range(x.ndim) if a not in reduced)
    moved = xp.permute_dims(x, kept + reduced)
    length = math.prod(x.shape[a] for a in reduced)
    made = f(xp.reshape(moved, (*(x.shape[a] for a in kept), length)))
    return xp.permute_dims(xp.reshape(made, moved.shape), inverse_permutation(kept + reduced))


def _extreme_vjp(name: str) -> Vjp:
    """max and min send the cotangent to the first extreme element."""

    def vjp(xp: Any, g: Raw, out: Raw, x: Raw, axis: Axis = None, **how: Any) -> Raw:
        def chosen(rows: Raw) -> Raw:
            first = xp.expand_dims(getattr(xp, f"arg{name}")(rows, axis=-1), axis=-1)
            each = xp.reshape(g, first.shape)
            if on_numbers(xp):  # one write for each row
                zeros = xp.zeros(rows.shape, dtype=g.dtype)
                return xp.index_put_into(zeros, along(xp, rows.shape, first, rows.ndim - 1), each)
            return xp.where(first == xp.arange(rows.shape[-1]), each, xp.zeros_like(each))

        return _in_rows(xp, x, axis, chosen)

    return vjp


def normal(xp: Any, products: Raw) -> bool:
    """Whether a factor can be divided out of each, to the last digits."""
    if not on_numbers(xp):
        return False
    size = xp.abs(products)
    limits = xp.finfo(products.dtype)
    least = limits.smallest_normal / limits.eps
    return bool(xp.all(xp.logical_and(xp.less(least, size), xp.less(size, math.inf))))


def _prod_vjp(xp: Any, g: Raw, out: Raw, x: Raw, axis: Axis = None, **how: Any) -> Raw:
    """The product of all others: of the one that x[i] is paired with, times all other pairs'.

    That is out / x, but where an element is 0 or inf, or where out over- or underflows, and where
    this is to be differentiated again: the product of all others has no x[i] in it.
    """

    def others(rows: Raw) -> Raw:
        if (m := rows.shape[-1] // 2) == 0:
            return xp.ones_like(rows)
        cuts = slice(m), slice(m, 2 * m), slice(2 * m, None)
        left, right, rest = (xp.index(rows, (..., cut)) for cut in cuts)
        of_pairs = others(xp.concat([xp.multiply(left, right), rest], axis=-1))
        both, last = (xp.index(of_pairs, (..., cut)) for cut in (slice(m), slice(m, None)))
        return xp.concat([xp.multiply(both, right), xp.multiply(both, left), last], axis=-1)

    spread = _sum_vjp(xp, g, out, x, axis, **how)
    if normal(xp, out):
        whole = _sum_vjp(xp, out, out, x, axis, **how)
        return xp.cotangent_product(spread, xp.divide(whole, x))
    return xp.cotangent_product(spread, _in_rows(xp, x, axis, others))


def _var_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, axis: Axis = None, correction: float = 0.0, **how: Any
) -> Raw:
    """2 (x - mean) / (n - correction); a negative n - correction counts as 0, as in var."""
    centered = x - xp.mean(x, axis=axis, keepdims=True)
    freedom = reduced_count(x.shape, axis, "var") - correction
    scale = 2.0 / freedom if freedom > 0.0 else math.inf
    return xp.cotangent_product(_sum_vjp(xp, g, out, x, axis, **how), centered * scale)


def _std_vjp(xp: Any, g: Raw, out: Raw, x: Raw, **how: Any) -> Raw:
    """(x - mean) / ((n - correction) std), and 0 where the spread is 0."""
    flat = out == 0
    scaled = xp.cotangent_product(g, 0.5 / xp.where(flat, xp.ones_like(out), out))
    return _var_vjp(xp, xp.where(flat, xp.zeros_like(g), scaled), out, x, **how)


def _reduction(name: str, vjp: Vjp, formula: str) -> Rule:
    """The rule of the backend's reduction of this name, which is not linear."""
    return Rule(name, name, vjp, jvp="reduction", formula=formula)


SUM = linear("sum", _sum_vjp, formula="{g}; each")
MEAN = linear("mean", _mean_vjp, formula="{g} / {n}; each")
MAX = _reduction("max", _extreme_vjp("max"), "{g}; first_max")
MIN = _reduction("min", _extreme_vjp("min"), "{g}; first_min")
PROD = _reduction("prod", _prod_vjp, "{g} · {out} / {x}")
VAR = _reduction("var", _var_vjp, "{g} · 2 ({x} − mean({x})) / {freedom}")
STD = _reduction("std", _std_vjp, "{g} · ({x} − mean({x})) / ({freedom} · {out})")

_Ddof = float | None

# The functions ---------------------------------------------------------------------------------

_STANDARD = "x, /, *, axis=None, keepdims=False"
_NUMPY = "a, axis=None, *, keepdims=False"
_TYPED_STANDARD = "x, /, *, axis=None, dtype=None, keepdims=False"
_TYPED_NUMPY = "a, axis=None, dtype=None, *, keepdims=False"
_SPREAD_STANDARD = "x, /, *, axis=None, correction=0.0, keepdims=False"
_SPREAD_NUMPY = "a, axis=None, dtype=None, *, ddof=None, correction=0.0, keepdims=False"


def reduction(x: Array, who: str, axis: Axis, keepdims: bool, foreign: Any = ()) -> dict[str, Any]:
    """The parameters of a reduction, checked."""
    if foreign:
        raise refusal(sum, foreign)
    if axis is not None:
        axis = normalize_axes(axis, len(x.shape), who)
    return {"axis": axis, "keepdims": bool(keepdims)}


@array_function(_TYPED_STANDARD, numpy=_TYPED_NUMPY)
def sum(x: Array, /, axis: Axis = None, keepdims: bool = False, **foreign: Never) -> Array:
    """The sum over an axis, several, or all (None).

    Raises:
        AxisError: an axis that the array does not have.
    """
    if axis is None and keepdims is False and not foreign:
        return x._apply(SUM, (x,))  # type: ignore[no-any-return]
    return x._rule(SUM, x, **reduction(x, "sum", axis, keepdims, foreign))


@array_function(_STANDARD, numpy=_TYPED_NUMPY)
def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean over an axis, several, or all (None); of equal numbers that number; nan of nothing.

    Thus distances from it are exactly 0 where all are equal, and with them `var`, `std` and norms.

    >>> mean(MLArray([0.1, 0.1, 0.1])).item()
    0.1
    """
    if axis is None and keepdims is False:
        return x._apply(MEAN, (x,))  # type: ignore[no-any-return]
    return x._rule(MEAN, x, **reduction(x, "mean", axis, keepdims))


@array_function(_TYPED_STANDARD, numpy=_TYPED_NUMPY)
def prod(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The product over an axis, several, or all (None)."""
    return x._rule(PROD, x, **reduction(x, "prod", axis, keepdims))


@array_function(_STANDARD, numpy=_NUMPY)
def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest element; its gradient goes to the first of several.

    Raises:
        ValueError: there is no element.
    """
    return x._rule(MAX, x, **reduction(x, "max", axis, keepdims))


@array_function(_STANDARD, numpy=_NUMPY)
def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest element; its gradient goes to the first of several.

    Raises:
        ValueError: there is no element.
    """
    return x._rule(MIN, x, **reduction(x, "min", axis, keepdims))


@array_function(_SPREAD_STANDARD, numpy=_SPREAD_NUMPY)
def var(
    x: Array, axis: Axis = None, keepdims: bool = False, correction: float = 0.0, ddof: _Ddof = None
) -> Array:
    """The mean of $(x - mean)**2$, with $n - correction$ in place of n; ddof is its older name."""
    correction = as_float(correction if ddof is None else ddof, "var: correction")
    return x._rule(VAR, x, correction=correction, **reduction(x, "var", axis, keepdims))


@array_function(_SPREAD_STANDARD, numpy=_SPREAD_NUMPY)
def std(
    x: Array, axis: Axis = None, keepdims: bool = False, correction: float = 0.0, ddof: _Ddof = None
) -> Array:
    """The square root of var; the gradient where all elements are equal is 0."""
    correction = as_float(correction if ddof is None else ddof, "std: correction")
    return x._rule(STD, x, correction=correction, **reduction(x, "std", axis, keepdims))


# Constants: no gradient goes through them ------------------------------------------------------


def _constant(name: str, x: Array, **how: Any) -> Array:
    node = x._current_node()
    return x._constant(node.backend, getattr(node.backend, name)(node.raw, **how))


def _position(name: str, x: Array, axis: int | None, keepdims: bool) -> Array:
    if axis is not None:
        axis = normalize_axis(axis, len(x.shape), name)
    return _constant(name, x, axis=axis, keepdims=bool(keepdims))


@array_function(_STANDARD, numpy=_NUMPY)
def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The position of the first largest element (in C order for None), a constant."""
    return _position("argmax", x, axis, keepdims)


@array_function(_STANDARD, numpy=_NUMPY)
def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The position of the first smallest element (in C order for None), a constant."""
    return _position("argmin", x, axis, keepdims)


@array_function(_STANDARD, numpy=_NUMPY)
def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether an element is not zero, along an axis, several, or at all (None); a constant."""
    return _constant("any", x, **reduction(x, "any", axis, keepdims))


@array_function(_STANDARD, numpy=_NUMPY)
def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether no element is zero, along an axis, several, or at all (None); a constant."""
    return _constant("all", x, **reduction(x, "all", axis, keepdims))


@array_function(_STANDARD, numpy=_NUMPY)
def count_nonzero(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """How many elements are not zero, a constant."""
    return _constant("count_nonzero", x, **reduction(x, "count_nonzero", axis, keepdims))


@entry("x, /", numpy="a")
def nonzero(x: A) -> tuple[A, ...]:
    """The positions of what is not zero, one array per axis; constants."""
    node = x._current_node()
    return tuple(x._constant(node.backend, places) for places in node.backend.nonzero(node.raw))


class Reductions(Array):
    """These functions as methods."""

    __slots__ = ()
    sum: Final = sum
    mean: Final = mean
    prod: Final = prod
    max: Final = max
    min: Final = min
    var: Final = var
    std: Final = std
    argmax: Final = argmax
    argmin: Final = argmin
    any: Final = any
    all: Final = all
    nonzero = nonzero
