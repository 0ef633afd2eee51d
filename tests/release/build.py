"""Builds what is released: sdists and pure wheels, twice; compiled wheels; what tags released."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

from tests.wheels.compiled import build_wheel
from tests.wheels.contents import ROOT, Distribution

EPOCH = "1577836800"  # 2020-01-01: the time that everything in an archive gets


def run(*command: str, cwd: Path = ROOT, **environ: str) -> str:
    """Run a command; return what it prints, or raise with that."""
    done = subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def build(folder: Path, out: Path) -> None:
    """The sdist of a package, and from that its pure wheel."""
    command = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(folder))
    run(*command, SOURCE_DATE_EPOCH=EPOCH, HATCH_BUILD_HOOKS_ENABLE="")


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a folder by its name."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def build_twice(distributions: Iterable[Distribution], dist: Path, work: Path) -> dict[str, str]:
    """Build here, and from a copy elsewhere, of other times: the bytes must be the same."""
    again, elsewhere = work / "again", work / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(ROOT / ".gitignore", elsewhere / ".gitignore")  # it goes into every sdist
    for distribution in distributions:
        build(distribution.folder, dist)
        copy = elsewhere / "packages" / distribution.name
        ignored = shutil.ignore_patterns("__pycache__", "*.so", ".*")
        shutil.copytree(distribution.folder, copy, ignore=ignored, copy_function=shutil.copyfile)
        build(copy, again)
    first, second = digests(dist), digests(again)
    assert first == second, f"two builds differ: {dict(first.items() ^ second.items())}"
    return first


def interpreters() -> dict[str, str]:
    """The Pythons that are supported and to be had here, by version: on PATH or of pyenv."""
    found: dict[str, str] = {}
    for version in ("3.11", "3.12", "3.13", "3.14"):
        there = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        for path in filter(None, (shutil.which(f"python{version}"), *map(str, reversed(there)))):
            program = "import sys, venv, pip; print('%d.%d' % sys.version_info[:2])"
            done = subprocess.run(
                [path, "-c", program], check=False, capture_output=True, text=True
            )
            if done.stdout.strip() == version:
                found[version] = path
                break
    return found


def build_compiled(dist: Path, out: Path, python: str) -> Path:
    """The compiled wheel for a Python; on Linux with the tag of the oldest glibc it runs on."""
    out.mkdir(parents=True)
    wheel = build_wheel(dist, out, python)
    if not sys.platform.startswith("linux"):
        return wheel
    repaired = out / "repaired"
    run(sys.executable, "-m", "auditwheel", "repair", f"--wheel-dir={repaired}", str(wheel))
    (wheel,) = repaired.glob("*.whl")
    assert "manylinux" in wheel.name, wheel.name
    return wheel


def build_tag(distribution: Distribution, tag: str, out: Path, repository: Path = ROOT) -> None:
    """The sdist and the wheel of a version that was released, from its tag."""
    archive = subprocess.run(
        ["git", "-C", str(repository), "archive", tag, f"packages/{distribution.name}"],
        check=True,
        capture_output=True,
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(out / "source", filter="data")
    build(out / "source" / "packages" / distribution.name, out)
