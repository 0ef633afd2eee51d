"""What the build of the site takes from elsewhere is checked; what it lacks is said."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("smolml")

from docs import vendoring


def test_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "pyodide.tgz"
    other.write_bytes(b"something else")
    monkeypatch.setenv("SMOLML_PYODIDE", str(other))
    with pytest.raises(vendoring.VendoringError, match=r"is not Pyodide .* its sha512 is"):
        vendoring.archive()


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOLML_PYODIDE", str(tmp_path / "gone.tgz"))
    with pytest.raises(vendoring.VendoringError, match=r"gone\.tgz, where no file is; expected"):
        vendoring.archive()


def test_without_a_network_the_error_names_both_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMOLML_PYODIDE", raising=False)
    monkeypatch.setenv("SMOLML_CACHE", str(tmp_path))
    monkeypatch.setattr(vendoring, "REGISTRY", "http://127.0.0.1:9")  # nobody listens
    with pytest.raises(vendoring.VendoringError) as caught:
        vendoring.archive()
    assert "npm pack pyodide@" in str(caught.value)
    assert "SMOLML_PYODIDE=none" in str(caught.value)
    assert list(tmp_path.iterdir()) == []  # half a file is not kept


@pytest.mark.parametrize(("value", "wanted"), [(None, True), ("none", False), ("/a/file", True)])
def test_a_site_may_be_built_without_it(
    value: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMOLML_PYODIDE", raising=False)
    if value is not None:
        monkeypatch.setenv("SMOLML_PYODIDE", value)
    assert vendoring.wanted() is wanted


def test_the_wheels_hold_our_packages() -> None:
    pytest.importorskip("hatchling")
    names = list(vendoring.built_wheels())
    assert [name.partition("-")[0] for name in names] == [
        "smolml_value", "smolml_array", "smolml_utils", "smolml",
    ]  # fmt: skip
    assert all(content.startswith(b"PK") for content in vendoring.built_wheels().values())
