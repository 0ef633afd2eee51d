"""What holds on both builds: no crash, equal bits, small nodes, graphs deeper than any stack."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

import smolml_value
from smolml_value import COMPILED, Value
from smolml_value.fused import dot, fsum
from tests.children import printed

ROOT = Path(__file__).parents[2]
PACKAGE = Path(smolml_value.__file__).parent


def run(*arguments: str, path: Path = PACKAGE.parent) -> str:
    """What a module run in a fresh interpreter prints that finds smolml_value in `path`."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_random_programs_for_a_few_seconds() -> None:
    assert "no fault" in run("tests.value.fuzz", "3")


@pytest.mark.skipif(not COMPILED, reason="there is only the interpreted build here")
def test_both_builds_give_the_same_bits(tmp_path: Path) -> None:
    # a compiled wheel has the source in it as well
    shutil.copytree(
        PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("*.so", "*.pyd")
    )
    kind, compiled = run("tests.value.digest").split()
    assert kind == "compiled"
    kind, interpreted = run("tests.value.digest", path=tmp_path).split()
    assert kind == "interpreted"
    assert compiled == interpreted


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="resident memory is read there")
def test_a_node_is_small() -> None:
    kind = "compiled" if COMPILED else "interpreted"
    used = float(run("benchmarks.memory", kind, str(PACKAGE.parent)))
    assert used <= (120 if COMPILED else 160)


def test_chains_of_all_kinds_are_freed_without_recursion() -> None:
    n = 100_000 if COMPILED else 20_000  # compiled, each level of a recursion takes little stack
    for link in (
        lambda v: v + 1.0,
        lambda v: 1.0 - v,
        lambda v: v * v,
        lambda v: v.sqrt(),  # by an op with a vjp of its own
        lambda v: fsum([v]),
        lambda v: dot([v, 1.0], [0.5, v]),
    ):
        x = Value(1.0)
        v = x
        for _ in range(n):
            v = link(v)
        v.backward()
        del v


def test_a_fused_node_of_very_many_operands() -> None:
    n = 1_000_001 if COMPILED else 100_001
    xs = [Value(1.0) for _ in range(n)]
    total = fsum(xs)
    total.backward()
    assert total.data == n
    assert all(x.grad == 1.0 for x in xs)
    del total


def test_a_zip_file_is_as_good_as_a_folder(tmp_path: Path) -> None:
    home = Path(smolml_value.__file__).parent
    with ZipFile(tmp_path / "packages.zip", "w") as packed:
        for file in [*home.rglob("*.py"), *home.rglob("*.txt")]:
            packed.write(file, file.relative_to(home.parent))
    code = "from smolml_value import Value; assert '.zip' in __import__('smolml_value').__file__; "
    found = subprocess.run(
        [sys.executable, "-S", "-c", code + "Value(1.0).ReLU"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "packages.zip")},
        capture_output=True,
        text=True,
    )
    assert "did you mean relu" in found.stderr


def test_a_module_of_the_package_is_there_without_an_import_of_its_own() -> None:
    program = (
        "import sys\n"
        "sys.modules['mypy_extensions'] = None\n"  # no dependency: it cannot be imported
        "import smolml_value\n"
        "print('smolml_value.fused' in sys.modules)\n"
        "print(smolml_value.fused.fsum([smolml_value.Value(1.0), 2.0]).data)\n"
        "print({'fused', 'draw', 'Value'} <= set(dir(smolml_value)))\n"
    )
    assert printed(program).split() == ["False", "3.0", "True"]
