"""The traced namespace: rules run on it give results that can be differentiated again."""

from __future__ import annotations

from typing import Any, Final

from smolml_value import scalar
from smolml_value._op import TracedNamespace
from smolml_value.table import TABLE


def find(name: str) -> Any:
    """The op of that name, or a constant such as pi."""
    op = TABLE.get(name)
    return op if op is not None else getattr(scalar, name)


TRACED: Final = TracedNamespace(find)
"""The `xp` for Values: its functions are the ops of the table."""
