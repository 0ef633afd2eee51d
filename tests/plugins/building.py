"""Wheels for the tests: built from projects, or written for plugins that misbehave; and a Python
process that has some of them installed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "packages" / f"smolml{suffix}" for suffix in ("-value", "-array", "-utils", "")]
SPECIAL = ROOT / "examples" / "smolml-special"


def build_wheel(project: Path, out: Path) -> Path:
    """Build a project's wheel with the back end that its pyproject.toml names, hatchling."""
    program = f"from hatchling.build import build_wheel; print(build_wheel({str(out)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out / done.stdout.splitlines()[-1]


def write_wheel(
    folder: Path,
    name: str,
    modules: Mapping[str, str],
    entry_points: Mapping[str, str],
    version: str = "1.0",
    metadata: str | None = None,
) -> Path:
    """Write a wheel of pure Python by hand: files, metadata, entry points of smolml.ops, record."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    points = "".join(f"{op} = {value}\n" for op, value in entry_points.items())
    files = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        if metadata is None
        else metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[smolml.ops]\n{points}",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text.encode())}\n"
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return wheel


def install(target: Path, *wheels: Path) -> Path:
    """Unpack wheels of pure Python into a folder, which is what installing them there means."""
    target.mkdir(parents=True, exist_ok=True)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    return target


def execute(
    arguments: Sequence[str], *paths: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python with these folders in front of everything that is installed."""
    inherited = os.environ.get("PYTHONPATH", "")
    search = os.pathsep.join([*map(str, paths), *([inherited] if inherited else [])])
    variables = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SMOLML_")},
        "PYTHONPATH": search,
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
        "COLUMNS": "100",
        **(env or {}),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=variables,
        stdin=subprocess.DEVNULL,
        cwd=paths[0] if paths else None,
    )


def run(program: str, *paths: Path, env: Mapping[str, str] | None = None) -> str:
    """What a program prints that runs with these folders installed."""
    done = execute(["-c", program], *paths, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def smolml(*arguments: str, paths: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Run the `smolml` command with these folders installed."""
    return execute(["-m", "smolml", *arguments], *paths)
