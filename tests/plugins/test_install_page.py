"""The page on installing: its lines name what they need, and the first of them installs all."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.plugins.building import ROOT, run

PAGES = [*(ROOT / "docs").glob("*/install.md"), ROOT / "README.md"]
PAGES += sorted((ROOT / "packages").glob("*/README.md"))


def _lines(page: Path) -> list[list[str]]:
    """What the page's lines give to pip, of those that install packages of this repository."""
    text = page.read_text(encoding="utf-8")
    return [
        shlex.split(line) for line in re.findall(r"pip install ((?:\"?packages/[^\s`]+ ?)+)", text)
    ]


def _needs(package: str) -> set[str]:
    """What a package needs of the others."""
    with (ROOT / package / "pyproject.toml").open("rb") as file:
        needed = tomllib.load(file)["project"]["dependencies"]
    return {
        f"packages/{name}" for need in needed if (name := re.split("[>=]", need)[0])[:6] == "smolml"
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_line_names_what_it_needs(page: Path) -> None:
    assert _lines(page)
    for line in _lines(page):
        named = {part.partition("[")[0] for part in line}
        assert set().union(*map(_needs, named)) <= named, line


def test_the_first_line_installs_all_of_it(tmp_path: Path) -> None:
    pytest.importorskip("pip")
    pytest.importorskip("hatchling", reason="wheels are built with hatchling")
    line = _lines(ROOT / "docs" / "en" / "install.md")[0]
    here = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *here, *line],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    program = (
        "import smolml, smolml_array, smolml_utils, smolml_value\n"
        "for m in (smolml, smolml_array, smolml_utils, smolml_value):\n    print(m.__file__)\n"
        "try:\n    smolml.MLArray([1.0]).view(1)\nexcept AttributeError as error:\n    print(error)"
    )
    *files, error = run(program, tmp_path).splitlines()
    assert len(files) == 4
    assert all(file.startswith(str(tmp_path)) for file in files)
    assert "x.reshape(2, -1)" in error  # its table is installed, too
