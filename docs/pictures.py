"""Drawings for the guides: arrays as grids of cells, curves with their slopes; plain SVG.

Text and lines take the colour of the page (`currentColor`), so light and dark pages both do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby, pairwise
from typing import Any

from smolml import MLArray, Value, draw, grad

__all__ = [
    "broadcasting", "cells", "curves", "descent", "draw", "fits", "language", "plane", "product",
    "reduction", "secants", "tangent",
]  # fmt: skip

language = "en"  # of the page that is drawn for: `draw(y, language=language)`

BLUE, ORANGE, GREEN = "#4c6ef5", "#f08c00", "#2b8a3e"
_W, _H, _GAP = 46.0, 32.0, 26.0  # a cell, and what lies between two grids


# SVG -------------------------------------------------------------------------------------------


def _text(x: float, y: float, text: str, size: float = 14, extra: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="middle" '
        f'dominant-baseline="central" fill="currentColor" {extra}>{escape(text)}</text>'
    )


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="system-ui, sans-serif">'
        f"{''.join(parts)}</svg>"
    )


# Arrays as grids -------------------------------------------------------------------------------

Numbers = list[list[float]]


def _rows(x: MLArray) -> Numbers:
    """The numbers as rows: a 0-d or 1-d array is one row."""
    flat = x.reshape(1, -1) if x.ndim < 2 else x
    rows: Numbers = flat.to_list()
    return rows


def _grid(
    x: float, y: float, rows: Numbers, colour: str, faded: Callable[[int, int], bool] | None = None
) -> str:
    """Rows of numbers as cells, the upper left corner at (x, y); faded ones are dashed."""
    parts = []
    for i, row in enumerate(rows):
        for j, number in enumerate(row):
            pale = faded is not None and faded(i, j)
            style = 'fill="none" stroke-dasharray="4 3"' if pale else 'fill-opacity="0.16"'
            fill = "" if pale else f'fill="{colour}"'
            parts.append(
                f'<rect x="{x + j * _W + 1:.1f}" y="{y + i * _H + 1:.1f}" width="{_W - 2:g}" '
                f'height="{_H - 2:g}" rx="4" stroke="{colour}" {fill} {style}/>'
            )
            extra = 'opacity="0.55"' if pale else ""
            parts.append(
                _text(x + (j + 0.5) * _W, y + (i + 0.5) * _H, f"{number:.4g}", extra=extra)
            )
    return "".join(parts)


def _width(rows: Numbers) -> float:
    return _W * max(len(rows[0]), 1)


def _captioned(x: float, y: float, rows: Numbers, caption: str, grid: str) -> str:
    return grid + _text(x + _width(rows) / 2, y - 14, caption, 12, 'opacity="0.75"')


def cells(*arrays: MLArray) -> str:
    """Each array as a grid under its shape; one of three axes as its sheets, side by side."""
    parts: list[str] = []
    x, top, bottom = 8.0, 36.0, 0.0
    for array in arrays:
        if array.ndim > 3:
            raise ValueError(f"cells: expected at most 3 axes, got the shape {array.shape}")
        sheets = [_rows(sheet) for sheet in array] if array.ndim == 3 else [_rows(array)]
        left = x
        for rows in sheets:
            parts.append(_grid(x, top, rows, BLUE))
            x += _width(rows) + 10
        width, height = x - 10 - left, _H * len(sheets[0])
        if array.ndim == 3:
            parts.append(
                f'<rect x="{left - 5:.1f}" y="{top - 5:.1f}" width="{width + 10:.1f}" '
                f'height="{height + 10:.1f}" rx="6" fill="none" stroke="currentColor" '
                f'opacity="0.4"/>'
            )
        parts.append(_text(left + width / 2, top - 18, str(array.shape), 12, 'opacity="0.75"'))
        x += _GAP
        bottom = max(bottom, top + height)
    return _svg(x - _GAP, bottom + 12, parts)


def broadcasting(a: MLArray, b: MLArray) -> str:
    """a + b: both as they are stretched to one shape; what is only repeated is dashed."""
    total = a + b
    if total.ndim > 2:
        raise ValueError(f"broadcasting: expected at most 2 axes, got the shape {total.shape}")
    parts: list[str] = []
    x, top = 8.0, 30.0
    for array, colour, sign in ((a, BLUE, "+"), (b, ORANGE, "="), (total, GREEN, "")):
        rows = _rows(array.broadcast_to(total.shape))
        high, wide = (1, 1, *array.shape)[-2:]

        def repeated(i: int, j: int, high: int = high, wide: int = wide) -> bool:
            return i >= high or j >= wide

        grid = _grid(x, top, rows, colour, repeated)
        parts.append(_captioned(x, top, rows, str(array.shape), grid))
        x += _width(rows)
        if sign:
            parts.append(_text(x + _GAP, top + _H * len(rows) / 2, sign, 18))
            x += 2 * _GAP
    return _svg(x + 8, top + _H * len(rows) + 8, parts)


def reduction(x: MLArray, axis: int) -> str:
    """x.sum(axis) of a 2-d array: below its columns (axis 0) or beside its rows (axis 1)."""
    if x.ndim != 2 or axis not in (0, 1):
        raise ValueError(f"reduction: expected 2 axes and axis 0 or 1, got {x.shape} and {axis}")
    rows, result = _rows(x), _rows(x.sum(axis=axis, keepdims=True))
    left, top = 8.0, 30.0
    right, bottom = left + _width(rows), top + _H * len(rows)
    parts = [_captioned(left, top, rows, str(x.shape), _grid(left, top, rows, BLUE))]
    shape = str(x.sum(axis=axis).shape)
    if axis == 0:
        for j in range(len(rows[0])):
            parts.append(_text(left + (j + 0.5) * _W, bottom + 14, "↓", 16))
        parts.append(_grid(left, bottom + 28, result, GREEN))
        parts.append(_text((left + right) / 2, bottom + 28 + _H + 14, shape, 12, 'opacity="0.75"'))
        return _svg(right + 8, bottom + 28 + _H + 30, parts)
    for i in range(len(rows)):
        parts.append(_text(right + 16, top + (i + 0.5) * _H, "→", 16))
    at = right + 34
    parts.append(_grid(at, top, result, GREEN))
    parts.append(_text(at + _W / 2, top - 14, shape, 12, 'opacity="0.75"'))
    return _svg(at + _W + 8, bottom + 8, parts)


def product(a: MLArray, b: MLArray, names: tuple[str, str, str], row: int, column: int) -> str:
    """a @ b of 2-d arrays: a on the left, b above, their product where rows and columns meet.

    One row of a, one column of b and the number that they make are filled; the rest is dashed.
    """
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"product: expected 2 axes of each, got {a.shape} and {b.shape}")
    total = a @ b
    left, upper, result = _rows(a), _rows(b), _rows(total)
    x, y = 8.0 + _width(left) + _GAP, 30.0 + _H * len(upper) + 34
    parts = []
    for at_x, at_y, rows, colour, name, array, only in (
        (8.0, y, left, BLUE, names[0], a, (row, None)),
        (x, 30.0, upper, ORANGE, names[1], b, (None, column)),
        (x, y, result, GREEN, names[2], total, (row, column)),
    ):

        def pale(i: int, j: int, only: tuple[int | None, int | None] = only) -> bool:
            return only[0] not in (None, i) or only[1] not in (None, j)

        grid = _grid(at_x, at_y, rows, colour, pale)
        parts.append(_captioned(at_x, at_y, rows, f"{name} {array.shape}", grid))
    return _svg(x + max(_width(upper), 90.0) + 8, y + _H * len(left) + 8, parts)


# Curves ----------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 520.0, 260.0, 46.0, 12.0, 14.0, 30.0


class _Plot:
    """Axes from (x0, y0) to (x1, y1), and what is drawn in them."""

    def __init__(self, x0: float, x1: float, y0: float, y1: float) -> None:
        self.x0, self.x1 = x0, x1
        margin = 0.06 * (y1 - y0) or 1.0
        self.y0, self.y1 = y0 - margin, y1 + margin
        left, bottom = f"{_LEFT:g}", f"{_HEIGHT - _BOTTOM:g}"
        path = f"M{left} {_TOP:g} V{bottom} H{_WIDTH - _RIGHT:g}"
        self.parts = [f'<path d="{path}" fill="none" stroke="currentColor" opacity="0.5"/>']
        for x in _ticks(x0, x1):
            self.parts.append(_text(self.px(x), _HEIGHT - _BOTTOM + 14, f"{x:g}", 12))
        for y in _ticks(self.y0, self.y1):
            self.parts.append(
                _text(_LEFT - 6, self.py(y), f"{y:g}", 12).replace('"middle"', '"end"')
            )

    def px(self, x: float) -> float:
        return _LEFT + (x - self.x0) / (self.x1 - self.x0) * (_WIDTH - _LEFT - _RIGHT)

    def py(self, y: float) -> float:
        return _TOP + (self.y1 - y) / (self.y1 - self.y0) * (_HEIGHT - _TOP - _BOTTOM)

    def line(self, points: Sequence[tuple[float, float]], colour: str, extra: str = "") -> None:
        path = " ".join(f"{self.px(x):.1f},{self.py(y):.1f}" for x, y in points)
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" {extra}/>'
        )

    def dot(self, x: float, y: float, colour: str) -> None:
        self.parts.append(
            f'<circle cx="{self.px(x):.1f}" cy="{self.py(y):.1f}" r="4" fill="{colour}"/>'
        )

    def legend(self, entries: Sequence[tuple[str, str]], right: bool = False) -> None:
        at = _WIDTH - _RIGHT - 130 if right else _LEFT + 14
        for k, (name, colour) in enumerate(entries):
            y = _TOP + 10 + 20 * k
            self.parts.append(
                f'<path d="M{at:g} {y:g} h22" stroke="{colour}" stroke-width="2.5"/>'
                + _text(at + 28, y, name, 13).replace('"middle"', '"start"')
            )

    def svg(self) -> str:
        return _svg(_WIDTH, _HEIGHT, self.parts)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two ends, four to eight of them."""
    raw = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 5, 10) if size * m >= raw)
    first = math.ceil(low / step)
    return [round(k * step, 12) for k in range(first, math.floor(high / step) + 1)]


