"""Type checkers know the public types: pyright counts those that they would have to guess."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KNOWN = {"smolml_value": 0.95, "smolml_array": 0.95}
"""The part of the public symbols whose types are all known."""


@pytest.mark.parametrize("package", KNOWN)
def test_public_types_are_known(package: str, tmp_path: Path) -> None:
    pyright = shutil.which("pyright") or shutil.which("pyright", path=Path(sys.executable).parent)
    if pyright is None:
        pytest.skip("pyright is not there")
    specs = [importlib.util.find_spec(name) for name in KNOWN]
    homes = [str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin]
    done = subprocess.run(
        [pyright, "--pythonpath", sys.executable, "--outputjson", "--ignoreexternal"]
        + ["--verifytypes", package],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,  # no configuration: as on a user's machine
        env=os.environ | {"PYTHONPATH": os.pathsep.join(homes)},
        timeout=280,
    )
    found = json.loads(done.stdout)["typeCompleteness"]
    unknown = [s["name"] for s in found["symbols"] if s["isExported"] and not s["isTypeKnown"]]
    assert found["completenessScore"] >= KNOWN[package], unknown
