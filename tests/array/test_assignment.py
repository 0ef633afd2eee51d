"""Assigning over results, inside no_grad, and through windows: no gradient is wrong in silence."""

from __future__ import annotations

import pytest

from smolml_array import MLArray, ShapeError, ones
from smolml_value import Value, no_grad
from tests.array.helpers import gradient

# Numbers over results ------------------------------------------------------------------------


@pytest.mark.parametrize("through", ["itself", "a window", "data", "data of a window"])
def test_numbers_over_an_array_of_results(backend: str, through: str) -> None:
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    product = a * b
    x = MLArray([[product, c]])
    if through == "itself":
        x[0, 0] = 5.0
    elif through == "a window":
        x.T[0] = 5.0
    elif through == "data":
        x.data[0][0] = 5.0
    else:
        x.T.data = [[5.0], [4.0]]
    assert x.to_list() == [[5.0, 4.0]]
    assert product.data == 6.0
    x.sum().backward()
    kept = 0.0 if through == "data of a window" else 1.0
    assert (a.grad, b.grad, c.grad) == (0.0, 0.0, kept)


def test_numbers_over_an_array_of_leaves_are_theirs(backend: str) -> None:
    v, w = Value(1.0), Value(2.0)
    x = MLArray([v, w])
    x[0] = 7.0
    assert v.data == 7.0
    (x * x).sum().backward()
    assert (v.grad, w.grad) == (14.0, 4.0)


def test_data_set_on_a_window_of_a_result_cuts_it_off(backend: str) -> None:
    p = MLArray([[1.0, 2.0]])
    y = p * 2.0
    y.T.data = [[7.0], [8.0]]
    assert y.to_list() == [[7.0, 8.0]]
    (y * y).sum().backward()
    assert gradient(p) == [0.0, 0.0]


def test_arrays_in_new_data_get_gradients(backend: str) -> None:
    p, x = MLArray([1.0, 2.0]), MLArray([[5.0, 6.0], [7.0, 8.0]])
    x.data = [p, p * 3.0]
    (x * x).sum().backward()
    assert gradient(p) == [2.0 + 18.0, 4.0 + 36.0]


# Inside no_grad ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["array", "element", "Value", "window", "data", "row of data"])
def test_a_leaf_assigned_to_inside_no_grad_stays_a_leaf(backend: str, how: str) -> None:
    w, other, v = MLArray([1.0, 2.0]), MLArray([5.0, 6.0]), Value(5.0)
    with no_grad():
        if how == "array":
            w[...] = other
        elif how == "element":
            w[0] = other[0]
        elif how == "Value":
            w[0] = v
        elif how == "window":
            w.T[0] = v
        elif how == "data":
            w.data = other
        else:
            w.data[0] = v
    assert w.to_list()[0] == 5.0
    assert w.requires_grad
    (w * 3.0).sum().backward()
    assert gradient(w) == [3.0, 3.0]
    assert gradient(other) == [0.0, 0.0]
    assert v.grad == 0.0


def test_a_window_looked_at_inside_no_grad_still_sends_gradients(backend: str) -> None:
    w = MLArray([[1.0, 2.0]])
    tied = w.T
    for step in range(3):
        w.restart()
        (tied * tied).sum().backward()
        assert gradient(w) == [2.0 * x for x in w.to_list()[0]]
        w[0, 0] = 5.0 + step
        with no_grad():  # an evaluation between two training steps
            assert (tied * 1.0).to_list() == [[5.0 + step], [2.0]]
    assert tied.requires_grad


def test_a_window_made_inside_no_grad_stays_a_constant(backend: str) -> None:
    w = MLArray([[1.0, 2.0]])
    with no_grad():
        shown = w.T
    w[0, 0] = 5.0
    assert shown.to_list() == [[5.0], [2.0]]
    assert not shown.requires_grad


# Gradients of windows ------------------------------------------------------------------------


