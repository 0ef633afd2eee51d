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


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("draw(y, steps=True, language=language)", "<code>draw(y)</code>"),
        (
            "draw(\n    y,\n    names=dict(a=a),\n    steps=True,\n    language=language,\n)",
            "<code>draw(y, names=dict(a=a))</code>",
        ),
        (
            'draw(y, names={"x": x}, language=language)',
            "<code>draw(y, names={&quot;x&quot;: x})</code>",
        ),
        ("cells(x)", ""),
    ],
)
def test_the_call_of_a_drawing_stands_above_it(code: str, call: str) -> None:
    page = SimpleNamespace(meta={"drawings": [("A caption", code, "<svg/>")]})
    built = hooks.on_page_content(
        '<p>before</p><div class="drawing-0"></div>', page=page, config=None, files=None
    )
    assert f">{call}<svg/><figcaption>A caption</figcaption></figure>" in built


def test_narrow_screens_may_break_names_and_sentences() -> None:
    steps = (
        '<div class="language-output highlight"><pre><span></span><code><span class="go">1. Start'
    )
    content = f"<td><code>smolml_value/_ops/op.py</code></td><p><code>a_b</code></p>{steps}"
    built = hooks.on_page_content(content, page=SimpleNamespace(meta={}), config=None, files=None)
    assert "<code>smolml_<wbr>value/<wbr>_ops/<wbr>op.py</code>" in built
    assert "<code>a_b</code>" in built
    assert 'class="language-output steps highlight"' in built
