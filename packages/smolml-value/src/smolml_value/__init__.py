"""Scalar automatic differentiation: Value, the graph engine and the table of ops."""

from importlib import import_module
from typing import TYPE_CHECKING

from smolml_value._ops import foreign, plugin_methods
from smolml_value._ops.scalar_op import scalar_elementwise
from smolml_value._runtime.build import COMPILED
from smolml_value._runtime.memory import paused_gc
from smolml_value._version import __version__ as __version__
from smolml_value.errors import (
    AnomalyError,
    GraphError,
    LostGradientWarning,
    NoDerivativeError,
    OpError,
    PluginError,
    SmolMLError,
    UnknownOpError,
)
from smolml_value.op import Op, elementwise
from smolml_value.recording import grad_enabled, no_grad
from smolml_value.registry import OpInfo, ops
from smolml_value.value import Value

if TYPE_CHECKING:
    from smolml_value import fused
    from smolml_value._anomaly.block import detect_anomaly
    from smolml_value._checking.check_grads import check_grads
    from smolml_value._showing.drawing.drawing import draw
    from smolml_value._showing.explaining.explanation import explain
    from smolml_value.transforms import *


def _graph_svg(v: Value) -> str:
    """The graph that led here, drawn, for notebooks."""
    from smolml_value._showing.drawing.drawing import draw  # which most programs never need

    return draw(v).svg


def _op_html(op: Op) -> str:
    """Its formula, its parameters and its partial derivatives, for notebooks."""
    from smolml_value._showing.op_html import op_html  # which most programs never need

    return op_html(op)


# Given from here: Values and ops know nothing of how they are shown, and nothing of NumPy.
Value._repr_svg_ = _graph_svg  # type: ignore[attr-defined]
Op._repr_html_ = _op_html  # type: ignore[attr-defined]
Value.__array_ufunc__ = foreign.on_values
plugin_methods.install()

__all__ = ["COMPILED", "Op", "OpInfo", "Value", "fused", "ops"]
__all__ += ["elementwise", "scalar_elementwise"]  # what makes ops
__all__ += ["detect_anomaly", "grad_enabled", "no_grad", "paused_gc"]  # blocks
__all__ += ["check_grads", "draw", "explain"]  # to look at a graph
__all__ += ["elementwise_grad", "grad", "gradients", "value_and_grad", "vjp"]  # backwards
__all__ += ["hessian", "hvp", "jacobian", "jvp"]  # forwards, and matrices
__all__ += ["checkpoint", "custom_vjp", "stop_gradient"]
__all__ += ["AnomalyError", "GraphError", "LostGradientWarning", "NoDerivativeError", "OpError"]
__all__ += ["PluginError", "SmolMLError", "UnknownOpError"]

_HOMES = {
    "detect_anomaly": "_anomaly.block",
    "check_grads": "_checking.check_grads",
    "draw": "_showing.drawing.drawing",
    "explain": "_showing.explaining.explanation",
}

if not TYPE_CHECKING:  # a type checker would take any misspelt name for granted

    def __getattr__(name: str) -> object:
        # What many programs never use is imported when it is used: the import stays quick.
        if name not in __all__ and name != "transforms":
            from smolml_value.foreign import missing  # only an error needs it

            raise missing("smolml_value", name, __all__, Value)
        if name in {"fused", "transforms"}:
            return import_module(f"smolml_value.{name}")
        module = import_module(f"smolml_value.{_HOMES.get(name, 'transforms')}")
        found = globals()[name] = getattr(module, name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
