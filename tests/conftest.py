"""Set-up of every test: hypothesis profiles, headless matplotlib, files left out."""

from __future__ import annotations

import importlib.util
import os
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import Phase, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# No deadline: the first call of an op may load it, and CI machines are slow and shared.
settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.register_profile("brief", deadline=None, max_examples=20)
settings.register_profile(
    "planted",  # a test is to fail or to pass soon, and always in one way
    deadline=None,
    max_examples=10,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# The same tests run on installed wheels, where not every package and extra is there. A file
# whose top-level imports are missing is left out, and the end of the report names it.
OPTIONAL = {
    *("array_api_extra", "array_api_strict", "autograd", "cosmic_ray", "coverage"),
    *("distributed", "einops"),
    *("ipykernel", "matplotlib", "mpmath", "nbclient", "nbformat"),
    *("numpy", "rich", "safetensors", "scipy", "sklearn", "torch"),
    *("smolml", "smolml_array", "smolml_utils"),
}
_TOP_IMPORT = re.compile(r"^(?:import|from)\s+([\w.]+)", re.MULTILINE)
_ROOT = Path(__file__).parents[1]
_left_out: dict[str, set[str]] = {}


@cache
def _missing_imports(path: Path) -> frozenset[str]:
    """The optional packages that a file, or a helper or an example that it uses, lacks here."""
    named = set(_TOP_IMPORT.findall(path.read_text(encoding="utf-8")))
    tops = {name.partition(".")[0] for name in named} & OPTIONAL
    missing = {name for name in tops if not importlib.util.find_spec(name)}
    for name in named:
        helper = _ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name.startswith(("tests.", "examples.")) and helper.is_file():
            missing |= _missing_imports(helper)
    return frozenset(missing)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out a file that cannot be imported here."""
    if not collection_path.match("test_*.py") or not collection_path.is_file():
        return None
    missing = _missing_imports(collection_path)
    if missing:
        _left_out[str(collection_path.relative_to(_ROOT))] = set(missing)
        return True
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which files were left out, so that nothing is skipped in silence."""
    if not _left_out:
        return
    terminalreporter.section("files left out")
    for name, missing in sorted(_left_out.items()):
        terminalreporter.line(f"{name}: needs {', '.join(sorted(missing))}")
