"""track: history, progress on a terminal and elsewhere, log, picture, and how a loop may end."""

from __future__ import annotations

import io
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from smolml import MLArray, Value, track
from smolml.tracking import Run
from smolml.tracking import showing as displays
from tests.children import printed


def entries(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, each strict JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_constant=refuse) for line in lines]


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n") and float(imread(path).std()) > 0.02


def run_of(steps: Any, **options: Any) -> Run[Any]:
    """A run of a loop that reports a loss of 1 / step."""
    for _ in (run := track(steps, **options)):
        run.report(loss=1.0 / run.step)
    return run


# History ---------------------------------------------------------------------------------------


def test_items_come_through_and_numbers_are_kept() -> None:
    seen = []
    for item in (run := track("abc")):
        seen.append(item)
        run.report(loss=0.5 * run.step, accuracy=1)
        if run.step == 2:
            run.report(test=0.25)
    assert seen == ["a", "b", "c"]
    assert run.history == {"loss": [0.5, 1.0, 1.5], "accuracy": [1.0, 1.0, 1.0], "test": [0.25]}
    assert run.steps == {"loss": [1, 2, 3], "accuracy": [1, 2, 3], "test": [2]}
    assert run.step == 3


@pytest.mark.parametrize(
    "number",
    [
        2,
        2.0,
        True,
        Value(2.0),
        MLArray(2.0),
        MLArray([1.0, 3.0]).mean(),
        np.float32(2),
        np.array(2),
    ],
)
def test_a_number_of_any_kind(number: Any) -> None:
    for _ in (run := track(1)):
        run.report(loss=number)
    assert run.history == {"loss": [float(number)]}
    assert type(run.history["loss"][0]) is float


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("0.5", "loss must be a number, got '0.5'"),
        (b"1", "loss must be a number"),
        (None, "loss must be a number, got None"),
        ([1.0], "loss must be a number"),
        (1j, "loss must be a number"),
        (MLArray([1.0]), r"loss must be one number, got an array of shape \(1,\)"),
        (np.ones(3), r"loss must be one number, got an array of shape \(3,\)"),
    ],
)
def test_what_is_no_number_is_refused(number: Any, message: str, tmp_path: Path) -> None:
    log = tmp_path / "x.jsonl"
    for _ in (run := track(1, log=log)):
        with pytest.raises(TypeError, match=message):
            run.report(accuracy=1.0, loss=number)
    assert run.history == {}
    assert entries(log) == []


def test_reports_that_say_nothing_or_too_much() -> None:
    for _ in (run := track(1)):
        with pytest.raises(ValueError, match="got none"):
            run.report()
        with pytest.raises(ValueError, match="the log has a 'step' of its own"):
            run.report(step=3)


def test_a_run_is_watched_once() -> None:
    run = run_of(2)
    with pytest.raises(RuntimeError, match="watched once"):
        iter(run)


