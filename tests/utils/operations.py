"""The losses and the functions of rows: each beside PyTorch's, at shapes and in domains to try.

The tests walk this table; a function that is not in it fails `test_paths`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from smolml_utils import (
    bce_with_logits,
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    huber_loss,
    layer_norm,
    log_cosh_loss,
    log_softmax,
    mae_loss,
    mse_loss,
    softmax,
)

Function = Callable[..., Any]
Shape = tuple[int, ...]
REALS, UNIT = (-2.0, 2.0), (0.05, 0.95)
_TWO_REALS = (REALS, REALS)


class Row(NamedTuple):
    """A call of one of our functions, PyTorch's, and the shapes and domains of the operands."""

    ours: Function
    torch: Function  # of the torch module and tensors
    shapes: tuple[Shape, ...] = ((2, 3), (2, 3))
    domains: tuple[tuple[float, float], ...] = (REALS, REALS)
    of_numbers: bool = False  # whether floats and Values are taken, too


def _log_cosh(t: Any, p: Any, y: Any) -> Any:
    d = p - y
    return (t.logaddexp(d, -d) - t.log(t.full_like(d, 2.0))).mean()


def _losses(name: str, loss: Function, domains: Any, theirs: Function) -> dict[str, Row]:
    """A loss of pairs of numbers, reduced in every way."""
    return {
        f"{name}, {how}": Row(
            lambda p, y, how=how: loss(p, y, reduction=how),
            lambda t, p, y, how=how: theirs(t.nn.functional, p, y, how),
            ((3,), (3,)),
            domains,
            True,
        )
        for how in ("mean", "sum", "none")
    }


ROWS: dict[str, Row] = {
    **_losses(
        "mse_loss", mse_loss, _TWO_REALS, lambda F, p, y, how: F.mse_loss(p, y, reduction=how)
    ),
    **_losses(
        "mae_loss", mae_loss, _TWO_REALS, lambda F, p, y, how: F.l1_loss(p, y, reduction=how)
    ),
    **_losses(
        "huber_loss",
        lambda p, y, reduction: huber_loss(p, y, 0.7, reduction),
        _TWO_REALS,
        lambda F, p, y, how: F.huber_loss(p, y, how, 0.7),
    ),
    **_losses(
        "binary_cross_entropy",
        binary_cross_entropy,
        (UNIT,) * 2,
        lambda F, p, y, how: _reduced(-y * p.log() - (1 - y) * (-p).log1p(), how),
    ),
    **_losses(
        "bce_with_logits",
        bce_with_logits,
        (REALS, UNIT),
        lambda F, p, y, how: _reduced(-y * F.logsigmoid(p) - (1 - y) * F.logsigmoid(-p), how),
    ),
    "log_cosh_loss": Row(log_cosh_loss, _log_cosh, ((3,), (3,)), of_numbers=True),
    "categorical_cross_entropy": Row(
        categorical_cross_entropy,
        lambda t, p, y: -(y * p.log()).sum(-1).mean(),
        domains=(UNIT, UNIT),
    ),
    "cross_entropy": Row(
        lambda x, y: cross_entropy(x, y, axis=0),
        lambda t, x, y: -(y * t.log_softmax(x, 0)).sum(0).mean(),
        domains=(REALS, UNIT),
    ),
    "cross_entropy, classes": Row(
        lambda x: cross_entropy(x, [2, 0], "sum"),
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([2, 0]), reduction="sum"),
        ((2, 3),),
        (REALS,),
    ),
    **{
        f"cross_entropy, {name}": Row(
            lambda x, kind=kind: cross_entropy(x, [2, 0, 1], **kind),
            lambda t, x, kind=kind: t.nn.functional.cross_entropy(
                x, t.tensor([2, 0, 1]), **_as_tensors(t, kind, x)
            ),
            ((3, 3),),
            (REALS,),
        )
        for name, kind in {
            "weight": {"weight": [0.5, 2.0, 1.5]},
            "ignore_index": {"ignore_index": 0, "reduction": "none"},
            "label_smoothing": {"label_smoothing": 0.3, "reduction": "sum"},
            "all": {"weight": [0.5, 2.0, 1.5], "ignore_index": 1, "label_smoothing": 0.2},
        }.items()
    },
    "cross_entropy, weighted rows": Row(
        lambda x, y: cross_entropy(x, y, axis=0, weight=[0.5, 2.0], label_smoothing=0.1),
        lambda t, x, y: t.nn.functional.cross_entropy(
            x.T, y.T, weight=t.tensor([0.5, 2.0], dtype=x.dtype), label_smoothing=0.1
        ),
        domains=(REALS, UNIT),
    ),
    "softmax": Row(lambda x: softmax(x, axis=0), lambda t, x: t.softmax(x, 0), ((3, 2),), (REALS,)),
    "softmax, all": Row(
        lambda x: softmax(x, axis=None),
        lambda t, x: t.softmax(x.flatten(), 0).reshape(x.shape),
        ((2, 2),),
        (REALS,),
    ),
    "log_softmax": Row(log_softmax, lambda t, x: t.log_softmax(x, -1), ((2, 3),), (REALS,)),
    "layer_norm": Row(
        lambda x: layer_norm(x, epsilon=0.01),
        lambda t, x: t.nn.functional.layer_norm(x, x.shape[-1:], eps=0.01),
        ((2, 3),),
        (REALS,),
    ),
    "layer_norm, all": Row(
        lambda x: layer_norm(x, axis=None, epsilon=0.01),
        lambda t, x: t.nn.functional.layer_norm(x, x.shape, eps=0.01),
        ((2, 2),),
        (REALS,),
    ),
}


def _as_tensors(t: Any, kind: dict[str, Any], x: Any) -> dict[str, Any]:
    made = {k: t.tensor(v, dtype=x.dtype) if k == "weight" else v for k, v in kind.items()}
    return {"reduction": "mean"} | made


def _reduced(each: Any, how: str) -> Any:
    return each if how == "none" else getattr(each, how)()
