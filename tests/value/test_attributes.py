"""Ops of plugins as methods, by the hook and by the methods that it is exchanged for."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from smolml_value import PluginError, Value, elementwise, ops
from smolml_value._ops.plugin_methods import _METHODS, ENOUGH
from smolml_value._runtime.work import WORK
from smolml_value.operand import Operand

Install = Callable[..., Path]
TWICE = elementwise("twice", lambda xp, x: 2.0 * x, (2.0,))

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12) or sys.implementation.name != "cpython",
    reason="the hook costs nothing here, and stays",
)


def has_hook() -> bool:
    return "__getattr__" in vars(Operand)


def exchange() -> None:
    """Compute enough, or say so."""
    assert has_hook()
    WORK.left = 0
    Value(1.0).backward()


@pytest.fixture(autouse=True)
def hook() -> Iterator[None]:
    """Each test begins and ends with the hook."""
    ops.refresh()
    yield
    ops.refresh()
    assert has_hook()


@pytest.fixture(params=["hook", "methods"])
def either(request: pytest.FixtureRequest) -> Callable[[], None]:
    """To be called when the plugins are there: looks up names in one way or the other."""
    return exchange if request.param == "methods" else lambda: None


# When -------------------------------------------------------------------------------------------


def test_work_is_what_counts() -> None:
    x = Value(1.0)
    left = WORK.left
    assert left == ENOUGH
    x.backward()
    small = left - WORK.left
    assert 0 < small < 10
    v = x
    for _ in range(1000):
        v = v * x
    before = WORK.left
    v.backward()
    assert before - WORK.left == 1000 + small
    assert has_hook()
    passes = 1
    while has_hook():
        v.backward()
        passes += 1
    assert passes == pytest.approx(ENOUGH / (1000 + small), abs=2)
    assert WORK.left > 10**18  # from now on it is no matter


def test_computing_without_gradients_changes_nothing() -> None:
    WORK.left = 0
    (Value(1.0) * 2.0).tanh()
    assert has_hook()


def test_every_change_puts_the_hook_back() -> None:
    for change in (
        lambda: ops.register(TWICE),
        lambda: ops.unregister("twice"),
        ops.refresh,
        lambda: ops.registered(TWICE).__enter__(),  # and its end, when it is collected
    ):
        exchange()
        assert not has_hook()
        change()
        assert has_hook()
        assert WORK.left == ENOUGH
        assert "multiply" not in vars(Operand)
    assert "twice" not in ops


def test_a_refused_change_is_none() -> None:
    exchange()
    with pytest.raises(KeyError):
        ops.unregister("twice")
    assert not has_hook()


# What ------------------------------------------------------------------------------------------


def test_built_ins_without_a_method_of_their_own(either: Callable[[], None]) -> None:
    either()
    v: Any = Value(3.0)
    assert v.add(1.0).data == 4.0
    assert v.multiply(v).data == 9.0
    assert {"add", "multiply", "where", "tanh"} <= set(dir(v))
    for name in ops.names():
        assert callable(getattr(v, name))


def test_registered_ops_are_methods(either: Callable[[], None]) -> None:
    v: Any = Value(3.0)
    with ops.registered(TWICE):
        either()
        twice = v.twice()
        twice.backward()
        assert (twice.data, v.grad) == (6.0, 2.0)
        assert "twice" in dir(v)
    assert not hasattr(v, "twice")
    exchange()
    assert not hasattr(v, "twice")
    with ops.registered(TWICE):
        assert v.twice().data == 6.0


def test_ops_get_their_parameters(either: Callable[[], None]) -> None:
    scaled = elementwise("scaled", lambda xp, x, y, *, by=1.0: by * x * y)
    v: Any = Value(3.0)
    with ops.registered(scaled):
        either()
        assert v.scaled(2.0).data == 6.0
        assert v.scaled(Value(2.0), by=-1.0).data == -6.0
        with pytest.raises(TypeError, match="scaled"):
            v.scaled()


def test_plugins_are_loaded_when_they_are_called(
    install: Install, swish: str, either: Callable[[], None]
) -> None:
    install(
        "acme-ops",
        {"swish": "acme_at_a:swish", "_hidden": "acme_at_a:swish", "mro": "acme_at_a:mro"},
        {"acme_at_a": swish + "    mro = elementwise('mro', lambda xp, x: x + 1.0)\n"},
    )
    either()
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
    exchange()
    assert not hasattr(v, "swish")
    info = install("acme-ops", {"swish": "acme_at_b:swish"}, {"acme_at_b": swish})
    assert v.swish().data == ops.swish(0.5)
    exchange()
    assert v.swish().data == ops.swish(0.5)
    for file in info.iterdir():
        file.unlink()
    info.rmdir()
    assert hasattr(v, "swish")  # as the registry has it
    ops.refresh()
    assert not hasattr(v, "swish")
    assert "swish" not in dir(v)


def test_plugins_that_fail_do_so_when_called(
    install: Install, swish: str, either: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOLML_DISABLE_PLUGINS", "off")
    install("acme-ops", {"swish": "acme_at_c:swish", "off": "acme_at_c:off"}, {"acme_at_c": swish})
    install("zeta-ops", {"swish": "zeta_at_c:swish"}, {"zeta_at_c": swish})
    install("bad-ops", {"broken": "bad_at_c:broken"}, {"bad_at_c": "raise ValueError('boom')"})
    either()
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


def test_subclasses_go_their_own_way(either: Callable[[], None]) -> None:
    class Own(Value):
        def twice(self) -> str:  # type: ignore[override, unused-ignore]
            return "mine"

    class Answering(Value):
        def __getattr__(self, name: str) -> str:
            if name == "colour":
                return "red"
            raise AttributeError(name)

    with ops.registered(TWICE):
        either()
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


def test_an_unknown_name_names_the_nearest(either: Callable[[], None]) -> None:
    either()
    v: Any = Value(1.0)
    with pytest.raises(AttributeError, match="sigmoyd") as caught:
        v.sigmoyd()
    assert caught.value.args[0] == (
        "Value has no attribute or op 'sigmoyd'; did you mean sigmoid?"
        if has_hook()
        else "'Value' object has no attribute 'sigmoyd'"
    )


def test_the_traceback_of_an_unknown_name_names_the_nearest() -> None:
    program = """
        from smolml_value import Value, elementwise, ops
        from smolml_value._runtime.work import WORK

        ops.register(elementwise("swish_of_mine", lambda xp, x: x))
        WORK.left = 0
        Value(1.0).backward()
        Value(1.0).swish_of_min()
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=False
    )
    assert done.stderr.endswith(
        "AttributeError: 'Value' object has no attribute 'swish_of_min'. "
        "Did you mean: 'swish_of_mine'?\n"
    )


