"""Wheels that are built once for all plugin tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.building import PACKAGES, SPECIAL, build_wheel, install


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels of SmolML's packages."""
    pytest.importorskip("hatchling", reason="wheels are built with hatchling")
    out = tmp_path_factory.mktemp("wheels")
    return [build_wheel(package, out) for package in PACKAGES]


@pytest.fixture(scope="session")
def special_wheel(wheels: list[Path]) -> Path:
    """The wheel of the example plugin."""
    return build_wheel(SPECIAL, wheels[0].parent)


@pytest.fixture(scope="session")
def site(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with SmolML's packages installed, and no plugin."""
    return install(tmp_path_factory.mktemp("site"), *wheels)


@pytest.fixture(scope="session")
def special(special_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example plugin installed."""
    pytest.importorskip("scipy", reason="the example plugin is built on it")
    return install(tmp_path_factory.mktemp("special"), special_wheel)
