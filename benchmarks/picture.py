"""A PNG of groups of bars on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def bars(path: Path, title: str, groups: Mapping[str, Mapping[str, float]]) -> None:
    """One group of bars for each entry of `groups`; in it one bar for each contestant."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    width = 0.8 / max(len(names), 1)
    figure, axes = plt.subplots(figsize=(1.0 + 1.6 * len(groups), 4.5), layout="constrained")
    for i, name in enumerate(names):
        places = [p for p, group in enumerate(groups.values()) if name in group]
        heights = [group[name] for group in groups.values() if name in group]
        drawn = axes.bar([p + (i - len(names) / 2 + 0.5) * width for p in places], heights, width)
        axes.bar_label(drawn, fmt="{:.2g}", fontsize=7)
        drawn.set_label(name)
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_title(title)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)
