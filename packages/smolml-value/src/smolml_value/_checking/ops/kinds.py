"""The kinds of arrays that are installed, for checks: found without knowing any of them.

A package of arrays declares an entry point of the group `smolml.kinds`: a function that returns
its kinds. So a check covers all that is installed, while this package imports none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

from smolml_value._ops.entry_points import find

GROUP: Final = "smolml.kinds"


class ArrayKind(Protocol):
    """One kind of array: on one backend, of one type of numbers.

    Attributes:
        name: for messages.
        dtype: the name of the type of its numbers.
        epsilon: the distance of 1.0 to the next number.
        xp: the namespace that rules get.
    """

    name: str
    dtype: str
    epsilon: float
    xp: Any

    def array(self, numbers: Sequence[float], shape: tuple[int, ...]) -> Any:
        """A leaf that asks for gradients."""

    def numbers(self, x: Any) -> list[float]:
        """Its numbers in C order."""

    def gradient(self, x: Any) -> list[float]:
        """Its gradient in C order."""

    def shape_of(self, x: Any) -> tuple[int, ...] | None:
        """Its shape; None for what is no array of this kind."""

    def dtype_of(self, x: Any) -> str:
        """The name of the type of its numbers."""

    def raw(self, x: Any) -> Any:
        """What rules get for it."""

    def raw_numbers(self, raw: Any) -> list[float]:
        """The numbers of what rules get, in C order."""


def installed_kinds() -> list[ArrayKind]:
    """The kinds that the installed packages declare, sorted by name."""
    offers = [cast("Any", found.entry.load()) for found in find(GROUP)]
    kinds: list[ArrayKind] = [kind for offer in offers for kind in offer()]
    return sorted(kinds, key=lambda kind: kind.name)
