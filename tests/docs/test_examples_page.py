"""The page of the examples says what they print."""

from __future__ import annotations

import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.markdown import blocks

ROOT = Path(__file__).parents[2]
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")


def _stated(language: str) -> dict[str, str]:
    """What the page says of each program whose output it shows."""
    found = list(blocks((ROOT / "docs" / language / "examples.md").read_text("utf-8")))
    return {
        command.text.removeprefix("python examples/").strip(): output.text
        for command, output in pairwise(found)
        if (command.language, output.language) == ("sh", "text")
    }


@pytest.mark.parametrize("program", ["newton.py", "regression.py", "xor.py"])
def test_a_program_prints_what_its_page_says(
    program: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for package in ("smolml", "sklearn", "matplotlib"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)  # it may write a picture
    monkeypatch.setattr("sys.argv", [program])
    runpy.run_path(str(ROOT / "examples" / program), run_name="__main__")
    printed, stated = capsys.readouterr().out, _stated("en")[program]
    assert _NUMBER.sub("#", stated).strip() in _NUMBER.sub("#", printed)
    wanted = [float(number) for number in _NUMBER.findall(stated)]
    last = [float(number) for number in _NUMBER.findall(printed)][-len(wanted) :]
    assert last == pytest.approx(wanted, rel=0.05, abs=1e-8)  # rounding noise may be any


def test_both_languages_show_the_same() -> None:
    assert _stated("en") == _stated("es") != {}
