"""The choices of the digits demo and their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """How the digits demo trains, and where its picture goes.

    >>> Options(epochs=3).hidden
    128
    """

    epochs: int = 30
    batch_size: int = 64
    hidden: int = 128
    learning_rate: float = 0.01
    seed: int = 0
    out: Path = Path("digits.png")
