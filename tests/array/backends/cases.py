"""For every function of the backend protocol: random calls of it, and NumPy's answer to them.

A function of a known kind (Unary, Binary, Reduction, ...) is here as soon as it is in the
protocol; any other must be added, or `test_every_function` fails.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array.backends.protocol import Backend
from tests.array.backends.agreement import (
    FLOATS,
    SCALARS,
    Plain,
    arrays,
    attempt,
    operands,
    oracle,
    tame_arrays,
)

Call = tuple[tuple[Any, ...], dict[str, Any]]
Draw = st.DrawFn
Answer = Callable[..., Any]


class Case(NamedTuple):
    """Calls of a function, NumPy's answer, and how far the values may be off."""

    calls: st.SearchStrategy[Call]
    expected: Answer | None = None  # None: NumPy's function of the same name
    rtol: float = 0.0
    scale: float = 0.0


CASES: dict[str, Case] = {}
NAMES = ["float64", "int64", "bool"]
SOME = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
LENGTHS = st.lists(st.integers(0, 3), max_size=3).map(tuple)
SUMS: dict[str, Any] = {"rtol": 1e-12, "scale": 1e4}


def case(
    *names: str, expected: Answer | None = None, rtol: float = 0.0, scale: float = 0.0
) -> Callable[[Callable[[Draw], Call]], Callable[[Draw], Call]]:
    """Calls of these functions, as the decorated function draws them."""

    def add(f: Callable[[Draw], Call]) -> Callable[[Draw], Call]:
        for name in names:
            CASES[name] = Case(st.composite(f)(), expected, rtol, scale)
        return f

    return add


def axis_of(draw: Draw, x: Any, none: bool = True) -> Any:
    """One axis of x, counted from either end; perhaps None."""
    one = st.integers(-x.ndim, x.ndim - 1) if x.ndim else st.none()
    return draw(st.none() | one if none else one)


def axes_of(draw: Draw, x: Any) -> Any:
    """None, one axis of x, or several."""
    several = st.lists(st.integers(0, x.ndim - 1), unique=True) if x.ndim else st.just([])
    return draw(st.one_of(several.map(tuple), st.just(axis_of(draw, x))))


# Functions of a kind ---------------------------------------------------------------------------


def _whole(name: str) -> Answer:
    def answer(x: Any) -> Any:
        x = np.asarray(x)
        return oracle(name)(x) if x.dtype.kind == "f" else x

    return answer


def _power(x: Any, y: Any) -> Any:
    """NumPy's power with an exponent of its own for each element (for a single 0.5 it takes the
    square root, which is nan for -inf where pow is inf).
    """
    dtype = np.result_type(x, y)
    dtype = np.dtype(np.int64) if dtype.kind == "b" else dtype
    x, y = np.broadcast_arrays(np.asarray(x, dtype), np.asarray(y, dtype))
    return oracle("pow")(np.array(x, ndmin=1), np.array(y, ndmin=1)).reshape(x.shape)


ANSWERS: dict[str, Answer] = {
    **{name: _whole(name) for name in ("ceil", "floor", "round", "trunc")},
    "reciprocal": lambda x: oracle("divide")(1.0, x),
    "pow": _power,
}


@st.composite
def _unary(draw: Draw) -> Call:
    return (draw(arrays() | SCALARS),), {}


@st.composite
def _binary(draw: Draw) -> Call:
    return draw(operands()), {}


@st.composite
def _reduction(draw: Draw) -> Call:
    x = draw(arrays(dtypes=st.sampled_from(["int64", "bool"])) | tame_arrays())
    return (x,), {"axis": axes_of(draw, x), "keepdims": draw(st.booleans())}


@st.composite
def _position(draw: Draw) -> Call:
    x = draw(arrays())
    return (x,), {"axis": axis_of(draw, x), "keepdims": draw(st.booleans())}


@st.composite
def _spread(draw: Draw) -> Call:
    (x,), options = draw(_reduction().filter(lambda call: call[0][0].dtype.kind == "f"))
    return (x,), {**options, "correction": draw(st.sampled_from([0, 1, 0.5, 3]))}


@st.composite
def _typed(draw: Draw) -> Call:
    (x,), options = draw(_reduction())
    wanted = draw(st.sampled_from([None, "float64", "int64"]))
    return (x,), {**options, "dtype": wanted if x.dtype.kind != "f" else None}


