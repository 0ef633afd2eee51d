"""The array functions beyond matmul and reductions: each beside NumPy's, at shapes to try.

The tests walk this table; a function that is not in it fails `test_operations`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from smolml_array import (
    affine,
    argsort,
    average,
    cholesky,
    convolve,
    cross,
    cumulative_prod,
    cumulative_sum,
    det,
    diag,
    diagonal,
    diff,
    einsum,
    flip,
    index_add,
    interp,
    inv,
    kron,
    logcumsumexp,
    matrix_norm,
    matrix_power,
    median,
    norm,
    outer,
    pad,
    repeat,
    roll,
    sliding_windows,
    slogdet,
    solve,
    sort,
    split,
    stack,
    take,
    take_along_axis,
    tile,
    trace,
    trapezoid,
    tril,
    triu,
    vector_norm,
)

Function = Callable[..., Any]
Shape = tuple[int, ...]


class Row(NamedTuple):
    """A call of one of our functions, NumPy's call, and the shapes of the operands."""

    ours: Function
    theirs: Function
    shapes: tuple[Shape, ...]
    linear: bool = True
    torch: Function | None = None  # of the torch module and tensors


_view = np.lib.stride_tricks.sliding_window_view
_PLACES = [[2, 0, 2], [-1, 1, 0]]


def _cumulative(f: Any, a: Any, axis: int, start: float) -> Any:
    first = np.full_like(np.take(a, [0], axis), start)
    return np.concatenate([first, f(a, axis)], axis)


def _descending(a: Any, axis: int) -> Any:
    return np.flip(np.sort(a, axis), axis)


def _border(t: Any, x: Any, v: Any) -> Any:
    out = v * t.ones((x.shape[0] + 1, x.shape[1] + 2), dtype=x.dtype)
    return t.cat([out[:1], t.cat([out[1:, :1], x, out[1:, :1]], 1)])


def _like(x: Any, numbers: Any) -> Any:
    """These numbers as floats, of the type of x where those are floats."""
    name = x.dtype.name
    return np.array(numbers, dtype=name if name.startswith("float") else "float64")


def _eye(x: Any) -> Any:
    return _like(x, np.eye(x.shape[-1]))


def _regular(x: Any) -> Any:
    """Matrices with an inverse, whatever x is: 3 I + x / 2."""
    return x * 0.5 + _eye(x) * 3


def _positive(x: Any) -> Any:
    """Symmetric positive definite matrices: I + x xᵀ."""
    return x @ x.mT + _eye(x)


def _regular_torch(t: Any, x: Any) -> Any:
    return x * 0.5 + 3.0 * t.eye(x.shape[-1], dtype=x.dtype)


def _added(a: Any, v: Any) -> Any:
    out = np.array(np.broadcast_to(a, a.shape))
    key: Any = (slice(None), [2, 0, 2])
    np.add.at(out, key, v)
    return out


def _interp(x: Any, xs: Any, ys: Any, left: Any = None) -> Any:
    made = np.interp(x, xs, ys, left)
    return made.astype(np.result_type(x, xs, ys, np.float32))  # NumPy's is of float64


def _interpolated(t: Any, x: Any, xs: Any, ys: Any, left: Any = None) -> Any:
    i = t.searchsorted(xs[1:-1].detach().contiguous(), x.detach(), right=True)
    line = ys[i] + (ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]) * (x - xs[i])
    line = t.where(x < xs[0], ys[0] if left is None else left, line)
    return t.where(x > xs[-1], ys[-1], line)


