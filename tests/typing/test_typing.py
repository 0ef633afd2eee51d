"""mypy --strict agrees with users' programs, sees their mistakes, and the programs run."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PROGRAMS = sorted((FOLDER / "programs").glob("*.py"))
NEEDS = {
    "values": "smolml_value",
    "arrays": "smolml_array",
    "everything": "smolml",
    "functions": "smolml",
    "star": "smolml",
    "walk": "smolml_array",
}

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("mypy"), reason="mypy is not there")


def _mypy(*paths: Path, cache: Path) -> str:
    """What mypy --strict prints, with no configuration: as on a user's machine."""
    here = [str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(":")]
    environment = os.environ | {"MYPYPATH": ":".join(here)}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    done = subprocess.run(
        [*command, f"--cache-dir={cache}", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=cache,
        timeout=280,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program_is_typed(program: Path, cache: Path) -> None:
    pytest.importorskip(NEEDS[program.stem])
    assert _mypy(program, cache=cache) == ""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program_runs(program: Path) -> None:
    pytest.importorskip(NEEDS[program.stem])
    runpy.run_path(str(program), run_name="__main__")


def test_mistakes_are_seen(cache: Path) -> None:
    pytest.importorskip("smolml_array")
    path = FOLDER / "mistakes.py"
    expected = {
        (number, match[1])
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (match := re.search(r"# mistake: ([\w-]+)", line))
    }
    output = _mypy(path, cache=cache)
    seen = {(int(n), c) for n, c in re.findall(r":(\d+): error: .*\[([\w-]+)\]$", output, re.M)}
    assert seen == expected, output