@st.composite
def _scan(draw: Draw) -> Call:
    x = draw(arrays(SOME, st.sampled_from(["int64", "bool"])) | tame_arrays(SOME))
    axis = axis_of(draw, x, none=x.ndim == 1)
    return (x,), {"axis": axis, "include_initial": draw(st.booleans())}


def _scanned(name: str) -> Answer:
    old, start = {"cumulative_sum": ("cumsum", 0), "cumulative_prod": ("cumprod", 1)}[name]

    def answer(x: Any, axis: Any, include_initial: bool) -> Any:
        axis = (axis or 0) % x.ndim
        out = oracle(old)(x, axis=axis)
        lengths = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
        first = np.full(lengths, start, out.dtype)
        return np.concatenate([first, out], axis) if include_initial else out

    return answer


@st.composite
def _filled(draw: Draw) -> Call:
    return (draw(LENGTHS | st.integers(0, 3)),), {"dtype": draw(st.sampled_from([None, *NAMES]))}


@st.composite
def _filled_like(draw: Draw) -> Call:
    return (draw(arrays()),), {"dtype": draw(st.sampled_from([None, *NAMES]))}


KINDS: dict[str, Callable[[str], Case]] = {
    "Unary": lambda name: Case(_unary(), ANSWERS.get(name), 1e-12),
    "Binary": lambda name: Case(_binary(), ANSWERS.get(name), 1e-12),
    "Reduction": lambda name: Case(_reduction(), None, **SUMS),
    "ArgReduction": lambda name: Case(_position()),
    "Spread": lambda name: Case(_spread(), None, 1e-10, 1e4),
    "TypedReduction": lambda name: Case(_typed(), None, **SUMS),
    "Scan": lambda name: Case(_scan(), _scanned(name), **SUMS),
    "Filled": lambda name: Case(_filled(), np.zeros if name == "empty" else None),
    "FilledLike": lambda name: Case(_filled_like()),
}


# Element-wise and extras -----------------------------------------------------------------------


@case("clip", expected=lambda x, low, high: np.minimum(np.maximum(x, low), high))
def _(draw: Draw) -> Call:
    return draw(operands(3, scalars=False)), {}


@case("where")
def _(draw: Draw) -> Call:
    return draw(operands(3)), {}


@case("map_scalar", expected=lambda f, x, y: np.copysign(x, y, dtype=float))
def _(draw: Draw) -> Call:
    return (math.copysign, *draw(operands(scalars=False))), {}


def _cotangent_product(g: Any, p: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(g, 0) | np.equal(p, 0), 0.0, np.multiply(g, p))


@case("cotangent_product", expected=_cotangent_product)
def _(draw: Draw) -> Call:
    floats = operands(scalars=False).map(lambda gp: tuple(np.asarray(x, float) for x in gp))
    return draw(floats), {}


def _sum_to_shape(g: Any, shape: Any) -> Any:
    extra = g.ndim - len(shape)
    axes = [i for i, n in enumerate(g.shape) if i < extra or (n != 1 and shape[i - extra] == 1)]
    return g if g.shape == shape else np.sum(g, tuple(axes), keepdims=True).reshape(shape)


@case("sum_to_shape", expected=_sum_to_shape, **SUMS)
def _(draw: Draw) -> Call:
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    return (draw(tame_arrays(shapes.result_shape)), draw(st.sampled_from(shapes.input_shapes))), {}


@case("to_flat", expected=lambda x: Plain(x.ravel().tolist()))
def _(draw: Draw) -> Call:
    return (draw(arrays()),), {}


@case("to_list", expected=lambda x: Plain(x.tolist()))
def _(draw: Draw) -> Call:
    return (draw(arrays()),), {}


@case("from_flat", expected=lambda flat, shape, dtype: np.array(flat, dtype).reshape(shape))
def _(draw: Draw) -> Call:
    x = draw(arrays())
    return (x.ravel().tolist(), x.shape, x.dtype.name), {}


# Products --------------------------------------------------------------------------------------


