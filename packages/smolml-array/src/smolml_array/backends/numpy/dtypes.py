"""The dtypes of ndarrays that are ours, what others become, and what they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from smolml_array.backends.signatures import DType

float64: DType = np.dtype(np.float64)
float32: DType = np.dtype(np.float32)
int64: DType = np.dtype(np.int64)
bool_: DType = np.dtype(np.bool)
F64, F32, I64, BOOL = float64, float32, int64, bool_
DTYPES: dict[DType, DType] = {dtype: dtype for dtype in (F64, F32, I64, BOOL)}


def as_dtype(dtype: DType, who: str) -> Any:
    """One of our four dtypes, of whatever names it; None stays None."""
    if dtype is None:
        return None
    try:
        return DTYPES[np.dtype(getattr(dtype, "name", dtype))]
    except (KeyError, TypeError):
        raise TypeError(
            f"{who}: unknown dtype {dtype!r}: expected one of float64, float32, int64, bool"
        ) from None


def plain_dtype(x: Any) -> Any:
    """The one of our dtypes that holds what x holds."""
    kind = x.dtype.kind
    if kind not in "fiub":
        raise TypeError(f"asarray: an array of dtype {x.dtype}: expected real numbers")
    if kind == "f":
        return F32 if x.dtype.itemsize <= 4 else F64
    if x.dtype == np.uint64 and x.size and x.max() >= 2**63:
        return F64  # as a list of these numbers
    return BOOL if kind == "b" else I64


def finfo(type: Any, /) -> Any:
    """bits, eps, max, min, smallest_normal and dtype of a floating type."""
    return np.finfo(as_dtype(getattr(type, "dtype", type), "finfo"))


def iinfo(type: Any, /) -> Any:
    """bits, max, min and dtype of an integer type."""
    return np.iinfo(as_dtype(getattr(type, "dtype", type), "iinfo"))


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that an operation on these has; Python scalars are weak."""
    return np.result_type(*arrays_and_dtypes)
