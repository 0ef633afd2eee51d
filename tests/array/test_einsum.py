"""einsum against numpy.einsum: random subscripts on both backends, gradients, orders, errors."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, einsum, outer
from smolml_array.functions.subscripts import path
from smolml_value import Value, check_grads, gradients, jvp, vjp
from tests.array.helpers import filled
from tests.array.numeric import array, assert_same, check
from tests.array.refusals import Case, raises
from tests.array.refusals import check as check_refusal

LETTERS = "abcAB"


@pytest.mark.parametrize(
    ("subscripts", "shape"),
    [
        *(("abii->ab", (2, 3, 4, 4)), ("aibi->ab", (2, 4, 3, 4)), ("iabi->bai", (3, 2, 4, 3))),
        *(("iijj->ij", (2, 2, 3, 3)), ("ijij->ji", (2, 3, 2, 3)), ("ijjii->ij", (2, 3, 3, 2, 2))),
    ],
)
def test_the_gradient_of_a_diagonal_with_other_axes(
    subscripts: str, shape: tuple[int, ...], backend: str
) -> None:
    x = filled(shape, "x")
    weights = filled(np.einsum(subscripts, np.asarray(x.to_list())).shape, "w")
    (einsum(subscripts, x) * weights).sum().backward()
    labels, kept = subscripts.split("->")
    # where the labels that repeat have the same position, the weight; else nothing
    expected = np.zeros(shape)
    for place in np.ndindex(*shape):
        at = dict(zip(labels, place, strict=True))
        if tuple(at[label] for label in labels) == place:
            expected[place] = weights[tuple(at[label] for label in kept)].item()
    assert x.grad().to_list() == expected.tolist()


@st.composite
def sums(draw: st.DrawFn, most: int = 4) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts with diagonals, ellipses and lengths of 1 that broadcast, and shapes."""
    lengths = {letter: draw(st.integers(0, 3)) for letter in LETTERS}
    dots = draw(st.lists(st.integers(1, 3), max_size=2))
    terms: list[str] = []
    shapes: list[tuple[int, ...]] = []
    for _ in range(draw(st.integers(1, most))):
        term: list[str] = draw(st.lists(st.sampled_from(LETTERS), max_size=3))
        narrow = [term.count(x) == 1 and draw(st.integers(0, 9)) == 0 for x in term]
        shape = [1 if one else lengths[x] for x, one in zip(term, narrow, strict=True)]
        if draw(st.integers(0, 2)) == 0:
            at, few = draw(st.integers(0, len(term))), draw(st.integers(0, len(dots)))
            shape[at:at] = [draw(st.sampled_from([1, n])) for n in dots[len(dots) - few :]]
            term.insert(at, "...")
        terms.append("".join(term))
        shapes.append(tuple(shape))
    subscripts = ",".join(terms)
    if draw(st.booleans()):
        known = sorted(set(subscripts) - set(",."))
        out = draw(st.lists(st.sampled_from(known), unique=True)) if known else []
        if "..." in subscripts:
            out.insert(draw(st.integers(0, len(out))), "...")
        subscripts += "->" + "".join(out)
    return subscripts, shapes


@settings(max_examples=80)
@given(case=sums())
def test_against_numpy(backend: str, case: Any) -> None:
    subscripts, shapes = case
    arrays = [array(shape, i) for i, shape in enumerate(shapes)]
    out = einsum(subscripts, *map(MLArray, arrays))
    assert_same(out, np.einsum(subscripts, *arrays), 1e-12, 1e-11)


@settings(max_examples=25)
@given(case=sums())
def test_gradients_are_adjoint_to_tangents(backend: str, case: Any) -> None:
    subscripts, shapes = case
    xs = tuple(
        filled(shape, i) if 0 not in shape else MLArray(np.zeros(shape))
        for i, shape in enumerate(shapes)
    )
    us = tuple(MLArray(array(shape, f"u{i}")) for i, shape in enumerate(shapes))

    def f(*xs: MLArray) -> MLArray:
        return einsum(subscripts, *xs)

    out, tangent = jvp(f, xs, us)
    v = MLArray(array(out.shape, "v"))
    back = vjp(f, *xs)[1](v)
    forth = float((v * tangent).sum())
    scale = 1.0 + float(abs(v * tangent).sum())
    assert sum(float((u * b).sum()) for u, b in zip(us, back, strict=True)) == pytest.approx(
        forth, abs=1e-10 * scale
    )
    changed = [f(*xs[:i], us[i], *xs[i + 1 :]) for i in range(len(xs))]  # linear in each operand
    assert_same(tangent, sum(np.asarray(c) for c in changed), 1e-10, 1e-10 * scale)
    traced = gradients((f(*xs) * v).sum(), list(xs))
    for b, t in zip(back, traced, strict=True):
        assert_same(t, np.asarray(b), 1e-10, 1e-10 * scale)


