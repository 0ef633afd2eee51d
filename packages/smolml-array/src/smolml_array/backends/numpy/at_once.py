"""What NumPy computes element by element, of whole arrays at once: several times as fast."""

from __future__ import annotations

from typing import Any

import numpy as np

from smolml_array.backends.numpy.dtypes import BOOL, F64
from smolml_array.backends.signatures import Raw

MANY = 4096  # elements from which it pays

ndarray = np.ndarray
_LEAST = 1e-290  # digits of squares below it may be lost


def many(*operands: Raw) -> bool:
    """Whether these are float64, in the same shape, of many elements; or numbers beside such."""
    arrays = [x for x in operands if x.__class__ is not float]
    if not arrays or arrays[0].__class__ is not ndarray or arrays[0].size < MANY:
        return False
    shape = arrays[0].shape
    return all(x.__class__ is ndarray and x.dtype is F64 and x.shape == shape for x in arrays)


def chosen(condition: Raw, x1: Raw, x2: Raw, /) -> Any:
    """`where` by the bits of float64; None where NumPy's own is as quick, or the operands differ.

    NumPy branches, and a processor that guesses wrong every other time waits.
    """
    if condition.__class__ is not ndarray or condition.dtype is not BOOL or condition.size < MANY:
        return None
    numbers = x1.__class__ is x2.__class__ is float
    if not (numbers or ({np.shape(x1), np.shape(x2)} <= {(), condition.shape} and many(x1, x2))):
        return None
    first = condition.flat[:1024]
    if not numbers and np.count_nonzero(first[1:] != first[:-1]) < 64:  # it mostly guesses right
        return None
    either, other = (np.asarray(x).view(np.int64) for x in (x1, x2))
    bits = np.negative(condition.view(np.int8)).astype(np.int64)  # all of them set, or none
    bits &= either ^ other
    bits ^= other
    return bits.view(F64)


def hypot(x1: Raw, x2: Raw, /) -> Raw:
    """sqrt(x1**2 + x2**2); NumPy's own where a square leaves the range of normal numbers."""
    if not many(x1, x2):
        return np.hypot(x1, x2)
    squares = np.square(x1) + np.square(x2)
    fits = squares.min() > _LEAST and squares.max() < np.inf
    return np.sqrt(squares, squares) if fits else np.hypot(x1, x2)


def logaddexp(x1: Raw, x2: Raw, /) -> Raw:
    """max + log1p(exp(min - max)), as NumPy's own has it."""
    if not many(x1, x2):
        return np.logaddexp(x1, x2)
    top, out = np.maximum(x1, x2), np.minimum(x1, x2)
    out -= top
    np.fmin(out, 0.0, out)  # of two equal inf it is nan
    np.log1p(np.exp(out, out), out)
    out += top
    return out