def _samples(f: Callable[[float], float], low: float, high: float) -> list[tuple[float, float]]:
    xs = [low + (high - low) * i / 120 for i in range(121)]
    return [(x, f(x)) for x in xs]


def _seen(points: Sequence[Sequence[float]], plot: _Plot) -> list[list[tuple[float, float]]]:
    """What of a path lies in the rectangle of a plot: its pieces, cut at the edges."""
    pieces: list[list[tuple[float, float]]] = []
    for (u, v), (u1, v1) in pairwise(points):
        begin, end = 0.0, 1.0 if math.isfinite(u1 + v1) else -1.0
        for at, to, low, high in ((u, u1, plot.x0, plot.x1), (v, v1, plot.y0, plot.y1)):
            if at != to:
                first, last = sorted([(low - at) / (to - at), (high - at) / (to - at)])
                begin, end = max(begin, first), min(end, last)
            elif not low <= at <= high:
                end = -1.0
        if begin <= end:
            piece = [(u + t * (u1 - u), v + t * (v1 - v)) for t in (begin, end)]
            if pieces and begin == 0.0:
                pieces[-1].append(piece[1])
            else:
                pieces.append(piece)
    return pieces


def secants(f: Callable[[float], float], x: float, steps: Sequence[float]) -> str:
    """f around x, with lines through (x, f(x)) and (x + h, f(x + h)) for each h."""
    reach = 1.25 * max(map(abs, steps))
    low, high = x - 0.6 * reach, x + reach
    curve = _samples(f, low, high)
    plot = _Plot(low, high, min(y for _, y in curve), max(y for _, y in curve))
    plot.line(curve, BLUE)
    entries = [("f", BLUE)]
    shades = [ORANGE, "#e8590c", "#c2255c", "#862e9c"]
    for h, colour in zip(steps, shades, strict=False):
        slope = (f(x + h) - f(x)) / h
        ends = [x - 0.3 * reach, x + reach]
        line = [(t, f(x) + slope * (t - x)) for t in ends]
        plot.line(line, colour, 'stroke-dasharray="6 4"')
        plot.dot(x + h, f(x + h), colour)
        entries.append((f"h = {h:g}, slope {slope:.3g}", colour))
    plot.dot(x, f(x), BLUE)
    plot.legend(entries)
    return plot.svg()


