"""Saving and loading: what comes back, in which places, and a training that goes on."""

from __future__ import annotations

import json
import math
import os
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st

from smolml_array import MLArray, ShapeError, use_backend
from smolml_utils import SGD, Adam, Optimizer, SGDMomentum, cosine_decay, load, save
from smolml_value import Value
from tests.children import printed
from tests.utils.optimizing import OPTIMIZERS


def _bits(x: Any) -> bytes:
    """What tells 0.0 from -0.0, and one nan from another."""
    return np.asarray(x.to_list() if isinstance(x, MLArray) else x, dtype=float).tobytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.safetensors"


def test_names_say_where_something_stands(path: Path, backend: str) -> None:
    w, b, v = MLArray([[1.0, 2.0]]), MLArray(3.0), Value(4.0)
    tree = {"layers": [{"w": w, "b": b}, (v,)], "step": 5, "rate": 0.5, "done": True, "none": []}
    save(path, tree, {"by": "us", "ñ": "é"})
    found = load(path)
    assert found.metadata == {"by": "us", "ñ": "é"}
    assert {name: x.to_list() for name, x in found.items()} == {
        "layers.0.w": [[1.0, 2.0]],
        "layers.0.b": 3.0,
        "layers.1.0": 4.0,
        "step": 5,
        "rate": 0.5,
        "done": True,
    }
    dtypes = {name: str(x.dtype) for name, x in found.items()}
    assert dtypes["step"].endswith("int64")
    assert dtypes["done"].endswith("bool")
    assert all(x.backend == backend for x in found.values())
    trained = {name for name, x in found.items() if x.requires_grad}
    assert trained == {name for name in found if name not in ("step", "done")}
    assert [*found] == [*json.loads(_header(path.read_bytes())).keys()][1:]


def _header(data: bytes) -> bytes:
    return data[8 : 8 + struct.unpack("<Q", data[:8])[0]]


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)], ids=str)
def test_every_dtype_and_shape(dtype: str, shape: tuple[int, ...], path: Path) -> None:
    x = (100.0 * np.random.default_rng(0).normal(size=shape)).astype(dtype)
    with use_backend("numpy"):
        save(path, {"x": MLArray(x, False, dtype=dtype), "raw": x})
        for found in load(path).values():
            array = np.asarray(found)
            assert array.dtype == x.dtype
            assert array.shape == x.shape
            np.testing.assert_array_equal(array, x)
    with use_backend("pure"):  # without float32
        for found in load(path).values():
            assert found.shape == shape
            np.testing.assert_array_equal(np.ravel(found.to_list()), x.ravel())


