"""examples/regression.py: gradient descent arrives where least squares says."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from examples.regression import least_squares, load, main, r_squared


def test_closed_form_and_score_are_those_of_scikit_learn() -> None:
    data = load(seed=1)
    model = LinearRegression().fit(data.x, data.t)
    w = least_squares(data.x, data.t)
    np.testing.assert_allclose(w, [*model.coef_, model.intercept_], rtol=1e-9, atol=1e-12)
    predicted = model.predict(data.x_test)
    assert r_squared(predicted, data.t_test) == pytest.approx(r2_score(data.t_test, predicted))


def test_nothing_of_the_held_out_patients_is_in_the_training_set() -> None:
    data = load(seed=0)
    assert (len(data.t), len(data.t_test)) == (354, 88)
    assert not set(map(tuple, data.x)) & set(map(tuple, data.x_test))
    np.testing.assert_allclose(data.x.mean(axis=0), 0.0, atol=1e-12)


def test_it_prints_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "regression.png"
    main(["--out", str(out)])
    *_, closed, descended, network, difference, _ = capsys.readouterr().out.splitlines()
    assert closed.split()[-1] == descended.split()[-1] == "0.5226"
    assert 0.3 < float(network.split()[-1]) < 0.52
    assert float(difference.split()[-1]) < 1e-6
    assert matplotlib.image.imread(out).shape == (810, 1800, 4)
