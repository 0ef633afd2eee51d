"""A short training of examples/data_parallel.py, and gradients that kill who computes them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from examples.data_parallel import GRADIENT, train
from smolml import Generator
from smolml.demo.digits import initial_parameters

STEPS, BATCH, SHARDS = 3, 48, 3


def losses(engine: Any, gradient: Any = GRADIENT, count: int = SHARDS) -> list[float]:
    """Those of a short training; all but the engine is the same each time."""
    generator = Generator(0)
    images = generator.randn(2 * BATCH, 64, requires_grad=False)
    labels = [i % 10 for i in range(2 * BATCH)]
    parameters = initial_parameters(16, generator)
    batches = [generator.permutation(len(labels))[:BATCH] for _ in range(STEPS)]
    return list(train(engine, parameters, images, labels, batches, count, gradient))


def dies_once(flag: Path, parent: int, *args: Any) -> Any:
    """The gradient, but the first worker of all that is asked dies in the middle of it."""
    found = GRADIENT(*args)
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return found
    assert os.getpid() != parent
    return always_dies()


def always_dies(*args: Any) -> Any:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
