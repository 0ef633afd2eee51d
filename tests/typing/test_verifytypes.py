"""Type checkers know the public types: pyright counts those that they would have to guess."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ORDER, package_folder

KNOWN = 0.95
"""The part of a package's public symbols whose types are all known."""


@pytest.mark.parametrize("package", ORDER)
def test_public_types_are_known(package: str, tmp_path: Path) -> None:
    pytest.importorskip(package)
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not there: pip install pyright[nodejs]")
    homes = [str(folder.parent) for name in ORDER if (folder := package_folder(name)) is not None]
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
        + ["--outputjson", "--ignoreexternal", "--verifytypes", package],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,  # no configuration: as on a user's machine
        env=os.environ | {"PYTHONPATH": os.pathsep.join(homes)},
        timeout=280,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    found = json.loads(done.stdout)["typeCompleteness"]
    unknown = [s["name"] for s in found["symbols"] if s["isExported"] and not s["isTypeKnown"]]
    assert found["completenessScore"] >= KNOWN, unknown
