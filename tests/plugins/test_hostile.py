"""Plugins that misbehave: installed from wheels, they fail on their own use only, and say why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugins.building import execute, install, run, smolml, write_wheel

GOOD = (
    "from smolml_value import elementwise\n"
    "{name} = elementwise({op!r}, lambda xp, x: {factor} * x, ({factor},))\n"
)
# a partial whose shape would broadcast in silence: the sum over the rows in place of each row
WRONG_SHAPE = (
    "from smolml_value import elementwise\n"
    "def slope(xp, out, x):\n"
    "    return xp.sum(2 * x, axis=0, keepdims=True) if getattr(x, 'shape', ()) else 2 * x\n"
    "bent = elementwise('bent', lambda xp, x: x * x, (slope,))\n"
)

# per hostile plugin: its modules, its entry points, how it is used, what the error must name
HOSTILE: dict[str, tuple[dict[str, str], dict[str, str], str, list[str]]] = {
    "bad-import": (
        {"bad_import.py": "import a_module_that_nobody_has\n"},
        {"broken": "bad_import:broken"},
        "ops.broken(1.0)",
        ["'broken'", "bad-import 1.0", "ModuleNotFoundError", "a_module_that_nobody_has"],
    ),
    "bad-raise": (
        {"bad_raise.py": "raise ZeroDivisionError('at import')\n"},
        {"raising": "bad_raise:raising"},
        "Value(1.0).raising()",
        ["'raising'", "bad-raise 1.0", "ZeroDivisionError: at import"],
    ),
    "bad-exit": (
        {"bad_exit.py": "import sys\nsys.exit('no licence')\n"},
        {"leaving": "bad_exit:leaving"},
        "ops['leaving']",
        ["'leaving'", "bad-exit 1.0", "SystemExit: no licence"],
    ),
    "bad-object": (
        {"bad_object.py": "def plain(x):\n    return x\n"},
        {"plain": "bad_object:plain"},
        "MLArray([1.0]).plain()",
        ["'plain'", "bad-object 1.0", "expected an Op", "got function"],
    ),
    "bad-attribute": (
        {"bad_attribute.py": ""},
        {"absent": "bad_attribute:absent"},
        "ops.absent(1.0)",
        ["'absent'", "bad-attribute 1.0", "AttributeError"],
    ),
    "bad-name": (
        {"bad_name.py": GOOD.format(name="other", op="other", factor=2)},
        {"one": "bad_name:other"},
        "ops.one(1.0)",
        ["'one'", "bad-name 1.0", "calls itself 'other'"],
    ),
    "bad-built-in": (
        {"bad_built_in.py": GOOD.format(name="tanh", op="tanh", factor=2)},
        {"tanh": "bad_built_in:tanh"},
        "ops['bad-built-in:tanh'](1.0)",
        ["'tanh'", "bad-built-in 1.0", "belongs to a built-in op"],
    ),
    "bad-shape": (
        {"bad_shape.py": WRONG_SHAPE},
        {"bent": "bad_shape:bent"},
        "MLArray([[1.0, 2.0], [3.0, 4.0]]).bent().backward()",
        ["bent", "partial for operand 0", "(1, 2)", "expected (2, 2)"],
    ),
}

USE = """
import json
import smolml, smolml_array, smolml_utils
from smolml_array import MLArray
from smolml_value import PluginError, GraphError, Value, ops

before = sorted(ops.names())
rows = {{(r.name, r.distribution): (r.status, r.error) for r in ops.info()}}
values = [ops.tanh(0.5), Value(0.5).tanh().data, MLArray([0.5]).tanh().item()]
messages = []
for _ in range(2):  # the same answer at every use
    try:
        {use}
    except (PluginError, GraphError) as error:
        messages.append(str(error))
values += [ops.tanh(0.5), MLArray([0.5]).tanh().item()]
after = [r.status for r in ops.info() if r.distribution == {name!r}]
print(json.dumps([before, [[*k, *v] for k, v in rows.items()], values, messages, after]))
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_it_fails_on_its_own_use_only(name: str, site: Path, tmp_path: Path) -> None:
    modules, points, use, named = HOSTILE[name]
    plugin = install(tmp_path / "plugin", write_wheel(tmp_path, name, modules, points))
    out = run(USE.format(use=use, name=name), plugin, site)
    names, rows, values, messages, after = json.loads(out)
    (op,) = points
    assert op in names
    assert "tanh" in names
    status = {(r[0], r[1]): r[2] for r in rows}
    built_in = name == "bad-built-in"
    assert status[op, name] == ("conflicting" if built_in else "available")
    assert set(values) == {0.46211715726000973}  # tanh is still tanh
    assert len(messages) == 2
    assert messages[0] == messages[1]
    for part in named:
        assert part in messages[0]
    assert after == ["conflicting" if built_in else "loaded" if name == "bad-shape" else "broken"]


