"""What the build of the site makes of a page, without building it: exercises are written out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("smolml")

from docs import hooks
from smolml.learning import Exercise, exercises
from tests.docs.markdown import blocks


def built(markdown: str, language: str = "en") -> str:
    """The page as Markdown, after the hook."""
    source = f"{language}/exercises.md"
    file = SimpleNamespace(src_uri=source, abs_src_path=str(hooks.ROOT / "docs" / source))
    config = SimpleNamespace(docs_dir=str(hooks.ROOT / "docs"))
    return hooks.on_page_markdown(
        markdown, page=SimpleNamespace(file=file, meta={}), config=config, files=None
    )


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("one", exercises().values(), ids=lambda one: str(one.name))
def test_an_exercise_is_there_whole(one: Exercise, language: str) -> None:
    page = built(f"before\n\n{{exercise: {one.name}}}\n\nafter\n", language)
    assert page.startswith("before\n\n### ")
    assert page.endswith("</div>\n\nafter\n")
    title, anchor = page.splitlines()[2].removeprefix("### ").rsplit(" { #", 1)
    assert (title.replace("\\", ""), anchor) == (one.title[language], f"{one.name} }}")
    code = [block.text.strip() for block in blocks(page)]
    assert code == [one.start.strip(), one.solution.strip()]
    assert page.count('<details class="hint"') == len(one.hints)
    assert page.index('<details class="solution"') < page.index(one.solution.strip())


def test_words_are_text_and_only_code_is_marked_up() -> None:
    assert hooks._words("a < b & __mul__: `x *= <y>`\n") == (
        '<p class="words">a &lt; b &amp; __mul__: <code>x *= &lt;y&gt;</code></p>'
    )


def test_an_exercise_that_is_not_there_stops_the_build() -> None:
    with pytest.raises(SystemExit, match=r"no exercise is called 'produkt'; there are product, "):
        built("{exercise: produkt}")
    assert built("Write `{exercise: produkt}` there.") == "Write `{exercise: produkt}` there."
