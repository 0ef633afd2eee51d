"""Everything that must hold before a version goes out; nothing is sent anywhere.

    python -m tests.release.check [--quick] [--keep FOLDER] [DISTRIBUTION ...]

Builds the sdists and wheels, twice, and compiled wheels of smolml-value for each Python that is
here; checks their files, metadata and names; installs them in fresh environments as users may,
with the oldest and with the newest of what they allow, and runs tests there; checks the workflows;
writes a bill of materials. With `--keep` the files stay: FOLDER/dist, compiled/, sbom.json and
report.md. `--quick` leaves out the compiled wheels and the tests. Exit status 0: all of it held.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.release.build import build_compiled, build_tag, build_twice, interpreters, run
from tests.release.notes import gather
from tests.release.requirements import lowest, oldest_tag
from tests.release.workflows import actionlint, check_pins, zizmor
from tests.wheels.check import TOOLS
from tests.wheels.compiled import check_files
from tests.wheels.contents import DISTRIBUTIONS, Distribution, check_sdist, check_wheel
from tests.wheels.environment import Environment

VALUE, ARRAY, UTILS, SMOLML = DISTRIBUTIONS

# A minute or two of tests for each that go through every op, function, loss and optimizer.
QUICK = {
    VALUE.name: ("tests/value/test_ops.py", "tests/value/test_value.py"),
    ARRAY.name: ("tests/array/test_operations.py", "tests/array/test_linalg.py"),
    UTILS.name: ("tests/utils",),
    SMOLML.name: ("tests/smolml",),
}

# Those of arrays need NumPy as the oracle, which is not there where a package is alone.
ALONE = QUICK | {
    ARRAY.name: (
        "tests/array/backends",
        *(f"tests/array/test_{name}.py" for name in ("backward", "extending", "without_numpy")),
    )
}

USED = """
import sys
from smolml_value import COMPILED, Value
x = Value(0.5)
(x.tanh() * x).backward()
assert abs(x.grad - 0.8553409) < 1e-6, x.grad
assert COMPILED is (sys.argv[1] == "compiled"), COMPILED
"""

VERSIONS = """
import importlib.metadata as m, sys
found = sorted(f"{d.name} {d.version}" for d in m.distributions())
print("Python", *sys.version.split()[:1], *(f", {name}" for name in found), sep="")
"""


class Release:
    """The folders of one check, and the lines of its report."""

    def __init__(self, chosen: Sequence[Distribution], keep: Path, work: Path) -> None:
        self.chosen, self.work = chosen, work
        self.dist, self.compiled, self.sbom = keep / "dist", keep / "compiled", keep / "sbom.json"
        self.lines: list[str] = []
        self.failed: list[str] = []

    def say(self, line: str) -> None:
        """One line of the report, at once."""
        self.lines.append(line)
        print(line, flush=True)

    def stage(self, check: Callable[[Release], None]) -> None:
        """Run a check, go on after a failure."""
        begin, name = time.monotonic(), check.__name__.removeprefix("check_")
        self.say(f"\n## {name}: {check.__doc__}\n")
        try:
            check(self)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            self.failed.append(name)
            self.say(f"FAILED: {error}")
        self.say(f"- {name} took {time.monotonic() - begin:.0f} s")


def check_builds(release: Release) -> None:
    """Two builds of each package, in two places, give the same bytes."""
    for name, digest in build_twice(DISTRIBUTIONS, release.dist, release.work).items():
        release.say(f"- {name} sha256 {digest}")


def check_contents(release: Release) -> None:
    """Files, metadata, licences, entry points; twine and check-wheel-contents agree."""
    for distribution in release.chosen:
        check_wheel(distribution, release.dist)
        check_sdist(distribution, release.dist)
    files = sorted(map(str, release.dist.iterdir()))
    run(sys.executable, "-m", "twine", "check", "--strict", *files)
    wheels = [file for file in files if file.endswith(".whl")]
    run("check-wheel-contents", *wheels)
    release.say(f"- {len(files)} files are right")


def check_changelogs(release: Release) -> None:
    """Each changelog has a section of the version, and its fragments can be gathered."""
    for distribution in release.chosen:
        text = (distribution.folder / "CHANGELOG.md").read_text("utf-8")
        sections = [line for line in text.splitlines() if line.startswith("## ")]
        version = f"## {distribution.version} "
        assert any(s.startswith(version) for s in sections), f"{distribution.name}: no {version!r}"
        gather(distribution, "0", "--draft")
        release.say(f"- {distribution.name}: {sections[0].removeprefix('## ')}")


def check_workflows(release: Release) -> None:
    """The GitHub workflows are pinned, and pass actionlint and zizmor."""
    check_pins()
    actionlint(release.work / "actionlint")
    zizmor()


def check_compiled(release: Release) -> None:
    """A compiled wheel of smolml-value for each Python here, found by pip among the others."""
    for version, python in interpreters().items():
        wheel = build_compiled(release.dist, release.work / f"compiled-{version}", python)
        check_files(wheel)
        kept = wheel.rename(release.compiled / wheel.name)
        env = Environment(release.work / f"env-{version}", python)
        links = [f"--find-links={folder}" for folder in (release.dist, release.compiled)]
        env.install(VALUE.name, *links, index=False)
        env.capture(str(env.python_path), "-c", USED, "compiled")
        env.install(*TOOLS)
        env.pytest(*QUICK[VALUE.name])
        release.say(f"- {kept.name}: pip takes it from a folder with both, and the tests pass")


def _try(release: Release, name: str, wheels: Sequence[Path | str], tests: Sequence[str]) -> None:
    """Install in a fresh environment, and run tests on what is there."""
    env = Environment(release.work / name)
    env.install(*map(str, wheels), f"--find-links={release.dist}")
    env.capture(str(env.python_path), "-c", USED, "interpreted")
    there = sorted(env.distributions())
    env.install(*map(str, wheels), f"--find-links={release.dist}", *TOOLS)
    env.pytest(*tests)
    release.say(f"- {name}: {', '.join(there)}: the tests pass")


def check_alone(release: Release) -> None:
    """Each package with nothing but what it needs, at its newest."""
    for distribution in release.chosen:
        wheel = distribution.wheel(release.dist)
        _try(release, distribution.name, [wheel], ALONE[distribution.name])


def check_oldest(release: Release) -> None:
    """All of it with the oldest that it allows: of our own packages, and of what others make."""
    python = next(iter(interpreters().values()), sys.executable)
    wheels: list[Path] = []
    for distribution in DISTRIBUTIONS:
        bound = lowest(DISTRIBUTIONS).get(distribution.name)
        tag = oldest_tag(distribution, bound) if bound else None
        if tag:
            out = release.work / tag
            build_tag(distribution, tag, out)
            wheels += out.glob("*.whl")
            release.say(f"- {distribution.name} >= {bound}: built from the tag {tag}")
        else:
            wheels.append(distribution.wheel(release.dist))
            if bound:
                release.say(f"- {distribution.name} >= {bound}: nothing older is released")
    ours = {distribution.name for distribution in DISTRIBUTIONS}
    others = [f"{n}>={v}" for n, v in lowest(DISTRIBUTIONS).items() if n not in ours]
    env = Environment(release.work / "oldest", python)
    install = ("uv", "pip", "install", "--quiet", "--python", str(env.python_path))
    run(*install, "--resolution=lowest-direct", "--only-binary=:all:", *map(str, wheels), *others)
    env.install(*TOOLS)
    release.say(f"- {env.capture(str(env.python_path), '-c', VERSIONS).stdout.strip()}")
    env.pytest(*QUICK[VALUE.name], *QUICK[ARRAY.name], *QUICK[UTILS.name])


def check_newest(release: Release) -> None:
    """All of it, extras too, with the newest that it allows, on the newest Python here."""
    python = list({"": sys.executable, **interpreters()}.values())[-1]
    env = Environment(release.work / "newest", python)
    wheels = [f"{SMOLML.wheel(release.dist)}[demo,safetensors]", f"--find-links={release.dist}"]
    env.install(*wheels, *TOOLS)
    for distribution in DISTRIBUTIONS:
        env.assert_installed_from(distribution.wheel(release.dist))
    release.say(f"- {env.capture(str(env.python_path), '-c', VERSIONS).stdout.strip()}")
    env.pytest(*QUICK[ARRAY.name], *QUICK[SMOLML.name])


def check_sbom(release: Release) -> None:
    """A bill of materials, CycloneDX: what an installed smolml consists of, with licences."""
    env = Environment(release.work / "sbom")
    env.install(str(SMOLML.wheel(release.dist)), f"--find-links={release.dist}")
    command = ("cyclonedx-py", "environment", str(env.python_path), "--output-reproducible")
    run(*command, "--of=JSON", f"--output-file={release.sbom}")
    for component in json.loads(release.sbom.read_text("utf-8"))["components"]:
        licences = [
            licence.get("expression") or licence["license"].get("id") or licence["license"]["name"]
            for licence in component.get("licenses", [])
        ]
        named = f"{component['name']} {component['version']}"
        assert licences, f"{named} states no licence"
        release.say(f"- {named}: {' / '.join(dict.fromkeys(licences))[:60]}")


QUICKLY = (check_builds, check_contents, check_changelogs, check_workflows, check_sbom)
SLOWLY = (check_alone, check_oldest, check_newest, check_compiled)


def main(arguments: list[str]) -> int:
    """Run the checks, write the report; return the exit status."""
    named = {distribution.name: distribution for distribution in DISTRIBUTIONS}
    parser = argparse.ArgumentParser(
        "release:check", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("distributions", nargs="*", metavar="DISTRIBUTION", help=", ".join(named))
    parser.add_argument("--quick", action="store_true", help="no compiled wheels, no tests")
    parser.add_argument("--keep", type=Path, help="where the files stay")
    options = parser.parse_args(arguments)
    for name in options.distributions:
        if name not in named:
            parser.error(f"no distribution {name!r}: expected one of {', '.join(named)}")
    chosen = [named[name] for name in options.distributions or named]
    with tempfile.TemporaryDirectory(prefix="smolml-release-") as folder:
        work = Path(folder)
        keep = (options.keep or work / "kept").resolve()
        release = Release(chosen, keep, work)
        for place in (release.dist, release.compiled):
            place.mkdir(parents=True)
        for check in QUICKLY if options.quick else QUICKLY + SLOWLY:
            release.stage(check)
        release.say(f"\nFAILED: {', '.join(release.failed)}" if release.failed else "\nall held")
        (keep / "report.md").write_text("\n".join(release.lines) + "\n", "utf-8")
    return int(bool(release.failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
