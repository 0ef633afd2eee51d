"""The guides in English and Spanish: the same pages and code, and a tour that names every file."""

from __future__ import annotations

import ast
import importlib
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.architecture.source import code_lines
from tests.docs.markdown import Words, blocks

ROOT = Path(__file__).parents[2]
ENGLISH, SPANISH = ROOT / "docs" / "en", ROOT / "docs" / "es"
PAGES = sorted(str(page.relative_to(ENGLISH)) for page in ENGLISH.rglob("*.md"))
PACKAGES = {
    name: ROOT / "packages" / name.replace("_", "-") / "src" / name
    for name in ("smolml_value", "smolml_array", "smolml_utils", "smolml")
}
_FENCED = re.compile(r"^( *)(```+).*?^\1\2[ \t]*$", re.MULTILINE | re.DOTALL)


def _text(folder: Path, page: str) -> str:
    return (folder / page).read_text(encoding="utf-8")


def _structure(text: str) -> list[str]:
    """Headings by level, tables row by row, links, lists and fenced blocks: all but the words."""
    found = []
    for line in _FENCED.sub("```", text).splitlines():
        if match := re.match(r"#+ ", line):
            found.append(match[0])
        elif line.startswith(("|", "```", "- ", "!!!", ":::", "===")):
            found.append(str(line.count("|")) if line[0] == "|" else line[:2])
    return found


def _code(text: str, words: bool = False) -> list[tuple[str, str]]:
    """The blocks; those of Python without comments, and `words` says whether with their words."""
    found = []
    for block in blocks(text):
        code = block.text
        if block.language == "python" and not code.startswith(">>>"):
            tree = ast.parse(code)
            code = ast.dump(tree if words else Words().visit(tree))
        found.append((block.language, code))
    return found


def _outputs(english: str, spanish: str) -> list[tuple[str, str]]:
    """The outputs in both languages, of the blocks whose words are the same in both."""
    pairs = list(zip(_code(english, words=True), _code(spanish, words=True), strict=True))
    return [
        (one[1], two[1])
        for before, (one, two) in pairwise(pairs)
        if one[0] == "output" and before[0] == before[1]
    ]


def test_both_languages_have_the_same_pages() -> None:
    assert PAGES
    assert sorted(str(page.relative_to(SPANISH)) for page in SPANISH.rglob("*.md")) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_have_the_same_code_and_structure(page: str) -> None:
    english, spanish = _text(ENGLISH, page), _text(SPANISH, page)
    code = [[b for b in _code(text) if b[0] != "output"] for text in (english, spanish)]
    assert code[0] == code[1]
    assert [pair for pair in _outputs(english, spanish) if pair[0] != pair[1]] == []
    assert _structure(english) == _structure(spanish)
    links = [re.findall(r"\]\(([^)#\s]+)", text) for text in (english, spanish)]
    assert sorted(links[0]) == sorted(links[1])


@pytest.mark.parametrize(
    ("english", "spanish", "same"),
    [
        ('print("yes", x)  # now', 'print("sí", x)  # ahora', True),
        ('print(f"{x} points")', 'print(f"{x} puntos")', True),
        ("explain(y)", 'explain(y, language="es")', True),
        ('print(f"{x} points")', 'print(f"{y} puntos")', False),
        ("x = 1", "x = 2", False),
        ('einsum("ij", x)', 'einsum("ji", x)', False),
    ],
)
def test_a_translation_may_change_words_and_nothing_else(
    english: str, spanish: str, same: bool
) -> None:
    pages = [f"```python\n{code}\n```\n" for code in (english, spanish)]
    assert (_code(pages[0]) == _code(pages[1])) is same


def test_an_output_may_differ_only_where_the_words_do() -> None:
    page = "```python\nprint({})\n```\n```output\n{}\n```\n"
    assert _outputs(page.format("x", "1"), page.format("x", "2")) == [("1\n", "2\n")]
    assert _outputs(page.format('"a"', "a"), page.format('"b"', "b")) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_languages_differ(page: str) -> None:
    """A page that was copied and not translated is none."""
    headings = [re.findall(r"^# .*", _text(folder, page), re.M) for folder in (ENGLISH, SPANISH)]
    assert len(headings[0]) == len(headings[1]) == 1
    prose = [re.sub(r"`[^`\n]+`", "", _FENCED.sub("", _text(f, page))) for f in (ENGLISH, SPANISH)]
    common = set(prose[0].splitlines()) & set(prose[1].splitlines())
    assert [line for line in common if re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", line)] == []


@pytest.mark.parametrize("folder", [ENGLISH, SPANISH], ids=lambda folder: str(folder.name))
def test_each_guide_says_what_comes_next(folder: Path) -> None:
    guides = [
        page for page in PAGES if "/" not in page and page not in ("index.md", "playground.md")
    ]
    last = {page: _text(folder, page).rstrip().splitlines()[-1] for page in guides}
    ends = re.compile(r"(?:^|[.] )(?:Next|Siguiente|Back|Volver)\b.*\]\(")
    assert [page for page, line in last.items() if not ends.search(line)] == []


@pytest.mark.parametrize("folder", [ENGLISH, SPANISH], ids=lambda folder: str(folder.name))
def test_worksheets_name_exercises(folder: Path) -> None:
    learning = pytest.importorskip("smolml.learning")
    rows = re.findall(r"^\| (?:\d+|[\d–]+) \|.*\| (.*) \|$", _text(folder, "teaching.md"), re.M)
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)}
    assert named == set(learning.exercises())


