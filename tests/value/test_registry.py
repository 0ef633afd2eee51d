"""The registry: names, run-time registration, and plugins from real distributions on the path."""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from smolml_value import (
    Op,
    OpError,
    OpInfo,
    PluginError,
    SmolMLError,
    UnknownOpError,
    Value,
    elementwise,
    ops,
)
from smolml_value.table import TABLE
from smolml_value.testing import check_op

Install = Callable[..., Path]
TWICE = elementwise("twice", lambda xp, x: 2.0 * x, (2.0,))


def rows(name: str) -> list[OpInfo]:
    """What the registry knows of a name."""
    return [row for row in ops.info() if row.name == name]


# Names -----------------------------------------------------------------------------------------


def test_every_built_in_is_found_in_every_way() -> None:
    for name, op in TABLE.items():
        assert ops[name] is getattr(ops, name) is op
        assert name in ops
        assert name in dir(ops)
        (row,) = rows(name)
        assert row == OpInfo(name, op.arity, "smolml-value", row.version, "built-in", "")
        assert row.version


def test_listing() -> None:
    names = ops.names()
    assert names == sorted(set(names)) == list(ops)
    assert set(TABLE) <= set(names)
    assert repr(ops) == f"<{len(names)} ops: ops.names() lists them>"
    listed = ops.info()
    assert [(r.name, r.distribution) for r in listed] == sorted(
        (r.name, r.distribution) for r in listed
    )


@pytest.mark.parametrize("name", ["tahn", "sigmoyd", "maximun"])
def test_an_unknown_name_suggests_the_nearest(name: str) -> None:
    nearest = {"tahn": "tanh", "sigmoyd": "sigmoid", "maximun": "maximum"}[name]
    for look_up in (ops.__getitem__, lambda n: getattr(ops, n)):
        with pytest.raises(UnknownOpError, match=f"unknown op '{name}'; did you mean .*{nearest}"):
            look_up(name)
    assert name not in ops
    assert not hasattr(ops, name)
    assert getattr(ops, name, None) is None


def test_an_unknown_name_far_from_everything() -> None:
    with pytest.raises(UnknownOpError) as caught:
        ops["qqqqqqqq"]
    assert str(caught.value) == "unknown op 'qqqqqqqq'"
    assert isinstance(caught.value, SmolMLError | KeyError | AttributeError)
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), UnknownOpError)


@pytest.mark.parametrize("key", [3, None, ("tanh",), 1.5])
def test_a_name_that_is_no_name(key: object) -> None:
    assert key not in ops
    with pytest.raises(UnknownOpError, match="unknown op"):
        ops[key]  # type: ignore[index]  # that is what is tested


# At run time -----------------------------------------------------------------------------------


def test_register_and_unregister() -> None:
    assert ops.register(TWICE) is TWICE
    try:
        assert ops["twice"] is ops.twice is TWICE
        assert "twice" in ops
        v: Any = Value(3.0)
        assert v.twice().data == 6.0
        assert "twice" in dir(Value(1.0))
        ops.register(TWICE)  # the same again is fine
        (row,) = rows("twice")
        assert (row.arity, row.status, row.distribution) == (1, "registered", __name__)
        ops.refresh()  # forgets plugins, not what was registered
        assert "twice" in ops
    finally:
        ops.unregister("twice")
    assert "twice" not in ops
    assert not hasattr(v, "twice")
    assert rows("twice") == []


def test_a_name_is_given_once() -> None:
    other = elementwise("twice", lambda xp, x: x + x)
    with ops.registered(TWICE):
        with pytest.raises(OpError, match="the name 'twice' is taken by <op twice"):
            ops.register(other)
        assert ops.twice is TWICE


@pytest.mark.parametrize("name", ["tanh", "add", "clip"])
def test_a_built_in_name_cannot_be_taken(name: str) -> None:
    mine = elementwise(name, lambda xp, x: x)
    with pytest.raises(OpError, match=f"the name '{name}' is taken"):
        ops.register(mine)
    with pytest.raises(OpError, match="is taken"):
        ops.register(ops.clip.bind(min=0.0))
    assert ops[name] is TABLE[name]
    with pytest.raises(UnknownOpError, match=f"unregister: '{name}' was not registered"):
        ops.unregister(name)
    assert ops[name] is TABLE[name]


@pytest.mark.parametrize(
    "wrong", [None, "twice", lambda x: x, Op], ids=["None", "str", "function", "class"]
)
def test_only_ops_can_be_registered(wrong: object) -> None:
    with pytest.raises(OpError, match="register: expected an Op"):
        ops.register(wrong)  # type: ignore[arg-type]


