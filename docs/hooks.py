"""What the build of the site does to the pages: their drawings are made from their own code.

A `draw` block holds one Python expression with an `.svg` (or a text that is one), after the fence
stands the caption:

    ```draw The graph of y
    draw(y)
    ```

It is evaluated where it stands, after the blocks of Python above it; the names of
`docs/pictures.py` are there too, and `language`. The tests run the same blocks, and check what
they print. In the page a figure keeps its code, so that it can be drawn anew when a reader has
changed what stands above it, and with sliders for what is given as `rate=` in it: see
`vendoring.py`, which puts Python into the site, and `session.py`, which runs there.

A line `{exercise: product}` becomes that exercise of `smolml.learning`: what is to be done, the
code to begin with, hints and the solution. assets/run/exercises.js has it judged in the page.

A page with blocks of Python has the place #slides, at which assets/site.css shows it as slides.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs import pictures, vendoring  # noqa: E402  # they need the path
from docs.session import sliders  # noqa: E402
from smolml.learning import exercises  # noqa: E402
from tests.docs.markdown import blocks, run  # noqa: E402  # this too

_DRAW = re.compile(r"^```draw[^\n]*\n.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
_EXERCISE = re.compile(r"^\{exercise: (.*)\}$", re.MULTILINE)
_TITLE = re.compile(r"^# .*\n", re.MULTILINE)
_WORDS = {"en": ("Hint", "Solution"), "es": ("Pista", "Solución")}
_WHOLE = {"en": "The whole page", "es": "La página entera"}
_CELL = re.compile(r"(<td>(?:<a[^>]*>)?<code>)([^<]*)")
_BREAK = re.compile(r"(?<=[\w)])[/_(,](?=\w)")  # inside a long name, after one of these
_TOLD = '<div class="language-output{} highlight"><pre><span></span><code><span class="go">1. '
_STEPS = (_TOLD.format(""), _TOLD.format(" steps"))  # sentences: their lines may be broken
_PLACE = '<div class="drawing-{}"></div>'
_OUTSIDE = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)((?:\.\./)+[^)\s]+)\)")


def on_config(config: Any) -> Any:
    """Have formulas set; without Pyodide pages are what they are without JavaScript."""
    if "docs.formulas" not in config.markdown_extensions:  # here, since it is found from here on
        config.markdown_extensions.append("docs.formulas")
    if not vendoring.wanted():
        for extra in (config.extra_javascript, config.extra_css):
            extra[:] = [one for one in extra if not str(one).startswith("assets/run/")]
    return config


def on_post_build(config: Any) -> None:
    """Put Pyodide, our wheels and what runs in the page beside the scripts."""
    folder = Path(config.site_dir) / "assets" / "run"
    if not vendoring.wanted():
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        vendoring.put_into(folder)
    except vendoring.VendoringError as error:
        raise SystemExit(str(error)) from error


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Leave a place for each drawing, and of links to files that are not in docs/ the text.

    Exercises are written out, and what has blocks can be seen as slides.
    """
    language = "es" if page.file.src_uri.startswith("es/") else "en"
    ours = [block for block in blocks(markdown) if block.language in ("python", "draw")]
    captions = [block.info for block in ours if block.language == "draw"]
    if captions:
        pictures.language = language
        svgs = run(markdown, page.file.src_uri, pictures).pictures
        codes = [block.text.strip() for block in ours if block.language == "draw"]
        page.meta["drawings"] = list(zip(captions, codes, svgs, strict=True))
        places = map(_PLACE.format, range(len(captions)))
        markdown = _DRAW.sub(lambda block: next(places), markdown)
    if any(block.language == "python" for block in ours):
        back = f'\n<p class="slides"><a id="slides" href="#">{_WHOLE[language]}</a></p>\n'
        markdown = _TITLE.sub(lambda title: title[0] + back, markdown, count=1)
    markdown = _EXERCISE.sub(lambda marker: _written_out(marker[1], language), markdown)
    here = Path(page.file.abs_src_path).parent
    return _OUTSIDE.sub(lambda link: _inside_only(link, here, Path(config.docs_dir)), markdown)


def on_page_content(content: str, *, page: Any, config: Any, files: Any) -> str:
    """Put the drawings into their places, and let narrow screens break lines where they may."""
    for i, (caption, code, svg) in enumerate(page.meta.get("drawings", ())):
        label = html.escape(caption)
        data = f'data-code="{html.escape(code)}"'
        if moved := sliders(code):
            data += f' data-sliders="{html.escape(json.dumps(moved))}"'
        figure = (
            f'<figure class="drawing" role="group" aria-label="{label}" data-search-exclude {data}>'
            f"{_call(code)}{svg}<figcaption>{label}</figcaption></figure>"
        )
        content = content.replace(_PLACE.format(i), figure, 1)
    content = _CELL.sub(lambda cell: cell[1] + _BREAK.sub(r"\g<0><wbr>", cell[2]), content)
    return content.replace(*_STEPS)


def _call(code: str) -> str:
    """The call that makes a drawing of a graph, as a reader would write it."""
    if not code.startswith("draw("):  # of docs/pictures.py, which readers do not have
        return ""
    line = " ".join(code.replace(",\n)", ")").split()).replace("( ", "(")
    return f"<code>{html.escape(re.sub('(, steps=True)?, language=language', '', line))}</code>"


def _written_out(name: str, language: str) -> str:
    """An exercise as Markdown: all of it, so that it is there without scripts, too."""
    if name not in exercises():
        raise SystemExit(
            f"docs: no exercise is called {name!r}; there are {', '.join(exercises())}"
        )
    one, (hint, solution) = exercises()[name], _WORDS[language]
    title = re.sub(r"[*_`]", r"\\\g<0>", one.title[language])
    hints = [
        _folded("hint", f"{hint} {i}", _words(h[language])) for i, h in enumerate(one.hints, 1)
    ]
    parts = [
        f"### {title} {{ #{name} }}",
        f'<div class="exercise" data-exercise="{name}" markdown="1">',
        _words(one.text[language]),
        _code(one.start),
        *hints,
        _folded("solution", solution, _code(one.solution)),
        "</div>",
    ]
    return "\n\n".join(parts)


def _words(text: str) -> str:
    """Plain text, in which only `code` is marked up."""
    marked = re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text.strip()))
    return f'<p class="words">{marked}</p>'


def _code(text: str) -> str:
    return f"```python\n{text.strip()}\n```"


def _folded(kind: str, summary: str, content: str) -> str:
    opened = f'<details class="{kind}" data-search-exclude markdown="1">'
    return f"{opened}\n<summary>{summary}</summary>\n\n{content}\n\n</details>"


def _inside_only(link: re.Match[str], here: Path, docs: Path) -> str:
    """The link if it leads to a page; else its text: the site has no page for other files."""
    target = (here / link[2].partition("#")[0]).resolve()
    return link[0] if target.is_relative_to(docs) else link[1]
