"""From what users give to raw arrays: numbers, nested lists, foreign arrays, dtypes.

What comes in is copied, so that its owner may write to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from smolml_array._graph.hooks import HOOKS
from smolml_array._shapes.nested import as_number, check_depth, flatten
from smolml_array.backends.signatures import DType, Raw
from smolml_value import Value
from smolml_value.extending import OperandBase, is_number

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


def each(data: Any, kind: type[T]) -> Iterator[T]:
    """The objects of this kind in nested lists, those of outer lists first.

    Raises:
        ShapeError: there is no end to the lists.
    """
    level, depth, wanted = [data], 0, (list, tuple, kind)
    while level:
        check_depth(depth := depth + 1, "MLArray")
        following = {}  # each list once: a list of itself, twice, would double at every level
        for items in level:
            if not any(issubclass(found, wanted) for found in set(map(type, items))):
                continue  # numbers, most often: told at C speed
            for item in items:
                if isinstance(item, list | tuple):
                    following[id(item)] = item
                elif isinstance(item, kind):
                    yield item
        level = [*following.values()]


def holds(data: Any, kind: type) -> bool:
    """Whether nested lists hold an object of this kind anywhere."""
    return next(each(data, kind), None) is not None


T = TypeVar("T")

# isinstance on a union written in place would build the union each time
_NATIVE: Final = (float, int, list, tuple, Value)


def is_array_like(x: object) -> bool:
    """Whether x can be an operand: an array, a Value, a number, a list or a foreign array."""
    own = hasattr(x, "_current_node") or isinstance(x, _NATIVE)
    return own or hasattr(x, "__array__") or is_number(x)


def value_or_number(x: Any, path: Sequence[int], who: str) -> Any:
    """A Value as it is, anything else as a number."""
    return x if isinstance(x, Value) else as_number(x, path, who)


def in_graph(data: object) -> bool:
    """Whether nested lists hold an array or a Value anywhere."""
    return isinstance(data, list | tuple) and holds(data, OperandBase)


def to_raw(xp: Backend, data: Any, who: str, copy: bool | None = None, whole: bool = False) -> Raw:
    """A raw array of numbers in whatever form.

    Whole numbers in lists and buffers are floats, unless `whole` is asked for.

    Raises:
        TypeError: something else, or a masked array, of which some are none.
    """
    HOOKS.foreign_read(data)
    if type(data).__name__ == "MaskedArray":  # NumPy's, which need not be there
        raise TypeError(f"{who}: a masked array has numbers that are none; give x.filled(0.0), say")
    if xp.is_array(data):
        return xp.asarray(data, copy=copy)
    if isinstance(data, list | tuple | range):
        if whole:
            return xp.asarray(list(data))
        flat, shape = flatten(data, who)
        return xp.from_flat(flat, shape, None if flat else xp.float64)
    if isinstance(data, float | int):
        return xp.asarray(data)
    if hasattr(data, "__array__"):
        return xp.asarray(data if hasattr(data, "tolist") else data.__array__(), copy=copy)
    if is_number(data):
        return xp.asarray(float(data))  # Decimal and the like
    if hasattr(type(data), "__dlpack__"):
        return from_dlpack(xp, data, None, None)
    if has_buffer(data):
        raw = xp.asarray(from_buffer(data, who))
        return raw if whole else xp.astype(raw, xp.float64, copy=False)
    raise TypeError(
        f"{who}: expected numbers, Values, nested lists of them or an array, "
        f"got {type(data).__name__} {data!r:.60}"
    )


def check_cast(xp: Backend, raw: Raw, dtype: DType, who: str) -> None:
    """Raise where numbers are none in another type.

    Raises:
        ValueError: floats that are no int64: nan, inf, or 2**63 and beyond.
    """
    if dtype == xp.int64 and is_floating(xp, raw) and not xp.all(xp.less(xp.abs(raw), 2.0**63)):
        raise ValueError(
            f"{who}: nan, inf and numbers from 2**63 on are no int64; keep them floats"
        )


def dtypes_of(xp: Backend) -> dict[str, DType]:
    """The dtypes that this backend has, by name."""
    names = ("float64", "float32", "int64", "bool")
    return {name: getattr(xp, name) for name in names if hasattr(xp, name)}


def as_dtype(xp: Backend, dtype: DType | str) -> DType:
    """A dtype of this backend from its name or from a dtype of any backend.

    Raises:
        TypeError: a dtype that this backend does not have.
    """
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None and isinstance(dtype, type):
        name = {float: "float64", int: "int64", bool: "bool"}.get(dtype, dtype.__name__)
    known = dtypes_of(xp)
    if name not in known:
        raise TypeError(f"dtype: expected one of {', '.join(known)} on {xp.name}, got {dtype!r}")
    return known[name]


def is_floating(xp: Backend, raw: Raw) -> bool:
    """Whether a raw array holds floats, the only numbers with gradients."""
    dtype = raw.dtype
    return dtype is xp.float64 or xp.isdtype(dtype, "real floating")


# Other libraries' arrays -----------------------------------------------------------------------


def from_dlpack(xp: Backend, x: Any, device: object, copy: bool | None) -> Raw:
    """A raw array with the numbers of an object that speaks DLPack, always a copy.

    Raises:
        TypeError: x does not speak DLPack, or holds no real numbers.
        ValueError: another device, or copy=False.
        ImportError: NumPy, which reads the memory, is not installed.
    """
    check_device(device, "from_dlpack")
    if not hasattr(type(x), "__dlpack__"):
        raise TypeError(
            f"from_dlpack: expected an array with __dlpack__, got {type(x).__name__}; "
            f"use MLArray(x) for lists and numbers"
        )
    if copy is False:
        raise ValueError(
            "from_dlpack: copy=False would share memory that its owner may write to, and so change "
            "what a graph remembers; leave copy out"
        )
    try:
        import numpy as np
    except ImportError:
        raise ImportError(
            "from_dlpack: needs NumPy to read the memory: pip install numpy; or give lists, "
            "as in MLArray(x.tolist())"
        ) from None
    return xp.asarray(np.array(np.from_dlpack(x)))


def check_device(device: object, who: str) -> None:
    """Raise for a device that there is not: everything lives on the CPU."""
    if device is not None and device != "cpu":
        raise ValueError(f"{who}: unknown device {device!r}: expected None or 'cpu'")


_FORMATS: Final = frozenset("?bBhHiIlLqQnNfd")  # struct's letters of real numbers


def has_buffer(x: object) -> bool:
    """Whether x has Python's buffer protocol, as array.array and memoryview have; not bytes."""
    if isinstance(x, bytes | bytearray):
        return False
    try:
        memoryview(x).release()  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def from_buffer(x: Any, who: str) -> Any:
    """Nested lists of the numbers in an object that has Python's buffer protocol.

    Raises:
        TypeError: a buffer of something that is not numbers.
    """
    with memoryview(x) as view:
        if view.format not in _FORMATS:
            raise TypeError(
                f"{who}: expected a buffer of numbers, got {type(x).__name__} of format "
                f"{view.format!r}"
            )
        return view.tolist()
