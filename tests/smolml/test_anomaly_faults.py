"""detect_anomaly names the right line in planted faults, on Values and on arrays."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smolml import AnomalyError, MLArray, Value, detect_anomaly, no_grad, use_backend
from tests.smolml.faults import ARRAY_FAULTS, FAULTS, VALUE_FAULTS, Fault, Kind

KINDS = {
    "Value": Kind(Value, lambda y: y),
    # the number that makes the fault stands at [0, 1]
    "numpy": Kind(lambda number: MLArray([[0.5, number]]), lambda y: y.sum()),
    "pure": Kind(lambda number: MLArray([[0.5, number]]), lambda y: y.sum()),
}
CASES = [
    pytest.param(fault, kind, id=f"{name}-{kind}")
    for kind in KINDS
    for name, fault in {**FAULTS, **(VALUE_FAULTS if kind == "Value" else ARRAY_FAULTS)}.items()
]


@pytest.fixture
def use(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Kind]]:
    """What makes operands of a kind, on its backend."""
    opened = []

    def begin(kind: str) -> Kind:
        if kind == "numpy":
            pytest.importorskip("numpy")
        block = use_backend("pure" if kind == "Value" else kind)
        block.__enter__()
        opened.append(block)
        return KINDS[kind]

    yield begin
    for block in opened:
        block.__exit__(None, None, None)


def marked_line(function: Callable[..., Any]) -> tuple[str, int]:
    """The file, and the number of the line in this function that says `# here`."""
    lines, first = inspect.getsourcelines(function)
    (place,) = [i for i, line in enumerate(lines) if line.rstrip().endswith("# here")]
    return inspect.getfile(function), first + place


def gradient(x: Any) -> float:
    """That at the number which makes the fault."""
    return float(x.grad) if isinstance(x, Value) else x.grad().to_list()[0][1]


def test_there_are_enough_faults() -> None:
    assert len(FAULTS) >= 20


@pytest.mark.parametrize(("fault", "kind"), CASES)
def test_the_line_is_named(fault: Fault, kind: str, use: Callable[[str], Kind]) -> None:
    tools = use(kind)
    x = tools.make(fault.start)
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        fault.run(tools, x)
    error = caught.value
    file, line = marked_line(fault.marked or fault.run)
    assert (error.file, error.line) == (file, line)
    assert (error.op, error.direction) == (fault.op, fault.direction)
    assert error.code == linecache.getline(file, line).strip()
    message = str(error)
    assert f"{file}:{line}, in " in message
    assert message.startswith(f"{fault.op}: ")
    assert "nan" in message or "inf" in message
    # no leaf has changed, and the graph can be used
    assert gradient(x) == 0.0
    tools.total(x * 3.0).backward()
    assert gradient(x) == 3.0


@pytest.mark.parametrize(("fault", "kind"), CASES)
def test_without_the_mode_nothing_raises(
    fault: Fault, kind: str, use: Callable[[str], Kind]
) -> None:
    tools = use(kind)
    fault.run(tools, tools.make(fault.start))
    with detect_anomaly():
        pass
    fault.run(tools, tools.make(fault.start))


@pytest.mark.parametrize("kind", KINDS)
def test_the_caller_of_a_composite_is_named_too(kind: str, use: Callable[[str], Kind]) -> None:
    tools = use(kind)
    fault = FAULTS["composite"]
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        fault.run(tools, tools.make(fault.start))
    assert "called from" in str(caught.value)
    assert "return entropy(x)" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_from_outside_has_no_line(kind: str, use: Callable[[str], Kind]) -> None:
    tools = use(kind)
    x = tools.make(0.0)
    y = tools.total(x.sqrt())
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        y.backward()
    error = caught.value
    assert (error.op, error.direction, error.operand) == ("sqrt", "backward", 0)
    assert (error.file, error.line, error.code) == (None, None, "")
    assert "made outside detect_anomaly()" in str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_what_meets_a_zero_is_no_anomaly(kind: str, use: Callable[[str], Kind]) -> None:
    """A zero cotangent times an infinite partial is 0, and so is the other way round."""
    from smolml import grad, hessian, jvp, ops

    tools = use(kind)
    x = tools.make(0.0)

    def f(v: Any) -> Any:
        return tools.total(ops.where(v > 1, v.sqrt(), v * v))

    with detect_anomaly():
        f(x).backward()
        assert gradient(x) == 0.0
        slopes = [
            grad(f)(x),
            jvp(f, (x,), (x * 0.0 + 1.0,))[1],
            grad(lambda v: tools.total(grad(f)(v)))(x),
        ]
        hessian(f)(x)
    assert len(slopes) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_finite_programs_give_the_same_numbers(kind: str, use: Callable[[str], Kind]) -> None:
    tools = use(kind)

    def run() -> tuple[float, float]:
        x = tools.make(0.7)
        y = tools.total(((x * x).tanh() + x.exp()).log() / (x + 2.0))
        y.backward()
        return float(y), gradient(x)

    outside = run()
    with detect_anomaly():
        inside = run()
        with no_grad():
            tools.make(0.7).exp()
    assert inside == outside
