"""draw(steps=) of arrays and of their elements leads to the gradients of backward()."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, use_backend
from smolml_value import draw
from tests.value.test_drawing_steps import played

X = [[1.0, 2.0], [3.0, 4.0]]
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "product": lambda x, w: (x @ w).tanh().sum(),
    "broadcast": lambda x, w: (x * w.reshape(2) + w).mean(),
    "reductions": lambda x, w: (x.max(axis=1) * w.reshape(2).exp()).sum(),
    "views": lambda x, w: (x[0] * x.T[1]).sum() + w[0, 0] * w[1, 0],
    "constants": lambda x, w: ((x - [[1.0, 0.0], [0.0, 1.0]]) ** 2 @ w).sum(),
}


@pytest.mark.parametrize("elements", [False, True])
@pytest.mark.parametrize("backend", ["pure", "numpy"])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_steps_end_in_the_gradients_of_backward(
    loss: Callable[[Any, Any], Any], backend: str, elements: bool
) -> None:
    if backend == "numpy":
        pytest.importorskip("numpy")
    with use_backend(backend):
        x, w = MLArray(X), MLArray([[0.5], [-0.5]])
        result = loss(x, w)
        result.backward()
        drawn, ends = played(
            draw(result, names={"x": x, "w": w}, steps=True, elements=elements).svg
        )
    kept = {node: text for node, text in drawn.items() if text != "not kept"}
    assert kept
    assert {node: ends[node] for node in kept} == kept
