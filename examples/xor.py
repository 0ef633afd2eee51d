"""XOR on Values: the smallest problem that needs a hidden layer, one number at a time.

Nothing here is an array. The network has four tanh neurons and 17 parameters, each of them a
Value. `--out xor.svg` draws the whole of the graph behind a score.

It prints the loss as it falls below 0.01, and the truth table that the network has learned: the
probability that it gives to "one of them, not both" is over 0.99 where that is so, under 0.01
where it is not.

Run it: python examples/xor.py
The same in PyTorch: examples/pytorch/xor.py
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from smolml import SGD, Value, bce_with_logits, draw, track

INPUTS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
TARGETS = [0.0, 1.0, 1.0, 0.0]
HIDDEN = 4


def initial_parameters(seed: int) -> list[Value]:
    """For each neuron two weights, a bias and the weight of its output; one last bias."""
    rng = random.Random(seed)
    return [Value(rng.gauss(0.0, 1.0)) for _ in range(4 * HIDDEN + 1)]


def score(x: tuple[float, float], parameters: Sequence[Value]) -> Value:
    """The logit of "one of them, not both"."""
    total = parameters[-1]
    for i in range(0, 4 * HIDDEN, 4):
        w1, w2, b, out = parameters[i : i + 4]
        total = total + out * (w1 * x[0] + w2 * x[1] + b).tanh()
    return total


def train(parameters: Sequence[Value], steps: int) -> list[float]:
    """Minimise the mean cross-entropy of the four rows; the loss of every step."""
    optimizer = SGD(learning_rate=1.0)
    for _ in (run := track(steps, description="xor")):
        rows = zip(INPUTS, TARGETS, strict=True)
        loss = sum((bce_with_logits(score(x, parameters), t) for x, t in rows), Value(0.0)) / 4.0
        optimizer.zero_grad(parameters)
        loss.backward()
        optimizer.step(parameters)
        run.report(loss=loss)
    return run.history["loss"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="XOR, learned by a network of 17 Values.")
    parser.add_argument("--steps", type=int, default=500, help="steps of gradient descent")
    parser.add_argument("--seed", type=int, default=0, help="of the initial weights")
    parser.add_argument("--out", type=Path, help="an .svg of the graph behind one score")
    options = parser.parse_args(argv)

    parameters = initial_parameters(options.seed)
    losses = train(parameters, options.steps)
    print(f"\nloss: {losses[0]:.3f} at first, {losses[-1]:.3f} after {len(losses)} steps\n")
    print("  a  b | a xor b | learned")
    for x, t in zip(INPUTS, TARGETS, strict=True):
        learned = score(x, parameters).sigmoid().data
        print(f"  {x[0]:.0f}  {x[1]:.0f} |    {t:.0f}    |  {learned:.3f}")
    if options.out is not None:
        for i, parameter in enumerate(parameters):
            names = ("w1", "w2", "b", "out")
            parameter.grad = 0.0
            parameter.label = f"{names[i % 4]} of {i // 4 + 1}" if i < 4 * HIDDEN else "bias"
        probability = score((0.0, 1.0), parameters).sigmoid()
        probability.backward()
        draw(probability).save(options.out)
        print(f"picture: {options.out}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
