"""Pages in a browser: blocks run to what they state, drawings play, nothing is cut off."""

from __future__ import annotations

import doctest
import json
import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import Block, blocks
from tests.site.conftest import PHONE, ROOT, Open

LANGUAGES = {"en": "", "es": "es/"}
# What blocks of the guides need and pages lack.
LACKING = ("numpy", "scipy", "safetensors", "threading")
OUTPUT = ".smol-output:not(.exercise *, figure *)"  # of blocks: exercises and rates have their own
WAIT = 150_000  # milliseconds: machines may be slow


def _guides() -> list[str]:
    """The pages with blocks of Python."""
    folder = ROOT / "docs" / "en"
    return [
        page.stem
        for page in sorted(folder.glob("*.md"))
        if page.stem != "playground" and any(b.language == "python" for b in _blocks(page))
    ]


def _blocks(path: Path) -> list[Block]:
    return [
        b
        for b in blocks(path.read_text("utf-8"))
        if b.language in ("python", "output") and ".program" not in b.info
    ]


def _stated(path: Path) -> list[tuple[str, str]]:
    """Each block of Python with the output that the page states."""
    found = _blocks(path)
    stated = []
    for block, after in zip_longest(found, found[1:]):
        if block.language != "python":
            continue
        text = after.text if after is not None and after.language == "output" else ""
        if block.text.startswith(">>>"):
            examples = doctest.DocTestParser().get_examples(block.text)
            text = "".join(example.want for example in examples)
        stated.append((block.text, text.rstrip()))
    return stated


def _path(guide: str, language: str) -> str:
    return LANGUAGES[language] + ("" if guide == "index" else f"{guide}/")


def _idle(page: Any) -> None:
    page.wait_for_function("window.smolPage.running === null", timeout=WAIT)


def _run(page: Any, block: int) -> str:
    """Run a block of a page; what stands under it then."""
    page.locator(".smol-run").nth(block).click()
    _idle(page)
    return _output(page, block)


def _output(page: Any, block: int) -> str:
    return str(page.locator(OUTPUT).nth(block).evaluate("e => e.textContent")).rstrip()


@pytest.mark.parametrize("guide", _guides())
def test_every_block_runs_to_what_the_page_states(guide: str, open_page: Open) -> None:
    pages = {language: open_page(_path(guide, language)) for language in LANGUAGES}
    for page in pages.values():  # both at once
        page.locator(".smol-run").last.click()
    for language, page in pages.items():
        _idle(page)
        stated = _stated(ROOT / "docs" / language / f"{guide}.md")
        assert page.locator(".smol-run").count() == len(stated) > 0
        missing = ""
        for i, (code, text) in enumerate(stated):
            shown = _output(page, i)
            if (needs := page.locator(OUTPUT).nth(i).locator(".smol-needs")).count():
                named = [name for name in LACKING if re.search(rf"\b{name}\b", code)]
                missing = named[0] if named else missing
                assert missing
                assert missing in needs.inner_text()
            else:
                assert (i, shown) == (i, text), f"{language}/{guide}"
        page.close()


@pytest.fixture(scope="module")
def guide(open_page: Open) -> Any:
    """One page for several tests, since it is loading Python that takes time."""
    return open_page("autodiff/")


@pytest.fixture(scope="module")
def playground(open_page: Open) -> Any:
    """The same of the playground."""
    return open_page("es/playground/")


def test_a_block_sees_those_above_and_the_drawing_follows(guide: Any) -> None:
    page = guide
    editor = page.locator(".smol-editor textarea").nth(3)
    drawing = page.locator("figure.drawing").nth(1)
    assert "10" in drawing.locator("[data-node='0']").text_content()
    editor.fill(editor.input_value().replace("Value(2.0", "Value(5.0"))
    assert _run(page, 4) == "* True\n+ True\n'' set()"  # its `d` is that of the block above
    assert _output(page, 3) == "19.0\n3.0 5.0 1.0"
    assert "19" in drawing.locator("[data-node='0']").text_content()
    assert page.locator(".language-output").nth(3).is_hidden()
    page.locator(".smol-reset").nth(3).click()
    assert "Value(2.0" in editor.input_value()
    assert page.locator(".language-output").nth(3).is_visible()
    # What is edited above is run anew before what stands below.
    assert _run(page, 3) == "10.0\n3.0 2.0 1.0"


