"""What must be inside the built wheels and sdists: files, metadata, licence, entry points."""

from __future__ import annotations

import re
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Distribution:
    """A package of this repository and the requirements that its metadata must state."""

    name: str
    requires: frozenset[str] = frozenset()
    entry_points: str = ""

    @property
    def package(self) -> str:
        """The import name."""
        return self.name.replace("-", "_")

    @property
    def folder(self) -> Path:
        """Where its pyproject.toml lies."""
        return ROOT / "packages" / self.name

    @property
    def version(self) -> str:
        """The version that the source states."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))
        path = self.folder / project["tool"]["hatch"]["version"]["path"]
        text = path.read_text(encoding="utf-8")
        match = re.search(r'^__version__(?:: \w+)? = "(.+)"$', text, re.MULTILINE)
        assert match, f"{self.name}: no __version__"
        return match[1]

    def wheel(self, dist: Path) -> Path:
        """The pure wheel of the present version."""
        return _only(dist, f"{self.package}-{self.version}-py3-none-any.whl")

    def sdist(self, dist: Path) -> Path:
        """The sdist of the present version."""
        return _only(dist, f"{self.package}-{self.version}.tar.gz")

    def sources(self) -> set[str]:
        """The files of the package, relative to ``src``."""
        src = self.folder / "src"
        return {
            path.relative_to(src).as_posix()
            for path in src.rglob("*")
            if path.is_file()
            and path.suffix != ".so"
            and not any(
                p == "__pycache__" or p.startswith(".") for p in path.relative_to(src).parts
            )
        }


DISTRIBUTIONS = (
    Distribution("smolml-value", frozenset({"resvg-py>=0.5; extra == 'png'"})),
    Distribution(
        "smolml-array",
        frozenset({"smolml-value<0.2,>=0.1", "numpy>=2; extra == 'numpy'"}),
        "[smolml.backends]\n"
        "numpy = smolml_array.backends.numpy:BACKEND\n"
        "pure = smolml_array.backends.pure:BACKEND\n\n"
        "[smolml.kinds]\nmlarray = smolml_array._derivatives.kinds:kinds",
    ),
    Distribution(
        "smolml-utils",
        frozenset(
            {
                "smolml-array<0.2,>=0.1",
                "smolml-value<0.2,>=0.1",
                "safetensors>=0.4; extra == 'safetensors'",
            }
        ),
    ),
    Distribution(
        "smolml",
        frozenset(
            {
                "smolml-value<0.2,>=0.1",
                "smolml-array<0.2,>=0.1",
                "smolml-utils<0.2,>=0.1",
                "numpy>=2",
                "rich>=13",
                "matplotlib>=3.8; extra == 'demo'",
                "matplotlib>=3.8; extra == 'plot'",
                "safetensors>=0.4; extra == 'safetensors'",
                "scikit-learn>=1.5; extra == 'demo'",
            }
        ),
        "[console_scripts]\nsmolml = smolml.cli:main",
    ),
)


def _only(dist: Path, name: str) -> Path:
    path = dist / name
    assert path.is_file(), f"{path} is missing: build it with `hatch run build {dist}`"
    return path


def _same(what: str, got: object, expected: object) -> None:
    assert got == expected, f"{what}: got {got!r}, expected {expected!r}"


def _same_names(what: str, got: set[str], expected: set[str]) -> None:
    missing, extra = sorted(expected - got), sorted(got - expected)
    assert not missing + extra, f"{what}: missing {missing}, not expected {extra}"


def _check_metadata(distribution: Distribution, metadata: Message) -> None:
    name = distribution.name
    _same(f"{name} Name", metadata["Name"], name)
    _same(f"{name} Version", metadata["Version"], distribution.version)
    _same(f"{name} Requires-Python", metadata["Requires-Python"], ">=3.11")
    _same(f"{name} License-Expression", metadata["License-Expression"], "MIT")
    _same(f"{name} License-File", metadata["License-File"], "LICENSE")
    _same(f"{name} content type", metadata["Description-Content-Type"], "text/markdown")
    _same_names(
        f"{name} Requires-Dist",
        {r.replace('"', "'") for r in metadata.get_all("Requires-Dist", [])},
        set(distribution.requires),
    )
    assert metadata["Summary"], f"{name}: no summary"
    readme = (distribution.folder / "README.md").read_text(encoding="utf-8")
    assert readme.strip() in str(metadata.get_payload()), f"{name}: the README is not in METADATA"


def check_wheel(distribution: Distribution, dist: Path) -> None:
    """The wheel holds every source file and nothing else, the licence and right metadata."""
    info = f"{distribution.package}-{distribution.version}.dist-info"
    with zipfile.ZipFile(distribution.wheel(dist)) as wheel:
        assert wheel.testzip() is None, f"{wheel.filename} is damaged"
        names = set(wheel.namelist())
        own = {f"{info}/{n}" for n in ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE")}
        if distribution.entry_points:
            own.add(f"{info}/entry_points.txt")
        _same_names(f"{distribution.name} wheel files", names, distribution.sources() | own)
        assert f"{distribution.package}/py.typed" in names, f"{distribution.name}: no py.typed"
        if distribution.entry_points:
            entry_points = wheel.read(f"{info}/entry_points.txt").decode().strip()
            _same(f"{distribution.name} entry points", entry_points, distribution.entry_points)
        metadata = wheel.read(f"{info}/METADATA").decode()
        _check_metadata(distribution, Parser().parsestr(metadata))
        licence = wheel.read(f"{info}/licenses/LICENSE").decode()
        _same(f"{distribution.name} LICENSE", licence, (ROOT / "LICENSE").read_text())


def check_sdist(distribution: Distribution, dist: Path) -> None:
    """The sdist holds the sources and what a packager needs."""
    top = f"{distribution.package}-{distribution.version}"
    with tarfile.open(distribution.sdist(dist)) as sdist:
        names = {member.name.removeprefix(f"{top}/") for member in sdist if member.isfile()}
    expected = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO"}
    expected |= {f"src/{name}" for name in distribution.sources()}
    if distribution.name == "smolml-value":
        compiling = distribution.folder / "compiling"
        expected |= {f"compiling/{path.name}" for path in compiling.iterdir() if path.is_file()}
    _same_names(f"{distribution.name} sdist files", names - {".gitignore"}, expected)
