"""einops' layer for array API libraries takes MLArrays, and gradients flow through it."""

from __future__ import annotations

from typing import Any

import einops.array_api as einops
import numpy as np
import pytest
from einops import rearrange as numpys_rearrange
from einops import reduce as numpys_reduce
from einops import repeat as numpys_repeat

from smolml_array import MLArray
from tests.array.numeric import array, assert_same, cotangent, differences

REARRANGED: list[tuple[str, dict[str, int]]] = [
    ("a b c -> c a b", {}),
    ("a b c -> (a c) b", {}),
    ("a (b1 b2) c -> b2 a (b1 c)", {"b1": 2}),
    ("a b c -> a 1 b c 1", {}),
    ("... c -> c ...", {}),
    ("a b c -> (a b c)", {}),
]
REDUCED: list[tuple[str, str, dict[str, int]]] = [
    ("a b c -> a", "sum", {}),
    ("a b c -> c a", "mean", {}),
    ("a (b1 b2) c -> b1 c", "max", {"b1": 2}),
    ("a b c -> a 1 c", "min", {}),
    ("a b c -> ", "prod", {}),
]
REPEATED: list[tuple[str, dict[str, int]]] = [
    ("a b c -> a b c d", {"d": 2}),
    ("a b c -> (a r) b c", {"r": 3}),
    ("a b c -> r c (b a)", {"r": 2}),
]


def _check(ours: Any, numpys: Any) -> None:
    a = array((2, 4, 3), "x", 0.5, 2.0)
    x = MLArray(a)
    out = ours(x)
    assert isinstance(out, MLArray)
    assert_same(out, numpys(a))
    (out * cotangent(out.shape)).sum().backward()
    assert_same(x.grad(), differences(numpys, [a], 0), 1e-7, 1e-7)


@pytest.mark.parametrize(("pattern", "axes"), REARRANGED)
def test_rearrange(backend: str, pattern: str, axes: dict[str, int]) -> None:
    _check(
        lambda x: einops.rearrange(x, pattern, **axes),
        lambda a: numpys_rearrange(a, pattern, **axes),
    )


@pytest.mark.parametrize(("pattern", "reduction", "axes"), REDUCED)
def test_reduce(backend: str, pattern: str, reduction: Any, axes: dict[str, int]) -> None:
    _check(
        lambda x: einops.reduce(x, pattern, reduction, **axes),
        lambda a: numpys_reduce(a, pattern, reduction, **axes),
    )


@pytest.mark.parametrize(("pattern", "axes"), REPEATED)
def test_repeat(backend: str, pattern: str, axes: dict[str, int]) -> None:
    _check(
        lambda x: einops.repeat(x, pattern, **axes),
        lambda a: numpys_repeat(a, pattern, **axes),
    )


def test_pack_and_unpack(backend: str) -> None:
    a, b = array((2, 3), "a"), array((5, 2, 3), "b")
    x, y = MLArray(a), MLArray(b)
    packed, shapes = einops.pack([x, y], "* h w")
    assert_same(packed, np.concatenate([a[None], b]))
    first, second = einops.unpack(packed * packed, shapes, "* h w")
    assert (first.shape, second.shape) == ((2, 3), (5, 2, 3))
    (first.sum() + 2.0 * second.sum()).backward()
    assert_same(x.grad(), 2.0 * a)
    assert_same(y.grad(), 4.0 * b)


def test_lists_of_arrays_and_numpy(backend: str) -> None:
    a = array((2, 3), "a")
    x = MLArray(a)
    both: Any = [x, x * 2.0]
    out: Any = einops.rearrange(both, "n a b -> a (n b)")
    assert_same(out, np.concatenate([a, 2.0 * a], axis=1))
    out.sum().backward()
    assert_same(x.grad(), np.full((2, 3), 3.0))
    assert np.array_equal(einops.asnumpy(x), a)


def test_attention_in_patterns(backend: str) -> None:
    """Two heads of attention; the gradient of all of it against central differences."""
    arrays = [array((1, 3, 4), name) for name in "qkv"]

    def heads(lib: Any, exp: Any, *qkv: Any) -> Any:
        q, k, v = (lib.rearrange(x, "b t (h d) -> b h t d", h=2) for x in qkv)
        weights = exp(q @ lib.rearrange(k, "b h t d -> b h d t"))
        weights = weights / lib.repeat(
            lib.reduce(weights, "b h i j -> b h i", "sum"), "b h i -> b h i j", j=3
        )
        return lib.rearrange(weights @ v, "b h t d -> b t (h d)")

    class Numpys:
        rearrange, reduce, repeat = numpys_rearrange, numpys_reduce, numpys_repeat

    def by_numpy(*qkv: Any) -> Any:
        return heads(Numpys, np.exp, *qkv)

    leaves = [MLArray(a) for a in arrays]
    out = heads(einops, lambda x: x.exp(), *leaves)
    assert_same(out, by_numpy(*arrays))
    (out * cotangent(out.shape)).sum().backward()
    for i, leaf in enumerate(leaves):
        assert_same(leaf.grad(), differences(by_numpy, arrays, i), 1e-6, 1e-7)


def test_mistakes_are_einops_to_report(backend: str) -> None:
    with pytest.raises(Exception, match="Error while processing rearrange-reduction pattern"):
        einops.rearrange(MLArray([[1.0]]), "a b c -> a")
