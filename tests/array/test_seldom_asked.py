"""What few programs ask of arrays, on either backend, and what is refused in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, vmap
from smolml_array.backends import get_backend
from smolml_value import Value, custom_vjp, draw, elementwise
from tests.array.helpers import assert_close, numbers


def namespace(x: MLArray) -> Any:
    """The array API's functions for it."""
    return x.__array_namespace__()


# per case: what is asked of an array of shape (2, 3), its namespace and its backend, the error
REFUSED: dict[str, tuple[Callable[[Any, Any, Any], object], type[Exception], str]] = {
    "a stream": (
        lambda x, xp, raw: x.to_device("cpu", stream=1),
        ValueError,
        "to_device: the CPU has no streams, got 1",
    ),
    "a list that is not copied": (
        lambda x, xp, raw: xp.asarray([1.0], copy=False),
        ValueError,
        "asarray: copy=False, but a list must be copied",
    ),
    "an array of another dtype that is not copied": (
        lambda x, xp, raw: xp.asarray(x, dtype=xp.int64, copy=False),
        ValueError,
        "asarray: copy=False, but a MLArray must be copied",
    ),
    "axes that are no pairs": (
        lambda x, xp, raw: xp.tensordot(x, x, axes=([0, 1], [0])),
        ValueError,
        "tensordot: 2 axes of the left and 1 of the right: expected as many",
    ),
    "fewer than none": (
        lambda x, xp, raw: x.repeat([1, -1], axis=0),
        ValueError,
        r"repeat: a number of repeats is negative: .*expected >= 0",
    ),
    "negative repeats of a backend": (
        lambda x, xp, raw: raw.repeat(raw.asarray([1.0, 2.0]), raw.asarray([1, -1])),
        ValueError,
        "repeat|negative",
    ),
    "float positions of a backend": (
        lambda x, xp, raw: raw.take(raw.asarray([1.0, 2.0]), [0.5], axis=0),
        IndexError,
        "take: expected int64 indices, got float64",
    ),
    "elements that do not fill a shape": (
        lambda x, xp, raw: raw.from_flat([1.0, 2.0], (3,)),
        ValueError,
        "2 elements for shape|size 2 into shape",
    ),
    "the dtype of nothing": (
        lambda x, xp, raw: raw.result_type(),
        ValueError,
        "at least one array",
    ),
    "nothing to join": (
        lambda x, xp, raw: xp.concat([]),
        ValueError,
        "concat: expected at least one array, got none",
    ),
}


@pytest.mark.parametrize(("ask", "kind", "words"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_plain_words(
    ask: Callable[[Any, Any, Any], object], kind: type[Exception], words: str, backend: str
) -> None:
    x = MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with pytest.raises(kind, match=words):
        ask(x, namespace(x), get_backend(backend))


def test_a_complex_scalar_is_no_number(backend: str) -> None:
    np = pytest.importorskip("numpy")
    for wrong in ([np.complex128(1j)], [[1.0], [np.complex64(2.0)]]):
        with pytest.raises(TypeError, match=r"\[0\] is np.complex.*: expected a real number"):
            MLArray(wrong)


def test_small_integers_of_numpy_are_integers(backend: str) -> None:
    np = pytest.importorskip("numpy")
    xp = namespace(MLArray([1.0]))
    made = xp.asarray([[np.int8(1)], [np.uint16(2)]])
    assert (made.dtype, made.to_list()) == (xp.int64, [[1], [2]])


def test_no_positions_pick_nothing(backend: str) -> None:
    raw = get_backend(backend)
    assert raw.take(raw.asarray([1.0, 2.0]), [], axis=0).shape == (0,)


def test_a_rule_of_an_element_made_by_hand_may_read_and_set_its_gradient(backend: str) -> None:
    x = MLArray([3.0, 5.0])
    v = x.data[0]
    out = Value(v.data**2, (v,), "square")

    def step() -> None:
        v.grad = v.grad + 2.0 * v.data * out.grad

    out._backward = step
    (out * 4.0 + v).backward()
    assert x.grad().to_list() == [25.0, 0.0]
    (out * 4.0).backward()
    assert x.grad().to_list() == [49.0, 0.0]


def halved_below(xp: Any, x: Any) -> Any:
    """x where all of it is positive, else half of it."""
    return x * 1.0 if bool(xp.all(xp.greater(x, 0.0))) else 0.5 * x


@pytest.mark.parametrize("rows", [[[1.0], [2.0]], [[-1.0], [-2.0]], [[1.0], [-2.0]]])
def test_a_rule_that_asks_whether_is_answered_for_each_example(
    rows: list[list[float]], backend: str
) -> None:
    op = elementwise("halved_below", halved_below, (1.0,))
    found = vmap(op)(MLArray(rows))
    assert found.to_list() == [[v if v > 0.0 else 0.5 * v for v in row] for row in rows]


@pytest.mark.parametrize("own", ["partials", "vjp", "composite"])
def test_large_buffers_that_a_plugin_reads_are_kept(own: str, backend: str) -> None:
    """From 2**15 elements on what no rule reads is let go of; nobody knows what plugins read."""
    rules: dict[str, Any] = {
        "partials": {"partials": (lambda xp, out, x: 3.0 * xp.square(x),)},
        "vjp": {"vjp": lambda xp, g, out, x: (3.0 * g * xp.square(x),)},
        "composite": {},
    }
    cube = elementwise("cube", lambda xp, x: xp.multiply(xp.square(x), x), **rules[own])
    given = numbers(2**15)
    x = MLArray(given)
    cube(x.sin() * 2.0).sin().sum().backward()

    def slope(v: float) -> float:
        inner = 2.0 * math.sin(v)
        return math.cos(inner**3) * 3.0 * inner**2 * 2.0 * math.cos(v)

    assert_close(x.grad().to_list()[:50], [slope(v) for v in given[:50]], tol=1e-9)


def test_an_element_of_a_function_s_result_is_drawn_with_what_made_it(backend: str) -> None:
    @custom_vjp
    def doubled(x: Any) -> Any:
        return x * 2.0

    doubled.defvjp(lambda x: (x * 2.0, None), lambda kept, g: (g * 2.0,))
    x = MLArray([3.0, 5.0], label="x")
    y: Any = doubled(x)
    svg = draw(y.data[1] * 7.0).svg
    assert ">10<" in svg
    assert ">70<" in svg
