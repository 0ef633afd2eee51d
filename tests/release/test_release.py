"""What a release goes by: tags, lower bounds, older versions, pinned actions, the citation."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wheels.contents import DISTRIBUTIONS, ROOT, Distribution

pytest.importorskip("packaging")
if not shutil.which("git"):
    pytest.skip("needs git", allow_module_level=True)
if not (ROOT / "packages").is_dir():
    pytest.skip("the packages are not here", allow_module_level=True)

from packaging.version import Version  # what asks whether it is there stands above

from tests.release.build import build_tag
from tests.release.requirements import lowest, oldest_tag
from tests.release.tag import main, released
from tests.release.workflows import PINNED, WORKFLOWS, check_pins


@dataclass(frozen=True)
class Elsewhere(Distribution):
    """A distribution whose files lie in a folder of a test."""

    root: Path = ROOT

    @property
    def folder(self) -> Path:
        return self.root / "packages" / self.name


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    """smolml-value, released as 0.1.0 and 0.1.1, now 0.2.0, in a repository of its own."""
    made = Elsewhere("smolml-value", root=tmp_path)
    shutil.copytree(
        ROOT / "packages" / made.name, made.folder, ignore=shutil.ignore_patterns("*.so")
    )
    version = made.folder / "src" / "smolml_value" / "_version.py"
    text = version.read_text("utf-8")

    def git(*command: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(
            ["git", "-C", str(tmp_path), *who, *command], check=True, capture_output=True
        )

    git("init", "-q")
    for number in ("0.1.0", "0.1.1", "0.2.0"):
        version.write_text(text.replace(DISTRIBUTIONS[0].version, number), "utf-8")
        git("add", "-A")
        git("commit", "-qm", number)
        if number != "0.2.0":
            git("tag", f"smolml-value-{number}")
    git("tag", "smolml-0.1.0")
    return made


@pytest.mark.parametrize(
    ("bound", "tag"),
    [("0.1", "smolml-value-0.1.0"), ("0.1.1", "smolml-value-0.1.1"), ("0.2", None)],
)
def test_the_oldest_release_that_meets_a_bound(
    elsewhere: Elsewhere, bound: str, tag: str | None
) -> None:
    assert oldest_tag(elsewhere, Version(bound), elsewhere.root) == tag


def test_names_of_other_packages_are_no_versions(elsewhere: Elsewhere) -> None:
    smolml = Elsewhere("smolml", root=elsewhere.root)
    shutil.copytree(ROOT / "packages" / "smolml", smolml.folder)
    assert oldest_tag(smolml, Version("0.0.1"), elsewhere.root) is None  # 0.1.0 is the present one


def test_an_older_version_is_built_from_its_tag(elsewhere: Elsewhere, tmp_path: Path) -> None:
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    out = tmp_path / "out"
    build_tag(elsewhere, "smolml-value-0.1.1", out, elsewhere.root)
    assert {path.name for path in out.iterdir() if path.is_file()} == {
        "smolml_value-0.1.1.tar.gz",
        "smolml_value-0.1.1-py3-none-any.whl",
    }


def test_lower_bounds() -> None:
    bounds = lowest(DISTRIBUTIONS)
    assert bounds["smolml-value"] == Version("0.1")
    assert bounds["numpy"] == Version("2")
    assert bounds["scikit-learn"] == Version("1.5")
    assert set(bounds) == {
        *("matplotlib", "numpy", "resvg-py", "rich", "safetensors", "scikit-learn"),
        *("smolml-array", "smolml-utils", "smolml-value"),
    }


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        ("smolml-tensor-0.1.0", "expected <distribution>-<version>"),
        ("v0.1.0", "expected <distribution>-<version>"),
        ("smolml-value-9.9.9", "says that it is version"),
    ],
)
def test_a_tag_that_releases_nothing_is_refused(tag: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        released(tag)


def test_a_tag_needs_a_section_with_a_date(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.release.tag.DISTRIBUTIONS", (elsewhere,))
    with pytest.raises(ValueError, match=r"needs a section '## 0\.2\.0 \(YYYY-MM-DD\)'"):
        released("smolml-value-0.2.0")
    changes = elsewhere.folder / "CHANGELOG.md"
    changes.write_text("# Changelog\n\n## 0.2.0 (2026-12-24)\n\n- Faster.\n", "utf-8")
    assert released("smolml-value-0.2.0") is elsewhere
    assert main(["smolml-value-0.2.0"]) == 0
    assert capsys.readouterr().out == "distribution=smolml-value\nfiles=smolml_value-0.2.0\n"


def test_actions_are_pinned_by_their_commit() -> None:
    assert WORKFLOWS
    check_pins()
    commit = "3d3c42e5aac5ba805825da76410c181273ba90b1"
    assert PINNED.search(f"- uses: actions/checkout@{commit} # v7.0.1")
    assert not PINNED.search(f"- uses: actions/checkout@{commit}")
    assert not PINNED.search("- uses: actions/checkout@v7 # v7.0.1")


def test_what_is_cited_is_this_version() -> None:
    lines = (ROOT / "CITATION.cff").read_text("utf-8").splitlines()
    rows = dict(line.partition(": ")[::2] for line in lines if not line.startswith(" "))
    smolml = DISTRIBUTIONS[-1]
    assert {"cff-version", "message", "title", "authors:"} <= set(rows)
    assert rows["version"] == smolml.version
    assert rows["license"] == "MIT"