@case("matmul", **SUMS)
def _(draw: Draw) -> Call:
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    left, right = shapes.input_shapes
    x = draw(tame_arrays(draw(st.sampled_from([(k,), (n, k), (*left, n, k)]))))
    return (x, draw(tame_arrays(draw(st.sampled_from([(k,), (k, m), (*right, k, m)]))))), {}


def _cotangent_matmul(x: Any, y: Any) -> Any:
    rows, columns = x[..., :, :, None], y[..., None, :, :]
    with np.errstate(all="ignore"):
        return np.sum(_cotangent_product(rows, columns), axis=-2)


@case("cotangent_matmul", expected=_cotangent_matmul, **SUMS)
def _(draw: Draw) -> Call:
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    few = st.sampled_from([0.0, 1.0, -2.0, math.inf, -math.inf, math.nan])
    shapes = draw(st.sampled_from([((n, k), (k, m)), ((2, n, k), (k, m)), ((n, k), (2, k, m))]))
    return tuple(draw(hnp.arrays(float, shape, elements=few)) for shape in shapes), {}


@case("matrix_transpose", "nonzero")
def _(draw: Draw) -> Call:
    return (draw(arrays()),), {}


@case("outer")
def _(draw: Draw) -> Call:
    return (draw(arrays()), draw(arrays())), {}


@st.composite
def _regular(draw: Draw) -> Any:
    """Batches of matrices with a strong diagonal, negative in places: far from singular."""
    n, lead = draw(st.integers(0, 4)), draw(st.lists(st.integers(0, 2), max_size=2))
    x = draw(hnp.arrays("float64", (*lead, n, n), elements=st.floats(-1.0, 1.0)))
    signs = draw(hnp.arrays("float64", n, elements=st.sampled_from([-1.0, 1.0])))
    order = draw(st.permutations(range(n)))
    return (x + 2.0 * n * np.diag(signs))[..., order, :]


@case("det", expected=np.linalg.det, rtol=1e-10)
@case("slogdet", expected=np.linalg.slogdet, rtol=1e-10, scale=1.0)
def _(draw: Draw) -> Call:
    return (draw(_regular()),), {}


@case("cholesky", expected=np.linalg.cholesky, rtol=1e-10, scale=1e-2)
def _(draw: Draw) -> Call:
    x = draw(_regular())
    return (x @ np.swapaxes(x, -1, -2),), {}


@case("solve", expected=np.linalg.solve, rtol=1e-9, scale=1e-2)
def _(draw: Draw) -> Call:
    x = draw(_regular())
    lead = draw(st.sampled_from([(), x.shape[:-2], (2, *x.shape[:-2]), (1,)]))
    b = st.floats(-9.0, 9.0)
    shape = (*lead, x.shape[-1], draw(st.integers(0, 3)))
    return (x, draw(hnp.arrays("float64", shape, elements=b))), {}


@case("vecdot", **SUMS)
def _(draw: Draw) -> Call:
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    k = draw(st.integers(0, 3))
    x, y = (draw(tame_arrays((*shape, k))) for shape in shapes.input_shapes)
    if draw(st.booleans()):
        return (x, y), {}
    return (np.moveaxis(x, -1, 0), np.moveaxis(y, -1, 0)), {"axis": 0}


@case("tensordot", **SUMS)
def _(draw: Draw) -> Call:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    n = draw(st.integers(0, len(shape)))
    if draw(st.booleans()):
        y = draw(tame_arrays((*shape[len(shape) - n :], 2)))
        return (draw(tame_arrays(shape)), y), {"axes": n}
    axes = draw(st.permutations(range(len(shape))))[:n]
    y = draw(tame_arrays((2, *(shape[i] for i in axes))))
    return (draw(tame_arrays(shape)), y), {"axes": (tuple(axes), tuple(range(1, n + 1)))}


# Shapes ----------------------------------------------------------------------------------------


@case("broadcast_arrays")
def _(draw: Draw) -> Call:
    return draw(operands(3, scalars=False)), {}


@case("broadcast_to")
def _(draw: Draw) -> Call:
    x, y = draw(operands(scalars=False))
    return (x, draw(st.sampled_from([np.broadcast_shapes(x.shape, y.shape), y.shape]))), {}


