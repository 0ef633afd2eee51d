"""examples/moons.py: every point on its side of the boundary, and the boundary drawn."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from examples.moons import initial_parameters, main, score, train
from smolml import MLArray


def test_it_reaches_all_of_the_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "moons.png"
    main(["--out", str(out)])
    assert "accuracy 100%" in capsys.readouterr().out
    picture = matplotlib.image.imread(out)
    assert picture.shape == (840, 1800, 4)
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) > 100  # the colours of the scores


def test_the_score_is_that_of_the_network_written_in_numpy() -> None:
    parameters = initial_parameters(seed=3)
    x = np.array([[0.5, -1.0], [2.0, 0.25], [-1.0, 0.0]])
    W1, b1, W2, b2, W3, b3 = (np.array(p) for p in parameters)
    expected = np.maximum(np.maximum(x @ W1 + b1, 0.0) @ W2 + b2, 0.0) @ W3 + b3
    np.testing.assert_allclose(np.array(score(MLArray(x), parameters)), expected[:, 0], rtol=1e-13)


def test_both_backends_train_alike() -> None:
    points = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    histories = []
    for backend in ("numpy", "pure"):
        x = MLArray(points, requires_grad=False, backend=backend)
        t = MLArray([1.0, 1.0, -1.0, -1.0], requires_grad=False, backend=backend)
        parameters = [p.to_backend(backend) for p in initial_parameters(seed=0)]
        losses, _ = train(parameters, x, t, steps=5)
        histories.append(losses)
    assert histories[0] == pytest.approx(histories[1], rel=1e-12)
