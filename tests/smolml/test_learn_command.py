"""`smolml learn`: from the list to the last exercise, its errors, and code that does not end."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from smolml.cli import main
from smolml.learn_command import default_language, judged
from smolml.learning import exercises
from tests.smolml.commands import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "C")
    return tmp_path


def learn(*args: str) -> int:
    try:
        return main(["learn", *args])
    except SystemExit as stopped:
        return int(str(stopped.code))


def test_it_is_told_to_a_text_that_is_no_terminal(folder: Path) -> None:
    told = io.StringIO()
    with redirect_stdout(told):
        assert learn("list") == 0
    assert all(f" {name} " in told.getvalue() for name in exercises())


def test_from_the_list_to_the_next_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert learn() == 0
    out = capsys.readouterr().out
    assert all(
        re.search(rf"^  {exercise.guide} +{name} ", out, re.M)
        for name, exercise in exercises().items()
    )
    assert learn("start", "product") == 0
    assert "smolml learn check product" in capsys.readouterr().out
    path = folder / "product.py"
    begun = path.read_text("utf-8")
    assert begun.startswith("# Predict: the gradients of a * b + c\n")
    assert begun.endswith(exercises()["product"].start)

    assert learn("check", "product") == 1
    assert "Not yet: `da` is still `...`" in capsys.readouterr().out
    path.write_text("print('mine')\nda, db, dc = 2.0, 3.0, 1.0\n")
    assert learn("check", "product.py") == 1
    assert re.match(r"mine\nNot yet: da and db are the wrong way", capsys.readouterr().out)
    assert not (folder / "smolml-learn.json").exists()
    path.write_text(exercises()["product"].solution)
    assert learn("check", "product") == 0
    left = len(exercises()) - 1
    said = f"Right! 1 done, {left} to go; next: smolml learn start twice\n"
    assert capsys.readouterr().out == said
    assert learn("list") == 0
    out = capsys.readouterr().out
    assert re.findall(r"^x \S+ +(\S+)", out, re.M) == ["product"]


def test_hints_come_one_by_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hints = [hint["en"] for hint in exercises()["softmax"].hints]
    for told in (1, 2, 3, 3):
        assert learn("hint", "softmax") == 0
        *lines, last = capsys.readouterr().out.splitlines()
        assert lines == hints[:told]
        assert last.endswith(f"smolml learn {'solution' if told == 3 else 'hint'} softmax")
    assert json.loads((folder / "smolml-learn.json").read_text()) == {
        "done": [],
        "hints": {"softmax": 3},
    }
    assert learn("solution", "softmax") == 0
    assert capsys.readouterr().out == exercises()["softmax"].solution


def test_in_spanish(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert learn("start", "adam", "--language", "es") == 0
    assert (folder / "adam.py").read_text("utf-8").startswith("# Escribe un optimizador: Adam\n")
    assert "complétalo" in capsys.readouterr().out
    assert learn("check", "adam", "--language", "es") == 1
    assert "Todavía no: w todavía no se mueve." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LC_ALL": "es_MX", "LANG": "en_US"}, "es"),
        ({"LC_ALL": "", "LC_MESSAGES": "en_US", "LANG": "es_ES"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "Spanish_Spain.1252"}, "es"),
    ],
)
def test_the_language_is_that_of_the_locale(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_language() == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["begin"], "invalid choice: 'begin' .choose from .*list.*start.*check.*hint.*solution"),
        (["start"], "start needs the name of an exercise; smolml learn lists them"),
        (["start", "sofmax"], "no exercise 'sofmax', the nearest is softmax; smolml learn lists"),
        (["start", "mul", "--language", "fr"], "--language: invalid choice: 'fr'"),
        (["check", "mul"], "there is no mul.py in this folder; smolml learn start mul writes it"),
        (["start", "there"], "no exercise 'there'"),
        (["start", "adam"], "adam.py is there already; check judges it; delete it to begin again"),
        (["start", "mul", "--language", "es", "x"], "unrecognized arguments: x"),
        (["hint", "mil", "--language", "es"], "ningún ejercicio 'mil', el más parecido es mul"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    folder: Path, args: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "adam.py").write_text("mine")
    assert learn(*args) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("smolml")
    assert re.search(expected, err)
    assert [path.name for path in folder.iterdir()] == ["adam.py"]
    assert (folder / "adam.py").read_text() == "mine"


@pytest.mark.parametrize("text", ["[", "[]", '{"done": 3, "hints": {}}', '{"done": []}'])
def test_progress_that_is_something_else_is_left_alone(
    folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "smolml-learn.json").write_text(text)
    assert learn("hint", "mul") == 1
    assert "smolml-learn.json is not what smolml learn wrote" in capsys.readouterr().err
    assert (folder / "smolml-learn.json").read_text() == text


def test_a_file_that_cannot_be_used_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mul.py").mkdir()
    assert learn("check", "mul") == 1
    assert re.fullmatch(r"smolml learn: error: mul\.py: .+\n", capsys.readouterr().err)


def test_the_last_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = list(exercises())
    (folder / "smolml-learn.json").write_text(json.dumps({"done": names[1:], "hints": {}}))
    (folder / "product.py").write_text(exercises()["product"].solution)
    assert learn("check", "product") == 0
    said = f"Right! That was the last one: all {len(names)} are done.\n"
    assert capsys.readouterr().out == said


# An answer in its own process ----------------------------------------------------------------


def test_an_endless_loop_is_ended_and_said(folder: Path) -> None:
    verdict = judged(b"while True:\n    pass\n", exercises()["product"], "en", seconds=1.0)
    assert (verdict.right, verdict.printed) == (False, "")
    assert "had not finished after 1.0 seconds: look for a loop" in verdict.reason


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (b"import os\nos._exit(3)\n", r"ended its whole process \(exit code 3\)"),
        (b"da = input()\n", "line 1: EOFError"),
        ("print('ñ')\nda, db, dc = 3, 2, 1\n".encode(), ""),
        (b"da = '\xff'\n", "no `db`"),
    ],
)
def test_whatever_it_does_a_verdict_comes_back(code: bytes, expected: str, folder: Path) -> None:
    (folder / "json.py").write_text("raise RuntimeError('a file of the learner')\n")
    verdict = judged(code, exercises()["product"], "en")
    assert verdict.right == (not expected)
    assert re.search(expected, verdict.reason)
    assert verdict.printed == ("ñ\n" if verdict.right else "")


def test_the_command_itself(tmp_path: Path) -> None:
    assert run("learn", "start", "mul", cwd=tmp_path, LC_ALL="es_ES.UTF-8").returncode == 0
    done = run("learn", "check", "mul", cwd=tmp_path, LC_ALL="es_ES.UTF-8")
    assert (done.returncode, done.stderr) == (1, "")
    lines = (tmp_path / "mul.py").read_text("utf-8").splitlines()
    assert "∂" in exercises()["mul"].hints[0]["es"]
    told = run("learn", "hint", "mul", cwd=tmp_path, LC_ALL="es", PYTHONIOENCODING="ascii")
    assert (told.returncode, told.stderr) == (0, "")
    assert "La regla de la cadena" in told.stdout
    line = lines.index("            self.grad += ...") + 1  # that of the file, not of the exercise
    assert f"Tu código se detuvo en la línea {line}: TypeError" in done.stdout
