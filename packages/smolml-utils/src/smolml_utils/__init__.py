"""Losses, activations, initializers and optimizers over Values and MLArrays."""

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

__all__ = ["activations", "initializers", "losses", "normalization", "optimizers"]
__all__ += activations.__all__
__all__ += clipping.__all__
__all__ += initializers.__all__
__all__ += losses.__all__
__all__ += normalization.__all__
__all__ += optimizers.__all__
__all__ += saving.__all__
