"""What runs in the reader's browser, without one: blocks, results, errors, sliders."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("smolml")

from docs.session import LONGEST, Exercises, Playground, Session, sliders
from smolml.learning import exercises

Told = list[tuple[str, int, str]]


def page(language: str = "en") -> tuple[Session, Told]:
    told: Told = []
    return Session(language, lambda *event: told.append(event)), told


def texts(told: Told, kind: str) -> list[str]:
    return [text for what, _, text in told if what == kind]


def python(*blocks: str) -> list[tuple[str, str]]:
    return [("python", block) for block in blocks]


def test_a_block_sees_those_above_which_run_once() -> None:
    session, told = page()
    program = python("a = 1\nprint('first')", "a += 1\nprint(a)", "print(a * 10)")
    assert session.run(program, 1)
    assert session.run(program, 2)
    assert texts(told, "out") == ["first\n", "2\n", "20\n"]
    assert [block for kind, block, _ in told if kind == "begin"] == [0, 1, 2]


def test_what_is_run_again_begins_with_what_stands_above() -> None:
    session, told = page()
    program = python("a = 1", "a += 1\nprint(a)")
    session.run(program, 1)
    session.run(program, 1)
    assert texts(told, "out") == ["2\n", "2\n"]  # not 3
    session.run(python("a = 5", "a += 1\nprint(a)"), 1)
    assert texts(told, "out")[-1] == "6\n"


def test_the_last_expression_is_shown_as_it_shows_itself() -> None:
    session, told = page()
    program = python(
        "from smolml import Value, draw, explain\nx = Value(3.0, 'x')\ny = x * x\ny.grad",
        "draw(y)",
        "explain(y)",
        "None",
        "Value",
        "'<svg></svg>'",
    )
    assert session.run(program, 5)
    shown = [(kind, block) for kind, block, _ in told if kind in ("out", "svg", "html")]
    assert shown == [("out", 0), ("svg", 1), ("html", 2), ("out", 4), ("svg", 5)]
    assert texts(told, "out")[0] == "0.0\n"


def test_drawings_are_made_from_their_own_code_in_the_language_of_the_page() -> None:
    session, told = page("es")
    program = [
        *python("from smolml import Value\nx = Value(3.0, 'x')\ny = x * x"),
        ("draw", "draw(y, steps=True, language=language)"),
        ("draw", "secants(lambda x: x * x, 1.0, [1.0, 0.5])"),
    ]
    assert session.run(program, 2)
    first, second = texts(told, "svg")
    assert "Empezar por el final" in first
    assert second.startswith("<svg")


def test_a_drawing_is_made_anew_without_what_stands_above() -> None:
    session, told = page()
    drawn = ["f'<svg>{a}</svg>'", "f'<svg>{a} moved</svg>'"]
    above, below = python("a = 1\nprint('once')"), python("a += 1")
    for code in drawn:
        assert session.run([*above, ("draw", code), *below], 1)
    assert (texts(told, "svg"), texts(told, "out")) == (
        ["<svg>1</svg>", "<svg>1 moved</svg>"],
        ["once\n"],
    )
    program = [*above, ("draw", drawn[0]), *below]
    assert session.run(program, 2)
    assert texts(told, "out") == ["once\n"]  # that the drawing is another one changes nothing
    assert session.run(program, 1)
    assert texts(told, "svg")[-1] == "<svg>1</svg>"  # as it is above the block that has run


def test_sessions_at_the_prompt_print_their_results() -> None:
    session, told = page()
    assert session.run(
        python(">>> x = 2\n>>> x + 1\n3\n>>> for i in range(2):\n...     i\n0\n1\n"), 0
    )
    assert "".join(texts(told, "out")) == "3\n0\n1\n"


def test_an_error_names_the_lines_of_the_blocks_and_nothing_of_libraries() -> None:
    session, told = page()
    program = python(
        "def f(x):\n    return x.view(4)", "from smolml import MLArray\nf(MLArray([1.0]))"
    )
    assert not session.run(program, 1)
    told_error = texts(told, "error")[0].splitlines()
    assert told_error[0].startswith("AttributeError: MLArray has no attribute or op 'view'")
    assert told_error[1:] == [
        "  line 2: f(MLArray([1.0]))",
        "  block 1 above, line 2: return x.view(4)",
    ]
    assert "site-packages" not in texts(told, "error")[0]
    assert "smolml_array" not in texts(told, "error")[0]
    # It is not taken for done: the next run begins there.
    assert session.run(python(program[0][1], "print('mended')"), 1)
    assert texts(told, "out") == ["mended\n"]


@pytest.mark.parametrize(("language", "line"), [("en", "line 2: y = ("), ("es", "línea 2: y = (")])
def test_text_that_is_no_python_is_told_by_its_line(language: str, line: str) -> None:
    session, told = page(language)
    assert not session.run(python("x = 1\ny = ("), 0)
    assert texts(told, "error")[0].startswith("SyntaxError: ")
    assert line in texts(told, "error")[0]


def test_warnings_are_told_apart() -> None:
    session, told = page()
    assert session.run(python("import sys\nsys.stderr.write('careful')"), 0)
    assert "careful" in "".join(texts(told, "err"))


def test_what_the_page_lacks_is_named_and_the_rest_goes_on() -> None:
    session, told = page()
    program = python(
        "import no_such_thing as n\nm = n.x", "k = m + 1", "print(k)", "print('after')", "print(o)"
    )
    assert session.run(program, 3)
    assert texts(told, "needs") == ["no_such_thing"] * 3
    assert texts(told, "out") == ["after\n"]
    assert not session.run(program, 4)  # a name that no block was to define
    assert texts(told, "error")[0].startswith("NameError")
    again, told = page()  # our own errors about an extra name their cause
    text = "try:\n    import no_such_thing\nexcept ImportError:\n    raise ImportError from None"
    assert again.run(python(text), 0)
    assert texts(told, "needs") == ["no_such_thing"]
    other, told = page()
    assert not other.run(python("print(n)"), 0)  # nothing is lacking: it is an error
    assert texts(told, "error")


def test_endless_printing_is_stopped() -> None:
    session, told = page()
    assert not session.run(python("while True:\n    print('x' * 999)"), 0)
    assert "more than 200,000 characters" in texts(told, "error")[0]
    assert len("".join(texts(told, "out"))) <= LONGEST + 1000


# The exercises ---------------------------------------------------------------------------------


def checked(answer: str, language: str = "en", name: str = "product") -> Told:
    told: Told = []
    Exercises(language, lambda *event: told.append(event)).check(name, answer)
    return told


def test_an_answer_is_judged_and_what_it_prints_is_told_first() -> None:
    one = exercises()["product"]
    assert checked(one.solution) == [("right", 0, "")]
    assert checked("print('so')\n" + one.solution) == [("out", 0, "so\n"), ("right", 0, "")]
    assert checked("da = 1 / 0\n")[0][2].startswith("Your code stopped in line 1: ZeroDivision")


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_wrong_answer_gets_its_reason_in_the_language_of_the_page(language: str) -> None:
    for mistake in exercises()["product"].mistakes:
        assert checked(mistake["example"], language) == [("wrong", 0, mistake[language])]


# The playground --------------------------------------------------------------------------------


def play(text: str) -> Told:
    told: Told = []
    Playground("en", lambda *event: told.append(event)).run(text)
    return told


def test_the_last_computed_value_is_drawn_with_its_steps() -> None:
    told = play("from smolml import Value\na = Value(2.0)\ny = a * a\nb = Value(1.0)")
    (svg,) = texts(told, "svg")
    assert "y.grad = 1" in svg
    assert "∂y/∂a" in svg


def test_a_last_expression_is_shown_instead() -> None:
    told = play("from smolml import Value\na = Value(2.0)\ny = a * a\nz = y * 3\ny")
    assert "z.grad" not in texts(told, "svg")[0]
    assert texts(play("print('hello')\n1 + 1"), "out") == ["2\n", "hello\n"]
    assert texts(play("x ="), "error")[0].startswith("SyntaxError")


def names(found: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(one["name"], one["number"]) for one in found]


def test_numbers_of_leaves_get_sliders() -> None:
    text = (
        "from smolml import MLArray, Value\n"
        "ñ, b = Value(2.0), Value(-0.5, label='β')\n"
        "c = Value(3, 'gamma')\n"
        "w = MLArray([[0.5], [-1]])\n"
        "x = MLArray([1.0], requires_grad=False)\n"
        "d = Value(b.data)\n"
    )
    found = sliders(text)
    assert names(found) == [
        ("ñ", 2.0), ("β", -0.5), ("gamma", 3.0), ("w[0, 0]", 0.5), ("w[1, 0]", -1.0),
    ]  # fmt: skip
    lines = text.split("\n")
    assert [lines[one["line"]][one["begin"] : one["end"]] for one in found] == [
        "2.0", "-0.5", "3", "0.5", "-1",
    ]  # fmt: skip
    assert json.loads(texts(play(text), "sliders")[0]) == found


def test_there_are_no_more_sliders_than_fit_and_none_without_a_program() -> None:
    assert len(sliders("x = MLArray([" + "1.0, " * 50 + "])")) == 12
    assert sliders("x = (") == []


def test_rates_get_sliders_by_powers_called_by_what_they_are_for() -> None:
    text = (
        "plane(f, plain=descend(plain, rate=0.08),\n"
        "      é=walk(SGD(learning_rate=1e-3), k=2, rate=given), rate=-1.0, x=Value(2.0))\n"
        "walk(rate=0.5)"
    )
    found = sliders(text)
    assert [(one["name"], one["number"], one["rate"]) for one in found] == [
        ("plain", 0.08, True),
        ("é", 0.001, True),
        ("rate", 0.5, True),
    ]
    lines = text.split("\n")
    assert [lines[one["line"]][one["begin"] : one["end"]] for one in found] == [
        "0.08",
        "1e-3",
        "0.5",
    ]
