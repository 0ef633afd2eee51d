"""The judge: runs an answer, and tells the first mistake that is true of it."""

from __future__ import annotations

import contextlib
import io
import math
import traceback
from typing import Any, Final, NamedTuple

from smolml.learning.exercise import Exercise, say

ANSWER: Final = "<your code>"
LONGEST: Final = 200_000  # characters that an answer may print, so that no loop fills the memory


class Verdict(NamedTuple):
    """What comes of an answer.

    Attributes:
        right: whether it is.
        reason: why not, in the language that was asked for; empty where it is right.
        printed: what the answer printed.
    """

    right: bool
    reason: str
    printed: str = ""


def judge(code: str, exercise: Exercise, language: str = "en") -> Verdict:
    """Run an answer, and judge it. What the answer raises is told; only Ctrl-C goes through.

    Printing more than `LONGEST` characters is an error of the answer.

    It runs in this process, so an endless loop does not return: `smolml learn` gives it a process
    of its own. Needs no NumPy and writes no files, so it works in a browser.

    Args:
        code: the answer.
        exercise: one of `exercises()`.
        language: "en" or "es".

    >>> from smolml.learning import exercises
    >>> judge("da, db, dc = 3.0, 2.0, 1.0", exercises()["product"])
    Verdict(right=True, reason='', printed='')
    """
    printed = _Printed()
    with contextlib.redirect_stdout(printed):
        reason = _what_is_wrong(code, exercise, language)
    return Verdict(not reason, reason, printed.getvalue())


class _Printed(io.StringIO):
    def write(self, text: str) -> int:
        if self.tell() + len(text) > LONGEST:
            raise RuntimeError(f"more than {LONGEST:,} characters were printed")
        return super().write(text)


def _what_is_wrong(code: str, exercise: Exercise, language: str) -> str:
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(compile(code, ANSWER, "exec", dont_inherit=True), names)
        if blank := [name for name, value in names.items() if value is ...]:
            return say("blank", language, name=blank[0])
        scope = names | {"agrees": agrees, "close": close}  # the answer keeps its own names
        exec(compile(exercise.probe, "<probe>", "exec", dont_inherit=True), scope)
        wrong = (mistake[language] for mistake in exercise.mistakes if eval(mistake["when"], scope))
        return next(wrong, "")
    except (Exception, SystemExit) as error:
        return _how_it_stopped(error, language)


def _how_it_stopped(error: BaseException, language: str) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == ANSWER]
    if isinstance(error, SyntaxError) and not lines:
        return say("syntax", language, line=error.lineno, error=error.msg)
    if isinstance(error, NameError) and not lines:
        return say("missing", language, name=error.name)
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    return say("stopped" if lines else "refused", language, line=[0, *lines][-1], error=text)


# What mistakes and probes may use ----------------------------------------------------------------


def close(a: Any, b: Any) -> bool:
    """Whether numbers, lists or arrays are equal but for rounding.

    >>> close([0.1 + 0.2], [0.3]), close([1.0], 1.0)
    (True, False)
    """
    a, b = (x.to_list() if hasattr(x, "to_list") else x for x in (a, b))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(close, a, b))
    with contextlib.suppress(TypeError):  # of another kind
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return False


def agrees(f: Any, *args: Any) -> bool:
    """Whether the derivatives of f are those that `check_grads` finds by differences.

    >>> agrees(lambda x: x * x, 3.0)
    True
    """
    from smolml import check_grads

    with contextlib.suppress(AssertionError):
        check_grads(f, args, order=1)
        return True
    return False
