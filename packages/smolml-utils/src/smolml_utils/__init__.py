"""Losses, activations, initializers and optimizers over Values and MLArrays."""

from smolml_utils import (
    activations,
    clipping,
    initializers,
    losses,
    normalization,
    optimizers,
    saving,
    schedules,
)
from smolml_utils.activations import *
from smolml_utils.clipping import *
from smolml_utils.initializers import *
from smolml_utils.losses import *
from smolml_utils.normalization import *
from smolml_utils.optimizers import *
from smolml_utils.saving import *
from smolml_utils.schedules import *
from smolml_value.extending.anomaly import inside

inside("smolml_utils")

__version__ = "0.1.0"

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
    "clip_grad_norm",
    "clip_grad_value",
    "clipping",
    "constant",
    "cosine_decay",
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
    "linear_warmup",
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
    "saving",
    "schedules",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "step_decay",
    "tanh",
    "xavier_normal",
    "xavier_uniform",
]
