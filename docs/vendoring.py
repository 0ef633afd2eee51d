"""What the site needs to run Python in the page: Pyodide from npm, and wheels of our packages.

Pyodide is one package of the npm registry, pinned here and checked by its hash; it is kept in a
cache outside the tree and copied into the built site, so that readers ask no other host.
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
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
VERSION: Final = "314.0.7"
SHA512: Final = (
    "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
)
URL: Final = f"https://registry.npmjs.org/pyodide/-/pyodide-{VERSION}.tgz"
FILES: Final = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
PACKAGES: Final = ("smolml-value", "smolml-array", "smolml-utils", "smolml")
PYTHON: Final = ("session.py", "pictures.py")  # of docs/
VARIABLE: Final = "SMOLML_PYODIDE"


class VendoringError(Exception):
    """The build cannot get what the page needs."""


def wanted() -> bool:
    """Whether the site is built with Python in its pages: not with SMOLML_PYODIDE=none."""
    return os.environ.get(VARIABLE) != "none"


def put_into(folder: Path) -> None:
    """Write Pyodide, the wheels and our Python files there, and parts.json, which names them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive()) as tar:
        for name in FILES:
            member = tar.extractfile(f"package/{name}")
            assert member is not None
            (folder / name).write_bytes(member.read())
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


def archive() -> Path:
    """Pyodide's archive: the file that SMOLML_PYODIDE names, else the cache's, else npm's."""
    given = os.environ.get(VARIABLE)
    if given:
        return _checked(Path(given))
    cached = kept() / f"pyodide-{VERSION}.tgz"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        try:
            with urllib.request.urlopen(URL, timeout=120) as response:
                content = response.read()
        except (urllib.error.URLError, OSError) as error:
            raise VendoringError(
                f"docs: Pyodide {VERSION} cannot be fetched from {URL} ({error}). It runs Python "
                f"in the pages. Without a network, let {VARIABLE} name the file of `npm pack "
                f"pyodide@{VERSION}`, or build the site without it: {VARIABLE}=none"
            ) from error
        part = cached.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(content)
        _checked(part).replace(cached)
    return _checked(cached)


def kept() -> Path:
    """Where it is kept: SMOLML_CACHE, else in the user's cache."""
    own = os.environ.get("SMOLML_CACHE")
    users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(users) / "smolml-docs"


def _checked(path: Path) -> Path:
    if not path.is_file():
        raise VendoringError(
            f"docs: {VARIABLE} names {path}, where no file is; expected that of "
            f"`npm pack pyodide@{VERSION}`, or none to build the site without Python in its pages"
        )
    found = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if found != SHA512:
        raise VendoringError(
            f"docs: {path} is not Pyodide {VERSION}: its sha512 is {found}, expected {SHA512}; "
            "remove it, and build again"
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
