"""Numbers that leave the graph inside a transform: a warning with the line, and no false alarm."""

from __future__ import annotations

import array
import copy
import inspect
import logging
import math
import pickle
import statistics
import warnings
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import pytest

import smolml_array
from smolml_array import MLArray, use_backend, zeros
from smolml_value import (
    LostGradientWarning,
    Value,
    checkpoint,
    custom_vjp,
    draw,
    elementwise_grad,
    explain,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    stop_gradient,
    value_and_grad,
    vjp,
)

np = pytest.importorskip("numpy")


def found(call: Callable[[], object]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [w for w in caught if w.category is LostGradientWarning]


# Programs of which a part of the gradient is lost; x is an array of two numbers, p two Values. ---


def filled(p: Any) -> Any:
    buffer = np.zeros(2)
    buffer[0] = p[0]  # lost
    return p[1] * buffer.sum()


def filled_by_an_array(x: Any) -> Any:
    buffer = np.zeros(2)
    buffer[:] = x * 2.0  # lost
    return x.sum() * buffer.sum()


def copied_to(x: Any) -> Any:
    buffer = np.zeros(2)
    np.copyto(buffer, x)  # lost
    return x.sum() * buffer.sum()


def updated(x: Any) -> Any:
    kept = zeros(2)
    kept.update_values(x * x)  # lost
    return (x * kept).sum()


def in_other_packages(p: Any) -> Any:
    import statistics

    return p[0] * statistics.fmean([p[0], p[1]])  # lost


def as_integers(p: Any) -> Any:
    return MLArray([p[0], p[1]], dtype="int64").sum() * p[0]  # lost


def moved(x: Any) -> Any:
    other = x.to_backend("pure")  # lost
    return x.sum() * float(other.sum())


def often(p: Any) -> Any:
    total = p[0] * 0.0
    for _ in range(3):
        total = total + p[1] * math.sin(p[0])  # lost
    return total


def from_memory(x: Any) -> Any:
    return (x * np.from_dlpack(x * x)).sum()  # lost


def with_weights(x: Any) -> Any:
    counts, _ = np.histogram([0.5, 1.5], weights=x)  # lost
    return x.sum() * counts.sum()


ON_VALUES: dict[str, Callable[[Any], Any]] = {
    "float": lambda p: p[0] * float(p[1]),  # lost
    "int": lambda p: p[0] * int(p[1] * 3.0),  # lost
    "math": lambda p: p[0] + math.sin(p[0]),  # lost
    "complex": lambda p: p[0] * abs(complex(p[1])),  # lost
    "ndarray of floats": lambda p: p[0] * np.array([p[0] ** 2, p[1]], dtype=float).sum(),  # lost
    "array.array": lambda p: p[0] * array.array("d", [p[1]])[0],  # lost
    "copy": lambda p: p[0] * copy.copy(p[1]),  # lost
    "deepcopy": lambda p: p[0] * copy.deepcopy([p[1]])[0],  # lost
    "pickle": lambda p: p[0] * pickle.loads(pickle.dumps(p[1])),  # lost
    "filled": filled,
    "statistics": in_other_packages,
    "dtype": as_integers,
    "often": often,
    "checkpoint": lambda p: checkpoint(lambda q: q * math.exp(q))(p[0]) * p[1],  # lost
    "grad in it": lambda p: p[0] * grad(lambda q: q * math.exp(q))(p[1]),  # lost
    "closed over": lambda p: p[0] * grad(lambda q: q * float(p[1]))(1.0),  # lost
}
ON_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "item": lambda x: x[0] * x[1].item(),  # lost
    "float of an element": lambda x: x[0] * float(x[1]),  # lost
    "to_list": lambda x: x.sum() * sum(x.to_list()),  # lost
    "asarray": lambda x: (x * np.asarray(x)).sum(),  # lost
    "array of elements": lambda x: (x * np.array([x[0] ** 2, x[1]])).sum(),  # lost
    "math of an element": lambda x: x[0] * math.exp(x[1]),  # lost
    "an element as a Value": lambda x: x[0] * float(x.data[1]),  # lost
    "copy": lambda x: (x * copy.copy(x)).sum(),  # lost
    "dtype": lambda x: x.sum() * MLArray(x, dtype="int64").sum(),  # lost
    "filled": filled_by_an_array,
    "copyto": copied_to,
    "histogram": with_weights,
    "update_values": updated,
    "to_backend": moved,
    "dlpack": from_memory,
}


def line_of_loss(f: Callable[[Any], Any]) -> int:
    lines, start = inspect.getsourcelines(f)
    return start + next(i for i, line in enumerate(lines) if "# lost" in line)


