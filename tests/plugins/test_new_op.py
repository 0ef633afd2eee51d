"""`smolml new-op`: what it writes is clean, builds, installs, and passes its own tests."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.building import ROOT, build_wheel, execute, install, run, smolml

PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]


@pytest.fixture
def project(site: Path, tmp_path: Path) -> Path:
    """A package with the op soft_step, as the command wrote it."""
    done = smolml("new-op", "soft_step", "--directory", str(tmp_path / "mine"), paths=[site])
    assert done.returncode == 0, done.stderr
    assert "smolml check soft_step" in done.stdout
    return tmp_path / "mine"


def test_it_is_ready_to_install_and_to_test(project: Path, site: Path, tmp_path: Path) -> None:
    files = {str(p.relative_to(project)) for p in project.rglob("*") if p.is_file()}
    assert files == {
        "README.md",
        "pyproject.toml",
        "src/smolml_soft_step/__init__.py",
        "src/smolml_soft_step/py.typed",
        "tests/test_soft_step.py",
    }
    installed = install(tmp_path / "installed", build_wheel(project, tmp_path))
    assert (installed / "smolml_soft_step" / "py.typed").is_file()
    tested = execute(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(project)], installed, site
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3 passed" in tested.stdout
    assert smolml("check", "soft_step", paths=[installed, site]).returncode == 0
    readme = run(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\nfrom tests.docs.markdown import blocks\n"
        f"(block,) = [b for b in blocks(Path({str(project / 'README.md')!r}).read_text())"
        " if b.language == 'python']\nexec(block.text)",
        installed,
        site,
    )
    assert [round(float(x), 6) for x in readme.split()] == [0.462117, 0.786448]


def test_a_rule_made_wrong_is_refused_by_its_tests(
    project: Path, site: Path, tmp_path: Path
) -> None:
    source = project / "src" / "smolml_soft_step" / "__init__.py"
    text = source.read_text()
    source.write_text(text.replace("alpha * (1 - out * out)", "1 - out * out"))
    assert source.read_text() != text
    installed = install(tmp_path / "installed", build_wheel(project, tmp_path))
    tested = execute(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(project)], installed, site
    )
    assert tested.returncode == 1
    # alpha is 1 by default, where the wrong rule is right; the other test sees it
    assert "test_they_are_right_for_another_parameter" in tested.stdout
    assert "off by a factor of 2" in tested.stdout


def test_it_is_clean(project: Path, site: Path) -> None:
    pytest.importorskip("mypy")
    style = ["--isolated", "--line-length", "100"]  # not this repository's
    rules = "A,ANN,B,C4,E,F,I,N,PIE,PT,RET,RUF,SIM,UP,W"
    checks = [
        ["ruff", "check", *style, "--target-version", "py311", "--select", rules, "."],
        ["ruff", "format", "--check", *style, "."],
        ["mypy", "--strict", "--config-file", os.devnull, "src"],
    ]
    for check in checks:
        done = subprocess.run(
            [sys.executable, "-m", *check],
            capture_output=True,
            text=True,
            check=False,
            cwd=project,
            env={**os.environ, "MYPYPATH": str(site)},
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_overwrites_nothing_unasked(project: Path, site: Path) -> None:
    readme = project / "README.md"
    readme.write_text("my own words")
    again = ["new-op", "soft_step", "--directory", str(project)]
    refused = smolml(*again, paths=[site])
    assert refused.returncode == 1
    assert "README.md" in refused.stderr
    assert "--force" in refused.stderr
    assert readme.read_text() == "my own words"
    assert smolml(*again, "--force", paths=[site]).returncode == 0
    assert readme.read_text() != "my own words"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("yes", 0)])
def test_on_a_terminal_it_asks(answer: str, code: int, project: Path, site: Path) -> None:
    readme = project / "README.md"
    readme.write_text("my own words")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "smolml", "new-op", "soft_step", "--directory", str(project)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    ) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while chunk := os.read(ours, 4096):
                shown += chunk
        os.close(ours)
    assert b"README.md" in shown
    assert b"Overwrite? [y/N]" in shown
    assert process.returncode == code
    assert (readme.read_text() == "my own words") == (code == 1)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tanh", "belongs to a built-in op"),
        ("lambda", "is a keyword"),
        ("1st", "expected lower-case letters"),
        ("soft-step", "expected lower-case letters"),
        ("_hidden", "expected lower-case letters"),
        ("../escape", "expected lower-case letters"),
    ],
)
def test_bad_names(name: str, reason: str, site: Path, tmp_path: Path) -> None:
    done = smolml("new-op", name, "--directory", str(tmp_path / "mine"), paths=[site])
    assert done.returncode == 2
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "mine").exists()


def test_where_nothing_can_be_written(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = smolml("new-op", "mine", "--directory", str(tmp_path / "file" / "x"), paths=[site])
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_directory_is_named_after_the_op(site: Path, tmp_path: Path) -> None:
    done = execute(["-m", "smolml", "new-op", "soft_step"], tmp_path, site)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "smolml-soft-step" / "pyproject.toml").is_file()
