"""For each function of the array API standard, arguments as hypothesis strategies.

A case is `(args, kwargs)`; ndarrays among the arguments become arrays of whoever is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

Case = tuple[tuple[Any, ...], dict[str, Any]]
Cases = st.SearchStrategy[Case]
Draw = Callable[..., Any]

SPECIAL = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.0, -2.0, 3.0, -3.0),
    *(math.inf, -math.inf, math.nan, math.pi, math.pi / 4, -3 * math.pi / 4),
    *(1e300, -1e300, 1e-300, 5e-324, 710.0, -745.2),
]
INTS = [0, 1, -1, 2, -2, 3, 7, -8, 63, 2**31, 2**62, 2**63 - 1, -(2**63)]
_ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "float64": st.sampled_from(SPECIAL) | st.floats(-9.0, 9.0).map(lambda v: round(v, 2)),
    "int64": st.sampled_from(INTS) | st.integers(-9, 9),
    "bool": st.booleans(),
}
_TAME: dict[str, st.SearchStrategy[Any]] = {
    "float64": st.floats(-9.0, 9.0).map(lambda v: round(v, 2)),
    "int64": st.integers(-9, 9),
    "bool": st.booleans(),
}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ANY = ("float64", "float64", "int64", "bool")
NUMERIC = ("float64", "float64", "int64")
FLOAT = ("float64",)
WHOLE = ("int64", "bool")


def _array(draw: st.DrawFn, dtype: str, shape: Any = SHAPES, tame: bool = False) -> Any:
    elements = (_TAME if tame else _ELEMENTS)[dtype]
    return draw(hnp.arrays(dtype, shape, elements=elements))


def _axis(draw: st.DrawFn, ndim: int) -> int:
    return draw(st.integers(-ndim, ndim - 1))


def _axes(draw: st.DrawFn, ndim: int) -> Any:
    """None, an axis, or several."""
    one = st.integers(-ndim, ndim - 1) if ndim else st.nothing()
    several = st.lists(one, unique_by=lambda a: a % ndim, max_size=ndim).map(tuple)
    return draw(st.none() | (one | several if ndim else st.just(())))


def unary(dtypes: tuple[str, ...] = ANY) -> Cases:
    """One array."""

    @st.composite
    def cases(draw: st.DrawFn) -> Case:
        return (_array(draw, draw(st.sampled_from(dtypes))),), {}

    return cases()


def binary(dtypes: tuple[str, ...] = ANY) -> Cases:
    """Two arrays of one dtype whose shapes broadcast, or a number in place of one."""

    @st.composite
    def cases(draw: st.DrawFn) -> Case:
        dtype = draw(st.sampled_from(dtypes))
        shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
        pair = [_array(draw, dtype, shape) for shape in shapes.input_shapes]
        if draw(st.booleans()):
            pair[draw(st.integers(0, 1))] = draw(_ELEMENTS[dtype])
        return tuple(pair), {}

    return cases()


def reduction(
    dtypes: tuple[str, ...] = ANY,
    *,
    several: bool = True,
    empty: bool = True,
    tame: bool = False,
    **options: st.SearchStrategy[Any],
) -> Cases:
    """An array, and axis=, keepdims= and the like."""

    @st.composite
    def cases(draw: st.DrawFn) -> Case:
        side = 0 if empty else 1
        shape = hnp.array_shapes(min_dims=0, max_dims=3, min_side=side, max_side=3)
        x = _array(draw, draw(st.sampled_from(dtypes)), shape, tame)
        kwargs = {name: draw(option) for name, option in options.items()}
        if several:
            kwargs["axis"] = _axes(draw, x.ndim)
        elif x.ndim:
            kwargs["axis"] = draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
        return (x,), {**kwargs, "keepdims": draw(st.booleans())}

    return cases()


def along(
    dtypes: tuple[str, ...] = ANY,
    *,
    optional: bool = False,
    **options: st.SearchStrategy[Any],
) -> Cases:
    """An array of at least one axis, and axis= one of them."""

    @st.composite
    def cases(draw: st.DrawFn) -> Case:
        shape = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
        x = _array(draw, draw(st.sampled_from(dtypes)), shape)
        kwargs = {name: draw(option) for name, option in options.items()}
        if not (optional and draw(st.booleans())):
            kwargs["axis"] = _axis(draw, x.ndim)
        return (x,), kwargs

    return cases()


def matrices() -> Cases:
    """An array of at least two axes, and k= a diagonal."""

    @st.composite
    def cases(draw: st.DrawFn) -> Case:
        shape = hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3)
        x = _array(draw, draw(st.sampled_from(ANY)), shape)
        return (x,), {"k": draw(st.integers(-3, 3))}

    return cases()


def composed(make: Callable[[Callable[..., Any], st.DrawFn], Case]) -> Cases:
    """What a function of (array maker, draw) puts together."""

    @st.composite
    def cases(draw: st.DrawFn) -> Case:
        def array(dtypes: tuple[str, ...] = ANY, shape: Any = SHAPES, tame: bool = False) -> Any:
            return _array(draw, draw(st.sampled_from(dtypes)), shape, tame)

        return make(array, draw)

    return cases()


def _where(array: Draw, draw: st.DrawFn) -> Case:
    (x, y), _ = draw(binary())
    return (array(("bool",), np.broadcast_shapes(np.shape(x), np.shape(y))), x, y), {}


def _clip(array: Draw, draw: st.DrawFn) -> Case:
    x = array(NUMERIC)
    bounds = st.integers(-5, 5) if x.dtype.kind == "i" else st.floats(-5.0, 5.0)
    low, high = draw(st.none() | bounds), draw(st.none() | bounds)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    return (x, low, high), {}


def _matmul(array: Draw, draw: st.DrawFn) -> Case:
    shapes = draw(hnp.mutually_broadcastable_shapes(signature="(n?,k),(k,m?)->(n?,m?)", max_side=3))
    dtype = (draw(st.sampled_from(NUMERIC)),)
    return tuple(array(dtype, shape, tame=True) for shape in shapes.input_shapes), {}


def _vecdot(array: Draw, draw: st.DrawFn) -> Case:
    shapes = draw(hnp.mutually_broadcastable_shapes(signature="(k),(k)->()", max_side=3))
    dtype = (draw(st.sampled_from(NUMERIC)),)
    args = tuple(array(dtype, shape, tame=True) for shape in shapes.input_shapes)
    return args, draw(st.sampled_from([{}, {"axis": -1}]))


def _tensordot(array: Draw, draw: st.DrawFn) -> Case:
    x = array(NUMERIC, tame=True)
    n = draw(st.integers(0, x.ndim))
    tail = draw(st.lists(st.integers(0, 3), max_size=2))
    y = array((x.dtype.name,), (*x.shape[x.ndim - n :], *tail), tame=True)
    pairs = (tuple(range(x.ndim - n, x.ndim)), tuple(range(n)))
    return (x, y), {"axes": draw(st.sampled_from([n, pairs]))}


def _reshape(array: Draw, draw: st.DrawFn) -> Case:
    x = array()
    shapes = [x.shape[::-1], (x.size,), (1, x.size, 1), *([(-1,)] if x.size else [])]
    return (x, draw(st.sampled_from(shapes))), {"copy": draw(st.none() | st.just(True))}


def _permute(array: Draw, draw: st.DrawFn) -> Case:
    x = array()
    return (x, tuple(draw(st.permutations(range(x.ndim))))), {}


def _moveaxis(array: Draw, draw: st.DrawFn) -> Case:
    x = array(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3))
    return (x, _axis(draw, x.ndim), _axis(draw, x.ndim)), {}


def _expand(array: Draw, draw: st.DrawFn) -> Case:
    x = array()
    return (x, draw(st.integers(-x.ndim - 1, x.ndim))), {}


def _squeeze(array: Draw, draw: st.DrawFn) -> Case:
    x = array(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=2))
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    return (x, draw(st.sampled_from([tuple(ones), *ones]))), {}


def _roll(array: Draw, draw: st.DrawFn) -> Case:
    x = array()
    axis = draw(st.none() | st.integers(-x.ndim, x.ndim - 1)) if x.ndim else None
    return (x, draw(st.integers(-4, 4))), {"axis": axis}


def _tile(array: Draw, draw: st.DrawFn) -> Case:
    return (array(), tuple(draw(st.lists(st.integers(0, 2), max_size=3)))), {}


def _repeat(array: Draw, draw: st.DrawFn) -> Case:
    x = array(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3))
    axis = draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    n = x.size if axis is None else x.shape[axis]
    many = hnp.arrays("int64", n, elements=st.integers(0, 3))
    return (x, draw(st.integers(0, 3) | many)), {"axis": axis}


def _concat(array: Draw, draw: st.DrawFn) -> Case:
    x = array(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3))
    axis = draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    shape = list(x.shape)
    if axis is not None:
        shape[axis] = draw(st.integers(0, 3))
    return ([x, array((x.dtype.name,), tuple(shape)), x],), {"axis": axis}


def _stack(array: Draw, draw: st.DrawFn) -> Case:
    x = array()
    y = array((x.dtype.name,), x.shape)
    return ([x, y],), {"axis": draw(st.integers(-x.ndim - 1, x.ndim))}


def _broadcast_to(array: Draw, draw: st.DrawFn) -> Case:
    x = array()
    lead = draw(st.lists(st.integers(0, 2), max_size=1))
    return (x, (*lead, *(n if n != 1 else draw(st.integers(0, 3)) for n in x.shape))), {}


def _broadcast_arrays(array: Draw, draw: st.DrawFn) -> Case:
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3))
    return tuple(array(ANY, shape) for shape in shapes.input_shapes), {}


def _take(array: Draw, draw: st.DrawFn) -> Case:
    x = array(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    axis = _axis(draw, x.ndim)
    at = hnp.arrays("int64", st.integers(0, 4), elements=st.integers(0, x.shape[axis] - 1))
    return (x, draw(at)), {} if x.ndim == 1 and draw(st.booleans()) else {"axis": axis}


def _take_along(array: Draw, draw: st.DrawFn) -> Case:
    x = array(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    axis = _axis(draw, x.ndim)
    shape = [*x.shape]
    shape[axis] = draw(st.integers(0, 4))
    at = hnp.arrays("int64", tuple(shape), elements=st.integers(0, x.shape[axis] - 1))
    return (x, draw(at)), {"axis": axis}


def _searchsorted(array: Draw, draw: st.DrawFn) -> Case:
    x = array(NUMERIC, st.integers(0, 5))
    y = array((x.dtype.name,))
    side = draw(st.sampled_from(["left", "right"]))
    if draw(st.booleans()):
        return (x, y), {"side": side, "sorter": np.argsort(x)}
    return (np.sort(x), y), {"side": side}


def _diff(array: Draw, draw: st.DrawFn) -> Case:
    x = array(NUMERIC, hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=4))
    axis = _axis(draw, x.ndim)
    kwargs = {"axis": axis, "n": draw(st.integers(0, 2))}
    if draw(st.booleans()):
        kwargs["prepend"] = kwargs["append"] = x
    return (x,), kwargs


def _without_nan(case: Case) -> Case:
    """The standard leaves the order of what differs from everything open."""
    (x,) = case[0]
    return (np.asarray(np.nan_to_num(x, nan=4.0)) if x.dtype.kind == "f" else x,), {}


_LENGTHS = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
_DTYPE = st.sampled_from([None, "float64", "int64", "bool"])
_NUMBER = st.integers(-5, 5) | st.floats(-5.0, 5.0).map(lambda v: round(v, 2)) | st.booleans()


def filled(*more: st.SearchStrategy[Any]) -> Cases:
    """A shape, further arguments, and dtype=."""
    kwargs = st.fixed_dictionaries({"dtype": _DTYPE})
    return st.tuples(st.tuples(_LENGTHS | st.integers(0, 3), *more), kwargs)


def filled_like(*more: st.SearchStrategy[Any]) -> Cases:
    """An array whose shape and dtype count, further arguments, and dtype=."""
    x = unary().map(lambda case: case[0][0])
    return st.tuples(st.tuples(x, *more), st.fixed_dictionaries({"dtype": _DTYPE}))


_STEPS = st.sampled_from([1, 2, -1, 0.5, 0.25])
CREATION: dict[str, Cases] = {
    "arange": st.tuples(
        st.tuples(st.integers(-5, 5) | st.sampled_from([0.5, -1.5]), st.integers(-5, 5), _STEPS)
        | st.tuples(st.integers(-2, 5)),
        st.just({}),
    ),
    "empty": filled().map(lambda case: ((0,), case[1])),  # else the numbers are anybody's guess
    "empty_like": filled_like().map(lambda case: ((np.zeros((0, 2)),), case[1])),
    "eye": st.tuples(
        st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)),
        st.fixed_dictionaries({"k": st.integers(-3, 3), "dtype": _DTYPE}),
    ),
    "full": st.tuples(st.tuples(_LENGTHS, _NUMBER), st.just({})),
    "full_like": filled_like(st.booleans()),
    "linspace": st.tuples(
        st.tuples(st.integers(-5, 5), st.floats(-5.0, 5.0), st.integers(0, 5)),
        st.fixed_dictionaries({"endpoint": st.booleans()}),
    ),
    "meshgrid": st.tuples(
        st.lists(hnp.arrays("float64", st.integers(0, 3)), min_size=1, max_size=3).map(tuple),
        st.fixed_dictionaries({"indexing": st.sampled_from(["xy", "ij"])}),
    ),
    "ones": filled(),
    "ones_like": filled_like(),
    "zeros": filled(),
    "zeros_like": filled_like(),
}
CREATION["asarray"] = st.tuples(
    st.tuples(unary().map(lambda case: case[0][0].tolist())), st.fixed_dictionaries({})
)
CREATION["astype"] = st.tuples(
    st.tuples(
        composed(lambda array, draw: ((array(tame=True),), {})).map(lambda case: case[0][0]),
        st.sampled_from(["float64", "int64", "bool"]),
    ),
    st.fixed_dictionaries({"copy": st.booleans()}),
)

SHAPED: dict[str, Cases] = {
    "all": reduction(),
    "any": reduction(),
    "argmax": reduction(NUMERIC, several=False, empty=False),
    "argmin": reduction(NUMERIC, several=False, empty=False),
    "argsort": along(NUMERIC, optional=True, descending=st.booleans()),
    "broadcast_arrays": composed(_broadcast_arrays),
    "broadcast_to": composed(_broadcast_to),
    "clip": composed(_clip),
    "concat": composed(_concat),
    "count_nonzero": reduction(),
    "cumulative_prod": along(NUMERIC, include_initial=st.booleans()),
    "cumulative_sum": along(NUMERIC, include_initial=st.booleans()),
    "diff": composed(_diff),
    "expand_dims": composed(_expand),
    "flip": reduction().map(lambda case: (case[0], {"axis": case[1]["axis"]})),
    "matmul": composed(_matmul),
    "matrix_transpose": matrices().map(lambda case: (case[0], {})),
    "max": reduction(NUMERIC, empty=False),
    "mean": reduction(FLOAT, tame=True),
    "min": reduction(NUMERIC, empty=False),
    "moveaxis": composed(_moveaxis),
    "nonzero": along().map(lambda case: (case[0], {})),
    "permute_dims": composed(_permute),
    "prod": reduction(NUMERIC),
    "repeat": composed(_repeat),
    "reshape": composed(_reshape),
    "roll": composed(_roll),
    "searchsorted": composed(_searchsorted),
    "sort": along(NUMERIC, optional=True, descending=st.booleans()),
    "squeeze": composed(_squeeze),
    "stack": composed(_stack),
    "std": reduction(FLOAT, tame=True, correction=st.sampled_from([0.0, 1.0, 0.5])),
    "sum": reduction(NUMERIC, tame=True, dtype=st.sampled_from([None, "float64"])),
    "take": composed(_take),
    "take_along_axis": composed(_take_along),
    "tensordot": composed(_tensordot),
    "tile": composed(_tile),
    "tril": matrices(),
    "triu": matrices(),
    "unique_all": unary().map(_without_nan),
    "unique_counts": unary().map(_without_nan),
    "unique_inverse": unary().map(_without_nan),
    "unique_values": unary(),
    "unstack": along(optional=True),
    "var": reduction(FLOAT, tame=True, correction=st.sampled_from([0.0, 1.0, 0.5])),
    "vecdot": composed(_vecdot),
    "where": composed(_where),
}
