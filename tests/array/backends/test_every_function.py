"""Every function of the protocol: both backends answer random calls as NumPy itself does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array.backends.protocol import protocol_names
from tests.array.backends.agreement import NUMPY, PURE, agree
from tests.array.backends.cases import CASES

# What NumPy has nothing to compare with, and where it is tested.
ELSEWHERE = {
    "finfo": "test_creation.py",
    "iinfo": "test_creation.py",
    "is_array": "test_extras.py",
    "isdtype": "test_creation.py",
    **dict.fromkeys(
        ("add_into", "adopts", "index_add_into", "index_put_into", "placeholder", "silence"),
        "test_protocol.py",
    ),
    "uniform": "test_extras.py",
}
CONSTANTS = {"e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None, "pi": math.pi}
DTYPES = {"bool", "float64", "int64"}


@pytest.mark.parametrize("name", sorted(CASES))
@settings(max_examples=8)
@given(data=st.data())
def test_both_backends_answer_as_numpy(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    args, kwargs = data.draw(case.calls)
    agree(name, *args, expected=case.expected, rtol=case.rtol, scale=case.scale, **kwargs)


def test_no_function_is_left_out() -> None:
    assert {*CASES, *ELSEWHERE, *CONSTANTS, *DTYPES, "name"} == set(protocol_names())
    assert not CASES.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_tested_elsewhere_is(name: str) -> None:
    text = (Path(__file__).parent / ELSEWHERE[name]).read_text(encoding="utf-8")
    assert f".{name}" in text


@pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])
def test_constants_and_dtypes(backend: Any) -> None:
    for name, value in CONSTANTS.items():
        assert repr(getattr(backend, name)) == repr(value)
    assert {getattr(backend, name).name for name in DTYPES} == DTYPES


@pytest.mark.parametrize("name", ["exp", "sort", "overlap_add"])
def test_the_comparison_can_fail(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(PURE, name)
    monkeypatch.setitem(vars(PURE), name, lambda *args, **kwargs: right(*args, **kwargs) + 1)
    case = CASES[name]

    @settings(max_examples=100, database=None, report_multiple_bugs=False)
    @given(data=st.data())
    def walk(data: st.DataObject) -> None:
        args, kwargs = data.draw(case.calls)
        agree(name, *args, expected=case.expected, rtol=case.rtol, scale=case.scale, **kwargs)

    with pytest.raises(AssertionError):
        walk()
