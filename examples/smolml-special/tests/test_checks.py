"""Every op passes check_op, alone and under other parameters, and is found by its name."""

import pytest

import smolml_special
from smolml_value import Op, ops
from smolml_value.testing import check_op

NAMES = smolml_special.__all__


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_are_right(name: str) -> None:
    check_op(getattr(smolml_special, name))


@pytest.mark.parametrize(
    "op",
    [
        smolml_special.polygamma.bind(n=2),
        smolml_special.polygamma.bind(n=5),
        smolml_special.iv.bind(n=0),
        smolml_special.iv.bind(n=3),
    ],
    ids=repr,
)
def test_they_are_right_for_other_parameters(op: Op) -> None:
    check_op(op)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_found_by_its_name(name: str) -> None:
    assert ops[name] is getattr(smolml_special, name)


def test_nothing_is_registered_that_is_not_tested() -> None:
    mine = {row.name for row in ops.info() if row.distribution == "smolml-special"}
    assert mine == set(NAMES) - {"erf"}