def check_warning(f: Callable[[Any], Any], call: Callable[[], object]) -> None:
    warned = found(call)
    assert [w.lineno for w in warned] == [line_of_loss(f)]
    assert warned[0].filename == __file__
    assert "stop_gradient" in str(warned[0].message)


@pytest.mark.parametrize("f", ON_VALUES.values(), ids=ON_VALUES)
def test_what_is_lost_of_values_is_said_once_with_its_line(f: Callable[[Any], Any]) -> None:
    check_warning(f, lambda: grad(f)([0.5, 1.5]))
    check_warning(f, lambda: grad(f)([Value(0.5), Value(1.5)]))


@pytest.mark.parametrize("f", ON_ARRAYS.values(), ids=ON_ARRAYS)
def test_what_is_lost_of_arrays_is_said_once_with_its_line(f: Callable[[Any], Any]) -> None:
    check_warning(f, lambda: grad(f)(MLArray([0.5, 1.5], backend="numpy")))


LOSING = ON_VALUES["math"]
TRANSFORMS: dict[str, Callable[[], object]] = {
    "value_and_grad": lambda: value_and_grad(LOSING)([0.5, 1.5]),
    "elementwise_grad": lambda: elementwise_grad(lambda x: [LOSING(x), x[1]])([0.5, 1.5]),
    "vjp": lambda: vjp(LOSING, [0.5, 1.5])[1](1.0),
    "jvp": lambda: jvp(LOSING, ([0.5, 1.5],), ([1.0, 0.0],)),
    "jacobian": lambda: jacobian(lambda p: [LOSING(p), p[1]])([0.5, 1.5]),
    "hessian": lambda: hessian(LOSING)([0.5, 1.5]),
    "hvp": lambda: hvp(LOSING)([0.5, 1.5], [1.0, 0.0]),
    "grad of grad": lambda: grad(lambda x: grad(lambda y: LOSING([x * y, y]))(x))(0.5),
}


@pytest.mark.parametrize("call", TRANSFORMS.values(), ids=TRANSFORMS)
def test_every_transform_says_it_once(call: Callable[[], object]) -> None:
    check_warning(LOSING, call)


def test_the_pure_backend_says_it_too() -> None:
    for name in ("item", "to_list", "asarray", "copy"):
        check_warning(ON_ARRAYS[name], lambda f=ON_ARRAYS[name]: grad(f)(of_pure()))  # type: ignore[misc]


def of_pure() -> MLArray:
    return MLArray([0.5, 1.5], backend="pure")


def test_each_call_says_it_anew() -> None:
    f = grad(LOSING)
    assert len(found(lambda: [f([0.5, 1.5]) for _ in range(3)])) == 3


# Programs of which nothing is lost --------------------------------------------------------------

WEIGHT = Value(2.0)
TABLE = [1.0, 2.0, 3.0]


def logged(p: Any) -> Any:
    logging.getLogger(__name__).error("%f %s", p[0], p[1])
    return p[0] * p[1]


def printed(p: Any) -> Any:
    print(p[0], f"{p[1]:.3f}", "%.2f" % p[0], "%d" % p[1], "{:.1f}".format(p[0]), repr(p))  # noqa: UP031, UP032
    return p[0] * p[1]


def shown(p: Any) -> Any:
    y = p[0] * p[1]
    draw(y)
    explain(y)
    return y


def branching(p: Any) -> Any:
    if p[0] > 1.0 and p[1] != 3.0 and p[0]:
        return p[0]
    return max(p[0], p[1]) * sorted(p)[0]


def picked(p: Any) -> Any:
    return p[0] * TABLE[int((p[1] * 2.0).floor())] * TABLE[int(p[0].round())]


def keyed(p: Any) -> Any:
    seen = {p[0]: 1.0, p[1]: 2.0}
    return p[0] * seen[p[0]] * len({*p})


def in_no_grad(p: Any) -> Any:
    with no_grad():
        scale = float(p[0] * p[1])
    return p[0] * scale


def stopped(p: Any) -> Any:
    return p[0] * float(stop_gradient(p[1])) * math.sin(p[1].data)


@custom_vjp
def by_hand(x: Any) -> Any:
    return Value(math.sin(x))


by_hand.defvjp(lambda x: (Value(math.sin(x)), x), lambda x, g: (g * Value(math.cos(x)),))


def of_gradients(p: Any) -> Any:
    y = p[0] ** 3 / p[1]
    (slope,) = gradients(y, [p[0]])
    return slope * y


def chosen(x: Any) -> Any:
    y = x[x.argmax()] * x[int(x.argmin())] + x.sort()[-1]
    return y * (x > 0.7).sum().item() * x.shape[0]


