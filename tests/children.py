"""Programs that run in a Python of their own, where nothing has been imported yet."""

from __future__ import annotations

import subprocess
import sys


def printed(program: str) -> str:
    """What a program prints; it must come to its end."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
