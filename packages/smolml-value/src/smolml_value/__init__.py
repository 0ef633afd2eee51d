"""Scalar automatic differentiation: Value, the graph engine and the table of ops."""

from smolml_value._errors import GraphError, OpError, PluginError, SmolMLError, UnknownOpError
from smolml_value._mode import grad_enabled, no_grad
from smolml_value._op import Op, elementwise, scalar_elementwise
from smolml_value.registry import OpInfo, ops
from smolml_value.value import Value

__version__ = "0.1.0"

__all__ = [
    "GraphError",
    "Op",
    "OpError",
    "OpInfo",
    "PluginError",
    "SmolMLError",
    "UnknownOpError",
    "Value",
    "elementwise",
    "grad_enabled",
    "no_grad",
    "ops",
    "scalar_elementwise",
]
