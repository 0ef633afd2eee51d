"""examples/data_parallel.py: the same losses on any number of processes, also if one is killed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from examples import data_parallel
from examples.data_parallel import GRADIENT, here, loss, processes, shards
from smolml import Generator
from smolml.demo.digits import initial_parameters
from tests.examples.sharded import always_dies, dies_once, losses


def test_shards_have_every_example_once() -> None:
    for n in range(1, 9):
        for count in range(1, 9):
            pieces = shards(range(n), count)
            assert [i for piece in pieces for i in piece] == list(range(n))
            assert len(pieces) == min(n, count)
            assert max(map(len, pieces)) - min(map(len, pieces)) <= 1


def test_shards_add_up_to_the_gradient_of_the_batch() -> None:
    whole = losses(here, count=1)
    assert whole[-1] < whole[0]
    np.testing.assert_allclose(losses(here, count=5), whole, rtol=1e-12)
    generator = Generator(1)
    x = generator.randn(6, 64, requires_grad=False)
    parameters = initial_parameters(4, generator)
    t = [0, 1, 2, 3, 4, 5]
    expected = loss(parameters, x, t, 1.0)
    expected.backward()
    found = [GRADIENT(parameters, x[part], t[part], 1 / 3) for part in map(pair, range(3))]
    assert sum(part.item() for part, _ in found) == pytest.approx(expected.item(), rel=1e-14)
    for i, p in enumerate(parameters):
        total = sum(np.array(grads[i]) for _, grads in found)
        np.testing.assert_allclose(total, np.array(p.grad()), rtol=1e-12, atol=1e-15)


def pair(i: int) -> slice:
    return slice(2 * i, 2 * i + 2)


def test_any_number_of_processes_and_one_is_killed(tmp_path: Path) -> None:
    expected = losses(here)
    with processes(1) as one:
        np.testing.assert_allclose(losses(one), expected, rtol=1e-12)
    fragile = partial(dies_once, tmp_path / "died", os.getpid())
    with processes(2) as two:
        np.testing.assert_allclose(losses(two, fragile), expected, rtol=1e-12)
        assert (tmp_path / "died").exists()


def test_a_worker_that_always_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_parallel, "RETRIES", 1)
    with processes(1) as one, pytest.raises(RuntimeError, match="terminated abruptly"):
        losses(one, always_dies)


def test_the_program_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    data_parallel.main(["--workers", "0", "--epochs", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[1].split()[-1]) < float(lines[0].split()[-1])
    assert lines[2].startswith("held-out images read right: 7")
