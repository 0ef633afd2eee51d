"""Element-wise functions: PyTorch's, with SmolML's types and IEEE answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

from smolml_array.extending import ShapeError
from smolml_torch.arrays import NUMPY, Array, asarray, result_type


def tensors(who: str, *operands: Any, dtype: Any = None) -> list[Tensor]:
    """The operands in their common dtype, or in `dtype`, each repeated to the common shape."""
    dtype = result_type(*operands) if dtype is None else dtype
    found = [asarray(x, dtype=dtype).tensor for x in operands]
    try:
        return list(torch.broadcast_tensors(*found))
    except RuntimeError as error:
        raise ShapeError(f"{who}: {error}") from None


def _function(
    f: Callable[..., Tensor], *, floats: bool = False, refused: str = "", counted: bool = False
) -> Any:
    """A function of arrays in their common dtype.

    Args:
        f: what it does to tensors of one dtype and shape.
        floats: whether integers and bools become floats.
        refused: the kinds of dtypes ("f", "i", "b") that it is not defined for.
        counted: whether bools become integers.
    """

    def function(*operands: Any) -> Array:
        numbers = (float, int, bool, Array)
        operands = tuple(x if isinstance(x, numbers) else asarray(x) for x in operands)
        dtype = result_type(*operands)
        if dtype.kind in refused:
            raise TypeError(f"{f.__name__}: not defined for {dtype}")
        if floats and dtype.kind != "f":
            dtype = "float64"
        elif counted and dtype.kind == "b":
            dtype = "int64"
        return Array(f(*tensors(f.__name__, *operands, dtype=dtype)))

    return function


_FLOATS: Final = (
    "acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 sin sinh sqrt tan "
    "tanh atan2 copysign divide hypot logaddexp nextafter"
)
for _name in _FLOATS.split():
    globals()[_name] = _function(getattr(torch, _name), floats=True)


def _rounding(f: Callable[[Tensor], Tensor]) -> Any:
    return _function(lambda x: f(x) if x.is_floating_point() else x)


ceil, floor, round = _rounding(torch.ceil), _rounding(torch.floor), _rounding(torch.round)
abs = _function(lambda x: x if x.dtype == torch.bool else torch.abs(x))
negative = _function(torch.neg, refused="b")
sign = _function(lambda x: torch.where(x != x, x, torch.sign(x)), refused="b")

add, multiply = _function(torch.add), _function(torch.mul)
subtract = _function(torch.sub, refused="b")
equal, less, less_equal = _function(torch.eq), _function(torch.lt), _function(torch.le)
maximum, minimum = _function(torch.maximum), _function(torch.minimum)
bitwise_and = _function(torch.bitwise_and, refused="f")
bitwise_invert = _function(torch.bitwise_not, refused="f")
bitwise_or = _function(torch.bitwise_or, refused="f")
bitwise_xor = _function(torch.bitwise_xor, refused="f")


def _shift(f: Callable[[Tensor, Tensor], Tensor], rest: Callable[[Tensor], Tensor]) -> Any:
    """By 64 places and more no bit is left."""

    def shifted(x: Tensor, by: Tensor) -> Tensor:
        inside = (by >= 0) & (by < 64)
        return torch.where(inside, f(x, torch.where(inside, by, 0)), rest(x))

    return _function(shifted, refused="f", counted=True)


bitwise_left_shift = _shift(torch.bitwise_left_shift, torch.zeros_like)
bitwise_right_shift = _shift(torch.bitwise_right_shift, lambda x: -(x < 0).to(x.dtype))


def _division(on_floats: Callable[..., Tensor], on_one: Callable[[Tensor], Tensor]) -> Any:
    """Of integers 0 by 0, and `on_one` by -1, which the processor does not do to the smallest."""

    def divided(x: Tensor, y: Tensor) -> Tensor:
        if x.is_floating_point():
            return on_floats(x, y)
        out = torch.where(y == -1, on_one(x), on_floats(x, torch.where(y * (y + 1) == 0, 1, y)))
        return torch.where(y == 0, 0, out)

    return _function(divided, counted=True)


def _remainder(x: Tensor, y: Tensor) -> Tensor:
    """Of the sign of y; of floats NumPy's, since x / y overflows in PyTorch's own."""
    if not x.is_floating_point():
        return torch.remainder(x, y)
    return torch.from_numpy(NUMPY.remainder(x.cpu().numpy(), y.cpu().numpy())).to(x.device)


floor_divide = _division(torch.floor_divide, torch.neg)
remainder = _division(_remainder, torch.zeros_like)


def _power(x: Tensor, y: Tensor) -> Tensor:
    if not x.is_floating_point() and bool((y < 0).any()):
        raise ValueError("pow: an integer to a negative integer power: expected a float operand")
    return torch.pow(x, y)


pow = _function(_power, counted=True)


def where(condition: Any, x1: Any, x2: Any, /) -> Array:
    """x1 where the condition is true (not zero), else x2."""
    (c,), (x, y) = tensors("where", condition, dtype="bool"), tensors("where", x1, x2)
    try:
        return Array(torch.where(c, x, y))
    except RuntimeError as error:
        raise ShapeError(f"where: {error}") from None
