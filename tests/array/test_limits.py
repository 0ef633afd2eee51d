"""Limits: sizes that no memory holds, and objects that lie: an error in our words, nothing changed.

Lists without an end are in test_endless.py, lists that are too deep as well.
"""

from __future__ import annotations

import math
import mmap
from array import array
from collections.abc import Callable
from typing import Any

import pytest

import smolml_array as sm
from smolml_array import MLArray, zeros
from smolml_array._shapes.sizes import check_count
from smolml_value import Value, grad, hessian, jacobian, ops

FAR, WIDE = 10**12, 10**6  # elements that fit nowhere, as one axis and as each of two


def many() -> MLArray:
    """So many numbers that all pairs of them fit nowhere."""
    return sm.ones(WIDE)


TOO_LARGE: dict[str, Callable[[], Any]] = {
    "zeros": lambda: zeros(10**9, 10**9),
    "ones": lambda: sm.ones(10**9, 10**9),
    "full": lambda: sm.full((10**9, 10**9), 1.5),
    "eye": lambda: sm.eye(10**9),
    "rand": lambda: sm.rand(10**6, 10**6),
    "randn": lambda: sm.randn(FAR),
    "permutation": lambda: sm.Generator(0).permutation(FAR),
    "arange": lambda: sm.arange(FAR),
    "arange of inf": lambda: sm.arange(math.inf),
    "arange beyond int64": lambda: sm.arange(2**63),
    "linspace": lambda: sm.linspace(0.0, 1.0, FAR),
    "broadcast_to": lambda: MLArray([1.0]).broadcast_to((FAR,)) + 1.0,
    "repeat": lambda: sm.repeat([1.0], FAR),
    "tile": lambda: MLArray([1.0]).tile(FAR) * 2.0,
    "pad": lambda: MLArray([1.0]).pad(FAR),
    "diag": lambda: sm.diag(many()),
    "outer": lambda: sm.outer(many(), many()),
    "matmul": lambda: many().reshape(-1, 1) @ many().reshape(1, -1),
    "einsum": lambda: sm.einsum("i,j->ij", many(), many()),
    "kron": lambda: sm.kron(many(), many()),
    "add": lambda: many().reshape(-1, 1) + many(),
    "pow": lambda: many().reshape(-1, 1) ** many(),
    "greater": lambda: many().reshape(-1, 1) > many(),
    "where": lambda: sm.where(many().reshape(-1, 1) > 0.0, many(), 1.0),
    "index": lambda: sm.ones(1, 10**7)[[0] * 10**5],
    "windows": lambda: many().sliding_windows(10**5) * 1.0,
    "to_list": lambda: MLArray([1.0]).broadcast_to((FAR,)).to_list(),
    "jacobian": lambda: jacobian(lambda x: x)(many()),
    "hessian": lambda: hessian(lambda x: (x * x).sum())(many()),
    "vmap": lambda: sm.vmap(lambda x: x + many())(many()),
}
UNCOUNTABLE: dict[str, Callable[[], Any]] = {
    "zeros": lambda: zeros(2**40, 2**40),
    "one length": lambda: zeros(2**64),
    "beside a length of 0": lambda: zeros(0, 2**62, 2**62),
    "eye": lambda: sm.eye(2**40),
    "broadcast_to": lambda: MLArray([1.0]).broadcast_to((2**64,)),
    "tile": lambda: MLArray([1.0]).tile(2**64),
    "reshape": lambda: zeros(0).reshape(0, 2**70),
}