@st.composite
def _parts(draw: Draw, axis: int | None) -> list[Any]:
    """Arrays of one shape but for their length along the axis."""
    shape = list(draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)))
    parts = []
    for n in draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)):
        if axis is not None:
            shape[axis] = n
        parts.append(draw(arrays(tuple(shape))))
    return parts


@case("concat", expected=oracle("concatenate"))
def _(draw: Draw) -> Call:
    axis = draw(st.sampled_from([None, 0, -1]))
    return (draw(_parts(axis or 0)),), {"axis": axis if axis != -1 else 0}


@case("stack")
def _(draw: Draw) -> Call:
    parts = draw(_parts(None))
    return (parts,), {"axis": draw(st.integers(-parts[0].ndim - 1, parts[0].ndim))}


@case("expand_dims")
def _(draw: Draw) -> Call:
    x = draw(arrays())
    return (x,), {"axis": draw(st.integers(-x.ndim - 1, x.ndim) | st.just((0, -1)))}


@case("squeeze")
def _(draw: Draw) -> Call:
    x = draw(arrays(hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=2)))
    return (x,), {"axis": axes_of(draw, x)}


@case("flip")
def _(draw: Draw) -> Call:
    x = draw(arrays())
    return (x,), {"axis": axes_of(draw, x)}


@case("roll")
def _(draw: Draw) -> Call:
    x, shift = draw(arrays()), st.integers(-5, 5)
    axis = axes_of(draw, x) or None
    return (x, draw(st.tuples(*[shift] * len(axis)) if isinstance(axis, tuple) else shift)), {
        "axis": axis
    }


@case("moveaxis")
def _(draw: Draw) -> Call:
    x = draw(arrays(SOME))
    n = draw(st.integers(0, x.ndim))
    order = st.permutations(range(x.ndim)).map(lambda axes: tuple(axes[:n]))
    return (x, draw(order), draw(order)), {}


@case("permute_dims")
def _(draw: Draw) -> Call:
    x = draw(arrays())
    return (x, tuple(draw(st.permutations(range(x.ndim))))), {}


@case("repeat")
def _(draw: Draw) -> Call:
    x = draw(arrays())
    axis = axis_of(draw, x)
    n = x.size if axis is None else x.shape[axis]
    counts = draw(st.integers(0, 3) | hnp.arrays("int64", n, elements=st.integers(0, 3)))
    return (x, counts), {"axis": axis}


@case("reshape")
def _(draw: Draw) -> Call:
    x = draw(arrays())
    some = st.lists(st.integers(-1, 6), max_size=3).map(tuple)
    return (x, draw(some | st.sampled_from([-1, (*x.shape, 1), x.shape[::-1]]))), {}


@case("tile")
def _(draw: Draw) -> Call:
    return (draw(arrays()), draw(LENGTHS | st.integers(0, 3))), {}


@case("unstack", expected=lambda x, axis: tuple(np.moveaxis(x, axis, 0)))
def _(draw: Draw) -> Call:
    x = draw(arrays(SOME))
    return (x,), {"axis": axis_of(draw, x, none=False)}


@case("tril", "triu")
def _(draw: Draw) -> Call:
    x = draw(arrays(hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=3)))
    return (x,), {"k": draw(st.integers(-3, 3))}


# Windows and borders ---------------------------------------------------------------------------

view = np.lib.stride_tricks.sliding_window_view


