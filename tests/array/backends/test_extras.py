"""What the backends offer beyond the array API: adjoints, random numbers, mapped functions."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array._shapes.axes import ShapeError
from tests.array.backends.agreement import (
    FLOATS,
    NUMPY,
    PURE,
    agree,
    arrays,
    on_pure,
    operands,
    tame_arrays,
)

BACKENDS = pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])
JUST_FLOATS = st.just("float64")


@st.composite
def repeated(draw: st.DrawFn) -> tuple[Any, Any]:
    """An array, and one of a shape that the first broadcasts to."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    small = draw(st.sampled_from(shapes.input_shapes))
    return draw(tame_arrays(small)), draw(tame_arrays(shapes.result_shape))


@given(repeated())
@settings(max_examples=150)
def test_sum_to_shape_is_the_adjoint_of_broadcasting(pair: tuple[Any, Any]) -> None:
    x, y = pair
    forth = float(np.sum(np.broadcast_to(x, y.shape) * y))
    for backend, own in ((PURE, on_pure), (NUMPY, np.asarray)):
        back = backend.sum_to_shape(own(y), x.shape)
        assert tuple(back.shape) == x.shape
        assert back.dtype.name == y.dtype.name
        product = backend.to_flat(backend.multiply(own(x), back))
        assert math.isclose(sum(product), forth, rel_tol=1e-9, abs_tol=1e-6)


@BACKENDS
def test_sum_to_the_same_shape_is_the_array_itself(backend: Any) -> None:
    g = backend.ones((2, 3))
    assert backend.sum_to_shape(g, (2, 3)) is g


@BACKENDS
def test_sum_to_shape_keeps_what_is_not_finite(backend: Any) -> None:
    g = backend.asarray([[1.0, math.inf, math.nan], [2.0, 1.0, 0.0]])
    sums = backend.to_list(backend.sum_to_shape(g, (3,)))
    assert sums[:2] == [3.0, math.inf]
    assert math.isnan(sums[2])


def test_sum_to_shape_of_float32_is_float32() -> None:
    g = np.ones((3, 2), np.float32)
    assert all(NUMPY.sum_to_shape(g, s).dtype == np.float32 for s in ((2,), (), (3, 1)))


def _cotangent_product(g: Any, p: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(g, 0) | np.equal(p, 0), 0.0, np.multiply(g, p))


@given(operands(scalars=False).filter(lambda gp: all(x.dtype.kind == "f" for x in gp)))
@settings(max_examples=150)
def test_cotangent_product(gp: tuple[Any, Any]) -> None:
    agree("cotangent_product", *gp, expected=_cotangent_product)


@given(arrays(dtypes=JUST_FLOATS), FLOATS)
@settings(max_examples=60)
def test_cotangent_product_with_a_number(g: Any, p: float) -> None:
    agree("cotangent_product", g, p, expected=_cotangent_product)


def test_cotangent_product_of_many_in_any_order() -> None:
    p = np.full((70, 90), np.inf)
    g = np.zeros((70, 90))
    g[3, 4] = 2.0
    for a, b in ((g, p), (g.T, p.T), (g.T.copy().T, p)):
        agree("cotangent_product", a, b, expected=_cotangent_product)
    assert NUMPY.cotangent_product(g.astype(np.float32), p.astype(np.float32)).dtype == np.float32
    assert NUMPY.cotangent_product(g.astype(np.float32), 1e30).dtype == np.float32


@given(operands())
@settings(max_examples=60)
def test_map_scalar(xy: tuple[Any, Any]) -> None:
    def expected(f: Any, x: Any, y: Any) -> Any:
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        out = [f(a, b) for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)]
        return np.array(out, float).reshape(x.shape)

    agree("map_scalar", math.copysign, *xy, expected=expected)


@BACKENDS
def test_map_scalar_gives_floats_to_the_function(backend: Any) -> None:
    seen: list[type] = []

    def f(v: float) -> float:
        seen.append(type(v))
        return int(v)

    out = backend.map_scalar(f, backend.asarray([1, 2]))
    assert set(seen) == {float}
    assert out.dtype == backend.float64


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (40, 100), (3, 2000)])
def test_uniform_is_the_same_on_both_backends(shape: tuple[int, ...]) -> None:
    one, two, three = random.Random(7), random.Random(7), random.Random(7)
    for rng in (one, two, three):
        rng.gauss(0, 1)  # leaves a second number behind, which must survive
        rng.random()
    pure, fast = PURE.uniform(one, shape), NUMPY.uniform(two, shape)
    plain = [three.random() for _ in range(math.prod(shape))]
    assert PURE.to_flat(pure) == NUMPY.to_flat(fast) == plain
    assert tuple(pure.shape) == fast.shape == shape
    assert pure.dtype.name == fast.dtype.name == "float64"
    assert one.getstate() == two.getstate() == three.getstate()
    assert one.gauss(0, 1) == two.gauss(0, 1)
    assert one.random() == two.random()


