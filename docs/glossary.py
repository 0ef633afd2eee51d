"""Words of the glossary show their meaning on every other page of their language.

The glossary's tables have the words; those in bold become abbreviations in the sense of Markdown,
whose meaning a browser shows when the pointer rests on them.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

PAGE = "glossary.md"
_ROW = re.compile(r"^\| \*\*([^*|]+)\*\*[^|]*\| ([^|]+) \|$", re.MULTILINE)


@cache
def words(page: Path) -> dict[str, str]:
    """The words in bold of a glossary, and what each means, as plain text."""
    found = _ROW.findall(page.read_text(encoding="utf-8"))
    return {word: re.sub(r"[`*$]", "", meaning) for word, meaning in found}


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Append the words of the language that the page is in; the glossary itself needs none."""
    source = Path(page.file.abs_src_path)
    glossary = Path(config.docs_dir, source.relative_to(config.docs_dir).parts[0], PAGE)
    if source.name == PAGE or not glossary.exists():
        return markdown
    lines = (f"*[{word}]: {meaning}" for word, meaning in words(glossary).items())
    return markdown + "\n\n" + "\n".join(lines) + "\n"
