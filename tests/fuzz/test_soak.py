"""The soak: it tells what grows and what is wrong, and a short one finds nothing."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.fuzz import soak
from tests.fuzz.soak import GROWTH, JOBS, Interrupts, counted, expected, grown, stretch


def samples(rate: float) -> list[dict[str, float]]:
    return [dict.fromkeys(GROWTH, 1e6 + rate * i) for i in range(20)]


def test_what_grows_is_named() -> None:
    assert grown(samples(0.0)) == grown(samples(-100.0)) == []
    assert [told.partition(":")[0] for told in grown(samples(10_000.0))] == [*GROWTH]
    assert grown([{**s, "nodes": 100.0 + i} for i, s in enumerate(samples(0.0))]) == [
        "nodes: 104 -> 114"
    ]


# An interrupt in the callback of a weak reference cannot be raised: Python tells, and goes on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_short_one_with_interrupts() -> None:
    interrupts, known = Interrupts(), expected()
    assert np.isfinite([*known.values()]).all()
    assert stretch(0.5, 2, known, interrupts) >= 2
    assert interrupts.count > 0
    assert counted().keys() == GROWTH.keys()


def test_a_result_that_is_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {("pure", JOBS[0]): JOBS[0]() + 1.0}
    monkeypatch.setattr(soak, "JOBS", JOBS[:1])
    with pytest.raises(AssertionError, match="chain on pure"):
        stretch(0.05, 1, known, Interrupts())
