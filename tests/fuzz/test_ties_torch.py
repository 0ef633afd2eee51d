"""Where a rounding of PyTorch's decides, the fuzz says so; a fault at a tie is none of these."""

from __future__ import annotations

import pytest
import torch  # noqa: F401  # the oracle of what is examined here

from smolml_value import elementwise
from tests.fuzz.__main__ import is_tie
from tests.fuzz.checks import verify
from tests.fuzz.elementwise import OPS
from tests.fuzz.functions import ROWS, WINDOWS
from tests.fuzz.program import Leaf, Program, Step

_ROWS = [name for name in ROWS if name not in WINDOWS]


def row(name: str) -> Step:
    """A row of a table, of the latest result alone."""
    return Step("row", (0, 0, 0), _ROWS.index(name))


def op(name: str, first: int, second: int) -> Step:
    """An op of two results, counted backwards."""
    names = list(OPS)
    return Step("op", (first, second, 0), names.index(name) + len(names))


def program(numbers: tuple[float, ...], *steps: Step) -> Program:
    return Program((Leaf("array", (len(numbers),), numbers),), (), steps)


# Here 0 comes out, there 1e-17 or -0.0: of v x v, and of the determinant of what is singular.
TIES = {
    "the angle of a product and v": program((0.315, -1.2566), row("cross"), op("atan2", 0, 1)),
    "the angle of a product": program((-1.1689, -1.5557, 1.2504), row("cross"), op("atan2", 0, 0)),
    "the sign of a product": program((-0.2424, -1.2661, -1.6881), row("cross"), op("sign", 0, 0)),
    "the angle of a determinant": program((1.324, -0.6554, -0.7885), row("det"), op("atan2", 0, 1)),
    "the angle of a determinant of 0": program(
        (0.8749, -0.6952, 0.598), row("det of 0"), op("atan2", 0, 1)
    ),
}


@pytest.mark.parametrize("name", TIES)
def test_a_rounding_decides(name: str) -> None:
    failure = verify(TIES[name], ["tensors"])
    if failure is None and "determinant" in name:
        pytest.skip("on this machine LAPACK rounds as PyTorch does")
    assert failure is not None
    assert is_tie(TIES[name], failure)


# Faults that show at a tie, or beside one: both operands of a maximum are the same; no sign of an
# angle is right, and there is a zero in it.
PLANTED = {
    "maximum": (
        elementwise(
            "swish",
            lambda xp, x, y: xp.maximum(x, y),
            (lambda xp, out, x, y: xp.where(out == x, 1.0, 0.0),) * 2,
        ),
        program((0.5, -1.25), op("maximum", 0, 0)),
    ),
    "atan2": (
        elementwise(
            "swish",
            lambda xp, y, x: xp.atan2(y, x),
            (
                lambda xp, out, y, x: -x / xp.square(xp.hypot(x, y)),
                lambda xp, out, y, x: -y / xp.square(xp.hypot(x, y)),
            ),
        ),
        program((0.315, -1.2566), row("cross"), op("atan2", 1, 1), op("atan2", 1, 2)),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_at_a_tie_is_no_tie(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    planted, at = PLANTED[name]
    monkeypatch.setitem(OPS, name, planted)
    failure = verify(at, ["tensors"])
    assert failure is not None
    assert not is_tie(at, failure)
