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


@pytest.fixture(autouse=True)
def _leave_the_default_backend_alone() -> Iterator[None]:
    """No test may change the backend of those after it."""
    from smolml_array.config import default_backend

    before = default_backend()
    yield
    assert default_backend() is before
