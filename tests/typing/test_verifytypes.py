"""Type checkers know the public types: pyright counts those that they would have to guess."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source import ORDER, package_folder

KNOWN = 0.95
"""The part of a package's public symbols whose types are all known."""


def _pyright(folder: Path, *arguments: str) -> dict[str, Any]:
    """What pyright says with no configuration, as on a user's machine."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not there: pip install pyright[nodejs]")
    homes = [str(home.parent) for name in ORDER if (home := package_folder(name)) is not None]
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
        + ["--outputjson", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(homes)},
        timeout=280,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("package", ORDER)
def test_public_types_are_known(package: str, tmp_path: Path) -> None:
    pytest.importorskip(package)
    report = _pyright(tmp_path, "--ignoreexternal", "--verifytypes", package)
    found = report["typeCompleteness"]
    unknown = [s["name"] for s in found["symbols"] if s["isExported"] and not s["isTypeKnown"]]
    assert found["completenessScore"] >= KNOWN, unknown


def test_pyright_agrees_with_users_programs(tmp_path: Path) -> None:
    pytest.importorskip("smolml")
    shutil.copytree(Path(__file__).parent / "programs", tmp_path / "programs")
    report = _pyright(tmp_path, "programs")
    found = [d for d in report["generalDiagnostics"] if d["severity"] == "error"]
    assert found == []
    assert report["summary"]["filesAnalyzed"] >= 6