def test_errors_are_readable_and_results_are_shown(guide: Any) -> None:
    page = guide
    editor = page.locator(".smol-editor textarea").first
    editor.fill("from smolml import MLArray\nMLArray([[1.0, 2.0], [3.0]])")
    assert _run(page, 0) == (
        "ShapeError: MLArray: ragged nested list: [1] has length 1, but [0] has length 2\n"
        "  line 2: MLArray([[1.0, 2.0], [3.0]])"
    )
    _run(page, 1)
    assert page.locator(".smol-status").nth(1).inner_text() == "A block above has an error."
    editor.fill(
        "from smolml import Value, draw, explain\nx = Value(3.0)\ny = x * x\n"
        "y.backward()\ndraw(y, steps=True, names=locals())"
    )
    _run(page, 0)
    output = page.locator(".smol-output").first
    assert output.locator("svg [data-node]").count() == 2
    assert output.locator(".smol-steps button").count() == 4
    editor.fill(editor.input_value() + "\nexplain(y)")
    _run(page, 0)
    assert "v1.grad" in output.locator("table.smolml-explanation").inner_text()
    editor.fill("'<svg><script>window.harm = 1</script><g onload=\"window.harm = 1\"/></svg>'")
    _run(page, 0)
    assert "script" not in output.inner_html()
    assert "onload" not in output.inner_html()


def test_keys_run_indent_and_leave(guide: Any) -> None:
    page = guide
    editor = page.locator(".smol-editor textarea").first
    editor.fill("")
    editor.press_sequentially("for i in range(2):\nprint(i)")
    assert editor.input_value() == "for i in range(2):\n    print(i)"
    editor.press("Control+Enter")
    _idle(page)
    assert _output(page, 0) == "0\n1"
    editor.press("Escape")
    editor.press("Tab")
    assert editor.input_value().endswith("print(i)")
    assert page.evaluate("document.activeElement.tagName") != "TEXTAREA"


PAGES = ["playground/", "autodiff/", "arrays/", "es/playground/", "es/training/"]  # with drawings


def test_stop_ends_an_endless_loop(guide: Any) -> None:
    page = guide
    editor = page.locator(".smol-editor textarea").first
    editor.fill("print('before')\nwhile True:\n    pass")
    page.locator(".smol-run").first.click()
    page.wait_for_function(
        "document.querySelector('.smol-status').textContent === 'Running…'", timeout=WAIT
    )
    page.wait_for_timeout(300)
    page.locator(".smol-stop").first.click()
    _idle(page)
    assert "Stopped" in page.locator(".smol-status").first.inner_text()
    editor.fill("print(6 * 7)")
    assert _run(page, 0) == "42"
    editor.fill("while True:\n    print('x' * 1000)")
    assert "more than 200,000 characters" in _run(page, 0)


def _grads(drawing: Any) -> dict[str, str]:
    """What the boxes say of gradients, by their titles or numbers."""
    found: dict[str, str] = drawing.evaluate(
        """svg => Object.fromEntries([...svg.querySelectorAll("[data-node]")].map((box) => {
          const texts = [...box.querySelectorAll("text")].map((text) => text.textContent);
          return [box.dataset.node, texts.slice(texts.indexOf("grad") + 1).join("\\n").trim()];
        }))"""
    )
    return found


def _lands(svg: Any, step: dict[str, Any]) -> str:
    """In which box the amount of a step lands."""
    if "edge" not in step:
        return str(step["node"])
    return str(svg.locator(f"[data-edge='{step['edge']}']").get_attribute("data-from"))


@pytest.mark.parametrize("path", ["autodiff/", "es/autodiff/", "arrays/", "training/"])
def test_the_animation_ends_in_the_gradients_of_backward(path: str, open_page: Open) -> None:
    page = open_page(path, reduced_motion="reduce")
    figures = page.locator("figure.drawing:has(svg[data-steps])")
    assert figures.count() > 0
    for i in range(figures.count()):
        figure = figures.nth(i)
        svg, buttons = figure.locator("svg"), figure.locator(".smol-buttons button")
        drawn = _grads(svg)  # after backward()
        steps = json.loads(svg.get_attribute("data-steps"))
        buttons.nth(2).click()
        assert set(_grads(svg).values()) == {"0"}
        for step in steps:
            buttons.nth(2).click()
            if step.get("more"):
                assert step["more"] in figure.locator(".smol-sentence").inner_text()
                label = figure.locator(".smol-factor text").text_content()
                assert step["factor"].startswith(label.rstrip("…"))
                assert svg.locator("[data-edge].smol-active").count() == 1
        assert buttons.nth(2).is_disabled()
        if "autodiff" in path:  # the others are drawn before backward(), or after two of them
            assert _grads(svg) == drawn
        ends = {_lands(svg, s): s["grad"] for s in steps if "grad" in s}
        assert _grads(svg) == {node: ends.get(node, "0") for node in drawn}
        buttons.nth(1).click()  # back
        assert buttons.nth(2).is_enabled()
        buttons.nth(0).click()  # as it was drawn
        assert _grads(svg) == drawn
    if "es/" in path:
        assert "Empezar por el final" in json.dumps(steps, ensure_ascii=False)


def test_play_goes_on_by_itself_and_stops_at_the_end(open_page: Open) -> None:
    page = open_page("playground/")
    buttons = page.locator(".smol-drawing .smol-buttons button")
    buttons.nth(3).click()
    assert buttons.nth(3).inner_text() == "Pause"
    page.wait_for_function("document.querySelector('.smol-sentence').textContent.startsWith('1.')")
    buttons.nth(3).click()
    assert buttons.nth(3).inner_text() == "Play"
    for _ in range(6):
        buttons.nth(2).click()
    buttons.nth(3).click()
    page.wait_for_function(
        "[...document.querySelectorAll('.smol-drawing button')].at(-1).textContent === 'Play'"
    )
    assert buttons.nth(2).is_disabled()


