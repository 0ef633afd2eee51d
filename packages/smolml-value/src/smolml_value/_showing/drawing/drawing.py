"""draw: the graph of Values and arrays as a Drawing that notebooks show and files keep."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, get_args

from smolml_value._derivatives.rules import node_of
from smolml_value._runtime.memory import paused_gc
from smolml_value._showing import protocol
from smolml_value._showing import values as _values  # noqa: F401  # Values answer what is asked
from smolml_value._showing.drawing.collect import collect
from smolml_value._showing.drawing.dot import dot
from smolml_value._showing.drawing.fold import FOLDS, Fold, folds
from smolml_value._showing.drawing.layout import Layout, Point
from smolml_value._showing.drawing.mermaid import mermaid
from smolml_value._showing.drawing.picture import Picture, picture
from smolml_value._showing.drawing.svg import Direction, extent, laid_out, svg
from smolml_value._showing.explaining.renderers import frames
from smolml_value._showing.explaining.steps import Walk
from smolml_value._showing.explaining.translations import Language
from smolml_value._showing.numerals import count_text
from smolml_value._showing.unfolding import unfolded
from smolml_value.node import Node, OperandBase

MOST: Final = 5000  # boxes that a drawing may have
WIDEST: Final = 1200  # what is wider cannot be read at a glance
TALLEST: Final = 2400


class Drawing:
    """A graph drawn: `svg`, `dot` and `mermaid` are its texts, `save` writes them to a file.

    `png` is an image of pixels, for which the package resvg-py is needed.

    A notebook shows it as it is. `str()` gives a line that says what is drawn.
    """

    def __init__(self, drawn: Picture, layout: Layout, direction: Direction) -> None:
        self._picture = drawn
        self._layout = layout
        self._direction: Direction = direction

    @cached_property
    def svg(self) -> str:
        """The text of an SVG image, complete in itself."""
        with paused_gc():
            return svg(self._picture, self._layout, self._direction)

    @cached_property
    def png(self) -> bytes:
        """A PNG image on white, two pixels for each of the SVG's.

        Raises:
            ImportError: the package resvg-py is not installed.
        """
        try:
            import resvg_py  # type: ignore[import-not-found,unused-ignore]
        except ModuleNotFoundError:
            needs = "needs the package resvg-py: pip install 'smolml-value[png]'"
            raise ImportError(f"Drawing.png {needs}") from None
        image: bytes = resvg_py.svg_to_bytes(svg_string=self.svg, zoom=2, background="white")
        return image

    @cached_property
    def dot(self) -> str:
        """The text of a Graphviz file."""
        return dot(self._picture, self._direction)

    @cached_property
    def mermaid(self) -> str:
        """The text of a Mermaid flowchart."""
        return mermaid(self._picture, self._direction)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, the ending of which says how: .svg, .png, .dot, .mmd or .md.

        A .md file holds the Mermaid text as a code block. Returns the path.

        Raises:
            ValueError: another ending.
            ImportError: a PNG, and the package resvg-py is not installed.
            OSError: the file cannot be written.
        """
        target = Path(path)
        ending = target.suffix.lower()
        if ending not in ENDINGS:
            raise ValueError(
                f"Drawing.save: expected a file that ends in {', '.join(ENDINGS)}, "
                f"got {target.name!r}; write {target.stem}.svg for an image"
            )
        made: str | bytes = getattr(self, ENDINGS[ending])
        if ending == ".md":
            made = f"```mermaid\n{made}```\n"  # type: ignore[str-bytes-safe]  # it is a text
        target.write_bytes(made if isinstance(made, bytes) else made.encode("utf-8", "replace"))
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    @property
    def summary(self) -> str:
        """How many boxes it has, and for how many nodes where it is folded.

        >>> draw(Value(2.0) + Value(3.0)).summary
        '3 boxes'
        """
        drawn, words = self._picture, self._picture.words
        boxes = count_text(len(drawn.boxes), words["boxes"])
        return words["boxes_for"].format(boxes=boxes, nodes=drawn.note) if drawn.note else boxes

    def __repr__(self) -> str:
        return f"<Drawing of {self.summary}; save('graph.svg') writes it to a file>"


ENDINGS: Final = {
    ".svg": "svg", ".png": "png", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".md": "mermaid",
}  # fmt: skip


