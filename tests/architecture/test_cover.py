"""The report of `hatch run cover`, on files made up here."""

from __future__ import annotations

from typing import Any

import pytest

import tests.architecture.cover as cover
from tests.architecture.source import INSTALLED


def made_up(branches: int) -> dict[str, Any]:
    """A file of each package: 10 lines of which one was not run, 200 branches."""
    summary = {"num_statements": 10, "covered_lines": 9, "num_branches": 200}
    file = {
        "summary": summary | {"covered_branches": branches},
        "missing_lines": [5],
        "missing_branches": [[2, 5], [7, 9], [8, -6]],
    }
    return {f"packages/p/src/{package}/a.py": file for package in INSTALLED}


@pytest.mark.parametrize(("branches", "status"), [(195, 1), (196, 0), (200, 0)])
def test_the_report_and_its_limit(
    branches: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cover, "measured", lambda: made_up(branches))
    assert cover.main() == status
    out = capsys.readouterr().out.splitlines()
    for package in INSTALLED:
        share = f"90.00 % of 10 lines, {branches / 2:.2f} % of 200 branches (at least 98 %)"
        assert f"{package}: {share}" in out
        assert f"packages/p/src/{package}/a.py: 5 7-9 8--6" in out


def test_nothing_measured_is_not_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cover, "measured", dict)
    assert cover.main() == 1
    assert "0.00 % of 0 branches" in capsys.readouterr().out
