"""Runs tests on planted faults, each in a fork of one process in which all is imported.

Of the tests that reach the line of a fault, the quickest run first, and the first that fails ends
it. In the fork, functions get the code of the faulty source. What is changed when a module is
imported cannot be had so: then, and before a fault is said to survive, the fork forgets the
packages and the tests, and imports them anew.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import inspect
import os
import pickle
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import NamedTuple

import coverage
import pytest

from tests.mutants.faults import Fault
from tests.planting import ROOT

MEMORY = 12 << 30
"""Bytes of address space that a fork may have: some faults make lists without end."""

SIGNATURES = "tests/architecture/test_api.py"
"""Tests of what is there once all is imported: defaults of parameters, for instance."""


class Measured(NamedTuple):
    """One test on the sources as they are: whether it passed, its CPU seconds, and where it was.

    Bit i of `lines` of a file is line i. `stamp` is of what this was measured on.
    """

    stamp: str
    passed: bool
    seconds: float
    lines: Mapping[str, int]


def forked(work: Callable[[], bool], seconds: float) -> bool:
    """Whether `work` says so in a fork; False if it ends otherwise, or takes more CPU seconds."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        answer = False
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1,) * 2)
            answer = work()
        finally:
            os._exit(0 if answer else 1)
    end = time.monotonic() + 20 * seconds  # it may wait for what never comes
    try:
        while (done := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        if not done[0]:
            done = os.waitpid(child, 0)
    return done[1] == 0


def passed(session: pytest.Session, items: Sequence[pytest.Item]) -> Iterator[tuple[str, bool]]:
    """Run tests, and say of each whether it passed."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        before = session.testsfailed
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        yield item.nodeid, session.testsfailed == before


def measure(session: pytest.Session, files: Sequence[str], kept: Path) -> dict[str, Measured]:
    """Run every test, and see which lines it reaches; what `kept` knows already is not run."""
    sources = b"".join(Path(file).read_bytes() for file in files)
    known: dict[str, Measured] = pickle.loads(kept.read_bytes()) if kept.exists() else {}
    for path in dict.fromkeys(item.path for item in session.items):
        stamp = hashlib.sha256(sources + path.read_bytes()).hexdigest()
        items = [item for item in session.items if item.path == path]
        if any(item.nodeid not in known or known[item.nodeid].stamp != stamp for item in items):
            print(f"measured: {path.name}", end="\r", file=sys.stderr, flush=True)
            work = partial(_measure, session, items, files, stamp, known, kept)
            if forked(work, 3600.0):
                known = pickle.loads(kept.read_bytes())
            else:  # it does not come to an end
                known |= {item.nodeid: Measured(stamp, False, 0.0, {}) for item in items}
    return known


def _measure(
    session: pytest.Session,
    items: Sequence[pytest.Item],
    files: Sequence[str],
    stamp: str,
    known: Mapping[str, Measured],
    kept: Path,
) -> bool:
    """Run these tests, and put what is found beside what is known."""
    cover = coverage.Coverage(data_file=None, include=list(files), config_file=False)
    cover.start()
    tests, last = passed(session, items), cpu()
    times: dict[str, tuple[bool, float]] = {}
    for item in items:
        cover.switch_context(item.nodeid)
        _, fine = next(tests)
        times[item.nodeid], last = (fine, cpu() - last), cpu()
    cover.stop()
    reached: dict[str, dict[str, int]] = {name: {} for name in times}
    with warnings.catch_warnings(action="ignore"):  # that no line was reached is no news
        data = cover.get_data()
    for file in files:
        for line, contexts in data.contexts_by_lineno(file).items():
            for context in filter(None, contexts):
                reached[context][file] = reached[context].get(file, 0) | 1 << line
    found = {name: Measured(stamp, *times[name], reached[name]) for name in times}
    kept.write_bytes(pickle.dumps({**known, **found}))
    return True


def cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    return sum(os.times()[:4])


def inner(code: CodeType) -> Iterator[CodeType]:
    """The code objects within one, at any depth, and that one."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from inner(constant)


def own(code: CodeType) -> object:
    """What a code object does, apart from those within it."""
    rest = [c for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, repr(rest), code.co_names, code.co_varnames


def place(code: CodeType) -> object:
    """Where in its source a code object is; no two are at the same place."""
    return code.co_qualname, code.co_firstlineno, tuple(code.co_positions())


def replacements(before: CodeType, after: CodeType) -> dict[object, CodeType] | None:
    """Place -> the new code of a function; None if it also differs in what runs at import."""
    found: dict[object, CodeType] = {}

    def look(a: CodeType, b: CodeType, imported: bool) -> bool:
        function = bool(a.co_flags & inspect.CO_OPTIMIZED) and (
            a.co_name == "<lambda>" or not a.co_name.startswith("<")
        )
        imported = imported and not function
        if imported and own(a) != own(b):
            return False
        if a != b and function:
            found[place(a)] = b
        inside = ([c for c in x.co_consts if isinstance(c, CodeType)] for x in (a, b))
        pairs = list(zip(*inside, strict=False))
        return all(look(x, y, imported) for x, y in pairs)

    return found if look(before, after, True) else None


class Trials:
    """A pytest plugin that, in the place of running the tests, runs them on faults."""

    def __init__(
        self,
        files: Sequence[str],
        faults: Mapping[str, Iterable[Fault]],
        said: Callable[[str, Fault, bool], None],
        seconds: float,
        kept: Path,
    ) -> None:
        self.files, self.faults, self.said = files, faults, said
        self.seconds, self.kept = seconds, kept

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        measured = measure(session, self.files, self.kept)
        failed = [item.nodeid for item in session.items if not measured[item.nodeid].passed]
        if failed:
            print("left out, for they fail on the sources as they are:", *failed, sep="\n    ")
        for file in self.faults:
            functions = functions_of(file)
            for fault in self.faults[file]:
                tests = self.choose(session, measured, file, fault)
                seconds = 5.0 + 3.0 * sum(measured[item.nodeid].seconds for item in tests)
                survived = self.survives(session, file, fault, tests, functions, seconds)
                self.said(file, fault, survived)
        return True

    def choose(
        self, session: pytest.Session, measured: Mapping[str, Measured], file: str, fault: Fault
    ) -> list[pytest.Item]:
        """The tests that reach the line of a fault, the quickest first, for so many seconds."""

        def quickest(reached: Callable[[int], object]) -> list[pytest.Item]:
            rows = [
                (measured[item.nodeid].seconds, i, item)
                for i, item in enumerate(session.items)
                if measured[item.nodeid].passed
                and reached(measured[item.nodeid].lines.get(file, 0))
            ]
            chosen: list[pytest.Item] = []
            total = 0.0
            for seconds, _, item in sorted(rows, key=lambda row: row[:2]):
                total += seconds
                if total > self.seconds and chosen:
                    break
                chosen.append(item)
            return chosen

        if found := quickest(lambda lines: lines >> fault.line & 1):
            return found
        listed = [item for item in session.items if item.nodeid.startswith(SIGNATURES)]
        # what a decorator refuses reaches no line of the file
        others = quickest(lambda lines: not lines)
        return list(dict.fromkeys([*listed, *quickest(bool), *others]))

    def survives(
        self,
        session: pytest.Session,
        file: str,
        fault: Fault,
        tests: Sequence[pytest.Item],
        functions: Mapping[object, Sequence[FunctionType]],
        limit: float,
    ) -> bool:
        """Whether all tests pass on a fault, within so many CPU seconds."""
        text = Path(file).read_text("utf-8")
        with warnings.catch_warnings(action="ignore"):  # `x is not 1`
            before, after = (compile(source, file, "exec") for source in (text, fault.source))
        swaps = replacements(before, after)

        def swapped() -> bool:
            plant(file, after)
            try:
                for where, code in (swaps or {}).items():
                    for function in functions.get(where, ()):
                        function.__code__ = code
            except ValueError:  # other free variables: it is to be imported anew
                return True
            return all(fine for _, fine in passed(session, tests))

        def anew() -> bool:
            plant(file, after)
            for name, module in list(sys.modules.items()):
                ours = str(getattr(module, "__file__", None)).startswith(f"{ROOT}{os.sep}")
                if ours and not name.startswith(("tests.mutants", "__main__")):
                    del sys.modules[name]
            order = {item.nodeid: i for i, item in enumerate(tests)}
            paths = dict.fromkeys(str(item.path) for item in tests)
            return pytest.main([*OPTIONS, *paths], plugins=[Only(order)]) == 0

        again = limit + 30.0  # to import and to collect them
        return (swaps is None or forked(swapped, limit)) and forked(anew, again)


OPTIONS = ("-x", "-q", "-s", "--tb=native", "-p", "no:cacheprovider", "-p", "no:xdist")


class Only:
    """A pytest plugin that runs some tests, in the order given."""

    def __init__(self, order: Mapping[str, int]) -> None:
        self.order = order

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(kept, key=lambda item: self.order[item.nodeid])


def plant(file: str, planted: CodeType) -> None:
    """From now on, have that code when the file is imported."""
    code = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        return planted if loader.path == file else code(loader, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]  # once


def functions_of(file: str) -> dict[object, list[FunctionType]]:
    """Place -> the functions of a file that exist."""
    found: dict[object, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename == file:
            found.setdefault(place(thing.__code__), []).append(thing)
    return found
