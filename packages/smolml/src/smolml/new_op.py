"""`smolml new-op NAME`: write a package with one op, ready to install, to test and to change."""

from __future__ import annotations

import argparse
import re
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from smolml.errors import CommandError


def add_new_op(commands: Any) -> None:
    """Add the command to the subparsers of `smolml`."""
    parser = commands.add_parser(
        "new-op",
        help="write a package with an op of your own",
        description="Write a package with one op: source, tests, README, ready for pip install.",
    )
    add = parser.add_argument
    add("name", metavar="NAME", type=_op_name, help="of the op, such as swish")
    add("--directory", metavar="DIR", type=Path, help="where it goes (default: smolml-NAME)")
    add("--force", action="store_true", help="overwrite files without asking")
    parser.set_defaults(run=run, parser=parser)


def _op_name(text: str) -> str:
    """Read a name that an op may have."""
    from smolml_array import MLArray  # noqa: F401  # whose names are taken, too
    from smolml_value.extending import name_taken

    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise argparse.ArgumentTypeError(
            f"expected lower-case letters, digits and underscores, such as soft_sign, got {text!r}"
        )
    if wrong := name_taken(text):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be an op: {wrong}")
    return text


def run(args: argparse.Namespace) -> int:
    """Write the package and return the exit code.

    Raises:
        CommandError: nothing was written, or not everything.
    """
    directory = args.directory or Path(distribution_name(args.name))
    contents = package_files(args.name)
    existing = [name for name in contents if (directory / name).exists()]
    if existing and not args.force and not _may_overwrite(directory, existing):
        raise CommandError(
            f"{directory} has {', '.join(existing)} already; nothing was written "
            f"(--force overwrites)"
        )
    try:
        for name, text in contents.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {error.filename}: {error.strerror}") from error
    sys.stdout.write(
        f"wrote {len(contents)} files to {directory}; next:\n"
        f'  pip install -e "{directory}[test]"\n'
        f"  smolml check {args.name}\n"
        f"  pytest {directory}\n"
    )
    return 0


def _may_overwrite(directory: Path, existing: list[str]) -> bool:
    """Ask, if there is somebody to ask."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    sys.stdout.write(f"{directory} has {', '.join(existing)} already.\n")
    answer = input("Overwrite? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}


def distribution_name(op: str) -> str:
    """What the distribution of an op is called.

    >>> distribution_name("soft_sign")
    'smolml-soft-sign'
    """
    return f"smolml-{op.replace('_', '-')}"


def package_files(op: str) -> dict[str, str]:
    """The files of a package with this op: path, relative to its directory, and text.

    >>> list(package_files("swish"))[:3]
    ['pyproject.toml', 'README.md', 'src/smolml_swish/__init__.py']
    """
    module = f"smolml_{op}"
    names = {"op": op, "module": module, "distribution": distribution_name(op)}
    templates = files("smolml") / "templates" / "op"

    def filled(name: str) -> str:
        return Template((templates / name).read_text(encoding="utf-8")).substitute(names)

    return {
        "pyproject.toml": filled("pyproject.toml.tmpl"),
        "README.md": filled("README.md.tmpl"),
        f"src/{module}/__init__.py": filled("module.py.tmpl"),
        f"src/{module}/py.typed": "",
        f"tests/test_{op}.py": filled("test.py.tmpl"),
    }
