"""Formulas of the built pages: all are set as mathematics, and are seen, also on a phone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.test_mathml import _formulas
from tests.site.conftest import PHONE, ROOT, Open, built
from tests.site.test_site import LANGUAGES


class _Prose(HTMLParser):
    """What stands in a page outside of code and formulas, and how many formulas there are."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.text = ""
        self.formulas = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.formulas += tag == "math"
        if tag in ("code", "pre", "script", "style", "svg", "math"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.text += data


def _built(language: str, page: str) -> _Prose:
    place = "" if page == "index" else f"{page.removesuffix('/index')}/"
    folder = built() / LANGUAGES[language] / place
    prose = _Prose()
    prose.feed((folder / "index.html").read_text("utf-8"))
    return prose


def _pages() -> list[tuple[str, str]]:
    folders = {language: ROOT / "docs" / language for language in LANGUAGES}
    return [
        (language, path.relative_to(folder).as_posix().removesuffix(".md"))
        for language, folder in folders.items()
        for path in sorted(folder.rglob("*.md"))
    ]


@pytest.mark.parametrize(("language", "page"), _pages())
def test_no_formula_is_left_as_it_was_written(language: str, page: str) -> None:
    built = _built(language, page)
    assert re.findall(r".*\$.*|^> .*|.*\\\w+\{.*", built.text, re.MULTILINE) == []
    written = _formulas(Path(ROOT / "docs" / language / f"{page}.md").read_text("utf-8"))
    if page.startswith("reference/"):  # what it has comes from docstrings
        least = {"reference/utils": 40, "reference/value": 25, "reference/array": 20}
        assert built.formulas >= least.get(page, 0)
    else:
        assert built.formulas == len(written)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["es/losses/", "es/optimizers/", "reference/utils/"])
def test_formulas_are_seen_and_fit_a_phone(path: str, scheme: str, open_page: Open) -> None:
    page = open_page(path, viewport=PHONE, color_scheme=scheme)
    shown = page.locator("math").evaluate_all(
        """all => all.map((e) => [e.namespaceURI, e.getBoundingClientRect().height > 8,
          getComputedStyle(e).color === getComputedStyle(e.parentElement).color])"""
    )
    assert len(shown) > 5
    assert set(map(tuple, shown)) == {("http://www.w3.org/1998/Math/MathML", True, True)}
    fractions = page.locator("mfrac").evaluate_all(
        """all => all.map((e) => [...e.children].map((c) => c.getBoundingClientRect().top))"""
    )
    assert fractions
    assert all(over < under for over, under in fractions)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()
