"""The wheels in a new virtual environment, installed by pip, one plugin after another."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.plugins.building import install, write_wheel

HOSTILE = {
    "bad-import": ({"bad_import.py": "import a_module_that_nobody_has\n"}, "bad_import:broken"),
    "bad-object": ({"bad_object.py": "broken = 3\n"}, "bad_object:broken"),
}
PROGRAM = """
import smolml, smolml_special
from smolml import MLArray, Value, ops

for op in ("gammaln", "logit"):
    assert ops[op](0.5) == getattr(Value(0.5), op)().data == getattr(MLArray([0.5]), op)().item()
print(sorted({row.distribution for row in ops.info()}), smolml_special.__file__)
try:
    ops.broken(1.0)
except smolml.SmolMLError as error:
    print(error)
"""


def test_pip_installs_and_removes_plugins(
    wheels: list[Path], special_wheel: Path, tmp_path: Path
) -> None:
    pytest.importorskip("scipy")
    home = tmp_path / "environment"
    try:
        venv.create(home, with_pip=True)
    except subprocess.CalledProcessError:
        pytest.skip("this Python cannot make virtual environments with pip")
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    # NumPy, SciPy and rich come from the environment of the tests, found after all else
    paths = {"base": str(home), "platbase": str(home)}
    own = Path(sysconfig.get_path("purelib", vars=paths))
    theirs = sysconfig.get_path("purelib")
    (own / "zz_of_the_tests.pth").write_text(f"{theirs}\n")

    def call(*arguments: str) -> str:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SMOLML_"))}
        done = subprocess.run(
            [str(python), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**clean, "PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pip_install(*chosen: Path) -> None:
        call("-m", "pip", "install", "-q", "--no-index", "--no-deps", "--ignore-installed",
             *map(str, chosen))  # fmt: skip

    pip_install(*wheels, special_wheel)
    for name, (modules, value) in HOSTILE.items():
        pip_install(write_wheel(tmp_path, name, modules, {"broken": value}))
        out = call("-c", PROGRAM)
        assert "smolml-special" in out
        assert str(home) in out
        assert f"op 'broken' of {name} 1.0" in out
        assert f"{name} 1.0" in call("-m", "smolml", "ops")
        call("-m", "pip", "uninstall", "-q", "-y", name)
    assert "unknown op 'broken'" in call("-c", PROGRAM)


def test_unpacking_is_what_pip_does(special_wheel: Path, tmp_path: Path) -> None:
    # the other tests unpack wheels, which is faster; it leaves the same files
    pytest.importorskip("pip")
    by_pip = tmp_path / "by_pip"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile",
         "--disable-pip-version-check", "--target", str(by_pip), str(special_wheel)],
        check=True,
    )  # fmt: skip
    unpacked = install(tmp_path / "unpacked", special_wheel)
    added_by_pip = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
    files = [
        {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*")
         if p.is_file() and p.name not in added_by_pip}
        for root in (by_pip, unpacked)
    ]  # fmt: skip
    assert files[0] == files[1]
    assert any(name.endswith("entry_points.txt") for name in files[0])