def test_words_of_the_glossary_are_added_to_the_pages_of_their_language() -> None:
    from docs import glossary

    found = [glossary.words(folder / glossary.PAGE) for folder in (ENGLISH, SPANISH)]
    assert len(found[0]) == len(found[1]) > 20
    assert not any(set("`*|\n") & set(meaning) for words in found for meaning in words.values())
    for folder, words in zip((ENGLISH, SPANISH), found, strict=True):
        config = SimpleNamespace(docs_dir=str(ROOT / "docs"))
        pages = [
            SimpleNamespace(file=SimpleNamespace(abs_src_path=str(folder / name)))
            for name in ("reference/value.md", glossary.PAGE)
        ]
        page, itself = (
            glossary.on_page_markdown("text", page=one, config=config, files=None) for one in pages
        )
        assert page.startswith("text\n\n*[")
        assert [f"*[{word}]: {meaning}" for word, meaning in words.items()] == page.split("\n")[
            2:-1
        ]
        assert itself == "text"


def _named_files(tour: str) -> set[str]:
    """What the tour names, as package/file: each section is on the package in its heading."""
    found = set()
    for section in re.split(r"^## ", tour, flags=re.MULTILINE):
        package = re.match(r"`(smolml\w*)`", section)
        if package:
            found |= {
                f"{package[1]}/{name}" for name in re.findall(r"^\| `([^`]+)` ", section, re.M)
            }
    return found


@pytest.mark.parametrize("folder", [ENGLISH, SPANISH], ids=lambda folder: str(folder.name))
def test_the_tour_names_every_module_and_no_other(folder: Path) -> None:
    modules = {
        f"{package}/{path.relative_to(source).as_posix()}"
        for package, source in PACKAGES.items()
        for path in source.rglob("*.py")
        if path.name != "__init__.py"
    }
    named = _named_files(_text(folder, "inside.md"))
    assert {"missing": sorted(modules - named), "gone": sorted(named - modules)} == {
        "missing": [],
        "gone": [],
    }


@pytest.mark.parametrize("folder", [ENGLISH, SPANISH], ids=lambda folder: str(folder.name))
def test_what_is_read_in_an_evening_is_as_long_as_the_tour_says(folder: Path) -> None:
    tour = _text(folder, "inside.md")
    rows = re.findall(r"^\| `(smolml\w+)/([\w/]+\.py)` \| (\d+) \|", tour, re.MULTILINE)
    said = {f"{package}/{file}": int(lines) for package, file, lines in rows}
    counted = {
        name: code_lines(PACKAGES[package] / file)
        for name, (package, file, _) in zip(said, rows, strict=True)
    }
    assert len(said) > 5
    assert {n: k for n, k in counted.items() if abs(k - said[n]) > 10} == {}
    total = re.search(r"([\d,]{4,6}) (?:lines, to be read|líneas, que se leen)", tour)
    assert total
    assert int(total[1].replace(",", "")) == sum(said.values())


def test_a_module_that_the_tour_forgets_is_noticed() -> None:
    tour = (
        "## `smolml_value`: numbers\n\n| `value.py` | 1 |\n\n## `smolml`: all\n\n| `cli.py` | 2 |\n"
    )
    assert _named_files(tour) == {"smolml_value/value.py", "smolml/cli.py"}


@pytest.mark.parametrize("folder", [ENGLISH, SPANISH], ids=lambda folder: str(folder.name))
@pytest.mark.parametrize("package", list(PACKAGES))
def test_the_reference_has_every_public_name(folder: Path, package: str) -> None:
    pytest.importorskip("smolml")  # the pages speak of all four packages
    module = importlib.import_module(package)
    text = "\n".join(page.read_text("utf-8") for page in (folder / "reference").glob("*.md"))
    documented = set(re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE))
    whole = [importlib.import_module(name) for name in documented if _is_module(name)]
    for name in documented:  # a misspelt one documents nothing
        home, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(home), attribute), name
    names = {name.rpartition(".")[2] for name in documented}
    names |= {name for one in whole for name in getattr(one, "__all__", ())}
    assert [name for name in module.__all__ if name not in names] == []


def _is_module(name: str) -> bool:
    return any(
        (source.parent / f"{name.replace('.', '/')}.py").exists() for source in PACKAGES.values()
    )


@pytest.mark.parametrize("folder", [ENGLISH, SPANISH], ids=lambda folder: str(folder.name))
def test_every_example_and_its_twin_stand_on_their_page(folder: Path) -> None:
    text = _text(folder, "examples.md")
    shown = set(re.findall(r'--8<-- "examples/([^"]+)"', text))
    files = {path.relative_to(ROOT / "examples").as_posix() for path in _examples()}
    assert shown == files
    notebooks = [path.name for path in (ROOT / "examples").glob("*.ipynb")]
    assert [name for name in notebooks if f"examples/{name}" not in text] == []


def _examples() -> list[Path]:
    examples = ROOT / "examples"
    return [*examples.glob("*.py"), *examples.glob("pytorch/*.py")]
