"""Two moons: a small network bends a line between them (the demo of Karpathy's micrograd).

A perceptron with two hidden layers of 16 relu neurons, the max-margin loss of a support vector
machine with a little weight decay, 200 steps of gradient descent over all 100 points.

It prints loss and accuracy on the way, ends at 100 % of the training points, and draws the
decision boundary into moons.png.

Run it: python examples/moons.py (needs smolml[demo])
The same in PyTorch: examples/pytorch/moons.py
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.datasets import make_moons

from smolml import SGD, Generator, HeNormal, MLArray, no_grad, relu, track, use_backend, zeros

WIDTH = 16
DECAY = 1e-4
STYLE = Path(__file__).with_name("smolml.mplstyle")
BLUE, ORANGE = "#0072b2", "#d55e00"


def initial_parameters(seed: int) -> list[MLArray]:
    """Weights and biases of three layers: 2 - 16 - 16 - 1."""
    parameters = []
    generator = Generator(seed)
    for n_in, n_out in [(2, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)]:
        parameters += [HeNormal.initialize(n_in, n_out, generator=generator), zeros(n_out)]
    return parameters


def score(x: MLArray, parameters: Sequence[MLArray]) -> MLArray:
    """Positive for the one moon, negative for the other; one number for each row of x."""
    W1, b1, W2, b2, W3, b3 = parameters
    h = relu(x @ W1 + b1)
    h = relu(h @ W2 + b2)
    return (h @ W3 + b3).squeeze(-1)


def train(
    parameters: Sequence[MLArray], x: MLArray, t: MLArray, steps: int
) -> tuple[list[float], list[float]]:
    """Minimise the mean of relu(1 - t score); the losses and the accuracies of all steps."""
    optimizer = SGD(learning_rate=1.0)
    for step in (run := track(steps, description="moons")):
        margins = t * score(x, parameters)
        loss = relu(1.0 - margins).mean()
        loss = loss + DECAY * sum((p * p).sum() for p in parameters)
        optimizer.zero_grad(parameters)
        loss.backward()
        optimizer.learning_rate = 1.0 - 0.9 * step / steps
        optimizer.step(parameters)
        run.report(loss=loss, accuracy=(margins > 0.0).astype("float64").mean())
    return run.history["loss"], run.history["accuracy"]


def draw(
    out: Path,
    parameters: Sequence[MLArray],
    x: MLArray,
    t: MLArray,
    losses: Sequence[float],
    accuracies: Sequence[float],
) -> None:
    """The boundary and its margins on the left; loss and accuracy of the steps on the right."""
    points, side = np.array(x), np.array(t) > 0.0
    low, high = points.min(axis=0) - 0.4, points.max(axis=0) + 0.4
    across, up = np.linspace(low[0], high[0], 121), np.linspace(low[1], high[1], 121)
    grid = np.stack(np.meshgrid(across, up), axis=-1)
    with no_grad():
        scores = np.array(score(MLArray(grid.reshape(-1, 2)), parameters)).reshape(121, 121)

    figure = Figure(figsize=(12, 5.6))
    axes = figure.subplot_mosaic([["moons", "loss"], ["moons", "accuracy"]], width_ratios=[2, 1])
    moons = axes["moons"]
    moons.imshow(
        scores,
        extent=(low[0], high[0], low[1], high[1]),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
        cmap=LinearSegmentedColormap.from_list("", [BLUE, "white", ORANGE]),
        vmin=-3.0,
        vmax=3.0,
        alpha=0.45,
    )
    moons.contour(across, up, scores, [-1, 1], colors="black", linewidths=0.8, linestyles="--")
    moons.contour(across, up, scores, [0], colors="black", linewidths=2.2)
    for which, colour, marker in [(~side, BLUE, "o"), (side, ORANGE, "s")]:
        px, py = points[which].T
        moons.scatter(px, py, c=colour, marker=marker, s=46, edgecolors="white")
    moons.set(title="Two moons; score 0 (solid), -1 and 1 (dashed)", xlabel="x", ylabel="y")
    moons.grid(visible=False)
    axes["loss"].plot(losses, color="black")
    axes["loss"].set(title="Loss", ylabel="max-margin loss", yscale="log")
    axes["accuracy"].plot(accuracies, color="black")
    axes["accuracy"].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    title = f"Accuracy: {accuracies[-1]:.0%} at the end"
    axes["accuracy"].set(title=title, xlabel="step", ylabel="of the training points")
    figure.savefig(out)
    print(f"accuracy {accuracies[-1]:.0%}, picture: {out}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Two moons, told apart by a small network.")
    parser.add_argument("--steps", type=int, default=200, help="steps of gradient descent")
    parser.add_argument("--seed", type=int, default=0, help="of the points and the weights")
    parser.add_argument("--backend", choices=["numpy", "pure"], default="numpy")
    parser.add_argument("--out", type=Path, default=Path("moons.png"), help="the picture")
    options = parser.parse_args(argv)

    points, moon = make_moons(n_samples=100, noise=0.1, random_state=options.seed)
    with use_backend(options.backend):
        x = MLArray(points, requires_grad=False)
        t = MLArray(2.0 * moon - 1.0, requires_grad=False)  # -1 for the one moon, 1 for the other
        parameters = initial_parameters(options.seed)
        losses, accuracies = train(parameters, x, t, options.steps)
        with style.context(STYLE):
            draw(options.out, parameters, x, t, losses, accuracies)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
