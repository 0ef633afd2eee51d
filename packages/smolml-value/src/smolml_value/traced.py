"""The traced namespace: rules run on it give results that can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smolml_value import scalar
from smolml_value.errors import NoDerivativeError
from smolml_value.node import BUILT_IN


class TracedNamespace:
    """The `xp` whose functions are ops: rules run on it give results that have derivatives.

    Attributes are looked up with `find`, so that it knows every op there is.
    """

    def __init__(self, find: Callable[[str], Any]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._find(name)


# On a Value these would give a plain number, and its gradient would be lost in silence.
_NO_DERIVATIVE = frozenset({"copysign", "map_scalar"})


def find(name: str) -> Any:
    """The op of that name, a predicate such as isnan, or a constant such as pi."""
    if name == "where":
        return _where
    op = BUILT_IN.get(name)
    if op is None and name in _NO_DERIVATIVE:
        raise NoDerivativeError(
            f"xp.{name} has no derivative; use an op that has one, through op.on(xp, x)"
        )
    if op is not None and not hasattr(scalar, name):
        raise AttributeError(
            f"xp.{name} is not a function of the array API, so plain floats and arrays do not have "
            f"it; inside a rule write ops.{name}.on(xp, x)"
        )
    return op if op is not None else getattr(scalar, name)


def _where(condition: Any, x: Any, y: Any) -> Any:
    """x or y themselves where the condition is a plain bool, as comparisons of Values are."""
    if isinstance(condition, bool):
        return x if condition else y
    return BUILT_IN["where"](condition, x, y)


TRACED: Final = TracedNamespace(find)
"""The `xp` for Values: its functions are the ops of the table."""