@pytest.mark.parametrize("make", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_fits_nowhere(make: Callable[[], Any], backend: str) -> None:
    with pytest.raises(MemoryError, match=r"\w: .*(bytes|iB for an array).*; make the array small"):
        make()
    assert zeros(2).to_list() == [0.0, 0.0]


@pytest.mark.parametrize("make", UNCOUNTABLE.values(), ids=UNCOUNTABLE)
def test_what_cannot_be_counted(make: Callable[[], Any], backend: str) -> None:
    with pytest.raises(MemoryError, match=r"\w: .*elements do not fit .* shape .*; make the arr"):
        make()


NEGATIVE: dict[str, Callable[[], Any]] = {
    "zeros": lambda: zeros(2, -3),
    "eye": lambda: sm.eye(-1),
    "linspace": lambda: sm.linspace(0.0, 1.0, -1),
    "broadcast_to": lambda: MLArray([1.0]).broadcast_to((-1,)),
    "repeat": lambda: sm.repeat([1.0], -1),
    "tile": lambda: MLArray([1.0]).tile(-1),
    "pad": lambda: MLArray([1.0]).pad(-1),
    "reshape": lambda: MLArray([1.0]).reshape(-2),
    "arange": lambda: sm.arange(math.nan),
}


@pytest.mark.parametrize("make", NEGATIVE.values(), ids=NEGATIVE)
def test_sizes_that_are_none(make: Callable[[], Any], backend: str) -> None:
    with pytest.raises(ValueError, match=r"^\w+: .*(negative|expected)"):
        make()


def test_nothing_is_changed_by_what_does_not_fit(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    (x * x).sum().backward()
    with pytest.raises(MemoryError):
        (x.reshape(2, 1) * x).repeat(FAR).sum().backward()
    with pytest.raises(MemoryError):
        x.update_values(sm.arange(FAR))
    assert (x.to_list(), x.grad().to_list()) == ([1.0, 2.0], [2.0, 4.0])


def test_the_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(fileno: int, length: int) -> Any:
        asked.append(length)
        raise OSError

    monkeypatch.setattr(mmap, "mmap", refuse)
    check_count(2**20, "small")
    with pytest.raises(MemoryError, match=r"large: 1.67772e\+07 elements .* take 5.36871e\+08 byt"):
        check_count(2**24, "large")
    assert asked == [2**29]


# Objects that lie --------------------------------------------------------------------------------


class Mine(Exception):  # noqa: N818  # as any exception of a user's
    pass


class Gives:
    """Answers each question of Python's with the same."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def give(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class AsArray(Gives):
    __array__ = Gives.give


class AsFloat(Gives):
    __float__ = Gives.give


class AsIndex(Gives):
    __index__ = Gives.give


class Shaped:
    """An array, of whose shape its numbers are not."""

    shape = (2, 2)
    dtype: Any = type("dtype", (), {"kind": "f"})

    def ravel(self) -> Any:
        return array("d", [1.0, 2.0, 3.0])

    def tolist(self) -> Any:
        return [[1.0, 2.0], [3.0]]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tolist()


USES: dict[str, Callable[[Any, MLArray], Any]] = {
    "MLArray": lambda o, x: MLArray(o),
    "beside numbers": lambda o, x: MLArray([1.0, o]),
    "add": lambda o, x: x + o,
    "a function": lambda o, x: sm.maximum(x, o),
    "an op": lambda o, x: ops.tanh(o),
    "set": lambda o, x: x.__setitem__(0, o),
    "data": lambda o, x: setattr(x, "data", o),
    "update_values": lambda o, x: x.update_values(o),
    "grad": lambda o, x: grad(lambda y: y * 1.0)(o),
    "where": lambda o, x: sm.where(o, x, 1.0),
    "full": lambda o, x: sm.full(2, o),
}
LIARS: dict[str, Callable[[], Any]] = {
    "__array__ of None": lambda: AsArray(None),
    "__array__ of a text": lambda: AsArray("12"),
    "__array__ of ragged lists": lambda: AsArray([[1.0, 2.0], [3.0]]),
    "__float__ of an int": lambda: AsFloat(3),
    "__float__ of a text": lambda: AsFloat("3"),
    "__index__ of a float": lambda: AsIndex(1.5),
    "a shape that is not its data's": Shaped,
}


@pytest.mark.parametrize("liar", LIARS.values(), ids=LIARS)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_objects_that_lie(use: Any, liar: Callable[[], Any], backend: str) -> None:
    x = MLArray([1.0, 2.0])
    with pytest.raises((TypeError, ValueError)):
        use(liar(), x)
    assert (x.to_list(), x.grad().to_list()) == ([1.0, 2.0], [0.0, 0.0])


@pytest.mark.parametrize("kind", [AsArray, AsFloat])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_an_object_raises_comes_through(use: Any, kind: Any, backend: str) -> None:
    x = MLArray([1.0, 2.0])
    with pytest.raises((Mine, TypeError)):  # TypeError: nobody has asked it
        use(kind(Mine()), x)
    assert (x.to_list(), x.grad().to_list()) == ([1.0, 2.0], [0.0, 0.0])
    if kind is AsArray:
        with pytest.raises(Mine):
            MLArray(kind(Mine()))


def test_sizes_that_lie(backend: str) -> None:
    uses: list[Callable[[Any], Any]] = [zeros, lambda i: MLArray([1.0]).sum(axis=i)]
    for use in uses:
        with pytest.raises(Mine):
            use(AsIndex(Mine()))
        with pytest.raises(TypeError, match="expected"):
            use(AsIndex(1.5))
    for lie in (Mine(), 1.5, 2**70):
        with pytest.raises((Mine, IndexError)):
            MLArray([1.0])[AsIndex(lie)]
    too_many: Any = AsIndex(2**70)
    with pytest.raises(MemoryError, match=r"^zeros: 1.18059e\+21 elements"):
        zeros(too_many)


def test_an_object_that_changes_its_mind(backend: str) -> None:
    """Each use asks once, or what comes of two answers is refused: nothing is half of both."""
    answers = iter(range(100))

    class Moody:
        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            return [1.0] * (1 + next(answers) % 3)

    for use in (lambda o: MLArray(o), lambda o: MLArray([[1.0], [2.0]]) + o, ops.tanh):
        for _ in range(3):
            made = use(Moody())
            assert len(made.reshape(-1).to_list()) == math.prod(made.shape)


def test_nan_in_place_of_a_number(backend: str) -> None:
    assert math.isnan(MLArray(AsFloat(math.nan)).item())
    nan: Any = AsFloat(math.nan)
    assert math.isnan((Value(1.0) + nan).data)
