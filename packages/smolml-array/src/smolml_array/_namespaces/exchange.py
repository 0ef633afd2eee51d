"""Numbers handed to and taken from other libraries: ndarrays, DLPack, the buffer protocol.

What is shared is never written to by us, and nobody can write to it by mistake: what goes out is
a read-only view or a copy, what comes in is copied.
"""

from __future__ import annotations

from typing import Any, Final

from smolml_array.backends.protocol import Backend, Raw

CPU: Final = (1, 0)  # DLPack's name of the only device there is: kDLCPU, number 0
_READ_ONLY_SINCE: Final = (1, 0)  # the DLPack version that can say "do not write"


def as_ndarray(xp: Backend, raw: Raw, dtype: Any, copy: bool | None) -> Any:
    """The numbers as an ndarray: a read-only view where NumPy holds them already, else a copy.

    Raises:
        ValueError: copy=False, but there is nothing to look at without copying.
    """
    import numpy as np  # only NumPy's users come here

    wanted = None if dtype is None else np.dtype(dtype)
    if not isinstance(raw, np.ndarray):
        if copy is False:
            raise ValueError(
                f"MLArray: the {xp.name} backend holds no ndarray, so copy=False cannot "
                f"be; leave copy out, or use x.to_backend('numpy')"
            )
        flat = xp.to_flat(raw)
        return np.array(flat, raw.dtype.name).astype(wanted or raw.dtype.name).reshape(raw.shape)
    if wanted is not None and wanted != raw.dtype:
        if copy is False:
            raise ValueError(f"MLArray: copy=False, but {raw.dtype} becomes {wanted} by copying")
        return raw.astype(wanted)
    if copy:
        return raw.copy()
    view = raw.view()
    view.flags.writeable = False
    return view


def to_dlpack(
    xp: Backend,
    raw: Raw,
    stream: object,
    max_version: tuple[int, int] | None,
    dl_device: tuple[int, int] | None,
    copy: bool | None,
) -> Any:
    """A DLPack capsule of the numbers: a copy, or with copy=False a read-only view.

    By default a copy, because consumers may ignore that memory is marked read-only (PyTorch does),
    and a graph remembers the numbers that it was made with.

    Raises:
        BufferError: another device, or copy=False where that cannot be.
    """
    if dl_device is not None and tuple(dl_device) != CPU:
        raise BufferError(f"__dlpack__: arrays live on the CPU, {CPU}; got dl_device={dl_device}")
    if stream is not None:
        raise BufferError(f"__dlpack__: the CPU has no streams: expected None, got {stream!r}")
    try:
        out = as_ndarray(xp, raw, None, copy is not False)
    except ImportError:
        raise BufferError(
            "__dlpack__: the pure backend needs NumPy for DLPack; use x.to_list()"
        ) from None
    except ValueError as error:
        raise BufferError(str(error)) from None
    if max_version is None or tuple(max_version) < _READ_ONLY_SINCE:
        if copy is False:
            raise BufferError(
                "__dlpack__: copy=False gives read-only memory, which the consumer's DLPack is too "
                "old to be told of (it needs version 1.0); leave copy out"
            )
        return out.__dlpack__()
    return _versioned(out, max_version)


def _versioned(out: Any, max_version: tuple[int, int]) -> Any:
    try:
        return out.__dlpack__(max_version=max_version)
    except TypeError:  # NumPy 2.0 knows only the old form, which has no read-only flag
        if not out.flags.writeable:
            raise BufferError(
                "__dlpack__: copy=False needs NumPy >= 2.1, which can mark memory as read-only; "
                "leave copy out"
            ) from None
        return out.__dlpack__()


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
