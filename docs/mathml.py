"""Formulas as they are written in the guides and in docstrings, set as MathML.

They are written to be read as they stand, in a terminal, an editor or on GitHub: `Σⱼ exp(sⱼ) / n`,
`m / (1 - b1**t)`. Precedence is Python's, but that what stands side by side is a product, which
binds more closely than `/`. Marks of a formula are a line that begins with `> `, or dollars around
it: `$1 / (1 + exp(-x))$`; `formulas.py` finds them.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final, NamedTuple

BLOCK: Final = r" {0,3}> (.*)"  # a line of Markdown that is a formula
INLINE: Final = r"(?<![\\$\w])\$(?=\S)([^$\n]+?)(?<=\S)\$(?!\w)"  # one in a line

_RAISED: Final = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵏⁿᵗ", "0123456789+−Tknt", strict=True))
_LOWERED: Final = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ᵢⱼₖₙₜ", "0123456789+−ijknt", strict=True))
_GREEK: Final = {
    "alpha": "α", "beta": "β", "delta": "δ", "epsilon": "ε", "eta": "η", "pi": "π", "Phi": "Φ",
}  # fmt: skip
_SIGNS: Final = {"+": "+", "-": "−", "−": "−", "±": "±"}
_PRODUCTS: Final = {"·": "·", "*": "·", "×": "×", "@": "\u2062", "/": "/"}
_RELATIONS: Final = {
    "=": "=", "<-": "←", "←": "←", "->": "→", "<": "<", ">": ">", "<=": "≤", ">=": "≥", "≤": "≤",
    "≥": "≥", "!=": "≠", "≈": "≈", "∈": "∈", ",": ",", ";": ";",
}  # fmt: skip
# Words between formulas, not names in one.
_BETWEEN: Final = frozenset({"con", "else", "for", "if", "para", "si", "where", "with"})
_OPEN, _CLOSE = "([", ")]"
_SYMBOLS: Final = ("∂", "∞", "∇", "...", "…")
_WORD: Final = rf"[^\W\d_{''.join(_RAISED)}{''.join(_LOWERED)}]"
_TOKEN: Final = re.compile(
    rf"(?P<number>\d+(?:\.\d+)?(?:e[-+]?\d+)?)|(?P<word>{_WORD}+(?:_?(?:{_WORD}|[0-9])+)*)"
    rf"|(?P<raised>[{''.join(_RAISED)}]+)|(?P<lowered>[{''.join(_LOWERED)}]+)"
    r"|(?P<mark>\*\*|<-|->|<=|>=|!=|\.\.\.|\S)"
)


class FormulaError(ValueError):
    """Something that is no formula."""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Part(NamedTuple):
    """A part of a formula: its MathML, and the same without its brackets where it has some."""

    xml: str
    bare: str
    spaced: bool = False  # a word: it needs room to what stands beside it


def mathml(formula: str, *, block: bool = False) -> str:
    """A formula as a `<math>` element, which carries its text as it was written.

    Raises:
        FormulaError: it cannot be read, and where.

    >>> mathml("b1")
    '<math alttext="b1"><msub><mi>b</mi><mn>1</mn></msub></math>'
    """
    content = _Reader(formula).whole()
    display = ' display="block"' if block else ""
    return f'<math{display} alttext="{escape(formula)}">{content}</math>'


class _Reader:
    """Reads a formula from left to right, one method for each level of precedence."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.tokens = [_Token(m.lastgroup or "", m[0], m.start()) for m in _TOKEN.finditer(formula)]
        self.next = 0
        self.bars = 0  # how many |...| are open

    def whole(self) -> str:
        content = self._list()
        if self._peek() is not None:
            self._fail("an operator or the end")
        return content

    def _peek(self, ahead: int = 0) -> _Token | None:
        at = self.next + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def _taken(self, *texts: str) -> str | None:
        """The next token, passed over, if it is one of these."""
        token = self._peek()
        if token is None or token.text not in texts:
            return None
        self.next += 1
        return token.text

    def _gap(self) -> int:
        """How many spaces there are before the next token."""
        before, token = self.tokens[self.next - 1], self._peek()
        return token.at - before.at - len(before.text) if token else 0

    def _fail(self, expected: str) -> None:
        token = self._peek()
        found = f"{token.text!r} at column {token.at + 1}" if token else "the end"
        raise FormulaError(f"formula {self.formula!r}: expected {expected}, got {found}")

    def _list(self) -> str:
        """Sums, with relations, commas and words between them."""
        parts = [self._sum()]
        while (between := self._taken(*_RELATIONS, *_BETWEEN)) is not None:
            if between in _BETWEEN:
                parts.append(f"<mtext>&#160;{between}&#160;</mtext>")
            else:
                parts.append(f"<mo>{escape(_RELATIONS[between])}</mo>")
                if between == "," and self._gap() > 1:  # one formula after another
                    parts.append('<mspace width="1em"/>')
            follows = self._peek()
            if follows is None or follows.text not in _BETWEEN:  # as in ", with"
                parts.append(self._sum())
        return "".join(parts)

    def _sum(self) -> str:
        parts: list[str] = []
        while True:
            if (sign := self._taken(*_SIGNS)) is not None:
                form = "infix" if parts else "prefix"
                parts.append(f'<mo form="{form}">{_SIGNS[sign]}</mo>')
            parts.append(self._product().xml)
            follows = self._peek()
            if follows is None or follows.text not in _SIGNS:
                return "".join(parts)

    def _product(self) -> _Part:
        """Factors and quotients: a · b / c is a · (b / c), and a / b / c is (a / b) / c."""
        before, last = "", self._side_by_side()
        while (sign := self._taken(*_PRODUCTS)) is not None:
            minus = '<mo form="prefix">−</mo>' if self._taken("-", "−") else ""
            right = self._side_by_side()
            if sign == "/":
                xml = f"<mfrac>{_row(last.bare)}{_row(minus + right.bare)}</mfrac>"
                last = _Part(xml, xml)
            else:
                before += f"{last.xml}<mo>{_PRODUCTS[sign]}</mo>{minus}"
                last = right
        return _Part(before + last.xml, before + last.xml if before else last.bare)

    def _side_by_side(self) -> _Part:
        parts = [self._power()]
        while self._begins_part():
            apart = self._gap() > 0
            parts.append(self._power())
            if apart and (parts[-1].spaced or parts[-2].spaced):
                parts.insert(-1, _GAP)
        xml = "".join(part.xml for part in parts)
        return parts[0] if len(parts) == 1 else _Part(xml, xml)

    def _begins_part(self) -> bool:
        token = self._peek()
        if token is None or token.text in _BETWEEN:
            return False
        if token.kind in ("number", "word") or token.text in ("√", *_OPEN, *_SYMBOLS):
            return True
        return token.text == "|" and not self.bars

    def _power(self) -> _Part:
        """A part with what stands lower or higher beside it."""
        part, low, high = self._atom(), "", ""
        while (token := self._peek()) is not None:
            if token.kind == "lowered" and not low:
                low = _scripts(token.text, _LOWERED)
            elif token.kind == "raised" and not high:
                high = _scripts(token.text, _RAISED)
            elif token.text == "′":
                high += "<mo>′</mo>"
            elif token.text == "**" and not high:
                self.next += 1
                minus = "<mo>−</mo>" if self._taken("-", "−") else ""
                high = minus + self._power().bare
                continue
            else:
                break
            self.next += 1
        if not low and not high:
            return part
        tag = "msubsup" if low and high else "msub" if low else "msup"
        scripts = "".join(_row(script) for script in (low, high) if script)
        xml = f"<{tag}>{_row(part.xml)}{scripts}</{tag}>"
        return _Part(xml, xml, part.spaced)

    def _atom(self) -> _Part:
        token = self._peek()
        if token is None or not self._begins_part():
            self._fail("a number, a name or a bracket")
        assert token is not None
        self.next += 1
        if token.kind == "number":
            return _number(token.text)
        if token.text == "√":
            return _root(self._power())
        if token.text == "|":
            return self._size()
        if token.text in _OPEN:
            return self._group(token.text)
        if token.kind == "word":
            follows = self._peek()
            if token.text == "sqrt" and follows is not None and follows.text == "(":
                return _root(self._atom())
            return _name(token.text)
        tag = "mi" if token.text in "∂∞∇" else "mo"
        xml = f"<{tag}>{token.text.replace('...', '…')}</{tag}>"
        return _Part(xml, xml)

    def _group(self, opened: str) -> _Part:
        """What is in brackets; a half-open interval ends with the other kind."""
        bars, self.bars = self.bars, 0
        inside = self._list()
        self.bars = bars
        closed = self._taken(*_CLOSE)
        if closed is None:
            self._fail(f"the bracket that closes {opened!r}")
        xml = _bracketed(opened, inside, str(closed))
        return _Part(xml, inside if opened + str(closed) == "()" else xml)

    def _size(self) -> _Part:
        self.bars += 1
        inside = self._sum()
        if self._taken("|") is None:
            self._fail("the | that closes another one")
        self.bars -= 1
        xml = _bracketed("|", inside, "|")
        return _Part(xml, xml)


