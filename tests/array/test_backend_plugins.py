"""Backends of plugins: found by name, loaded when used, and each fails on its own use only."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import smolml_array
import smolml_value
from smolml_array import MLArray, use_backend
from smolml_array.backends import BACKENDS, BackendInfo, backends, get_backend
from smolml_value import PluginError, ops
from smolml_value.testing import check_op
from tests.value.conftest import write_distribution

MIRROR = """
    from types import SimpleNamespace
    from smolml_array.extending import get_backend

    BACKEND = SimpleNamespace(**{**vars(get_backend("pure")), "name": %r})
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A function that installs a distribution with one backend for this test."""
    monkeypatch.delenv("SMOLML_DISABLE_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)

    def add(distribution: str, name: str, module: str, source: str) -> None:
        entries = {name: f"{module}:BACKEND"}
        modules = {module: source}
        write_distribution(tmp_path, distribution, entries, modules, group="smolml.backends")
        backends.refresh()

    yield add
    for module in set(sys.modules) - known:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[module]
    monkeypatch.undo()
    backends.refresh()


def info(name: str) -> list[BackendInfo]:
    return [row for row in backends.info() if row.name == name]


def test_a_plugin_is_a_backend_like_any_other(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-backends", "mirror", "mirror_a", MIRROR % "mirror")
    assert backends.names() == [*BACKENDS, "mirror"]
    assert info("mirror") == [BackendInfo("mirror", "acme-backends", "1.0", "available")]
    assert "mirror_a" not in sys.modules  # only a name and a string until it is used
    x = MLArray([1.0, 2.0], backend="mirror")
    y = (x * x).sum()
    y.backward()
    assert (x.backend, y.backend, x.grad().to_list()) == ("mirror", "mirror", [2.0, 4.0])
    assert info("mirror")[0].status == "loaded"
    assert MLArray([3.0], backend="pure").to_backend("mirror").exp().backend == "mirror"
    with use_backend("mirror"):
        z = MLArray([[1.0]])
    assert z.backend == "mirror"
    for again in (copy.copy(z), copy.deepcopy(z), pickle.loads(pickle.dumps(z))):
        assert (again.backend, again.to_list()) == ("mirror", [[1.0]])
    assert get_backend("acme-backends:mirror") is get_backend("mirror")
    monkeypatch.setattr("smolml_array.config._chosen", [])
    monkeypatch.setenv("SMOLML_BACKEND", "mirror")
    assert MLArray([1.0]).backend == "mirror"
    monkeypatch.undo()


def test_those_built_in_need_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(group: str) -> Any:
        raise AssertionError("the entry points were read")

    here = ["numpy", "pure"] if find_spec("numpy") else ["pure"]
    monkeypatch.setattr("smolml_value._ops.plugin.find", forbidden)
    backends.refresh()
    assert [get_backend(name).name for name in here] == here
    monkeypatch.undo()
    assert [row.name for row in backends.info()] == ["numpy", "pure"]
    assert [row.name for row in backends.info() if row.status == "built-in"] == here
    with pytest.raises(ValueError, match="unknown backend 'jax': expected one of 'numpy', 'pure'"):
        get_backend("jax")


def test_from_a_zip_file_without_metadata_or_numpy(tmp_path: Path) -> None:
    archive = tmp_path / "house.zip"
    with zipfile.ZipFile(archive, "w") as house:
        for package in (smolml_value, smolml_array):
            home = Path(package.__file__ or "").parent
            for path in home.rglob("*.py"):
                house.write(path, path.relative_to(home.parent))
    program = (
        "from smolml_array import MLArray, use_backend\n"
        "from smolml_array.extending import backends\n"
        "print(MLArray([1.0]).backend, [row[-2:] for row in backends.info()])\n"
        "use_backend('numpy')\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],  # -S: nothing that is installed
        env={"PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    rows = "[('broken', 'NumPy is not installed'), ('built-in', '')]"
    assert done.stdout == f"pure {rows}\n", done.stderr
    assert "needs NumPy >= 2, which is not installed: pip install numpy" in done.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import a_module_that_nobody_has", "loading it raised ModuleNotFoundError: No module"),
        ("raise SystemExit('no licence')", "loading it raised SystemExit: no licence"),
        ("BACKEND = 1", "it lacks abs, acos, acosh, add,"),
        (MIRROR % "other", "the name of its entry point must be the backend's own name"),
    ],
)
def test_a_broken_one_fails_on_its_own_use_only(source: str, said: str, install: Install) -> None:
    install("bad-backends", "broken", "broken_b", source)
    assert info("broken")[0].status == "available"
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            MLArray([1.0], backend="broken")
        head = "backend 'broken' of bad-backends 1.0 (broken_b:BACKEND) cannot be used: "
        assert str(caught.value).startswith(head + said)
    assert (info("broken")[0].status, info("broken")[0].error) == ("broken", str(caught.value))
    assert MLArray([1.0]).exp().backend in BACKENDS


def test_threads_load_one_once(install: Install) -> None:
    """All are there when the first begins to load it, and get the same backend."""
    slow = "    import time; runs = globals().get('runs', 0) + 1; time.sleep(0.1)\n"
    install("acme-backends", "slow", "slow_b", slow + MIRROR % "slow")
    start = threading.Barrier(4)

    def work(_: int) -> Any:
        start.wait(30.0)
        with use_backend("slow"):
            x = MLArray([1.0, 2.0])
            (x * x).sum().backward()
        return x.grad().to_list(), x._node.backend

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    assert sys.modules["slow_b"].runs == 1
    assert [gradient for gradient, _ in found] == [[2.0, 4.0]] * 4
    assert {id(used) for _, used in found} == {id(get_backend("slow"))}


def test_conflicts_are_answered_as_those_of_ops(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-backends", "mirror", "mirror_c", MIRROR % "mirror")
    install("zeta-backends", "mirror", "mirror_d", MIRROR % "mirror")
    install("greedy", "pure", "pure_d", MIRROR % "pure")
    message = (
        r"backend 'mirror' is claimed by acme-backends 1\.0 and zeta-backends 1\.0; choose with "
        r"get_backend\('acme-backends:mirror'\) or get_backend\('zeta-backends:mirror'\)"
    )
    with pytest.raises(PluginError, match=message):
        use_backend("mirror")
    assert [row.status for row in info("mirror")] == ["conflicting"] * 2
    assert info("mirror")[0].error == "also claimed by zeta-backends"
    assert get_backend("zeta-backends:mirror").name == "mirror"
    assert [(row.status, row.error) for row in info("pure")] == [
        ("built-in", ""),
        ("conflicting", "the name belongs to a built-in backend"),
    ]
    assert "pure_d" not in sys.modules
    monkeypatch.setenv("SMOLML_DISABLE_PLUGINS", "acme-backends")
    backends.refresh()
    assert get_backend("mirror").name == "mirror"
    monkeypatch.setenv("SMOLML_DISABLE_PLUGINS", "1")
    backends.refresh()
    with pytest.raises(PluginError, match="switched off by SMOLML_DISABLE_PLUGINS=1; unset it"):
        get_backend("mirror")
    assert backends.names() == [*BACKENDS]


def test_one_may_be_registered_at_run_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_registered", {})
    mine: Any = type("Mine", (), {**vars(get_backend("pure")), "name": "mine"})
    assert backends.register(mine) is get_backend("mine") is mine
    assert info("mine") == [BackendInfo("mine", "", "", "registered")]
    for name, said in [("pure", "belongs to a built-in backend"), ("", "it lacks abs")]:
        with pytest.raises(
            PluginError, match=f"register: backend {name!r} cannot be used: .*{said}"
        ):
            backends.register(type("Wrong", (), {"name": name}))  # type: ignore[arg-type]


def test_one_registered_is_checked_with_every_op_and_may_be_taken_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backends, "_registered", {})
    backends.register(SimpleNamespace(**{**vars(get_backend("pure")), "name": "mine"}))
    assert "mine: derivatives" in [check.name for check in check_op(ops.exp).checks]
    backends.unregister("mine")
    assert "mine: derivatives" not in [check.name for check in check_op(ops.exp).checks]
    assert info("mine") == []
    with pytest.raises(ValueError, match="unknown backend 'mine'"):
        get_backend("mine")
    for name in ("mine", "pure"):
        with pytest.raises(ValueError, match=f"unregister: '{name}' was not registered"):
            backends.unregister(name)
