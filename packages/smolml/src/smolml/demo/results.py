"""What a training run leaves: its history, and what was read in the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class History:
    """What happened in training: the loss of each step, the test accuracy after each epoch."""

    steps_per_epoch: int
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def mean_losses(self) -> tuple[list[float], list[float]]:
        """Where each epoch ended (the last may be cut short), and its mean loss.

        >>> History(2, [3.0, 1.0, 0.5]).mean_losses()
        ([1.0, 1.5], [2.0, 0.5])
        """
        size = self.steps_per_epoch
        chunks = [self.losses[i : i + size] for i in range(0, len(self.losses), size)]
        ends = [min((i + 1) * size, len(self.losses)) / size for i in range(len(chunks))]
        return ends, [sum(chunk) / len(chunk) for chunk in chunks]


@dataclass(frozen=True)
class Reading:
    """A test image (8 rows of 8 pixels), the digit that it shows and the one read in it."""

    image: Sequence[Sequence[float]]
    label: int
    read: int

    @property
    def right(self) -> bool:
        """Whether the right digit was read."""
        return self.read == self.label


def accuracy(readings: Sequence[Reading]) -> float:
    """The share of images in which the right digit was read.

    >>> accuracy([Reading([[0.0]], 3, read=3), Reading([[0.0]], 8, read=3)])
    0.5
    """
    return sum(r.right for r in readings) / len(readings)
