"""Losses, activations, initializers and optimizers over Values and MLArrays."""

from typing import TYPE_CHECKING

from smolml_array import MLArray
from smolml_utils import activations, initializers, losses, normalization, optimizers
from smolml_utils.activations import *
from smolml_utils.initializers import *
from smolml_utils.losses import *
from smolml_utils.normalization import *
from smolml_utils.optimizers import *
from smolml_value.extending import missing
from smolml_value.extending.anomaly import inside

inside("smolml_utils")

__version__ = "0.1.0"


if not TYPE_CHECKING:  # a type checker would take any misspelt name for granted

    def __getattr__(name: str) -> object:
        raise missing("smolml_utils", name, __all__, MLArray)

    for _module in (activations, initializers, losses, normalization, optimizers):
        _module.__getattr__ = __getattr__

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Constant",
    "HeInitialization",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "Optimizer",
    "Orthogonal",
    "RMSProp",
    "RandomNormal",
    "RandomUniform",
    "SGDMomentum",
    "XavierNormal",
    "XavierUniform",
    "activations",
    "bce_with_logits",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "constant",
    "cross_entropy",
    "elu",
    "gelu",
    "he_normal",
    "he_uniform",
    "huber_loss",
    "initializers",
    "layer_norm",
    "leaky_relu",
    "lecun_normal",
    "linear",
    "log_cosh_loss",
    "log_softmax",
    "losses",
    "mae_loss",
    "mse_loss",
    "normalization",
    "optimizers",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    "xavier_normal",
    "xavier_uniform",
]
