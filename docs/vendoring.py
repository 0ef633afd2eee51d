"""What the site needs to run Python in the page: Pyodide from npm, and wheels of our packages.

Pyodide is one package of the npm registry, pinned here and checked by its hash; it is kept in a
cache outside the tree and copied into the built site, so that readers ask no other host. The tests
of the site take axe-core in the same way.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
REGISTRY: Final = "https://registry.npmjs.org"
FILES: Final = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
PACKAGES: Final = ("smolml-value", "smolml-array", "smolml-utils", "smolml")
PYTHON: Final = ("session.py", "pictures.py")  # of docs/


class VendoringError(Exception):
    """What is wanted of npm cannot be had."""


class Package(NamedTuple):
    """One package of npm, pinned.

    Attributes:
        title: what it is called.
        name: what npm calls it.
        version: the one that is taken.
        sha512: of its archive, in base 64.
        variable: of the environment; it may name a file that is taken instead.
        purpose: what it is for, and what to do without it.
    """

    title: str
    name: str
    version: str
    sha512: str
    variable: str
    purpose: str

    @property
    def url(self) -> str:
        """Where npm has its archive."""
        return f"{REGISTRY}/{self.name}/-/{self.name}-{self.version}.tgz"


PYODIDE: Final = Package(
    "Pyodide",
    "pyodide",
    "314.0.7",
    "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A==",
    "SMOLML_PYODIDE",
    "It runs Python in the pages; SMOLML_PYODIDE=none builds the site without it",
)
AXE: Final = Package(
    "axe-core",
    "axe-core",
    "4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    "SMOLML_AXE",
    "The tests of the site look with it for what hinders readers; it is no part of the site",
)


def wanted() -> bool:
    """Whether the site is built with Python in its pages: not with SMOLML_PYODIDE=none."""
    return os.environ.get(PYODIDE.variable) != "none"


def put_into(folder: Path) -> None:
    """Write Pyodide, the wheels and our Python files there, and parts.json, which names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files(PYODIDE, *FILES).items():
        (folder / name).write_bytes(content)
    for old in folder.glob("*.whl"):
        old.unlink()
    for name, content in built_wheels().items():
        (folder / name).write_bytes(content)
    wheels = [*built_wheels()]
    for name in PYTHON:
        shutil.copyfile(ROOT / "docs" / name, folder / name)
    counted = [*(name for name in FILES if not name.endswith(".mjs")), *wheels, *PYTHON]
    parts = {
        "wheels": wheels,
        "files": list(PYTHON),
        "bytes": sum((folder / name).stat().st_size for name in counted),
    }
    (folder / "parts.json").write_text(json.dumps(parts))


def files(package: Package, *names: str) -> dict[str, bytes]:
    """What stands in these files of a package."""
    found = {}
    with tarfile.open(archive(package)) as tar:
        for name in names:
            member = tar.extractfile(f"package/{name}")
            assert member is not None
            found[name] = member.read()
    return found


def archive(package: Package = PYODIDE) -> Path:
    """Its archive: the file that its variable names, else the cache's, else npm's."""
    given = os.environ.get(package.variable)
    if given:
        return _checked(Path(given), package)
    cached = kept() / f"{package.name}-{package.version}.tgz"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        try:
            with urllib.request.urlopen(package.url, timeout=120) as response:
                content = response.read()
        except (urllib.error.URLError, OSError) as error:
            raise VendoringError(
                f"docs: {package.title} {package.version} cannot be fetched from {package.url} "
                f"({error}). Without a network, let {package.variable} name the file of `npm pack "
                f"{package.name}@{package.version}`. {package.purpose}"
            ) from error
        part = cached.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(content)
        _checked(part, package).replace(cached)
    return _checked(cached, package)


def kept() -> Path:
    """Where it is kept: SMOLML_CACHE, else in the user's cache."""
    own = os.environ.get("SMOLML_CACHE")
    users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(users) / "smolml-docs"


def _checked(path: Path, package: Package) -> Path:
    if not path.is_file():
        raise VendoringError(
            f"docs: {package.variable} names {path}, where no file is; expected that of "
            f"`npm pack {package.name}@{package.version}`. {package.purpose}"
        )
    found = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if found != package.sha512:
        raise VendoringError(
            f"docs: {path} is not {package.title} {package.version}: its sha512 is {found}, "
            f"expected {package.sha512}; remove it, and build again"
        )
    return path


@cache
def built_wheels() -> dict[str, bytes]:
    """The wheels of our packages by name, built by the hatchling that is installed."""
    wheels = {}
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as made:
            subprocess.run(
                [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made],
                cwd=ROOT / "packages" / package,
                check=True,
                capture_output=True,
            )
            (wheel,) = Path(made).glob("*.whl")
            wheels[wheel.name] = wheel.read_bytes()
    return wheels
