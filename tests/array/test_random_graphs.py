"""Random programs give the same numbers and gradients as Values alone, and as PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, replay, use_backend
from smolml_value import GraphError
from tests.array.numeric import array
from tests.array.programs import Arrays, Scalars, Step, Torch, run, steps

SHAPES = [(), (2,), (3,), (2, 3), (3, 2), (2, 2), (1, 3), (2, 1, 3), (0, 3)]
leaves = st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3).map(
    lambda shapes: [array(shape, i, -1.5, 1.5) for i, shape in enumerate(shapes)]
)


def tame(numbers: Any) -> bool:
    """Whether numbers are such that rounding does not decide what they are."""
    return bool(np.all(np.abs(numbers) < 1e6))


@settings(max_examples=250)
@given(program=steps, given_leaves=leaves)
def test_programs_on_values(backend: str, program: list[Step], given_leaves: list[Any]) -> None:
    made, loss = run(Arrays(), program, given_leaves)
    wanted, value = run(Scalars(), program, given_leaves)
    assume(all(tame(np.asarray(x)) for x in made))
    loss.backward()
    value.backward()
    np.testing.assert_allclose(loss.item(), value.data, rtol=1e-10, atol=1e-10)
    for x, objects in zip(made, wanted, strict=True):
        assert x.shape == objects.shape
        numbers = np.array([v.data for v in objects.flat]).reshape(objects.shape)
        grads = np.array([v.grad for v in objects.flat]).reshape(objects.shape)
        np.testing.assert_allclose(np.asarray(x), numbers, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(np.asarray(x.grad()), grads, rtol=1e-8, atol=1e-8)
        if x.size():
            seen = [v.grad for v in np.ravel(np.array(x.data, dtype=object))]
            np.testing.assert_array_equal(seen, np.ravel(np.asarray(x.grad())))


@settings(max_examples=150)
@given(program=steps, given_leaves=leaves)
def test_programs_on_tensors(backend: str, program: list[Step], given_leaves: list[Any]) -> None:
    torch = pytest.importorskip("torch")
    made, loss = run(Arrays(), program, given_leaves)
    tensors, tensor = run(Torch(torch), program, given_leaves)
    assume(all(tame(np.asarray(x)) for x in made))
    loss.backward()
    if tensor.requires_grad:
        tensor.backward()
    for x, t in zip(made, tensors, strict=True):
        np.testing.assert_allclose(np.asarray(x), t.detach().numpy(), rtol=1e-10, atol=1e-10)
    for x, t in zip(made[: len(given_leaves)], tensors, strict=False):
        grads = np.zeros(x.shape) if t.grad is None else t.grad.numpy()
        assume(np.all(np.isfinite(grads)))  # PyTorch's hypot has a derivative of nan at 0
        np.testing.assert_allclose(np.asarray(x.grad()), grads, rtol=1e-8, atol=1e-8)


@settings(max_examples=150)
@given(program=steps, given_leaves=leaves)
def test_programs_played_back(program: list[Step], given_leaves: list[Any]) -> None:
    """On other numbers than those that were recorded, to the last bit; or it is refused."""
    others = [a[..., ::-1] * 0.75 if a.ndim else a * 0.75 for a in given_leaves]
    with use_backend("numpy"):
        eager, played = ([MLArray(a) for a in given_leaves] for _ in range(2))
        step = replay(lambda: run(Given(played), program, given_leaves)[1], played)
        for numbers in (given_leaves, others):
            for x, y, a in zip(eager, played, numbers, strict=True):
                x.update_values(a).zero_grad()
                y.update_values(a).zero_grad()
            loss = run(Given(eager), program, given_leaves)[1]
            loss.backward()
            try:
                got = step()
            except GraphError:
                assume(any(kind in ("assign", "element", "look") for kind, *_ in program))
                return  # it looks at elements, or assigns: see test_replay
            np.testing.assert_array_equal(np.asarray(got), np.asarray(loss))
            for x, y in zip(eager, played, strict=True):
                np.testing.assert_array_equal(np.asarray(y.grad()), np.asarray(x.grad()))
        assert step.recordings == 1


class Given(Arrays):
    """Programs on MLArrays that are there already, taken in order."""

    def __init__(self, given_arrays: list[MLArray]) -> None:
        self._given = iter(given_arrays)

    def leaf(self, a: Any) -> Any:
        return next(self._given)