def tangent(f: Callable[[Any], Value], x: Value, reach: float = 4.0) -> str:
    """f, of a Value, around 0, and its tangent at x; the slope is what `grad` finds."""
    at = x.data
    slope, height = grad(f)(at), f(x).data
    low, high = min(-reach, at - 0.5), max(reach, at + 0.5)
    curve = [(t, y) for t, y in _samples(lambda t: f(Value(t)).data, low, high) if math.isfinite(y)]
    plot = _Plot(low, high, min(y for _, y in curve), max(y for _, y in curve))
    plot.line(curve, BLUE)
    third = (high - low) / 6
    plot.line([(t, height + slope * (t - at)) for t in (at - third, at + third)], ORANGE)
    plot.dot(at, height, ORANGE)
    plot.legend([("f", BLUE), (f"x = {at:g}, slope {slope:.4g}", ORANGE)])
    return plot.svg()


def descent(f: Callable[[float], float], path: Sequence[float], low: float | None = None) -> str:
    """f, and the points that a descent visited, joined; from `low` on, if it is given."""
    reach = 1.15 * max(abs(max(path)), abs(min(path)), 1e-9)
    if low is None:
        low = min(-0.4 * reach, min(path) - 0.1 * reach)
    high = max(reach, 0.4 * reach)
    curve = _samples(f, low, high)
    plot = _Plot(low, high, min(y for _, y in curve), max(y for _, y in curve))
    plot.line(curve, BLUE)
    plot.line([(x, f(x)) for x in path], ORANGE, 'stroke-dasharray="5 3"')
    for x in path:
        plot.dot(x, f(x), ORANGE)
    return plot.svg()


