"""The path of a gradient through arrays: few functions, few lines, and the guides name them all."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from smolml_value.extending import one_pass
from tests.architecture.source import package_folder

MOST_FUNCTIONS = 25
MOST_LINES = 350
GUIDES = Path(__file__).parents[2] / "docs"

array = pytest.importorskip("smolml_array")
pytest.importorskip("numpy")
if not inspect.isfunction(one_pass):
    pytest.skip("compiled functions cannot be seen", allow_module_level=True)


def _file_of(code: CodeType) -> str | None:
    """The file of a function of ours as the guides write it; None for a function of others."""
    for package in ("smolml_value", "smolml_array"):
        folder = package_folder(package)
        assert folder is not None
        if Path(code.co_filename).is_relative_to(folder):
            return f"{package}/{Path(code.co_filename).relative_to(folder).as_posix()}"
    return None


@pytest.fixture(scope="module")
def path() -> list[CodeType]:
    """The functions that are passed, in the order in which each is first called."""
    x = array.MLArray([[1.0, 2.0]], requires_grad=False, backend="numpy")
    w = array.MLArray([[0.5], [-0.5]], backend="numpy")

    def step() -> Any:
        w.zero_grad()
        (x @ w).tanh().sum().backward()
        return w.grad()

    for _ in range(3):  # what is made once is there then
        step()
    called: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, arg: object) -> None:
        if event == "call":
            called.setdefault(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        step()
    finally:
        sys.setprofile(before)
    assert w.grad().shape == (2, 1)
    del called[array.MLArray.zero_grad.__code__]  # so that the gradient is not added to another
    return [code for code in called if _file_of(code)]


def test_the_path_is_short(path: list[CodeType]) -> None:
    lines = [line for code in path for line in inspect.getsourcelines(code)[0] if line.strip()]
    assert len(path) <= MOST_FUNCTIONS, [code.co_qualname for code in path]
    assert len(lines) <= MOST_LINES


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_guide_names_it_in_order(language: str, path: list[CodeType]) -> None:
    if not GUIDES.is_dir():
        pytest.skip("the guides are not here")
    text = (GUIDES / language / "inside.md").read_text("utf-8")
    named = re.findall(
        r"^\| \d+ \| `(\w+)` \| `(smolml_(?:value|array)/[\w/]+\.py)` \|", text, re.M
    )
    assert named == [(code.co_name.strip("<>"), _file_of(code)) for code in path]
