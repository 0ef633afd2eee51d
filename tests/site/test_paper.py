"""Slides and worksheets: pages seen and printed in another way, without scripts or other pages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.site.conftest import Open
from tests.site.test_exercises import EXERCISES
from tests.site.test_site import LANGUAGES, _idle

_SEEN = "all => all.filter((e) => e.checkVisibility()).map((e) => e.textContent)"
_SIZE = re.compile(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]")


def _sheets(page: Any) -> list[tuple[float, float]]:
    """The sizes of the pages that a print of it has."""
    printed = page.pdf(prefer_css_page_size=True)
    return [(float(wide), float(high)) for wide, high in _SIZE.findall(printed)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_guide_is_its_own_slides(language: str, open_page: Open) -> None:
    path = f"{LANGUAGES[language]}autodiff/"
    page = open_page(path, reduced_motion="reduce")
    whole = page.locator("article > p").evaluate_all(_SEEN)
    page.goto(page.url + "#slides")
    slides = page.locator("article > p").evaluate_all(_SEEN)
    assert 5 < len(slides) < len(whole) / 2
    assert page.locator("article h2 + p").evaluate_all(_SEEN) != []
    assert set(page.locator("article > p:has(strong)").evaluate_all(_SEEN)) <= set(slides)
    for what in (".highlight", "figure.drawing"):
        assert page.locator(f"article > {what}:visible").count() >= 5
    page.locator(".smol-run").nth(4).click()  # the blocks run there, too
    _idle(page)
    assert "True" in page.locator(".smol-output").nth(4).inner_text()
    sheets = _sheets(page)
    assert len(sheets) >= page.locator("article h2").count()
    assert all(wide > high for wide, high in sheets)
    page.locator("a#slides").click()
    assert page.locator("article > p").evaluate_all(_SEEN) == whole
    assert all(wide < high for wide, high in _sheets(page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_exercises_print_as_worksheets(language: str, open_page: Open) -> None:
    page = open_page(f"{LANGUAGES[language]}exercises/", reduced_motion="reduce")
    page.locator(".exercise details").evaluate_all("all => all.forEach((e) => { e.open = true; })")
    assert page.locator(".exercise .solution code:visible").count() == len(EXERCISES)
    page.emulate_media(media="print")
    for what in ("details", "button", "textarea"):
        assert page.locator(f".exercise {what}:visible").count() == 0
    words = page.locator(".exercise > .words").evaluate_all(_SEEN)
    assert words == [one["text"][language].strip().replace("`", "") for one in EXERCISES.values()]
    codes = page.locator(".exercise .highlight .smol-ink").evaluate_all(_SEEN)
    assert [code.strip() for code in codes] == [one["start"].strip() for one in EXERCISES.values()]
    page.close()
