"""Every docstring example of every installed SmolML module runs; every public name has one."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
from types import ModuleType

import pytest

PACKAGES = ("smolml_value", "smolml_array", "smolml_utils", "smolml")
INSTALLED = [name for name in PACKAGES if importlib.util.find_spec(name)]


def _module_names() -> list[str]:
    names = []
    for package in INSTALLED:
        root = importlib.import_module(package)
        found = pkgutil.walk_packages(root.__path__, f"{package}.")
        names += [package, *(m.name for m in found if not m.name.endswith("__main__"))]
    return names


def _import(name: str) -> ModuleType:
    """Import a module; skip the test where an extra that the module needs is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        cause = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        missing = getattr(cause, "name", None) or ""
        if not missing or missing.startswith("smolml"):
            raise
        pytest.skip(f"{name} needs {missing}")


@pytest.mark.parametrize("name", _module_names())
def test_examples_run(name: str) -> None:
    module = _import(name)
    package = importlib.import_module(name.partition(".")[0])
    # An example may use its package's public names without importing them.
    public = {attr: getattr(package, attr) for attr in package.__all__}
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(module, extraglobs=public):
        for example in test.examples:
            if "# needs NumPy" in example.source and not importlib.util.find_spec("numpy"):
                example.options[doctest.SKIP] = True
        runner.run(test)
    result = runner.summarize()
    assert result.failed == 0, f"{name}: {result.failed} of {result.attempted} examples fail"


@pytest.mark.parametrize("name", INSTALLED)
def test_every_public_object_has_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    public = {attr: getattr(module, attr) for attr in module.__all__}
    assert public, f"{name}.__all__ is empty"
    undocumented = [
        attr for attr, obj in public.items() if callable(obj) and not inspect.getdoc(obj)
    ]
    assert not undocumented


def test_there_are_examples_to_run() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    value = importlib.import_module("smolml_value")
    examples = [e for test in finder.find(value.Value) for e in test.examples]
    assert examples, "Value shows no example"
