"""Searching in a browser: a language finds its own pages, and methods are found by their names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.site.conftest import Open
from tests.site.test_site import LANGUAGES, WAIT


def _found(page: Any, query: str) -> list[str]:
    """The addresses of what is found, best first."""
    box, links = page.locator(".md-search__input"), page.locator(".md-search-result__link")
    for text, count in (("", "=== 0"), (query, "> 0")):
        box.fill(text)
        box.press("End")  # what listens, listens to keys
        wait = f"document.querySelectorAll('.md-search-result__link').length {count}"
        page.wait_for_function(wait, timeout=WAIT)
    found: list[str] = links.evaluate_all("all => all.map((a) => a.href.replace(/[?]h=[^#]*/, ''))")
    return found


@pytest.fixture(scope="module", params=LANGUAGES)
def searching(
    request: pytest.FixtureRequest, open_page: Open, address: str
) -> tuple[Any, str, str]:
    """A page deep in the site, its language, and where the pages of that are."""
    root = LANGUAGES[request.param]
    page = open_page(f"{root}reference/value/")
    page.locator(".md-search__input").click()
    return page, request.param, f"{address}/{root}"


@pytest.mark.parametrize(
    ("en", "es", "guide"),
    [
        ("learning rate", "tasa de aprendizaje", "optimizers/"),
        ("overfitting", "sobreajuste", "overfitting/"),
        ("chain rule", "regla de la cadena", "autodiff/"),
        ("install", "instalar", "install/"),
    ],
)
def test_a_language_finds_its_own_pages(
    en: str, es: str, guide: str, searching: tuple[Any, str, str]
) -> None:
    page, language, root = searching
    found = _found(page, {"en": en, "es": es}[language])
    assert [address for address in found if not address.startswith(root)] == []
    assert language == "es" or not any("/es/" in address for address in found)
    pages = list(dict.fromkeys(address.partition("#")[0] for address in found))
    assert root + guide in pages[:3], pages


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("MLArray.sum", "reference/array/#smolml_array.MLArray.sum"),
        ("MLArray.relu", "reference/array/#smolml_array.MLArray.relu"),
        ("Value.backward", "reference/value/#smolml_value.Value.backward"),
        ("cross_entropy", "reference/utils/#smolml_utils.losses.cross_entropy"),
        ("cumulative_sum", "reference/array/#smolml_array.cumulative_sum"),
    ],
)
def test_names_of_the_reference_are_found(
    query: str, place: str, searching: tuple[Any, str, str]
) -> None:
    page, _, root = searching
    found = _found(page, query)
    assert root + place in found[:5], found
