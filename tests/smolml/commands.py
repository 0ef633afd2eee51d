"""Runs the `smolml` command in this process or in another one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = [sys.executable, "-m", "smolml"]


def run(
    *args: str, cwd: Path | None = None, before: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; `before` is Python code to run first."""
    command = [*PROGRAM, *args]
    if before:
        code = f"import sys\n{before}\nfrom smolml.cli import main\nsys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, *args]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
