"""What authors of plugins try first: names that are taken, conflicts, a formula of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from smolml import MLArray, OpError, Value, elementwise, ops
from smolml.cli import main
from tests.plugins.building import build_wheel, execute, install, run, smolml, write_wheel

TAKEN = {
    "grad": "x.grad or ops.grad is something else already; rename it",
    "data": "x.data or ops.data is something else already; rename it",
    "sum": "x.sum or ops.sum is something else already; rename it",
    "shape": "x.shape or ops.shape is something else already; rename it",
    "register": "x.register or ops.register is something else already; rename it",
    "class": "class is a keyword, begins with _ or is no identifier; rename it",
    "tanh": "the name belongs to a built-in op, which cannot be replaced; rename it",
}
MISH = (
    "from smolml_value import elementwise\n"
    "mish = elementwise('mish', lambda xp, x: x * xp.tanh(xp.log1p(xp.exp(x))))\n"
)


@pytest.mark.parametrize("name", TAKEN)
def test_new_op_refuses_a_name_that_is_taken(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["new-op", name, "--directory", str(tmp_path / "mine")])
    assert stopped.value.code == 2
    assert f"{name!r} cannot be an op: {TAKEN[name]}" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("name", [*TAKEN, "_mine"])
def test_the_registry_refuses_it_too(name: str) -> None:
    op = elementwise(name, lambda xp, x: 2.0 * x)
    reason = "is taken by" if name == "tanh" else TAKEN.get(name, "begins with _")
    with pytest.raises(OpError, match=f"{name}.*{re.escape(reason)}"):
        ops.register(op)
    assert ops.name_of(op) is None


def test_a_name_of_a_users_own_class_is_free() -> None:
    class Own(Value):
        def doubled(self) -> str:
            return "mine"

    doubled = elementwise("doubled", lambda xp, x: 2.0 * x)
    with ops.registered(doubled):
        x: Any = Value(1.5)
        assert x.doubled().data == 3.0
        assert Own(1.0).doubled() == "mine"


def test_a_plugin_of_such_a_name_is_listed_and_fails_with_the_reason(
    site: Path, tmp_path: Path
) -> None:
    source = "from smolml_value import elementwise\nsum = elementwise('sum', lambda xp, x: 2 * x)\n"
    wheel = write_wheel(tmp_path, "acme-sum", {"acme_sum.py": source}, {"sum": "acme_sum:sum"})
    installed = install(tmp_path / "installed", wheel)
    listed = smolml("ops", paths=[installed, site]).stdout
    (row,) = [line for line in listed.splitlines() if line.startswith("sum ")]
    assert "conflicting" in row
    assert TAKEN["sum"] in row
    program = (
        "from smolml import MLArray, Value, ops, PluginError\n"
        "print(MLArray([1.0, 2.0]).sum().item())\n"
        "try:\n    Value(1.0).sum()\nexcept PluginError as error:\n    print(error)\n"
    )
    total, error = run(program, installed, site).splitlines()
    assert float(total) == 3.0
    assert "acme-sum 1.0" in error
    assert TAKEN["sum"] in error


@pytest.fixture
def two_mishes(tmp_path: Path) -> Path:
    wheels = [
        write_wheel(tmp_path, f"{who}-ops", {f"{who}.py": MISH}, {"mish": f"{who}:mish"})
        for who in ("acme", "zeta")
    ]
    return install(tmp_path / "installed", *wheels)


def test_one_of_two_rivals_can_be_checked(two_mishes: Path, site: Path) -> None:
    paths = [two_mishes, site]
    both = smolml("check", "mish", paths=paths)
    assert both.returncode == 1
    assert "acme-ops:mish" in both.stderr
    done = smolml("check", "acme-ops:mish", "--verbose", paths=paths)
    assert done.returncode == 0, done.stdout
    assert "others claim its name, too: call it as ops['acme-ops:mish'](x)" in done.stdout


def test_why_a_name_is_or_is_not_found(two_mishes: Path, site: Path) -> None:
    paths = [two_mishes, site]
    tanh = smolml("ops", "--why", "tanh", paths=paths)
    assert tanh.returncode == 0
    first, _, row, last = tanh.stdout.splitlines()
    assert first == "built-in, registered at run time or of plugins: 1"
    assert row.split() == ["tanh", "1", "smolml-value", "0.1.0", "built-in"]
    assert last == "ops['tanh'] is <op tanh(x)>"
    mish = smolml("ops", "--why", "mish", paths=paths)
    assert mish.returncode == 1
    _, _, acme, zeta = mish.stdout.splitlines()
    assert acme.split() == [
        "mish",
        "?",
        "acme-ops",
        "1.0",
        "conflicting",
        "also",
        "claimed",
        "by",
        "zeta-ops",
    ]
    assert zeta.split() == [
        "mish",
        "?",
        "zeta-ops",
        "1.0",
        "conflicting",
        "also",
        "claimed",
        "by",
        "acme-ops",
    ]
    assert "choose with ops['acme-ops:mish'] or ops['zeta-ops:mish']" in mish.stderr
    chosen = smolml("ops", "--why", "zeta-ops:mish", paths=paths)
    assert chosen.returncode == 0
    assert chosen.stdout.endswith("ops['zeta-ops:mish'] is <op mish(x)>\n")
    unknown = smolml("ops", "--why", "mishh", paths=paths)
    assert unknown.returncode == 2
    assert "unknown op 'mishh'; did you mean 'mish'?" in unknown.stderr
    off = execute(
        ["-m", "smolml", "ops", "--why", "mish"],
        *paths,
        env={"SMOLML_DISABLE_PLUGINS": "zeta-ops"},
    )
    assert off.returncode == 0
    assert "disabled" in off.stdout.splitlines()[3]


def test_a_formula_without_parameters_and_one_version(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "mine"
    assert smolml("new-op", "soft_step", "--directory", str(project), paths=[site]).returncode == 0
    texts = {p: p.read_text() for p in project.rglob("*") if p.is_file()}
    assert sum(len(re.findall(r"[\"']0\.1\.0[\"']", text)) for text in texts.values()) == 1
    source = project / "src" / "smolml_soft_step" / "__init__.py"
    text = texts[source].replace(", *, alpha=1.0", "").replace("alpha * ", "")
    assert "alpha" not in re.sub(r"(?m)^ *#.*|doc=.*", "", text)
    source.write_text(text.replace('"0.1.0"', '"1.2.3"'))
    wheel = build_wheel(project, tmp_path)
    assert wheel.name.startswith("smolml_soft_step-1.2.3-")
    installed = install(tmp_path / "installed", wheel)
    tested = execute(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(project)], installed, site
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3 passed" in tested.stdout


def test_arrays_keep_their_own_sum() -> None:
    assert MLArray([1.0, 2.0]).sum().item() == 3.0