@given(st.lists(st.floats() | st.sampled_from([0.0, -0.0, math.inf, -math.inf, 5e-324])))
def test_every_bit_comes_back(numbers: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        for name in ("numpy", "pure"):
            with use_backend(name):
                save(path, {"x": MLArray(numbers)})
                assert _bits(load(path)["x"]) == np.array(numbers, dtype=float).tobytes()


def test_extreme_int64(path: Path, backend: str) -> None:
    numbers = [2**63 - 1, -(2**63), 2**53 + 1, 0]
    save(path, {"x": np.array(numbers), "n": 2**53 + 1})
    assert load(path)["x"].to_list() == numbers
    assert load(path)["n"].item() == 2**53 + 1


def test_windows_and_arrays_of_values(path: Path, backend: str) -> None:
    x, values = MLArray([[1.0, 2.0], [3.0, 4.0]]), [Value(5.0), Value(6.0)]
    tree = {"column": x[:, 1], "transposed": x.T, "values": MLArray(values)}
    save(path, tree)
    found = load(path)
    assert found["transposed"].to_list() == [[1.0, 3.0], [2.0, 4.0]]
    for p in tree.values():
        p.update_values(0.0 * p.detach())
    assert x.to_list() == [[0.0, 0.0], [0.0, 0.0]]
    load(path, into=tree)
    assert x.to_list() == [[1.0, 2.0], [3.0, 4.0]]
    assert [v.data for v in values] == [5.0, 6.0]


def test_into_changes_what_is_there(path: Path, backend: str) -> None:
    w, frozen, v = MLArray([1.0, 2.0], label="w"), MLArray([3.0], False), Value(4.0, label="v")
    tree: dict[str, Any] = {"params": [w, v], "frozen": frozen, "step": 7}
    save(path, tree)
    (w * w * v).sum().backward()
    before = (w.grad().to_list(), v.grad, w._node, w.data[0])
    w.update_values([0.0, 0.0])
    frozen.update_values([0.0])
    v.data = 0.0
    found = load(path, into=tree)
    assert found["step"].item() == 7
    assert (w.to_list(), frozen.to_list(), v.data) == ([1.0, 2.0], [3.0], 4.0)
    assert (w.grad().to_list(), v.grad, w._node, w.data[0]) == before
    assert (w.label, w.requires_grad, frozen.requires_grad, v.label) == ("w", True, False, "v")


def _model(name: str, dtype: str | None = None) -> dict[str, Any]:
    make, _ = OPTIMIZERS[name]
    return {
        "w": MLArray([[0.5, -1.0], [2.0, 0.25]], dtype=dtype),
        "b": MLArray(0.125, dtype=dtype),
        "scale": Value(1.5),
        "optimizer": make(),
        "step": 0,
    }


def _train(model: dict[str, Any], start: int, stop: int) -> None:
    params = [model["w"], model["b"], model["scale"]]
    optimizer = model["optimizer"]
    for step in range(start, stop):
        optimizer.learning_rate = cosine_decay(step, 0.05, 12)
        loss = ((model["w"] * model["scale"] + model["b"]).tanh() ** 2).sum()
        optimizer.zero_grad(params)
        loss.backward()
        optimizer.step(params)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_goes_on_bit_for_bit(name: str, dtype: str, path: Path, backend: str) -> None:
    dtype = "float64" if backend == "pure" else dtype
    whole, halted, resumed = (_model(name, dtype) for _ in range(3))
    _train(whole, 0, 10)
    _train(halted, 0, 6)
    save(path, halted | {"step": 6})
    step = int(load(path, into=resumed)["step"].item())
    assert repr(resumed["optimizer"]) == repr(halted["optimizer"])
    _train(resumed, step, 10)
    for p in ("w", "b"):
        assert _bits(resumed[p]) == _bits(whole[p])
        assert resumed[p].dtype == whole[p].dtype
    assert _bits(resumed["scale"].data) == _bits(whole["scale"].data)
    assert _bits(whole["w"]) != _bits(halted["w"])


def test_a_training_goes_on_in_another_process_and_on_the_pure_backend(path: Path) -> None:
    with use_backend("numpy"):
        halted = _model("Adam")
        _train(halted, 0, 5)
        save(path, halted)
    program = (
        "import sys\n"
        "sys.modules['numpy'] = None\n"
        "from smolml_utils import load, save\n"
        f"found = load({str(path)!r})\n"
        f"save({str(path)!r}, dict(found))\n"
        "print(found['w'].to_list())\n"
    )
    assert printed(program).strip() == str(halted["w"].to_list())
    with use_backend("numpy"):
        resumed = _model("Adam")
        load(path, into=resumed)
        _train(resumed, 5, 9)
        _train(halted, 5, 9)
    assert _bits(resumed["w"]) == _bits(halted["w"])


def _kind(item: tuple[str, Any]) -> tuple[str, type, str]:
    """The name of a part of a state, what it is, and of which numbers."""
    key, x = item
    return key, type(x), str(getattr(x, "dtype", ""))


def test_states_of_an_optimizer_of_ones_own(path: Path, backend: str) -> None:
    class Odd(Optimizer):
        def _advance(self, xp: Any, x: Any, g: Any, state: dict[str, Any]) -> Any:
            state["steps"] = state.get("steps", 0) + 1
            state["scale"] = 0.5 * state.get("scale", 1.0)
            state["signs"] = xp.sign(g) + state.get("signs", 0.0)
            state["up"] = True
            state["whole"] = int(g) if isinstance(g, float) else xp.astype(g, xp.int64)
            return x - state["scale"] * state["signs"]

    def model() -> dict[str, Any]:
        return {"w": MLArray([1.0, -2.0]), "v": Value(3.0), "odd": Odd()}

    def train(m: dict[str, Any]) -> None:
        m["odd"].step([m["w"], m["v"]], [m["w"].detach(), m["v"].data])

    one, other = model(), model()
    for _ in range(3):
        train(one)
    save(path, one)
    train(other)  # what it remembered before is forgotten
    load(path, into=other)
    for p in ("w", "v"):
        mine, theirs = (m["odd"]._states.get(m[p]) for m in (one, other))
        assert [*map(_kind, mine.items())] == [*map(_kind, theirs.items())]
    for m in (one, other):
        train(m)
    assert _bits(one["w"]) == _bits(other["w"])
    assert one["v"].data == other["v"].data


def test_two_optimizers_and_parameters_that_they_have_not_met(path: Path, backend: str) -> None:
    def model() -> dict[str, Any]:
        a, b = MLArray([1.0]), MLArray([2.0])
        return {"a": a, "b": b, "first": Adam(), "second": SGDMomentum(0.1)}

    one, other = model(), model()
    one["first"].step([one["a"]], [np.ones(1)])
    one["second"].step([one["b"]], [np.ones(1)])
    other["second"].step([other["a"]], [np.ones(1)])  # forgotten by load
    save(path, one)
    load(path, into=other)
    for m in (one, other):
        assert len(m["first"]._states) == len(m["second"]._states) == 1
        m["first"].step([m["a"], m["b"]], [np.ones(1), np.ones(1)])
        m["second"].step([m["a"], m["b"]], [np.ones(1), np.ones(1)])
    assert [one["a"].item(), one["b"].item()] == [other["a"].item(), other["b"].item()]


def test_what_cannot_be_saved(path: Path, backend: str) -> None:
    save(path, {"w": MLArray([1.0])})
    before = path.read_bytes()
    stray, named_states = Adam(), Adam()
    stray.step([gone := MLArray([1.0])], [np.ones(1)])
    named_states.update(type("Layer", (), {"w": MLArray([1.0])})(), 0, ["w"])
    remembers = "remembers parameters that are not here; put them beside it"
    cases: list[tuple[Any, Any, type[Exception], str]] = [
        ({"w": "text"}, None, TypeError, "save: w: expected numbers, Values"),
        ({"w": None}, None, TypeError, "save: w: expected numbers, Values"),
        ({"a": {"b": 1.0}, "a.b": 2.0}, None, ValueError, "save: two things have the name 'a.b'"),
        ({"__metadata__": 1.0}, None, ValueError, "two things have the name '__metadata__'"),
        ({"w": 1.0}, {"epoch": 3}, TypeError, "save: metadata must be texts by name, got {'epoch'"),
        ({"w": 1.0}, {3: "epoch"}, TypeError, "save: metadata must be texts by name"),
        ({"w": MLArray([1.0]), "o": stray}, None, ValueError, f"save: o {remembers}"),
        ({"o": named_states}, None, ValueError, f"save: o {remembers}"),
    ]
    for tree, metadata, kind, message in cases:
        with pytest.raises(kind) as caught:
            save(path, tree, metadata)
        assert message in str(caught.value)
        assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
    assert gone.item() != 1.0


def test_what_does_not_fit(path: Path, backend: str) -> None:
    w, b, optimizer = MLArray([1.0, 2.0]), Value(3.0), Adam(0.5)
    optimizer.step([w, b], [np.ones(2), 1.0])
    save(path, {"w": w, "b": b, "optimizer": optimizer, "step": 1})
    fresh, v = MLArray([0.0, 0.0]), Value(0.0)
    whole: dict[str, Any] = {"w": fresh, "b": v, "optimizer": Adam(), "step": 0}
    changes: list[tuple[dict[str, Any], str]] = [
        ({"c": Value(0.0)}, "c"),
        ({"step": []}, "step"),
        ({"w": []}, "optimizer.w.m, optimizer.w.t, optimizer.w.v, w"),
        (
            {"optimizer": SGD()},
            ", ".join(
                f"optimizer.{name}"
                for name in ("epsilon", "exp_decay_gradients", "exp_decay_squared")
                + ("momentum_coefficient", "nesterov", "weight_decay")
            ),
        ),
    ]
    for change, misfits in changes:
        with pytest.raises(ValueError, match=r"^load: ") as caught:
            load(path, into=whole | change)
        assert str(caught.value) == f"load: {path} and `into` differ: only one has {misfits}"
    shapes: list[tuple[dict[str, Any], str]] = [
        ({"w": MLArray([0.0])}, "w has shape (2,), expected (1,)"),
        ({"b": MLArray([0.0])}, "b has shape (), expected (1,)"),
        ({"w": Value(0.0)}, "w has shape (2,), expected ()"),
    ]
    for change, message in shapes:
        with pytest.raises(ShapeError) as refused:
            load(path, into=whole | change)
        assert str(refused.value) == f"load: {path}: {message}"
    assert (fresh.to_list(), v.data) == ([0.0, 0.0], 0.0)
    assert whole["optimizer"].learning_rate == 0.01


def test_without_the_library(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(path, {"w": 1.0})
    monkeypatch.setitem(sys.modules, "safetensors", None)
    expected = "load: needs the package safetensors: pip install 'smolml-utils[safetensors]'"
    with pytest.raises(ImportError) as caught:
        load(path)
    assert str(caught.value) == expected


def test_the_library_reads_what_is_written(path: Path, backend: str) -> None:
    save(path, {"w": MLArray([[1.0, -2.0]]), "n": 3, "on": False}, {"note": "x"})
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"note": "x", "smolml": "1"}
        np.testing.assert_array_equal(file.get_tensor("w"), [[1.0, -2.0]])
        assert (file.get_tensor("n").item(), file.get_tensor("on").item()) == (3, False)
    data = path.read_bytes()
    assert (8 + struct.unpack("<Q", data[:8])[0]) % 8 == 0