def compared(x: Any) -> Any:
    assert np.allclose(x, x)
    assert bool((x == x).all())
    assert np.isclose(x, 0.5).any()
    return (x * x).sum()


def printed_array(x: Any) -> Any:
    print(x, f"{x[0]:.2f}", repr(x), x._repr_html_())
    return (x * x).sum()


def stopped_array(x: Any) -> Any:
    scale = x.detach().sum().item() + stop_gradient(x).to_list()[0]
    return (x * scale + MLArray(x, requires_grad=False)).sum()


def of_numpy(x: Any) -> Any:
    return np.sum(np.tanh(x) @ np.stack([x, x])) + np.concatenate([x, x]).mean()


def rebuilt(x: Any) -> Any:
    return (
        MLArray([[v * v for v in x.data], [x[0].data, x[1].data]]).sum() + x.astype("float64").sum()
    )


INNOCENT_OF_VALUES: dict[str, Callable[[Any], Any]] = {
    "branching": branching,
    "printed": printed,
    "logged": logged,
    "drawn and explained": shown,
    "index": picked,
    "keys": keyed,
    "no_grad": in_no_grad,
    "stop_gradient and data": stopped,
    "a weight that is closed over": lambda p: p[0] * float(WEIGHT * 2.0) * int(WEIGHT),
    "a derivative by hand": lambda p: by_hand(p[0]) * p[1],
    "gradients": of_gradients,
    "a gradient in it": lambda p: p[0] * grad(lambda q: q**3)(p[1]),
    "a hessian in it": lambda p: p[0] * hessian(lambda q: q[0] ** 3 / q[1])(p)[0][0],
    "a jvp in it": lambda p: jvp(lambda q: q**3, (p[0],), (p[1],))[1],
    "checkpoint": lambda p: checkpoint(lambda q: q.exp() / q)(p[0]) * p[1],
    "round": lambda p: p[0] * round(p[1], 1),
    "a dtype of floats": lambda p: MLArray([p[0], p[1]], dtype="float64").sum() * p[0],
    "sum and powers": lambda p: sum(p) ** 2.5 / abs(p[0]),
}
INNOCENT_OF_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "indices and masks": chosen,
    "comparisons": compared,
    "printed": printed_array,
    "detach and stop_gradient": stopped_array,
    "NumPy's functions": of_numpy,
    "made of elements": rebuilt,
    "iteration": lambda x: sum(row * row for row in x),
    "a dtype of floats": lambda x: x.sum() * MLArray(x, dtype="float64").sum(),
    "len and size": lambda x: x.sum() * len(x) * x.size(),
    "a hessian in it": lambda x: hessian(lambda y: (y**3).prod())(x).sum(),
}


@pytest.mark.parametrize("f", INNOCENT_OF_VALUES.values(), ids=INNOCENT_OF_VALUES)
def test_nothing_is_said_of_innocent_programs(f: Callable[[Any], Any]) -> None:
    assert found(lambda: grad(f)([0.5, 1.25])) == []
    assert found(lambda: hessian(f)([0.5, 1.25])) == []
    assert found(lambda: jvp(f, ([Value(0.5), 1.25],), ([1.0, 1.0],))) == []


@pytest.mark.parametrize("backend", ["numpy", "pure"])
@pytest.mark.parametrize("f", INNOCENT_OF_ARRAYS.values(), ids=INNOCENT_OF_ARRAYS)
def test_nothing_is_said_of_innocent_programs_of_arrays(
    f: Callable[[Any], Any], backend: str
) -> None:
    with use_backend(backend):
        x = MLArray([0.5, 1.25])
        assert found(lambda: grad(f)(x)) == []
        assert found(lambda: vjp(f, x)[1](1.0)) == []


def test_outside_of_transforms_numbers_are_taken_freely() -> None:
    def train() -> None:
        w = MLArray([1.0, 2.0])
        loss = (w * w).sum()
        loss.backward()
        log = [loss.item(), float(loss), *w.grad().to_list()]
        value, slope = value_and_grad(lambda w: (w * w).sum())(w)
        log += [value.item(), *slope.to_list(), *np.asarray(slope)]
        assert log == [5.0, 5.0, 2.0, 4.0, 5.0, 2.0, 4.0, 2.0, 4.0]

    assert found(train) == []


def test_the_warning_is_a_declared_one() -> None:
    assert issubclass(LostGradientWarning, UserWarning)
    assert smolml_array.__name__  # and of the package it comes from, not of arrays


def test_a_function_of_a_library_alone() -> None:
    (warning,) = found(lambda: grad(NormalDist().cdf)(1.0))
    assert warning.filename == statistics.__file__
