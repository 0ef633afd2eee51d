"""The exercises and their judge: solutions pass, and each wrong answer gets its reason."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from smolml import use_backend
from smolml.learning import Exercise, exercises, judge
from smolml.learning.exercise import HERE, _read, say
from smolml.learning.judge import LONGEST, agrees, close

LANGUAGES, GUIDES = ("en", "es"), ("autodiff", "arrays", "training")
ALL = list(exercises().values())
WRONG = [(exercise, mistake) for exercise in ALL for mistake in exercise.mistakes]
each = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)


# The exercises -----------------------------------------------------------------------------------


def test_each_guide_has_at_least_six() -> None:
    files = list(HERE.glob("exercises/*/*.toml"))
    assert len(files) == len(ALL)  # no name twice
    assert list(dict.fromkeys(exercise.guide for exercise in ALL)) == list(GUIDES)
    for guide in GUIDES:
        assert sum(exercise.guide == guide for exercise in ALL) >= 6


@each
@pytest.mark.parametrize(("language", "backend"), [("en", "numpy"), ("es", "pure")])
def test_its_solution_is_right(exercise: Exercise, language: str, backend: str) -> None:
    with use_backend(backend):
        assert judge(exercise.solution, exercise, language) == (True, "", "")


def test_they_can_be_judged_in_a_browser() -> None:
    """There is no NumPy, no terminal and no process."""
    program = (
        "import sys; sys.modules |= dict.fromkeys(('numpy', 'rich', 'subprocess'))\n"
        "from smolml.learning import exercises, judge\n"
        "print(*(name for name, e in exercises().items() if not judge(e.solution, e).right))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")


OTHERS = {
    "shapes": "s1, s2, s3, s4 = [2, 3], (3,), (8, 7, 6), [4, 2]",
    "row-gradient": "from smolml import MLArray\ndrow = MLArray([5.0, 7.0, 9.0])",
    "descent": (
        "from smolml import grad\n\n\ndef descend(rate, steps):\n    x = 0.0\n"
        "    for _ in range(steps):\n        x -= rate * grad(lambda x: (x - 3.0) ** 2)(x)\n"
        "    return x\n"
    ),
    "softsign": (
        "from smolml import elementwise\n"
        "softsign = elementwise('softsign', lambda xp, x: x / (1 + xp.abs(x)),"
        " (lambda xp, out, x: (1 - xp.abs(out)) ** 2,))\n"
    ),
    "order": exercises()["order"].solution.partition("def topological")[0]
    + (
        "def topological(root):\n    order, todo = [], [root]\n    while todo:\n"
        "        left = [p for p in todo[-1]._prev if p not in order]\n        if left:\n"
        "            todo += left\n        elif todo[-1] in order:\n            todo.pop()\n"
        "        else:\n            order.append(todo.pop())\n    return order\n"
    ),
    "matmul": (
        "from smolml import einsum\n\n\ndef matmul_backward(x, w, g):\n"
        "    return einsum('ij,kj->ik', g, w), einsum('ik,ij->kj', x, g)\n"
    ),
    "unbroadcast": (
        "def unbroadcast(g, shape):\n    full = (1,) * (g.ndim - len(shape)) + shape\n"
        "    for axis, n in enumerate(full):\n        if n == 1:\n"
        "            g = g.sum(axis=axis, keepdims=True)\n    return g.reshape(*shape)\n"
    ),
    "sgd": (
        "from smolml import SGD\n\n\ndef step(parameters, rate):\n"
        "    SGD(learning_rate=rate).step(parameters)\n"
    ),
    "loop": (
        exercises()["loop"]
        .solution.replace("        optimizer.zero_grad([w, b])\n", "")
        .replace("step([w, b])\n", "step([w, b])\n        w.restart()\n        b.restart()\n")
    ),
    "tanh": exercises()["tanh"].solution.replace("(1 - t * t)", "math.cosh(self.data) ** -2"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_right_answers_are_right_too(name: str) -> None:
    assert OTHERS[name] != exercises()[name].solution
    assert judge(OTHERS[name], exercises()[name]).reason == ""


@each
def test_it_is_not_solved_from_the_start(exercise: Exercise) -> None:
    verdict = judge(exercise.start, exercise)
    assert not verdict.right
    assert verdict.reason


@pytest.mark.parametrize(
    ("exercise", "mistake"),
    WRONG,
    ids=[f"{e.name}-{e.mistakes.index(m)}" for e, m in WRONG],
)
def test_a_wrong_answer_gets_its_reason(exercise: Exercise, mistake: Mapping[str, str]) -> None:
    assert mistake["example"]
    for language in LANGUAGES:
        verdict = judge(mistake["example"], exercise, language)
        assert (verdict.right, verdict.reason) == (False, mistake[language])


@each
def test_it_is_whole_in_both_languages(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 3
    assert len(exercise.hints) >= 2
    texts = [exercise.title, exercise.text, *exercise.hints]
    assert all(set(text) == set(LANGUAGES) for text in texts)
    texts += exercise.mistakes
    for text in texts:
        assert all(text[language].strip() for language in LANGUAGES)
        assert text["en"] != text["es"] or not re.search(r"[a-z]{4} [a-z]{4}", text["en"])
    reasons = [mistake["en"] for mistake in exercise.mistakes]
    assert len(set(reasons)) == len(reasons)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", exercise.name)


def test_every_sentence_is_there_in_both_languages() -> None:
    for what, sentence in _read(HERE / "words.toml").items():
        assert set(sentence) == set(LANGUAGES), what
        fields = [sorted(re.findall(r"{(\w+)", sentence[language])) for language in LANGUAGES]
        assert fields[0] == fields[1], what


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_has_them_all_in_order(language: str) -> None:
    page = Path(__file__).parents[2] / "docs" / language / "exercises.md"
    assert re.findall(r"^{exercise: (.*)}$", page.read_text("utf-8"), re.M) == list(exercises())


# The judge ---------------------------------------------------------------------------------------

ONE = exercises()["product"]
FUNCTION = exercises()["differences"]


@pytest.mark.parametrize(
    ("code", "english", "spanish"),
    [
        ("da, db = 3.0, 2.0", r"no `dc`", r"ningún `dc`"),
        ("da = db = 1.0\ndc = ...", r"`dc` is still `\.\.\.`", r"`dc` sigue siendo"),
        ("da = (", r"Line 1 is not Python: '\(' was never closed", "línea 1 no es Python"),
        ("da = 1.0\ndb = da / 0", "line 2: ZeroDivisionError", "en la línea 2"),
        ("da = 1.0\nraise SystemExit", "line 2: SystemExit", "línea 2: SystemExit"),
        ("x = y", "line 1: NameError: name 'y'", "línea 1: NameError"),
        ("da = input()", "line 1: ", "línea 1: "),
        ("def f(n):\n    return f(n)\nf(1)", "line 2: RecursionError", "línea 2: RecursionError"),
    ],
)
def test_code_that_does_not_run_is_told_where(
    code: str, english: str, spanish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_input(*args: object) -> None:
        raise EOFError

    monkeypatch.setattr("builtins.input", no_input)
    assert re.search(english, judge(code, ONE).reason)
    assert re.search(spanish, judge(code, ONE, "es").reason)


def test_an_answer_of_another_kind_is_refused() -> None:
    assert not judge("slope = 3", FUNCTION).right
    assert "TypeError" in judge("slope = 3", FUNCTION).reason
    text = judge("def slope(f, x, h):\n    return f.value", FUNCTION).reason
    assert re.search("line 2: AttributeError", text)
    assert not judge("da, db, dc = 'three', None, [1.0]", ONE).right


def test_what_it_prints_comes_along() -> None:
    assert judge("print('so')\n" + ONE.solution, ONE) == (True, "", "so\n")
    assert judge("print('so')\n1 / 0", ONE).printed == "so\n"


def test_endless_printing_is_stopped() -> None:
    right, reason, printed = judge("while True:\n    print('x' * 999)", ONE)
    assert not right
    assert "line 2: RuntimeError: more than 200,000 characters were printed" in reason
    assert LONGEST - 1000 < len(printed) <= LONGEST
    assert not judge(f"print('x' * {LONGEST + 1})", ONE).printed  # at once, too
    assert judge(f"print('x' * {LONGEST - 1})\n{ONE.solution}", ONE).right


def test_answers_do_not_see_each_other() -> None:
    assert judge(ONE.solution + "left = 1\n", ONE).right
    assert "NameError" in judge("da = left", ONE).reason


def test_an_answer_may_use_the_names_of_the_judge() -> None:
    answer = (
        "def close(p, q):\n    return p - q\n\n\ndef agrees(x):\n    return 2 * x\n\n\n"
        "def slope(f, x, h):\n    return close(f(x + h), f(x - h)) / agrees(h)\n"
    )
    assert judge(answer, FUNCTION).right


def test_ctrl_c_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        judge("raise KeyboardInterrupt", ONE)


def test_numbers_are_close_but_for_rounding() -> None:
    same = [1, 1.0, 1.0 + 1e-12]
    assert all(close(a, b) for a, b in itertools.product(same, same))
    assert not close(1.0, 1.001)
    assert not close([1.0], [1.0, 1.0])
    assert not close([1.0], 1.0)
    assert not close(None, 1.0)
    assert close((1.0, [2.0]), [1.0, (2.0,)])
    assert agrees(lambda x: x**3, 2.0)


def test_say_in_a_language() -> None:
    assert "dx" in say("blank", "en", name="dx")
    assert say("blank", "en", name="dx") != say("blank", "es", name="dx")
