"""Every page as a screen reader, a phone and a dark room meet it: nothing keeps a reader out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from docs import vendoring
from tests.site.conftest import PHONE, Open, built

# What axe finds serious: the rule, how often, and the first place with what is said of it.
_SERIOUS = """async (rules) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...rules });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => [id, nodes.length, nodes[0].html, nodes[0].failureSummary]);
}"""

# Programs have many coloured words: one of each colour is enough to look at.
_FEWER_WORDS = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll("code span[class]:not(:has(*))")) {
    if (seen.has(word.className)) word.replaceWith(word.textContent);
    seen.add(word.className);
  }
}"""

# Text that cannot be seen whole, nor be scrolled to: something that hides what sticks out cuts it.
_CUT = """() => {
  const cut = [];
  const all = document.querySelector("main").parentElement; // and what is at the foot
  const walker = document.createTreeWalker(all, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const shown = text.parentElement.checkVisibility({ visibilityProperty: true });
    if (!text.data.trim() || !shown) continue;
    range.selectNodeContents(text);
    const { left, right, width } = range.getBoundingClientRect();
    if (!width || right < 0) continue; // drawers wait outside, on the left
    for (let box = text.parentElement; box; box = box.parentElement) {
      const how = getComputedStyle(box).overflowX;
      if (["auto", "scroll"].includes(how) && box !== document.documentElement) break;
      const edges = box.getBoundingClientRect();
      const hides = ["hidden", "clip"].includes(how) || box === document.documentElement;
      if (hides && (left < edges.left - 1.5 || right > edges.right + 1.5)) {
        cut.push(text.data.trim().slice(0, 60));
        break;
      }
    }
  }
  return cut;
}"""


def _pages() -> list[str]:
    """The addresses of all pages of the built site."""
    found = (path.relative_to(built()) for path in sorted(built().rglob("*.html")))
    return [str(path).removesuffix("index.html") for path in found]


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, as a script."""
    return vendoring.files(vendoring.AXE, "axe.min.js")["axe.min.js"].decode()


@pytest.fixture
def opened(request: pytest.FixtureRequest, axe: str, open_page: Open) -> Iterator[Any]:
    """The page of a test, with axe in it."""
    page = open_page(request.param, color_scheme="light", reduced_motion="reduce")
    page.evaluate(_FEWER_WORDS)
    page.evaluate(axe)
    yield page
    page.close()


@pytest.mark.parametrize("opened", _pages(), indirect=True)
def test_no_page_has_a_serious_fault(opened: Any) -> None:
    page = opened
    faults = {"light": page.evaluate(_SERIOUS, {})}
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.body.dataset.mdColorScheme === 'slate'")
    faults["dark"] = page.evaluate(_SERIOUS, {"runOnly": ["color-contrast"]})
    page.set_viewport_size(PHONE)  # what is narrow scrolls, and the menu is folded
    narrow = ["scrollable-region-focusable", "aria-hidden-focus", "button-name", "link-name"]
    for _ in range(20):  # scripts give what scrolls to the keys, a little later
        faults["phone"] = page.evaluate(_SERIOUS, {"runOnly": narrow})
        if not faults["phone"]:
            break
        page.wait_for_timeout(100)
    assert faults == {"light": [], "dark": [], "phone": []}
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(_CUT) == []


@pytest.mark.parametrize(
    ("markup", "rule"),
    [
        ('<main><img src="x.svg"></main>', "image-alt"),
        ('<main style="color: #999">pale</main>', "color-contrast"),
    ],
)
def test_axe_finds_faults_that_are_planted(markup: str, rule: str, axe: str, browser: Any) -> None:
    page = browser.new_page()
    page.set_content(f'<html lang="en"><title>t</title><h1>h</h1>{markup}</html>')
    page.evaluate(axe)
    assert rule in [found for found, *_ in page.evaluate(_SERIOUS, {})]
    page.close()


def test_text_that_is_cut_off_is_found(browser: Any) -> None:
    page = browser.new_page(viewport=PHONE)
    wide = '<p style="white-space: nowrap; width: 90px; overflow-x: {}">so and so many words</p>'
    page.set_content(f"<main>{wide.format('auto')}{wide.format('hidden')}</main>")
    assert page.evaluate(_CUT) == ["so and so many words"]
    page.set_content(
        '<main><svg width="80" height="40"><text y="20">a long label</text></svg></main>'
    )
    assert page.evaluate(_CUT) == ["a long label"]
    page.close()
