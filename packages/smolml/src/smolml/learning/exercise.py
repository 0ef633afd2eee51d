"""What an exercise is made of, and where its words are: the TOML files beside this one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

HERE: Final = Path(__file__).parent
Words = Mapping[str, str]
"""The same text by language, "en" and "es"."""


class Exercise(NamedTuple):
    """A task, and all that is needed to judge an answer.

    Attributes:
        name: what it is called in commands.
        guide: the page that it belongs to.
        title: a line.
        text: what is to be done.
        start: the code to begin with; what is to be filled in is `...`.
        solution: an answer without a mistake.
        hints: one after the other, each says more.
        mistakes: the first that is true of an answer is told; an answer with none is right. Each
            has `when`, an expression that is true of answers that are wrong in this way, which
            sees the names of the answer and of the probe, `agrees` and `close`; what is said
            then, by language; and an `example` of such an answer.
        probe: code that runs after the answer, and gives the mistakes what they look at.
    """

    name: str
    guide: str
    title: Words
    text: Words
    start: str
    solution: str
    hints: Sequence[Words]
    mistakes: Sequence[Mapping[str, str]]
    probe: str = ""


@cache
def exercises() -> Mapping[str, Exercise]:
    """All exercises by name, in the order in which they are to be done.

    >>> len([e for e in exercises().values() if e.guide == "arrays"]) >= 6
    True
    """
    paths = sorted(HERE.glob("exercises/*/*.toml"))  # names begin after "1-"
    return {p.stem[2:]: Exercise(p.stem[2:], p.parent.name[2:], **_read(p)) for p in paths}


@cache
def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def say(what: str, language: str, **values: object) -> str:
    """A sentence of the judge or the command in a language.

    >>> say("endless", "es", seconds=10)
    'Tu código no había terminado después de 10 segundos: busca un bucle que no acaba.'
    """
    return str(_read(HERE / "words.toml")[what][language]).format(**values)
