"""Loaded into the suite's run: marks what is expected to fail, and writes down what happened."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

from tests.conformance.expected import reason_for

if TYPE_CHECKING:
    from _pytest.reports import TestReport

_outcomes: dict[str, str] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.option.keyword:  # whoever asks for one test wants a small example
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("conformance", settings.default, phases=phases)
        settings.load_profile("conformance")
    for item in items:
        reason = reason_for(os.environ["CONFORMANCE_NAMESPACE"], item.nodeid)
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason))


def pytest_runtest_logreport(report: TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        expected = "xfailed" if report.skipped else "xpassed"
        _outcomes[report.nodeid] = expected if hasattr(report, "wasxfail") else report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        Path(os.environ["CONFORMANCE_OUTCOMES"]).write_text(json.dumps(_outcomes), "utf-8")
