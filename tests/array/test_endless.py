"""Lists and containers that never end, and arrays too large: refused at once, in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, arange, eye, linspace, maximum, rand, repeat, stack, where, zeros
from smolml_array.backends import get_backend
from smolml_array.backends.protocol import Backend
from smolml_value import Value, checkpoint, grad, jacobian, jvp, stop_gradient, vjp


def of_itself(last: bool = True) -> list[Any]:
    made: list[Any] = [1.0]
    made.insert(int(last), made)
    return made


def twice() -> list[Any]:
    made: list[Any] = []
    made += [made, made]
    return made


def in_a_tuple() -> tuple[Any, ...]:
    made: list[Any] = [1.0]
    whole = (made, made)
    made.append(whole)
    return whole


def beside_a_value() -> list[Any]:
    made: list[Any] = [Value(1.0)]
    made.append(made)
    return made


def deep(levels: int) -> list[Any]:
    made: Any = 1.0
    for _ in range(levels):
        made = [made]
    return [made]


ENDLESS: dict[str, Callable[[], Any]] = {
    "at the end": of_itself,
    "at the beginning": lambda: of_itself(last=False),
    "twice": twice,
    "in a tuple": in_a_tuple,
    "beside a Value": beside_a_value,
    "deep": lambda: deep(10_000),
}
USES: dict[str, Callable[[Any], Any]] = {
    "MLArray": MLArray,
    "an operand": lambda data: MLArray([1.0]) + data,
    "a function": lambda data: maximum(data, MLArray([1.0])),
    "stack": lambda data: stack([data, data]),
    "where": lambda data: where(data, 1.0, 2.0),
    "data": lambda data: setattr(MLArray([1.0]), "data", data),
    "update_values": lambda data: MLArray([1.0]).update_values(data),
    "an assignment": lambda data: MLArray([1.0]).__setitem__(0, data),
    "the namespace": lambda data: MLArray([1.0]).__array_namespace__().asarray(data),
}


@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_lists_without_an_end(
    make: Callable[[], Any], use: Callable[[Any], Any], backend: str
) -> None:
    with pytest.raises(ValueError, match=r"nested more than 64 deep|ragged nested list"):
        use(make())


@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS)
def test_a_backend_refuses_them_too(make: Callable[[], Any], backend: str) -> None:
    xp: Backend = get_backend(backend)
    with pytest.raises((ValueError, TypeError), match=r"64 deep|ragged nested list|real number"):
        xp.asarray(make())


def test_as_many_axes_as_there_may_be(backend: str) -> None:
    x = MLArray(deep(31))
    assert x.shape == (1,) * 32
    assert x.sum().item() == 1.0


def endless_dict() -> dict[str, Any]:
    made: dict[str, Any] = {"w": 1.0}
    made["again"] = [made]
    return made


CONTAINERS = {"a list": of_itself, "twice": twice, "a dict": endless_dict, "a tuple": in_a_tuple}
TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda tree: grad(lambda p: p[0])(tree),
    "vjp": lambda tree: vjp(lambda p: p, tree),
    "jvp": lambda tree: jvp(lambda p: p, (tree,), (tree,)),
    "jacobian": lambda tree: jacobian(lambda p: p)(tree),
    "a result": lambda tree: jacobian(lambda p: tree)(1.0),
    "a tangent": lambda tree: jvp(lambda p: p, (1.0,), (tree,)),
    "stop_gradient": stop_gradient,
    "checkpoint": lambda tree: checkpoint(lambda p: p[0])(tree),
}


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("use", TRANSFORMS.values(), ids=TRANSFORMS)
def test_containers_without_an_end(make: Callable[[], Any], use: Callable[[Any], Any]) -> None:
    with pytest.raises((ValueError, TypeError), match=r"64 deep|expected a number or an array"):
        use(make())


TOO_LARGE: dict[str, Callable[[], Any]] = {
    "arange": lambda: arange(1e300),
    "arange down": lambda: arange(0.0, -1e300, -0.5),
    "linspace": lambda: linspace(0.0, 1.0, 10**12),
    "repeat": lambda: repeat([1.0, 2.0], 10**12),
    "zeros": lambda: zeros(10**7, 10**7),
    "eye": lambda: eye(10**12),
    "rand": lambda: rand(10**12),
    "broadcast_to": lambda: MLArray([1.0], backend="pure").broadcast_to((10**12,)),
    "tile": lambda: MLArray([1.0], backend="pure").tile(10**12),
    "pad": lambda: MLArray([1.0], backend="pure").pad(10**12),
}


@pytest.mark.parametrize("make", TOO_LARGE.values(), ids=TOO_LARGE)
def test_arrays_that_fit_nowhere(make: Callable[[], Any]) -> None:
    from smolml_array import use_backend

    with use_backend("pure"), pytest.raises(MemoryError, match="elements do not fit in memory"):
        make()