SECOND: dict[str, list[tuple[int, ...]]] = {
    "ij,jk": [(2, 3), (3, 2)],
    "ij,jk->ki": [(2, 3), (3, 2)],
    "i,i": [(3,), (3,)],
    "i,i->i": [(3,), (3,)],
    "i,j->ji": [(2,), (3,)],
    "ii->i": [(3, 3)],
    "iji->j": [(2, 3, 2)],
    "ij->": [(2, 3)],
    "ii,i->": [(2, 2), (2,)],
    "bij,bjk->bik": [(2, 1, 3), (2, 3, 2)],
    "b...,b->...": [(2, 3), (2,)],
    "...i,...i->...": [(2, 3), (3,)],
    "i...,i": [(2, 1, 2), (2,)],
    "ij,ij->i": [(2, 3), (2, 1)],
    "ik,jk->ij": [(2, 2), (1, 2)],
    "ij,jk,kl->il": [(2, 2), (2, 3), (3, 1)],
    "a,ab,bc,c": [(2,), (2, 2), (2, 2), (2,)],
    "nchwij,ocij->nohw": [(1, 1, 2, 1, 1, 2), (1, 1, 1, 2)],
}


@pytest.mark.parametrize("subscripts", SECOND)
def test_derivatives_to_second_order(subscripts: str, backend: str) -> None:
    xs = tuple(filled(shape, i) for i, shape in enumerate(SECOND[subscripts]))
    check_grads(lambda *xs: einsum(subscripts, *xs).sin(), xs)
    if len(xs) == 1:
        check_grads(lambda x: einsum(subscripts, x) ** 3, xs)


def test_one_array_twice(backend: str) -> None:
    check(lambda x: einsum("ij,kj->ik", x, x), lambda a: a @ a.T, array((2, 3)))
    check(lambda x: einsum("i,j,i->j", x, x, x), lambda a: a * (a @ a), array((3,)))


def test_what_operands_can_be(backend: str) -> None:
    v, x = Value(2.0), MLArray([1.0, 3.0])
    out = einsum("i,i,", [v, 5.0], x, 2.0)
    assert out.item() == 2.0 * (2.0 + 15.0)
    out.backward()
    assert v.grad == 2.0
    assert x.grad().to_list() == [4.0, 10.0]
    assert einsum(" i j -> j i ", [[1, 2], [3, 4]]).to_list() == [[1.0, 3.0], [2.0, 4.0]]
    assert not einsum("i,i", [1.0], np.array([2.0])).requires_grad
    other = "pure" if backend == "numpy" else "numpy"
    assert einsum("i,i", [1.0], MLArray([2.0], backend=other)).backend == other
    ints = MLArray([[1, 2], [3, 4]], dtype="int64")
    whole = einsum("ij,jk->ik", ints, ints)
    assert (whole.dtype.name, whole.to_list()) == ("int64", [[7, 10], [15, 22]])
    flags = MLArray([True, True], dtype="bool")
    for subscripts in ("i->", "i,i->", "i,j->ij"):
        operands = [flags] * (1 + subscripts.count(","))
        want = np.einsum(subscripts, *[np.array([True, True])] * len(operands))
        assert einsum(subscripts, *operands).to_list() == want.tolist()


def test_float32_stays_float32() -> None:
    x = filled((2, 3), dtype="float32", backend="numpy")
    out = einsum("ij,kj->ik", x, x)
    out.backward()
    assert out.dtype.name == x.grad().dtype.name == "float32"
    v = Value(3.0)
    out = einsum(",ij,->i", 2.0, x, v)
    out.backward()
    assert out.dtype.name == outer(2, x).dtype.name == outer(v, x).dtype.name == "float32"
    assert v.grad == pytest.approx(2.0 * float(x.sum()), rel=1e-6)


