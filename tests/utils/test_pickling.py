"""What a worker needs of a training is pickled: losses, schedules, initializers, optimizers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import smolml_utils
from smolml_array import MLArray
from smolml_utils import SGD, AdaGrad, Adam, AdamW, HeNormal, RMSProp, SGDMomentum, cosine_decay
from smolml_value import Value

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    kind.__name__: kind for kind in (SGD, SGDMomentum, AdaGrad, RMSProp, Adam, AdamW)
}


def test_every_public_name_is_pickled_as_its_name() -> None:
    for name in vars(smolml_utils)["__all__"]:
        thing = getattr(smolml_utils, name)
        if callable(thing):
            sent = pickle.dumps(thing)
            assert pickle.loads(sent) is thing
            assert len(sent) < 100


def test_with_settings_of_their_own() -> None:
    schedule = partial(cosine_decay, 7)
    assert pickle.loads(pickle.dumps(schedule))(0.1, 100) == cosine_decay(7, 0.1, 100) < 0.1
    assert pickle.loads(pickle.dumps(HeNormal.initialize))(2, 3).shape == (2, 3)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_an_optimizer_goes_on_where_it_was(make: Callable[[], Any], backend: str) -> None:
    optimizer = make()
    params: dict[str, Any] = {"w": MLArray([[1.0, -2.0], [0.5, 3.0]]), "b": Value(1.0)}
    grads = {"w": MLArray([[1.0, 2.0], [3.0, 4.0]]), "b": 0.5}
    optimizer.step(params, grads)
    sent = pickle.dumps((params, optimizer))
    assert len(sent) < 1500
    there, other = pickle.loads(sent)
    for _ in range(3):
        optimizer.step(params, grads)
        other.step(there, grads)
    assert there["w"].to_list() == params["w"].to_list()
    assert there["b"].data == params["b"].data


def test_what_is_remembered_is_as_large_as_its_numbers() -> None:
    pytest.importorskip("numpy")
    w = MLArray([0.0] * 10_000, backend="numpy")
    optimizer = Adam()
    optimizer.step([w], [w + 1.0])
    assert len(pickle.dumps((w, optimizer))) < 3 * 80_000 + 2_000  # the numbers, two moments
