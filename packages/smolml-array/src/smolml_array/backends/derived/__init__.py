"""What every backend has because it has the rest: each name written once, against the others.

A method here takes the backend as `xp`. A backend's own function of the same name goes before it,
for speed or because the library has it anyway.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, Protocol

from smolml_array.backends.derived.arrangement import Arrangement
from smolml_array.backends.derived.creation import Creation
from smolml_array.backends.derived.elementwise import Elementwise
from smolml_array.backends.derived.linalg import Matrices
from smolml_array.backends.derived.reductions import Reductions


class Derived(Arrangement, Creation, Elementwise, Matrices, Reductions, Protocol):
    """All of it."""


DERIVED: Final[dict[str, Callable[..., Any]]] = {
    name: f for name, f in inspect.getmembers(Derived, inspect.isfunction) if name[0] != "_"
}
