"""Runs the array API's own test suite against the namespaces here.

    python -m tests.conformance.run [--from PATH] [--examples N] [--only EXPRESSION] [NAMESPACE ...]

The suite is fetched by git at the commit below, unless a copy of it is given. What fails is either
expected (`expected.toml` says why), or makes the exit status 1; so does a group of expected
failures of which none fails any more. With `--only` an example that fails is made small.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.conformance.expected import Group, group_of, groups
from tests.conformance.namespaces import NAMES, Asked

ROOT: Final = Path(__file__).parents[2]
SUITE: Final = "https://github.com/data-apis/array-api-tests"
COMMIT: Final = "41379d15d26d67a1e66c840e775d41a8a7fb1516"  # of the release 2026.02.26
VERSION: Final = "2024.12"


def fetch(folder: Path) -> Path:
    """The suite at its commit, with the specification that it reads."""
    git = ("git", "-C", str(folder))
    for command in (
        ("git", "init", "-q", str(folder)),
        (*git, "fetch", "-q", "--depth=1", SUITE, COMMIT),
        (*git, "checkout", "-q", "FETCH_HEAD"),
        (*git, "submodule", "-q", "update", "--init", "--depth=1"),
    ):
        subprocess.run(command, check=True, timeout=600, stdin=subprocess.DEVNULL)
    return folder


def outcomes(suite: Path, namespace: str, examples: int, only: str) -> dict[str, str]:
    """Test -> passed, failed, skipped, xfailed or xpassed; what fails is shown by pytest."""
    program = f'from tests.conformance.namespaces import Asked; xp = Asked("{namespace}")'
    with tempfile.TemporaryDirectory(prefix="smolml-conformance-") as folder:
        out = Path(folder) / "outcomes.json"
        environ = os.environ | {
            "ARRAY_API_TESTS_MODULE": f"exec('{program}')",
            "ARRAY_API_TESTS_VERSION": VERSION,
            "ARRAY_API_TESTS_SKIP_DTYPES": ",".join(Asked(namespace).skipped),
            "CONFORMANCE_NAMESPACE": namespace,
            "CONFORMANCE_OUTCOMES": str(out),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-m", "pytest", "array_api_tests", "-q", "--no-header"]
        command += ["-p", "tests.conformance.plugin", "-p", "no:cacheprovider", "-n", "auto"]
        command += ["--tb=short", "-W", "ignore", "--disable-deadline", "--derandomize"]
        command += [f"--max-examples={examples}", *(["-k", only] if only else [])]
        if not hasattr(Asked(namespace), "__array_namespace_info__"):  # else they can't be loaded
            command.append("--ignore=array_api_tests/test_inspection_functions.py")
        subprocess.run(command, check=False, cwd=suite, env=environ, stdin=subprocess.DEVNULL)
        if not out.is_file():
            raise SystemExit(f"{namespace}: the suite could not be run; see above")
        found: dict[str, str] = json.loads(out.read_text("utf-8"))
    return found


def stale(results: Mapping[str, Mapping[str, str]]) -> list[Group]:
    """The groups of expected failures of which no test failed anywhere."""
    failing = {
        group_of(namespace, test)
        for namespace, tests in results.items()
        for test, outcome in tests.items()
        if outcome == "xfailed"
    }
    asked = [g for g in groups() if any(map(g.namespaces.fullmatch, results))]
    return [group for group in asked if group not in failing]


def main(arguments: list[str]) -> int:
    """Run the suite on each namespace, print a table; return the exit status."""
    parser = argparse.ArgumentParser("conformance", description=__doc__.partition("\n")[0])
    parser.add_argument("namespaces", nargs="*", metavar="NAMESPACE", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--from", dest="suite", type=Path, help="a copy of the suite's repository")
    parser.add_argument("--examples", type=int, default=20, help="for each test (default: 20)")
    parser.add_argument("--only", default="", help="tests, as pytest -k takes them")
    options = parser.parse_args(arguments)
    for namespace in options.namespaces:
        if namespace not in NAMES:
            parser.error(f"no namespace {namespace!r}: expected one of {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory(prefix="array-api-tests-") as folder:
        suite = options.suite or fetch(Path(folder))
        results = {
            namespace: outcomes(suite, namespace, options.examples, options.only)
            for namespace in options.namespaces or NAMES
        }
    failed = False
    for namespace, tests in results.items():
        counts = Counter(tests.values())
        failed = failed or counts["failed"] > 0
        print(
            f"{namespace:14} {counts['passed'] + counts['xpassed']:5} passed "
            f"{counts['xfailed']:4} failed as expected {counts['failed']:4} FAILED "
            f"{counts['skipped']:4} skipped"
        )
    if not options.only:
        for group in stale(results):
            failed = True
            print(f"nothing of this group fails any more, so it should go: {group.reason}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
