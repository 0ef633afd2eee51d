"""`import smolml` gives every public name of the three packages, and costs next to nothing."""

from __future__ import annotations

from importlib import import_module

import pytest

import smolml
from tests.children import printed

PACKAGES = ("smolml_value", "smolml_array", "smolml_utils")
OWN = {"track"}


def test_exactly_the_public_names_of_the_packages_are_public() -> None:
    theirs = {name for package in PACKAGES for name in import_module(package).__all__}
    ours = import_module("smolml").__all__  # which type checkers do not know: it is made on demand
    assert set(ours) == theirs | OWN
    assert len(ours) == len(theirs | OWN)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_name_is_the_same_object(package: str) -> None:
    module = import_module(package)
    other = [n for n in module.__all__ if getattr(smolml, n) is not getattr(module, n)]
    assert other == []


def test_names_are_listed_before_they_are_used() -> None:
    program = "import smolml; print({'MLArray', 'ops', '__version__'} <= set(dir(smolml)))"
    assert printed(program) == "True\n"


def test_nothing_but_public_names_is_listed() -> None:
    program = "import smolml; print([n for n in dir(smolml) if n[:2] != '__'] == smolml.__all__)"
    assert printed(program) == "True\n"


def test_the_import_loads_nothing_else() -> None:
    program = (
        "import sys, time\n"
        "begin = time.perf_counter()\n"
        "import smolml\n"
        "print(f'{1e3 * (time.perf_counter() - begin):.1f} ms')\n"
        "print(*sorted(m for m in sys.modules if m.partition('.')[0] in "
        "{'numpy', 'rich', 'matplotlib', 'sklearn', 'smolml_value', 'smolml_array', "
        "'smolml_utils', 'smolml'}))"
    )
    took, loaded = printed(program).splitlines()
    print(f"import smolml: {took}")
    assert loaded == "smolml"


def test_a_package_is_loaded_when_it_is_needed() -> None:
    program = (
        "import sys, smolml\n"
        "smolml.Value(1.0)\n"
        "print('smolml_value' in sys.modules, 'smolml_array' in sys.modules)\n"
        "smolml.MLArray([1.0])\n"
        "print('smolml_array' in sys.modules, 'smolml_utils' in sys.modules)\n"
    )
    assert printed(program) == "True False\nTrue False\n"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="smolml has no attribute 'MLAray'") as caught:
        smolml.MLAray  # type: ignore[attr-defined]
    assert caught.value.name == "MLAray"
    with pytest.raises(ImportError):
        from smolml import no_such_name  # type: ignore[attr-defined] # noqa: F401


def test_star_import_gives_all_names() -> None:
    program = "from smolml import *\nimport smolml\nprint(set(smolml.__all__) - set(globals()))"
    assert printed(program) == "set()\n"


def test_ops_is_the_registry() -> None:
    assert smolml.ops.tanh(0.0) == 0.0
    assert "softplus" in smolml.ops
