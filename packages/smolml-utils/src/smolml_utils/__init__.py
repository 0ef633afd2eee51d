"""Losses, activations, initializers and optimizers over Values and MLArrays."""

from typing import TYPE_CHECKING

from smolml_array import MLArray
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
from smolml_value.extending import missing
from smolml_value.extending.anomaly import inside

inside("smolml_utils")

__version__ = "0.1.0"


if not TYPE_CHECKING:  # type checkers take all that comes by a star, and would any misspelt name
    __all__ = ["activations", "initializers", "losses", "normalization", "optimizers"]
    _modules = (activations, clipping, initializers, losses, normalization, optimizers, saving)
    for _module in _modules:
        __all__ += _module.__all__

    def __getattr__(name: str) -> object:
        raise missing("smolml_utils", name, __all__, MLArray)

    for _module in _modules:
        _module.__getattr__ = __getattr__