def _play(page: Any) -> None:
    page.locator(".smol-run").click()
    _rest(page)


def _rest(page: Any) -> None:
    page.wait_for_function("!window.smolPlayground.busy", timeout=WAIT)


def test_sliders_move_and_the_drawing_follows(playground: Any) -> None:
    page = playground
    _play(page)
    sliders = page.locator(".smol-sliders input")
    assert sliders.count() == 3
    sliders.first.fill("-2.5")
    _rest(page)
    sliders.nth(1).fill("1.5")
    _rest(page)
    assert 'Value(-2.5, "a"), Value(1.5, "b")' in page.locator("textarea").input_value()
    svg = page.locator(".smol-drawing svg")
    assert "0.25" in svg.locator("[data-node='0']").text_content()  # -2.5 * 1.5 + 4
    assert _grads(svg) == {"0": "1", "1": "1", "2": "1", "3": "1.5", "4": "−2.5"}


def test_every_program_of_the_playground_runs(playground: Any) -> None:
    page = playground
    count = page.locator(".smol-play select option").count()
    assert count >= 6
    for i in range(count):
        page.locator(".smol-play select").select_option(index=i)
        before = page.locator(".smol-drawing svg text").all_text_contents()
        _play(page)
        assert page.locator(".smol-output").is_hidden(), page.locator(".smol-output").inner_text()
        # What the page drew when it was built is what is drawn here.
        assert page.locator(".smol-drawing svg text").all_text_contents() == before
        assert page.locator(".smol-sliders input").count() > 0


def test_a_link_carries_the_program(playground: Any, open_page: Open) -> None:
    program = (
        "from smolml import Value\n\nñ = Value(2.0)\nprint('¡hola! ∂')\ny = ñ ** 3\ny.backward()"
    )
    page = playground
    page.locator("textarea").fill(program)
    page.locator(".smol-share").click()
    page.wait_for_function("location.hash.startsWith('#code=')")
    link = page.url.rpartition("/")[2]
    other = open_page(f"playground/{link}")
    other.wait_for_function("window.smolPlayground.editor.text.includes('hola')")
    assert other.locator("textarea").input_value() == program
    assert other.locator(".smol-output").is_hidden()  # nothing runs until it is asked for
    _play(other)
    assert other.locator(".smol-output").inner_text().strip() == "¡hola! ∂"
    assert "12" in other.locator(".smol-drawing svg").text_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_off(path: str, scheme: Any, open_page: Open) -> None:
    page = open_page(path, viewport=PHONE, color_scheme=scheme)
    page.locator(".smol-bar").first.wait_for()
    step = page.locator(".smol-buttons button").nth(2)
    for _ in range(4):
        step.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    cut = page.evaluate(
        """[...document.querySelectorAll(
          ".smol-bar button, .smol-buttons button, .smol-sentence, select")]
          .filter((e) => !e.hidden && e.scrollWidth > e.clientWidth + 1)
          .map((e) => e.textContent)"""
    )
    assert cut == []
    out_of_box = page.evaluate(
        """[...document.querySelectorAll("[data-node] > text")].filter((text) => {
          const rect = text.parentElement.querySelector("rect");
          const [inner, outer] = [text.getBBox(), rect.getBBox()];
          return inner.x < outer.x || inner.x + inner.width > outer.x + outer.width + 1;
        }).map((text) => text.textContent)"""
    )
    assert out_of_box == []
    pale = page.evaluate(_PALE)
    assert pale == []
    page.close()


_PALE = """() => {
  const parts = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    const own = parts(getComputedStyle(e).backgroundColor);
    return own.length < 4 || own[3] === 1 || !e.parentElement ? own : ground(e.parentElement);
  };
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((c, i) => a * c + (1 - a) * under[i]);
  return [...document.querySelectorAll(
    ".smol-bar button:enabled, .smol-buttons button:enabled, .smol-status, .smol-number, " +
    ".smol-sentence, .smol-wrong, .smol-right, .smol-solved, .smol-count")]
    .filter((e) => !e.hidden && e.textContent).map((e) => {
      const under = ground(e);
      const [x, y] = [light(over(parts(getComputedStyle(e).color), under)), light(under)];
      return [e.className, (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)];
    }).filter(([, ratio]) => ratio < 4.5);
}"""


def test_without_scripts_the_page_is_what_it_was(open_page: Open) -> None:
    page = open_page("autodiff/", java_script_enabled=False)
    assert page.locator(".smol-bar, textarea.smol-editor").count() == 0
    assert page.locator(".language-output").first.is_visible()
    page = open_page("playground/", java_script_enabled=False)
    assert "JavaScript" in page.locator("#smol-playground").inner_text()
    assert page.locator("figure.drawing svg").count() >= 6
