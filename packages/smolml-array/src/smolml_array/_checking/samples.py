"""Calls to try a function with: what its parameters are called says what they may be."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

_TRIES = 600  # calls of one function, of which many may be refused
_OMITTED = 0.5  # how often an optional parameter is left out

Call = tuple[list[Any], dict[str, Any]]
Shape = tuple[int, ...]


class Sample(NamedTuple):
    """An array that is on no backend yet."""

    shape: Shape
    dtype: str
    numbers: tuple[Any, ...]

    def __repr__(self) -> str:
        numbers = ", ".join(map(str, self.numbers[:4])) + ", ..." * (len(self.numbers) > 4)
        return f"{self.dtype}{list(self.shape)}: {numbers}"


class Dtype(str):
    """The name of a dtype, to be looked up on a backend."""

    __slots__ = ()


_TAME = (0.5, -1.25, 2.0, -0.0, 1.5, -2.5, 3.0, 0.25, -0.75, 1.0, -3.0, 2.25)
_WHOLE = (1, 0, 2, -1, 2, 1, 0, -2, 3, 1, 0, 2)
_SPECIAL = (0.0, math.inf, 1.0, math.nan, -math.inf, -0.0)
_SHAPES: tuple[Shape, ...] = ((), (3,), (2, 3), (3, 1), (2, 3, 2), (0,), (0, 3), (3, 3))


def _of(shapes: tuple[Shape, ...], dtype: str, numbers: tuple[Any, ...]) -> list[Sample]:
    return [Sample(shape, dtype, numbers[: math.prod(shape)]) for shape in shapes]


_EXTREME = [*_of(((6,), (2, 3)), "float64", _SPECIAL), Sample((6,), "float64", _SPECIAL[::-1])]
_INDICES = _of(_SHAPES, "int64", _WHOLE)
_FLOATS = _of(_SHAPES, "float64", _TAME)
ARRAYS = [*_FLOATS, *_EXTREME, *_INDICES, *_of(_SHAPES[:4], "bool", (True, False) * 3)]
"""Of every dtype and rank, empty ones and extreme numbers among them."""

_NUMBERS: list[Any] = [2, -1.5, True, 0, math.inf]
_FEW: list[Any] = [None, 0, 1, -1, 2, 4, 7, 0.5, -1.5, (0, 1), (1, -1), (2,), (2, 1), (1, 2, 2)]
_SORTED = [Sample((3,), "int64", (-1, 0, 2)), Sample((4,), "float64", (-1.0, 0.0, 0.0, 2.5))]
_SPD = _of(((2, 2), (2, 2, 2), (0, 0)), "float64", (2.0, -0.5, -0.5, 1.0, 4.0, 1.5, 1.5, 3.0))
_SLICES = [..., None, slice(1, None), slice(None, None, -1), (..., 0), (None, 1), (slice(0), ...)]
_LISTS = [[1, 1], [], [True, False], ([0, 1], [1, 1]), (slice(None), [0, 1, 0])]
CHOICES: dict[str, list[Any]] = {
    **{name: list(ARRAYS) for name in ("x", "self", "arrays_and_dtypes", "operands", "xs")},
    **{name: [*_FLOATS, *_EXTREME] for name in ("g", "p")},
    **{name: [*ARRAYS, *_NUMBERS] for name in ("x1", "x2", "w", "b", "other", "v")},
    **dict.fromkeys(("axis", "source", "destination", "min", "max"), _FEW),
    "arrays": [[x, y] for n in range(8) for x in ARRAYS[n::8] for y in ARRAYS[n::8]],
    "axes": [0, 1, 2, (1, 0), (0, 2, 1), (-1, 0), (0,), ((0,), (0,)), ((1,), (0,)), (0, 0)],
    "condition": [x for x in ARRAYS if x.dtype != "float64"],
    "constant_values": [_FLOATS[0], *_NUMBERS[:4]],
    "device": [None, "cpu"],
    "dtype": [None, *map(Dtype, ("float64", "int64", "bool"))],
    "f": [math.hypot],
    "indexing": ["xy", "ij"],
    "indices": [*_INDICES, 0, -1, 7],
    "indices_or_sections": [1, 2, 3, [1], [1, 2]],
    "key": [0, -1, 5, (0, 1), *_SLICES, *_LISTS],
    "kind": ["bool", "integral", "real floating", "numeric", Dtype("int64")],
    "mode": ["constant", "edge", "reflect", "symmetric", "wrap"],
    "obj": [2.5, 3, True, [], [[1.0, 2.0], [3, 4]], [[1], [2, 3]], *ARRAYS],
    "ord": [1, 2, 3, 0.5, math.inf, -math.inf, "fro"],
    "pad_width": [1, 0, (1, 2), ((1, 0), (0, 2))],
    "repeats": [2, 0, 1, *(Sample((len(n),), "int64", n) for n in ((1, 0, 2), (2,)))],
    "repetitions": [2, 0, (2,), (2, 1), (1, 2, 2)],
    "shape": [6, (), (3,), (2, 3), (3, 2), (6,), (2, 0), (-1,), (2, 1, 3), (2, 2, 3)],
    "side": ["left", "right"],
    "sorter": [None],
    "subscripts": ["ij,jk->ik", "ij->ji", "ii->i", "i,i->", "...j->...", "ij,j", "i,j->ij"],
    "type": [*map(Dtype, ("float64", "int64"))],
    "values": [*_FLOATS, *_NUMBERS],
    "xs": [Sample((3,), "float64", (-1.0, 0.0, 2.5))],
    "ys": [Sample((3,), "float64", (2.0, -1.0, 0.5))],
    # of one function, where its other arguments or its contract leave less
    "searchsorted.x1": _SORTED,
    "convolve.mode": ["full", "same", "valid"],
    **{f"{name}.x": _SPD for name in ("cholesky", "det", "inv", "matrix_power", "slogdet")},
    "solve.x2": [x for x in _FLOATS if len(x.shape) > 1],
    "solve.x1": _SPD,
    "take_along_axis.indices": _INDICES,
    "arange.dtype": [None, *map(Dtype, ("float64", "int64"))],
    **{name: [x for x in ARRAYS if len(x.shape) > 1] for name in ("tril.x", "triu.x")},
}
"""What a parameter of this name may be; `"function.parameter"` goes before `"parameter"`."""


_WINDOWS = _of(((2, 2), (2, 2, 2), (2, 1, 2, 2)), "float64", _TAME)
_OVERLAPS: list[Any] = [((3,), -1), ((2, 3), 1), ((3, 2), None)]
_TOGETHER: dict[str, list[Call]] = {
    "add_into": [([x, x], {}) for x in _FLOATS],
    **dict.fromkeys(
        ("index_add_into", "index_put_into"),
        [([x, key, x], {}) for x in _FLOATS for key in (..., ())]
        + [([x, [0, -1], 2.5], {}) for x in _FLOATS if len(x.shape) and x.shape[0]],
    ),
    "from_flat": [([list(x.numbers), x.shape, Dtype(x.dtype)], {}) for x in ARRAYS],
    "overlap_add": [
        ([x, shape], {"axis": axis}) for x, (shape, axis) in zip(_WINDOWS, _OVERLAPS, strict=True)
    ],
    "sum_to_shape": [
        ([x, (*(min(n, 1) for n in x.shape[i:k]), *x.shape[k:])], {})
        for x in [*_FLOATS, *_EXTREME, *_INDICES]
        for i in range(len(x.shape) + 1)
        for k in range(i, len(x.shape) + 1)
    ],
    "uniform": [([Random(), shape], {}) for shape in _SHAPES],
}
"""Calls of functions whose arguments must go together."""


def calls(name: str, signature: inspect.Signature) -> Iterator[Call]:
    """Different calls of a function, the same ones in every run.

    Raises:
        LookupError: there are no samples for one of its parameters.
    """
    if name in _TOGETHER:
        yield from _TOGETHER[name]
        return
    rng = Random(name)
    seen = set()
    takes = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    choices = {p.name: _choices(name, p) for p in takes}
    for _ in range(_TRIES):
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for p in takes:
            if p.kind is p.VAR_POSITIONAL:
                args += rng.choices(choices[p.name], k=rng.randint(1, 3))
            elif p.default is p.empty:
                args.append(rng.choice(choices[p.name]))
            elif rng.random() > _OMITTED:
                kwargs[p.name] = rng.choice(choices[p.name])
        if (call := repr((args, kwargs))) not in seen:
            seen.add(call)
            yield args, kwargs


def _choices(function: str, p: inspect.Parameter) -> list[Any]:
    hints = set(re.findall(r"\w+", str(p.annotation)))
    found = CHOICES.get(f"{function}.{p.name}") or CHOICES.get(p.name)
    if found is None:
        found = [False, True] if hints <= {"bool", "_bool"} else _FEW if hints <= _HINTS else None
    if found is None and p.default is not p.empty:
        return [p.default]
    if found is None:
        raise LookupError(f"no samples for its parameter {p.name!r}: add some to {__name__}")
    if p.name == "arrays" and p.kind is p.VAR_POSITIONAL:
        return ARRAYS
    return [x for x in found if _fits(x, hints)] if hints <= _HINTS else found


_HINTS = {"int", "float", "None", "tuple", "Sequence", "Shape", "NDArray", "Raw", "Number"}


def _fits(x: Any, hints: set[str]) -> bool:
    """Whether it is of a kind that the hints of the parameter name."""
    if isinstance(x, Sample):
        return not hints.isdisjoint({"NDArray", "Raw"})
    if isinstance(x, list | tuple):
        return not hints.isdisjoint({"tuple", "Sequence", "Shape"})
    if x is None:
        return "None" in hints
    return not hints.isdisjoint({"float", "Number", type(x).__name__})