def test_unregister_what_is_not_there() -> None:
    with pytest.raises(UnknownOpError, match="unregister: 'twice' was not registered"):
        ops.unregister("twice")


def test_registered_for_a_block() -> None:
    other = elementwise("thrice", lambda xp, x: 3.0 * x)
    with ops.registered(TWICE, other):
        assert (ops.twice(1.0), ops.thrice(1.0)) == (2.0, 3.0)
        with ops.registered(TWICE):
            assert "twice" in ops
        assert "twice" in ops
    assert "twice" not in ops
    assert "thrice" not in ops


def test_a_failing_block_leaves_nothing_behind() -> None:
    def fail() -> None:
        with ops.registered(TWICE):
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    taken = elementwise("tanh", lambda xp, x: x)
    with pytest.raises(OpError), ops.registered(TWICE, taken):
        pass
    assert "twice" not in ops


# Plugins ---------------------------------------------------------------------------------------


def test_a_plugin_is_an_op_like_any_other(install: Install, swish: str) -> None:
    install("acme-ops", {"swish": "acme_a:swish"}, {"acme_a": swish}, version="2.3")
    assert "swish" in ops.names()
    assert "swish" in ops
    assert "swish" in dir(ops)
    x: Any = Value(0.5)
    assert ops.swish(0.5) == ops["swish"](x).data == x.swish().data
    assert ops["acme-ops:swish"] is ops.swish
    assert rows("swish") == [OpInfo("swish", 1, "acme-ops", "2.3", "loaded", "")]
    assert pickle.loads(pickle.dumps(ops.swish)) is ops.swish
    with pytest.raises(UnknownOpError, match="did you mean 'swish'"):
        ops["swich"]


def test_a_plugin_is_loaded_when_it_is_used_not_before(install: Install, swish: str) -> None:
    entries = {"swish": "acme_b:swish", "other": "acme_b_other:other"}
    install("acme-ops", entries, {"acme_b": swish, "acme_b_other": "raise RuntimeError"})
    v: Any = Value(1.0)
    assert {"swish", "other"} <= set(ops.names())
    assert "swish" in ops
    assert rows("swish") == [OpInfo("swish", None, "acme-ops", "1.0", "available", "")]
    assert hasattr(v, "swish")
    assert callable(v.swish)
    dir(v), dir(ops), repr(ops), ops.tanh(1.0)
    assert not {"acme_b", "acme_b_other"} & set(sys.modules)
    v.swish()
    assert "acme_b" in sys.modules
    assert "acme_b_other" not in sys.modules


