"""Plugin ops are typed like functions: what kind goes in comes out, under mypy --strict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from typing import assert_type

from smolml_array import MLArray
from smolml_special import erf, gammaln, iv, xlogy
from smolml_value import Op, Value, elementwise, ops
from smolml_value.testing import OpReport, check_op

assert_type(erf(Value(1.0)), Value)
assert_type(erf(MLArray([1.0])), MLArray)
assert_type(erf(0.5), float)
assert_type(erf(1), float)
assert_type(gammaln(Value(1.0)) + 1.0, Value)
assert_type(xlogy(Value(1.0), 2.0), Value)
assert_type(xlogy(1.0, MLArray([2.0])), MLArray)
assert_type(xlogy(1.0, 2.0), float)
assert_type(iv(Value(1.0), n=2), Value)
assert_type(iv.bind(n=2)(0.5), float)
assert_type(ops.gammaln(Value(1.0)), Value)

mine = elementwise("mine", lambda xp, x: 2 * x)
assert_type(mine, Op)
assert_type(mine(MLArray([1.0])), MLArray)
assert_type(check_op(mine, raise_on_failure=False), OpReport)
erf("one")  # type: ignore[call-overload]
"""


def test_a_program_that_uses_plugin_ops(site: Path, special: Path, tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = True\n[mypy-scipy.*]\nignore_missing_imports = True\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(config), str(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": os.pathsep.join([str(special), str(site)])},
    )
    assert done.returncode == 0, done.stdout + done.stderr
