"""x[key] and x[key] = v against NumPy: every form of key, the gradients, the numbers set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array import MLArray, use_backend
from smolml_value import Value
from tests.array.helpers import gradient
from tests.array.numeric import array, assert_same, cotangent, shapes


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Any key that NumPy takes for an array of this shape: basic, integers, masks, mixtures."""
    kind = draw(st.sampled_from(["basic", "integers", "mask", "mixed", "mixed"]))
    if kind == "basic":
        return draw(hnp.basic_indices(shape, max_dims=6, allow_newaxis=True, allow_ellipsis=True))
    if kind == "integers" and 0 not in shape and shape:
        return draw(hnp.integer_array_indices(shape, result_shape=shapes(2, 3)))
    if kind == "mask":
        axes = draw(st.integers(0, len(shape)))
        return draw(hnp.arrays(bool, shape[:axes]))
    parts: list[Any] = []
    together = draw(shapes(2, 3, min_side=1))  # index arrays broadcast
    masked = False
    for length in shape[: draw(st.integers(0, len(shape)))]:
        form = draw(st.sampled_from(["int", "slice", "slice", "array", "list", "mask", "None"]))
        if form == "None":
            parts.append(None)
        if form == "mask" and not masked:
            masked = True
            parts.append(draw(hnp.arrays(bool, length)))
        elif form in ("int", "array", "list") and length:
            places = st.integers(-length, length - 1)
            if form == "int":
                parts.append(draw(places))
            elif form == "list":
                parts.append(draw(st.lists(places, min_size=1, max_size=1)))
            else:
                parts.append(draw(hnp.arrays(np.int64, together, elements=places)))
        else:
            parts.append(draw(st.slices(length)))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    return tuple(parts)


def accepted(a: Any, key: Any) -> bool:
    """Whether NumPy itself can use this key (index arrays may not broadcast)."""
    try:
        a[key]
    except IndexError:
        return False
    return True


@settings(max_examples=150)
@given(data=st.data())
def test_getting(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(3, 4))
    a = array(shape)
    key = data.draw(keys(shape))
    x = MLArray(a)
    if not accepted(a, key):
        with pytest.raises(IndexError):
            x[key]
        return
    out = x[key]
    want = np.asarray(a[key])
    assert_same(out, want, 0.0, 0.0)
    weights = cotangent(want.shape)
    (out * weights).sum().backward()
    grads = np.zeros(shape)
    np.add.at(grads, key, weights)
    assert_same(x.grad(), grads)
    assert out.shape == want.shape


@settings(max_examples=150)
@given(data=st.data())
def test_setting(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(3, 4))
    a = array(shape)
    key = data.draw(keys(shape))
    if not accepted(a, key):
        with pytest.raises(IndexError):
            MLArray(a)[key] = 1.0
        return
    chosen = np.shape(a[key])
    # the value: the whole shape, or one that broadcasts to it
    lengths = tuple(1 if data.draw(st.booleans()) else n for n in chosen)
    given_shape = lengths[data.draw(st.integers(0, len(lengths))) :]
    v = array(given_shape, "value")
    form = data.draw(st.sampled_from(["array", "list", "constant", "ndarray"]))
    old, value = MLArray(a), MLArray(v)
    x = old * 1.0
    x[key] = {
        "array": value,
        "list": v.tolist() if v.size else v,
        "constant": MLArray(v, requires_grad=False),
        "ndarray": v,
    }[form]
    want = a.copy()
    want[key] = v
    assert_same(x, want, 0.0, 0.0)

    weights = cotangent(shape)
    (x * weights).sum().backward()
    # where each element came from, by the same assignment of positions
    source = np.full(shape, -1)
    source[key] = np.broadcast_to(np.arange(v.size).reshape(v.shape), chosen)
    assert_same(old.grad(), np.where(source == -1, weights, 0.0))
    if form == "array":
        grads = np.zeros(v.size)
        np.add.at(grads, source[source >= 0], weights[source >= 0])
        assert_same(value.grad(), grads.reshape(v.shape))


@settings(max_examples=60)
@given(data=st.data())
def test_setting_a_number_or_a_value(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(3, 4))
    a = array(shape)
    key = data.draw(keys(shape).filter(lambda k: accepted(a, k)))
    x, v = MLArray(a), Value(7.0)
    x[key] = 5
    want = a.copy()
    want[key] = 5.0
    assert_same(x, want, 0.0, 0.0)
    x[key] = v
    want[key] = 7.0
    assert_same(x, want, 0.0, 0.0)
    x.backward()
    assert v.grad == np.count_nonzero(want == 7.0)


# Forms of keys, one by one -------------------------------------------------------------------

