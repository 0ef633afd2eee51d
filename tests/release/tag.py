"""What a release tag says: `smolml-array-0.1.0` is version 0.1.0 of smolml-array.

``python -m tests.release.tag TAG`` prints the distribution, and how the names of its files begin,
for a workflow; it fails unless the source states that version, and the changelog has a section for
it that is no longer unreleased.
"""

from __future__ import annotations

import re
import sys

from tests.wheels.contents import DISTRIBUTIONS, Distribution


def released(tag: str) -> Distribution:
    """The distribution that a tag releases.

    Raises:
        ValueError: no such distribution, another version than the source states, or no section of
            that version in its changelog.
    """
    name, _, version = tag.rpartition("-")
    known = {distribution.name: distribution for distribution in DISTRIBUTIONS}
    if name not in known:
        raise ValueError(
            f"tag {tag!r}: expected <distribution>-<version>, one of {', '.join(known)}"
        )
    distribution = known[name]
    if version != distribution.version:
        raise ValueError(f"tag {tag!r}: the source says that it is version {distribution.version}")
    changes = (distribution.folder / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", changes, re.MULTILINE):
        raise ValueError(
            f"tag {tag!r}: CHANGELOG.md of {name} needs a section '## {version} (YYYY-MM-DD)'"
        )
    return distribution


def main(arguments: list[str]) -> int:
    """Print `distribution=NAME` and `files=NAME`, or what is wrong; return the exit status."""
    if len(arguments) != 1:
        print("usage: python -m tests.release.tag TAG", file=sys.stderr)
        return 2
    try:
        distribution = released(arguments[0])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"distribution={distribution.name}")
    print(f"files={distribution.package}-{distribution.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
