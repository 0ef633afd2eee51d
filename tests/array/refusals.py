"""What tables of mistakes and the errors they must end in are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray

Case = tuple[Callable[[], object], type[Exception], str]


def X() -> Any:
    return MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def unchecked(x: Any) -> Any:
    """x as type checkers cannot object to it."""
    return x


def raises(cases: list[Case]) -> pytest.MarkDecorator:
    """One test for each case: what is done, the error, a part of its message (a regex)."""
    return pytest.mark.parametrize(("do", "error", "said"), cases, ids=[c[2] for c in cases])


def check(do: Callable[[], object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        do()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
