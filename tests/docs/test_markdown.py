"""Every Python block of the READMEs and the guides runs and prints what the page says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.markdown import Outcome, OutputError, blocks, run, run_file

ROOT = Path(__file__).parents[2]
PACKAGE_READMES = sorted(ROOT.glob("packages/*/README.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("path", PACKAGE_READMES, ids=lambda path: path.parent.name)
def test_package_readme(path: Path) -> None:
    pytest.importorskip(path.parent.name.replace("-", "_"))
    outcome = run_file(path)
    assert outcome.count > 0
    _skip_if_left_out(outcome)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("smolml")
    monkeypatch.chdir(tmp_path)  # a page may write files
    from docs import pictures  # it needs the package
    from smolml import ops
    from smolml_array.extending import backends

    for plugins in (ops, backends):  # and register what other tests must not see
        monkeypatch.setattr(plugins, "_registered", dict(plugins._registered))

    _skip_if_left_out(run_file(path, pictures))


def _skip_if_left_out(outcome: Outcome) -> None:
    """All the others ran and were right; name the blocks that need what is not installed."""
    if outcome.left_out:
        pytest.skip("; ".join(outcome.left_out))


@pytest.mark.parametrize(
    "path", [*PAGES, *PACKAGE_READMES], ids=lambda path: str(path.relative_to(ROOT))
)
def test_relative_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = [t.partition("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    assert [t for t in targets if t and not (path.parent / t).exists()] == []


def test_first_screen_has_examples_and_one_line_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [b.language for b in blocks(text)].count("python") >= 2
    commands = [
        line
        for block in blocks(text)
        if block.language in ("sh", "bash")
        for line in block.text.splitlines()
    ]
    scripts = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]["default"]["scripts"]
    for name in ("demo", "test"):
        assert name in scripts
        start = "python3 -m venv .venv && .venv/bin/pip install -q hatch && .venv/bin/hatch run "
        assert start + name in commands


@pytest.mark.parametrize(
    "page",
    [
        "```python\nprint(1 + 1)\n```\n\n```output\n3\n```\n",  # another number
        "```python\nprint(1 + 1)\n```\n",  # prints, but the page does not say what
        "```python\npass\n```\n```output\n2\n```\n",  # the page says more than is printed
        "```python\n>>> 1 + 1\n3\n```\n",  # a wrong doctest
    ],
)
def test_a_wrong_page_is_caught(page: str) -> None:
    with pytest.raises(OutputError):
        run(page, "page.md")


def test_blocks_share_a_namespace_and_keep_line_numbers() -> None:
    page = "```python\na = 1\n```\ntext\n```python\n>>> a + 1\n2\n```\n"
    assert run(page, "page.md").count == 2
    with pytest.raises(ZeroDivisionError) as caught:
        run("one\n\n```python\na = 1\na / 0\n```\n", "page.md")
    assert caught.traceback[-1].lineno + 1 == 5


def test_what_a_page_draws_is_an_svg() -> None:
    page = "```python\nline = '<svg><path d=\"M0 0h9\"/></svg>'\n```\n```draw A line\nline\n```\n"
    assert run(page, "page.md").pictures == ['<svg><path d="M0 0h9"/></svg>']
    with pytest.raises(OutputError, match="draws no SVG"):
        run("```draw\n'<p/>'\n```\n", "page.md")


def test_only_what_is_known_to_be_optional_is_left_out() -> None:
    block = "```python\nraise ModuleNotFoundError(name={!r})\n```\n"
    assert run(block.format("torch"), "page.md").left_out == ["page.md:2 needs torch"]
    with pytest.raises(ZeroDivisionError):  # what stands after it runs all the same
        run(block.format("torch") + "```python\n1 / 0\n```\n", "page.md")
    with pytest.raises(ModuleNotFoundError):
        run(block.format("smolml_array"), "page.md")
