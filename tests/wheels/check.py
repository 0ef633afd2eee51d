"""Tries the built wheels as users meet them: each alone, in a fresh environment.

``python -m tests.wheels.check DIST``; exit status 0 means that everything held.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.wheels.contents import DISTRIBUTIONS, check_sdist, check_wheel
from tests.wheels.environment import Environment

VALUE, ARRAY, UTILS, SMOLML = DISTRIBUTIONS
TOOLS = ("pytest>=8.2", "pytest-xdist>=3.6", "hypothesis>=6.100", "mpmath>=1.3")
MORE_TOOLS = ("build>=1.2", "hatchling>=1.27", "mypy>=2.4,<2.5", "ruff>=0.17,<0.18")

# What `import smolml_value` must not pay for: each takes longer to load than all of ours.
SLOW_MODULES = {
    "dataclasses",
    "inspect",
    "typing_extensions",
    "ast",
    "asyncio",
    "importlib.metadata",
}


def check_contents(dist: Path, work: Path) -> None:
    """Files, metadata, licence and entry points of every wheel and sdist."""
    for distribution in DISTRIBUTIONS:
        check_wheel(distribution, dist)
        check_sdist(distribution, dist)
        print(f"{distribution.name} {distribution.version}: wheel and sdist are right")


def _run_readme(env: Environment, name: str) -> None:
    program = (
        "from pathlib import Path; from tests.docs.markdown import run_file\n"
        f"print('README blocks that ran:', run_file(Path('packages/{name}/README.md')))"
    )
    print(env.python(program).stdout.strip())


def _report_import_time(env: Environment, module: str) -> set[str]:
    """Print what importing a module costs; return the names of the modules it loads."""
    log = env.python(f"import {module}", "-X", "importtime").stderr.splitlines()
    rows = [line.removeprefix("import time:").split("|") for line in log if "|" in line][1:]
    total = next(int(row[1]) for row in rows if row[2].strip() == module)
    print(f"import {module}: {total / 1000:.1f} ms; the dearest modules of it:")
    loaded = env.python(
        f"import sys; before = set(sys.modules); import {module}\n"
        "print(*sorted(set(sys.modules) - before))"
    ).stdout.split()
    dearest = sorted((r for r in rows if r[2].strip() in loaded), key=lambda row: -int(row[0]))
    for own, _, name in dearest[:6]:
        print(f"  {int(own) / 1000:6.1f} ms  {name.strip()}")
    return set(loaded)


def check_value(dist: Path, work: Path) -> None:
    """smolml-value alone: nothing else is installed, it loads quickly, its tests pass."""
    env = Environment(work / "value")
    env.install(str(VALUE.wheel(dist)), index=False)
    assert env.distributions() == {"smolml-value"}, env.distributions()
    loaded = _report_import_time(env, "smolml_value")
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert foreign == {"smolml_value"}, f"import smolml_value loads {foreign}"
    slow = loaded & SLOW_MODULES
    assert not slow, f"import smolml_value loads {sorted(slow)}, which are slow to load"
    _run_readme(env, "smolml-value")
    env.install(*TOOLS)
    env.pytest("tests/value", "tests/architecture", "tests/docs")


def check_array(dist: Path, work: Path) -> None:
    """smolml-array alone: works without NumPy, then with it."""
    env = Environment(work / "array")
    env.install(str(ARRAY.wheel(dist)), f"--find-links={dist}", index=False)
    assert env.distributions() == {"smolml-value", "smolml-array"}, env.distributions()
    env.assert_installed_from(VALUE.wheel(dist))
    _report_import_time(env, "smolml_array")
    _run_readme(env, "smolml-array")
    env.install(*TOOLS)
    assert "numpy" not in env.distributions()
    env.pytest("tests/array", "tests/architecture", "tests/docs")
    env.install(f"{ARRAY.wheel(dist)}[numpy]", f"--find-links={dist}")
    assert "numpy" in env.distributions()
    env.pytest("tests/array", "-k", "numpy")


def check_utils(dist: Path, work: Path) -> None:
    """smolml-utils alone: no NumPy needed either."""
    env = Environment(work / "utils")
    env.install(str(UTILS.wheel(dist)), f"--find-links={dist}", index=False)
    expected = {"smolml-value", "smolml-array", "smolml-utils"}
    assert env.distributions() == expected, env.distributions()
    _run_readme(env, "smolml-utils")


def check_smolml(dist: Path, work: Path) -> None:
    """smolml: everything in one import, the command, the demo; then what was not tested yet."""
    env = Environment(work / "smolml")
    env.install(str(SMOLML.wheel(dist)), f"--find-links={dist}")
    for distribution in DISTRIBUTIONS:
        env.assert_installed_from(distribution.wheel(dist))
    _report_import_time(env, "smolml")
    env.python("import smolml; [getattr(smolml, name) for name in smolml.__all__]")
    version = env.capture("smolml", "version").stdout
    assert SMOLML.version in version, version
    ops = env.capture("smolml", "ops").stdout
    assert "tanh" in ops, ops
    print(version.strip(), f"({len(ops.splitlines())} lines of ops)")
    _run_readme(env, "smolml")

    refused = env.capture("smolml", "demo", "digits", cwd=work, expect=None)
    assert refused.returncode != 0, refused
    assert "smolml[demo]" in refused.stderr, refused
    assert "Traceback" not in refused.stderr, refused
    extras = "demo,safetensors"
    env.install(f"{SMOLML.wheel(dist)}[{extras}]", f"--find-links={dist}", *TOOLS, *MORE_TOOLS)
    env.capture("smolml", "demo", "digits", "--epochs=1", f"--out={work / 'digits.png'}")
    assert (work / "digits.png").stat().st_size > 1000
    # the tests of these have passed above, on the same wheels
    passed = ("value", "array", "architecture")
    env.pytest("tests", *(f"--ignore=tests/{folder}" for folder in passed))


STAGES: tuple[Callable[[Path, Path], None], ...] = (
    check_contents,
    check_value,
    check_array,
    check_utils,
    check_smolml,
)


def main(arguments: list[str]) -> int:
    """Run every stage; return the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m tests.wheels.check DIST (a folder of built wheels and sdists)")
        return 2
    dist, begin = Path(arguments[0]).resolve(), time.monotonic()
    failures = []
    with tempfile.TemporaryDirectory(prefix="smolml-wheels-") as work:
        for stage in STAGES:
            print(f"\n-- [{time.monotonic() - begin:5.1f} s] {stage.__doc__}", flush=True)
            try:
                stage(dist, Path(work))
            except (AssertionError, subprocess.SubprocessError) as error:
                failures.append(stage.__name__)
                print(f"{stage.__name__} FAILED: {error}")
    print(f"\n-- [{time.monotonic() - begin:5.1f} s]", end=" ")
    print(f"FAILED: {', '.join(failures)}" if failures else "the wheels are good")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
