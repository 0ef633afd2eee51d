"""What others call it: errors that know names of PyTorch and NumPy, and say ours.

The names stand in foreign.txt, which is read when a name or a keyword is unknown already.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable
from functools import cache, update_wrapper
from types import FunctionType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
Fits = Callable[[str], object]  # whether what is ours can be said here


@cache
def _table(section: str) -> list[tuple[list[str], str]]:
    """The lines of a section of foreign.txt, also in a zip file: names of others, and ours."""
    from importlib.resources import files  # slow to import, and only an error needs it

    text = (files("smolml_value") / "foreign.txt").read_text(encoding="utf-8")
    lines = re.findall("(.+) -> (.+)", text.partition(f"[{section}]")[2].partition("\n[")[0])
    return [(foreign.split(), own) for foreign, own in lines]


def _plain(name: str) -> str:
    return name.replace("_", "").lower().removesuffix("loss")


def nearest(name: str, names: Collection[str]) -> list[str]:
    """The public names that a misspelt one may stand for: spelt otherwise, or else similar."""
    public = [n for n in names if not n.startswith("_")]
    same = [n for n in public if _plain(n) == _plain(name)]
    if same or len(name) < 4:
        return same
    import difflib  # slow to import, and only an error needs it

    return difflib.get_close_matches(name, public, n=3, cutoff=0.75)


def answer(section: str, name: str, fits: Fits, names: Collection[str] = ()) -> str:
    """What to write in place of an unknown name: the first of the table that fits, or the nearest.

    "" if who knows.
    """
    for foreign, own in _table(section):
        if name in foreign and fits(own):
            return f"; in SmolML it is {own}"
    near = nearest(name, names)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def hint(x: object, name: str) -> str:
    """What to write in place of an attribute that x does not have."""

    def has(own: str) -> bool:
        return own[:2] != "x." or hasattr(type(x), re.findall(r"\w+|$", own)[1])

    return answer("attributes", name, has, dir(x))


def missing(module: str, name: str, public: Collection[str], operand: type) -> Exception:
    """The error for a name that a module does not have: for its `__getattr__`, to be raised."""
    from dis import opname  # slow to import, and only an error needs it

    said = answer("names", name, lambda own: own in public or not own.isidentifier(), public)
    if name[0] != "_" and hasattr(operand, name):
        said = f"; it is a method: x.{name}(...)"
    frame = sys._getframe(2)  # who asked the module's __getattr__
    if said and opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM":
        # `from module import name` would answer an AttributeError in Python's own words
        return ImportError(f"{module} has no {name!r}{said}", name=module)
    return AttributeError(f"{module} has no attribute {name!r}{said}", name=name)


def answering(f: F, who: str = "", advice: str = "") -> F:
    """f, that answers keywords of others with its own, says `who` it is and advises otherwise."""
    refuse = refusal  # what is made below has other globals

    def answered(*args: Any, **kwargs: Any) -> Any:
        try:
            return f(*args, **kwargs)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # it was called, and raised it
            raise refuse(f, kwargs, who, str(error) + advice) from None

    # in the module of f, where doctest looks for its functions
    made = FunctionType(
        answered.__code__, getattr(f, "__globals__", {}), f.__name__, None, answered.__closure__
    )
    return cast(F, update_wrapper(made, f))


def refusal(
    f: Callable[..., Any], given: Iterable[str], who: str = "", said: str = ""
) -> TypeError:
    """Why f cannot be called so: which keyword it lacks, else what Python said of its arguments."""
    from inspect import signature  # slow to import, and only an error needs it

    who = who or f.__name__
    own = [p for p in signature(f).parameters if p not in ("self", "foreign")]
    takes = f"it takes {', '.join(own) or 'nothing'}"
    for name in set(given) - {*own}:
        known = answer("keywords", name, lambda text: " " in text or text in own)
        return TypeError(f"{who}: there is no keyword {name!r}{known}; {takes}")
    return TypeError(f"{who}: {said.removeprefix(f'{f.__qualname__}() ')}; {takes}")
