"""`smolml learn`: exercises in a terminal: list them, start one, have it checked, ask for help."""

from __future__ import annotations

import argparse
import difflib
import io
import json
import locale
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Final

from smolml.errors import CommandError, UseError
from smolml.learning import Exercise, Verdict, exercises
from smolml.learning.exercise import say

SECONDS: Final = 10
PROGRESS: Final = Path("smolml-learn.json")
"""Beside the answers, in the folder where the command runs."""


def run(args: argparse.Namespace) -> int:
    """Do what is asked and return the exit code: 1 where an answer is wrong.

    Raises:
        UseError: there is no such exercise or answer, or there is one already.
        CommandError: a file cannot be read or written.
    """
    language, name = args.language or default_language(), (args.name or "").removesuffix(".py")
    if isinstance(sys.stdout, io.TextIOWrapper):  # not every terminal and pipe has a ∂
        sys.stdout.reconfigure(errors="replace")
    if args.action == "list":
        return _list(language)
    if name not in exercises():
        near = difflib.get_close_matches(name, exercises(), 1, 0.0)[0]
        what = "unknown" if name else "which"
        raise UseError(say(what, language, name=name, action=args.action, near=near))
    path = Path(f"{name}.py")
    if args.action == "start" and path.exists():
        raise UseError(say("exists", language, path=path))
    try:
        action = {"start": _start, "check": _check, "hint": _hint, "solution": _solution}
        return action[args.action](exercises()[name], path, language)
    except FileNotFoundError as error:
        raise UseError(say("not_started", language, path=path, name=name)) from error
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error


def default_language() -> str:
    """Spanish where the locale is; else English."""
    variables = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    chosen = next(filter(None, variables), None) or locale.getlocale()[0] or ""
    return "es" if chosen.lower().startswith(("es", "spanish")) else "en"


# The actions -----------------------------------------------------------------------------------


def _list(language: str) -> int:
    done = _progress(language)["done"]
    for name, guide, title, *_ in exercises().values():
        print(f"{'x' if name in done else ' '} {guide:9} {name:14} {title[language]}")
    return _said("how", language)


def _start(exercise: Exercise, path: Path, language: str) -> int:
    text = f"{exercise.title[language]}\n\n{exercise.text[language]}"
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 90) or [""]]
    header = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    path.write_text(f"{header}\n{exercise.start}", encoding="utf-8")
    return _said("started", language, path=path, name=exercise.name)


def _check(exercise: Exercise, path: Path, language: str) -> int:
    progress, verdict = _progress(language), judged(path.read_bytes(), exercise, language)
    if verdict.printed:
        print(verdict.printed[-5000:].rstrip())
    if not verdict.right:
        return 1 + _said("wrong", language, reason=verdict.reason, name=exercise.name)
    done = sorted({*progress["done"], exercise.name})
    PROGRESS.write_text(json.dumps(progress | {"done": done}))
    left = [name for name in exercises() if name not in done]
    what = "right" if left else "all_done"
    return _said(what, language, done=len(done), left=len(left), name=[*left, ""][0])


def _hint(exercise: Exercise, path: Path, language: str) -> int:
    progress = _progress(language)
    told = min(progress["hints"].get(exercise.name, 0) + 1, len(exercise.hints))
    progress["hints"][exercise.name] = told
    PROGRESS.write_text(json.dumps(progress))
    print(*(hint[language] for hint in exercise.hints[:told]), sep="\n")
    what = "more_hints" if told < len(exercise.hints) else "last_hint"
    return _said(what, language, name=exercise.name)


def _solution(exercise: Exercise, path: Path, language: str) -> int:
    print(exercise.solution, end="")
    return 0


def _said(what: str, language: str, **values: object) -> int:
    print(say(what, language, **values))
    return 0


def _progress(language: str) -> dict[str, Any]:
    """What was done, and how many hints were told of each exercise."""
    try:
        text = PROGRESS.read_text("utf-8") if PROGRESS.exists() else '{"done": [], "hints": {}}'
        read = json.loads(text)
        return {"done": list(read["done"]), "hints": dict(read["hints"])}
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(say("bad_progress", language, path=PROGRESS)) from error


def judged(code: bytes, exercise: Exercise, language: str, seconds: float = SECONDS) -> Verdict:
    """What `judge` says, from a process of its own that is ended when its time is up."""
    program = [sys.executable, "-X", "utf8", "-P", "-m", "smolml.learning", exercise.name, language]
    try:
        done = subprocess.run(program, input=code, stdout=subprocess.PIPE, timeout=seconds)
        return Verdict(*json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        return Verdict(False, say("endless", language, seconds=seconds))
    except (IndexError, TypeError, ValueError):
        return Verdict(False, say("ended", language, code=done.returncode))
