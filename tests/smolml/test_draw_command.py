"""`smolml draw`: what it writes, what it says, exit codes, errors in one line."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from smolml.cli import main
from tests.smolml.commands import run

SCRIPT = """
from helper import weight
from smolml import MLArray, Value
a, b = Value(2.0), Value(weight)
loss = a * b + 1.0
loss.backward()
print("trained")
class Model:
    w = MLArray([1.0, 2.0])
model = Model()
number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "helper.py").write_text("weight = 3.0\n")
    (tmp_path / "plain.py").write_text("x = 1.0\n")
    (tmp_path / "a_folder.svg").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "helper", raising=False)
    return tmp_path


def test_it_draws_a_variable(folder: Path) -> None:
    done = run("draw", "train.py:loss", "-o", "graph.svg", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "trained\ngraph.svg: 5 boxes\n"
    svg = (folder / "graph.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(svg)
    assert all(f">{name}</text>" in svg for name in ("a", "b", "loss", "data", "grad"))


@pytest.mark.parametrize(
    ("ending", "begin"),
    [("svg", "<svg"), ("dot", "digraph"), ("mmd", "flowchart LR"), ("md", "```mermaid")],
)
def test_the_ending_says_how(folder: Path, ending: str, begin: str) -> None:
    (folder / f"g.{ending}").write_text("old")
    assert main(["draw", "train.py:loss", "-o", f"g.{ending}"]) == 0
    assert (folder / f"g.{ending}").read_text(encoding="utf-8").startswith(begin)


def test_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_before, argv, path = sys.modules["__main__"], sys.argv, sys.path
    options = ["--fold", "depth", "--max-nodes", "2", "--direction", "down", "--title", "my loss"]
    assert main(["draw", "train.py:loss", "-o", "g.mmd", *options]) == 0
    assert "for 4 nodes" in capsys.readouterr().out
    text = (folder / "g.mmd").read_text(encoding="utf-8")
    assert "my loss" in text
    assert "flowchart TB" in text
    assert main(["draw", "train.py:model.w", "--language", "es"]) == 0
    assert ">forma</text>" in (folder / "graph.svg").read_text(encoding="utf-8")
    assert (sys.modules["__main__"], sys.argv, sys.path) == (main_before, argv, path)


def test_an_attribute_and_the_default_file(folder: Path) -> None:
    assert main(["draw", "train.py:model.w"]) == 0
    assert (folder / "graph.svg").is_file()


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["train.py"], "expected SCRIPT:NAME, .*such as train.py:loss, got 'train.py'"),
        (["train.py:1"], "expected SCRIPT:NAME"),
        ([":loss"], "expected SCRIPT:NAME"),
        (["nothing.py:loss"], "there is no script 'nothing.py'"),
        ([".:loss"], "there is no script '.'"),
        (["train.py:los"], "train.py has no variable 'los'; it could be a, b, loss"),
        (["train.py:model.v"], "'model' has no attribute 'v'"),
        (["train.py:number"], "expected a Value, an MLArray or a list of them, got a int"),
        (["train.py:loss", "-o", "g.jpg"], r"--out: expected a file that ends in \.svg, "),
        (["train.py:loss", "-o", "no/g.svg"], "cannot write 'no/g.svg': there is no folder 'no'"),
        (["plain.py:loss"], "no variable 'loss'; none of its variables is a Value or an MLArray"),
        (["train.py:loss", "-o", "a_folder.svg"], "--out: cannot write 'a_folder.svg': "),
        (["train.py:loss", "--fold", "colour"], "--fold: expected auto, .*or none, got 'colour'"),
        (["train.py:loss", "--direction", "up"], "--direction: expected right or down"),
        (["train.py:loss", "--language", "fr"], "--language: expected en or es, got 'fr'"),
        (["train.py:loss", "--max-nodes", "0"], "--max-nodes: expected a whole number from 1"),
        (["train.py:loss", "--max-nodes", "many"], "--max-nodes: .* got 'many'"),
        (["train.py:loss", "--fold", "none", "--max-nodes", "2"], "the graph has 4 nodes"),
        (["train.py:loss", "--more"], "unrecognized arguments: --more"),
        ([], "required: SCRIPT:NAME"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    folder: Path, args: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(["draw", *args])
    except SystemExit as stopped:
        code = stopped.code
    err = capsys.readouterr().err
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("smolml")
    assert re.search(expected, err)
    assert not list(folder.glob("g*"))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x = 1\nraise ValueError('no\\nluck')\n", "bad.py, line 2: ValueError: no luck"),
        ("x = (\n", r"bad.py, line 1: SyntaxError: '\(' was never closed"),
        ("import no_such_module\n", "bad.py, line 1: ModuleNotFoundError"),
        ("import sys\nsys.exit(3)\n", "bad.py ended with exit code 3"),
    ],
)
def test_a_script_that_fails_is_one_line_and_exit_code_1(
    folder: Path, script: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.py").write_text(script)
    assert main(["draw", "bad.py:x"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.search(expected, err)


def test_where_pngs_cannot_be_made_it_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert main(["draw", "train.py:loss", "-o", "g.png"]) == 1
    assert "pip install 'smolml-value[png]'" in capsys.readouterr().err


def test_a_script_may_end_itself(folder: Path) -> None:
    (folder / "main.py").write_text(
        "import sys\nfrom smolml import Value\n"
        "if __name__ == '__main__':\n    y = Value(1.0) * 2.0\n    sys.exit()\n"
    )
    assert main(["draw", "main.py:y"]) == 0
