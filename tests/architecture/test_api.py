"""The public names are those that are stored: a change of them is seen, and meant."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from smolml_value.extending import one_pass
from tests.architecture.api import PACKAGES, STORED, listing, text
from tests.architecture.source import INSTALLED

COMPILED = not inspect.isfunction(one_pass)


@pytest.mark.skipif(COMPILED, reason="compiled functions have no signatures to read")
@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_names_are_those_of_the_stored_list(package: str) -> None:
    if package not in INSTALLED:
        pytest.skip(f"{package} is not installed")
    stored = (STORED / f"{package}.txt").read_text("utf-8").splitlines()
    now = text(package).splitlines()
    gone, new = sorted({*stored} - {*now}), sorted({*now} - {*stored})
    assert now == stored, f"gone: {gone}, new: {new}; if meant: `hatch run api --renew`"


def test_a_list_says_what_users_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    import smolml_value

    class Made(list[int]):
        __module__ = "smolml_value.made"

        def __init__(self, size: int) -> None: ...

        def move(self, by: int = 1) -> None: ...

    monkeypatch.setattr(smolml_value, "Made", Made, raising=False)
    monkeypatch.setattr(smolml_value, "__all__", ["Made"])
    assert list(listing("smolml_value")) == [
        "smolml_value.Made(size)",
        "smolml_value.Made.move(by=1)",
    ]


@pytest.mark.skipif("smolml_array" not in INSTALLED, reason="smolml_array is not installed")
def test_public_functions_of_arrays_are_in_a_table() -> None:
    """But those that make arrays of nothing: namespaces and derivatives find the others there."""
    import smolml_array
    from smolml_array.functions.table import FUNCTIONS
    from smolml_value.table import TABLE

    for name in smolml_array.__all__:
        package, _, module = getattr(smolml_array, name).__module__.rpartition(".")
        if package == "smolml_array.functions" and module not in ("creation", "random"):
            assert name in FUNCTIONS or name in TABLE, name


@pytest.mark.skipif("smolml_array" not in INSTALLED, reason="smolml_array is not installed")
def test_pythons_own_errors_name_methods_and_no_class_inside() -> None:
    from smolml_array import MLArray

    x: Any = MLArray([1.0, 2.0])
    for call, said in (
        (x.backward, r"^backward\(\) takes 1 positional argument"),
        (x.to_list, r"^MLArray\.to_list\(\) takes 1 positional argument"),
    ):
        with pytest.raises(TypeError, match=said):
            call(1)
    inside = {family.__name__ for family in MLArray.__mro__[1:]}
    for name, method in inspect.getmembers(MLArray, inspect.isfunction):
        if not name.startswith("_"):
            assert method.__qualname__.partition(".")[0] not in inside, name
