"""The rates under the picture of the optimizers: a slider moves, and the path is another one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.site.conftest import Open
from tests.site.test_site import LANGUAGES, WAIT, _idle

FIGURE = "figure.drawing[data-sliders]"
# The paths in their order; each ends where it leaves the picture.
_PATHS = (
    """svg => [...svg.querySelectorAll("polyline")].map((line) => line.getAttribute("points"))"""
)
ADAM, MOMENTUM, PLAIN = 2, 1, 0


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request: pytest.FixtureRequest, open_page: Open) -> Any:
    """The page in a language."""
    return open_page(f"{LANGUAGES[request.param]}optimizers/")


def _paths(page: Any) -> list[str]:
    found: list[str] = page.locator(f"{FIGURE} svg").evaluate(_PATHS)
    return found


def _move(page: Any, which: int, place: str) -> str:
    """Move a slider; what it says then."""
    page.locator(f"{FIGURE} input").nth(which).fill(place)
    _idle(page)
    return str(page.locator(f"{FIGURE} output").nth(which).inner_text())


def test_each_rate_moves_its_own_path(page: Any) -> None:
    drawn = _paths(page)
    assert len(drawn) == 3
    before = drawn
    for which in (PLAIN, MOMENTUM, ADAM):
        assert float(_move(page, which, "-0.5")) < (0.08, 0.03, 0.3)[which] / 3
        after = _paths(page)
        assert [i for i in range(3) if after[i] != before[i]] == [which]
        before = after
    figure = page.locator(FIGURE)
    figure.locator(".smol-reset").click()
    assert _paths(page) == drawn
    assert figure.locator("output").all_inner_texts() == ["0.08", "0.03", "0.3"]
    assert figure.locator(".smol-reset").is_hidden()


def test_beyond_its_bound_plain_descent_leaves_the_picture(page: Any) -> None:
    assert _move(page, PLAIN, "1") == "0.8"
    height = float(page.locator(f"{FIGURE} svg").get_attribute("viewBox").split()[3])
    x, y = map(float, _paths(page)[PLAIN].split()[-1].split(","))
    assert x > 0
    assert 0.8 * height < y < height  # at the lower edge, of the plot
    page.locator(FIGURE).locator(".smol-reset").click()


def test_the_drawing_sees_the_blocks_above_and_can_be_stopped(page: Any) -> None:
    editors = page.locator(".smol-editor textarea")
    values = editors.evaluate_all("all => all.map(({ value }) => value)")
    (at,) = [i for i, text in enumerate(values) if "def valley" in text]
    editors.nth(at).fill(values[at].replace("20.0 * y * y", "y * y"))
    drawn = _paths(page)
    _move(page, ADAM, "0.1")
    assert _paths(page)[PLAIN] != drawn[PLAIN]  # in a round valley
    editors.nth(at).fill("while True:\n    pass")
    page.locator(f"{FIGURE} input").first.fill("0.3")
    page.locator(f"{FIGURE} .smol-stop").click()
    page.wait_for_function("window.smolPage.running === null", timeout=WAIT)
    page.locator(".smol-reset:visible").first.wait_for()
    editors.nth(at).fill(values[at])
    _move(page, PLAIN, "-0.3")
    assert len(_paths(page)) == 3


def test_without_scripts_the_picture_is_there(open_page: Open) -> None:
    page = open_page("optimizers/", java_script_enabled=False)
    assert page.locator(f"{FIGURE} svg").is_visible()
    assert page.locator("input[type=range]").count() == 0
