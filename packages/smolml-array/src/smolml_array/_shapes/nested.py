"""Nested lists of numbers: their shape, their elements, and the path of what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Final

from smolml_array._shapes.axes import Shape, ShapeError

_INT64_MAX = 2**63 - 1
DEEPEST: Final = 64  # as many axes as NumPy's arrays may have


def _path(path: Sequence[int]) -> str:
    return "".join(f"[{i}]" for i in path) or "the argument"


def _short(obj: object) -> str:
    text = repr(obj)
    return text if len(text) <= 40 else f"{text[:37]}..."


def as_number(obj: Any, path: Sequence[int] = (), who: str = "asarray") -> float:
    """A Python bool, int or float of anything that is one real number.

    Raises:
        TypeError: it is not; says where it stands.
        OverflowError: an integer that does not fit in int64.

    >>> as_number(True), as_number(2), as_number(0.5)
    (True, 2, 0.5)
    """
    kind = type(obj)
    if kind is float or kind is bool:
        return obj  # type: ignore[no-any-return]
    if isinstance(obj, int):
        if not -_INT64_MAX - 1 <= obj <= _INT64_MAX:
            raise OverflowError(
                f"{who}: {_path(path)} is {_short(obj)}, which does not fit in int64: "
                f"write it as a float"
            )
        return int(obj)
    if isinstance(obj, Real) or hasattr(obj, "dtype"):  # Fraction, NumPy scalars and the like
        item = obj.item() if hasattr(obj, "item") and hasattr(obj, "dtype") else float(obj)
        if isinstance(item, bool | int | float):
            # NumPy's unsigned integers may be larger than int64: they are floats beside it
            return float(item) if item > _INT64_MAX and type(item) is int else item
    raise TypeError(
        f"{who}: {_path(path)} is {_short(obj)} ({kind.__name__}): expected a real number"
    )


def _children(obj: Any) -> Sequence[Any] | None:
    """What obj contains, or None if it should be a number."""
    if isinstance(obj, list | tuple | range):
        return obj
    # of the type: an object may look far and wide for an attribute that it does not have
    if hasattr(type(obj), "shape") and obj.shape and hasattr(obj, "tolist"):  # any backend's array
        return obj.tolist()  # type: ignore[no-any-return]
    return None


def check_depth(depth: int, who: str) -> None:
    """Raise for lists that are nested deeper than any backend has axes: they may never end."""
    if depth > DEEPEST:
        raise ShapeError(
            f"{who}: lists that are nested more than {DEEPEST} deep: expected at most that many "
            f"dimensions; does a list contain itself?"
        )


def nested_shape(obj: Any, who: str = "asarray") -> Shape:
    """The shape that the first elements suggest.

    Raises:
        ShapeError: there is no end to it.

    >>> nested_shape([[1, 2, 3], [4, 5, 6]])
    (2, 3)
    """
    shape = []
    children = _children(obj)
    while children is not None:
        shape.append(len(children))
        check_depth(len(shape), who)
        children = _children(children[0]) if len(children) else None
    return tuple(shape)


def flatten(
    obj: Any, who: str = "asarray", leaf: Callable[..., Any] = as_number
) -> tuple[list[Any], Shape]:
    """The numbers of nested lists in C order, and their shape.

    `leaf(item, path, who)` turns what stands in the innermost lists into numbers.

    Raises:
        ShapeError: ragged lists.
        TypeError: something that is not a real number.

    >>> flatten([[1, 2], [3, 4]])
    ([1, 2, 3, 4], (2, 2))
    """
    shape = nested_shape(obj, who)
    if not shape:
        return [leaf(obj, (), who)], ()
    level: list[Any] = [obj]
    for depth, length in enumerate(shape):
        following: list[Any] = []
        for i, item in enumerate(level):
            children = _children(item)
            if children is None:
                leaf(item, unravel(i, shape[:depth]), who)  # raises if it is no number at all
            if children is None or len(children) != length:
                raise _ragged(who, i, children, shape[:depth], f"has length {length}")
            following.extend(children)
        level = following
    if set(map(type, level)) <= {float, bool}:  # the usual case, checked at C speed
        return level, shape

    def number(i: int, item: Any) -> Any:
        children = _children(item)
        if children is None:
            return leaf(item, unravel(i, shape), who)
        raise _ragged(who, i, children, shape, "is a number")

    return [number(i, item) for i, item in enumerate(level)], shape


def _ragged(who: str, i: int, found: Sequence[Any] | None, shape: Shape, others: str) -> ShapeError:
    """The error for element i in C order of lists of a shape, which is not what the others are."""
    said = "is a number" if found is None else f"has length {len(found)}"
    return ShapeError(
        f"{who}: ragged nested list: {_path(unravel(i, shape))} {said}, "
        f"but {_path((0,) * len(shape))} {others}"
    )


def unravel(i: int, shape: Shape) -> tuple[int, ...]:
    """The position in nested lists of `shape` of element i in C order."""
    path: tuple[int, ...] = ()
    for length in reversed(shape):
        path = (i % length, *path)
        i //= length
    return path
