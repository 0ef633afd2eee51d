"""What is drawn, before anybody knows how: boxes with texts, and the edges between them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, Final, Literal, NamedTuple

from smolml_value._showing import protocol
from smolml_value._showing.drawing import colors
from smolml_value._showing.drawing.collect import Found
from smolml_value._showing.drawing.fold import HIDDEN, Folded, Group
from smolml_value._showing.explaining.translations import WORDS, Language, said
from smolml_value._showing.numerals import count_text, numeral, shape_text, shortened
from smolml_value._showing.protocol import Constant, Shape

Kind = Literal["leaf", "node", "constant", "group", "function"]
_LONGEST = 28  # characters of a line in a box


class Style(NamedTuple):
    """How a kind of box looks: its outline in SVG, its shape in DOT, its brackets in Mermaid."""

    stroke: str
    shape: str
    brackets: tuple[str, str]


STYLES: Final[dict[Kind, Style]] = {
    "leaf": Style(colors.LEAF, "box", ("[", "]")),
    "node": Style(colors.NODE, "box", ("(", ")")),
    "group": Style(colors.GROUP, "box3d", ("[[", "]]")),
    "constant": Style(colors.LINE, "plaintext", ("([", "])")),
    "function": Style(colors.GROUP, "oval", ("{{", "}}")),
}


@dataclass
class Box:
    """One box: a title, its op, and lines of a name and a text.

    Attributes:
        kind: what it stands for.
        op: the symbol of the op, or what is counted.
        title: its label.
        rows: pairs of a name and a text, "data" and "grad" for one.
        size: the largest |gradient|; None where there is none to speak of.
        more: for a tooltip.
        ordered: whether it matters in which order its operands come.
        count: of how many nodes it is made.
        node: the number of the node; of several that of the one whose gradient it shows.
    """

    kind: Kind
    op: str
    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    size: float | None = None
    more: str = ""
    ordered: bool = False
    count: int = 1
    node: int = -1

    @property
    def is_alarming(self) -> bool:
        """Whether there is a nan or an infinity among the numbers that it shows."""
        numbers = [text for name, text in self.rows if name in ("data", "grad")]
        if self.kind == "constant" and not self.rows:
            numbers = [self.op]
        return any(sign in text for text in numbers for sign in ("nan", "∞"))


@dataclass
class Edge:
    """An edge from an operand's box to its consumer's; `count` edges of the graph drawn as one.

    `note` stands at the arrow: the factor with which the gradient goes back along it, or which
    operand it is, where that matters; "" for folded boxes. `key` is "node.k" for the k-th parent,
    of the first of several edges.
    """

    source: int
    target: int
    note: str = ""
    count: int = 1
    key: str = ""


@dataclass
class Picture:
    """Boxes and edges, without places.

    Attributes:
        shown_by: per node the number of the box that it is in; at -1 that of nodes that were only
            counted.
        keys: per edge of the graph, by its key, that of the edge by which it is drawn, if it is.
        steps: what an animation plays over it all, as JSON.
    """

    boxes: list[Box]
    edges: list[Edge]
    title: str
    note: str
    language: Language
    shown_by: list[int]
    keys: dict[str, str]
    steps: str = ""

    @property
    def words(self) -> dict[str, str]:
        """What is said in the picture, by name."""
        return WORDS[self.language]

    @cached_property
    def largest(self) -> float:
        """The largest finite |gradient|, 0 if there is none."""
        sizes = [box.size for box in self.boxes if box.size is not None]
        return max(filter(math.isfinite, sizes), default=0.0)

    def fill(self, box: Box) -> str:
        """The colour of a box."""
        return colors.RED if box.is_alarming else colors.shade(box.size, self.largest)


def picture(
    found: Found,
    folded: Folded,
    names: Mapping[int, str],
    title: str,
    factors: bool = False,
    language: Language = "en",
) -> Picture:
    """The boxes and edges of a graph that was folded; of Values also with factors at the arrows."""
    boxes = [_box(found, group, names, language) for group in folded.groups]
    hidden = folded.group_of.count(HIDDEN) + found.more
    rest = len(boxes)
    if hidden:
        boxes.append(_rest(found, folded, hidden, language))
    shown_by = [boxes[place].node for place in folded.group_of]
    shown_by.append(boxes[HIDDEN].node if hidden else -1)  # which is the last box
    edges: list[Edge] = []
    keys: dict[str, str] = {}
    between: dict[tuple[int, int], Edge] = {}
    constants: dict[int, int] = {}
    for target, group in enumerate([*folded.groups, None][: len(boxes)]):
        members = group.members if group else _hidden_members(folded)
        alone = group is not None and group.name == "" and len(members) == 1
        for i in members:
            notes = _notes(found, i, boxes[target].ordered, factors) if alone else []
            parents = count()
            for position, x in enumerate(found.operands[i]):
                if isinstance(x, Constant):
                    if alone:
                        box = _constant(boxes, constants, x, names, language)
                        edges.append(Edge(box, target, notes[position]))
                    continue
                key = f"{i}.{next(parents)}"
                source = folded.group_of[x] if x >= 0 else HIDDEN
                source = rest if source == HIDDEN else source
                if source == target:
                    continue
                if alone and boxes[source].count == 1:
                    edge = Edge(source, target, notes[position], key=key)
                    edges.append(edge)
                elif (source, target) in between:
                    edge = between[source, target]
                    edge.count += 1
                else:
                    edge = between[source, target] = Edge(source, target, key=key)
                keys[key] = edge.key
    for i in found.used_beyond:  # leaves: everything else used there is hidden, too
        source = folded.group_of[i]
        if source != HIDDEN and (source, rest) not in between:
            between[source, rest] = Edge(source, rest)
    edges += between.values()
    is_all = all(box.count == 1 for box in boxes)
    note = "" if is_all else count_text(found.total, WORDS[language]["nodes"])
    if not (is_all or found.exact):
        note = WORDS[language]["at_least"].format(nodes=note)
    return Picture(boxes, edges, title, note, language, shown_by, keys)


def _notes(found: Found, i: int, is_ordered: bool, factors: bool) -> list[str]:
    """What stands at the arrow from each operand."""
    operands = found.operands[i]
    if not factors:
        return [str(k + 1) if is_ordered else "" for k in range(len(operands))]
    node: Any = found.nodes[i]
    partials = iter([f"×{numeral(partial, 3)}" for _, partial in node._edges()])
    return ["" if isinstance(x, Constant) else next(partials) for x in operands]


def _hidden_members(folded: Folded) -> list[int]:
    return [i for i, g in enumerate(folded.group_of) if g == HIDDEN]


def _box(found: Found, group: Group, names: Mapping[int, str], language: Language) -> Box:
    if len(group.members) > 1:
        return _folded_box(found, group, names, language)
    node = found.nodes[group.members[0]]
    look = protocol.look(node)
    is_leaf = not found.operands[group.members[0]] and not look.op
    kind: Kind = "function" if look.is_function else ("leaf" if is_leaf else "node")
    rows = [] if look.is_function else _rows(look.shape, language, data=look.data, grad=look.grad)
    title = shortened(look.label or names.get(id(node), "") or look.title, _LONGEST)
    shape = "" if look.shape is None else shape_text(look.shape)
    more = "\n".join(t for t in (look.label, look.op, shape, look.more) if t)
    return Box(kind, look.op, title, rows, look.size, more, look.ordered, node=group.members[0])


def _rows(shape: Shape | None, language: Language, **numbers: str) -> list[tuple[str, str]]:
    rows = [] if shape is None else [(WORDS[language]["shape"], shape_text(shape))]
    return [*rows, *((name, said(text, language)) for name, text in numbers.items())]


def _constant(
    boxes: list[Box],
    constants: dict[int, int],
    x: Constant,
    names: Mapping[int, str],
    language: Language,
) -> int:
    """The box of a constant: one for each use of a number, the same for the same array."""
    if x.key is not None and x.key in constants:
        return constants[x.key]
    title = "" if x.key is None else shortened(names.get(x.key, ""), _LONGEST)
    rows = [] if x.shape is None else _rows(x.shape, language, data=x.text)
    op = x.text if x.shape is None else WORDS[language]["constant"]
    boxes.append(Box("constant", op, title, rows))
    if x.key is not None:
        constants[x.key] = len(boxes) - 1
    return len(boxes) - 1


def _folded_box(found: Found, group: Group, names: Mapping[int, str], language: Language) -> Box:
    """A box for several nodes: how many, which ops, and the gradient if it has one result."""
    members, words = group.members, WORDS[language]
    counted = count_text(len(members), words["nodes"])
    ops = _ops(found, members)
    inside = set(members)
    used_inside = {p for i in members for p in found.operands[i] if p in inside}
    ends = [i for i in members if i not in used_inside]
    if not ops:
        ends.reverse()  # as they were made, most likely
    title, op = group.name, ""
    if len(ops) == 1 and group.name in ops:
        title, op = "", group.name
    looks = [protocol.look(found.nodes[i]) for i in ends[:100]]
    rows = [("", counted)] if ops else []
    if len(ops) > 1 or (ops and title):
        rows.append(("ops", _census(ops, _LONGEST)))
    if len(ends) == 1:
        title = title or names.get(id(found.nodes[ends[0]]), "")
        rows += _rows(looks[0].shape, language, data=looks[0].data, grad=looks[0].grad)
    if not ops:
        kind = "values" if looks[0].shape is None else "arrays"
        title, op = count_text(len(members), words[kind]), ""
    size = max((look.size for look in looks), default=0.0)
    leaves = (
        " = ".join(filter(None, (x.label or names.get(id(found.nodes[i]), ""), x.data)))
        for i, x in zip(ends, looks, strict=False)
    )
    held = _census(ops, 400) or said(shortened(", ".join(leaves), 400), language)
    more = f"{counted}\n{held}"
    return Box(
        "group", op, shortened(title, _LONGEST), rows, size, more, count=len(members), node=ends[0]
    )


def _ops(found: Found, members: Sequence[int]) -> Counter[str]:
    """How often which op has made one of these nodes; leaves do not count."""
    names = (protocol.tag(found.nodes[i])[0] for i in members)
    return Counter(name for name in names if name)


def _census(ops: Counter[str], most: int) -> str:
    """How often which op, the most frequent first, as far as they go into so many characters."""
    text = ""
    for op, n in ops.most_common():
        more = f"{', ' if text else ''}{op} ×{n:,}"
        if text and len(text) + len(more) > most - 3:
            return f"{text}, …"
        text += more
    return text


def _rest(found: Found, folded: Folded, hidden: int, language: Language) -> Box:
    """The box of all that is not shown."""
    ops = _ops(found, _hidden_members(folded))
    title = count_text(hidden, WORDS[language]["more_nodes"])
    if not found.exact:
        title = WORDS[language]["over"].format(nodes=title)
    rows = [("ops", _census(ops, _LONGEST))] if ops and not found.more else []
    node = next(iter(_hidden_members(folded)), -1)
    return Box("group", "…", title, rows, None, _census(ops, 400), count=hidden, node=node)
