"""examples/xor.py: it learns the truth table, from every one of ten starts."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from examples.xor import INPUTS, TARGETS, initial_parameters, main, score, train


@pytest.mark.parametrize("seed", range(10))
def test_it_learns_xor(seed: int) -> None:
    parameters = initial_parameters(seed)
    losses = train(parameters, steps=300)
    assert losses[-1] < 0.1 * losses[0]
    for x, t in zip(INPUTS, TARGETS, strict=True):
        assert abs(score(x, parameters).sigmoid().data - t) < 0.1


def test_the_graph_is_drawn(tmp_path: Path) -> None:
    out = tmp_path / "xor.svg"
    main(["--steps", "2", "--out", str(out)])
    texts = "".join(ElementTree.parse(out).getroot().itertext())
    assert "w1 of 1" in texts
    assert "out of 4" in texts


def test_it_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    *_, first, _, _, a, b, c, d = capsys.readouterr().out.splitlines()
    assert first == "loss: 1.208 at first, 0.005 after 500 steps"
    learned = [float(line.split("|")[-1]) for line in (a, b, c, d)]
    assert min(learned[1:3]) > 0.99
    assert max(learned[0], learned[3]) < 0.01
