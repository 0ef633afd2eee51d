"""What optimizers refuse, and whether the message says who, what and how to put it right."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import pytest

from smolml_array import MLArray, ShapeError
from smolml_utils import SGD, AdaGrad, Adam, AdamW, Optimizer, RMSProp, SGDMomentum
from smolml_value import Value, no_grad

EVERY: list[type[Optimizer]] = [SGD, SGDMomentum, AdaGrad, RMSProp, Adam, AdamW]


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize("bad", [-0.1, math.inf, math.nan])
def test_learning_rates(cls: type[Optimizer], bad: float) -> None:
    message = f"{cls.__name__}: learning_rate must be a finite number, at least 0, got {bad:g}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cls(learning_rate=bad)
    optimizer = cls()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        optimizer.learning_rate = bad
    assert optimizer.learning_rate == 0.01


@pytest.mark.parametrize("cls", EVERY)
def test_a_learning_rate_is_a_number(cls: type[Optimizer]) -> None:
    with pytest.raises(TypeError, match=f"^{cls.__name__}: learning_rate: expected a number"):
        cls("0.1")  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (SGD, "momentum_coefficient"),
        (SGDMomentum, "momentum_coefficient"),
        (RMSProp, "exp_decay_squared"),
        (Adam, "exp_decay_gradients"),
        (Adam, "exp_decay_squared"),
        (AdamW, "exp_decay_squared"),
    ],
)
@pytest.mark.parametrize("bad", [-0.1, 1.0, 1.5, math.nan])
def test_decays(cls: Any, name: str, bad: float) -> None:
    message = f"{cls.__name__}: {name} must be in [0, 1), got {bad:g}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cls(**{name: bad})
    assert getattr(cls(**{name: 0.0}), name) == 0.0


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (AdaGrad, "epsilon"),
        (RMSProp, "epsilon"),
        (Adam, "epsilon"),
        (AdamW, "epsilon"),
        (AdamW, "weight_decay"),
        (SGD, "weight_decay"),
    ],
)
@pytest.mark.parametrize("bad", [-1e-8, math.inf, math.nan])
def test_epsilon_and_weight_decay(cls: Any, name: str, bad: float) -> None:
    message = f"{cls.__name__}: {name} must be a finite number, at least 0, got {bad:g}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cls(**{name: bad})


def test_the_base_cannot_be_used_alone() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Optimizer()  # type: ignore[abstract]  # that is the point


@pytest.mark.parametrize("where", ["step", "zero_grad"])
def test_one_parameter_in_place_of_a_list(where: str, backend: str) -> None:
    for p in (MLArray([[1.0, 2.0]]), Value(1.0)):
        kind = type(p).__name__
        message = f"SGD.{where}: expected a list of parameters, got one {kind}; write {where}([x])"
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            getattr(SGD(), where)(p)


@pytest.mark.parametrize("where", ["step", "zero_grad"])
@pytest.mark.parametrize(
    ("bad", "shown"),
    [
        (1.0, "1 must be an MLArray or a Value, got float"),
        ("w", "1 must be an MLArray or a Value, got str"),
        (None, "1 must be an MLArray or a Value, got NoneType"),
        ([Value(0.0), 1.0], "1.1 must be an MLArray or a Value, got float"),
        ({"layer": {"w": "x"}}, "1.layer.w must be an MLArray or a Value, got str 'x'"),
    ],
)
def test_things_that_are_no_parameters(where: str, bad: Any, shown: str) -> None:
    message = f"Adam.{where}: parameter {shown}"
    w = Value(1.0)
    w.grad = 1.0
    with pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        getattr(Adam(), where)([w, bad])
    assert (w.data, w.grad) == (1.0, 1.0)  # all are looked at before any is changed


def test_names_in_place_of_parameters() -> None:
    with pytest.raises(TypeError, match="parameter 0 must be an MLArray or a Value, got str 'w'"):
        SGD().step({"w": Value(1.0)}.keys())


@pytest.mark.parametrize("where", ["step", "zero_grad"])
@pytest.mark.parametrize("nothing", [[], {}, iter(()), {"layers": []}])
def test_no_parameters(where: str, nothing: Any) -> None:
    message = f"SGD.{where}: expected a list or dict of parameters, got none; write {where}([w, b])"
    for call in (lambda: getattr(SGD(), where)(nothing), getattr(SGD(), where)):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            call()


def test_a_step_before_backward(backend: str) -> None:
    w, b = MLArray([1.0]), MLArray([2.0])
    message = (
        r"^SGD.step: no parameter has a gradient \(a constant never has\); call backward\(\) "
        r"before, on a loss computed from them$"
    )
    for params in ([w, b], [w[:1]], {"w": w, "frozen": MLArray([1.0], requires_grad=False)}):
        with pytest.raises(ValueError, match=message):
            SGD().step(params)
    w.sum().backward()
    SGD().step([b, w])  # b was not used this time
    SGD().zero_grad([w, b])
    with pytest.raises(ValueError, match=message):
        SGD().step([w, b])
    (0.0 * w).sum().backward()  # a gradient that is 0 is one
    SGD().step([w])
    SGD().step([MLArray([Value(1.0)])])  # of Values it cannot be told


def test_a_step_of_constants_only(backend: str) -> None:
    frozen = MLArray([1.0], requires_grad=False)
    with pytest.raises(
        ValueError, match=r"^Adam.step: no parameter has a gradient \(a constant never has\)"
    ):
        Adam().step([frozen, MLArray([1.0], requires_grad=False)])


def test_gradients_that_do_not_fit(backend: str) -> None:
    params: dict[str, Any] = {"w": MLArray([1.0, 2.0]), "b": Value(0.0)}
    for grads, got in (
        ([[1.0, 2.0], 1.0], "got 0.0, 0.1, 1"),
        ({"w": MLArray([1.0, 2.0])}, "got w"),
        ({}, "got dict"),
        (MLArray([1.0, 2.0]), "got MLArray"),
    ):
        expected = "grads must be nested like the parameters, which are w, b; "
        with pytest.raises(ValueError, match=f"^SGD.step: {re.escape(expected + got)}$"):
            SGD().step(params, grads)
    with pytest.raises(ShapeError, match=r"^SGD.step: gradient w: expected the shape \(2,\), got"):
        SGD().step(params, {"w": MLArray([1.0]), "b": 1.0})
    with pytest.raises(ShapeError, match=r"^SGD.step: gradient b: expected the shape \(\), got"):
        SGD().step(params, {"w": MLArray([1.0, 1.0]), "b": MLArray([1.0])})
    with pytest.raises(TypeError, match=r"^SGD.step: gradient b: expected numbers"):
        SGD().step(params, {"w": MLArray([1.0, 1.0]), "b": "1"})
    assert params["w"].to_list() == [1.0, 2.0]


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ValueError, match=r"^SGD: nesterov needs a momentum_coefficient above 0$"):
        SGD(nesterov=True)


@pytest.mark.parametrize("where", ["step", "zero_grad"])
def test_a_parameter_given_twice(where: str, backend: str) -> None:
    w = MLArray([1.0])
    with pytest.raises(ValueError, match=rf"^SGD.{where}: a parameter is given twice"):
        getattr(SGD(), where)([w, Value(1.0), w])
    twins = [MLArray([1.0]), MLArray([1.0])]
    for twin in twins:
        twin.set_grad([1.0])
    getattr(SGD(), where)(twins)  # equal numbers are no matter


def test_results_are_no_parameters(backend: str) -> None:
    x, v = MLArray([1.0, 2.0]), Value(2.0)
    y = x * 2.0
    results: dict[str, Any] = {"multiply": y, "tanh": v.tanh(), "*": MLArray([v * v, v])}
    for op, p in [*results.items(), ("multiply", y[:1]), ("multiply", y.T), ("*", y.data[0])]:
        message = f"SGD.step: parameter 0 is the result of {op!r}; give the leaves that it was"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            SGD().step([p])
    layer = SimpleNamespace(w=y)
    with pytest.raises(ValueError, match=r"^SGD.update: parameter 'w' is the result of 'multiply'"):
        SGD().update(layer, 0, ("w",))
    y.restart().sum().backward()
    SGD().step([y])  # as the message says


def test_one_result_among_its_elements_makes_an_array_no_parameter(backend: str) -> None:
    x, v = MLArray([1.0, 2.0]), Value(2.0)
    with no_grad():
        cut = x * 2.0
    for p in (MLArray([x.data[0], v]), MLArray([cut.data[0], v])):
        p.sum().backward()
        SGD().step([p])
    for p in (MLArray([x.data[0], v * v]), MLArray([v, x.data[1] * 2.0])):
        with pytest.raises(ValueError, match=r"^SGD.step: parameter 0 is the result of '\*'"):
            SGD().step([p])


def test_update_of_what_is_not_there() -> None:
    layer = SimpleNamespace(w=MLArray([1.0]), name="dense")
    with pytest.raises(AttributeError, match="bias"):
        SGD().update(layer, 0, ("w", "bias"))
    with pytest.raises(TypeError, match=r"^SGD.update: parameter 'name' must be an MLArray or a"):
        SGD().update(layer, 0, ("name",))
    message = "SGD.update: expected several names, got the string 'w'; write ('w',)"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        SGD().update(layer, 0, "w")
