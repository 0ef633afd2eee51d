"""The `smolml` command: demo, learn, ops, backends, check, draw, new-op, version."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from smolml import __version__
from smolml.check_command import add_check
from smolml.demo_command import add_digits
from smolml.draw_command import add_draw
from smolml.errors import CommandError, UseError
from smolml.new_op import add_new_op

LISTS = {
    "ops": "List the registered ops and where they are from.",
    "backends": "List the backends of arrays.",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 (failed), 2 (wrong use), 130 (Ctrl-C).

    >>> main(["version"]) # doctest: +ELLIPSIS
    smolml 0...
    0
    """
    parser = _build_parser()
    args = parser.parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except UseError as error:
        args.parser.error(str(error))
    except CommandError as error:
        print(f"{args.parser.prog}: error: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as in `smolml ops | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


# The arguments -------------------------------------------------------------------------------


def _build_parser() -> _Parser:
    parser = _Parser("smolml", description="SmolML: automatic differentiation from scratch")
    parser.add_argument("--version", action="version", version=f"smolml {__version__}")
    parser.set_defaults(run=_help, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    demo = commands.add_parser("demo", help="see it learn", description="See SmolML learn.")
    demo.set_defaults(run=_help, parser=demo)
    add_digits(demo.add_subparsers(title="demos", metavar="DEMO"))

    text = "Exercises to the guides: list, start, check, hint, solution; as files in this folder."
    learn = commands.add_parser("learn", help="exercises with checks", description=text)
    learn.set_defaults(run=_learn, parser=learn)
    actions = ("list", "start", "check", "hint", "solution")
    learn.add_argument("action", nargs="?", default="list", choices=actions, help="what to do")
    learn.add_argument("name", metavar="NAME", nargs="?", help="of the exercise, or of its file")
    learn.add_argument("--language", choices=("en", "es"), help="default: that of the locale")

    for what, text in LISTS.items():
        parts = commands.add_parser(what, help=f"list the {what}", description=text)
        parts.set_defaults(run=_list, what=what, parser=parts, why="")
        if what == "ops":
            said = "where an op was looked for, and why it is or is not found"
            parts.add_argument("--why", metavar="NAME", help=said)

    add_check(commands)
    add_draw(commands)
    add_new_op(commands)

    version = commands.add_parser("version", help="print the versions")
    version.set_defaults(run=_version)
    return parser


# The commands --------------------------------------------------------------------------------


def _help(args: argparse.Namespace) -> int:
    """Without a command: show what there is."""
    args.parser.print_help()
    return 0


def _list(args: argparse.Namespace) -> int:
    from smolml import listing

    show = {"ops": listing.show_ops, "backends": listing.show_backends}[args.what]
    listing.show_why(args.why) if args.why else show()
    return 0


def _learn(args: argparse.Namespace) -> int:
    from smolml.learn_command import run

    return run(args)


def _version(args: argparse.Namespace) -> int:
    names = ("value", "array", "utils")
    parts = [f"smolml-{name} {import_module(f'smolml_{name}').__version__}" for name in names]
    print(f"smolml {__version__} ({', '.join(parts)}; Python {platform.python_version()})")
    return 0