def windowed(draw: Draw) -> tuple[tuple[int, ...], Any, Any]:
    """A shape, the shape of windows, one of which may be too long, and their axes."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
    axes: Any = draw(st.permutations(range(len(shape))))[: draw(st.integers(1, len(shape)))]
    window: Any = tuple(draw(st.integers(0, min(shape[a] + 1, 4))) for a in axes)
    if len(axes) == 1 and draw(st.booleans()):
        return shape, window[0], axes[0] - len(shape)
    if len(axes) == len(shape) and draw(st.booleans()):
        return shape, tuple(w for _, w in sorted(zip(axes, window, strict=True))), None
    return shape, window, tuple(axes)


@case("sliding_windows", expected=view)
def _(draw: Draw) -> Call:
    shape, window, axis = windowed(draw)
    return (draw(arrays(shape)), window, axis), {}


def _overlap_add(windows: Any, shape: Any, axis: Any) -> Any:
    """Added where each element was taken from: the same windows of a range tell."""
    positions = np.arange(math.prod(shape)).reshape(shape)
    at = view(positions, windows.shape[len(shape) :], axis)
    if at.shape != windows.shape:
        raise ValueError
    kind = np.int64 if windows.dtype.kind == "b" else windows.dtype
    out = np.zeros(math.prod(shape), kind)
    np.add.at(out, at.ravel(), windows.ravel().astype(kind))
    return out.reshape(shape)


@case("overlap_add", expected=_overlap_add, **SUMS)
def _(draw: Draw) -> Call:
    shape, window, axis = windowed(draw)
    try:
        windows = view(np.zeros(shape), window, axis).shape
    except ValueError:
        windows = (*shape, 2)  # to be refused
    return (draw(arrays(windows, tame=True)), shape, axis), {}


def _pad(x: Any, pad_width: Any, constant_values: Any = 0) -> Any:
    value = np.asarray(constant_values).astype(x.dtype)
    return np.pad(x, pad_width, constant_values=value) if x.ndim else x.copy()


@case("pad", expected=_pad)
def _(draw: Draw) -> Call:
    x = draw(arrays())
    pair = st.tuples(st.integers(0, 3), st.integers(0, 3))
    widths = draw(st.tuples(*[pair] * x.ndim) | pair | st.tuples(pair) | st.integers(0, 2))
    return (x, widths), {"constant_values": draw(st.floats(-3, 3) | st.integers(-3, 3))}


# Searching, sorting, indexing ------------------------------------------------------------------


def argsorted(x: Any, axis: int, descending: bool) -> Any:
    """Stable in both directions: the sort of what is negated, with nan, inf and all."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    ranks = np.unique(x, return_inverse=True, equal_nan=True)[1].reshape(x.shape)
    return np.argsort(-ranks, axis, kind="stable")


def _sorted(x: Any, axis: int, descending: bool) -> Any:
    return np.take_along_axis(x, argsorted(x, axis, descending), axis)


def _to_sort(draw: Draw) -> Call:
    x = draw(arrays(SOME))
    return (x,), {"axis": axis_of(draw, x, none=False), "descending": draw(st.booleans())}


case("argsort", expected=argsorted)(_to_sort)
case("sort", expected=_sorted)(_to_sort)


@case("searchsorted")
def _(draw: Draw) -> Call:
    line = np.sort(draw(arrays(st.integers(0, 5))))
    return (line, draw(arrays())), {"side": draw(st.sampled_from(["left", "right"]))}


@case("unique_values", expected=lambda x: np.unique(x, equal_nan=False))
def _(draw: Draw) -> Call:
    return (draw(arrays()),), {}


def _taken(x: Any, indices: Any, axis: int | None) -> Any:
    return x[(slice(None),) * ((axis or 0) % x.ndim) + (indices,)]


@case("take", expected=_taken)
def _(draw: Draw) -> Call:
    x = draw(arrays(SOME))
    axis = axis_of(draw, x, none=x.ndim == 1)
    n = x.shape[axis or 0]
    places = st.integers(-n, n) if n else st.just(0)  # n is out of bounds
    shape = hnp.array_shapes(min_dims=0, max_dims=2, min_side=1 if n else 0, max_side=3)
    return (x, draw(hnp.arrays("int64", shape, elements=places))), {"axis": axis}


@case("take_along_axis")
def _(draw: Draw) -> Call:
    x = draw(arrays(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)))
    axis: int = axis_of(draw, x, none=False)
    shape = [draw(st.sampled_from([1, n])) for n in x.shape]
    shape[axis] = draw(st.integers(0, 4))
    places = st.integers(-x.shape[axis], x.shape[axis] - 1)
    return (x, draw(hnp.arrays("int64", tuple(shape), elements=places))), {"axis": axis}


def _key(draw: Draw, shape: tuple[int, ...]) -> Any:
    """Integers, slices, lists of integers, masks, None and '...'; nothing that repeats."""
    parts: list[Any] = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        forms: list[Any] = [st.slices(n), hnp.arrays("bool", n)]
        if n:
            forms += [st.integers(-n, n - 1), st.lists(st.integers(0, n - 1), unique=True)]
        parts.append(draw(st.one_of(forms)))
    arrays_in = [p for p in parts if isinstance(p, list | np.ndarray)]
    if len(arrays_in) > 1:
        parts = [slice(None) if isinstance(p, list | np.ndarray) else p for p in parts]
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