@pytest.mark.parametrize(
    "probe",
    [
        *("_repr_html_", "_repr_png_", "_ipython_display_", "_repr_mimebundle_"),
        *("__array__", "__array_interface__", "__array_struct__", "__array_priority__"),
        *("__len__", "__iter__", "__getstate_of__", "_not_there", "__wrapped__"),
    ],
)
def test_probing_an_object_looks_for_no_plugin(
    install: Install, swish: str, probe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-ops", {"swish": "acme_c:swish", "_not_there": "acme_c:swish"}, {"acme_c": swish})

    def forbidden() -> None:
        raise AssertionError("the entry points were scanned")

    monkeypatch.setattr(ops, "_scan", forbidden)
    assert not hasattr(Value(1.0), probe)
    assert probe == "__iter__" or not hasattr(ops, probe)
    assert "acme_c" not in sys.modules


def test_built_ins_need_no_scan(
    install: Install, swish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-ops", {"swish": "acme_d:swish"}, {"acme_d": swish})

    def forbidden() -> None:
        raise AssertionError("the entry points were scanned")

    monkeypatch.setattr(ops, "_scan", forbidden)
    v: Any = Value(1.0)
    ops.tanh(v), ops["exp"](v), v.add(1.0), v.clip(0.0), "tanh" in ops
    (v * v + 2).backward()


def test_import_is_lean(tmp_path: Path) -> None:
    # in a fresh interpreter: nothing of the plugins, nothing slow, until somebody asks
    conftest = importlib.import_module("tests.value.conftest")
    conftest.write_distribution(
        tmp_path, "acme-ops", {"swish": "acme_lean:swish"}, {"acme_lean": conftest.SWISH}
    )
    program = """
        import sys
        before = set(sys.modules)
        from smolml_value import Value, ops
        import copy, pickle
        v = Value(2.0)
        (v * v).tanh().backward()
        copy.copy(v), pickle.loads(pickle.dumps(v)), repr(v), hasattr(v, "_repr_html_")
        slow = {"importlib.metadata", "email", "difflib", "inspect", "numpy", "acme_lean"}
        assert not slow & (set(sys.modules) - before), slow & set(sys.modules)
        assert "swish" in ops.names() and "acme_lean" not in sys.modules
        assert v.swish().data and "acme_lean" in sys.modules
    """
    path = os.pathsep.join([str(tmp_path), *(p for p in sys.path if p)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)],
        env={**os.environ, "PYTHONPATH": path, "SMOLML_DISABLE_PLUGINS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


BROKEN: dict[str, tuple[str, str]] = {
    # what the module does, what the error says
    "raises": ("raise ValueError('boom')", "loading it raised ValueError: boom"),
    "imports what is missing": ("import not_there_at_all", "raised ModuleNotFoundError: No module"),
    "lacks the name": ("", "raised AttributeError: .*has no attribute 'broken'"),
    "does not compile": ("broken = (", "raised SyntaxError"),
    "exits": ("import sys; sys.exit(3)", "raised SystemExit: 3"),
    "is no op": ("broken = 3", "expected an Op .*got int"),
    "is a function": ("def broken(x): return x", "expected an Op .*got function"),
    "has another name": (
        "from smolml_value import elementwise\nbroken = elementwise('hidden', lambda xp, x: x)",
        "the op calls itself 'hidden'; the entry-point name must be the op's name",
    ),
    "is ill-defined": (
        "from smolml_value import elementwise\nbroken = elementwise('broken', lambda xp: 1)",
        "raised OpError: broken: its forward",
    ),
}


@pytest.mark.parametrize(("source", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_fails_on_its_own_use_only(
    install: Install, swish: str, source: str, message: str
) -> None:
    install("acme-ops", {"swish": "acme_e:swish"}, {"acme_e": swish})
    install("bad-ops", {"broken": "bad_e:broken"}, {"bad_e": source}, version="0.7")
    assert {"broken", "swish"} <= set(ops.names())
    assert rows("broken") == [OpInfo("broken", None, "bad-ops", "0.7", "available", "")]
    who = r"op 'broken' of bad-ops 0\.7 \(bad_e:broken\) cannot be used: "
    v: Any = Value(1.0)
    uses: list[Callable[[], object]] = [
        lambda: ops.broken,
        lambda: ops["broken"],
        lambda: ops["bad-ops:broken"],
        lambda: v.broken(),
    ]
    for use in uses:
        with pytest.raises(PluginError, match=f"{who}.*{message}"):
            use()
    (row,) = rows("broken")
    assert row.status == "broken"
    assert "bad-ops 0.7" in row.error
    assert ops.swish(0.0) == 0.0
    assert Value(1.0).tanh().data == ops.tanh(1.0)


def test_an_op_whose_name_plugins_claim_is_not_theirs(install: Install) -> None:
    install("bad-ops", {"twice": "bad_n:twice"}, {"bad_n": "raise ValueError('boom')"})
    assert ops.name_of(TWICE) is None
    report = check_op(TWICE, kinds=[], raise_on_failure=False)
    assert [check.name for check in report.failures] == ["registration"]
    assert "op 'twice' of bad-ops 1.0 (bad_n:twice) cannot be used" in str(report)
    other = """
        from smolml_value import elementwise
        twice = elementwise("twice", lambda xp, x: x + x)
    """
    install("other-ops", {"twice": "other_n:twice"}, {"other_n": other})
    assert ops.name_of(TWICE) is None
    assert ops.name_of(ops["other-ops:twice"]) == "other-ops:twice"


def test_the_cause_of_a_failure_is_kept(install: Install) -> None:
    install("bad-ops", {"broken": "bad_f:broken"}, {"bad_f": "raise ValueError('boom')"})
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            ops["broken"]
        assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("target", ["bad_g", "bad_g:", "bad g:x", ":broken", "bad_g:a.b"])
def test_a_malformed_entry_point(install: Install, target: str) -> None:
    install("bad-ops", {"broken": target}, {"bad_g": "a = 1"})
    with pytest.raises(PluginError, match=r"op 'broken' of bad-ops 1\.0"):
        ops["broken"]
    assert "tanh" in ops.names()


@pytest.mark.parametrize("metadata", [None, "Metadata-Version: 2.1\n", "garbage"])
def test_a_distribution_without_its_metadata(
    install: Install, swish: str, metadata: str | None
) -> None:
    # what an interrupted uninstallation leaves behind
    install("torn-ops", {"torn": "torn_h:torn"}, {"torn_h": "torn = 1"}, metadata=metadata)
    install("acme-ops", {"swish": "acme_h:swish"}, {"acme_h": swish})
    assert "swish" in ops.names()
    assert ops.swish(0.0) == 0.0
    assert [row.status for row in ops.info() if row.name == "swish"] == ["loaded"]


def test_a_plugin_cannot_replace_a_built_in(install: Install) -> None:
    source = "from smolml_value import elementwise\ntanh = elementwise('tanh', lambda xp, x: x)"
    install("greedy", {"tanh": "greedy_i:tanh"}, {"greedy_i": source})
    assert ops.tanh is TABLE["tanh"]
    assert Value(0.5).tanh().data != 0.5
    built_in, claimed = sorted(rows("tanh"), key=lambda row: row.status)
    assert built_in.status == "built-in"
    assert claimed == OpInfo("tanh", None, "greedy", "1.0", "conflicting", claimed.error)
    assert "belongs to a built-in op" in claimed.error
    with pytest.raises(PluginError, match="belongs to a built-in op"):
        ops["greedy:tanh"]
    assert "greedy_i" not in sys.modules or ops.tanh is TABLE["tanh"]


def test_two_distributions_with_one_name(install: Install, swish: str) -> None:
    install("acme-ops", {"swish": "acme_j:swish"}, {"acme_j": swish}, version="1.2")
    install("zeta_Ops", {"swish": "zeta_j:swish"}, {"zeta_j": swish}, version="3.4")
    message = (
        r"op 'swish' is claimed by acme-ops 1\.2 and zeta-ops 3\.4; choose with "
        r"ops\['acme-ops:swish'\] or ops\['zeta-ops:swish'\]"
    )
    v: Any = Value(1.0)
    uses: list[Callable[[], object]] = [
        lambda: ops["swish"],
        lambda: ops.swish,
        lambda: v.swish(),
    ]
    for use in uses:
        with pytest.raises(PluginError, match=message):
            use()
    assert not {"acme_j", "zeta_j"} & set(sys.modules)
    first, second = ops["acme-ops:swish"], ops["zeta-ops:swish"]
    assert first is not second
    assert ops["Zeta_Ops:swish"] is second
    assert "zeta-ops:swish" in ops
    assert "other-ops:swish" not in ops
    assert ops.names().count("swish") == 1
    assert [(r.distribution, r.status) for r in rows("swish")] == [
        ("acme-ops", "conflicting"),
        ("zeta-ops", "conflicting"),
    ]
    assert "also claimed by zeta-ops" in rows("swish")[0].error
    with pytest.raises(UnknownOpError, match="unknown op 'other-ops:swish'"):
        ops["other-ops:swish"]


def test_the_same_distribution_twice_on_the_path_is_one(
    install: Install, swish: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-ops", {"swish": "acme_k:swish"}, {"acme_k": swish}, version="2.0")
    conftest = importlib.import_module("tests.value.conftest")
    older = tmp_path / "older"
    conftest.write_distribution(older, "acme-ops", {"swish": "acme_k:swish"}, version="1.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(older)])
    ops.refresh()
    assert rows("swish") == [OpInfo("swish", None, "acme-ops", "2.0", "available", "")]
    assert ops.swish(0.0) == 0.0


# Switched off ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "off"),
    [
        ("", set()),
        ("0", set()),
        ("1", {"swish", "mish", "gish"}),
        (" 1 ", {"swish", "mish", "gish"}),
        ("swish", {"swish"}),
        ("swish,gish", {"swish", "gish"}),
        (" swish , gish ", {"swish", "gish"}),
        ("acme-ops", {"swish", "mish"}),
        ("acme_ops", {"swish", "mish"}),
        ("Acme.Ops", {"swish", "mish"}),
        ("acme-ops:mish", {"mish"}),
        ("other:mish", set()),
        ("acme-ops:mish,other-ops", {"mish", "gish"}),
        ("nothing-of-the-kind", set()),
        ("tanh", set()),  # a built-in op is no plugin
    ],
)
def test_the_switch(
    install: Install, monkeypatch: pytest.MonkeyPatch, switch: str, off: set[str]
) -> None:
    source = """
        from smolml_value import elementwise

        swish = elementwise("swish", lambda xp, x: x)
        mish = elementwise("mish", lambda xp, x: x)
        gish = elementwise("gish", lambda xp, x: x)
    """
    install("acme-ops", {"swish": "acme_l:swish", "mish": "acme_l:mish"}, {"acme_l": source})
    install("other-ops", {"gish": "acme_l:gish"})
    monkeypatch.setenv("SMOLML_DISABLE_PLUGINS", switch)
    ops.refresh()
    names = {"swish", "mish", "gish"}
    assert names - set(ops.names()) == off
    for name in names:
        (row,) = rows(name)
        assert (row.status == "disabled") is (name in off)
        if name in off:
            with pytest.raises(
                PluginError, match=f"switched off by SMOLML_DISABLE_PLUGINS={switch}"
            ):
                ops[name]
        else:
            assert ops[name](1.0) == 1.0
    assert ops.tanh is TABLE["tanh"]
    monkeypatch.delenv("SMOLML_DISABLE_PLUGINS")
    ops.refresh()
    assert names <= set(ops.names())


def test_switching_one_rival_off_settles_a_conflict(
    install: Install, swish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-ops", {"swish": "acme_m:swish"}, {"acme_m": swish})
    install("zeta-ops", {"swish": "zeta_m:swish"}, {"zeta_m": swish})
    monkeypatch.setenv("SMOLML_DISABLE_PLUGINS", "zeta-ops")
    ops.refresh()
    assert ops.swish is ops["acme-ops:swish"]
    assert [r.status for r in rows("swish")] == ["loaded", "disabled"]


# Coming and going ------------------------------------------------------------------------------


def test_refresh_finds_what_came_and_forgets_what_went(install: Install, swish: str) -> None:
    assert "swish" not in ops
    info = install("acme-ops", {"swish": "acme_n:swish"}, {"acme_n": swish})
    assert "swish" in ops
    for file in info.iterdir():
        file.unlink()
    info.rmdir()
    assert "swish" in ops  # still what was scanned
    ops.refresh()
    assert "swish" not in ops
    with pytest.raises(UnknownOpError):
        ops["swish"]


def test_refresh_gives_a_mended_plugin_another_chance(install: Install, swish: str) -> None:
    info = install("acme-ops", {"swish": "acme_o:swish"}, {"acme_o": "raise ValueError"})
    with pytest.raises(PluginError):
        ops["swish"]
    (info.parent / "acme_o.py").write_text("import acme_o_mended\nswish = acme_o_mended.swish\n")
    (info.parent / "acme_o_mended.py").write_text(dedent(swish))
    with pytest.raises(PluginError):
        ops["swish"]
    ops.refresh()
    assert ops["swish"](0.0) == 0.0


def test_the_path_is_scanned_once(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("acme-ops", {})
    scan, count = ops._scan, [0]

    def counted() -> object:
        count[0] += 1
        return scan()

    monkeypatch.setattr(ops, "_scan", counted)
    for _ in range(3):
        ops.names(), ops.info(), "swish" in ops, hasattr(ops, "swish")
    assert count == [1]


def test_two_threads_load_a_plugin_once(install: Install) -> None:
    source = """
        import time
        from smolml_value import elementwise

        runs = globals().get("runs", 0) + 1
        time.sleep(0.1)
        swish = elementwise("swish", lambda xp, x: x)
    """
    install("acme-ops", {"swish": "acme_p:swish"}, {"acme_p": source})
    found: list[object] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        try:
            found.append(ops.swish)
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    module = importlib.import_module("acme_p")
    assert module.runs == 1
    assert found == [module.swish] * 4


def test_all_threads_get_the_same_op(install: Install) -> None:
    # the target of this entry point is another op at each look
    source = """
        import time
        from smolml_value import elementwise

        def __getattr__(name):
            if name != "fresh":
                raise AttributeError(name)
            time.sleep(0.05)
            return elementwise("fresh", lambda xp, x: x)
    """
    install("acme-ops", {"fresh": "acme_r:fresh"}, {"acme_r": source})
    found: list[Op] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        found.append(ops.fresh)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [ops.fresh] * 4


def test_plugins_that_need_each_other_load_in_two_threads(install: Install) -> None:
    # a lock around all loading would wait for the import lock of the other thread for ever
    source = """
        import time
        from smolml_value import elementwise, ops

        time.sleep(0.05)
        import acme_q_shared
        {name} = elementwise("{name}", lambda xp, x: ops.tanh.on(xp, x))
    """
    modules = {f"acme_q_{name}": source.format(name=name) for name in ("left", "right")}
    shared = "import time\nfrom smolml_value import ops\ntime.sleep(0.05)\nops.names()"
    entries = {name: f"acme_q_{name}:{name}" for name in ("left", "right")}
    install("acme-ops", entries, {**modules, "acme_q_shared": shared})
    found: dict[str, object] = {}

    def work(name: str) -> None:
        found[name] = ops[name](0.0)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in ("left", "right")]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=20.0)
    assert found == {"left": 0.0, "right": 0.0}