def draw(
    root: Any,
    *,
    max_nodes: int = 100,
    fold: Fold | None = "auto",
    title: str | None = None,
    names: Mapping[str, Any] | None = None,
    direction: Direction | None = None,
    elements: bool = False,
    steps: bool = False,
    language: Language = "en",
) -> Drawing:
    """The graph that led to a Value or an array, drawn: inputs first, results last.

    Each box shows op, label, shape, data and gradient; the colour tells the size of the gradient.
    A constant that an op was applied to is a small box; numbers at arrows tell which operand is
    which, where it matters. A graph of more than `max_nodes` nodes, or one that would be wider
    than 1,200 pixels, is folded:

    - "module": labels with a dot name modules ("layer1.w"); each is one box;
    - "label": each labelled result is one box with all that goes into it alone;
    - "op": equal ops at the same depth are one box, such as the neurons of a layer;
    - "run": these, and what follows one another without a fork or a join;
    - "depth": the boxes nearest to the root are shown, and one for all the others;
    - "auto": the first of these that gives a drawing of at most `max_nodes` boxes that is not too
      wide; of a sum of 200 values, say, one box for the values and one for the additions.

    Args:
        root: a Value, an MLArray, or a list or tuple of them.
        max_nodes: how many boxes there may be, small ones for constants not counted.
        fold: how a larger graph is folded; None: not at all.
        title: a line above.
        names: names for nodes without a label; names=locals() takes those of your variables.
        direction: where the graph grows, "right" or "down"; None: down where it would be too wide.
        elements: draw the Values that arrays consist of, each in a box of its own, and at the
            arrows the factors with which gradients go back; root has one element. A large graph
            is better drawn as arrays: every element is looked at.
        steps: what `explain` tells goes into the SVG as data, as JSON in the attribute data-steps,
            for a page that plays it. There is one root.
        language: "en" or "es": of the words in the drawing, and of the steps.

    Raises:
        TypeError: root is no Value or array.
        GraphError: with elements, root is an array of more than one.
        ValueError: fold, direction, max_nodes, steps or language is none of those above; with
            fold=None, more nodes than max_nodes; with steps, several roots.

    Source: K. Sugiyama, S. Tagawa & M. Toda, Methods for visual understanding of hierarchical
    system structures (1981).

    >>> a, b, c = Value(2.0, "a"), Value(3.0, "b"), Value(4.0, "c")
    >>> draw(a * b + c)
    <Drawing of 5 boxes; save('graph.svg') writes it to a file>
    >>> draw(a * b + c).dot.count("->")
    4
    """
    if fold is not None and fold not in FOLDS:
        raise ValueError(f"draw: fold must be None or one of {', '.join(FOLDS)}, got {fold!r}")
    if direction not in (None, *get_args(Direction)):
        raise ValueError(f"draw: direction must be 'right' or 'down', got {direction!r}")
    if not isinstance(max_nodes, int) or not 1 <= max_nodes <= MOST:
        raise ValueError(f"draw: max_nodes must be from 1 to {MOST:,}, got {max_nodes!r}")
    if language not in get_args(Language):
        raise ValueError(f"draw: language must be 'en' or 'es', got {language!r}")
    if not isinstance(steps, bool):
        raise ValueError(f"draw: steps must be True or False, got {steps!r}; see language")
    given, known = roots_of("draw", root), protocol.named(names)
    if elements:
        roots: Sequence[Node] = [[*unfolded("draw", x, known).values()][-1] for x in given]
    else:
        roots = [node_of(x) for x in given]
    if steps and len(roots) != 1:
        raise ValueError(f"draw: steps are those from one root, got {len(roots)}; draw each alone")
    with paused_gc():  # walking a large graph is no reason to search all of it for garbage
        found = collect(roots)
        if fold is None and found.total > max_nodes:
            raise ValueError(
                f"draw: the graph has {found.total:,} nodes{'' if found.exact else ' or more'}, "
                f"with fold=None at most max_nodes={max_nodes} are drawn; raise max_nodes (up to "
                f"{MOST:,}), or let it be folded"
            )
        for boxes in folds(found, fold, max_nodes):
            drawn = picture(found, boxes, known, title or "", elements, language)
            placed = _placed(drawn, direction)
            if placed:
                break
        if steps:
            walk = Walk(roots[0], max_nodes, known, found.nodes)
            told = frames(walk, language, drawn.shown_by, drawn.keys)
            drawn.steps = json.dumps([*told], ensure_ascii=False)
        way = direction or "right"
        return Drawing(drawn, *(placed or (laid_out(drawn, way), way)))


def _placed(drawn: Picture, direction: Direction | None) -> tuple[Layout, Direction] | None:
    """Where everything stands and which way the graph grows, if it can be read so."""
    ways: Sequence[Direction] = [direction] if direction else ["right", "down"]
    tallest = math.inf if direction else TALLEST

    def fits(size: Point) -> bool:
        return size[0] <= WIDEST and size[1] <= tallest

    for way in ways:
        if fits(extent(drawn, way)):  # most of what is too large is so at the least
            layout = laid_out(drawn, way)
            if fits(extent(drawn, way, layout)):
                return layout, way
    return None


def roots_of(who: str, root: Any) -> Sequence[Any]:
    """What was given as a sequence of operands.

    Raises:
        TypeError: something else is among it, or nothing.
    """
    given = list(root) if isinstance(root, list | tuple) else [root]
    for x in given:
        if not isinstance(x, OperandBase):
            raise TypeError(
                f"{who}: expected a Value, an MLArray or a list of them, "
                f"got {'a list with a ' if x is not root else 'a '}{type(x).__name__}"
            )
    if not given:
        raise TypeError(
            f"{who}: expected a Value or an MLArray, got an empty {type(root).__name__}"
        )
    return given
