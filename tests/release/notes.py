"""Gathers the fragments of a package's `changes` into its changelog.

``python -m tests.release.notes DISTRIBUTION VERSION [--draft]``: `--draft` only prints them.
"""

from __future__ import annotations

import sys

from tests.release.build import run
from tests.wheels.contents import DISTRIBUTIONS, Distribution


def gather(distribution: Distribution, version: str, *options: str) -> str:
    """Run towncrier on a package; return what it says."""
    folder = f"--dir={distribution.folder}"
    config = ("--config=towncrier.toml", folder, f"--version={version}")
    return run("towncrier", "build", *config, *options)


def main(arguments: list[str]) -> int:
    """Write, or print, the section of a version; return the exit status."""
    named = {distribution.name: distribution for distribution in DISTRIBUTIONS}
    if len(arguments) not in (2, 3) or arguments[0] not in named:
        print(f"usage: release:notes DISTRIBUTION VERSION [--draft], one of {', '.join(named)}")
        return 2
    print(gather(named[arguments[0]], arguments[1], *(arguments[2:] or ["--yes"])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