def test_uniform_of_a_generator_of_ones_own() -> None:
    class Halves(random.Random):
        def random(self) -> float:
            return 0.5

    for backend in (PURE, NUMPY):
        assert set(backend.to_flat(backend.uniform(Halves(1), (4000,)))) == {0.5}
        drawn = backend.to_flat(backend.uniform(random.SystemRandom(), (4000,)))
        assert all(0 <= v < 1 for v in drawn)
        assert len(set(drawn)) > 3990


@BACKENDS
def test_is_array(backend: Any) -> None:
    other = NUMPY if backend is PURE else PURE
    assert backend.is_array(backend.zeros(()))
    assert not any(map(backend.is_array, (other.zeros(2), 1.0, [1.0], np.float64(1.0), None)))


@BACKENDS
def test_errors_in_our_words(backend: Any) -> None:
    a, b = backend.zeros((2, 3)), backend.zeros((4, 5))
    cases: list[tuple[Callable[[], object], str]] = [
        (
            lambda: backend.matmul(a, b),
            (
                "matmul: shapes (2, 3) and (4, 5) do not align: "
                "3 (axis 1 of the left) != 4 (axis 0 of the right)"
            ),
        ),
        (
            lambda: backend.add(a, backend.zeros(4)),
            (
                "add: shapes (2, 3) and (4,) do not broadcast: "
                "3 (axis 1 of the first) != 4 (axis 0 of the second)"
            ),
        ),
        (
            lambda: backend.where(backend.zeros(2) == 0, a, 1.0),
            (
                "where: shapes (2,), (2, 3) and () do not broadcast: "
                "2 (axis 0 of the first) != 3 (axis 1 of the second)"
            ),
        ),
        (
            lambda: backend.reshape(a, (4, 2)),
            "reshape: cannot reshape 6 elements of shape (2, 3) into (4, 2), which has 8",
        ),
        (
            lambda: backend.sum(a, axis=2),
            "sum: axis 2 is out of range for an array of 2 dimensions: expected -2 <= axis < 2",
        ),
        (
            lambda: backend.mean(a, axis=(0, 0)),
            "mean: axes (0, 0) name the same axis twice: expected each once",
        ),
        (
            lambda: backend.argmax(a, axis=-3),
            "argmax: axis -3 is out of range for an array of 2 dimensions: expected -2 <= axis < 2",
        ),
        (
            lambda: backend.sum(backend.zeros(()), axis=0),
            "sum: axis 0 is out of range for an array of 0 dimensions: it has no axis",
        ),
        (
            lambda: backend.max(backend.zeros((3, 0)), axis=1),
            "max: cannot reduce axis 1 of shape (3, 0): it is empty and max has no identity",
        ),
        (
            lambda: backend.argmin(backend.zeros((3, 0)), axis=1),
            "argmin: cannot reduce axis 1 of shape (3, 0): it is empty and argmin has no identity",
        ),
        (
            lambda: backend.min(backend.zeros((0,))),
            "min: cannot reduce axis 0 of shape (0,): it is empty and min has no identity",
        ),
        (
            lambda: backend.broadcast_to(a, (2, 4)),
            "broadcast_to: shape (2, 3) does not broadcast to (2, 4)",
        ),
        (
            lambda: backend.concat([a, b]),
            "concat: shapes (2, 3) and (4, 5) do not join along axis 0: 3 != 5 (axis 1)",
        ),
        (lambda: backend.stack([a, b]), "stack: shapes (2, 3) and (4, 5) differ: expected equal"),
        (lambda: backend.squeeze(a, 0), "squeeze: axis 0 of shape (2, 3) has length 2: expected"),
        (
            lambda: backend.tensordot(a, b, axes=1),
            (
                "tensordot: shapes (2, 3) and (4, 5) do not align: "
                "3 (axis 1 of the left) != 4 (axis 0 of the right)"
            ),
        ),
        (
            lambda: backend.vecdot(a, b),
            (
                "vecdot: shapes (2, 3) and (4, 5) do not align: "
                "3 (axis 1 of the left) != 5 (axis 1 of the right)"
            ),
        ),
        (
            lambda: backend.cumulative_sum(a),
            "cumulative_sum: expected axis= for an array of 2 dimensions",
        ),
        (
            lambda: backend.permute_dims(a, (0, 0)),
            "permute_dims: axes (0, 0) name the same axis twice",
        ),
    ]
    for f, message in cases:
        with pytest.raises(ValueError) as caught:
            f()
        assert str(caught.value).startswith(message)


@BACKENDS
def test_shape_errors_are_of_one_kind(backend: Any) -> None:
    for f in (backend.add, backend.matmul, backend.maximum, backend.divide, backend.hypot):
        with pytest.raises(ShapeError):
            f(backend.zeros((2, 3)), backend.zeros((2, 2)))