def test_two_distributions_that_claim_one_name(site: Path, tmp_path: Path) -> None:
    wheels = [
        write_wheel(
            tmp_path,
            f"{who}-ops",
            {f"{who}_ops.py": GOOD.format(name="swish", op="swish", factor=factor)},
            {"swish": f"{who}_ops:swish"},
            version,
        )
        for who, factor, version in [("zeta", 2, "1.0"), ("acme", 3, "2.5")]
    ]
    # whichever comes first on the path: the answer is the same
    for order in (wheels, wheels[::-1]):
        folders = [install(tmp_path / str(len(order[0].name)) / w.stem, w) for w in order]
        out = run(
            "import smolml, json\n"
            "from smolml_value import PluginError, Value, ops\n"
            "try:\n    ops.swish(1.0)\nexcept PluginError as error:\n    print(error)\n"
            "try:\n    Value(1.0).swish()\nexcept PluginError as error:\n    print(error)\n"
            "rows = [r for r in ops.info() if r.name == 'swish']\n"
            "print([(r.distribution, r.status, r.error) for r in rows])\n"
            "print(*(ops[f'{who}:swish'](1.0) for who in ('acme-ops', 'zeta-ops', 'Zeta_Ops')))",
            *folders,
            site,
        )
        first, second, rows, picked = out.splitlines()
        wanted = (
            "op 'swish' is claimed by acme-ops 2.5 and zeta-ops 1.0; choose with "
            "ops['acme-ops:swish'] or ops['zeta-ops:swish']"
        )
        assert first == second == wanted
        assert "('acme-ops', 'conflicting', 'also claimed by zeta-ops')" in rows
        assert picked == "3.0 2.0 2.0"


def test_switched_off(site: Path, tmp_path: Path) -> None:
    wheel = write_wheel(
        tmp_path, "Acme_Ops", {"acme.py": GOOD.format(name="swish", op="swish", factor=2)},
        {"swish": "acme:swish"},
    )  # fmt: skip
    plugin = install(tmp_path / "plugin", wheel)
    program = (
        "import sys\nfrom smolml_value import PluginError, Value, ops\n"
        "print('swish' in ops.names(), [r.status for r in ops.info() if r.name == 'swish'])\n"
        "try:\n    print(ops.swish(1.0))\nexcept PluginError as error:\n    print(error)\n"
        "print('acme' in sys.modules)"
    )
    assert run(program, plugin, site).splitlines() == ["True ['available']", "2.0", "True"]
    for switch in ("1", "swish", "acme-ops", "Acme_Ops", "other,acme-ops:swish"):
        out = run(program, plugin, site, env={"SMOLML_DISABLE_PLUGINS": switch})
        listed, error, loaded = out.splitlines()
        assert listed == "False ['disabled']"
        assert f"switched off by SMOLML_DISABLE_PLUGINS={switch}" in error
        assert loaded == "False"
    out = run(program, plugin, site, env={"SMOLML_DISABLE_PLUGINS": "other"})
    assert out.splitlines()[1] == "2.0"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("entry_points.txt", "[smolml.ops\nthis is no ini file = = =\n\\\x00"),
        ("entry_points.txt", "[console_scripts]\nno equals sign here\n"),
        ("METADATA", None),
        ("METADATA", "no metadata at all"),
    ],
)
def test_damaged_neighbours_do_no_harm(
    file: str, text: str | None, site: Path, tmp_path: Path
) -> None:
    plugin = install(
        tmp_path / "plugin",
        write_wheel(
            tmp_path, "acme-ops", {"acme.py": GOOD.format(name="swish", op="swish", factor=2)},
            {"swish": "acme:swish"},
        ),
        write_wheel(tmp_path, "half-removed", {}, {"lost": "nowhere:lost"}),
    )  # fmt: skip
    damaged = plugin / "half_removed-1.0.dist-info" / file
    damaged.unlink() if text is None else damaged.write_text(text)
    out = run("from smolml_value import ops; print(ops.swish(1.0), len(ops.info()) > 40)",
              plugin, site)  # fmt: skip
    assert out == "2.0 True\n"


def test_the_command_lists_and_checks_them(site: Path, tmp_path: Path) -> None:
    wheels = [write_wheel(tmp_path, n, m, p) for n, (m, p, _, _) in HOSTILE.items()]
    paths = [install(tmp_path / "plugins", *wheels), site]
    listed = smolml("ops", paths=paths)
    assert listed.returncode == 0
    assert "bad-import 1.0" in listed.stdout
    checked = smolml("check", "broken", paths=paths)
    assert checked.returncode == 1
    assert "a_module_that_nobody_has" in checked.stderr
    checked = smolml("check", "bent", paths=paths)
    assert checked.returncode == 1
    assert "partial for operand 0 gave the shape (1, 4)" in checked.stdout
    assert execute(["-c", "import smolml"], *paths).stderr == ""
