"""The extension of Markdown that has formulas set, in pages and in docstrings: see `mathml.py`."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from markdown import Extension
from markdown.blockprocessors import BlockProcessor
from markdown.inlinepatterns import InlineProcessor
from markdown.util import AtomicString

from docs.mathml import BLOCK, INLINE, mathml


class _Blocks(BlockProcessor):
    """Lines that begin with `> `: a formula each."""

    def test(self, parent: Any, block: str) -> bool:
        return re.search(f"^{BLOCK}", block, re.MULTILINE) is not None

    def run(self, parent: Any, blocks: list[str]) -> None:
        for line in blocks.pop(0).split("\n"):
            formula = re.match(BLOCK, line)
            if formula is None:
                self.parser.parseBlocks(parent, [line])
                continue
            paragraph = ElementTree.SubElement(parent, "p")
            xml = mathml(formula[1].strip(), block=True)
            html = f'<div class="formula" data-search-exclude>{xml}</div>'
            paragraph.text = AtomicString(self.parser.md.htmlStash.store(html))


class _Inline(InlineProcessor):
    """A formula between dollars."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:
        return self.md.htmlStash.store(mathml(m[1])), m.start(0), m.end(0)


class Formulas(Extension):
    """The extension of Markdown that sets formulas."""

    def extendMarkdown(self, md: Any) -> None:
        md.parser.blockprocessors.deregister("quote")
        md.parser.blockprocessors.register(_Blocks(md.parser), "formulas", 20)
        md.inlinePatterns.register(_Inline(INLINE, md), "formula", 185)  # code comes before it


def makeExtension(**config: Any) -> Formulas:
    """What Markdown asks a module for."""
    return Formulas(**config)