def test_pairs_are_contracted_in_the_order_that_takes_least_memory() -> None:
    labels: list[Any] = [tuple("ab"), tuple("bc"), tuple("cd"), tuple("d")]
    shapes = [(50, 40), (40, 30), (30, 20), (20,)]
    steps = path(labels, shapes, ("a",))
    assert [s.places for s in steps][-1] == (0, 1)
    # from the vector's end no matrix times matrix is ever made; the greedy order finds another
    cost = 0
    names, sizes = [set(x) for x in labels], {"a": 50, "b": 40, "c": 30, "d": 20}
    for places, _, made in steps:
        both = set().union(*(names[i] for i in places))
        cost += int(np.prod([sizes[x] for x in both]))
        names = [*(n for i, n in enumerate(names) if i not in places), set(made)]
    assert cost < 50 * 40 * 30 * 20 / 10
    assert names == [{"a"}]


def test_many_operands_are_quick(backend: str) -> None:
    letters = "abcdefghijklmnopqrst"
    chain = ",".join(a + b for a, b in pairwise(letters))
    x = filled((2, 2))
    out = einsum(f"{chain}->{letters[0]}{letters[-1]}", *[x] * (len(letters) - 1))
    want = np.linalg.matrix_power(np.asarray(x), len(letters) - 1)
    assert_same(out, want, 1e-10, 1e-10)


def x(*shape: int) -> MLArray:
    return filled(shape)


CASES: list[Case] = [
    (lambda: einsum("ij,jk", x(2, 3)), ValueError, r"'ij,jk' are for 2 operands, 1 given"),
    (lambda: einsum("i", x(2), x(2)), ValueError, r"for 1 operand, 2 given; separate them"),
    (lambda: einsum("i->k", x(2)), ValueError, r"'i->k' names 'k', which no operand has"),
    (lambda: einsum("ij->ii", x(2, 2)), ValueError, r"names 'i' more than once; a diagonal can"),
    (lambda: einsum("i1", x(2, 2)), ValueError, r"'1' in the subscripts 'i1': expected letters"),
    (lambda: einsum("i.j", x(2, 2)), ValueError, r"'\.' in the subscripts 'i\.j'"),
    (lambda: einsum("i->i->i", x(2)), ValueError, r"expected letters, commas, '\.\.\.' once"),
    (lambda: einsum("ijk", x(2, 2)), ValueError, r"operand 0 has 2 dimensions, but 'ijk' in"),
    (lambda: einsum("i", x(2, 2)), ValueError, r"'i' in 'i' names 1; use '\.\.\.' for those"),
    (lambda: einsum("...i->i", x(2, 2)), ValueError, r"no '\.\.\.' for the axes that an operand"),
    (lambda: einsum("ij,jk", x(2, 3), x(4, 2)), ValueError, r"'j' in 'ij,jk' has length 4 in op"),
    (
        lambda: einsum("ij,jk", x(2, 3), x(4, 2)),
        ValueError,
        r"of shape \(4, 2\), and 3 before: exp",
    ),
    (lambda: einsum("ii", x(2, 3)), ValueError, r"'i' in 'ii' has length 3 in operand 0, of shape"),
    (lambda: einsum("ii", x(1, 3)), ValueError, r"'i' in 'ii' has length 3 in operand 0"),
    (
        lambda: einsum("...,...", x(2), x(3)),
        ValueError,
        r"'\.\.\.' in '\.\.\.,\.\.\.' has length 3",
    ),
    (lambda: einsum(x(2), "i"), TypeError, r"expected subscripts such as 'ij,jk->ik' first"),  # type: ignore[arg-type]
    (lambda: einsum("i", "ab"), TypeError, r"expected numbers"),
    (
        lambda: einsum(
            "i,i", x(2), MLArray([1.0, 2.0], backend="pure" if x(1).backend == "numpy" else "numpy")
        ),
        ValueError,
        "einsum: one operand lives on the backend",
    ),
]


@raises(CASES)
def test_errors(do: Any, error: type[Exception], said: str) -> None:
    check_refusal(do, error, said)
