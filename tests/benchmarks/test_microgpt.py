"""The trainer of benchmarks/gpt.py: the class of its numbers changes nothing but the time."""

from __future__ import annotations

import pytest

from benchmarks import tuples
from benchmarks.gpt import CHARACTERS, Size, Trainer, text, windows
from smolml_value import Value

SIZE = Size(width=8, heads=2, layers=2, context=5)
STEPS = 4


@pytest.fixture(scope="module")
def losses() -> list[float]:
    """Those of the Value of slots and tuples."""
    trainer = Trainer(tuples.Value, SIZE)
    return [trainer.step(0.05) for _ in range(STEPS)]


def test_our_value_trains_to_the_same_losses(losses: list[float]) -> None:
    trainer = Trainer(Value, SIZE)
    assert [trainer.step(0.05) for _ in range(STEPS)] == pytest.approx(losses, rel=0, abs=1e-9)


def test_arrays_train_to_the_same_losses(losses: list[float]) -> None:
    pytest.importorskip("smolml_utils")
    from benchmarks.gpt_array import ArrayTrainer

    trainer = ArrayTrainer(SIZE, 0.05)
    assert [trainer.step() for _ in range(STEPS)] == pytest.approx(losses, rel=0, abs=1e-9)


def test_training_learns() -> None:
    # the same piece again and again
    trainer = Trainer(Value, SIZE)
    piece = next(windows(SIZE))
    trainer.pieces = iter([piece] * 8)
    found = [trainer.step(0.05) for _ in range(8)]
    assert found[-1] < 0.5 * found[0]


def test_the_text_is_long_enough_and_plain() -> None:
    assert len(text()) > 10_000
    assert set(text()) <= set(CHARACTERS)
