"""A fresh virtual environment in which built wheels are tried."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Environment:
    """An empty environment: no pip, no setuptools, nothing of this repository on its path."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        options = ["--without-pip", *(["--symlinks"] if os.name != "nt" else [])]
        subprocess.run([python, "-m", "venv", *options, str(folder)], check=True, timeout=300)
        scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python_path = scripts / "python"
        self._environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        self._environ["PATH"] = os.pathsep.join([str(scripts), self._environ["PATH"]])
        self._environ["NO_COLOR"] = "1"
        # what a property needs to be found wrong has been tried on the working tree
        self._environ.setdefault("HYPOTHESIS_PROFILE", "brief")
        # pip compiles what it installs; the tests of the working tree leave nothing in it.
        self._pip_environ = dict(self._environ)
        self._environ["PYTHONDONTWRITEBYTECODE"] = "1"

    def install(self, *requirements: str, index: bool = True) -> None:
        """Install requirements; without `index`, from the given wheels and links alone."""
        command = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
        command += ["--python", str(self.python_path), "install"]
        if not index:
            command.append("--no-index")
        subprocess.run(
            [*command, *requirements],
            check=True,
            env=self._pip_environ,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *command: str, timeout: float = 1200) -> None:
        """Run a command in the repository's root; its output is shown."""
        subprocess.run(
            command,
            check=True,
            cwd=ROOT,
            env=self._environ,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    def capture(
        self, *command: str, cwd: Path = ROOT, expect: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return its result; `expect` is the exit status it must have."""
        done = subprocess.run(
            command,
            check=False,
            cwd=cwd,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=600,
            stdin=subprocess.DEVNULL,
        )
        if expect is not None:
            assert done.returncode == expect, f"{command}: {done.stdout}{done.stderr}"
        return done

    def python(self, program: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program and return its result."""
        return self.capture(str(self.python_path), *options, "-c", program)

    def pytest(self, *arguments: str) -> None:
        """Run tests of this repository on what is installed here."""
        options = ["-q", "-p", "no:cacheprovider", "-n", "auto", "--dist", "worksteal"]
        self.run(str(self.python_path), "-m", "pytest", *options, *arguments)

    def distributions(self) -> set[str]:
        """The names of what is installed."""
        program = (
            "import importlib.metadata as m, json\n"
            "print(json.dumps([d.metadata['Name'] for d in m.distributions()]))"
        )
        return set(json.loads(self.python(program, "-I").stdout))

    def assert_installed_from(self, wheel: Path) -> None:
        """Fail unless the package here is byte for byte that of `wheel`, not one of an index."""
        base = self.python("import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(".py"):
                    assert (Path(base) / name).read_bytes() == archive.read(name), name
