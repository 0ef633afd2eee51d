"""Einstein's summation: what the subscripts say, and in which order operands are contracted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from smolml_array._shapes.axes import Shape, ShapeError

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
    lengths = lengths_of(*zip(labels, shapes, strict=True))
    for i, (own, shape) in enumerate(zip(labels, shapes, strict=True)):
        for label, n in zip(own, shape, strict=True):
            inside = shape[own.index(label)]  # where a diagonal is meant, 1 does not broadcast
            if n != inside or n not in (1, lengths[label]):
                other = inside if n != inside else lengths[label]
                shown = label if isinstance(label, str) else "..."
                raise ShapeError(
                    f"einsum: {shown!r} in {subscripts!r} has length {n} in operand {i}, "
                    f"of shape {shape}, and {other} before: expected equal lengths"
                )


class Step(NamedTuple):
    """Contract the operands at these places; what it makes goes to the end of the list."""

    places: tuple[int, ...]
    labels: tuple[Labels, ...]  # of these operands
    output: Labels


@lru_cache(maxsize=256)  # a program sums the same shapes again and again
def plan(subscripts: str, shapes: tuple[Shape, ...]) -> list[Step]:
    """What to contract, one step after the other.

    Raises:
        ValueError: subscripts that say nothing, or do not fit the operands.
        ShapeError: lengths of one label that differ.
    """
    labels, output = parse(subscripts, shapes)
    return path(labels, shapes, output)


def lengths_of(*pairs: tuple[Labels, Shape]) -> dict[Label, int]:
    """The length of each label, the first that is said; 1 only where nobody says another."""
    found: dict[Label, int] = {}
    for labels, shape in pairs:
        for label, n in zip(labels, shape, strict=True):
            if found.get(label, 1) == 1:
                found[label] = n
    return found


def path(labels: Sequence[Labels], shapes: Sequence[Shape], output: Labels) -> list[Step]:
    """Pairs of operands to contract one after the other, the greedy way.

    Each time the pair whose result takes least more memory than the two together, then the one
    with the fewest multiplications (the greedy order of opt_einsum, Smith and Gray 2018).

    >>> shapes = [(10, 2), (2, 10), (10, 2)]
    >>> [s.places for s in path([("i", "j"), ("j", "k"), ("k", "l")], shapes, ("i", "l"))]
    [(1, 2), (0, 1)]
    """
    lengths = lengths_of(*zip(labels, shapes, strict=True))

    def size(some: set[Label]) -> int:
        return math.prod(lengths[x] for x in some)

    left = list(labels)
    steps: list[Step] = []
    while len(left) > 2:
        best: tuple[int, int] | None = None
        sets = [set(own) for own in left]
        for j in range(1, len(left)):
            for i in range(j):
                rest = set(output).union(*(s for k, s in enumerate(sets) if k not in (i, j)))
                both = sets[i] | sets[j]
                cost = (size(both & rest) - size(sets[i]) - size(sets[j]), size(both))
                if best is None or cost < best:
                    best, places, kept = cost, (i, j), both & rest
        i, j = places
        made = tuple(dict.fromkeys(x for x in left[i] + left[j] if x in kept))
        steps.append(Step(places, (left[i], left[j]), made))
        left = [*(own for k, own in enumerate(left) if k not in places), made]
    return [*steps, Step(tuple(range(len(left))), tuple(left), output)]


class Layout(NamedTuple):
    """How two operands become factors: orders of their axes (None: as they are), shapes."""

    first: tuple[int, ...] | None
    first_shape: Shape
    second: tuple[int, ...] | None
    second_shape: Shape
    matrices: bool  # whether they are multiplied as matrices, or element by element
    turned: bool  # whether the second is the left factor
    shape: Shape  # of the product
    last: tuple[int, ...] | None  # the order of its axes


@lru_cache(maxsize=1024)
def layout(la: Labels, a: Shape, lb: Labels, b: Shape, out: Labels) -> Layout:
    """The layout of two operands with one axis for each label, and none that is summed alone.

    A product of matrices can be had either way round. What decides is what must be copied: axes
    that stay in order need not, and the longer the last one is, the quicker it goes.
    """
    lengths = lengths_of((la, a), (lb, b))

    def count(labels: Labels) -> int:
        return math.prod(lengths[x] for x in labels)

    batch = tuple(x for x in out if x in la and x in lb)
    left = tuple(x for x in out if x in la and x not in lb)
    right = tuple(x for x in out if x in lb and x not in la)
    inner = tuple(x for x in la if x not in out)
    if not inner:
        order = batch + left + right
        first_shape = tuple(lengths[x] if x in la else 1 for x in order)
        second_shape = tuple(lengths[x] if x in lb else 1 for x in order)
        first, second = _order(la, batch + left), _order(lb, batch + right)
        made = tuple(lengths[x] for x in order)
        last = _order(order, out)
        return Layout(first, first_shape, second, second_shape, False, False, made, last)

    def effort(labels: Labels, order: Labels) -> float:
        return 0.0 if labels == order else count(labels) * (1.0 + 8.0 / max(1, lengths[order[-1]]))

    straight = (batch + left + inner, batch + inner + right)
    turned = (batch + inner + left, batch + right + inner)
    efforts = [effort(la, x) + effort(lb, y) for x, y in (straight, turned)]
    swap = efforts[1] < efforts[0]
    lead = (count(batch),) if batch else ()
    n, k, m = count(left), count(inner), count(right)
    orders = turned if swap else straight
    order = batch + right + left if swap else batch + left + right
    return Layout(
        _order(la, orders[0]),
        (*lead, k, n) if swap else (*lead, n, k),
        _order(lb, orders[1]),
        (*lead, m, k) if swap else (*lead, k, m),
        True,
        swap,
        tuple(lengths[x] for x in order),
        _order(order, out),
    )


def _order(labels: Labels, wanted: Labels) -> tuple[int, ...] | None:
    """The places of the wanted labels; None if they stand there in that order."""
    return None if labels == wanted else tuple(labels.index(x) for x in wanted)
