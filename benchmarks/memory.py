"""Resident memory of a node: a chain of a million of them, in a process of its own.

``python -m benchmarks.memory KIND [FOLDER]`` prints bytes a node; KIND is micrograd, PyTorch, or
interpreted or compiled with the folder of that build.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NODES = 1_000_000


def resident() -> int:
    """The resident memory of this process in bytes (where it cannot be read: the most it had)."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def bytes_per_node(leaf: Callable[[float], Any], nodes: int = NODES) -> float:
    """How much the process grows for each node of a long chain of sums and products."""
    x, y = leaf(1.0), leaf(0.5)
    v = x * y
    gc.collect()
    gc.disable()
    before = resident()
    for _ in range(nodes // 2):
        v = v * x + y
    return (resident() - before) / nodes


def leaf_of(kind: str, folder: str) -> Callable[[float], Any]:
    """What makes a leaf."""
    if kind == "micrograd":
        made: Callable[[float], Any] = importlib.import_module("micrograd.engine").Value
        return made
    if kind == "PyTorch":
        torch = importlib.import_module("torch")
        return lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True)
    sys.path.insert(0, folder)
    package = importlib.import_module("smolml_value")
    if (kind == "compiled") != package.COMPILED:
        raise RuntimeError(f"{package.__file__} is not the {kind} build")
    ours: Callable[[float], Any] = package.Value
    return ours


def measured(kind: str, folder: Path | None = None) -> float:
    """Bytes a node, measured in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.memory", kind]
    done = subprocess.run(
        [*command, *([str(folder)] if folder else [])],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


if __name__ == "__main__":
    print(bytes_per_node(leaf_of(sys.argv[1], (sys.argv[2:] or [""])[0])), flush=True)
    os._exit(0)  # a chain of reference cycles can overflow the stack when it is freed
