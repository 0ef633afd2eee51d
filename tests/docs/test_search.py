"""The index of the theme is taken apart: the entries of each language, as from its own base."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from docs import search


def _entry(location: str, **rest: str) -> dict[str, Any]:
    return {"location": location, "title": "t", "text": "<p>text</p>", **rest}


def test_entries_go_to_their_language_with_places_from_its_base() -> None:
    docs = [_entry(place) for place in ("", "autodiff/#a", "es/", "es/autodiff/#b", "estimate/")]
    found = search.by_language(docs)
    assert {k: [e["location"] for e in v] for k, v in found.items()} == {
        "en": ["", "autodiff/#a", "estimate/"],
        "es": ["", "autodiff/#b"],
    }


@pytest.mark.parametrize(
    ("anchor", "name"),
    [
        ("smolml_array.MLArray.sum", "MLArray.sum"),
        ("smolml_value.registry.Registry.register", "Registry.register"),
        ("smolml_value._showing.drawing.drawing.Drawing.save", "Drawing.save"),
        ("smolml_array.cumulative_sum", None),
        ("smolml_array.MLArray", None),
        ("a-heading", None),
    ],
)
def test_a_method_says_its_qualified_name(anchor: str, name: str | None) -> None:
    ((entry,), _) = search.by_language([_entry(f"reference/array/#{anchor}")]).values()
    assert entry["text"] == (f"<p>{name}</p>" if name else "") + "<p>text</p>"


def test_a_page_asks_below_its_language() -> None:
    config = '<script id="__config" type="application/json">{"annotate":null,"base": "../.."}'
    spanish, english = (
        SimpleNamespace(file=SimpleNamespace(dest_uri=place, src_uri=source))
        for place, source in (("es/a/index.html", "es/a.md"), ("a/index.html", "en/a.md"))
    )
    assert '"base": "../../es/"' in search.on_post_page(config, page=spanish, config=None)
    assert search.on_post_page(config, page=english, config=None) == config
    with pytest.raises(SystemExit, match="names no base"):
        search.on_post_page("<p/>", page=spanish, config=None)


def test_what_stands_in_for_a_page_is_in_no_index_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_untranslated", set())
    file = SimpleNamespace(dest_uri="es/design/index.html", src_uri="design.md")
    page = '<script id="__config" type="application/json">{"base": ".."}'
    search.on_post_page(page, page=SimpleNamespace(file=file), config=None)
    (tmp_path / "search").mkdir()
    (tmp_path / "sitemap.xml").write_text("<urlset/>")
    docs = [_entry(place) for place in ("design/", "es/design/", "es/design/#a", "es/")]
    whole = {"config": {"lang": ["en", "es"], "fields": {}}, "docs": docs}
    (tmp_path / search.INDEX).write_text(json.dumps(whole))
    search.on_post_build(SimpleNamespace(site_dir=str(tmp_path)))
    english, spanish = (
        json.loads((tmp_path / folder / search.INDEX).read_text("utf-8")) for folder in ("", "es")
    )
    assert [entry["location"] for entry in english["docs"]] == ["design/"]
    assert [entry["location"] for entry in spanish["docs"]] == [""]
    assert (english["config"]["lang"], spanish["config"]["lang"]) == (["en"], ["es"])
    assert (tmp_path / "es" / "sitemap.xml").exists()
