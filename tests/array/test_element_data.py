"""Every element is a Value: the numbers that it shows and takes, and `x.data[i][j] = v`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, ShapeError, zeros
from smolml_value import Value
from tests.array import kinds
from tests.array.helpers import assert_close, flat, gradient
from tests.array.kinds import WEIGHTS, every_kind

# Numbers -------------------------------------------------------------------------------------


@every_kind
def test_data_set_on_an_element_is_seen(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    view = x.T[1]
    x.data[1][1].data = 5.0
    assert x.data[1][1].data == 5.0
    assert x.to_list()[1][1] == 5.0
    assert (x * 2.0).to_list()[1][1] == 10.0
    assert view.to_list()[1] == 5.0
    assert x.T.to_list()[1][1] == 5.0
    assert view.data[1] is x.data[1][1]
    assert (view.data[1] * 1.0).data == 5.0
    before = x.sum().item()
    x.data[0][0].data += 1.0
    assert_close(x.sum().item(), before + 1.0)


@every_kind
def test_what_was_recorded_keeps_its_numbers(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    old = flat(x.to_list())
    y = x * x
    kept = y.to_list()
    z = y.exp()
    x.data[0][0].data = 100.0
    y.data[0][1].data = -100.0
    z.data[0][2].data = 1e9
    assert y.to_list()[0][0] == kept[0][0]
    z.sum().backward()
    assert_close(gradient(x), [2.0 * v * math.exp(v * v) for v in old])


def test_data_set_in_a_view_is_set_in_the_array(backend: str) -> None:
    x = MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    x.T[2, 1:].data[0].data = 60.0
    x[:, ::-1].data[0][0].data = 30.0
    assert x.to_list() == [[1.0, 2.0, 30.0], [4.0, 5.0, 60.0]]


def test_data_as_a_whole_can_be_set(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    first, view = x.data[0][0], x.T
    x.data = [[5.0, 6.0], [7.0, 8]]
    assert x.to_list() == [[5.0, 6.0], [7.0, 8.0]]
    assert view.to_list() == [[5.0, 7.0], [6.0, 8.0]]
    assert first is x.data[0][0]
    assert first.data == 5.0
    (x * x).sum().backward()
    assert x.grad().to_list() == [[10.0, 12.0], [14.0, 16.0]]
    assert first.grad == 10.0


def test_data_set_as_values_sends_them_gradients(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    v = Value(3.0)
    x.data = [v, 4.0]
    (x * x).sum().backward()
    assert v.grad == 6.0
    assert gradient(x) == [6.0, 8.0]


def test_data_set_as_an_array_sends_it_gradients(backend: str) -> None:
    x, w = MLArray([1.0, 2.0]), MLArray([3.0, 4.0])
    x.data = w * 2.0
    assert x.to_list() == [6.0, 8.0]
    (x * x).sum().backward()
    assert gradient(w) == [24.0, 32.0]


@pytest.mark.parametrize(
    "make", [kinds.inner, kinds.of_results, kinds.of_values], ids=lambda f: f.__name__
)
def test_data_set_on_a_result_cuts_it_off(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    x.data = WEIGHTS
    x.sum().backward()
    assert x.to_list() == WEIGHTS
    assert gradient(x) == [1.0] * 6


@pytest.mark.parametrize("new", [[1.0], [[1.0], [2.0]], 3.0, []])
def test_data_of_another_shape_is_refused(backend: str, new: Any) -> None:
    x = MLArray([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"MLArray.data: expected the shape \(2,\), got"):
        x.data = new
    assert x.to_list() == [1.0, 2.0]


# Setting items of x.data ---------------------------------------------------------------------


@every_kind
def test_a_number_set_in_a_row(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    row = x.data[1]
    row[2] = 5
    assert x.to_list()[1][2] == 5.0
    assert row[2] is x.data[1][2]
    assert row[2].data == 5.0
    x.data[0][-1] = 6.0
    assert x.to_list()[0][2] == 6.0
    assert x.T.to_list()[2] == [6.0, 5.0]


@every_kind
def test_a_value_set_in_a_row(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    v = Value(5.0)
    x.data[1][2] = v * v
    assert x.to_list()[1][2] == 25.0
    (x * WEIGHTS).sum().backward()
    assert_close(v.grad, 10.0 * WEIGHTS[1][2])
    assert_close(x.grad(), WEIGHTS)


def test_a_row_can_be_set_as_a_whole(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    v = Value(7.0)
    x.data[0] = [v, 8.0]
    x.data[1][:] = [9.0, 10.0]
    assert x.to_list() == [[7.0, 8.0], [9.0, 10.0]]
    x.sum().backward()
    assert v.grad == 1.0
    rows = x.data
    assert rows[1] == [9.0, 10.0]


def test_the_rows_have_a_fixed_length(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    row: Any = x.data[0]
    changes: list[Callable[[], object]] = [
        *(lambda: row.append(1.0), lambda: row.extend([1.0]), lambda: row.insert(0, 1.0)),
        *(row.pop, row.clear, row.sort, row.reverse, lambda: row.remove(1.0)),
        *(lambda: row.__delitem__(0), lambda: row.__iadd__([1.0]), lambda: row.__imul__(2)),
    ]
    for change in changes:
        with pytest.raises(TypeError, match=r"x\.data: the rows of an array have a fixed length"):
            change()
    with pytest.raises(IndexError):
        row[2] = 1.0
    with pytest.raises(ValueError):
        row[:] = [1.0, 2.0, 3.0]
    assert x.to_list() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3), (2, 0, 3)])
def test_an_empty_array_has_no_elements(backend: str, shape: tuple[int, ...]) -> None:
    x = zeros(shape)
    assert flat(x.data) == []
    assert len(x.data) == shape[0]
    x.sum().backward()
    assert x.grad().shape == shape
