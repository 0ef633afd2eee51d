"""The page of the examples says what they print, and shows what they draw."""

from __future__ import annotations

import re
import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import blocks

numpy = pytest.importorskip("numpy")

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "docs" / "assets" / "examples"
PICTURES = sorted(ASSETS.glob("*.webp"))
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")


def _stated(language: str) -> dict[str, str]:
    """What the page says of each program whose output it shows."""
    found = list(blocks((ROOT / "docs" / language / "examples.md").read_text("utf-8")))
    return {
        command.text.removeprefix("python examples/").strip(): output.text
        for command, output in pairwise(found)
        if (command.language, output.language) == ("sh", "text")
    }


def _pale(path: Path) -> Any:
    """A picture as grey squares of some pixels: what is seen of it from afar."""
    image = pytest.importorskip("PIL.Image").open(path).convert("L")
    return numpy.asarray(image.reduce(15), dtype=float)


@pytest.mark.parametrize(
    "program", ["conv_digits.py", "digits.py", "moons.py", "newton.py", "regression.py", "xor.py"]
)
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
    printed = "\n".join(map(str.rstrip, capsys.readouterr().out.splitlines()))
    stated = _stated("en")[program]
    assert _NUMBER.sub("#", stated).strip() in _NUMBER.sub("#", printed)
    wanted = [float(number) for number in _NUMBER.findall(stated)]
    found = [float(number) for number in _NUMBER.findall(printed)]
    last = found[len(found) - len(wanted) :]
    assert last == pytest.approx(wanted, rel=0.05, abs=1e-8)  # rounding noise may be any
    drawn = sorted(path.stem for path in tmp_path.glob("*.png"))
    shown = [picture.stem for picture in PICTURES if f"{picture.stem}.py" == program]
    assert drawn == shown
    for name in drawn:
        picture, kept = _pale(tmp_path / f"{name}.png"), _pale(ASSETS / f"{name}.webp")
        assert picture.shape == kept.shape
        assert abs(picture - kept).mean() < 4.0  # of 255: fonts and the last digits may differ


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_shows_every_picture(language: str) -> None:
    text = (ROOT / "docs" / language / "examples.md").read_text("utf-8")
    shown = re.findall(r"!\[[^]]{20,}\]\(../assets/examples/(\w+)\.webp\)", text)
    assert sorted(shown) == [picture.stem for picture in PICTURES] != []


def test_both_languages_show_the_same() -> None:
    assert _stated("en") == _stated("es") != {}
