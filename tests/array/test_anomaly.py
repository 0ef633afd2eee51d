"""detect_anomaly on arrays: shapes, indices, what is kept."""

from __future__ import annotations

import gc

import pytest

from smolml_array import MLArray, stack
from smolml_value import AnomalyError, Value, detect_anomaly, no_grad
from smolml_value._anomaly.source import _lines


def test_the_message_in_forward(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [0.0, -1.0]])
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        (x * 1.0) / MLArray([[1.0], [0.0]])
    first, left, right, place = str(caught.value).splitlines()
    assert first == "divide: the result is nan at index [1, 0]"
    assert left == "  operand 0: an array of shape (2, 2), 0.0 at index [1, 0]"
    assert right == "  operand 1: an array of shape (2, 1), 0.0 at index [1, 0]"
    assert place.endswith(": (x * 1.0) / MLArray([[1.0], [0.0]])")


def test_the_message_in_backward(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [0.0, 4.0]])
    x.label = "x"
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        (x.sqrt() * 2.0).sum().backward()
    lines = str(caught.value).splitlines()
    assert lines[:3] == [
        "sqrt: in backward its cotangent for operand 0 (x) is inf at index [1, 0]",
        "  operand 0: an array of shape (2, 2) (x)",
        "  cotangent of the result: an array of shape (2, 2)",
    ]
    assert lines[3].startswith("  the node was made at ")
    assert len(lines) == 4


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3)])
def test_shapes_at_the_edge(backend: str, shape: tuple[int, ...]) -> None:
    x = MLArray(-1.0).broadcast_to(shape)
    empty = 0 in shape
    with detect_anomaly():
        if empty:
            assert x.log().shape == shape
            (x * 2.0).sum().backward()
        else:
            with pytest.raises(AnomalyError, match="log: the result is nan"):
                x.log()


def test_integers_and_booleans_are_left_alone(backend: str) -> None:
    with detect_anomaly():
        x = MLArray([1, 2, 3], dtype="int64")
        assert ((x + 1) * 2).to_list() == [4, 6, 8]
        assert (x > 2).to_list() == [False, False, True]
        assert x.argmax().item() == 2


def test_constants_and_no_grad_are_looked_at(backend: str) -> None:
    x = MLArray([0.0, 1.0], requires_grad=False)
    with detect_anomaly():
        with pytest.raises(AnomalyError, match="log"):
            x.log()
        with no_grad(), pytest.raises(AnomalyError, match="sum"):
            (x + 1e308).sum()


def test_data_that_was_given(backend: str) -> None:
    x = MLArray([[1.0, float("inf")]])
    with detect_anomaly():
        assert x.to_list() == [[1.0, float("inf")]]
        assert (1.0 / x).to_list() == [[1.0, 0.0]]
        with pytest.raises(AnomalyError, match=r"operand 0 was inf at index \[0, 1\] before: it w"):
            x * 2.0
        with pytest.raises(AnomalyError, match=r"operand 1 was nan before: a constant"):
            (1.0 / x) * float("nan")
    y = x * 2.0
    with detect_anomaly(), pytest.raises(AnomalyError, match="made by multiply outside detect_ano"):
        y.sum()


def test_a_part_of_data_that_was_given(backend: str) -> None:
    x = MLArray([1.0] * 99 + [float("inf")], backend=backend)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"operand 0 was inf at index \[99\]"):
        x[98:]


def test_sums_of_cotangents(backend: str) -> None:
    x = MLArray([0.0, 1e-300])
    with detect_anomaly(), pytest.raises(AnomalyError, match="leaf: in backward the cotangent"):
        (x * 1e308 + x * 1e308).sum().backward()
    assert x.grad().to_list() == [0.0, 0.0]


def test_lines_go_with_their_nodes(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    gc.collect()
    before = len(_lines)
    with detect_anomaly():
        y = ((x * 2.0) @ x).tanh()
        assert len(_lines) == before + 3
        y.backward()
        rows = stack([x, x])
        assert rows.shape == (2, 2)
        assert len(_lines) == before + 4
    outside = x * 3.0
    assert len(_lines) == before + 4
    del y, rows, outside
    assert len(_lines) == before


def test_mixed_graphs(backend: str) -> None:
    """A fault in Values beneath an array, and in an array beneath Values."""
    v = Value(0.0)
    with detect_anomaly():
        root = v.sqrt()
        with pytest.raises(AnomalyError) as caught:
            (MLArray([root, 1.0]) * 2.0).sum().backward()
        assert (caught.value.op, caught.value.code) == ("sqrt", "root = v.sqrt()")
        x = MLArray([0.0, 1.0])
        roots = x.sqrt()
        with pytest.raises(AnomalyError) as caught:
            (roots.data[0] * 2.0 + v).backward()
        assert (caught.value.op, caught.value.code) == ("sqrt", "roots = x.sqrt()")
        (roots.data[1] * 2.0 + v).backward()
    assert v.grad == 1.0
    assert x.grad().to_list() == [0.0, 1.0]


def test_float32_overflows_earlier() -> None:
    pytest.importorskip("numpy")
    x = MLArray([1.0], dtype="float32", backend="numpy")
    with detect_anomaly():
        (x * 1.0).astype("float64") * 1e300
        with pytest.raises(AnomalyError, match=r"^multiply"):
            x * 1e30 * 1e30
        y = (x * 1.0).astype("float64") * 1e300
        with pytest.raises(AnomalyError) as caught:
            y.sum().backward()
    assert caught.value.direction == "backward"
