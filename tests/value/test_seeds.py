"""What both lessons promise of Value: its fields, the trail of operations, the worked example."""

from __future__ import annotations

import pytest

from smolml_value import Value, ops


@pytest.fixture
def example() -> tuple[Value, Value, Value, Value, Value]:
    """The example of the lessons: y = a * b + c."""
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    d = a * b
    return a, b, c, d, d + c


Example = tuple[Value, Value, Value, Value, Value]


def test_a_value_starts_with_its_number_and_no_gradient() -> None:
    v = Value(5.0)
    assert v.data == 5.0
    assert v.grad == 0
    assert v._op == ""
    assert v._prev == set()
    assert v._children == ()
    assert v.label == ""


def test_the_trail_knows_operations_and_operands(example: Example) -> None:
    a, b, c, d, y = example
    assert d._op == "*"
    assert d._prev == {a, b}
    assert d._children == (a, b)
    assert y._op == "+"
    assert y._prev == {d, c}
    assert y._children == (d, c)
    assert (d.data, y.data) == (6.0, 10.0)


def test_backward_gives_the_numbers_of_the_lessons(example: Example) -> None:
    a, b, c, d, y = example
    y.backward()
    assert (a.grad, b.grad, c.grad) == (3.0, 2.0, 1.0)
    assert (y.grad, d.grad) == (1.0, 1.0)


def test_the_walk_by_hand_step_by_step(example: Example) -> None:
    a, b, c, d, y = example
    y.grad = 1
    y._backward()
    assert (d.grad, c.grad) == (1.0, 1.0)
    assert (a.grad, b.grad) == (0.0, 0.0)
    d._backward()
    assert a.grad == 3.0 * 1
    assert b.grad == 2.0 * 1


def test_one_step_adds_to_what_is_there(example: Example) -> None:
    a, b, _, d, _ = example
    a.grad, b.grad, d.grad = 10.0, 20.0, 0.5
    d._backward()
    assert a.grad == 10.0 + 3.0 * 0.5
    assert b.grad == 20.0 + 2.0 * 0.5


def test_the_step_of_a_leaf_does_nothing() -> None:
    v = Value(2.0)
    v.grad = 3.0
    v._backward()
    assert v.grad == 3.0


def test_the_walk_by_hand_through_every_kind_of_node() -> None:
    def build(x: Value, w: Value) -> list[Value]:
        """The nodes of a small net in the order in which they were made."""
        nodes = [x * w]
        nodes.append(nodes[-1] + 0.5)
        nodes.append(nodes[-1].tanh())
        nodes.append(nodes[-1] ** 2)
        nodes.append(2.0 - nodes[-1])
        nodes.append(nodes[-1] / w)
        nodes.append(ops.where(1.0, nodes[-1], w))  # of three operands
        nodes.append(nodes[-1] * nodes[-1])
        return nodes

    x, w = Value(0.7), Value(-1.3)
    build(x, w)[-1].backward()
    by_hand = Value(0.7), Value(-1.3)
    nodes = build(*by_hand)
    nodes[-1].grad = 1.0
    for node in reversed(nodes):
        node._backward()
    assert [v.grad for v in by_hand] == pytest.approx([x.grad, w.grad], rel=1e-15)


def test_the_operations_named_in_the_lessons() -> None:
    v = Value(2.0)
    made = [v + v, v - v, v * v, v / v, v**v, v.exp(), v.log(), v.tanh()]
    assert [m._op for m in made] == ["+", "-", "*", "/", "**", "exp", "log", "tanh"]
    assert all(m._prev == {v} for m in made)


def test_operands_that_are_numbers_leave_no_trail() -> None:
    v = Value(2.0)
    for made in (v + 1, 1 + v, v - 1, 1 - v, v * 3, 3 * v, v / 4, 4 / v, v**2, 2**v):
        assert made._children == (v,)


def test_gradients_tell_how_sensitive_the_output_is(example: Example) -> None:
    *_, y = example
    y.backward()
    h = 2.0**-10
    assert ((2.0 + h) * 3.0 + 4.0 - y.data) / h == example[0].grad
    assert (2.0 * (3.0 + h) + 4.0 - y.data) / h == example[1].grad
    assert (2.0 * 3.0 + (4.0 + h) - y.data) / h == example[2].grad


def test_gradient_descent_lowers_a_loss() -> None:
    # The point of it all: step against the gradient, and the loss goes down.
    w = Value(0.0)
    losses = []
    for _ in range(50):
        loss = (w * 2.0 - 6.0) ** 2
        w.grad = 0.0
        loss.backward()
        losses.append(loss.data)
        w.data -= 0.05 * w.grad
    assert losses == sorted(losses, reverse=True)
    assert w.data == pytest.approx(3.0, abs=1e-6)
