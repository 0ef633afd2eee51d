"""`smolml check NAME`: run every check on an op or a backend, for people and for CI."""

from __future__ import annotations

import argparse
from typing import Any

from smolml.errors import CommandError

STYLES = {"ok": "green", "FAILED": "bold red", "skipped": "yellow"}


def add_check(commands: Any) -> None:
    """Add the command to the subparsers of `smolml`."""
    parser = commands.add_parser(
        "check",
        help="check an op or a backend, on everything it can be given",
        description="Check a registered op: definition, shapes, dtypes, edge points, derivatives "
        "of first and second order, agreement of numbers, Values and arrays of every backend. "
        "Or check a backend of arrays against the protocol, and the pure backend.",
        epilog="Exit codes: 0 all is well, 1 a check failed or the op cannot be loaded, "
        "2 nothing of that name.",
    )
    parser.add_argument("name", metavar="NAME", help='such as swish, or "acme-ops:swish"')
    parser.add_argument("--backend", action="store_true", help="NAME is a backend, no op")
    parser.add_argument("--verbose", "-v", action="store_true", help="show all checks and notes")
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Check the op or the backend called `args.name`, print the report, and return the exit code.

    Raises:
        CommandError: there is none of that name, or it cannot be loaded.
    """
    from rich.console import Console
    from rich.text import Text

    from smolml_array.testing import check_backend
    from smolml_value import PluginError, UnknownOpError, ops
    from smolml_value.testing import Report, check_op

    try:
        report: Report
        if args.backend:
            report = check_backend(args.name, raise_on_failure=False)
        else:
            report = check_op(ops[args.name], raise_on_failure=False)
    except (PluginError, UnknownOpError, ValueError, ImportError) as error:
        unknown = isinstance(error, UnknownOpError | ValueError)
        raise CommandError(str(error), 2 if unknown else 1) from error
    console = Console(soft_wrap=True)
    for line in report.text(args.verbose).splitlines():
        word = line.split(maxsplit=1)[0]
        console.print(Text(line, style=STYLES.get(word, "") if line[2:3].strip() else ""))
    return 0 if report.ok else 1