@case("index", expected=lambda x, key: np.asarray(x[key]))
def _(draw: Draw) -> Call:
    x = draw(arrays())
    return (x, _key(draw, x.shape)), {}


def _added(x: Any, key: Any, v: Any) -> Any:
    out = x.copy()
    np.add.at(out, key, np.broadcast_to(v, out[key].shape))  # NumPy 2.4 may read beyond v itself
    return out


def _put(x: Any, key: Any, v: Any) -> Any:
    out = x.copy()
    out[key] = v
    return out


def _to_change(draw: Draw) -> Call:
    x = draw(arrays(tame=True))
    key = _key(draw, x.shape)
    if isinstance(attempt(lambda: x[key]), Exception):
        key = ...
    small = {"f": FLOATS.filter(lambda v: abs(v) < 100), "i": st.integers(-9, 9)}
    elements: Any = small.get(x.dtype.kind, st.booleans())
    shape = draw(st.sampled_from([np.shape(x[key]), ()]))
    return (x, key, draw(hnp.arrays(x.dtype, shape, elements=elements))), {}


case("index_add", expected=_added, **SUMS)(_to_change)
case("index_put", expected=_put)(_to_change)


# Creation --------------------------------------------------------------------------------------

NUMBERS = st.integers(-9, 9) | st.floats(-9, 9).map(lambda v: round(v, 1))


@case("arange")
def _(draw: Draw) -> Call:
    start, stop, step = draw(NUMBERS), draw(NUMBERS), draw(NUMBERS.filter(bool))
    return draw(st.sampled_from([(start, stop, step), (start, stop), (stop,)])), {}


@case("linspace")
def _(draw: Draw) -> Call:
    options = {"endpoint": draw(st.booleans()), "dtype": draw(st.sampled_from([None, "int64"]))}
    return (draw(NUMBERS), draw(NUMBERS), draw(st.integers(0, 6))), options


@case("eye", expected=lambda n, m, k, dtype: np.eye(n, m, k, dtype or float))
def _(draw: Draw) -> Call:
    n, m = draw(st.integers(0, 4)), draw(st.none() | st.integers(0, 4))
    return (n, m), {"k": draw(st.integers(-4, 4)), "dtype": draw(st.sampled_from([None, *NAMES]))}


@case("full")
def _(draw: Draw) -> Call:
    value = draw(st.sampled_from([True, 3, -2.5]))
    return (draw(LENGTHS), value), {"dtype": draw(st.sampled_from([None, *NAMES]))}


@case("full_like")
def _(draw: Draw) -> Call:
    return (draw(arrays()), 2), {"dtype": draw(st.sampled_from([None, *NAMES]))}


@case("asarray", expected=lambda obj, dtype: np.array(obj, dtype))
def _(draw: Draw) -> Call:
    x = draw(arrays(hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)))
    return (x.tolist(),), {"dtype": draw(st.sampled_from([None, x.dtype.name]))}


@case("astype", expected=lambda x, dtype: x.astype(dtype))
def _(draw: Draw) -> Call:
    x = draw(arrays(tame=True))
    return (x, draw(st.sampled_from(NAMES))), {}


@case("meshgrid")
def _(draw: Draw) -> Call:
    lines = draw(st.lists(arrays(st.integers(0, 3)), min_size=1, max_size=3))
    return tuple(lines), {"indexing": draw(st.sampled_from(["xy", "ij"]))}


@case("result_type", expected=lambda *xs: Plain(np.result_type(*xs).name))
def _(draw: Draw) -> Call:
    xs = draw(st.lists(arrays(), min_size=1, max_size=3))
    return (*xs, *draw(st.sampled_from([(), (1,), (1.5,), (True,)]))), {}


_FILLED = {
    **dict.fromkeys(("empty", "ones", "zeros"), "Filled"),
    **dict.fromkeys(("ones_like", "zeros_like"), "FilledLike"),
}
for _name, _hint in {**inspect.get_annotations(Backend), **_FILLED}.items():
    if _hint in KINDS and _name not in CASES:
        CASES[_name] = KINDS[_hint](_name)
