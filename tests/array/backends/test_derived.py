"""A backend that has only what is required has everything: the rest is derived from it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array.backends.derived import DERIVED
from smolml_array.backends.namespace import CONSTANTS, Namespace
from smolml_array.backends.protocol import protocol_names
from tests.array.backends.agreement import PURE, attempt, on_pure, same
from tests.array.backends.cases import CASES

REQUIRED = {*protocol_names()} - {*DERIVED, *CONSTANTS, "adopts", "silence"}


def _bare() -> Any:
    module = ModuleType("bare")
    vars(module).update({name: getattr(PURE, name) for name in REQUIRED})
    return Namespace("pure", [module])


BARE = _bare()


def test_few_names_are_required() -> None:
    assert len(REQUIRED) <= 95
    assert set(DERIVED) <= set(protocol_names())


def _as_numpy(x: Any) -> Any:
    return tuple(map(np.asarray, x)) if isinstance(x, tuple) else np.asarray(x)


@pytest.mark.parametrize("name", sorted(DERIVED.keys() & CASES.keys()))
@settings(max_examples=8)
@given(data=st.data())
def test_derived_functions_answer_as_a_backends_own(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    args, kwargs = data.draw(case.calls)
    given_ = tuple(map(on_pure, args))
    what = f"{name}{args}{kwargs}"
    wanted = attempt(getattr(PURE, name), *given_, **kwargs)
    got = attempt(getattr(BARE, name), *given_, **kwargs)
    if isinstance(wanted, Exception):
        assert type(got) is type(wanted), f"{what}: {got!r}, not {wanted!r}"
    elif isinstance(got, Exception):
        raise AssertionError(f"{what} raised {got!r}") from got
    elif isinstance(wanted, bool | str | list | float):
        assert got == wanted, what
    else:
        same(what, got, _as_numpy(wanted), case.rtol or 1e-15, case.scale)


def test_the_others_are_derived_too() -> None:
    x = PURE.asarray([1.0, -0.0])
    assert BARE.placeholder(x) is x
    assert BARE.to_flat(BARE.add_into(x, x)) == [2.0, 0.0]
    with pytest.raises(ValueError, match="add_into: shape"):
        BARE.add_into(x, PURE.asarray([[1.0, 2.0]]))
    product = BARE.cotangent_product(x, PURE.asarray([float("inf"), float("nan")]))
    assert BARE.to_flat(product) == [float("inf"), 0.0]
    assert BARE.isdtype(x.dtype, ("integral", "real floating"))
    assert not BARE.isdtype(x.dtype, BARE.bool)