# Failing and waiting ---------------------------------------------------------------------------


def test_a_scan_that_fails_breaks_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(ops, "_scan", fail)
    x: Any = Value(3.0)
    exchange()
    (x * x).backward()
    assert x.grad == 6.0
    assert has_hook()
    assert WORK.left > 10**18  # nobody tries again and again
    assert x.add(1.0).data == 4.0
    monkeypatch.undo()
    ops.refresh()
    exchange()
    assert not has_hook()


def test_ctrl_c_while_scanning_hurts_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ops, "_scan", interrupt)
    x: Any = Value(3.0)
    WORK.left = 0
    with pytest.raises(KeyboardInterrupt):
        (x * x).backward()
    assert x.grad == 6.0
    assert has_hook()
    (x * x).backward()
    assert x.grad == 12.0
    assert x.add(1.0).data == 4.0


def test_a_change_during_the_exchange_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    known = ops._known

    def late() -> set[str]:
        names = known()
        monkeypatch.undo()
        ops.register(TWICE)  # as another thread may do
        return names

    monkeypatch.setattr(ops, "_known", late)
    v: Any = Value(3.0)
    try:
        exchange()
        assert has_hook()
        assert v.twice().data == 6.0
        exchange()
        assert not has_hook()
        assert v.twice().data == 6.0
    finally:
        ops.unregister("twice")


def test_threads_always_find_what_is_registered() -> None:
    v: Any = Value(3.0)
    exchanged: list[bool] = []
    errors: list[BaseException] = []
    stop = threading.Event()

    def computing() -> None:
        try:
            while not stop.is_set():
                WORK.left = 0
                Value(1.0).backward()
                exchanged.append(not has_hook())
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
    others = [threading.Thread(target=computing) for _ in range(2)]
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
    assert any(exchanged)
    assert not {"op_0", "op_1"} & set(dir(v))


def test_an_exchange_that_begins_while_methods_are_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is just going away does not count as being there."""
    exchange()
    known = threading.Event()
    original = ops._known
    others: list[threading.Thread] = []

    def telling() -> set[str]:
        found = original()
        known.set()
        return found

    class Halfway(dict[str, Callable[..., Any]]):
        def __delitem__(self, name: str) -> None:
            if not others:
                others.append(threading.Thread(target=_METHODS.put_in_place))
                others[0].start()
                known.wait()
                others[0].join(0.05)  # it gets as far as it can
            super().__delitem__(name)

    monkeypatch.setattr(ops, "_known", telling)
    monkeypatch.setattr(_METHODS, "made", Halfway(_METHODS.made))
    ops.refresh()
    others[0].join()
    assert not has_hook()
    v: Any = Value(3.0)
    for name in ("add", "multiply", "divide"):
        assert getattr(v, name)(1.0).data == ops[name](3.0, 1.0)
    ops.refresh()  # while `made` still knows what is to be taken away
    assert "multiply" not in vars(Operand)
