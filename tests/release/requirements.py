"""The lowest versions that the packages allow of each other, and of what others make."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from tests.release.build import run
from tests.wheels.contents import ROOT, Distribution


def requirements(distribution: Distribution) -> list[Requirement]:
    """All that its pyproject.toml names, the extras', too."""
    text = (distribution.folder / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    extras = project.get("optional-dependencies", {}).values()
    return [Requirement(r) for group in (project["dependencies"], *extras) for r in group]


def lowest(distributions: Iterable[Distribution]) -> dict[str, Version]:
    """Name -> the highest of the lower bounds, which is the lowest version that all allow."""
    bounds: dict[str, Version] = {}
    for distribution in distributions:
        for requirement in requirements(distribution):
            lower = [s.version for s in requirement.specifier if s.operator == ">="]
            assert len(lower) == 1, f"{distribution.name}: {requirement} needs one lower bound"
            bound = Version(lower[0])
            bounds[requirement.name] = max(bound, bounds.get(requirement.name, bound))
    return bounds


def oldest_tag(distribution: Distribution, bound: Version, repository: Path = ROOT) -> str | None:
    """The tag of the oldest release that meets a bound; None if this one is the first."""
    tags: dict[Version, str] = {}
    for tag in run("git", "-C", str(repository), "tag", "--list", f"{distribution.name}-*").split():
        try:
            tags[Version(tag.removeprefix(f"{distribution.name}-"))] = tag
        except InvalidVersion:  # "smolml-*" finds those of smolml-value, too
            continue
    older = [version for version in tags if bound <= version < Version(distribution.version)]
    return tags[min(older)] if older else None
