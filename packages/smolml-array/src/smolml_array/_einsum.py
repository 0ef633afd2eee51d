"""Einstein's summation: what the subscripts say, and in which order operands are contracted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from smolml_array._shape import Shape, ShapeError

Label = str | int  # a letter; for an axis of the ellipsis its place from the right: -1, -2, ...
Labels = tuple[Label, ...]


def check_subscripts(subscripts: object) -> None:
    """Raise for what is no text, such as operands that come first."""
    if not isinstance(subscripts, str):
        raise TypeError(
            f"einsum: expected subscripts such as 'ij,jk->ik' first, got "
            f"{type(subscripts).__name__} {subscripts!r:.40}"
        )


def parse(subscripts: str, shapes: Sequence[Shape]) -> tuple[list[Labels], Labels]:
    """The labels of each operand's axes, and those of the result.

    Raises:
        ValueError: subscripts that say nothing, or do not fit the operands.
        ShapeError: lengths of one label that differ.

    >>> parse("ij,jk", [(2, 3), (3, 4)])
    ([('i', 'j'), ('j', 'k')], ('i', 'k'))
    >>> parse("...i->i...", [(2, 3)])
    ([(-1, 'i')], ('i', -1))
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ValueError(
            f"einsum: the subscripts {subscripts!r} are for {len(terms)} operand"
            f"{'s' if len(terms) > 1 else ''}, "
            f"{len(shapes)} given; separate them by commas"
        )
    labels = [
        _labels(term, len(shape), f"operand {i}", subscripts)
        for i, (term, shape) in enumerate(zip(terms, shapes, strict=True))
    ]
    _check_lengths(labels, shapes, subscripts)
    spread = max((sum(isinstance(x, int) for x in own) for own in labels), default=0)
    if arrow:
        return labels, _output(output, spread, labels, subscripts)
    letters = [x for own in labels for x in own if isinstance(x, str)]
    once = sorted(x for x in set(letters) if letters.count(x) == 1)
    return labels, (*range(-spread, 0), *once)


def _labels(term: str, ndim: int, who: str, subscripts: str) -> Labels:
    """One term of the subscripts, its ellipsis written out to fill `ndim` axes."""
    head, dots, tail = term.partition("...")
    for letter in head + tail:
        if not (letter.isascii() and letter.isalpha()):
            raise ValueError(
                f"einsum: {letter!r} in the subscripts {subscripts!r}: expected letters, commas, "
                f"'...' once for each operand, and one '->'"
            )
    spread = ndim - len(head) - len(tail)
    if spread < 0 or (spread and not dots):
        raise ValueError(
            f"einsum: {who} has {ndim} dimensions, but {term!r} in {subscripts!r} names "
            f"{len(head) + len(tail)}; use '...' for those that are not named"
        )
    return (*head, *range(-spread, 0), *tail)


def _output(output: str, spread: int, labels: list[Labels], subscripts: str) -> Labels:
    """The labels of the result that was asked for."""
    letters = output.replace("...", "", 1)
    wanted = _labels(output, len(letters) + (spread if "..." in output else 0), "", subscripts)
    if spread and "..." not in output:
        raise ValueError(
            f"einsum: the result in {subscripts!r} has no '...' for the axes that an operand's "
            f"'...' stands for; write '...' there too, or sum the axes first"
        )
    known = {x for own in labels for x in own}
    for letter in letters:
        if letter not in known:
            raise ValueError(
                f"einsum: the result in {subscripts!r} names {letter!r}, which no operand has"
            )
        if letters.count(letter) > 1:
            raise ValueError(
                f"einsum: the result in {subscripts!r} names {letter!r} more than once; "
                f"a diagonal can be read, not written"
            )
    return wanted


def _check_lengths(labels: list[Labels], shapes: Sequence[Shape], subscripts: str) -> None:
    """Raise where a label stands for different lengths; 1 broadcasts from operand to operand."""
    lengths: dict[Label, int] = {}
    for i, (own, shape) in enumerate(zip(labels, shapes, strict=True)):
        inside: dict[Label, int] = {}
        for label, n in zip(own, shape, strict=True):
            before = inside.setdefault(label, n)
            others = lengths.get(label, 1)
            if n != before or (n != others and 1 not in (n, others)):
                other = before if n != before else others
                shown = label if isinstance(label, str) else "..."
                raise ShapeError(
                    f"einsum: {shown!r} in {subscripts!r} has length {n} in operand {i}, "
                    f"of shape {shape}, and {other} before: expected equal lengths"
                )
        for label, n in inside.items():
            if n != 1 or label not in lengths:
                lengths[label] = n


class Step(NamedTuple):
    """Contract the operands at these places; what it makes goes to the end of the list."""

    places: tuple[int, ...]
    output: Labels


def path(labels: Sequence[Labels], shapes: Sequence[Shape], output: Labels) -> list[Step]:
    """Pairs of operands to contract one after the other, the greedy way.

    Each time the pair whose result takes least more memory than the two together, then the one
    with the fewest multiplications (the greedy order of opt_einsum, Smith and Gray 2018).

    >>> shapes = [(10, 2), (2, 10), (10, 2)]
    >>> [s.places for s in path([("i", "j"), ("j", "k"), ("k", "l")], shapes, ("i", "l"))]
    [(1, 2), (0, 1)]
    """
    if len(labels) == 1:
        return [Step((0,), output)]
    lengths: dict[Label, int] = {}
    for own, shape in zip(labels, shapes, strict=True):
        for label, n in zip(own, shape, strict=True):
            if n != 1 or label not in lengths:
                lengths[label] = n

    def size(some: set[Label]) -> int:
        return math.prod(lengths[x] for x in some)

    left = [set(own) for own in labels]
    steps: list[Step] = []
    while len(left) > 2:
        best: tuple[int, int] | None = None
        for j in range(1, len(left)):
            for i in range(j):
                rest = set(output).union(*(s for k, s in enumerate(left) if k not in (i, j)))
                both = left[i] | left[j]
                cost = (size(both & rest) - size(left[i]) - size(left[j]), size(both))
                if best is None or cost < best:
                    best, places, made = cost, (i, j), both & rest
        i, j = places
        order = [x for x in (*_order(left[i]), *_order(left[j])) if x in made]
        steps.append(Step(places, tuple(dict.fromkeys(order))))
        left = [*(s for k, s in enumerate(left) if k not in places), made]
    return [*steps, Step((0, 1), output)]


def _order(labels: set[Label]) -> list[Label]:
    """An order that is the same in every run."""
    return sorted(labels, key=lambda x: (isinstance(x, str), x))
