"""Exercises in a browser: each is checked in its page, and what is solved stays there."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.site.conftest import PHONE, ROOT, Open
from tests.site.test_site import _PALE, LANGUAGES, WAIT

# As they are stored: smolml itself is not installed where this runs.
FILES = sorted(ROOT.glob("packages/smolml/src/smolml/learning/exercises/*/*.toml"))
EXERCISES = {path.stem[2:]: tomllib.loads(path.read_text("utf-8")) for path in FILES}
BLANK = {"en": "is still ...: put your answer", "es": "sigue siendo ...: pon ahí tu respuesta"}


def _one(page: Any, name: str) -> Any:
    return page.locator(f".exercise[data-exercise='{name}']")


def _check(page: Any, name: str, answer: str | None = None) -> str:
    """Check an answer, or what stands there; what is said of it."""
    one = _one(page, name)
    if answer is not None:
        one.locator("textarea").fill(answer)
    one.locator(".smol-check").click()
    page.wait_for_function("window.smolExercises.running === null", timeout=WAIT)
    return str(one.locator(".smol-right, .smol-wrong").inner_text())


@pytest.fixture(scope="module", params=LANGUAGES)
def opened(request: pytest.FixtureRequest, open_page: Open) -> tuple[Any, str]:
    """The page in a language, in a browser of its own: what is solved is not shared."""
    language = request.param
    locale = {"en": "en-GB", "es": "es-ES"}[language]
    return open_page(f"{LANGUAGES[language]}exercises/", locale=locale), language


def test_an_answer_is_refused_with_its_reason_until_it_is_right(opened: tuple[Any, str]) -> None:
    page, language = opened
    product = EXERCISES["product"]
    assert BLANK[language] in _check(page, "product")
    mistake = product["mistakes"][0]
    assert _check(page, "product", mistake["example"]) == mistake[language]
    one = _one(page, "product")
    marked = page.locator("#product .smol-solved")
    assert marked.is_hidden()
    solved = "print('done')\n" + product["solution"].strip()
    assert _check(page, "product", solved) == {"en": "Right!", "es": "¡Correcto!"}[language]
    assert one.locator(".smol-out").inner_text().strip() == "done"
    _one(page, "twice").locator("textarea").fill("dx = 6.0  # not yet")
    page.reload()
    count = page.locator(".smol-count").inner_text()
    assert count == {"en": "1 of 22 solved", "es": "1 de 22 resueltos"}[language]
    assert marked.is_visible()
    assert one.locator("textarea").input_value() == solved
    assert one.locator(".smol-ink").inner_text().strip() == solved
    assert _one(page, "twice").locator("textarea").input_value() == "dx = 6.0  # not yet"
    for name, was in (("product", product["start"]), ("twice", EXERCISES["twice"]["start"])):
        _one(page, name).locator(".smol-reset").click()
        assert _one(page, name).locator("textarea").input_value() == was.strip()
    assert marked.is_hidden()
    assert page.locator(".smol-count").inner_text().startswith("0 ")
    assert page.evaluate("localStorage.getItem('smolml-exercises')") == "{}"


def test_every_solution_is_right_in_the_page(opened: tuple[Any, str]) -> None:
    page, language = opened
    shown = page.locator(".exercise").evaluate_all("all => all.map((e) => e.dataset.exercise)")
    assert shown == list(EXERCISES)
    right = {"en": "Right!", "es": "¡Correcto!"}[language]
    for name, exercise in EXERCISES.items():
        assert (name, _check(page, name, exercise["solution"])) == (name, right)
        assert _one(page, name).locator(".smol-output > *").count() == 1  # nothing was warned of
    assert page.locator(".smol-solved:visible").count() == len(EXERCISES)


def test_keys_check_and_open_hints_one_after_the_other(opened: tuple[Any, str]) -> None:
    page, language = opened
    one, exercise = _one(page, "softmax"), EXERCISES["softmax"]
    hints = one.locator(".hint")
    for i, hint in enumerate(exercise["hints"]):
        assert hints.filter(visible=True).count() == i + 1
        assert not hints.nth(i).locator(".words").is_visible()
        hints.nth(i).locator("summary").press("Enter")
        assert hints.nth(i).locator(".words").inner_text() == hint[language].replace("`", "")
    assert not one.locator(".solution code").is_visible()
    one.locator(".solution summary").press("Enter")
    solution = one.locator(".solution code")
    assert solution.inner_text().strip() == exercise["solution"].strip()
    one.locator("textarea").fill("")
    one.locator("textarea").press("Control+Enter")
    page.wait_for_function("window.smolExercises.running === null", timeout=WAIT)
    assert "softmax" in one.locator(".smol-wrong").inner_text()


def test_stop_ends_a_loop_and_the_next_check_begins_anew(opened: tuple[Any, str]) -> None:
    page, _ = opened
    one = _one(page, "product")
    one.locator("textarea").fill("while True:\n    pass")
    one.locator(".smol-check").click()
    assert _one(page, "twice").locator(".smol-check").is_disabled()
    one.locator(".smol-stop").click()
    one.locator(".smol-check").wait_for()
    assert one.locator(".smol-output").is_hidden()
    assert one.locator(".smol-status").inner_text() != ""
    _check(page, "product", EXERCISES["product"]["solution"])
    assert one.locator(".smol-right").count() == 1
    reason = _check(page, "product", "while True:\n    print('x' * 999)")
    assert "200,000" in reason  # it ends by itself


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_can_be_read(scheme: Any, open_page: Open) -> None:
    page = open_page("es/exercises/", viewport=PHONE, color_scheme=scheme)
    _check(page, "product", EXERCISES["product"]["solution"])
    _check(page, "adam")
    page.locator(".exercise details").evaluate_all("all => all.forEach((e) => { e.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    cut = page.locator(
        ".smol-bar button, .exercise summary, .exercise .words, .smol-wrong, .smol-right"
    ).evaluate_all(
        "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
    )
    assert cut == []
    assert page.evaluate(_PALE) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_scripts_all_is_there_to_be_read(language: str, open_page: Open) -> None:
    page = open_page(f"{LANGUAGES[language]}exercises/", java_script_enabled=False)
    for name, exercise in EXERCISES.items():
        one = _one(page, name)
        assert one.locator(".words").first.inner_text() == exercise["text"][language].strip()
        code = one.locator(".highlight").all_text_contents()
        assert [text.strip() for text in code] == [
            exercise["start"].strip(),
            exercise["solution"].strip(),
        ]
        assert one.locator("details").count() == len(exercise["hints"]) + 1
        assert one.locator("details[open], button, textarea").count() == 0
