"""Ops as methods: built-ins without a method of their own, registered ops, ops of plugins."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smolml_value import PluginError, Value, elementwise, ops

Install = Callable[..., Path]
TWICE = elementwise("twice", lambda xp, x: 2.0 * x, (2.0,))


def test_built_ins_without_a_method_of_their_own() -> None:
    v: Any = Value(3.0)
    assert v.add(1.0).data == 4.0
    assert v.multiply(v).data == 9.0
    assert {"add", "multiply", "where", "tanh"} <= set(dir(v))
    for name in ops.names():
        assert callable(getattr(v, name))


def test_registered_ops_are_methods() -> None:
    v: Any = Value(3.0)
    with ops.registered(TWICE):
        twice = v.twice()
        twice.backward()
        assert (twice.data, v.grad) == (6.0, 2.0)
        assert "twice" in dir(v)
    assert not hasattr(v, "twice")
    with ops.registered(TWICE):
        assert v.twice().data == 6.0


def test_ops_get_their_parameters() -> None:
    scaled = elementwise("scaled", lambda xp, x, y, *, by=1.0: by * x * y)
    v: Any = Value(3.0)
    with ops.registered(scaled):
        assert v.scaled(2.0).data == 6.0
        assert v.scaled(Value(2.0), by=-1.0).data == -6.0
        with pytest.raises(TypeError, match="scaled"):
            v.scaled()


def test_plugins_are_loaded_when_they_are_called(install: Install, swish: str) -> None:
    install(
        "acme-ops",
        {"swish": "acme_at_a:swish", "_hidden": "acme_at_a:swish", "mro": "acme_at_a:mro"},
        {"acme_at_a": swish + "    mro = elementwise('mro', lambda xp, x: x + 1.0)\n"},
    )
    v: Any = Value(0.5)
    assert hasattr(v, "swish")
    assert callable(v.swish)
    assert {"swish", "mro"} <= set(dir(v))
    assert not hasattr(v, "_hidden")
    assert not hasattr(v, "_repr_html_")
    assert copy.deepcopy(v).data == pickle.loads(pickle.dumps(v)).data == 0.5
    assert "acme_at_a" not in sys.modules
    assert v.swish().data == ops.swish(0.5)
    assert "acme_at_a" in sys.modules
    assert v.mro().data == 1.5


def test_plugins_that_came_and_went(install: Install, swish: str) -> None:
    v: Any = Value(0.5)
    assert not hasattr(v, "swish")
    info = install("acme-ops", {"swish": "acme_at_b:swish"}, {"acme_at_b": swish})
    assert v.swish().data == ops.swish(0.5)
    for file in info.iterdir():
        file.unlink()
    info.rmdir()
    assert hasattr(v, "swish")  # as the registry has it
    ops.refresh()
    assert not hasattr(v, "swish")
    assert "swish" not in dir(v)


def test_plugins_that_fail_do_so_when_called(
    install: Install, swish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOLML_DISABLE_PLUGINS", "off")
    install("acme-ops", {"swish": "acme_at_c:swish", "off": "acme_at_c:off"}, {"acme_at_c": swish})
    install("zeta-ops", {"swish": "zeta_at_c:swish"}, {"zeta_at_c": swish})
    install("bad-ops", {"broken": "bad_at_c:broken"}, {"bad_at_c": "raise ValueError('boom')"})
    v: Any = Value(0.5)
    assert "off" not in dir(v)
    for name, message in {
        "swish": "claimed by acme-ops 1.0 and zeta-ops",
        "off": "switched off by SMOLML_DISABLE_PLUGINS=off",
        "broken": "ValueError: boom",
    }.items():
        assert hasattr(v, name)
        with pytest.raises(PluginError, match=message):
            getattr(v, name)()


def test_subclasses_go_their_own_way() -> None:
    class Own(Value):
        def twice(self) -> str:  # type: ignore[override, unused-ignore]
            return "mine"

    class Answering(Value):
        def __getattr__(self, name: str) -> str:
            if name == "colour":
                return "red"
            raise AttributeError(name)

    with ops.registered(TWICE):
        own: Any = Own(1.0)
        assert own.twice() == "mine"
        own.thrice = "set"
        assert own.thrice == "set"
        own.add = "set"
        assert own.add == "set"
        answering: Any = Answering(1.0)
        assert answering.colour == "red"
        assert not hasattr(answering, "size")
        assert (answering * 2.0).data == 2.0
        assert "twice" in dir(own)
    assert own.twice() == "mine"
    assert "twice" in dir(own)


def test_an_unknown_name_names_the_nearest() -> None:
    v: Any = Value(1.0)
    with pytest.raises(AttributeError, match="sigmoyd") as caught:
        v.sigmoyd()
    assert caught.value.args[0] == "Value has no attribute or op 'sigmoyd'; did you mean sigmoid?"


def test_threads_always_find_what_is_registered() -> None:
    v: Any = Value(3.0)
    errors: list[BaseException] = []
    stop = threading.Event()

    def looking() -> None:
        try:
            while not stop.is_set():
                assert v.add(1.0).data == 4.0
                assert not hasattr(v, "nothing_like_it")
        except BaseException as error:
            errors.append(error)

    def registering(name: str) -> None:
        op = elementwise(name, lambda xp, x: 2.0 * x, (2.0,))
        try:
            for _ in range(100):
                ops.register(op)
                for _ in range(3):
                    assert getattr(v, name)().data == 6.0
                ops.unregister(name)
                assert not hasattr(v, name)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=registering, args=(f"op_{i}",)) for i in range(2)]
    others = [threading.Thread(target=looking) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for t in (*others, *workers):
            t.start()
        for t in workers:
            t.join()
    finally:
        stop.set()
        for t in others:
            t.join()
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]
    assert not {"op_0", "op_1"} & set(dir(v))


def test_an_interrupted_or_failing_scan_hurts_only_who_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(ops, "_scan", fail)
    ops.refresh()
    x: Any = Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0
    assert x.add(1.0).data == 4.0
    monkeypatch.undo()
    assert not hasattr(x, "swish")
