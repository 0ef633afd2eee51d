"""Every element is a Value: the gradients that it gets, shows and sends."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from smolml_array import MLArray
from smolml_value import GraphError, Value, no_grad
from tests.array import kinds
from tests.array.helpers import assert_close, filled, flat, gradient, values_of
from tests.array.kinds import WEIGHTS, every_kind

# Gradients -----------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("looks", ["", "before", "between", "after", "before between after"])
def test_the_grad_of_an_element_is_that_of_the_array(
    backend: str, make: Callable[[], MLArray], looks: str
) -> None:
    x = make()
    seen = [values_of(x)] if "before" in looks else []
    L = (x * x * x * WEIGHTS).sum()
    if "between" in looks:
        seen.append(values_of(x))
    L.backward()
    if "after" in looks:
        seen.append(values_of(x))
    now = x.data
    grads = x.grad().to_list()
    for i in range(2):
        for j in range(3):
            assert now[i][j].grad == grads[i][j]
            assert_close(grads[i][j], 3.0 * now[i][j].data ** 2 * WEIGHTS[i][j])
    for values in seen:
        assert all(a is b for a, b in zip(values, flat(now), strict=True))


def test_an_element_of_a_constant_has_no_backward(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    with no_grad():
        y = x * x
    for constant in (y, x.detach(), MLArray([1.0], requires_grad=False)):
        with pytest.raises(GraphError, match="depends on nothing that has a gradient"):
            constant.data[0].backward()
    x.data[0].backward()
    assert x.grad().to_list() == [1.0, 0.0]


def test_setting_the_gradient_of_one_element(backend: str) -> None:
    for number in (1.0, -2.0):
        x = MLArray([[1.0, 2.0]])  # it has no gradient yet
        x.data[0][1].grad = number
        assert x.grad().to_list() == [[0.0, number]]
        x.data[0][1].grad = 0.0
        assert x.grad().to_list() == [[0.0, 0.0]]


def test_looking_changes_no_gradient_upstream(backend: str) -> None:
    def upstream(look: bool) -> list[float]:
        x = filled((6,))
        y = x.sin()
        z = y.reshape(2, 3).T.exp()
        if look:
            values_of(x), values_of(y), values_of(z)
        (z * z).sum().backward()
        return gradient(x) + gradient(y) + gradient(z)

    assert upstream(False) == upstream(True)


@every_kind
def test_an_element_in_scalar_arithmetic_sends_its_gradient_to_the_array(
    backend: str, make: Callable[[], MLArray]
) -> None:
    x = make()
    a, b = x.data[0][1], x.data[1][2]
    (a * 3.0 + b.tanh() * a).backward()
    want = [0.0] * 6
    want[1] = 3.0 + math.tanh(b.data)
    want[5] = a.data * (1.0 - math.tanh(b.data) ** 2)
    assert_close(gradient(x), want)
    assert_close([v.grad for v in values_of(x)], want)


def test_scalar_arithmetic_on_the_elements_of_a_result_reaches_the_leaf(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    y = x * x
    (y.data[0] * y.data[2]).backward()
    assert gradient(y) == [9.0, 0.0, 1.0]
    assert gradient(x) == [18.0, 0.0, 6.0]


def test_scalar_and_array_paths_add_up(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    L = (x * x).sum().data + 5.0 * x.data[0][1] + x.T.data[1][0] * x.data[1][1]
    L.backward()
    assert x.grad().to_list() == [[2.0, 4.0 + 5.0 + 4.0], [6.0, 8.0 + 2.0]]
    assert L.data == 30.0 + 10.0 + 8.0


def test_an_element_as_an_operand_of_its_array(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    (x * x.data[1]).sum().backward()  # x0 x1 + x1 x1 + x2 x1
    assert gradient(x) == [2.0, 8.0, 2.0]


def test_all_elements_as_an_operand(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    (x * x.data).sum().backward()
    assert x.grad().to_list() == [[2.0, 4.0], [6.0, 8.0]]


@every_kind
def test_an_array_of_an_arrays_elements(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    y = MLArray(x.data)
    assert all(a is b for a, b in zip(values_of(x), values_of(y), strict=True))
    (y * WEIGHTS).sum().backward()
    assert_close(x.grad(), WEIGHTS)
    assert_close(y.grad(), WEIGHTS)


def test_gradients_reach_the_values_that_an_array_is_made_of(backend: str) -> None:
    a, b = Value(2.0), Value(3.0)
    x = MLArray([[a, b], [a * b, 7.0]])
    (x * [[1.0, 10.0], [100.0, 1000.0]]).sum().backward()
    assert (a.grad, b.grad) == (1.0 + 300.0, 10.0 + 200.0)
    assert x.grad().to_list() == [[301.0, 210.0], [100.0, 1000.0]]
    assert x.data[0][0] is a
    assert x.data[1][1].grad == 1000.0


def test_a_value_that_stands_twice_gets_both_gradients(backend: str) -> None:
    v = Value(3.0)
    x = MLArray([v, v, 1.0])
    assert x.data[0] is x.data[1] is v
    (x * [2.0, 5.0, 1.0]).sum().backward()
    assert v.grad == 7.0
    v.data = 4.0
    assert x.to_list() == [4.0, 4.0, 1.0]


def test_an_array_of_arrays_of_values(backend: str) -> None:
    v = Value(2.0)
    x = MLArray([[v, 1.0], [3.0, 4.0]])
    y = MLArray([x[0], x[1] * 2.0])
    (y * [[1.0, 10.0], [100.0, 1000.0]]).sum().backward()
    assert v.grad == 1.0
    assert x.grad().to_list() == [[1.0, 10.0], [200.0, 2000.0]]


@every_kind
def test_backward_on_the_value_of_the_loss_is_backward_on_the_loss(
    backend: str, make: Callable[[], MLArray]
) -> None:
    x, y = make(), make()
    (x * x * WEIGHTS).sum().backward()
    loss = (y * y * WEIGHTS).sum().data
    assert isinstance(loss, Value)
    loss.backward()
    assert gradient(x) == gradient(y)
    (x * x * WEIGHTS).sum().backward()
    loss.backward()
    assert gradient(x) == gradient(y)


def test_a_zero_d_array_has_one_value(backend: str) -> None:
    x = MLArray(3.0)
    assert isinstance(x.data, Value)
    assert x.data is x.data
    x.data.backward()
    assert x.grad().item() == x.data.grad == 1.0
    v = Value(2.0)
    assert MLArray(v).data is v


def test_the_grad_of_an_element_can_be_set(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    x.data[1][0].grad = 5.0
    assert x.grad().to_list() == [[0.0, 0.0], [5.0, 0.0]]
    (x * x).sum().backward()
    assert x.grad().to_list() == [[2.0, 4.0], [11.0, 8.0]]
    assert x.T.grad().to_list() == [[2.0, 11.0], [4.0, 8.0]]
    x.data[1][0].grad = 0.0
    assert x.grad().to_list() == [[2.0, 4.0], [0.0, 8.0]]


def test_an_element_tells_how_its_array_was_made(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = x.tanh()
    assert x.data[0]._op == ""
    assert y.data[0]._op == "tanh"
    assert x.sum().data._op == "sum"
    assert (x.data[0] * 2.0)._prev == {x.data[0]}


# Constants -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [kinds.leaf, kinds.transposed, kinds.sliced])
def test_the_elements_of_a_constant_get_no_gradient(
    backend: str, make: Callable[[], MLArray]
) -> None:
    source = make()
    c = MLArray(source.to_list(), requires_grad=False)
    w = MLArray([1.0, 2.0, 3.0])
    first = c.data[0][0]
    L = (c * w).sum().data + first * 3.0 + w.data[1] * c.T.data[1][0]
    L.backward()
    assert gradient(c) == [0.0] * 6
    assert first.grad == c.data[0][0].grad == 0.0
    assert first is c.data[0][0] is c.T.data[0][0]
    column = [a + b for a, b in zip(*c.to_list(), strict=True)]
    assert_close(gradient(w), [column[0], column[1] + c.to_list()[0][1], column[2]])
    assert not c.requires_grad


def test_the_data_of_a_constants_element_can_be_set(backend: str) -> None:
    c = MLArray([1.0, 2.0], requires_grad=False)
    c.data[0].data = 7.0
    assert c.to_list() == [7.0, 2.0]
    assert (c * 2.0).to_list() == [14.0, 4.0]
    assert not c.requires_grad


def test_elements_made_without_recording(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    with no_grad():
        first = x.data[0]
        y = x * 3.0
        assert (first * 2.0)._prev == set()
    assert first is x.data[0]
    (first * 2.0 + y.data[1]).backward()
    assert gradient(x) == [2.0, 0.0]