FORMS: list[Any] = [
    *(0, -1, np.int64(1), (1, 2), (0, -1, 2), ..., None, (), slice(None), slice(3, None, -2)),
    *((..., 0), (0, ...), (None, ..., None), (slice(1), None, 1), slice(10, 20), slice(-1, -9, -1)),
    *([0, 1, 0], [-1], ([0, 1], [1, 0]), ([[0], [1]], [0, 2]), (slice(None), [2, 0]), ([1, 0], 1)),
    *(([0, 1], slice(None), [0, 1]), (0, slice(None), [1, 0]), ([0], ..., [[1]]), (None, [1])),
    *([], (slice(None), []), np.array([], dtype=int), [True, False], np.array([1], dtype=np.int8)),
    *(True, False, np.True_, (slice(None), [True, False, True]), np.array(1), np.uint8(1)),
]


@pytest.mark.parametrize("key", FORMS, ids=repr)
def test_forms_of_keys(backend: str, key: Any) -> None:
    a = array((2, 3, 4))
    x = MLArray(a)
    assert_same(x[key], np.asarray(a[key]), 0.0, 0.0)
    x[key].backward()
    grads = np.zeros(a.shape)
    np.add.at(grads, key, 1.0)
    assert_same(x.grad(), grads)
    x[key], a[key] = 9.0, 9.0
    assert_same(x, a, 0.0, 0.0)


def test_arrays_of_ours_as_keys(backend: str) -> None:
    a = array((3, 4))
    x = MLArray(a)
    places = MLArray([2, 0, 2], dtype="int64")
    assert_same(x[places], a[[2, 0, 2]])
    assert_same(x[places, 1], a[[2, 0, 2], 1])
    assert_same(x[:, x.argmax(axis=1)], a[:, a.argmax(axis=1)])
    assert_same(x[x > 0.0], a[a > 0.0])
    assert_same(x[x[:, 0] > 0.0], a[a[:, 0] > 0.0])
    assert_same(x[(x > 0.0) & (x < 1.0)], a[(a > 0.0) & (a < 1.0)])
    assert_same(x[MLArray([True, False, True], dtype="bool"), ::2], a[[True, False, True], ::2])
    x[x < 0.0] = 0.0
    assert_same(x, np.maximum(a, 0.0))


def test_an_array_of_the_other_backend_as_a_key(backend: str) -> None:
    other = "pure" if backend == "numpy" else "numpy"
    a = array((3, 4))
    places = MLArray([2, 0], dtype="int64", backend=other)
    assert_same(MLArray(a)[places], a[[2, 0]])
    assert_same(MLArray(a)[:, places], a[:, [2, 0]])


def test_positions_that_repeat_add_up(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    (x[[0, 2, 0, 0]] * [1.0, 10.0, 100.0, 1000.0]).sum().backward()
    assert gradient(x) == [1101.0, 0.0, 10.0]


def test_of_positions_that_repeat_the_last_is_set(backend: str) -> None:
    x, v = MLArray([1.0, 2.0, 3.0]), MLArray([4.0, 5.0, 6.0])
    y = x * 1.0
    y[[0, 2, 0]] = v
    assert y.to_list() == [6.0, 2.0, 5.0]
    (y * [1.0, 10.0, 100.0]).sum().backward()
    assert gradient(v) == [0.0, 100.0, 1.0]
    assert gradient(x) == [0.0, 10.0, 0.0]


def test_a_key_that_is_changed_later(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    places, listed, mask = np.array([0, 1]), [0, 1], np.array([True, True, False])
    y = x[places] + x[listed] + x[mask]
    places[:], listed[:], mask[:] = 2, [2, 2], False
    y.sum().backward()
    assert gradient(x) == [3.0, 3.0, 0.0]


def test_an_assignment_takes_its_value_as_it_was(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0, 4.0])
    x[1:] = x[:-1]
    assert x.to_list() == [1.0, 1.0, 2.0, 3.0]
    y = MLArray([1.0, 2.0, 3.0])
    y[:] = y[::-1] * 2.0
    assert y.to_list() == [6.0, 4.0, 2.0]


def test_float32_stays_float32() -> None:
    with use_backend("numpy"):
        x = MLArray(array((2, 3)).astype(np.float32))
        assert x[0].dtype == x[[0, 1]].dtype == np.float32
        w = MLArray(math.pi)
        x[0, 0] = w
        assert x.dtype == np.float32
        assert x[0, 0].item() == np.float32(math.pi)
        x.backward()
        assert w.grad().item() == 1.0
        assert w.grad().dtype == np.float64


def test_gradients_agree_with_torch(backend: str) -> None:
    torch = pytest.importorskip("torch")
    a = array((2, 3, 4))
    some: list[Any] = [
        *((0, slice(None), 1), (..., 2), ([0, 1, 0], [2, 2, 1]), (slice(None), [2, 0, 2])),
        (None, 1, slice(1, None, 2)),
    ]
    for key in some:
        x, t = MLArray(a), torch.tensor(a, requires_grad=True)
        (x[key] ** 3).sum().backward()
        (t[key] ** 3).sum().backward()
        assert_same(x.grad(), t.grad.numpy())
