"""The same programs on another build of smolml-value, in a process of its own: to the last bit.

`python -m tests.fuzz --beside PATH` starts Python with PATH, a wheel of that build that was
unpacked or is pure, before all others; this module is what runs there.
"""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from smolml_value import COMPILED
from tests.fuzz.machines import OnValues, Ours
from tests.fuzz.program import Program
from tests.fuzz.steps import run
from tests.fuzz.subject import NothingError, Subject, outcome
from tests.value.paths import TRANSFORMS, numbers

Answer = tuple[str, dict[str, Any]]
"""What a build is, and what it says: of each way the numbers, or the error."""


def answer(program: Program) -> Answer:
    """The numbers of a program on this build, on arrays, on Values and by each transform."""
    found: dict[str, Any] = {}

    def f(*arguments: Any) -> Any:
        return run(Ours("pure"), program, arguments)[1]

    def on(machine: Any) -> list[float]:
        got = outcome(machine, program)
        return [*(n for a in got.made for n in a.ravel().tolist()), got.loss, *got.gradients]

    def by(path: Any) -> list[float]:
        return [n for g in path(f, Ours("pure").arguments(program)) for n in numbers(g)]

    ways: dict[str, Callable[[], list[float]]] = {
        "arrays": lambda: on(Ours("numpy")),
        "Values": lambda: on(OnValues("numpy")),
        **{name: partial(by, path) for name, path in TRANSFORMS.items()},
    }
    with np.errstate(all="ignore"):
        for name, way in ways.items():
            try:
                found[name] = way()
            except Exception as error:
                found[name] = f"{type(error).__name__}: {error}"
    return "compiled" if COMPILED else "interpreted", found


class AnotherBuild:
    """The other process, which is started at the first program."""

    def __init__(self, path: str = "") -> None:
        self.path = path
        self._process: subprocess.Popen[bytes] | None = None

    def answer(self, program: Program) -> Answer:
        if self._process is None:
            paths = [self.path, *sys.path]
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.fuzz.beside"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            )
            atexit.register(self.close)
        given, made = self._process.stdin, self._process.stdout
        assert given is not None
        assert made is not None
        pickle.dump(program, given)
        given.flush()
        found: Answer = pickle.load(made)
        return found

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


ANOTHER = AnotherBuild()


def by_another_build(subject: Subject) -> None:
    """Both builds say the same, errors too."""
    if not ANOTHER.path:
        raise NothingError
    build, found = answer(subject.program)
    other, theirs = ANOTHER.answer(subject.program)
    for name, got in found.items():
        there = theirs[name]
        same = got == there if isinstance(got, str) else np.array_equal(got, there, equal_nan=True)
        assert same, f"{name}: {build} {got}, {other} {there}"


def main() -> None:
    """Answer programs until there are no more."""
    while True:
        try:
            program = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(answer(program), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
