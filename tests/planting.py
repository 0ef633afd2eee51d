"""A copy of the tree, in which faults are planted, and what Python needs to run it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copy_of_the_tree(folder: Path) -> dict[str, str]:
    """Copy what the tests need, without what was built; the environment to run the copy in."""
    ignored = shutil.ignore_patterns("__pycache__", "*.so", ".*")
    for name in ("packages", "tests", "docs", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pytest.ini", "README.md", "CONTRIBUTING.md"):
        shutil.copyfile(ROOT / name, folder / name)
    sources = [str(path) for path in folder.glob("packages/*/src")]
    others = filter(None, [os.environ.get("PYTHONPATH")])
    paths = os.pathsep.join([str(folder), *sources, *others])
    return os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
