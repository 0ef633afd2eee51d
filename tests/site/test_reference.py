"""The reference of the built site has every public function and method, with its words."""

from __future__ import annotations

import re

import pytest

from tests.site.conftest import ROOT, built
from tests.site.test_site import LANGUAGES

PAGES = {"smolml_value": "value", "smolml_array": "array", "smolml_utils": "utils"}


def _public(package: str) -> set[str]:
    """The public functions, and the methods of Value and MLArray, as `Owner.name` or `name`."""
    listing = (ROOT / "tests" / "architecture" / "public" / f"{package}.txt").read_text("utf-8")
    found = re.findall(rf"^{package}\.((?:(?:Value|MLArray)\.)?[a-z]\w*)\(", listing, re.MULTILINE)
    return {name for name in found if not name.startswith("_")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("package", PAGES)
def test_every_public_function_is_there_with_its_words(package: str, language: str) -> None:
    folder = built() / LANGUAGES[language] / "reference"
    text = (folder / PAGES[package] / "index.html").read_text("utf-8")
    parts = re.split(r'<h\d id="([\w.]+)" class="doc doc-heading">', text)
    words = dict(zip(parts[1::2], parts[2::2], strict=True))
    shown = {
        ".".join(name.split(".")[-2:]) if name.split(".")[-2][:1].isupper() else name.split(".")[-1]
        for name, rest in words.items()
        if "<p>" in rest.partition('<div class="doc doc-contents')[2].partition("<h")[0]
    }
    public = _public(package)
    assert len(public) > 30
    assert sorted(public - shown) == []
