"""What the run of the array API's suite goes by: the groups of expected failures."""

from __future__ import annotations

import numpy  # noqa: F401  # the namespaces on NumPy are asked, too
import pytest

from tests.conformance.expected import group_of, groups, reason_for
from tests.conformance.namespaces import NAMES, STAND_INS, Asked, Float32
from tests.conformance.run import stale

FILE = "array_api_tests/test_special_cases.py::"
INFINITE = (
    f"{FILE}test_binary[floor_divide(x1_i is +infinity and isfinite(x2_i) and x2_i > 0) -> x]"
)


def test_every_group_says_why_and_where() -> None:
    assert groups()
    for group in groups():
        assert len(group.reason) > 20
        assert any(map(group.namespaces.fullmatch, NAMES)), group.reason
    assert len({group.reason for group in groups()}) == len(groups())


def test_the_first_group_that_holds_a_test_gives_the_reason() -> None:
    assert reason_for("pure", INFINITE).startswith("floor_divide follows Python")
    assert reason_for("pure", f"{FILE}test_binary[floor_divide(x1_i is NaN) -> NaN]") == ""
    assert "MLArrays have" in reason_for("numpy", "array_api_tests/test_utility.py::test_diff")
    assert reason_for("arrays-numpy", "array_api_tests/test_utility.py::test_diff") == ""
    assert reason_for("pure", "array_api_tests/test_utility.py::test_difference") == ""


def test_a_group_of_which_nothing_fails_any_more_is_named() -> None:
    group = group_of("pure", INFINITE)
    assert group in stale({"pure": {INFINITE: "xpassed"}})
    assert group not in stale({"pure": {INFINITE: "xfailed"}})
    only_numpy = group_of("numpy", "array_api_tests/test_data_type.py::test_finfo[dtype0]")
    assert only_numpy not in stale({"pure": {INFINITE: "xpassed"}})


@pytest.mark.parametrize("name", NAMES)
def test_the_suite_is_given_the_namespace_and_stand_ins_for_what_it_lacks(name: str) -> None:
    asked = Asked(name)
    assert asked.__name__ == name
    assert asked.sum(asked.asarray([1.0, 2.0])) == 3.0
    assert asked.int32 == asked.int64
    assert set(STAND_INS) <= set(asked.skipped)
    has_float32 = "float32" not in asked.skipped
    assert has_float32 == name.endswith("numpy")
    assert (asked.float32 is Float32) != has_float32
    assert asked.finfo(asked.float32).eps == 2.0**-23
    assert asked.finfo(asked.float64).eps == 2.0**-52
    with pytest.raises(AttributeError):
        asked.complex128
