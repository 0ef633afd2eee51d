"""Losses, activations, initializers and optimizers over Values and MLArrays."""

from typing import TYPE_CHECKING

from smolml_utils import (
    activations,
    clipping,
    initializers,
    losses,
    normalization,
    optimizers,
    saving,
)
from smolml_utils.activations import *
from smolml_utils.clipping import *
from smolml_utils.initializers import *
from smolml_utils.losses import *
from smolml_utils.normalization import *
from smolml_utils.optimizers import *
from smolml_utils.saving import *
from smolml_value.extending.anomaly import inside

inside("smolml_utils")

__version__ = "0.1.0"

if not TYPE_CHECKING:  # type checkers take all that comes by a star
    __all__ = ["activations", "initializers", "losses", "normalization", "optimizers"]
    for _module in (activations, clipping, initializers, losses, normalization, optimizers, saving):
        __all__ += _module.__all__
