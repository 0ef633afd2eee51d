"""How arrays are written: in columns, abbreviated when large, and as code that makes them again."""

from __future__ import annotations

import math
import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, arange, use_backend, zeros
from tests.array.helpers import assert_close, nested

nan, inf = math.nan, math.inf
TEXTS: list[tuple[Callable[[], MLArray], str]] = [
    (lambda: MLArray(3), "MLArray(3.)"),
    (lambda: MLArray(nan), "MLArray(nan)"),
    (lambda: MLArray([1, 2, 3]), "MLArray([1., 2., 3.])"),
    (lambda: MLArray([1.5, -2.25, 100]), "MLArray([  1.50,  -2.25, 100.00])"),
    (lambda: MLArray([[1, 2], [3, 4.5]]), "MLArray([[1.0, 2.0],\n         [3.0, 4.5]])"),
    (lambda: MLArray([[0.5], [-0.25]]), "MLArray([[ 0.50],\n         [-0.25]])"),
    (
        lambda: arange(8).reshape(2, 2, 2),
        "MLArray([[[0., 1.],\n          [2., 3.]],\n\n         [[4., 5.],\n          [6., 7.]]])",
    ),
    (
        lambda: arange(8).reshape(2, 2, 1, 2),
        (
            "MLArray([[[[0., 1.]],\n\n          [[2., 3.]]],\n\n\n"
            "         [[[4., 5.]],\n\n          [[6., 7.]]]])"
        ),
    ),
    (lambda: MLArray([1 / 3, 2 / 3]), "MLArray([0.3333, 0.6667])"),
    (lambda: MLArray([-0.0, 0.0]), "MLArray([-0.,  0.])"),
    (lambda: MLArray([nan, inf, 1]), "MLArray([nan, inf,  1.])"),
    (lambda: MLArray([1e-5, nan, -inf]), "MLArray([1.0000e-05,        nan,       -inf])"),
    (lambda: MLArray([1e10, 1]), "MLArray([1.0000e+10, 1.0000e+00])"),
    (lambda: MLArray([1e300, -1e-300]), "MLArray([ 1.0000e+300, -1.0000e-300])"),
    (lambda: MLArray([12345678.9]), "MLArray([12345678.9])"),
    (lambda: zeros(0), "MLArray([], shape=(0,))"),
    (lambda: zeros(2, 0, 3), "MLArray([], shape=(2, 0, 3))"),
    (lambda: MLArray([1, -2], dtype="int64"), "MLArray([ 1, -2], requires_grad=False)"),
    (lambda: MLArray([1, 0], dtype="bool"), "MLArray([ True, False], requires_grad=False)"),
    (lambda: MLArray(7, dtype="int64"), "MLArray(7, requires_grad=False)"),
    (lambda: MLArray([1.0], requires_grad=False), "MLArray([1.], requires_grad=False)"),
    (lambda: MLArray([[1.0, 2.0]]).T[::-1], "MLArray([[2.],\n         [1.]])"),
    (
        lambda: arange(2000),
        "MLArray([   0.,    1.,    2., ..., 1997., 1998., 1999.], shape=(2000,))",
    ),
    (
        lambda: arange(3000).reshape(50, 60),
        (
            "MLArray([[   0.,    1.,    2., ...,   57.,   58.,   59.],\n"
            "         [  60.,   61.,   62., ...,  117.,  118.,  119.],\n"
            "         [ 120.,  121.,  122., ...,  177.,  178.,  179.],\n"
            "         ...,\n"
            "         [2820., 2821., 2822., ..., 2877., 2878., 2879.],\n"
            "         [2880., 2881., 2882., ..., 2937., 2938., 2939.],\n"
            "         [2940., 2941., 2942., ..., 2997., 2998., 2999.]], shape=(50, 60))"
        ),
    ),
    (
        lambda: zeros(3, 400, requires_grad=False),
        (
            "MLArray([[0., 0., 0., ..., 0., 0., 0.],\n"
            "         [0., 0., 0., ..., 0., 0., 0.],\n"
            "         [0., 0., 0., ..., 0., 0., 0.]], shape=(3, 400), requires_grad=False)"
        ),
    ),
]


@pytest.mark.parametrize(("make", "text"), TEXTS, ids=[t for _, t in TEXTS])
def test_texts(backend: str, make: Callable[[], MLArray], text: str) -> None:
    x = make()
    assert repr(x) == text
    assert str(x) == f"{x}" == text


