"""The history of a run as a picture: one panel for each name that was reported."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from smolml.tracking.history import History

ENDINGS: Final = (".pdf", ".png", ".svg")
INK, GREY, COLOURS = "#1f2933", "#7b8794", ("#1f6fb4", "#2a8f5b", "#cf2e2e", "#8a4fb5", "#c9770c")
# Positive numbers get a logarithmic axis if they differ by a factor in this range; matplotlib's
# own does not go farther.
WIDE: Final = 20.0
WIDEST: Final = 1e100


def figure_of(reported: History, title: str) -> Figure:
    """A figure with a panel for each name, one below the other."""
    count = max(1, len(reported.numbers))
    figure = Figure(figsize=(8.0, 1.0 + 2.6 * count), dpi=120, facecolor="white", layout="tight")
    panels = figure.subplots(count, squeeze=False, sharex=True)[:, 0]
    for i, (axes, name) in enumerate(zip(panels, reported.numbers, strict=False)):
        _panel(axes, name, reported, COLOURS[i % len(COLOURS)])
    if title:
        figure.suptitle(title, x=0.02, ha="left", size=12, weight="bold", color=INK)
    panels[-1].set_xlabel("step", size=9, color=GREY)
    panels[-1].xaxis.set_major_locator(MaxNLocator(8, integer=True))
    return figure


def _panel(axes: Axes, name: str, reported: History, colour: str) -> None:
    numbers = reported.numbers[name]
    marker = "o" if len(numbers) <= 30 else ""  # a single number makes no line
    axes.plot(
        reported.steps[name], numbers, color=colour, linewidth=1.5, marker=marker, markersize=3.5
    )
    positive = [x for x in numbers if 0.0 < x < math.inf]
    if len(positive) == len(numbers) and WIDE < max(positive) / min(positive) < WIDEST:
        axes.set_yscale("log")
    axes.set_title(f"{name}  {numbers[-1]:.4g}", loc="left", size=10, color=INK)
    tidy(axes)


def tidy(axes: Axes) -> None:
    """Little ink for what is no number."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#cbd2d9")
    axes.tick_params(which="both", colors=GREY, labelsize=9, length=0)
    axes.grid(color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)


def drawn(reported: History, title: str, ending: str = ".png") -> bytes:
    """The picture as the content of a file with that ending."""
    buffer = io.BytesIO()
    figure_of(reported, title).savefig(buffer, format=ending.removeprefix(".").lower())
    return buffer.getvalue()


def save(path: Path, reported: History, title: str) -> None:
    """Write the picture; a file of that name is replaced in one go, never left half written.

    Raises:
        OSError: it cannot be written.
    """
    content = drawn(reported, title, path.suffix)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
