"""Fixtures: distributions with plugin ops, written to a folder as an installer would."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from smolml_value import ops

Install = Callable[..., Path]


def write_distribution(
    site: Path,
    name: str,
    entries: dict[str, str],
    modules: dict[str, str] | None = None,
    version: str = "1.0",
    metadata: str | None = "",
    group: str = "smolml.ops",
) -> Path:
    """Write modules and a .dist-info with entry points below `site`; the path of the latter."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [f"{entry} = {target}" for entry, target in entries.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
    if metadata is not None:
        text = metadata or f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(text)
    for module, source in (modules or {}).items():
        (site / f"{module}.py").write_text(dedent(source))
    return info


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A function that installs a distribution (see `write_distribution`) for this test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.delenv("SMOLML_DISABLE_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(site))
    known = set(sys.modules)

    def add(
        name: str,
        entries: dict[str, str],
        modules: dict[str, str] | None = None,
        version: str = "1.0",
        metadata: str | None = "",
    ) -> Path:
        info = write_distribution(site, name, entries, modules, version, metadata)
        ops.refresh()
        return info

    yield add
    for module in set(sys.modules) - known:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(site)):
            del sys.modules[module]
    monkeypatch.undo()
    ops.refresh()


SWISH = """
    from smolml_value import elementwise, ops

    swish = elementwise("swish", lambda xp, x: x * ops.sigmoid.on(xp, x))
"""
"""A module with one good op."""


@pytest.fixture
def swish() -> str:
    """The source of a plugin module with the op swish."""
    return SWISH
