"""Parts of track by themselves: the file of a log, and the plot below a notebook's cell."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smolml.demo.results import History as DigitsHistory
from smolml.tracking.history import History
from smolml.tracking.log import Log


def test_a_log_may_be_closed_twice_and_be_written_to_later(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    log = Log(path)
    log.close()
    log.close()
    log.write(3, 0.5, {"loss": 2.0})
    log.close()
    (line,) = path.read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["step"], entry["seconds"], entry["loss"]) == (3, 0.5, 2.0)


def test_no_epoch_no_numbers() -> None:
    assert DigitsHistory(2, [3.0]).latest() == ""


def test_a_live_plot_says_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    handle = SimpleNamespace(update=lambda image: None)
    fake = SimpleNamespace(
        Image=lambda data, format: SimpleNamespace(data=data),
        display=lambda image, display_id: handle,
    )
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    monkeypatch.delitem(sys.modules, "smolml.tracking.notebook", raising=False)
    from smolml.tracking import notebook

    def drawn(reported: History, title: str) -> bytes:
        titles.append(title)
        return b""

    now = 100.0
    clock: Any = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(notebook, "drawn", drawn)
    monkeypatch.setattr(notebook, "time", clock)
    plot = notebook.LivePlot("training", 10)
    plot.start()
    plot.advance(1, History())
    assert titles == []  # there is nothing to draw
    reported = History()
    reported.numbers["loss"] = [1.0]
    now = 140.0
    plot.advance(4, reported)  # ten seconds a step, and six are left
    now = 200.0
    plot.advance(10, reported)
    plot.stop(reported, finished=False)
    assert titles == [
        "training   step 4/10   1:00 left",
        "training   step 10/10",
        "training   step 10/10   stopped",
    ]
