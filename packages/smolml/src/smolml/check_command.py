"""`smolml check NAME`: run every check on a registered op, for people and for CI."""

from __future__ import annotations

import argparse
from typing import Any

from smolml.errors import CommandError

STYLES = {"ok": "green", "FAILED": "bold red", "skipped": "yellow"}


def add_check(commands: Any) -> None:
    """Add the command to the subparsers of `smolml`."""
    parser = commands.add_parser(
        "check",
        help="check an op: its rules, on everything it can be given",
        description="Check a registered op: definition, shapes, dtypes, edge points, derivatives "
        "of first and second order, agreement of numbers, Values and arrays of every backend.",
        epilog="Exit codes: 0 all is well, 1 a check failed or the op cannot be loaded, "
        "2 no op of that name.",
    )
    parser.add_argument("name", metavar="NAME", help='such as swish, or "acme-ops:swish"')
    parser.add_argument("--verbose", "-v", action="store_true", help="show all checks and notes")
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Check the op called `args.name`, print the report, and return the exit code.

    Raises:
        CommandError: there is no such op, or it cannot be loaded.
    """
    from rich.console import Console
    from rich.text import Text

    from smolml_value import PluginError, UnknownOpError, ops
    from smolml_value.testing import check_op

    try:
        op = ops[args.name]
    except (PluginError, UnknownOpError) as error:
        raise CommandError(str(error), 2 if isinstance(error, UnknownOpError) else 1) from error
    report = check_op(op, raise_on_failure=False)
    console = Console(soft_wrap=True)
    for line in report.text(args.verbose).splitlines():
        word = line.split(maxsplit=1)[0]
        console.print(Text(line, style=STYLES.get(word, "") if line[2:3].strip() else ""))
    return 0 if report.ok else 1
