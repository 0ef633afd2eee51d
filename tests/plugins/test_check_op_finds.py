"""check_op on ops whose parts do not fit together, which `elementwise` itself would have refused.

Each row is told what is wrong with it; so are rarer faults of formulas.
"""

from __future__ import annotations

from typing import Any

import pytest

from smolml_array._derivatives.kinds import kinds
from smolml_value import Op, Value, elementwise, ops
from smolml_value._checking.plan import Findings, Planned, Skipped, run_checks
from smolml_value.testing import OpReport, check_op

KINDS = kinds()

product = elementwise(
    "product",
    lambda xp, x, y: x * y,
    (lambda xp, out, x, y: y, lambda xp, out, x, y: x),
)
scaled = elementwise(
    "scaled",
    lambda xp, x, *, by=2.0: by * x,
    (lambda xp, out, x, *, by=2.0: by,),
)


class Own(Op):
    """A kind of op that the registry does not pickle by its name."""


def put_together(op: Op, **parts: Any) -> Op:
    """The op with other parts, which nobody has looked at."""
    return Op(**{**vars(op), **parts})


def said(op: Op, name: str) -> str:
    """What one check finds and notes."""
    report: OpReport = check_op(op, kinds=KINDS, raise_on_failure=False)
    (check,) = [check for check in report.checks if check.name == name]
    return "\n".join((*check.messages, *check.notes))


def first_of_unequal(xp: Any, x: Any, y: Any) -> Any:
    """x * y, but of operands that must be broadcast the first alone."""
    return x * y if getattr(x, "shape", ()) == getattr(y, "shape", ()) else x * 1.0


def straight(xp: Any, x: Any) -> Any:
    """1e4 x for x > 0, which nothing but differences can differentiate."""
    return xp.hypot(1e4 * x, 0.0)


def rippled(xp: Any, out: Any, x: Any) -> Any:
    """The slope of that, with a ripple too small for differences to see."""
    return 1e4 + 5e-5 * xp.sin(7e6 * x)


# per op: which check tells of it, and in which words
FOUND: dict[str, tuple[Op, str, str]] = {
    "an operand too few": (
        put_together(product, forward=lambda xp, x: x),
        "definition",
        "its forward takes 1 operand(s) after xp, but its arity is 2",
    ),
    "both kinds of rules": (
        put_together(product, vjp=lambda xp, g, out, x, y: (g * y, g * x)),
        "definition",
        "it has both partials and a vjp; give one of them",
    ),
    "an interval too few": (
        put_together(product, domain=((-1.0, 1.0),)),
        "definition",
        "expected 2 intervals in domain, got 1",
    ),
    "an empty interval": (
        put_together(scaled, domain=((1.0, 1.0),)),
        "definition",
        "the domain (1.0, 1.0) is no finite interval to take samples from",
    ),
    "another default": (
        put_together(scaled, params={"by": 3.0}),
        "numbers",
        "it gives another number with its parameters spelt out",
    ),
    "another number on Values": (
        elementwise("wrong", lambda xp, x: (2.0 if isinstance(x, Value) else 3.0) * x),
        "Values",
        " of numbers at ",
    ),
    "inf less inf": (
        elementwise("wrong", lambda xp, x: xp.sqrt(x) - xp.sqrt(x), domain=[(0.0, 1.0)]),
        "edge points",
        "at 0 it is finite, but its gradient is nan: [nan]",
    ),
    "nan lost": (
        elementwise("wrong", lambda xp, x: xp.where(x == x, x, 0.0)),
        "edge points",
        "nan does not stay nan: it becomes 0.0",
    ),
    "a wild function": (
        elementwise("wrong", lambda xp, x: xp.sin(1e9 * x), (1.0,)),
        "derivatives",
        "differences settle at only 0 of 12 points",
    ),
    "a wild derivative": (
        elementwise("wrong", straight, (rippled,), domain=[(1.0, 2.0)]),
        "second order",
        "differences of its derivative settle at only 0 of 12 points",
    ),
    "a number for arrays": (
        elementwise("wrong", lambda xp, x: 2.0 * x if isinstance(x, Value) else 2.0 * xp.max(x)),
        "numpy: shapes",
        "of the shape (12,) it made",
    ),
    "a nan for a slope": (
        elementwise("wrong", lambda xp, x: 2.0 * x, (lambda xp, out, x: xp.log(-2.0 - x),)),
        "derivatives",
        "is 2 by the complex step, but nan by its rule",
    ),
    "a slope of zero": (
        elementwise("wrong", lambda xp, x: 2.0 * x, (0.0,)),
        "derivatives",
        "is 2 by the complex step, but 0 by its rule",
    ),
    "no broadcasting": (
        elementwise("wrong", first_of_unequal),
        "numpy: broadcasting",
        "it made the shape",
    ),
}


@pytest.mark.parametrize(("op", "check", "words"), FOUND.values(), ids=FOUND)
def test_it_is_told_what_is_wrong(op: Op, check: str, words: str) -> None:
    assert words in said(op, check)


def test_a_registered_op_is_also_called_as_a_method_and_pickled() -> None:
    unlike = elementwise("unlike", lambda xp, x: (2.0 if isinstance(x, Value) else 3.0) * x)
    own = Own(**{**vars(elementwise("own", straight, (1e4,))), "params": {}})
    with ops.registered(unlike, own):
        assert "Value.unlike() gives another number than the op itself" in said(
            unlike, "registration"
        )
        found = said(own, "registration")
    assert "pickled and loaded again it is another object" in found


def test_what_was_found_before_a_check_gave_up_is_told() -> None:
    def check(found: Findings) -> None:
        found.fail("two is not three")
        raise Skipped("there is no four")

    (made,) = run_checks([Planned("numbers", check)], str)
    assert made[:3] == ("numbers", "FAILED", ("two is not three",))
