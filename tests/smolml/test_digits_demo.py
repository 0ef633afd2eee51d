"""`smolml demo digits` from end to end: accuracy, progress, picture, Ctrl-C."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console
from sklearn.datasets import load_digits

from smolml.cli import main
from smolml.demo import picture as pictures
from smolml.demo import run as demo
from smolml.demo.digits import train
from smolml.demo.options import Options
from smolml.demo.picture import COLUMNS, ROWS, choose, draw
from smolml.demo.results import History, Reading
from smolml.errors import CommandError
from smolml.tracking.display import Display
from smolml.tracking.showing import Bar, Lines, choose_display
from tests.smolml.commands import PROGRAM, run

QUICK = Options(epochs=2, batch_size=256, hidden=8)
IMAGES = load_digits().images[:60].tolist()


def _is_picture(path: Path) -> bool:
    """A PNG of sensible size in which something is drawn."""
    if not path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n"):
        return False
    pixels = imread(path)
    height, width, _ = pixels.shape
    return width >= 1200 and height >= 600 and float(pixels[..., :3].std()) > 0.05


def _red(path: Path) -> int:
    """How many pixels are as red as the frame of an error."""
    pixels = imread(path)[..., :3]
    red = np.array([int(pictures.RED[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return int((np.abs(pixels - red).max(axis=-1) < 0.02).sum())


def _quick(options: Options) -> tuple[int, list[str]]:
    """Exit code and lines of a run in this process."""
    text = io.StringIO()
    with redirect_stdout(text):
        code = demo.run_digits(options)
    return code, text.getvalue().splitlines()


def test_the_defaults_read_97_percent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "digits.png"
    assert main(["demo", "digits", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    found = re.search(r"Test accuracy ([\d.]+)%: (\d+) of (\d+) images read wrongly", text)
    assert found
    wrong, count = int(found[2]), int(found[3])
    assert float(found[1]) == pytest.approx(100 * (1 - wrong / count), abs=0.005)
    assert 1 - wrong / count >= 0.97
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", text)]
    assert len(losses) >= 10
    assert losses[-1] < 0.1 < 0.5 < losses[0]
    assert re.search(r"Trained in [\d.]+ s", text)
    assert f"Picture: {out}\n" in text
    assert _is_picture(out)


def test_the_same_seed_prints_the_same_lines(tmp_path: Path) -> None:
    done = run("demo", "digits", "--epochs", "2", "--hidden", "16", "--seed", "5", cwd=tmp_path)
    options = Options(epochs=2, hidden=16, seed=5, out=tmp_path / "digits.png")
    code, again = _quick(options)
    _, other = _quick(replace(options, seed=6))
    assert (done.returncode, done.stderr, code) == (0, "", 0)
    assert again[:-2] == done.stdout.splitlines()[:-2]  # these tell the time and the place
    assert again[:-2] != other[:-2]


def test_the_pure_backend_prints_the_same_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = []
    for backend in ("numpy", "pure"):
        options = ["--epochs", "1", "--hidden", "8", "--batch-size", "128"]
        out = str(tmp_path / "x.svg")
        assert main(["demo", "digits", "--backend", backend, *options, "--out", out]) == 0
        text = capsys.readouterr().out
        assert f"backend {backend}" in text
        texts.append(re.sub(r"in [\d.]+ s|backend \w+", "", text))
    assert texts[0] == texts[1]
    assert "<svg" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def test_a_loss_that_is_not_finite_ends_the_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.png"
    assert main(["demo", "digits", "--lr", "1e300", "--epochs", "1", "--out", str(out)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.search(r"the loss became (nan|inf) in epoch 1; try a smaller --lr than 1e\+300", err)
    assert not out.exists()


def test_a_picture_that_cannot_be_written_after_all_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot write .*No such file.*choose another place"):
        _quick(replace(QUICK, out=tmp_path / "gone" / "x.png"))


# Ctrl-C --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
def test_ctrl_c_stops_cleanly_and_still_draws(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "demo", "digits", "--epochs", "100000", "--out", "stopped.png"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # a shell starts background jobs with SIGINT ignored, and Python respects that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    lines = [process.stdout.readline(), process.stdout.readline()]
    assert "epoch" in lines[1]  # it is training
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    told = [line for line in out.splitlines() if "nterrupted" in line]
    assert len(told) == 1
    assert re.fullmatch(r"Interrupted in epoch \d+ of 100000, drawing what there is", told[0])
    assert "Picture: stopped.png" in out
    assert _is_picture(tmp_path / "stopped.png")


@pytest.mark.parametrize("steps", [0, 1, 6, 7])
def test_ctrl_c_at_any_step_draws(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(*args: object) -> object:
        for i, loss in enumerate(train(*args)):  # type: ignore[arg-type]  # handed on
            if i == steps:
                raise KeyboardInterrupt
            yield loss

    monkeypatch.setattr(demo, "train", cut_short)
    out = tmp_path / "x.png"
    code, lines = _quick(replace(QUICK, out=out))
    assert code == 130
    assert f"Interrupted in epoch {1 if steps < 6 else 2} of 2, drawing what there is" in lines
    assert _is_picture(out)


def test_ctrl_c_while_drawing_draws_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def interrupted_once(*args: object) -> None:
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        draw(*args)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(demo, "draw", interrupted_once)
    out = tmp_path / "x.png"
    code, lines = _quick(replace(QUICK, out=out))
    assert code == 130
    assert "Interrupted after the last of 2, drawing what there is" in lines
    assert _is_picture(out)


# Picture -------------------------------------------------------------------------------------


def _readings(right: int, wrong: int) -> list[Reading]:
    some = [IMAGES[i % len(IMAGES)] for i in range(right + wrong)]
    return [Reading(x, i % 10, (i + (i < wrong)) % 10) for i, x in enumerate(some)]


@pytest.mark.parametrize(
    ("right", "wrong", "errors"),
    [(300, 0, 0), (300, 7, 7), (300, 60, 27), (30, 300, 27), (3, 300, 51), (5, 4, 4)],
)
def test_the_grid_shows_errors_first(right: int, wrong: int, errors: int) -> None:
    readings = _readings(right, wrong)
    chosen = choose(readings, seed=0)
    flags = [r.read == r.label for r in chosen]
    assert len(chosen) == min(ROWS * COLUMNS, right + wrong)
    assert flags == sorted(flags)  # False, an error, comes first
    assert flags.count(False) == errors
    assert len({id(r) for r in chosen}) == len(chosen)
    assert choose(readings, seed=0) == chosen


def test_errors_are_red(tmp_path: Path) -> None:
    history = History(10, [1 / (i + 1) for i in range(30)], [0.5, 0.8, 0.9])
    for wrong in (0, 1, 4):
        draw(tmp_path / f"{wrong}.png", "title", history, _readings(100, wrong), seed=0)
        assert _is_picture(tmp_path / f"{wrong}.png")
    none, one, four = (_red(tmp_path / f"{wrong}.png") for wrong in (0, 1, 4))
    assert none == 0
    assert 3 * one < four < 5 * one


def test_the_mean_loss_of_epochs() -> None:
    history = History(2, [4.0, 2.0, 2.0, 0.0, 7.0])
    assert history.mean_losses() == ([1.0, 2.0, 2.5], [3.0, 1.0, 7.0])
    assert History(2).mean_losses() == ([], [])


# Progress ------------------------------------------------------------------------------------


def _train(display: Display, history: History, losses: list[float], accuracy: float) -> None:
    """One epoch of training."""
    history.losses.extend(losses)
    history.accuracies.append(accuracy)
    display.advance(len(history.accuracies), history)


def test_a_terminal_gets_a_bar_with_the_loss_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    bar, history = Bar(console, "epoch", 2), History(2)
    bar.start()
    for losses in ([3.0, 1.0], [0.5, 0.25]):
        _train(bar, history, losses, accuracy=0.875)
    bar.stop(history, finished=True)
    last = screen.getvalue().splitlines()[-2:]
    text = " ".join(last)
    assert "epoch" in text
    assert "2/2 loss 0.3750  test accuracy 87.50%" in text
    assert re.search(r"\d:\d\d left", text)


def test_elsewhere_a_line_every_few_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    progress, history = choose_display("epoch", 40, every=None, live=None), History(2)
    assert isinstance(progress, Lines)
    for epoch in range(1, 41):
        _train(progress, history, [1.0, 1.0 / epoch], accuracy=epoch / 40)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("/")[0] for line in lines] == [f"epoch {e:2}" for e in (1, *range(4, 41, 4))]
    assert lines[1] == "epoch  4/40  loss 0.6250  test accuracy 10.00%"


def test_a_terminal_without_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as far as rich can know
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(choose_display("epoch", 1, every=None, live=None), Bar)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose_display("epoch", 1, every=None, live=None), Lines)
