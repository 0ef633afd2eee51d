"""The example plugin, installed from its wheel: found, used, listed, pickled, never in the way."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.plugins.building import ROOT, SPECIAL, execute, run, smolml


def test_it_is_found_by_name_and_loaded_when_used(site: Path, special: Path) -> None:
    out = run(
        "import sys, smolml\n"
        "from smolml_array import MLArray\n"
        "from smolml_value import Value, ops\n"
        "def status():\n"
        "    return [(r.status, r.arity, r.distribution, r.version)"
        " for r in ops.info() if r.name == 'gammaln']\n"
        "print(status(), 'smolml_special' in sys.modules, 'scipy' in sys.modules)\n"
        "x = Value(5.0)\n"
        "print(hasattr(x, 'gammaln'), 'gammaln' in dir(x), 'gammaln' in dir(MLArray([1.0])),"
        " 'gammaln' in dir(ops), 'smolml_special' in sys.modules)\n"
        "y = x.gammaln(); y.backward()\n"
        "z = MLArray([[5.0], [3.0]]); z.gammaln().backward()\n"
        "plain = ops.gammaln(5.0)\n"
        "print(y.data, x.grad, z.grad().to_list()[0][0], plain, type(plain))\n"
        "print(status())\n",
        special,
        site,
    )  # fmt: skip
    before, seen, numbers, after = out.splitlines()
    assert before == "[('available', None, 'smolml-special', '0.1.0')] False False"
    assert seen == "True True True True False"
    y, slope, element, of_float, kind = numbers.split(maxsplit=4)
    assert math.isclose(float(y), math.log(24.0), rel_tol=1e-15)
    assert math.isclose(float(slope), 1.5061176684318004, rel_tol=1e-14)  # psi(5) = 25/12 - gamma
    assert math.isclose(float(element), 1.5061176684318004, rel_tol=1e-14)
    assert (float(of_float), kind) == (float(y), "<class 'float'>")
    assert after == "[('loaded', 1, 'smolml-special', '0.1.0')]"


PROBES = """
import copy, pickle, sys
import numpy as np
from smolml_array import MLArray
from smolml_value import Value

for x in (Value(1.0), MLArray([[1.0, 2.0]])):
    assert not hasattr(x, "no_such_thing")
    for name in ("_repr_html_", "_repr_svg_", "_repr_mimebundle_", "_ipython_display_",
                 "_ipython_canary_method_should_not_exist_", "__array_interface__",
                 "__array_struct__", "__array_priority__", "__cuda_array_interface__",
                 "__len__", "__fspath__", "__index__", "__wrapped__", "__getstate__"):
        getattr(x, name, None)
    copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), repr(x), str(x), dir(x)
    hasattr(x, "gammaln"), getattr(x, "gammaln")  # to look a method up is not to use it
    isinstance(x, np.ndarray), np.isscalar(x), np.ndim(1.0)