def test_zero_grad_of_a_window_zeroes_its_elements(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    x[0].zero_grad()
    (x * x).sum().backward()
    x.T[1].zero_grad()
    assert x.grad().to_list() == [[2.0, 0.0], [6.0, 0.0]]
    assert x.data[1][1].grad == 0.0
    v, w = Value(1.0), Value(2.0)
    y = MLArray([[v, w]])
    (y * y).sum().backward()
    y.T[0].zero_grad()
    assert (v.grad, w.grad) == (0.0, 4.0)


def test_gradients_set_on_elements(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    x.data[0][1].grad = 0.0
    assert x.grad().to_list() == [[0.0, 0.0], [0.0, 0.0]]
    x.data[0][1].grad = 5.0
    (x * 1.0).sum().backward()
    assert x.grad().to_list() == [[1.0, 6.0], [1.0, 1.0]]
    x.data[0][1].grad = 0.0
    assert x.grad().to_list() == [[1.0, 0.0], [1.0, 1.0]]


# Arrays of different backends ----------------------------------------------------------------


def test_lists_of_arrays_of_different_backends(backend: str) -> None:
    pytest.importorskip("numpy")
    other = "pure" if backend == "numpy" else "numpy"
    p, q = MLArray([1.0, 2.0], backend=other), MLArray([3.0, 4.0])
    for x in (MLArray(p), MLArray([p, p * 2.0]), MLArray([[p[0], Value(3.0)]])):
        assert x.backend == other
        p.restart()
        x.sum().backward()
        assert p.grad().to_list()[0] > 0.0
    for refused in (
        lambda: MLArray([p, q]),
        lambda: MLArray([p, p], backend=backend),
        lambda: q + [p[0], p[1]],
        lambda: setattr(q, "data", p),
    ):
        with pytest.raises(ValueError, match=rf"'{other}'.*to_backend"):
            refused()
    assert q.update_values(p).to_list() == [1.0, 2.0]
    assert MLArray(p, backend=backend).backend == backend


# x -= y --------------------------------------------------------------------------------------


def test_inside_no_grad_a_leaf_is_changed_in_place(backend: str) -> None:
    """Gradient descent as in PyTorch: the same arrays go on being trained."""
    w, b = MLArray([[1.0], [2.0]]), MLArray([0.5])
    first, element = [w, b], w.data[1][0]
    x = MLArray([[1.0, 2.0], [3.0, -1.0]], requires_grad=False)
    losses = []
    for _ in range(3):
        loss = ((x @ w + b - 1.0) ** 2).sum()
        for p in first:
            p.zero_grad()
        loss.backward()
        with no_grad():
            for p in first:
                p -= p.grad() * 0.01  # changed in place
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)
    assert losses[2] < losses[0]
    assert first[0] is w
    assert first[1] is b
    assert w.requires_grad
    assert element.data == w[1, 0].item() != 2.0
    with no_grad():
        same = w
        w *= 2.0
        w += [[1.0], [1.0]]
        w /= MLArray(2.0)
    assert w is same
    assert element.data == w.to_list()[1][0]


def test_what_was_recorded_before_keeps_its_numbers(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = (x * x).sum()
    with no_grad():
        x += 10.0
    y.backward()
    assert gradient(x) == [2.0, 4.0]
    assert x.to_list() == [11.0, 12.0]


def test_in_place_through_windows(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    column = x[:, 0]
    with no_grad():
        column -= 1.0
        x[1] *= 10.0
        for row in x:
            row += 0.5  # changed in place
    assert x.to_list() == [[0.5, 2.5], [20.5, 40.5]]
    assert x.requires_grad
    (x * 2.0).sum().backward()
    assert gradient(x) == [2.0, 2.0, 2.0, 2.0]


def test_it_is_an_assignment_everywhere(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = x * 1.0
    same = y
    y += x
    assert (x.to_list(), y.to_list()) == ([1.0, 2.0], [2.0, 4.0])
    assert y is same
    y.sum().backward()
    assert gradient(x) == [2.0, 2.0]
    constant = MLArray([1.0], requires_grad=False)
    with no_grad():
        z, c = y, constant
        z *= 2.0  # the result of an operation
        c *= 2.0  # a constant
    assert (y.to_list(), z.to_list(), constant.to_list()) == ([4.0, 8.0], [4.0, 8.0], [2.0])
    assert not constant.requires_grad


def test_in_place_keeps_the_shape(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    with no_grad(), pytest.raises(ShapeError, match=r"shape \(2,\) .* shape \(3, 2\) in place"):
        x += ones((3, 2))
    with no_grad(), pytest.raises(TypeError):
        x += "a"
    assert x.to_list() == [1.0, 2.0]
