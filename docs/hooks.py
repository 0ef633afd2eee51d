"""What the build of the site does to the pages: their drawings are made from their own code.

A `draw` block holds one Python expression with an `.svg` (or a text that is one), after the fence
stands the caption:

    ```draw The graph of y
    draw(y)
    ```

It is evaluated where it stands, after the blocks of Python above it; the names of
`docs/pictures.py` are there too, and `language`. The tests run the same blocks, and check what
they print. In the page a figure keeps its code, so that it can be drawn anew when a reader has
changed what stands above it: see `vendoring.py`, which puts Python into the site.
"""

from __future__ import annotations

import html
import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs import pictures, vendoring  # noqa: E402  # they need the path
from tests.docs.markdown import blocks, run  # noqa: E402  # this too

_DRAW = re.compile(r"^```draw[^\n]*\n.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
_PLACE = '<div class="drawing-{}"></div>'
_OUTSIDE = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)((?:\.\./)+[^)\s]+)\)")


def on_config(config: Any) -> Any:
    """Without Pyodide pages are what they are without JavaScript."""
    if not vendoring.wanted():
        config.extra_javascript.clear()
        config.extra_css[:] = [path for path in config.extra_css if path != "assets/run/run.css"]
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
    """Leave a place for each drawing, and of links to files that are not in docs/ the text."""
    ours = [block for block in blocks(markdown) if block.language in ("python", "draw")]
    captions = [block.info for block in ours if block.language == "draw"]
    if captions:
        pictures.language = "es" if page.file.src_uri.startswith("es/") else "en"
        svgs = run(markdown, page.file.src_uri, pictures).pictures
        codes = [block.text.strip() for block in ours if block.language == "draw"]
        page.meta["drawings"] = list(zip(captions, codes, svgs, strict=True))
        places = map(_PLACE.format, range(len(captions)))
        markdown = _DRAW.sub(lambda block: next(places), markdown)
    here = Path(page.file.abs_src_path).parent
    return _OUTSIDE.sub(lambda link: _inside_only(link, here, Path(config.docs_dir)), markdown)


def on_page_content(content: str, *, page: Any, config: Any, files: Any) -> str:
    """Put the drawings into their places."""
    for i, (caption, code, svg) in enumerate(page.meta.get("drawings", ())):
        label = html.escape(caption)
        figure = (
            f'<figure class="drawing" role="group" aria-label="{label}" data-search-exclude '
            f'data-code="{html.escape(code)}">{svg}<figcaption>{label}</figcaption></figure>'
        )
        content = content.replace(_PLACE.format(i), figure, 1)
    return content


def _inside_only(link: re.Match[str], here: Path, docs: Path) -> str:
    """The link if it leads to a page; else its text: the site has no page for other files."""
    target = (here / link[2].partition("#")[0]).resolve()
    return link[0] if target.is_relative_to(docs) else link[1]
