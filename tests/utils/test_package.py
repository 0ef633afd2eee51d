"""The package as a whole: what is public, and what its import loads."""

from __future__ import annotations

import importlib
import inspect

import pytest

import smolml_utils
from tests.children import printed

NAMED = ("activations", "initializers", "losses", "normalization", "optimizers")
MODULES = (*NAMED, "clipping", "saving")


def test_every_public_name_of_the_modules_is_exported() -> None:
    names = {name for module in MODULES for name in getattr(smolml_utils, module).__all__}
    public = importlib.import_module("smolml_utils").__all__  # which type checkers do not see
    assert names | set(NAMED) == set(public)
    for module in MODULES:
        for name in getattr(smolml_utils, module).__all__:
            assert getattr(smolml_utils, name) is getattr(getattr(smolml_utils, module), name)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_come_with_an_example(module: str) -> None:
    for name in getattr(smolml_utils, module).__all__:
        assert ">>> " in (inspect.getdoc(getattr(smolml_utils, name)) or ""), name


def test_the_import_loads_no_numpy() -> None:
    program = "import sys, smolml_utils; print('numpy' in sys.modules)"
    assert printed(program).strip() == "False"


def test_it_works_where_numpy_cannot_be_imported() -> None:
    program = """
import sys
sys.modules["numpy"] = None  # makes `import numpy` raise ImportError
from smolml_array import Generator, MLArray
from smolml_utils import Adam, cross_entropy, he_normal, orthogonal, softmax
w = he_normal(2, 3, generator=Generator(0))
optimizer = Adam(0.1)
for _ in range(50):
    w.restart()
    loss = cross_entropy(MLArray([[1.0, 0.0], [0.0, 1.0]], requires_grad=False) @ w, [0, 2])
    loss.backward()
    optimizer.step([w])
print(loss.item() < 0.1, softmax(w).shape, orthogonal(2, 2).shape)
"""
    assert printed(program).strip() == "True (2, 3) (2, 2)"
