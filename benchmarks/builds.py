"""Two builds of smolml-value from the working tree, interpreted and compiled, in one process."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

PACKAGE = Path(__file__).parents[1] / "packages" / "smolml-value"
KINDS = ("interpreted", "compiled")


def build(kind: str, keep: Path | None = None) -> Path:
    """A folder to put on sys.path; in `keep` it is found again while the source is the same.

    Raises:
        RuntimeError: the build failed (for "compiled", a C compiler is needed).
    """
    root = keep or Path(tempfile.mkdtemp(prefix="smolml-builds-"))
    folder = root / f"{kind}-{_digest()}"
    if folder.is_dir():
        return folder
    print(f"building smolml-value, {kind} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as out:
        # without --wheel the wheel is built from an sdist, in a folder of its own
        done = subprocess.run(
            [sys.executable, "-m", "build", "--outdir", out, str(PACKAGE)],
            env=os.environ | {"HATCH_BUILD_HOOKS_ENABLE": "1" if kind == "compiled" else "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"building smolml-value ({kind}) failed:\n{done.stdout[-3000:]}")
        (wheel,) = Path(out).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def _digest() -> str:
    files = [*PACKAGE.glob("src/**/*.py"), *PACKAGE.glob("compiling/*"), PACKAGE / "pyproject.toml"]
    text = b"".join(path.read_bytes() for path in sorted(files) if path.is_file())
    return hashlib.sha256(text + sys.version.encode()).hexdigest()[:12]


def load(kind: str, folder: Path) -> SimpleNamespace:
    """What the benchmarks use of one build: Value, fused and the package itself.

    The modules are taken out of sys.modules afterwards, so that the other build can be loaded
    beside this one; what was imported from them goes on working.
    """
    _forget()
    sys.path.insert(0, str(folder))
    try:
        package = importlib.import_module("smolml_value")
        fused = importlib.import_module("smolml_value.fused")
    finally:
        sys.path.remove(str(folder))
        _forget()
    if not str(package.__file__).startswith(str(folder)):
        raise RuntimeError(f"smolml_value was loaded from {package.__file__}, not from {folder}")
    if (kind == "compiled") != package.COMPILED:
        raise RuntimeError(f"the {kind} build says COMPILED = {package.COMPILED}")
    return SimpleNamespace(Value=package.Value, fused=fused, package=package)


def _forget() -> None:
    for name in [m for m in sys.modules if m.partition(".")[0] == "smolml_value"]:
        del sys.modules[name]
