"""Builds the compiled wheel from the sdist, and tries it as users meet it.

``python -m tests.wheels.compiled DIST [SECONDS]``: every test with a Value in it, chains of five
million nodes, and random programs for so many seconds; exit status 0 means that everything held.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from tests.wheels.check import MORE_TOOLS, TOOLS
from tests.wheels.contents import DISTRIBUTIONS
from tests.wheels.environment import ROOT, Environment

VALUE, *OTHERS = DISTRIBUTIONS
SMOLML = OTHERS[-1]

DEEP = """
from smolml_value import COMPILED, Value, paused_gc
assert COMPILED
x = v = Value(1.0)
with paused_gc():
    for _ in range(5_000_000):
        v = v * 1.0
    v.backward()
assert x.grad == 1.0
del v
print("5,000,000 nodes: forward, backward, freed")
"""


def build_wheel(dist: Path, out: Path, python: str = sys.executable) -> Path:
    """The compiled wheel for a Python, from the sdist in `dist`."""
    subprocess.run(
        [
            *(python, "-m", "pip", "-q", "--disable-pip-version-check", "wheel"),
            *("--no-deps", f"--wheel-dir={out}", str(VALUE.sdist(dist))),
        ],
        check=True,
        env=os.environ | {"HATCH_BUILD_HOOKS_ENABLE": "1"},
        timeout=900,
        stdin=subprocess.DEVNULL,
    )
    (wheel,) = out.glob("*.whl")
    assert not wheel.name.endswith("-none-any.whl"), f"{wheel.name} is not compiled"
    return wheel


def check_files(wheel: Path) -> None:
    """Beside the source there is one extension module for each file that is compiled."""
    project = tomllib.loads((VALUE.folder / "pyproject.toml").read_text(encoding="utf-8"))
    hook = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
    hot = {path.removeprefix("/src/").removesuffix(".py") for path in hook["include"]}
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if not name.endswith("/")}
        names = {name for name in files if ".dist-info/" not in name}
    extensions = {name for name in names if name.endswith((".so", ".pyd"))}
    assert names - extensions == VALUE.sources(), (names - extensions) ^ VALUE.sources()
    shared = {name for name in extensions if "__mypyc." in name}
    assert len(shared) == 1, shared
    compiled = {name.partition(".")[0] for name in extensions - shared}
    assert compiled == hot, compiled ^ hot


def same_bits(env: Environment, pure: Path, work: Path) -> None:
    """The interpreted wheel, in an environment of its own, gives the same bits."""
    other = Environment(work / "interpreted")
    other.install(str(pure), index=False)
    kinds, digests = set(), set()
    for each in (env, other):
        kind, digest = each.capture(
            str(each.python_path), "-m", "tests.value.digest"
        ).stdout.split()
        kinds.add(kind)
        digests.add(digest)
    assert kinds == {"compiled", "interpreted"}, kinds
    assert len(digests) == 1, f"the builds give different numbers: {digests}"
    print("compiled and interpreted give the same bits")


def unconcerned() -> list[str]:
    """The files of tests that name no Values: those that this build cannot change."""
    files = sorted(ROOT.glob("tests/*/**/test_*.py"))
    return [str(file) for file in files if not re.search(r"\bValue\b", file.read_text("utf-8"))]


def main(arguments: list[str]) -> int:
    """Run all of it; return the exit status."""
    if not 1 <= len(arguments) <= 2 or not Path(arguments[0]).is_dir():
        print("usage: python -m tests.wheels.compiled DIST [SECONDS]")
        return 2
    dist, seconds = Path(arguments[0]).resolve(), (arguments[1:] or ["60"])[0]
    with tempfile.TemporaryDirectory(prefix="smolml-compiled-") as folder:
        work = Path(folder)
        wheel = build_wheel(dist, work)
        check_files(wheel)
        print(f"built {wheel.name}", flush=True)
        env = Environment(work / "compiled")
        env.install(str(wheel), index=False)
        assert env.distributions() == {"smolml-value"}, env.distributions()
        print(env.python(DEEP, "-X", "faulthandler").stdout, end="")
        same_bits(env, VALUE.wheel(dist), work)
        env.run(str(env.python_path), "-X", "faulthandler", "-m", "tests.value.fuzz", seconds)
        extras = "demo,safetensors"
        env.install(f"{SMOLML.wheel(dist)}[{extras}]", f"--find-links={dist}", *TOOLS, *MORE_TOOLS)
        for distribution in OTHERS:
            env.assert_installed_from(distribution.wheel(dist))
        assert env.python("import smolml; print(smolml.COMPILED)").stdout.strip() == "True"
        beside = ("--beside", str(VALUE.wheel(dist)), "--check", "another build")
        env.run(str(env.python_path), "-m", "tests.fuzz", *beside, "--programs", "200")
        env.pytest("tests", *(f"--ignore={file}" for file in unconcerned()))
    print("the compiled wheel is good")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