def test_reports_outside_of_the_loop(tmp_path: Path) -> None:
    run = track(2, log=tmp_path / "x.jsonl")
    run.report(loss=9.0)
    for _ in run:
        run.report(loss=1.0)
    run.report(test=0.5)
    assert run.steps == {"loss": [0, 1, 2], "test": [2]}
    assert [entry["step"] for entry in entries(tmp_path / "x.jsonl")] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("steps", "options", "error", "message"),
    [
        (None, {}, TypeError, "got a NoneType"),
        (2.5, {}, TypeError, "got a float"),
        (True, {}, TypeError, "got a bool"),
        (3, {"total": 4}, ValueError, "3 steps, but total=4"),
        (iter([]), {"total": -1}, ValueError, "at least 0; got -1"),
        (3, {"every": 0}, ValueError, "at least 1; got 0"),
        (3, {"plot": "x.jpeg"}, ValueError, r"must end in .pdf, .png or .svg, got 'x.jpeg'"),
        (3, {"live": True}, ValueError, "neither a terminal .* nor a notebook"),
    ],
)
def test_what_makes_no_sense_is_refused(
    steps: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        track(steps, **options)


def test_places_that_cannot_be_written_are_refused_at_once(tmp_path: Path) -> None:
    for option in ("log", "plot"):
        with pytest.raises(FileNotFoundError):
            track(3, **{option: str(tmp_path / "no" / "x.png")})  # type: ignore[call-overload]
    track(3, plot=tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []  # trying left nothing behind


# Lines -----------------------------------------------------------------------------------------


def steps_shown(text: str) -> list[int]:
    return [int(re.findall(r"\d+", line)[0]) for line in text.splitlines()]


def test_about_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    run_of(1000, description="training")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "training    1/1000  loss 1"
    assert lines[1] == "training  100/1000  loss 0.01"
    assert lines[-1] == "training 1000/1000  loss 0.001"
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("steps", "every", "shown"),
    [
        (3, None, [1, 2, 3]),
        (25, None, [1, *range(2, 25, 2), 25]),
        (10, 4, [1, 4, 8, 10]),
        (1, None, [1]),
        (iter(range(120)), None, [1, 2, 5, 10, 20, 50, 100, 120]),
        (iter(range(7)), 3, [1, 3, 6, 7]),
    ],
)
def test_which_lines(
    steps: Any, every: int | None, shown: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    run_of(steps, every=every)
    assert steps_shown(capsys.readouterr().out) == shown


def test_a_loop_without_steps_or_reports(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in track(0):
        raise AssertionError
    assert capsys.readouterr().out == ""
    for _ in track(1, description="[red] work"):
        pass
    assert capsys.readouterr().out == "[red] work 1/1\n"


def test_a_wrong_total_does_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    run_of(iter(range(4)), total=2, every=2)
    assert steps_shown(capsys.readouterr().out) == [1, 2, 4]


def test_without_rich(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    run_of(2)
    assert capsys.readouterr().out == "1/2  loss 1\n2/2  loss 0.5\n"


def test_nothing_of_the_extras_is_imported() -> None:
    program = (
        "import sys\n"
        "for name in ('rich', 'matplotlib', 'IPython', 'numpy'): sys.modules[name] = None\n"
        "from smolml import track\n"
        "for step in (run := track(2)): run.report(loss=step)\n"
        "print(run.history)\n"
        "try: track(2, plot='x.png')\n"
        "except ImportError as error: print(error)\n"
    )
    lines = printed(program).splitlines()
    assert lines[:3] == ["1/2  loss 0", "2/2  loss 1", "{'loss': [0.0, 1.0]}"]
    assert re.fullmatch(
        r"track: plot='x.png' needs matplotlib \(.*\); pip install \"smolml\[plot\]\", or leave .*",
        lines[3],
    )


# How a loop may end ----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, KeyError, GeneratorExit])
def test_an_exception_in_the_loop(
    error: type[BaseException], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, plot = tmp_path / "x.jsonl", tmp_path / "x.png"

    def train() -> None:
        for _ in (run := track(10, log=log, plot=plot)):
            run.report(loss=1.0)
            if run.step == 4:
                raise error

    with pytest.raises(error):
        train()
    assert capsys.readouterr().out.splitlines()[-1] == " 3/10  loss 1  (stopped)"
    assert len(entries(log)) == 4
    assert is_picture(plot)


def test_break(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "x.png"
    for _ in (run := track(10, plot=plot)):
        run.report(loss=1.0)
        if run.step == 4:
            break
    assert is_picture(plot)  # though `run` is still there
    assert "stopped" in capsys.readouterr().out


def test_an_exception_in_what_is_iterated_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def batches() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    def train() -> None:
        for _ in (run := track(batches(), plot=tmp_path / "x.png")):
            run.report(loss=1.0)

    with pytest.raises(OSError, match="gone"):
        train()
    assert is_picture(tmp_path / "x.png")
    assert capsys.readouterr().out.endswith("step 1  loss 1  (stopped)\n")


def test_with_ends_it_too(tmp_path: Path) -> None:
    plot = tmp_path / "x.png"
    with track(10, plot=plot) as run:
        kept = iter(run)  # so that the loop's iterator lives on
        next(kept)
        run.report(loss=1.0)
        assert not plot.exists()
    assert is_picture(plot)
    del kept
    run.close()


def test_a_picture_that_cannot_be_drawn_after_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"

    def train(steps: int) -> None:
        folder.mkdir()
        for _ in (run := track(3, plot=folder / "x.png")):
            run.report(loss=1.0)
            if run.step == steps:
                folder.rmdir()
                if steps == 2:
                    raise KeyboardInterrupt

    with pytest.raises(FileNotFoundError):
        train(3)
    with pytest.raises(KeyboardInterrupt):  # this one is what the user must see
        train(2)
    assert re.fullmatch(r"track: cannot write .*x.png: No such file .*\n", capsys.readouterr().err)


def test_no_report_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in track(1, plot=tmp_path / "x.png"):
        pass
    assert "nothing was reported" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import sys, time
from smolml import track
for step in (run := track(100_000, description="training", log="x.jsonl", plot="x.png")):
    run.report(loss=1 / (step + 1))
    if step == 20:
        print("now", flush=True)
    if step >= 20:
        time.sleep(0.01)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_on_a_terminal(tmp_path: Path) -> None:
    """The bar is closed, the cursor is back, log and picture are there."""
    import pty

    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        stdout=terminal,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    os.close(terminal)
    text = b""
    while b"now" not in text:
        text += os.read(main, 4096)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            got = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not got:
            break
        text += got
    assert process.stderr is not None
    error = process.stderr.read().decode()
    process.stderr.close()
    os.close(main)
    assert process.wait(timeout=60) != 0
    assert error.rstrip().endswith("KeyboardInterrupt")
    assert "Exception ignored" not in error
    assert text.rfind(b"\x1b[?25h") > text.rfind(b"\x1b[?25l") >= 0  # shown after it was hidden
    assert re.search(rb"training .*loss", text)
    assert len(entries(tmp_path / "x.jsonl")) >= 21
    assert is_picture(tmp_path / "x.png")
    assert {p.name for p in tmp_path.iterdir()} == {"x.jsonl", "x.png"}


# The bar ---------------------------------------------------------------------------------------


def on_terminal(monkeypatch: pytest.MonkeyPatch, total: int | None) -> tuple[Any, io.StringIO]:
    from rich.console import Console

    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    return displays.Bar(console, "[training]", total), screen


def test_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    bar, screen = on_terminal(monkeypatch, 3)
    monkeypatch.setattr(displays, "_live_display", lambda *args: bar)
    run_of(3, live=True)
    last = screen.getvalue().splitlines()[-2]
    assert "[training]" in last
    assert "3/3 loss 0.3333" in last
    assert re.search(r"0?0:00(:00)? left", last)


def test_a_bar_of_unknown_length(monkeypatch: pytest.MonkeyPatch) -> None:
    bar, screen = on_terminal(monkeypatch, None)
    monkeypatch.setattr(displays, "_live_display", lambda *args: bar)
    run_of(iter(range(3)))
    assert "3/3 loss 0.3333" in screen.getvalue().splitlines()[-2]


def test_the_bar_is_closed_when_the_loop_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    bar, screen = on_terminal(monkeypatch, 3)
    monkeypatch.setattr(displays, "_live_display", lambda *args: bar)

    def train() -> None:
        for _ in track(3):
            raise KeyError("x")

    with pytest.raises(KeyError):
        train()
    assert screen.getvalue().rfind("\x1b[?25h") > screen.getvalue().rfind("\x1b[?25l")


# The log ---------------------------------------------------------------------------------------


def test_one_object_a_report(tmp_path: Path) -> None:
    log = tmp_path / "x.jsonl"
    for _ in (run := track(2, log=str(log))):
        run.report(loss=0.1 + 0.2)
        assert len(entries(log)) == run.step  # it is there at once
    first, second = entries(log)
    assert list(first) == ["run", "step", "seconds", "loss"]
    assert (first["step"], second["step"]) == (1, 2)
    assert first["loss"] == 0.1 + 0.2
    assert 0.0 <= first["seconds"] <= second["seconds"] < 60.0
    assert first["run"] == second["run"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", first["run"])


@pytest.mark.parametrize(
    ("number", "written"),
    [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (-0.0, -0.0)],
)
def test_nan_and_infinities(number: float, written: object, tmp_path: Path) -> None:
    for _ in (run := track(1, log=tmp_path / "x.jsonl")):
        run.report(loss=number)
    (entry,) = entries(tmp_path / "x.jsonl")
    assert entry["loss"] == written
    assert repr(float(entry["loss"])) == repr(number)


def test_a_log_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "x.jsonl"
    run_of(2, log=log)
    before = log.read_text(encoding="utf-8")
    run_of(3, log=log)
    assert log.read_text(encoding="utf-8").startswith(before)
    found = entries(log)
    assert [entry["step"] for entry in found] == [1, 2, 1, 2, 3]
    assert len({entry["run"] for entry in found}) == 2


def test_a_line_that_was_cut_off(tmp_path: Path) -> None:
    log = tmp_path / "x.jsonl"
    log.write_text('{"step": 1}\n{"st', encoding="utf-8")
    run_of(1, log=log)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ['{"step": 1}', '{"st']
    assert json.loads(lines[2])["loss"] == 1.0


@pytest.mark.parametrize("content", ["print('my program')\n", "[1, 2]\n", "\x00\x01", "{'a': 1}\n"])
def test_another_file_is_not_spoilt(content: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.py' exists and does not begin with a JSON obj"):
        track(3, log=path)
    assert path.read_text(encoding="utf-8") == content


def test_an_empty_file_is_a_log(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.touch()
    run_of(1, log=path)
    assert len(entries(path)) == 1


# The picture -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "SVG"])
def test_pictures(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{ending}"
    run_of(20, plot=path, description="a <b> & $c")
    begin = {"png": b"\x89PNG", "svg": b"<?xml"}[ending.lower()]
    assert path.read_bytes().startswith(begin)
    before = path.stat().st_mtime_ns
    run_of(2, plot=path)  # replaced
    assert path.stat().st_mtime_ns > before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "losses", [[1.0], [1.0, math.nan], [math.inf], [0.0, -1.0], [1e-300, 1e300], [5.0] * 3]
)
def test_pictures_of_any_numbers(losses: list[float], tmp_path: Path) -> None:
    for loss in (run := track(losses, plot=tmp_path / "x.png")):
        run.report(loss=loss)
    assert is_picture(tmp_path / "x.png")


def test_what_the_picture_shows() -> None:
    from smolml.tracking.history import History
    from smolml.tracking.picture import figure_of

    reported = History()
    for step in range(1, 41):
        reported.add(step, {"loss": 100.0 / step})
        if step % 10 == 0:
            reported.add(step, {"accuracy": step / 40})
    loss, accuracy = figure_of(reported, "title").axes
    assert loss.lines[0].get_xydata()[:, 1].tolist() == reported.numbers["loss"]  # type: ignore[index,union-attr]
    assert accuracy.lines[0].get_xydata()[:, 0].tolist() == [10, 20, 30, 40]  # type: ignore[index,union-attr]
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert loss.get_title(loc="left") == "loss  2.5"


# Notebooks -------------------------------------------------------------------------------------


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Something that passes for IPython in a kernel; what is displayed in it."""
    shown: list[bytes] = []
    handle = SimpleNamespace(update=lambda image: shown.append(image.data))

    def display(image: Any, display_id: bool) -> Any:
        shown.append(image.data)
        return handle

    fake = SimpleNamespace(
        Image=lambda data, format: SimpleNamespace(data=data, format=format), display=display
    )
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    monkeypatch.delitem(sys.modules, "smolml.tracking.notebook", raising=False)
    return shown


def test_a_plot_grows_in_a_notebook(
    notebook: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(50)
    assert len(run.history["loss"]) == 50
    assert len(notebook) >= 2  # the first step, and the end
    assert all(image.startswith(b"\x89PNG") for image in notebook)
    assert notebook[0] != notebook[-1]
    assert capsys.readouterr().out == ""


def test_a_notebook_without_matplotlib_gets_lines(
    notebook: list[bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "smolml.tracking.picture", None)
    run_of(2)
    assert notebook == []
    assert capsys.readouterr().out == "1/2  loss 1\n2/2  loss 0.5\n"
    with pytest.raises(ValueError, match="live=True"):
        track(2, live=True)


def test_live_false_in_a_notebook(
    notebook: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    run_of(2, live=False)
    assert notebook == []
    assert capsys.readouterr().out == "1/2  loss 1\n2/2  loss 0.5\n"


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert isinstance(displays.choose_display("", 1, None, None), displays.Lines)
