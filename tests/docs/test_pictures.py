"""Drawings of the guides show the numbers that they are given."""

from __future__ import annotations

import math
import re

import pytest

pytest.importorskip("smolml")

from docs.pictures import fits, plane, product
from smolml import MLArray

SOLID, DASHED = 'fill-opacity="0.16"', 'stroke-dasharray="4 3"'


def test_a_product_fills_one_row_one_column_and_their_number() -> None:
    a, b = MLArray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), MLArray([[1.0, 0.0], [0.5, 7.0]])
    svg = product(a, b, ("a", "b", "a @ b"), 1, 0)
    assert (svg.count(SOLID), svg.count(DASHED)) == (2 + 2 + 1, 6 + 4 + 6 - 5)
    solid = svg.split(SOLID)[-1]  # the last of them is the result's: 3 * 1 + 4 * 0.5
    assert ">5</text>" in solid[: solid.index("</text>") + 7]
    assert all(f">{text}</text>" in svg for text in ("a (3, 2)", "b (2, 2)", "a @ b (3, 2)"))
    with pytest.raises(ValueError, match=r"expected 2 axes of each, got \(3,\)"):
        product(MLArray([1.0, 2.0, 3.0]), b, ("a", "b", "c"), 0, 0)


def test_a_plane_is_dark_where_the_function_is_above_the_levels() -> None:
    half = plane(lambda x, y: x, (-1.0, 1.0), (-1.0, 1.0), [0.0])
    assert half.count("<rect") == 36  # of each row the right half, in one piece
    two = plane(lambda x, y: x, (-1.0, 1.0), (-1.0, 1.0), [0.0, 0.5])
    assert two.count('fill-opacity="0.25"') == two.count('fill-opacity="0.50"') == 36
    assert "<rect" not in plane(lambda x, y: 0.0, (-1.0, 1.0), (-1.0, 1.0), [0.0])


def test_a_plane_has_its_dots_and_paths() -> None:
    dots = [(0.0, 0.0, True), (0.5, 0.5, False)]
    path = [(-1.0, 0.0), (0.0, 0.0), (0.5, 0.0)]
    svg = plane(lambda x, y: 0.0, (-1.0, 1.0), (-1.0, 1.0), [0.0], dots, slow_walk=path)
    assert svg.count("<circle") == 2 + 3
    assert svg.count("<polyline") == 1
    assert ">slow_walk</text>" in svg


def test_a_path_is_cut_where_it_leaves_the_plane() -> None:
    inside, gone = [(-1.0, 0.0), (1.0, 0.5)], [(-1.0, 0.0), (3.0, 1.0), (math.inf, 0.0)]
    square = ((-1.0, 1.0), (-1.0, 1.0), [0.0])
    whole, cut = (plane(lambda x, y: 0.0, *square, path=path) for path in (inside, gone))
    line = re.search('points="[^"]*"', whole)
    assert line is not None
    assert line[0] in cut  # half of the way to (3, 1) is (1, 0.5)
    assert (whole.count("<circle"), cut.count("<circle")) == (2, 1)
    back = plane(lambda x, y: 0.0, *square, path=[(0.0, 0.0), (0.0, 2.0), (0.5, 2.0), (0.5, 0.0)])
    assert back.count("<polyline") == 2


def test_fits_draws_each_polynomial_through_its_points() -> None:
    svg = fits([(0.0, 0.0), (1.0, 1.0), (2.0, 4.0)], square=[0.0, 0.0, 1.0], far=[100.0])
    assert svg.count("<circle") == 3
    square, far = svg.split('<polyline points="')[1:]
    points = [tuple(map(float, p.split(","))) for p in square.split('"')[0].split()]
    for x, y in (points[0], points[60], points[-1]):
        assert f'cx="{x:.1f}" cy="{y:.1f}"' in svg
    assert len({p.split(",")[1] for p in far.split('"')[0].split()}) == 1  # cut at the edge
