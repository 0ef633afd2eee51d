"""What a training run leaves: its history, and what was read in the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smolml import tracking


class History(tracking.History):
    """What happened in training: the loss of each step, the test accuracy after each epoch."""

    def __init__(
        self, steps_per_epoch: int, losses: Sequence[float] = (), accuracies: Sequence[float] = ()
    ) -> None:
        super().__init__()
        self.steps_per_epoch: int = steps_per_epoch
        self.losses: list[float] = [*losses]
        self.accuracies: list[float] = [*accuracies]
        self.seconds: float = 0.0
        self.numbers.update({"loss": self.losses, "test accuracy": self.accuracies})

    def latest(self) -> str:
        """The mean loss of an epoch's steps, and the test accuracy after the last epoch.

        >>> History(2, [3.0, 1.0, 0.5], [0.875]).latest()
        'loss 0.7500  test accuracy 87.50%'
        """
        if not self.accuracies:
            return ""
        losses = self.losses[-self.steps_per_epoch :]
        mean = sum(losses) / len(losses)
        return f"loss {mean:.4f}  test accuracy {self.accuracies[-1]:6.2%}"

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
