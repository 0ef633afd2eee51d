"""check_backend passes what is right and refuses what is wrong, with the reason."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from smolml_array.backends import BACKENDS, backends, get_backend
from smolml_array.testing import CheckError, check_backend

PURE: Any = get_backend("pure")


@pytest.mark.parametrize("name", BACKENDS)
def test_those_built_in_pass_and_nothing_is_left_out(name: str) -> None:
    if name == "numpy":
        pytest.importorskip("numpy")
    report = check_backend(name)
    assert str(report) == f"<backend {name!r}>: {len(report.checks)} ok"
    compared = {check.name: check.notes[-1] for check in report.checks if check.notes}
    assert len(compared) > 150
    foreign = set() if find_spec("numpy") else {"smolml_array.from_dlpack"}  # whose arrays?
    assert {name for name, note in compared.items() if note == "0 calls compared"} == foreign


def _as_number(out: Any) -> Any:
    return out if out.shape else out.flat[0]


def _in_place(x: Any, **more: Any) -> Any:
    out = PURE.sort(x, **more)
    x.flat[:] = out.flat
    return out


def _warns(x: Any) -> Any:
    warnings.warn("overflow", RuntimeWarning, stacklevel=1)
    return PURE.expm1(x)


def _without_repeats(x: Any, key: Any, v: Any) -> Any:
    return PURE.index_put(x, key, PURE.add(PURE.index(x, key), v))


def _clipped(x: Any, indices: Any, axis: int | None = None) -> Any:
    n = x.shape[axis or 0] if x.shape else 1
    return PURE.take(x, PURE.remainder(PURE.asarray(indices), max(n, 1)), axis=axis)


def _no_empty(x: Any, **more: Any) -> Any:
    if not x.size:
        raise ZeroDivisionError("mean of nothing")
    return PURE.mean(x, **more)


# the name of a function, what is there in its place, and what the report must say
FAULTS: dict[str, tuple[Any, str]] = {
    "exp": (lambda x: PURE.astype(PURE.exp(x), "int64"), "int64[3] in place of float64[3]"),
    "cotangent_product": (lambda g, p: PURE.multiply(g, p), "is nan in place of"),
    "cumulative_sum": (
        lambda x, axis=None, **more: PURE.cumulative_sum(x, axis=-1 if axis == 0 else axis, **more),
        "in place of",
    ),
    "divide": (
        lambda x1, x2: PURE.floor_divide(x1, x2),
        "in place of float64",
    ),
    "sum": (
        lambda x, **more: _as_number(PURE.sum(x, **more)),
        "in place of float64[]",
    ),
    "sort": (_in_place, "changes its arguments"),
    "index_add": (_without_repeats, "in place of"),
    "expm1": (_warns, "it warns RuntimeWarning: overflow"),
    "take": (_clipped, "not refused"),
    "mean": (_no_empty, "raises ZeroDivisionError: mean of nothing"),
    "max": (lambda x, axis=None, keepdims=False: PURE.max(x, axis=axis), "in place of"),
    "sum_to_shape": (
        lambda g, shape: PURE.broadcast_to(PURE.sum(g), shape),
        "in place of",
    ),
    "maximum": (
        lambda x1, x2: PURE.where(PURE.greater(x1, x2), x1, x2),
        "in place of nan",
    ),
    "argsort": (
        lambda x, axis=-1, descending=False, stable=True: PURE.argsort(x, axis=axis),
        "in place of",
    ),
}


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a backend with all these faults."""
    monkeypatch.setattr(backends, "_registered", {})
    wrong = {name: f for name, (f, _) in FAULTS.items()}
    backends.register(SimpleNamespace(**{**vars(PURE), **wrong, "name": "faulty", "pi": 3.14}))
    return "faulty"


def test_every_planted_fault_is_found_and_nothing_else(faulty: str) -> None:
    report = check_backend(faulty, raise_on_failure=False)
    messages = {check.name: "\n".join(check.messages) for check in report.failures}
    assert messages.pop("constants") == "pi is 3.14; expected 3.141592653589793"
    assert messages.keys() == FAULTS.keys()
    for name, (_, said) in FAULTS.items():
        assert f"{name}(" in messages[name] or "it warns" in messages[name]
        assert said in messages[name]
    # one cause, told once
    waiting = [check for check in report.checks if check.status == "skipped"]
    assert {check.name.split()[0].split(".")[0] for check in waiting} == {
        "op",
        "smolml_array",
        "MLArray",
    }
    assert waiting[0].messages[0].startswith("until this is mended: argsort, cot")


def test_the_error_is_the_report(faulty: str) -> None:
    with pytest.raises(CheckError, match="FAILED   sort") as caught:
        check_backend(faulty)
    assert caught.value.report.failures
    with pytest.raises(ValueError, match="unknown backend 'foo'"):
        check_backend("foo")


def test_what_is_wrong_only_in_operators_is_found_with_the_ops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rules use Python's operators on raw arrays."""
    array = type(PURE.asarray(1.0))
    right = array.__truediv__
    monkeypatch.setattr(array, "__truediv__", lambda x, y: right(x, y) * (1 + 1e-6))
    report = check_backend("pure", raise_on_failure=False)
    failed = {check.name for check in report.failures}
    assert {"op atan2", "op divide"} <= failed


def test_what_the_collector_says_meanwhile_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def exp(x: Any) -> Any:
        warnings.warn("unclosed file", ResourceWarning, stacklevel=1)
        return PURE.exp(x)

    monkeypatch.setattr(backends, "_registered", {})
    backends.register(SimpleNamespace(**{**vars(PURE), "name": "leaky", "exp": exp}))
    assert check_backend("leaky").ok
