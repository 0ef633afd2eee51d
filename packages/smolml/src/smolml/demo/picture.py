"""The demo's picture: how loss and accuracy went, and test digits with what was read in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from smolml import Generator
from smolml.demo.results import History, Reading, accuracy
from smolml.tracking.picture import COLOURS, GREY, INK, tidy

ROWS, COLUMNS = 6, 9
CELL = 1.2  # height of a cell in widths: the image and a line under it
LINE: Final[Any] = {"linewidth": 2.2, "marker": "o", "markersize": 4}
BLUE, GREEN, RED = COLOURS[:3]


def choose(readings: Sequence[Reading], seed: int) -> list[Reading]:
    """What the grid shows: the errors, half the grid at most, then right ones by their digit.

    >>> some = [Reading([[0.0]], label, read=3) for label in (3, 1, 3)]
    >>> [r.label for r in choose(some, seed=0)]
    [1, 3, 3]
    """
    order = Generator(seed).permutation(len(readings))
    wrong = [readings[i] for i in order if not readings[i].right]
    right = [readings[i] for i in order if readings[i].right]
    space = ROWS * COLUMNS
    wrong = wrong[: max(space // 2, space - len(right))]
    right = right[: space - len(wrong)]
    return sorted(wrong, key=lambda r: r.label) + sorted(right, key=lambda r: r.label)


def draw(path: Path, title: str, history: History, readings: Sequence[Reading], seed: int) -> None:
    """Write the picture; the ending of the path chooses PNG, SVG or PDF.

    Raises:
        OSError: the file cannot be written.
    """
    figure = Figure(figsize=(13, 7), dpi=150, facecolor="white")
    figure.text(0.058, 0.93, "SmolML reads handwritten digits", size=18, weight="bold", color=INK)
    figure.text(0.058, 0.887, title, size=11, color=GREY)
    _loss(figure.add_axes((0.058, 0.515, 0.337, 0.28)), history)
    _accuracy(figure.add_axes((0.058, 0.085, 0.337, 0.28)), history, readings)
    _grid(figure.add_axes((0.44, 0.03, 0.54, 0.765)), readings, seed)
    figure.savefig(path)


def _heading(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", size=12, weight="bold", color=INK, pad=10)


def _curve(axes: Axes, title: str, history: History) -> None:
    _heading(axes, title)
    tidy(axes)
    axes.set_xlim(0, max(1.0, len(history.losses) / history.steps_per_epoch) * 1.01)
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.set_xlabel("epoch", size=9, color=GREY)


def _loss(axes: Axes, history: History) -> None:
    steps = [(i + 1) / history.steps_per_epoch for i in range(len(history.losses))]
    ends, means = history.mean_losses()
    axes.plot(steps, history.losses, color=BLUE, alpha=0.3, linewidth=0.9, label="each batch")
    axes.plot(ends, means, color=BLUE, label="mean of the epoch", **LINE)
    axes.set_yscale("log")
    plain = StrMethodFormatter("{x:g}")
    narrow = max(history.losses, default=1.0) < 10 * min(history.losses, default=0.0)
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_formatter(plain if narrow else NullFormatter())
    _curve(axes, "Training loss (cross-entropy)", history)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper right")


def _accuracy(axes: Axes, history: History, readings: Sequence[Reading]) -> None:
    ends = history.mean_losses()[0] or [0.0]
    accuracies = [*history.accuracies]
    if len(accuracies) < len(ends):  # the last epoch was cut short
        accuracies.append(accuracy(readings))
    axes.plot(ends, accuracies, color=GREEN, **LINE)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    _curve(axes, "Test accuracy", history)


def _grid(axes: Axes, readings: Sequence[Reading], seed: int) -> None:
    chosen = choose(readings, seed)
    errors = sum(not r.right for r in readings)
    shown = sum(not r.right for r in chosen)
    _heading(axes, "Test digits and what was read in them")
    if errors:
        which = f"{shown} of {errors} errors" if shown < errors else f"all errors: {errors}"
        axes.set_title(which, loc="right", size=11, weight="bold", color=RED, pad=10)
    for i, reading in enumerate(chosen):
        _digit(axes, i % COLUMNS, i // COLUMNS * CELL, reading)
    axes.set(xlim=(0.06, COLUMNS - 0.06), ylim=(ROWS * CELL, -0.03), aspect="equal", anchor="NW")
    axes.set_axis_off()


def _digit(axes: Axes, x: float, y: float, reading: Reading) -> None:
    left, bottom = x + 0.08, y + 0.84
    axes.imshow(reading.image, cmap="gray_r", extent=(left, left + 0.84, bottom, bottom - 0.84))
    words, ink, weight, edge, width = str(reading.read), INK, "normal", "#cbd2d9", 0.8
    if not reading.right:
        words = f"{reading.read} (is {reading.label})"
        ink, weight, edge, width = RED, "bold", RED, 2.4
    frame = Rectangle((left, bottom), 0.84, -0.84, fill=False, edgecolor=edge, linewidth=width)
    axes.add_patch(frame)
    axes.text(x + 0.5, y + 0.9, words, ha="center", va="top", size=10, color=ink, weight=weight)
