"""`smolml draw script.py:name`: run a script and draw the graph of one of its variables."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from smolml.errors import CommandError, UseError
from smolml.writing import either

ENDINGS = (".svg", ".png", ".dot", ".gv", ".mmd", ".md")
FOLDS = ("auto", "module", "label", "op", "run", "depth", "none")


def add_draw(commands: Any) -> None:
    """Add the command to the subparsers of `smolml`."""
    parser = commands.add_parser(
        "draw",
        help="draw the graph of a variable of a script",
        description="Run a script and draw the graph that led to one of its variables, a Value "
        "or an MLArray. The ending of the output says how: .svg and .png are images, .dot is "
        "for Graphviz, .mmd and .md are Mermaid. A .png needs smolml-value[png].",
        epilog="Exit codes: 0 drawn, 1 the script failed, 2 wrong use, no such script or variable.",
    )
    add = parser.add_argument
    add("target", metavar="SCRIPT:NAME", help="such as train.py:loss")
    add("--out", "-o", default="graph.svg", help="the file (default: graph.svg)")
    add("--fold", default="auto", metavar="HOW", help=f"{', '.join(FOLDS)} (default: auto)")
    add("--max-nodes", default="100", metavar="N", help="boxes at most (default: 100)")
    add("--direction", metavar="WHERE", help="right or down (default: down if it is too wide)")
    add("--language", default="en", metavar="LANGUAGE", help="en or es (default: en)")
    add("--title", help="a line above")
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Draw, and return the exit code.

    Raises:
        UseError: the command line is wrong.
        CommandError: the script failed, or what makes PNGs is not installed.
    """
    from smolml_value import draw

    script, name = _target(args.target)
    out = _writable(args.out)
    most = _most(args.max_nodes)
    fold = _one_of(FOLDS, "--fold", args.fold)
    direction = args.direction and _one_of(("right", "down"), "--direction", args.direction)
    language = _one_of(("en", "es"), "--language", args.language)
    variables = _run_script(script)
    root = _look_up(variables, script, name)
    try:
        drawing = draw(
            root,
            max_nodes=most,
            fold=None if fold == "none" else fold,
            title=args.title,
            names=variables,
            direction=direction,
            language=language,
        )
        drawing.save(out)
    except (TypeError, ValueError) as error:  # no Value; too many nodes for --fold none
        raise UseError(f"{args.target}: {error}") from error
    except ImportError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise UseError(f"--out: cannot write {args.out!r}: {error.strerror}") from error
    print(f"{out}: {drawing.summary}")
    return 0


def _one_of(known: tuple[str, ...], option: str, given: str) -> Any:
    if given not in known:
        raise UseError(f"{option}: expected {either(known)}, got {given!r}")
    return given


def _target(target: str) -> tuple[Path, str]:
    script, _, name = target.rpartition(":")
    if not script or not all(part.isidentifier() for part in name.split(".")):
        raise UseError(
            f"expected SCRIPT:NAME, a file and a variable in it such as train.py:loss, "
            f"got {target!r}"
        )
    path = Path(script)
    if not path.is_file():
        raise UseError(f"there is no script {script!r}")
    return path, name


def _writable(out: str) -> Path:
    path = Path(out)
    if path.suffix.lower() not in ENDINGS:
        raise UseError(f"--out: expected a file that ends in {either(ENDINGS)}, got {out!r}")
    if path.is_dir() or not path.parent.is_dir():
        why = "it is a folder" if path.is_dir() else f"there is no folder {str(path.parent)!r}"
        raise UseError(f"--out: cannot write {out!r}: {why}")
    return path


def _most(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 5000:
        raise UseError(f"--max-nodes: expected a whole number from 1 to 5000, got {text!r}")
    return int(text)


def _run_script(script: Path) -> dict[str, Any]:
    """Run a script as `python script` does; returns its variables.

    Raises:
        CommandError: it raised an exception, or ended with an exit code.
    """
    module = ModuleType("__main__")
    module.__file__ = str(script)
    before = sys.modules["__main__"], sys.argv, sys.path
    sys.modules["__main__"] = module
    sys.argv = [str(script)]
    sys.path = [str(script.resolve().parent), *sys.path]
    try:
        exec(compile(script.read_bytes(), str(script), "exec"), module.__dict__)
    except SystemExit as stopped:
        if stopped.code not in (None, 0):
            raise CommandError(f"{script} ended with exit code {stopped.code}") from None
    except Exception as error:
        lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(script)]
        number = error.lineno if isinstance(error, SyntaxError) else None
        number = lines[-1].lineno if lines else number
        where = f"{script}, line {number}" if number else str(script)
        text = " ".join(str(error).split())
        raise CommandError(f"{where}: {type(error).__name__}: {text}") from None
    finally:
        sys.modules["__main__"], sys.argv, sys.path = before
    return module.__dict__


def _look_up(variables: dict[str, Any], script: Path, name: str) -> Any:
    first, *rest = name.split(".")
    if first not in variables:
        raise UseError(f"{script} has no variable {first!r}{_hint(variables)}")
    found = variables[first]
    for part in rest:
        if not hasattr(found, part):
            raise UseError(f"{script}: {first!r} has no attribute {part!r}")
        found, first = getattr(found, part), f"{first}.{part}"
    return found


def _hint(variables: dict[str, Any]) -> str:
    """What could be drawn."""
    from smolml_value.extending import OperandBase

    names = [k for k, v in variables.items() if isinstance(v, OperandBase)]
    if not names:
        return "; none of its variables is a Value or an MLArray"
    return f"; it could be {', '.join(names[-8:])}"
