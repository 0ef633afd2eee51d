"""Regression on real data: how far diabetes has come after a year, from ten measurements.

442 patients (Efron et al. 2004, the data that comes with scikit-learn), a fifth of them held out.
A linear model is trained by gradient descent with momentum; ordinary least squares in closed
form says where it must arrive. A small network on the same data shows that more is not better.

It prints R^2 on the held-out patients: gradient descent reaches that of least squares to four
digits, and the same coefficients; the network has no more to offer than the straight lines. The
picture, regression.png, shows the coefficients of both ways, and the predictions.

Run it: python examples/regression.py (needs smolml[demo])
The same in PyTorch: examples/pytorch/regression.py
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes

from smolml import (
    AdamW,
    Generator,
    MLArray,
    Optimizer,
    SGDMomentum,
    XavierNormal,
    mse_loss,
    no_grad,
    tanh,
    track,
    use_backend,
    zeros,
)

HIDDEN = 8
STYLE = Path(__file__).with_name("smolml.mplstyle")
NAMES = ["age", "sex", "body mass", "pressure", *(f"serum {i}" for i in range(1, 7))]
Numbers = np.ndarray[Any, np.dtype[np.float64]]
Model = Callable[[MLArray, Sequence[MLArray]], MLArray]


class Data(NamedTuple):
    """Measurements as rows and the progression of the disease, both scaled by the training set."""

    x: Numbers
    t: Numbers
    x_test: Numbers
    t_test: Numbers


def load(seed: int) -> Data:
    x, t = load_diabetes(return_X_y=True, scaled=False)
    order = np.random.default_rng(seed).permutation(len(t))
    test, train = order[: len(t) // 5], order[len(t) // 5 :]
    x = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    t = (t - t[train].mean()) / t[train].std()
    return Data(x[train], t[train], x[test], t[test])


def least_squares(x: Numbers, t: Numbers) -> Numbers:
    """The w that minimises |x w + b - t|^2, b last: the solution of A^T A w = A^T t."""
    A = np.column_stack([x, np.ones(len(x))])
    return np.linalg.solve(A.T @ A, A.T @ t)


def linear(x: MLArray, parameters: Sequence[MLArray]) -> MLArray:
    w, b = parameters
    return x @ w + b


def network(x: MLArray, parameters: Sequence[MLArray]) -> MLArray:
    W1, b1, w2, b2 = parameters
    return tanh(x @ W1 + b1) @ w2 + b2


def network_parameters(seed: int) -> list[MLArray]:
    generator = Generator(seed)
    W1 = XavierNormal.initialize(10, HIDDEN, generator=generator)
    return [W1, zeros(HIDDEN), XavierNormal.initialize(HIDDEN, generator=generator), zeros(())]


def train(
    model: Model,
    parameters: Sequence[MLArray],
    optimizer: Optimizer,
    x: MLArray,
    t: MLArray,
    steps: int,
) -> list[float]:
    """Minimise the mean squared error over all patients; the loss of every step."""
    for _ in (run := track(steps, description=model.__name__, every=max(1, steps // 4))):
        loss = mse_loss(model(x, parameters), t)
        optimizer.zero_grad(parameters)
        loss.backward()
        optimizer.step(parameters)
        run.report(loss=loss)
    return run.history["loss"]


def r_squared(predicted: Numbers, t: Numbers) -> float:
    """The share of the variance that is explained: 1 - |t - predicted|^2 / |t - mean|^2."""
    return float(1.0 - ((t - predicted) ** 2).sum() / ((t - t.mean()) ** 2).sum())


def draw(out: Path, data: Data, closed: Numbers, descended: Numbers, predicted: Numbers) -> None:
    """The coefficients of both ways, and what they predict for the held-out patients."""
    figure = Figure(figsize=(12, 5.4))
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    rows = np.arange(len(NAMES))
    left.barh(rows - 0.19, closed[:-1], 0.36, label="least squares, in closed form")
    left.barh(rows + 0.19, descended[:-1], 0.36, label="gradient descent")
    left.set_yticks(rows, NAMES)
    left.invert_yaxis()
    left.axvline(0.0, color="black", linewidth=0.8)
    left.set(title="What goes with the disease", xlabel="coefficient, in standard deviations")
    left.grid(visible=False, axis="y")
    left.legend(loc="lower left")
    ends = [min(data.t_test.min(), predicted.min()), max(data.t_test.max(), predicted.max())]
    right.plot(ends, ends, color="black", linewidth=1, linestyle="--")
    right.scatter(data.t_test, predicted, s=36, color="#0072b2", edgecolors="white", linewidths=0.8)
    right.set_title(f"Held-out patients: $R^2$ = {r_squared(predicted, data.t_test):.3f}")
    right.set(xlabel="progression after a year, scaled", ylabel="predicted", aspect="equal")
    figure.savefig(out)
    print(f"picture: {out}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Diabetes: gradient descent and least squares.")
    parser.add_argument("--steps", type=int, default=2000, help="steps of gradient descent")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the weights")
    parser.add_argument("--backend", choices=["numpy", "pure"], default="numpy")
    parser.add_argument("--out", type=Path, default=Path("regression.png"), help="the picture")
    options = parser.parse_args(argv)

    data = load(options.seed)
    closed = least_squares(data.x, data.t)
    with use_backend(options.backend):
        x, t = MLArray(data.x, requires_grad=False), MLArray(data.t, requires_grad=False)
        w, b = zeros(10), zeros(())
        train(linear, [w, b], SGDMomentum(0.05), x, t, options.steps)
        layers = network_parameters(options.seed)
        train(network, layers, AdamW(0.01, weight_decay=0.1), x, t, options.steps // 10)
        with no_grad():
            x_test = MLArray(data.x_test)
            predicted = np.array(linear(x_test, [w, b]))
            by_network = np.array(network(x_test, layers))
    descended = np.append(np.array(w), b.item())

    by_closed_form = data.x_test @ closed[:-1] + closed[-1]
    print("\nheld-out R^2")
    print(f"  least squares, in closed form  {r_squared(by_closed_form, data.t_test):.4f}")
    print(f"  linear, by gradient descent    {r_squared(predicted, data.t_test):.4f}")
    print(f"  network with {HIDDEN} tanh neurons    {r_squared(by_network, data.t_test):.4f}")
    print(f"largest difference of the coefficients: {np.abs(descended - closed).max():.1e}")
    with style.context(STYLE):
        draw(options.out, data, closed, descended, predicted)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
