"""examples/digits.py and conv_digits.py: digits that were never seen are read."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from scipy.signal import correlate2d
from sklearn.datasets import load_digits

from examples import conv_digits, digits
from smolml import MLArray


def last_number(line: str) -> float:
    return float(line.rpartition(" ")[2])


def test_the_perceptron_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    digits.main(["--epochs", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert last_number(lines[3]) > 0.93
    assert len(lines) == 4 + 1 + 8 + 1
    assert lines[-1].count("read as") == 3


def test_the_convolutional_network_in_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "conv_digits.png"
    conv_digits.main(["--epochs", "3", "--out", str(out)])
    assert last_number(capsys.readouterr().out.splitlines()[2]) > 0.93
    assert matplotlib.image.imread(out).shape == (690, 1950, 4)


def test_held_out_images_are_not_trained_on() -> None:
    for load in (digits.load, conv_digits.load):
        data = load(seed=0)
        assert len(data.t) + len(data.t_test) == len(load_digits().target)
        shown = sorted(np.array(data.x).reshape(len(data.t), 64).sum(axis=1))
        held_out = sorted(np.array(data.x_test).reshape(len(data.t_test), 64).sum(axis=1))
        all_of_them = sorted(load_digits().data.sum(axis=1) / 16.0)
        assert sorted(shown + held_out) == pytest.approx(all_of_them)


def test_the_convolution_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    x, K, b = rng.normal(size=(2, 8, 8)), rng.normal(size=(9, 16)), rng.normal(size=16)
    seen = np.array(conv_digits.convolution(MLArray(x), MLArray(K), MLArray(b)))
    for i in range(2):
        for k in range(16):
            expected = correlate2d(x[i], K[:, k].reshape(3, 3), mode="same") + b[k]
            np.testing.assert_allclose(seen[i, ..., k], expected, rtol=1e-12, atol=1e-12)


def test_letters_show_the_shades() -> None:
    image = MLArray([[i / 7.0] * 8 for i in range(8)])
    assert [row[0] for row in digits.in_letters(image)] == list(" .-=+*%@")
