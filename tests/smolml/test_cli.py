"""The `smolml` command: what it prints, its exit codes, its errors in one line."""

from __future__ import annotations

import io
import os
import re
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

import smolml
from smolml import OpInfo, listing
from smolml.cli import main
from tests.smolml.commands import PROGRAM, run

WRONG = [
    (["--epochs", "0"], "--epochs: expected a whole number from 1"),
    (["--epochs", "1.5"], "got '1.5'"),
    (["--epochs", "many"], "got 'many'"),
    (["--epochs"], "--epochs: expected one argument"),
    (["--batch-size", "0"], "--batch-size: expected a whole number from 1"),
    (["--hidden", "-3"], "--hidden: expected a whole number from 1"),
    (["--hidden", "10000000000"], "got '10000000000'"),
    (["--lr", "-1"], "--lr: expected a number above 0"),
    (["--lr", "0"], "--lr: expected a number above 0"),
    (["--lr", "nan"], "--lr: expected a number above 0"),
    (["--lr", "inf"], "--lr: expected a number above 0"),
    (["--seed", "-1"], "--seed: expected a whole number from 0"),
    (["--backend", "torch"], "--backend: expected numpy or pure, got 'torch'"),
    (["--out", "no/such/folder/x.png"], "--out: cannot write"),
    (["--out", "digits.txt"], "--out: expected a file that ends in .pdf, .png or .svg"),
    (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
    (["more"], "unrecognized arguments: more"),
]


@pytest.mark.parametrize(("args", "expected"), WRONG, ids=lambda x: str(x)[:40])
def test_a_wrong_option_is_one_line_and_exit_code_2(
    args: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["demo", "digits", *args])
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""  # nothing was trained
    assert expected in err
    assert err.startswith("smolml")
    assert err.count("\n") == 1
    assert err.endswith("--help)\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [["train"], ["demo", "letters"], ["version", "x"], ["--bad"]])
def test_a_wrong_command_is_one_line_and_exit_code_2(args: list[str]) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert args[-1] in done.stderr


def test_the_backend_of_the_environment_is_checked_too() -> None:
    done = run("demo", "digits", SMOLML_BACKEND="abacus")
    assert done.returncode == 2
    assert "--backend: expected numpy or pure, got 'abacus'" in done.stderr


def test_a_backend_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "pure", "--backend"]) == 0
    out = capsys.readouterr().out
    assert "pure" in out
    assert "FAILED" not in out
    assert main(["check", "abacus", "--backend"]) == 2
    assert "unknown backend 'abacus'" in capsys.readouterr().err


def test_the_default_picture_is_checked_before_training(tmp_path: Path) -> None:
    (tmp_path / "digits.png").mkdir()
    done = run("demo", "digits", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--out: cannot write 'digits.png'" in done.stderr


def test_checking_the_picture_leaves_a_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.png"
    path.write_bytes(b"old")
    with pytest.raises(SystemExit):
        main(["demo", "digits", "--out", str(path), "--epochs", "0"])
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], {"demo", "ops", "version"}),
        (["demo"], {"digits"}),
        (["--help"], {"demo", "ops", "version"}),
        (["demo", "digits", "--help"], {"--backend", "--epochs", "--batch-size", "--hidden"}),
        (["demo", "digits", "--help"], {"--lr", "--seed", "--out", "--epochs 5", "smolml[demo]"}),
    ],
)
def test_help(args: list[str], expected: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(args)
    except SystemExit as stopped:
        code = stopped.code
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert {word for word in expected if word not in text} == set()


def test_version() -> None:
    done = run("version")
    versions = {p: __import__(p).__version__ for p in ("smolml_value", "smolml_array")}
    assert done.returncode == 0
    assert done.stdout.startswith(f"smolml {smolml.__version__} (")
    assert f"smolml-value {versions['smolml_value']}" in done.stdout
    assert f"smolml-array {versions['smolml_array']}" in done.stdout
    assert done.stdout.count("\n") == 1
    assert run("--version").stdout == f"smolml {smolml.__version__}\n"


def test_ops_in_plain_columns() -> None:
    done = run("ops")
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    infos = smolml.ops.info()
    assert done.returncode == 0
    assert rows.pop("name") == ["arity", "from", "status"]
    assert rows.keys() == {info.name for info in infos}
    for info in infos:
        assert rows[info.name][0] == ("?" if info.arity is None else str(info.arity))
        assert rows[info.name][-1] == info.status
    assert rows["tanh"][1:3] == ["smolml-value", smolml.__version__]
    starts = [re.match(r"\S+ +", line) for line in done.stdout.splitlines()]
    assert len({start and start.end() for start in starts}) == 1, "the columns are not aligned"


def test_backends_in_plain_columns() -> None:
    done = run("backends")
    rows = [line.split() for line in done.stdout.splitlines()]
    home = ["smolml-array", smolml.__version__, "built-in"]
    assert done.returncode == 0
    assert rows[:3] == [["name", "from", "status"], ["numpy", *home], ["pure", *home]]


class _Ops:
    def info(self) -> list[OpInfo]:
        return [
            OpInfo("mish", None, "acme-ops", "2.0", "available"),
            OpInfo("swish", None, "acme-ops", "2.0", "broken", "loading it raised\nKeyError: 1"),
        ]


def test_ops_tells_what_is_wrong_with_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "ops", _Ops())
    plain = io.StringIO()
    listing.show_ops(Console(file=plain, width=20))
    assert plain.getvalue().splitlines() == [
        "name   arity  from          status",
        "mish   ?      acme-ops 2.0  available",
        "swish  ?      acme-ops 2.0  broken     loading it raised KeyError: 1",
    ]


def test_ops_on_a_terminal_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(listing, "ops", _Ops())
    screen = io.StringIO()
    listing.show_ops(Console(file=screen, width=80, force_terminal=True, color_system="standard"))
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert "\x1b[31mbroken" in screen.getvalue()
    assert "KeyError: 1" in text
    assert "2 ops" in text


def test_a_closed_pipe_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    for command in ("ops", "version"):
        done = subprocess.run(
            [*PROGRAM, command], stdout=write, stderr=subprocess.PIPE, check=False, timeout=60
        )
        assert done.returncode != 0
        assert done.stderr == b""
    os.close(write)


@pytest.mark.parametrize("package", ["sklearn", "matplotlib"])
def test_a_missing_extra_is_one_line_that_says_what_to_install(
    package: str, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")  # which is asked for first
    done = run("demo", "digits", cwd=tmp_path, before=f"sys.modules[{package!r}] = None")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert package in done.stderr
    assert 'pip install "smolml[demo]"' in done.stderr


def test_a_fault_of_ours_is_not_called_a_missing_extra(tmp_path: Path) -> None:
    done = run("demo", "digits", cwd=tmp_path, before="sys.modules['smolml.demo.run'] = None")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
    assert "pip install" not in done.stderr


def test_ctrl_c_before_training_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "show_ops", stop)
    assert main(["ops"]) == 130
    assert capsys.readouterr().err == "smolml: interrupted\n"
