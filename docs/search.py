"""Each language searches its own pages: the theme has one index for all of them.

A page asks for the index below its `base`, and takes the places of what it finds from there; so
Spanish pages have the folder of their language as base, and an index in it. In the reference an
entry is found by its qualified name, too: `MLArray.sum`.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

INDEX = "search/search_index.json"
DEFAULT, OTHERS = "en", ("es",)  # the default's pages are at the root
SEPARATOR = r"[\s\-,:;!?()\[\]/]+"  # between words: not a dot, so that `MLArray.sum` is one
_untranslated: set[tuple[str, str]] = set()  # pages that stand in for those of a language
_BASE = re.compile(r'(<script id="__config" type="application/json">\{.*?"base": ")([^"]*)"')


def on_post_page(output: str, *, page: Any, config: Any) -> str:
    """Give a page of another language its own base."""
    language, _, place = page.file.dest_uri.partition("/")
    if language not in OTHERS:
        return output
    if not page.file.src_uri.startswith(f"{language}/"):
        _untranslated.add((language, place.removesuffix("index.html")))
    based, count = _BASE.subn(rf'\g<1>\g<2>/{language}/"', output, count=1)
    if count != 1:
        raise SystemExit(f"docs: {page.file.dest_uri}: the theme's page names no base for search")
    return based


def on_post_build(config: Any) -> None:
    """Take the index apart, when all languages are built."""
    site = Path(config.site_dir)
    whole = json.loads((site / INDEX).read_text("utf-8"))
    for language, docs in by_language(whole["docs"]).items():
        settings = whole["config"] | {"lang": [language], "separator": SEPARATOR}
        folder = site if language == DEFAULT else site / language
        (folder / INDEX).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"config": settings, "docs": docs}, ensure_ascii=False)
        (folder / INDEX).write_text(text, "utf-8")
        if folder != site:  # the theme looks for it there
            shutil.copyfile(site / "sitemap.xml", folder / "sitemap.xml")


on_post_build.mkdocs_priority = -200  # type: ignore[attr-defined]  # after the plugin of languages


def by_language(docs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The entries of each language, with places as they are from its base."""
    found: dict[str, list[dict[str, Any]]] = {DEFAULT: [], **{one: [] for one in OTHERS}}
    for entry in docs:
        language, _, place = entry["location"].partition("/")
        if language not in OTHERS:
            language, place = DEFAULT, entry["location"]
        if (language, place.partition("#")[0]) not in _untranslated:
            found[language].append(_named({**entry, "location": place}))
    return found


def _named(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the reference, which says its name as one writes it: `MLArray.sum`, not `sum`."""
    anchor = entry["location"].partition("#")[2]
    qualified = re.fullmatch(r"smolml\w*(?:\.[a-z_]\w*)*\.([A-Z]\w*\.\w+)", anchor)
    return (
        entry if qualified is None else {**entry, "text": f"<p>{qualified[1]}</p>{entry['text']}"}
    )
