"""Scans: running sums, products and logarithms of sums of exp; differences of neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import Rule
from smolml_array._graph.shaping import CONCAT, axis_to_join
from smolml_array._shapes.axes import normalize_axis, one_axis
from smolml_array.backends.signatures import Raw
from smolml_array.functions.indexing import getitem
from smolml_array.functions.manipulation import broadcast_to, floating
from smolml_array.functions.reductions import normal
from smolml_array.functions.table import Array, array_function, as_array, linear
from smolml_array.functions.windows import PAD
from smolml_value import table

_STANDARD = "x, /, *, axis=None, dtype=None, include_initial=False"


def _scanned(rule: Rule, x: ArrayLike, axis: int | None, initial: float | None) -> Array:
    """The scan along an axis, behind the number that is there before the first element."""
    array = as_array(x)
    axis = one_axis(axis, len(array.shape), rule.name)
    scanned = array._rule(rule, array, axis=axis)
    if initial is None:
        return scanned
    return scanned._rule(PAD, scanned, initial, pad_width=_in_front(scanned, axis, 1))


def _cut(axis: int, *bounds: int | None) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(*bounds))


def _in_front(x: Raw, axis: int, count: int) -> list[tuple[int, int]]:
    """The border of so many elements before those of x along an axis."""
    return [(count if i == axis else 0, 0) for i in range(len(x.shape))]


def _sums_from_behind(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: int) -> Raw:
    """x[i] is in every sum from the i-th on."""
    return xp.flip(xp.cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis)


CUMULATIVE_SUM = linear("cumulative_sum", _sums_from_behind)


@array_function(_STANDARD, numpy="cumsum(a, axis=None, dtype=None)", flattens=True)
def cumulative_sum(x: ArrayLike, axis: int | None = None, include_initial: bool = False) -> Array:
    """The sums of the elements up to each one: out[k] = x[0] + ... + x[k].

    Args:
        x: anything that MLArray takes.
        axis: along which axis; only an x of 1 dimension need not name it.
        include_initial: whether a 0 comes first.

    Raises:
        AxisError: an axis that x does not have, or none where x has several.

    >>> cumulative_sum([1, 2, 3]).to_list()
    [1.0, 3.0, 6.0]
    """
    return _scanned(CUMULATIVE_SUM, x, axis, 0.0 if include_initial else None)


def _moved(xp: Any, x: Raw, axis: int, first: float = 1.0) -> Raw:
    """x one position on along an axis, a number in front."""
    n = x.shape[axis]
    if not n:
        return x
    lead = xp.index(x, _cut(axis, None, n - 1))
    return xp.pad(lead, _in_front(x, axis, 1), constant_values=first)


def _scan(xp: Any, join: Callable[..., Any], parts: Sequence[Raw], axis: int) -> Sequence[Raw]:
    """For each k join(...join(join(p[0], p[1]), p[2])..., p[k]), where the p are tuples of numbers.

    Neighbours are joined, and what is found of the pairs, half as long, is that at odd places; the
    others take one more step: 2 n joins in log2(n) rounds (Blelloch 1990).
    """
    n = parts[0].shape[axis]
    if n < 2:
        return parts

    def cut(parts: Sequence[Raw], *bounds: int | None) -> Sequence[Raw]:
        return [xp.index(p, _cut(axis, *bounds)) for p in parts]

    odd = _scan(xp, join, join(cut(parts, 0, n - 1, 2), cut(parts, 1, None, 2)), axis)
    even = join(cut(odd, 0, (n - 1) // 2), cut(parts, 2, None, 2))
    return [_woven(xp, *three, axis) for three in zip(cut(parts, 0, 1), even, odd, strict=True)]


def _woven(xp: Any, first: Raw, even: Raw, odd: Raw, axis: int) -> Raw:
    """What stands at even places, behind the first, and at odd ones, along an axis."""
    even = xp.concat([first, even], axis=axis)
    n = even.shape[axis] + odd.shape[axis]
    made = xp.zeros((*odd.shape[:axis], n, *odd.shape[axis + 1 :]), dtype=odd.dtype)
    made = xp.index_put(made, _cut(axis, 0, None, 2), even)
    return xp.index_put(made, _cut(axis, 1, None, 2), odd)


def _recurrence(xp: Any, a: Raw, b: Raw, axis: int) -> Raw:
    """r[k] = a[k] r[k-1] + b[k], r[-1] = 0. The a are partials, the b cotangents or tangents.

    No division: zeros do no harm.
    """

    def join(before: Sequence[Raw], now: Sequence[Raw]) -> Sequence[Raw]:
        (a1, b1), (a2, b2) = before, now
        return xp.multiply(a1, a2), xp.add(xp.cotangent_product(b1, a2), b2)

    return _scan(xp, join, (a, b), axis)[1]


def _from_behind(xp: Any, g: Raw, factors: Raw, axis: int) -> Raw:
    """g[i] + factors[i+1] (g[i+1] + factors[i+2] (...))."""
    backwards = _moved(xp, xp.flip(factors, axis=axis), axis)
    return xp.flip(_recurrence(xp, backwards, xp.flip(g, axis=axis), axis), axis=axis)


def _cumulative_prod_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: int) -> Raw:
    """(the product before x[i]) (g[i] + x[i+1] (g[i+1] + x[i+2] (...)))."""
    if normal(xp, out):
        return xp.divide(_sums_from_behind(xp, xp.multiply(g, out), out, x, axis=axis), x)
    return xp.cotangent_product(_from_behind(xp, g, x, axis), _moved(xp, out, axis))


def _cumulative_prod_jvp(xp: Any, tangents: Sequence[Any], out: Raw, x: Raw, *, axis: int) -> Raw:
    """t[k] = x[k] t[k-1] + (the product before x[k]) dx[k]."""
    return _recurrence(xp, x, xp.cotangent_product(tangents[0], _moved(xp, out, axis)), axis)


CUMULATIVE_PROD = Rule(
    "cumulative_prod",
    "cumulative_prod",
    _cumulative_prod_vjp,
    jvp=_cumulative_prod_jvp,
)


@array_function(_STANDARD, numpy="cumprod(a, axis=None, dtype=None)", flattens=True)
def cumulative_prod(x: ArrayLike, axis: int | None = None, include_initial: bool = False) -> Array:
    """The products of the elements up to each one: out[k] = x[0] ... x[k].

    The gradient is found without division, so that zeros among the elements do no harm.

    Args:
        x: anything that MLArray takes.
        axis: along which axis; only an x of 1 dimension need not name it.
        include_initial: whether a 1 comes first.

    Raises:
        AxisError: an axis that x does not have, or none where x has several.

    >>> cumulative_prod([1, 2, 3]).to_list()
    [1.0, 2.0, 6.0]
    """
    return _scanned(CUMULATIVE_PROD, x, axis, 1.0 if include_initial else None)


@array_function(
    "x, /, *, axis=-1, n=1, prepend=None, append=None",
    numpy="a, n=1, axis=-1, prepend=None, append=None",
)
def diff(
    x: ArrayLike,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Array:
    """The differences of neighbours along an axis: out[i] = x[i + 1] - x[i], n times over.

    Args:
        x: anything that MLArray takes.
        axis: along which axis.
        n: how often.
        prepend: what comes before x along the axis first; a number for one slice of it.
        append: what comes behind it, likewise.

    Raises:
        AxisError: an axis that x does not have.
        ShapeError: what comes before or behind does not fit x.
        ValueError: a negative n.

    >>> diff([1, 4, 9, 16]).to_list(), diff([1, 4, 9, 16], n=2, prepend=0).to_list()
    ([3.0, 5.0, 7.0], [2.0, 2.0, 2.0])
    """
    array = as_array(x)
    place = normalize_axis(axis, len(array.shape), "diff")
    if n < 0:
        raise ValueError(f"diff: n is {n}: expected >= 0")
    if n and not (prepend is None and append is None):
        slice_of_one = (*array.shape[:place], 1, *array.shape[place + 1 :])
        given = [as_array(part, array) for part in (prepend, array, append) if part is not None]
        parts = [part if part.shape else broadcast_to(part, slice_of_one) for part in given]
        array = array._rule(CONCAT, *parts, axis=axis_to_join(parts, place))
    for _ in range(n):
        after = getitem(array, _cut(place, 1, None))
        before = getitem(array, _cut(place, None, -1))
        array = after != before if array._node.raw.dtype.name == "bool" else after - before
    return array if n else +array


def _shares(xp: Any, out: Raw, x: Raw, axis: int) -> Sequence[Raw]:
    """How much of each sum is the sum before it, and how much the element itself."""
    before = _moved(xp, out, axis, -math.inf)
    partials: Any = table.logaddexp.partials
    return [share(xp, out, before, x) for share in partials]


def _logcumsumexp_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: int) -> Raw:
    before, own = _shares(xp, out, x, axis)
    return xp.cotangent_product(_from_behind(xp, g, before, axis), own)


def _logcumsumexp_jvp(xp: Any, tangents: Sequence[Any], out: Raw, x: Raw, *, axis: int) -> Raw:
    before, own = _shares(xp, out, x, axis)
    return _recurrence(xp, before, xp.cotangent_product(tangents[0], own), axis)


LOGCUMSUMEXP = Rule(
    "logcumsumexp",
    lambda xp, x, *, axis: _scan(xp, lambda x, y: [xp.logaddexp(*x, *y)], [x], axis)[0],
    _logcumsumexp_vjp,
    jvp=_logcumsumexp_jvp,
)


@array_function()
def logcumsumexp(x: ArrayLike, axis: int | None = None) -> Array:
    """The logarithms of the sums of exp up to each element, without overflow.

    out[k] = log(exp(x[0]) + ... + exp(x[k])).

    Args:
        x: anything that MLArray takes.
        axis: along which axis; only an x of 1 dimension need not name it.

    Raises:
        AxisError: an axis that x does not have, or none where x has several.

    >>> logcumsumexp([0.0, 0.0, 1000.0]).to_list()[1:]
    [0.6931471805599453, 1000.0]
    """
    array = floating(as_array(x))
    axis = one_axis(axis, len(array.shape), "logcumsumexp")
    return array._rule(LOGCUMSUMEXP, array, axis=axis)


class Scans(Array):
    """These functions as methods."""

    __slots__ = ()
    cumulative_sum: Final = cumulative_sum
    cumsum: Final = cumulative_sum
    cumulative_prod: Final = cumulative_prod
    cumprod: Final = cumulative_prod
    logcumsumexp: Final = logcumsumexp
    diff: Final = diff
