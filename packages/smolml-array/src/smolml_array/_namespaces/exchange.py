"""Numbers handed to other libraries: ndarrays and DLPack.

Nobody can write to them by mistake: what goes out is a read-only view or a copy.
"""

from __future__ import annotations

from typing import Any, Final

from smolml_array.array import MLArray
from smolml_value.extending import leave

CPU: Final = (1, 0)  # DLPack's name of the only device there is: kDLCPU, number 0
_READ_ONLY_SINCE: Final = (1, 0)  # the DLPack version that can say "do not write"


def as_ndarray(x: MLArray, dtype: Any = None, copy: bool | None = None) -> Any:
    """The numbers as an ndarray: a read-only view where NumPy holds them already, else a copy.

    Raises:
        ValueError: copy=False, but there is nothing to look at without copying.
    """
    import numpy as np  # only NumPy's users come here

    leave(x)
    node = x._current_node()
    xp, raw = node.backend, node.raw
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
    x: MLArray,
    *,
    stream: object = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
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
        out = as_ndarray(x, None, copy is not False)
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