_SPACE: Final = '<mspace width="0.17em"/>'
_GAP: Final = _Part(_SPACE, _SPACE)


def _row(xml: str) -> str:
    return f"<mrow>{xml}</mrow>"


def _bracketed(opened: str, inside: str, closed: str) -> str:
    """Brackets as high as what is in them, if that is more than a line."""
    high = str("<mfrac>" in inside).lower()
    left, right = (
        f'<mo form="{form}" stretchy="{high}">{sign}</mo>'
        for form, sign in (("prefix", opened), ("postfix", closed))
    )
    return _row(left + inside + right)


def _root(part: _Part) -> _Part:
    xml = f"<msqrt>{part.bare}</msqrt>"
    return _Part(xml, xml)


def _scripts(text: str, signs: dict[str, str]) -> str:
    """Raised or lowered characters, as what they stand for."""
    found = re.findall(r"\d+|.", "".join(signs[sign] for sign in text))
    tags = ("mn" if part.isdigit() else "mo" if part in "+−" else "mi" for part in found)
    return "".join(f"<{tag}>{part}</{tag}>" for tag, part in zip(tags, found, strict=True))


def _number(text: str) -> _Part:
    digits, _, exponent = text.partition("e")
    xml = f"<mn>{digits}</mn>"
    if exponent:
        sign = "<mo>−</mo>" if exponent.startswith("-") else ""
        power = f"<msup><mn>10</mn>{_row(sign + f'<mn>{abs(int(exponent))}</mn>')}</msup>"
        xml = power if digits == "1" else f"{xml}<mo>·</mo>{power}"
    return _Part(xml, xml)


def _name(text: str) -> _Part:
    """A name: `b1` and `x_n` are letters with something lower beside them, `fan_in` is a word."""
    found = re.fullmatch(r"([^\W\d_]+)_?(\d+)|([^\W\d_]+)_(\w+)", text)
    if found is not None:
        base, low = (found[1], found[2]) if found[1] else (found[3], found[4])
        if len(_GREEK.get(base, base)) == 1 or base == "log":
            tag = "mn" if low.isdigit() else "mi"
            xml = f"<msub><mi>{_GREEK.get(base, base)}</mi><{tag}>{low}</{tag}></msub>"
            return _Part(xml, xml, base == "log")
    letter = _GREEK.get(text, text)
    tag = "mo" if letter in "Σ∑" else "mi"
    xml = f"<{tag}>{letter}</{tag}>"
    return _Part(xml, xml, len(letter) > 1 or tag == "mo")
