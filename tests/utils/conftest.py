"""The `backend` fixture: a test that asks for it runs on NumPy and on the pure backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


# Of a module, not of a function, so that hypothesis may run many examples under it.
@pytest.fixture(scope="module", params=["numpy", "pure"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the backend on which new arrays are made while the test runs."""
    from smolml_array import use_backend

    if request.param == "numpy":
        pytest.importorskip("numpy")
    with use_backend(request.param):
        yield request.param