np.asarray(MLArray([1.0])), np.tanh(MLArray([1.0])), np.float64(2.0) * Value(1.0)
np.ones(2) * MLArray([1.0, 2.0])
print(sorted(m for m in sys.modules if m.startswith(("smolml_special", "scipy"))))
"""


def test_probing_loads_nothing(site: Path, special: Path) -> None:
    assert run(PROBES, special, site) == "[]\n"


def test_pickles_name_it(site: Path, special: Path) -> None:
    out = run(
        "import pickle, subprocess, sys\n"
        "from smolml_special import gammaln, iv\n"
        "stored = pickle.dumps([gammaln, iv.bind(n=3)])\n"
        "print(len(stored) < 300)\n"
        "program = f'import pickle; a, b = pickle.loads({stored!r}); print(a(5.0), b(1.0))'\n"
        "command = [sys.executable, '-c', program]\n"
        "done = subprocess.run(command, capture_output=True, text=True)\n"
        "print(done.stdout == f'{gammaln(5.0)} {iv(1.0, n=3)}\\n')\n",
        special,
        site,
    )
    assert out == "True\nTrue\n"


def test_a_run_time_op_goes_first_and_the_list_says_so(site: Path, special: Path) -> None:
    out = run(
        "from smolml_value import elementwise, ops\n"
        "mine = elementwise('logit', lambda xp, x: 7 * x)\n"
        "with ops.registered(mine):\n"
        "    print(ops.logit is mine, ops['smolml-special:logit'] is mine)\n"
        "    print([(r.distribution, r.status) for r in ops.info() if r.name == 'logit'])\n"
        "print(ops.logit(0.5))",
        special,
        site,
    )
    first, rows, after = out.splitlines()
    assert first == "True False"
    assert "('smolml-special', 'conflicting')" in rows
    assert float(after) == 0.0


def test_refresh_sees_what_was_installed_meanwhile(site: Path, special: Path) -> None:
    out = run(
        "import sys\n"
        "from smolml_value import ops\n"
        f"print('gammaln' in ops); sys.path.insert(0, {str(special)!r})\n"
        "print('gammaln' in ops); ops.refresh(); print('gammaln' in ops, ops.logit(0.5))",
        site,
    )
    assert out.split() == ["False", "False", "True", "0.0"]


def test_unknown_names_suggest_plugin_ops(site: Path, special: Path) -> None:
    out = run(
        "from smolml_array import MLArray\n"
        "from smolml_value import Value, ops\n"
        "for x in (ops, Value(1.0), MLArray([1.0])):\n"
        "    try:\n        x.gamaln\n    except AttributeError as error:\n        print(error)",
        special,
        site,
    )
    assert len(out.splitlines()) == 3
    assert all("gammaln" in line for line in out.splitlines())


def test_the_commands(site: Path, special: Path) -> None:
    listed = smolml("ops", paths=[special, site])
    assert listed.returncode == 0
    rows = [line.split() for line in listed.stdout.splitlines()]
    assert ["gammaln", "?", "smolml-special", "0.1.0", "available"] in rows
    checked = smolml("check", "gammaln", "--verbose", paths=[special, site])
    assert checked.returncode == 0, checked.stdout
    for part in ("smolml-special 0.1.0", "numpy float32: derivatives", "pure: second order"):
        assert part in checked.stdout
    assert "FAILED" not in checked.stdout
    assert smolml("check", "smolml-special:logit", paths=[special, site]).returncode == 0
    unknown = smolml("check", "gamaln", paths=[special, site])
    assert unknown.returncode == 2
    assert "did you mean 'gammaln'" in unknown.stderr


def test_its_own_tests_pass(site: Path, special: Path) -> None:
    pytest.importorskip("mpmath")
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(SPECIAL)]
    done = execute([*arguments, "-c", str(SPECIAL / "pyproject.toml"), str(SPECIAL / "tests")],
                   special, site)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_readme_runs(site: Path, special: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\nfrom tests.docs.markdown import run_file\n"
        f"print(run_file(Path({str(SPECIAL / 'README.md')!r})).count)"
    )
    assert int(run(program, special, site)) >= 4


SECOND = """
import json, math
from smolml_array import MLArray
from smolml_special import erf, logit, softsign, xlogy
from smolml_value import Value
from smolml_value.transforms import gradients

def second(op, x):
    (first,) = gradients(op(x), [x])
    return gradients(first, [x])[0]

points = [0.1, 0.35, 0.8]
print(json.dumps({
    op.name: [
        [second(op, Value(p)).data for p in points],
        *(second(op, MLArray(points, backend=b)).to_list() for b in ("numpy", "pure")),
    ]
    for op in (erf, logit, softsign)
}))
"""


def test_second_derivatives_match_closed_forms(site: Path, special: Path) -> None:
    closed = {
        "erf": lambda x: -4 * x / math.sqrt(math.pi) * math.exp(-x * x),
        "logit": lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
        "softsign": lambda x: -2 / (1 + x) ** 3,
    }
    for name, results in json.loads(run(SECOND, special, site)).items():
        wanted = [closed[name](x) for x in (0.1, 0.35, 0.8)]
        for got in results:
            assert got == pytest.approx(wanted, rel=1e-13)


def test_the_suite_that_walks_the_registry_covers_it(site: Path, special: Path) -> None:
    files = ["tests/value/test_ops.py", "tests/array/test_elementwise.py"]
    done = execute(
        ["-m", "pytest", "-q", "-rA", "--no-header", "-p", "no:cacheprovider", "-k",
         "gammaln or polygamma or betaln or softsign", "--rootdir", str(ROOT),
         "-c", str(ROOT / "pytest.ini"), *(str(ROOT / f) for f in files)],
        special, site, ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    passed = [line for line in done.stdout.splitlines() if line.startswith("PASSED")]
    for file in files:
        for op in ("gammaln", "polygamma", "betaln", "softsign"):
            assert any(file in line and op in line for line in passed), (file, op)
