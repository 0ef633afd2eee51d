"""A short run of the fuzz beside HIPS autograd, which knows much of what the programs do."""

from __future__ import annotations

from collections import Counter

import autograd  # noqa: F401  # what is examined here is held beside it

from tests.fuzz.__main__ import examine, told


def test_random_programs_agree_with_autograd() -> None:
    counts: Counter[str] = Counter()
    for seed in range(100, 160):
        found = examine(seed, ["autograd"], counts)
        assert found is None, told(seed, *found)
    assert counts["autograd"] > 12