def fits(points: Sequence[tuple[float, float]], **polynomials: Sequence[float]) -> str:
    """Points, and polynomials by their weights, the constant first; cut where the points end."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    margin = 0.3 * (max(ys) - min(ys))
    plot = _Plot(min(xs), max(xs), min(ys) - margin, max(ys) + margin)
    colours = (GREEN, BLUE, ORANGE)
    for weights, colour in zip(polynomials.values(), colours, strict=False):

        def p(x: float, weights: Sequence[float] = weights) -> float:
            y = sum(w * x**k for k, w in enumerate(weights))
            return min(max(y, plot.y0), plot.y1)

        plot.line(_samples(p, plot.x0, plot.x1), colour)
    for x, y in points:
        plot.dot(x, y, "currentColor")
    plot.legend(list(zip(polynomials, colours, strict=False)))
    return plot.svg()


def curves(**series: Sequence[float]) -> str:
    """Each series of numbers over its steps, under its name."""
    length = max(map(len, series.values()))
    numbers = [y for ys in series.values() for y in ys]
    plot = _Plot(0, length - 1, min(numbers), max(numbers))
    for ys, colour in zip(series.values(), (BLUE, ORANGE, GREEN), strict=False):
        plot.line(list(enumerate(ys)), colour)
    names = zip(series, (BLUE, ORANGE, GREEN), strict=False)
    plot.legend([(name.replace("_", " "), colour) for name, colour in names], right=True)
    return plot.svg()


def plane(
    f: Callable[[float, float], float],
    x: tuple[float, float],
    y: tuple[float, float],
    levels: Sequence[float],
    dots: Sequence[tuple[float, float, bool]] = (),
    **paths: Sequence[Sequence[float]],
) -> str:
    """f over a rectangle, darker with each level that it is above; on it dots and named paths.

    What of a path lies outside is left out.
    """
    plot = _Plot(*x, *y)
    columns, rows = 78, 36
    wide, high = (plot.x1 - plot.x0) / columns, (plot.y1 - plot.y0) / rows
    for j in range(rows):
        v = plot.y0 + (j + 0.5) * high
        bands = [
            sum(f(plot.x0 + (i + 0.5) * wide, v) > level for level in levels)
            for i in range(columns)
        ]
        at = 0
        for band, run in groupby(bands):
            length = len(list(run))
            left, top = plot.px(plot.x0 + at * wide), plot.py(v + high / 2)
            width = plot.px(plot.x0 + (at + length) * wide) - left
            if band:
                plot.parts.append(
                    f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
                    f'height="{plot.py(v - high / 2) - top:.1f}" fill="{BLUE}" '
                    f'fill-opacity="{0.5 * band / len(levels):.2f}" shape-rendering="crispEdges"/>'
                )
            at += length
    for u, v, which in dots:
        plot.dot(u, v, ORANGE if which else GREEN)
    colours = (ORANGE, "#c2255c", GREEN)
    for points, colour in zip(paths.values(), colours, strict=False):
        for part in _seen(points, plot):
            plot.line(part, colour)
        for u, v in points:
            if plot.x0 <= u <= plot.x1 and plot.y0 <= v <= plot.y1:
                plot.dot(u, v, colour)
    plot.legend(list(zip(paths, colours, strict=False)), right=True)
    return plot.svg()
