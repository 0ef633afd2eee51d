"""Many plugins: they cost nothing until one is used, and then one module is loaded, once."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from tests.plugins.building import install, run, write_wheel

COUNT = 200
MODULE = (
    "from smolml_value import elementwise\n"
    "plug_{i:03} = elementwise('plug_{i:03}', lambda xp, x: {i} * x, ({i},))\n"
)


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 200 distributions of one op each."""
    folder = tmp_path_factory.mktemp("many")
    wheels = [
        write_wheel(
            folder,
            f"plug-{i:03}",
            {f"plug_{i:03}.py": MODULE.format(i=i)},
            {f"plug_{i:03}": f"plug_{i:03}:plug_{i:03}"},
        )
        for i in range(COUNT)
    ]
    return install(folder / "installed", *wheels)


IMPORT = """
import sys, time
before = "importlib.metadata" in sys.modules
start = time.perf_counter()
import smolml, smolml_value, smolml_array
smolml.Value(0.5).tanh().backward(), smolml.MLArray([0.5]).tanh().backward(), smolml.ops.exp(1.0)
print(time.perf_counter() - start)
from smolml_value import ops
assert ops._plugins is None, "the entry points were read"
assert before or "importlib.metadata" not in sys.modules
assert not any(name.startswith("plug_") for name in sys.modules)
"""


def test_import_and_built_in_ops_do_not_look_for_them(site: Path, plugins: Path) -> None:
    # interleaved, so that whatever else the machine does falls on both; the program asserts that
    # nothing is read, the times that nothing else was forgotten
    without, with_them = [], []
    for _ in range(5):
        without.append(float(run(IMPORT, site)))
        with_them.append(float(run(IMPORT, plugins, site)))
    few, many = statistics.median(without), statistics.median(with_them)
    print(f"import and first use: {1000 * few:.1f} ms without plugins, {1000 * many:.1f} ms with")
    assert many < 1.5 * few + 0.05


def test_the_first_use_of_one_loads_one_module(site: Path, plugins: Path) -> None:
    out = run(
        "import sys, json\n"
        "from smolml_value import Value, ops\n"
        "def loaded():\n    return [m for m in sys.modules if m.startswith('plug_')]\n"
        "listed = len([n for n in ops.names() if n.startswith('plug_')])\n"
        "states = {r.status for r in ops.info() if r.name.startswith('plug_')}\n"
        "before = loaded()\n"
        "result = Value(2.0).plug_123().data\n"
        "after = loaded()\n"
        "ops.plug_123(1.0); ops['plug-007:plug_007']\n"
        "print(json.dumps([listed, sorted(states), before, result, after, sorted(loaded())]))",
        plugins,
        site,
    )
    assert json.loads(out) == [
        COUNT, ["available"], [], 246.0, ["plug_123"], ["plug_007", "plug_123"],
    ]  # fmt: skip


SLOW_MODULE = """
import time
from smolml_value import elementwise

with open(__file__ + ".loads", "a") as log:
    log.write("loaded\\n")
time.sleep(0.3)  # long enough for the other threads to come
{body}
"""
THREADS = """
import threading
from smolml_value import PluginError, Value, ops

start, results = threading.Barrier(8), []

def use(i):
    x = Value(float(i))
    start.wait()
    try:
        y = x.slow() if i % 2 else ops.slow(x)
        y.backward()
        results.append((y.data, x.grad))
    except PluginError as error:
        results.append(str(error))

threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
[t.start() for t in threads], [t.join() for t in threads]
print(len(results), sorted(set(map(str, results)))[:3])
"""


@pytest.mark.parametrize("broken", [False, True])
def test_threads_load_it_once(broken: bool, site: Path, tmp_path: Path) -> None:
    op = "slow = elementwise('slow', lambda xp, x: x * x, (lambda xp, out, x: 2 * x,))"
    body = "raise RuntimeError('broken')" if broken else op
    wheel = write_wheel(
        tmp_path, "slow-plugin", {"slow_plugin.py": SLOW_MODULE.format(body=body)},
        {"slow": "slow_plugin:slow"},
    )  # fmt: skip
    plugin = install(tmp_path / "plugin", wheel)
    out = run(THREADS, plugin, site)
    assert (plugin / "slow_plugin.py.loads").read_text() == "loaded\n"
    if broken:
        assert out.startswith("8 [\"op 'slow' of slow-plugin 1.0")
        assert "RuntimeError: broken" in out
    else:
        assert out == f"8 {sorted(str((float(i * i), 2.0 * i)) for i in range(8))[:3]}\n"
