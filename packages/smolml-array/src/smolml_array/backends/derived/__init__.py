"""What every backend has because it has the rest: each name written once, against the others.

A function here takes the backend first. A backend's own function of the same name goes before it,
for speed or because the library has it anyway.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from smolml_array.backends.derived import (
    arrangement,
    creation,
    elementwise,
    picking,
    products,
    reductions,
    windows,
)

_MODULES = (arrangement, creation, elementwise, picking, products, reductions, windows)

DERIVED: Final[dict[str, Callable[..., Any]]] = {
    name.rstrip("_"): f
    for module in _MODULES
    for name, f in vars(module).items()
    if inspect.isfunction(f) and f.__module__ == module.__name__ and not name.startswith("_")
}
