"""A short run of the fuzz; programs that failed once; and that it finds what is planted."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

import smolml_value
from smolml_value import elementwise, ops
from tests.fuzz import beside, functions
from tests.fuzz.__main__ import examine, fails, told
from tests.fuzz.beside import AnotherBuild
from tests.fuzz.checks import CHECKS, verify
from tests.fuzz.elementwise import OPS, TWINS
from tests.fuzz.planted import FAULTS, Fault
from tests.fuzz.program import Leaf, Program, Step, shrunk
from tests.planting import ROOT

BLOCK = 40
FIRST_SEED = int(os.environ.get("FUZZ_SEED", "0"))


@pytest.mark.parametrize("block", range(4))
def test_random_programs_agree_on_all_machines_and_paths(block: int) -> None:
    first = FIRST_SEED + block * BLOCK
    print(f"seeds {first} to {first + BLOCK - 1}")
    for seed in range(first, first + BLOCK):
        found = examine(seed, None, Counter())
        assert found is None, told(seed, *found)


# Programs that failed: what was wrong, the checks that said so, and the program.
KEPT: dict[str, tuple[list[str], Program]] = {
    "a number beside a 0-d array, forward": (
        [name for name in CHECKS if "columns" in name],
        Program((Leaf("value", (), (0.5,)), Leaf("array", (), (0.5,))), (), ()),
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_failed_once(name: str) -> None:
    checks, program = KEPT[name]
    assert verify(program, checks) is None


def test_a_planted_fault_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = elementwise("swish", lambda xp, x: xp.tanh(x), (lambda xp, out, x: 1.0 - out,))
    monkeypatch.setitem(OPS, "swish", planted)
    monkeypatch.setitem(TWINS, "swish", lambda t, x: t.tanh(x))
    monkeypatch.setattr("tests.fuzz.__main__.NAMES", ["op", "window"])
    runs = (examine(seed, None, Counter()) for seed in range(200))
    program, failure = next(found for found in runs if found is not None)
    small = shrunk(program, lambda other: fails(other, failure))
    assert [step.name for step in small.steps] == ["op"]
    assert len(small.leaves) == 1
    text = told(7, program, failure)
    assert "seed 7, " in text
    assert "v1 = swish(v0)" in text


@pytest.mark.parametrize("fault", [None, FAULTS[0]])
def test_another_build_is_held_beside_this_one(
    fault: Fault | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(smolml_value.__file__).parent
    shutil.copytree(package, tmp_path / "smolml_value")
    if fault is not None:
        table = tmp_path / "smolml_value" / "table.py"
        table.write_text(table.read_text("utf-8").replace(fault.old, fault.new), "utf-8")
    names = list(OPS)
    angle = Step("op", (0, 1, 0), names.index("atan2") + len(names))
    leaves = (Leaf("value", (), (0.5,)), Leaf("array", (2,), (0.25, -1.5)))
    another = AnotherBuild(str(tmp_path))
    monkeypatch.setattr(beside, "ANOTHER", another)
    failure = verify(Program(leaves, (), (angle,)), ["another build"])
    another.close()
    assert (failure is None) is (fault is None), failure


def test_faults_to_plant_fit_the_sources() -> None:
    for fault in FAULTS:
        text = (ROOT / "packages" / fault.file).read_text(encoding="utf-8")
        assert text.count(fault.old) == 1, fault.what
    assert len({fault.what for fault in FAULTS}) == 12


def test_no_op_and_no_function_is_without_an_oracle() -> None:
    assert set(OPS) >= set(ops.names())
    assert set(TWINS) >= set(OPS)
    rows = functions.ROWS.items()
    assert not [name for name, row in rows if row.theirs is None and row.torch is None]