def test_float32_says_so() -> None:
    pytest.importorskip("numpy")
    with use_backend("numpy"):
        x = MLArray([1.0, 0.5], dtype="float32")
        assert repr(x) == "MLArray([1.0, 0.5], dtype='float32')"
        again = eval(repr(x))
        assert (again.dtype, again.to_list()) == (x.dtype, x.to_list())
        assert repr(x.detach()).endswith("dtype='float32', requires_grad=False)")


def test_it_shows_what_an_array_holds_now(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    window, result = x[::-1], x * 2.0
    x.data[0].data = 5.0
    result.data[1].data = 7.0
    assert repr(x) == "MLArray([5., 2.])"
    assert repr(window) == "MLArray([2., 5.])"
    assert repr(result) == "MLArray([2., 7.])"


def test_one_number_can_be_formatted(backend: str) -> None:
    assert f"{MLArray(3.14159):.2f}" == "3.14"
    assert f"{MLArray([[2.5]]):6.1f}" == "   2.5"
    assert f"{MLArray(0.25).sum():.0%}" == "25%"


shapes = st.lists(st.integers(1, 4), max_size=4).map(tuple)
shown_exactly = st.integers(-(10**6), 10**6).map(lambda n: n / 10**4)


@given(data=st.data(), shape=shapes, requires_grad=st.booleans())
def test_a_small_array_is_written_as_code_that_makes_it_again(
    backend: str, data: st.DataObject, shape: tuple[int, ...], requires_grad: bool
) -> None:
    size = math.prod(shape)
    numbers = data.draw(st.lists(shown_exactly, min_size=size, max_size=size))
    # numbers of very different size are written with five digits only
    small = [abs(n) for n in numbers if n]
    x = MLArray(nested(numbers, shape), requires_grad=requires_grad)
    again = eval(repr(x))
    exact = not small or max(small) / min(small) <= 1e6
    assert_close(again, x, 0.0 if exact else 1e-4, 0.0)
    assert again.requires_grad == requires_grad


@given(
    # a little below the largest float, which rounds to inf
    numbers=st.lists(st.floats() | st.floats(-1e307, 1e307), min_size=6, max_size=6).filter(
        lambda ns: not any(1e307 < abs(n) < math.inf for n in ns)
    ),
    shape=st.sampled_from([(6,), (2, 3), (3, 2), (1, 2, 3), (2, 3, 1)]),
)
def test_any_numbers_stand_in_columns(
    backend: str, numbers: list[float], shape: tuple[int, ...]
) -> None:
    x = MLArray(nested(numbers, shape))
    text = repr(x)
    rows = re.findall(r"\[([^\[\]]+)\]", text)
    assert len(rows) == math.prod(shape[:-1])
    assert len({len(row) for row in rows}) == 1
    items = [item for row in rows for item in row.split(",")]
    for item, number in zip(items, numbers, strict=True):
        shown = float(item)
        assert math.isnan(shown) == math.isnan(number)
        assert math.isnan(number) or math.isclose(shown, number, rel_tol=1e-4, abs_tol=5.1e-5)


def test_the_edges_are_all_that_is_listed(backend: str) -> None:
    x = zeros((300, 400))
    tracemalloc.start()
    try:
        repr(x)
        assert tracemalloc.get_traced_memory()[1] < 120_000  # a byte for each would be
    finally:
        tracemalloc.stop()


@settings(max_examples=40)
@given(shape=st.lists(st.integers(1, 20), min_size=1, max_size=4).map(tuple))
def test_large_arrays_are_abbreviated(backend: str, shape: tuple[int, ...]) -> None:
    size = math.prod(shape)
    text = repr(arange(size).reshape(shape))
    large = size > 1000
    assert ("..." in text) == (large and max(shape) > 6)
    assert (f"shape={shape}" in text) == large
    shown = [float(n) for n in re.findall(r"\d+\.(?!\.)", text.split(", shape")[0])]
    assert len(shown) == math.prod(min(n, 6) if large else n for n in shape)
    edges = [*range(3), *range(-3, 0)]
    kept: Any = [[i % n for i in edges] if large and n > 6 else list(range(n)) for n in shape]
    want = [0]
    for n, places in zip(shape, kept, strict=True):
        want = [w * n + i for w in want for i in places]
    assert shown == want


def test_a_single_number_is_formatted_as_a_float(backend: str) -> None:
    assert f"{MLArray(2.0 / 3.0, backend=backend):8.3f}|" == "   0.667|"
    x = MLArray([1.0, 2.0], backend=backend)
    assert f"{x}" == str(x)
    with pytest.raises(ValueError, match="expected one element, got 2"):
        format(x, ".3f")
