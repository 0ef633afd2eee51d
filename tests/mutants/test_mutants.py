"""The run that plants faults: which it plants, which it finds, and the files that it is for."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from tests.mutants.faults import changed, faults
from tests.mutants.run import EQUIVALENT, GOALS, TESTS, named, path_of
from tests.mutants.trials import SIGNATURES, replacements
from tests.planting import ROOT

SOURCE = dedent(
    '''
    """Text with 1 + 1 in it."""
    from typing import TYPE_CHECKING, TypeAlias, cast, overload

    Number: TypeAlias = int | float
    if TYPE_CHECKING:
        UNUSED = 1 + 1
    LIMIT = 2

    @mypyc_attr(native_class=True)
    class Compiled:
        pass

    @overload
    def double(x: int) -> int: ...
    @overload
    def double(x: float) -> float: ...
    def double(x: int | float) -> int | float:
        y: int | float = x
        return cast(int | float, y) * 2

    def under(x: int, *, limit: int = 3) -> bool:
        return (lambda: x == limit or x < limit)()
    '''
).lstrip()


def test_files_and_tests_are_there() -> None:
    files = named(GOALS)
    assert len(files) == len(set(files)) > 40
    folders = [path for paths in TESTS.values() for path in paths]
    assert all((ROOT / path).exists() for path in (*folders, SIGNATURES))
    for file, rows in tomllib.loads(EQUIVALENT.read_text("utf-8")).items():
        assert file in files
        lines = {line.strip() for line in Path(path_of(file)).read_text("utf-8").splitlines()}
        for row in rows:
            assert row["reason"]
            gone = [line[2:] for line in row["change"] if line.startswith("- ")]
            assert lines.issuperset(gone), f"{file} has changed: {gone}"
    with pytest.raises(SystemExit, match=r"no file 'smolml_utils/none\.py'"):
        named(["smolml_utils/none.py"])


def test_nothing_is_planted_where_nobody_can_see_it() -> None:
    lines = {line for fault in faults(SOURCE) for line in fault.change if line[0] == "-"}
    seen = ("LIMIT", "return cast", "def under", "return (lambda")
    assert {next(s for s in seen if s in line) for line in lines} == set(seen)
    signs = [fault.change for fault in faults(SOURCE) if "return cast" in fault.change[0]]
    assert ("- return cast(int | float, y) * 2", "+ return cast(int | float, y) + 2") in signs
    assert not any("int & float" in line for change in signs for line in change)
    every = [line for fault in faults(SOURCE) for line in fault.change]
    assert not any("def under(x: int, /" in line for line in every)
    assert any("def under(x: int, *, limit: int = 4" in line.replace("  ", " ") for line in every)
    assert not any("mypyc_attr" in line for line in lines)
    assert not any("x is limit or" in line for fault in faults(SOURCE) for line in fault.change)


def test_a_sample_is_drawn() -> None:
    every = {fault.source for fault in faults(SOURCE)}
    few, again, others = (faults(SOURCE, 5, seed) for seed in (0, 0, 1))
    assert len(few) == 5
    assert {fault.source for fault in few} < every
    assert few == again != others
    assert {fault.source for fault in faults(SOURCE, 10**6)} == every


def test_what_is_changed() -> None:
    assert changed("a\nb\n  c\n", "a\nb\n  d\n") == (3, ("- c", "+ d"))
    assert changed("a\n@f\nb\n", "a\nb\n") == (2, ("- @f",))


@pytest.mark.parametrize(
    ("old", "new", "functions"),
    [
        ("* 2", "* 3", ["double"]),
        ("x < limit", "x > limit", ["under", "under.<locals>.<lambda>"]),
        ("LIMIT = 2", "LIMIT = 3", None),
        ("limit: int = 3", "limit: int = 4", None),
    ],
)
def test_functions_get_other_code(old: str, new: str, functions: list[str] | None) -> None:
    before, after = (compile(s, "f.py", "exec") for s in (SOURCE, SOURCE.replace(old, new)))
    found = replacements(before, after)
    names = None if found is None else sorted(code.co_qualname for code in found.values())
    assert names == functions


TRIED = """
import sys
from pathlib import Path
from tests.mutants import trials
from tests.mutants.faults import Fault, changed
import pytest

folder = Path(sys.argv[1])
trials.ROOT, file = folder, str(folder / "counted.py")
source = Path(file).read_text()

def planted(old, new):
    text = source.replace(old, new)
    return Fault(text, *changed(source, text))

faults = [planted(*pair) for pair in [
    ("+ 1", "+ 2"), ("STEP = 3", "STEP = 4"), ("n > 0", "n != 0"), ("n -= 1", "n -= 0"),
    ("is None", "== None"), ("UNUSED = 5", "UNUSED = 6"), ("@cache\\n", ""),
]]
plugin = trials.Trials(
    [file], {file: faults}, lambda file, fault, survived: print(fault.change[-1], survived), 5.0,
    folder / "kept.pickle",
)
sys.path.insert(0, str(folder))
pytest.main([*trials.OPTIONS, str(folder)], plugins=[plugin])
"""


def test_faults_are_found_where_a_test_sees_them(tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(
        dedent(
            """
            from functools import cache

            STEP = 3
            UNUSED = 5

            def follows(n=None):
                return STEP if n is None else n + 1

            def down(n):
                while n > 0:
                    n -= 1
                return n

            @cache
            def twice(n):
                return 2 * n
            """
        )
    )
    (tmp_path / "test_counted.py").write_text(
        dedent(
            """
            import counted

            def test_follows():
                assert counted.follows(1) == 2
                assert counted.follows() == 3

            def test_down():
                assert counted.down(2) == 0

            def test_that_reaches_no_line():
                counted.twice.cache_clear()

            def test_that_fails():
                assert counted.down(1) == 1
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", TRIED, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = [line for line in done.stdout.splitlines() if line.endswith(("True", "False"))]
    assert said == [
        "+ return STEP if n is None else n + 2 False",  # in a function
        "+ STEP = 4 False",  # when it is imported
        "+ while n != 0: True",  # no test of a negative number
        "+ n -= 0 False",  # no end
        "+ return STEP if n == None else n + 1 True",
        "+ UNUSED = 6 True",
        "- @cache False",
    ], done.stdout + done.stderr
    assert "test_counted.py::test_that_fails" in done.stdout  # is left out, and said so
