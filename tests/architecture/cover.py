"""The branches of the packages that the tests run through, by package, and the limit.

`hatch run cover` runs the suite, and prints this: of each package the lines and the branches that
were run, then each file with what was not, `12` a line and `12-15` a branch from one to another.
Exit status 1: of the branches of one of the packages fewer were run than `LEAST` per cent.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

from coverage import Coverage

from tests.architecture.source import INSTALLED

LEAST: Final = 98.0


def measured() -> dict[str, Any]:
    """What coverage.py found, by file."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        data = Coverage()
        data.load()
        data.json_report(outfile=str(report))
        files: dict[str, Any] = json.loads(report.read_text("utf-8"))["files"]
    return files


def per_cent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


def lines(files: dict[str, Any]) -> tuple[list[str], bool]:
    """The report, and whether each package has enough."""
    report, gaps, enough = [], [], True
    for package in INSTALLED:
        total: Counter[str] = Counter()
        for name, file in files.items():
            if f"src/{package}/" not in name.replace("\\", "/"):
                continue
            total.update(file["summary"])
            missing = [str(n) for n in file["missing_lines"]]
            missing += [
                f"{a}-{b}" for a, b in file["missing_branches"] if b not in file["missing_lines"]
            ]
            if missing:
                gaps.append(f"{name}: {' '.join(missing)}")
        statements = per_cent(total["covered_lines"], total["num_statements"])
        branches = per_cent(total["covered_branches"], total["num_branches"])
        enough &= branches >= LEAST
        report.append(
            f"{package}: {statements:.2f} % of {total['num_statements']} lines, "
            f"{branches:.2f} % of {total['num_branches']} branches (at least {LEAST:g} %)"
        )
    return report + gaps, enough


def main() -> int:
    """Print the report; return the exit status."""
    report, enough = lines(measured())
    print("\n".join(report))
    return int(not enough)


if __name__ == "__main__":
    sys.exit(main())
