"""Both backends against NumPy itself: strategies for arrays, and the comparison."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array.backends import get_backend

PURE = get_backend("pure")
NUMPY = get_backend("numpy")
# NumPy before 2.2 only deprecates an index that is out of bounds where nothing is selected.
ERRORS = (ValueError, TypeError, IndexError, OverflowError, DeprecationWarning)

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, float("inf"), float("-inf"), float("nan"), 1e300]
FLOATS = st.sampled_from(SPECIAL) | st.floats(-50, 50).filter(lambda v: abs(v) > 1e-3)
TAME = st.floats(-50, 50).map(lambda v: round(v, 3))
INTS = st.integers(-20, 20) | st.sampled_from([2**62, -(2**63), 2**63 - 1])
ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "float64": FLOATS,
    "int64": INTS,
    "bool": st.booleans(),
}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
DTYPES = st.sampled_from(["float64", "float64", "int64", "bool"])
SCALARS = FLOATS | st.integers(-20, 20) | st.booleans()


def names(text: str) -> list[str]:
    """Names separated by white space."""
    return text.split()


def arrays(
    shapes: Any = SHAPES, dtypes: st.SearchStrategy[str] = DTYPES, tame: bool = False
) -> st.SearchStrategy[Any]:
    """ndarrays of our three dtypes, with special values among the floats unless tame."""

    def of(dtype: str) -> st.SearchStrategy[Any]:
        elements = ELEMENTS[dtype]
        if tame:
            elements = {"float64": TAME, "int64": st.integers(-20, 20)}.get(dtype, elements)
        return hnp.arrays(dtype, shapes, elements=elements)

    return dtypes.flatmap(of)


def tame_arrays(shapes: Any = SHAPES) -> st.SearchStrategy[Any]:
    """ndarrays of floats or small integers, without special values."""
    return arrays(shapes, st.sampled_from(["float64", "int64"]), tame=True)


@st.composite
def operands(draw: st.DrawFn, count: int = 2, scalars: bool = True) -> tuple[Any, ...]:
    """Arrays (or numbers among them) whose shapes broadcast."""
    shapes = draw(
        hnp.mutually_broadcastable_shapes(
            num_shapes=count, min_dims=0, max_dims=3, min_side=0, max_side=3
        )
    )
    chosen = [draw(arrays(shape)) for shape in shapes.input_shapes]
    if scalars and draw(st.booleans()):
        chosen[draw(st.integers(0, count - 1))] = draw(SCALARS)
    return tuple(chosen)


def on_pure(x: Any) -> Any:
    """An argument with every ndarray in it turned into a pure array."""
    if isinstance(x, np.ndarray):
        return PURE.asarray(x)
    if isinstance(x, list | tuple):
        return type(x)(map(on_pure, x))
    return x


def with_scalars(x: Any) -> Any:
    """An argument with NumPy's scalars in place of arrays of no dimension."""
    if isinstance(x, np.ndarray):
        return x if x.ndim else x[()]
    if isinstance(x, list | tuple):
        return type(x)(map(with_scalars, x))
    return x


def attempt(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result, or the error that came instead; warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return f(*args, **kwargs)
        except ERRORS as error:
            return error


def oracle(name: str) -> Callable[..., Any]:
    """NumPy's own function, with float64 and int64 in place of its small types for bools."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        f = getattr(np, name)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = f(*args, **kwargs)
            if isinstance(out, np.ndarray | np.generic) and out.dtype.itemsize < 4:
                if out.dtype.kind == "f":
                    return f(*(np.asarray(a, np.float64) for a in args), **kwargs)
                if out.dtype.kind == "i":
                    return f(*(np.asarray(a, np.int64) for a in args), **kwargs)
        return out

    return answer


class Plain:
    """What is no array: numbers, lists, the name of a dtype."""

    def __init__(self, value: Any) -> None:
        self.value = value


def same(what: str, got: Any, expected: Any, rtol: float = 0.0, scale: float = 0.0) -> None:
    """Assert that a raw array (or a tuple of them) equals an ndarray: shape, dtype, values."""
    if isinstance(expected, Plain):
        assert repr(getattr(got, "name", got)) == repr(expected.value), f"{what}: {got!r}"
        return
    if isinstance(expected, tuple | list):
        assert isinstance(got, tuple), what
        assert len(got) == len(expected), what
        for g, e in zip(got, expected, strict=True):
            same(what, g, e, rtol, scale)
        return
    wanted = np.asarray(expected)
    assert isinstance(got, np.ndarray) or PURE.is_array(got), f"{what}: {got!r} is no array"
    assert tuple(got.shape) == wanted.shape, f"{what}: shape {got.shape} != {wanted.shape}"
    assert got.dtype.name == wanted.dtype.name, f"{what}: {got.dtype} != {wanted.dtype}"
    if PURE.is_array(got):
        kinds = set(map(type, got.flat))
        assert kinds <= {got.dtype.python}, f"{what}: {kinds} in an array of {got.dtype}"
    values = np.array(got.tolist(), wanted.dtype).reshape(wanted.shape)
    if rtol or scale:
        np.testing.assert_allclose(values, wanted, rtol, rtol * scale, err_msg=what)
    else:
        np.testing.assert_array_equal(values, wanted, err_msg=what)


def agree(
    name: str,
    *args: Any,
    expected: Callable[..., Any] | None = None,
    rtol: float = 0.0,
    scale: float = 0.0,
    **kwargs: Any,
) -> None:
    """Assert that both backends answer as NumPy does, or raise where it does.

    Args:
        name: the function.
        args: its arguments; ndarrays among them become arrays of each backend.
        expected: the oracle, NumPy's function of the same name by default.
        rtol: how far the values may be off; 0: equal to the last bit.
        scale: the size of what was summed, for the absolute error that cancellation leaves.
        kwargs: its keyword arguments.
    """
    what = f"{name}{args}{kwargs or ''}"
    wanted = attempt(expected or oracle(name), *args, **kwargs)
    for backend, own in ((PURE, on_pure), (NUMPY, lambda x: x), (NUMPY, with_scalars)):
        got = attempt(getattr(backend, name), *map(own, args), **kwargs)
        if isinstance(wanted, Exception):
            assert isinstance(got, Exception), f"{backend.name} {what}: {got!r}, not {wanted!r}"
        elif isinstance(got, Exception):
            raise AssertionError(f"{backend.name} {what} raised {got!r}") from got
        else:
            same(f"{backend.name} {what}", got, wanted, rtol, scale)