def _convolved(t: Any, x: Any, y: Any, mode: str) -> Any:
    n, m = max(len(x), len(y)), min(len(x), len(y))
    conv = t.nn.functional.conv1d
    full = conv(x[None, None], y.flip(0)[None, None], padding=len(y) - 1)[0, 0]
    start, length = {
        "full": (0, n + m - 1),
        "same": ((m - 1) // 2, n),
        "valid": (m - 1, n - m + 1),
    }[mode]
    return full[start : start + length]


ROWS: dict[str, Row] = {
    "solve": Row(
        lambda x, b: solve(_regular(x), b),
        lambda a, b: np.linalg.solve(_regular(a), b),
        ((2, 2), (2,)),
        linear=False,
        torch=lambda t, x, b: t.linalg.solve(_regular_torch(t, x), b),
    ),
    "solve, batches": Row(
        lambda x, b: solve(_regular(x), b),
        lambda a, b: np.linalg.solve(_regular(a), b),
        ((3, 1, 2, 2), (2, 2, 1)),
        linear=False,
        torch=lambda t, x, b: t.linalg.solve(_regular_torch(t, x), b),
    ),
    "inv": Row(
        lambda x: inv(_regular(x)),
        lambda a: np.linalg.inv(_regular(a)),
        ((2, 3, 3),),
        linear=False,
        torch=lambda t, x: t.linalg.inv(_regular_torch(t, x)),
    ),
    "det": Row(det, np.linalg.det, ((2, 3, 3),), linear=False, torch=lambda t, x: t.linalg.det(x)),
    "det of 0": Row(
        lambda x: det(x * _like(x, [[1.0, 1.0], [0.0, 0.0]])),
        lambda a: np.linalg.det(a * _like(a, [[1.0, 1.0], [0.0, 0.0]])),
        ((2, 2, 2),),
        linear=False,
        torch=lambda t, x: t.linalg.det(x * t.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=x.dtype)),
    ),
    "slogdet": Row(
        lambda x: slogdet(_regular(x)).logabsdet,
        lambda a: np.linalg.slogdet(_regular(a)).logabsdet,
        ((2, 3, 3),),
        linear=False,
        torch=lambda t, x: t.linalg.slogdet(_regular_torch(t, x)).logabsdet,
    ),
    "cholesky": Row(
        lambda x: cholesky(_positive(x)),
        lambda a: np.linalg.cholesky(_positive(a)),
        ((2, 3, 3),),
        linear=False,
        torch=lambda t, x: t.linalg.cholesky(x @ x.mT + t.eye(3, dtype=x.dtype)),
    ),
    "cholesky, upper": Row(
        lambda x: cholesky(x * 0.1 + _eye(x) * 2, upper=True),
        lambda a: np.linalg.cholesky((a + a.T) * 0.05 + 2.0 * np.eye(2)).T,
        ((2, 2),),
        linear=False,
        torch=lambda t, x: t.linalg.cholesky((x + x.T) * 0.05 + 2.0 * t.eye(2, dtype=x.dtype)).mT,
    ),
    **{
        f"matrix_power, {n}": Row(
            lambda x, n=n: matrix_power(_regular(x), n),
            lambda a, n=n: np.linalg.matrix_power(_regular(a), n),
            ((2, 2, 2),),
            linear=n == 1,
            torch=lambda t, x, n=n: t.linalg.matrix_power(_regular_torch(t, x), n),
        )
        for n in (2, 5, -1, -2)
    },
    "index_add": Row(
        lambda x, v: index_add(x, (slice(None), [2, 0, 2]), v),
        _added,
        ((2, 3), (3,)),
        torch=lambda t, x, v: x.index_add(1, t.tensor([2, 0, 2]), v.expand(2, 3)),
    ),
    "diag": Row(diag, np.diag, ((3,),), torch=lambda t, x: t.diag(x)),
    "diag, above": Row(lambda x: diag(x, 1), lambda a: np.diag(a, 1), ((2,),)),
    "diag, below": Row(lambda x: diag(x, -2), lambda a: np.diag(a, -2), ((2,),)),
    "diag of a matrix": Row(lambda x: diag(x, -1), lambda a: np.diag(a, -1), ((3, 2),)),
    "cross": Row(
        cross,
        np.cross,
        ((2, 3), (3,)),
        linear=False,
        torch=lambda t, x, y: t.linalg.cross(x, y.expand(2, 3)),
    ),
    "cross, first axis": Row(
        lambda x, y: cross(x, y, axis=-2),
        lambda a, b: np.cross(a, b, axis=-2),
        ((3, 2), (3, 1)),
        linear=False,
        torch=lambda t, x, y: t.linalg.cross(x, y.expand(3, 2), dim=-2),
    ),
    "kron": Row(kron, np.kron, ((2, 2), (1, 3)), linear=False, torch=lambda t, x, y: t.kron(x, y)),
    "kron of a vector": Row(
        kron, np.kron, ((3,), (2, 2)), linear=False, torch=lambda t, x, y: t.kron(x[None], y)
    ),
    "average": Row(
        lambda x, w: average(x, weights=w + 3.0),
        lambda a, w: np.average(a, weights=w + 3.0),
        ((2, 3), (2, 3)),
        linear=False,
        torch=lambda t, x, w: (x * (w + 3.0)).sum() / (w + 3.0).sum(),
    ),
    "average, an axis": Row(
        lambda x, w: average(x, 0, w + 3.0, keepdims=True),
        lambda a, w: np.average(a, 0, w + 3.0, keepdims=True),
        ((2, 3), (2,)),
        linear=False,
        torch=lambda t, x, w: (w + 3.0)[None] @ x / (w + 3.0).sum(),
    ),
    "average, no weights": Row(lambda x: average(x, 1), lambda a: np.average(a, 1), ((2, 3),)),
    "median": Row(
        median,
        np.median,
        ((2, 3),),
        linear=False,
        torch=lambda t, x: x.flatten().sort().values[2:4].mean(),
    ),
    "median, odd": Row(
        lambda x: median(x, axis=0),
        lambda a: np.median(a, axis=0),
        ((3, 2),),
        linear=False,
        torch=lambda t, x: t.median(x, 0).values,
    ),
    "trapezoid": Row(
        lambda y: trapezoid(y, dx=0.5, axis=0),
        lambda b: np.trapezoid(b, dx=0.5, axis=0),
        ((3, 2),),
        torch=lambda t, y: t.trapezoid(y, dx=0.5, dim=0),
    ),
    "trapezoid, places": Row(
        lambda y, x: trapezoid(y, x, axis=0),
        lambda b, a: np.trapezoid(b, a, axis=0),
        ((3, 2), (3,)),
        linear=False,
        torch=lambda t, y, x: t.trapezoid(y.T, x),
    ),
    "interp": Row(
        lambda x, xs, ys: interp(x * 5.0, xs * 0.1 + _like(x, [-1.0, 0.3, 1.1]), ys),
        lambda a, b, c: _interp(a * 5.0, b * 0.1 + _like(b, [-1.0, 0.3, 1.1]), c),
        ((2,), (3,), (3,)),
        linear=False,
        torch=lambda t, x, xs, ys: _interpolated(
            t, x * 5.0, xs * 0.1 + t.tensor([-1.0, 0.3, 1.1], dtype=xs.dtype), ys
        ),
    ),
    "interp, moved points": Row(
        lambda x, y: interp(_like(x, [-5.0, -0.6, 1.2]), x * 0.1 + _like(x, [-1, 0, 1]), y, 7.0),
        lambda a, b: _interp(_like(a, [-5.0, -0.6, 1.2]), a * 0.1 + _like(a, [-1, 0, 1]), b, 7.0),
        ((3,), (3,)),
        linear=False,
        torch=lambda t, x, y: _interpolated(
            t,
            t.tensor([-5.0, -0.6, 1.2], dtype=x.dtype),
            x * 0.1 + t.tensor([-1.0, 0.0, 1.0], dtype=x.dtype),
            y,
            t.tensor(7.0, dtype=x.dtype),
        ),
    ),
    **{
        f"convolve, {mode} of {n} and {m}": Row(
            lambda x, y, mode=mode: convolve(x, y, mode),
            lambda a, b, mode=mode: np.convolve(a, b, mode),
            ((n,), (m,)),
            linear=False,
            torch=lambda t, x, y, mode=mode: _convolved(t, x, y, mode),
        )
        for mode in ("full", "same", "valid")
        for n, m in ((4, 3), (2, 4))
    },
    "sliding_windows": Row(
        lambda x: sliding_windows(x, (2, 3)),
        lambda a: _view(a, (2, 3)),
        ((3, 4),),
        torch=lambda t, x: x.unfold(0, 2, 1).unfold(1, 3, 1),
    ),
    "sliding_windows, one axis": Row(
        lambda x: sliding_windows(x, 2, axis=1),
        lambda a: _view(a, 2, 1),
        ((2, 4, 2),),
        torch=lambda t, x: x.unfold(1, 2, 1),
    ),
    "sliding_windows, long": Row(
        lambda x: sliding_windows(x, (3, 4), axis=(1, 0)),
        lambda a: _view(a, (3, 4), (1, 0)),
        ((4, 4),),
        torch=lambda t, x: x.unfold(1, 3, 1).unfold(0, 4, 1),
    ),
    "pad": Row(
        lambda x: pad(x, ((1, 0), (2, 1))),
        lambda a: np.pad(a, ((1, 0), (2, 1))),
        ((2, 3),),
        torch=lambda t, x: t.nn.functional.pad(x, (2, 1, 1, 0)),
    ),
    "pad, with an operand": Row(
        lambda x, v: pad(x, ((1, 0), (1, 1)), constant_values=v),
        lambda a, v: np.pad(a, ((1, 0), (1, 1)), constant_values=v),
        ((2, 3), ()),
        torch=_border,
    ),
    "pad, edge": Row(
        lambda x: pad(x, (1, 2), "edge"), lambda a: np.pad(a, (1, 2), "edge"), ((1, 2),)
    ),
    "pad, reflect": Row(
        lambda x: pad(x, (1, 2), "reflect"),
        lambda a: np.pad(a, (1, 2), "reflect"),
        ((3, 3),),
        torch=lambda t, x: t.nn.functional.pad(x[None], (1, 2, 1, 2), "reflect")[0],
    ),
    "pad, symmetric": Row(
        lambda x: pad(x, (5, 7), "symmetric"), lambda a: np.pad(a, (5, 7), "symmetric"), ((3,),)
    ),
    "pad, wrap": Row(
        lambda x: pad(x, ((0, 0), (4, 5)), "wrap"),
        lambda a: np.pad(a, ((0, 0), (4, 5)), "wrap"),
        ((2, 3),),
    ),
    "roll": Row(
        lambda x: roll(x, 2),
        lambda a: np.roll(a, 2),
        ((2, 3),),
        torch=lambda t, x: t.roll(x, 2),
    ),
    "roll, axes": Row(
        lambda x: roll(x, (1, -4), axis=(0, 1)),
        lambda a: np.roll(a, (1, -4), (0, 1)),
        ((2, 3),),
        torch=lambda t, x: t.roll(x, (1, -4), (0, 1)),
    ),
    "roll, an axis twice": Row(
        lambda x: roll(x, 1, axis=(1, 1, 0)), lambda a: np.roll(a, 1, (1, 1, 0)), ((2, 3),)
    ),
    "flip": Row(
        lambda x: flip(x, axis=1),
        lambda a: np.flip(a, 1),
        ((2, 3),),
        torch=lambda t, x: t.flip(x, (1,)),
    ),
    "repeat": Row(
        lambda x: repeat(x, 3),
        lambda a: np.repeat(a, 3),
        ((2, 2),),
        torch=lambda t, x: t.repeat_interleave(x, 3),
    ),
    "repeat, each": Row(
        lambda x: repeat(x, [2, 0, 3], axis=1),
        lambda a: np.repeat(a, [2, 0, 3], 1),
        ((2, 3),),
        torch=lambda t, x: t.repeat_interleave(x, t.tensor([2, 0, 3]), 1),
    ),
    "repeat, never": Row(lambda x: repeat(x, 0, axis=1), lambda a: np.repeat(a, 0, 1), ((2, 3),)),
    "repeat, often": Row(lambda x: repeat(x, 9, axis=0), lambda a: np.repeat(a, 9, 0), ((2, 1),)),
    "tile": Row(
        lambda x: tile(x, (2, 1, 2)),
        lambda a: np.tile(a, (2, 1, 2)),
        ((2, 1),),
        torch=lambda t, x: t.tile(x, (2, 1, 2)),
    ),
    "tile, last axes": Row(lambda x: tile(x, 2), lambda a: np.tile(a, 2), ((2, 2),)),
    "tril": Row(
        lambda x: tril(x, k=-1),
        lambda a: np.tril(a, -1),
        ((2, 2, 3),),
        torch=lambda t, x: t.tril(x, -1),
    ),
    "triu": Row(
        lambda x: triu(x, k=1),
        lambda a: np.triu(a, 1),
        ((2, 3, 2),),
        torch=lambda t, x: t.triu(x, 1),
    ),
    "diagonal": Row(
        lambda x: diagonal(x),
        lambda a: np.diagonal(a, 0, -2, -1),
        ((2, 2, 3),),
        torch=lambda t, x: t.diagonal(x, 0, -2, -1),
    ),
    "diagonal, below": Row(
        lambda x: diagonal(x, offset=-2), lambda a: np.diagonal(a, -2, -2, -1), ((5, 3),)
    ),
    "diagonal, above": Row(
        lambda x: diagonal(x, offset=1), lambda a: np.diagonal(a, 1, -2, -1), ((4, 3),)
    ),
    "trace": Row(
        lambda x: trace(x),
        lambda a: np.trace(a, 0, -2, -1),
        ((2, 3, 3),),
        torch=lambda t, x: t.diagonal(x, 0, -2, -1).sum(-1),
    ),
    "diff": Row(
        lambda x: diff(x, n=2, axis=0),
        lambda a: np.diff(a, 2, 0),
        ((4, 2),),
        torch=lambda t, x: t.diff(x, 2, 0),
    ),
    "diff, with operands": Row(
        lambda x, y, z: diff(x, prepend=y, append=z),
        lambda a, b, c: np.diff(a, prepend=b, append=c),
        ((2, 3), (2, 2), ()),
    ),
    "split": Row(
        lambda x: stack(split(x, 3, axis=1)),
        lambda a: np.stack(np.split(a, 3, 1)),
        ((2, 6),),
        torch=lambda t, x: t.stack(t.tensor_split(x, 3, 1)),
    ),
    "split, positions": Row(
        lambda x: split(x, [1, 4])[1],
        lambda a: np.split(a, [1, 4])[1],
        ((5, 2),),
        torch=lambda t, x: t.tensor_split(x, [1, 4])[1],
    ),
    "take": Row(
        lambda x: take(x, _PLACES, axis=1),
        lambda a: np.take(a, _PLACES, 1),
        ((2, 3, 2),),
        torch=lambda t, x: x[:, t.tensor(_PLACES)],
    ),
    "take, one": Row(lambda x: take(x, -1), lambda a: np.take(a, -1), ((4,),)),
    "take_along_axis": Row(
        lambda x: take_along_axis(x, _PLACES),
        lambda a: np.take_along_axis(a, np.array(_PLACES), -1),
        ((2, 3),),
        torch=lambda t, x: t.take_along_dim(x, t.tensor(_PLACES) % 3, 1),
    ),
    "take_along_axis, broadcast": Row(
        lambda x: take_along_axis(x, [[1], [1], [0]], axis=0),
        lambda a: np.take_along_axis(a, np.array([[1], [1], [0]]), 0),
        ((2, 3),),
    ),
    "sort": Row(
        lambda x: sort(x),
        lambda a: np.sort(a),
        ((2, 4),),
        linear=False,
        torch=lambda t, x: t.sort(x).values,
    ),
    "sort, descending": Row(
        lambda x: sort(x, axis=0, descending=True),
        lambda a: _descending(a, 0),
        ((4, 2),),
        linear=False,
        torch=lambda t, x: t.sort(x, 0, descending=True).values,
    ),
    "argsort, as indices": Row(
        lambda x: take_along_axis(x, argsort(x, axis=0), axis=0),
        lambda a: np.sort(a, 0),
        ((3, 2),),
        linear=False,
        torch=lambda t, x: t.sort(x, 0).values,
    ),
    "einsum": Row(
        lambda x, y: einsum("...ij,kj->...ki", x, y),
        lambda a, b: np.einsum("...ij,kj->...ki", a, b),
        ((2, 1, 3), (2, 3)),
        linear=False,
        torch=lambda t, x, y: t.einsum("...ij,kj->...ki", x, y),
    ),
    "einsum, three": Row(
        lambda x, y, z: einsum("ii,ij,jk->k", x, y, z),
        lambda a, b, c: np.einsum("ii,ij,jk->k", a, b, c),
        ((2, 2), (2, 3), (3, 2)),
        linear=False,
        torch=lambda t, x, y, z: t.einsum("ii,ij,jk->k", x, y, z),
    ),
    "einsum, apart": Row(
        lambda x, y: einsum("ij,k->k", x, y),
        lambda a, b: np.einsum("ij,k->k", a, b),
        ((2, 2), (3,)),
        linear=False,
        torch=lambda t, x, y: t.einsum("ij,k->k", x, y),
    ),
    "affine": Row(
        affine,
        lambda x, w, b: x @ w + b,
        ((4, 3), (3, 2), (2,)),
        linear=False,
        torch=lambda t, x, w, b: t.addmm(b, x, w),
    ),
    **{
        f"affine, {what}": Row(
            affine,
            lambda x, w, b: x @ w + b,
            shapes,
            linear=False,
            torch=lambda t, x, w, b: x @ w + b,
        )
        for what, shapes in (
            ("batched", ((2, 4, 3), (3, 2), (4, 1))),
            ("a vector", ((3,), (3, 2), ())),
            ("two vectors", ((3,), (3,), ())),
        )
    },
    "outer": Row(
        lambda x, y: outer(x, y),
        np.outer,
        ((2, 2), (3,)),
        linear=False,
        torch=lambda t, x, y: t.outer(x.flatten(), y),
    ),
    "cumulative_sum": Row(
        lambda x: cumulative_sum(x, axis=1),
        lambda a: np.cumsum(a, 1),
        ((2, 4),),
        torch=lambda t, x: t.cumsum(x, 1),
    ),
    "cumulative_sum, initial": Row(
        lambda x: cumulative_sum(x, axis=0, include_initial=True),
        lambda a: _cumulative(np.cumsum, a, 0, 0.0),
        ((3, 2),),
    ),
    "cumulative_prod": Row(
        lambda x: cumulative_prod(x, axis=-1),
        lambda a: np.cumprod(a, -1),
        ((2, 6),),
        linear=False,
        torch=lambda t, x: t.cumprod(x, -1),
    ),
    "cumulative_prod, initial": Row(
        lambda x: cumulative_prod(x, axis=0, include_initial=True),
        lambda a: _cumulative(np.cumprod, a, 0, 1.0),
        ((3, 2),),
        linear=False,
        torch=lambda t, x: t.cat([t.ones((1, 2), dtype=x.dtype), t.cumprod(x, 0)]),
    ),
    "logcumsumexp": Row(
        lambda x: logcumsumexp(x * 300.0, axis=1) / 300.0,
        lambda a: np.logaddexp.accumulate(a * 300.0, 1) / 300.0,
        ((2, 7),),
        linear=False,
        torch=lambda t, x: t.logcumsumexp(x * 300.0, 1) / 300.0,
    ),
    **{
        f"vector_norm, {ord}": Row(
            lambda x, p=ord: vector_norm(x, axis=(0, -1), keepdims=True, ord=p),
            lambda a, p=ord: np.linalg.norm(np.moveaxis(a, 1, 0).reshape(2, -1), p, 1).reshape(
                1, 2, 1
            ),
            ((3, 2, 2),),
            linear=False,
            torch=lambda t, x, p=ord: t.linalg.vector_norm(x, p, (0, -1), True),
        )
        for ord in (1, 2, 3, 0.5, 2.5, -1, math.inf, -math.inf)
    },
    **{
        f"matrix_norm, {ord}": Row(
            lambda x, p=ord: matrix_norm(x, ord=p),
            lambda a, p=ord: np.linalg.norm(a, p, (-2, -1)),
            ((2, 3, 2),),
            linear=False,
            torch=lambda t, x, p=ord: t.linalg.matrix_norm(x, p),
        )
        for ord in ("fro", 1, -1, math.inf, -math.inf)
    },
    "norm": Row(
        lambda x: norm(x),
        np.linalg.norm,
        ((2, 3, 2),),
        linear=False,
        torch=lambda t, x: t.linalg.norm(x),
    ),
    "norm of vectors": Row(
        lambda x: norm(x, 3, axis=1, keepdims=True),
        lambda a: np.linalg.norm(a, 3, 1, keepdims=True),
        ((2, 3),),
        linear=False,
        torch=lambda t, x: t.linalg.norm(x, 3, 1, True),
    ),
    "norm of matrices": Row(
        lambda x: norm(x, math.inf, axis=(2, 0)),
        lambda a: np.linalg.norm(a, math.inf, (2, 0)),
        ((2, 3, 2),),
        linear=False,
        torch=lambda t, x: t.linalg.norm(x, math.inf, (2, 0)),
    ),
}
