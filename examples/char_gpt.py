"""A small GPT that learns to write Python documentation, letter by letter.

Embeddings, causal self-attention, layer norm, a perceptron, residual connections, AdamW: a whole
transformer, written out on MLArray. Its text is what comes with Python itself, the topics that
help() knows. The last tenth of it is held out.

It prints the loss on the way, in nats per character, then the loss on the held-out text beside that
of a bigram model, which knows the last letter only (it counts pairs, and adds one to each count).
The transformer's is far lower: about 1.32 against 2.32. At the end it writes some text of its own.

Run it: python examples/char_gpt.py (a quarter of an hour on one core; --steps 500 is a taste)
The same in PyTorch: examples/pytorch/char_gpt.py
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pydoc_data.topics import topics
from typing import Any

import numpy as np

from smolml import (
    AdamW,
    Generator,
    MLArray,
    cross_entropy,
    no_grad,
    ones,
    random_normal,
    relu,
    softmax,
    track,
    where,
)

CONTEXT, WIDTH, HEADS, LAYERS, BATCH = 64, 64, 4, 2, 16
Ids = np.ndarray[Any, np.dtype[np.int64]]
Parameters = dict[str, MLArray]


# The text --------------------------------------------------------------------------------------


def load() -> tuple[str, Ids, Ids]:
    """The alphabet, and the text as positions in it: for training, and held out."""
    text = "\n\n".join(topics[name].strip() for name in sorted(topics))
    plain = str.maketrans("‘’“”–—", "''\"\"--")
    text = text.translate(plain).encode("ascii", "ignore").decode()
    alphabet = "".join(sorted(set(text)))
    ids = np.array([alphabet.index(c) for c in text])
    split = len(ids) * 9 // 10
    return alphabet, ids[:split], ids[split:]


def batches(ids: Ids, steps: int, rng: np.random.Generator) -> Iterator[tuple[Ids, Ids]]:
    """Pieces of the text from anywhere in it, and for each letter the one that follows."""
    for _ in range(steps):
        starts = rng.integers(len(ids) - CONTEXT, size=(BATCH, 1))
        places = starts + np.arange(CONTEXT)
        yield ids[places], ids[places + 1]


def bigram_loss(ids: Ids, held_out: Ids, letters: int) -> float:
    """-log p(letter | letter before), p from counts of pairs with one added to each."""
    counts = np.ones((letters, letters))
    np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
    p = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log(p[held_out[:-1], held_out[1:]]).mean())


# The model -------------------------------------------------------------------------------------


def initial_parameters(letters: int, seed: int, dtype: str = "float32") -> Parameters:
    """Everything that is learned, by name."""
    generator = Generator(seed)

    def normal(*shape: int, scale: float) -> MLArray:
        return random_normal(*shape, std=scale, generator=generator, dtype=dtype)

    scale, depth = WIDTH**-0.5, (2 * LAYERS) ** -0.5
    p = {
        "letters": normal(letters, WIDTH, scale=0.1),
        "places": normal(CONTEXT, WIDTH, scale=0.1),
        "norm": ones(WIDTH, dtype=dtype),
        "head": normal(WIDTH, letters, scale=scale),
    }
    for i in range(LAYERS):
        p[f"{i}.attention.norm"] = ones(WIDTH, dtype=dtype)
        p[f"{i}.attention.qkv"] = normal(WIDTH, 3 * WIDTH, scale=scale)
        p[f"{i}.attention.out"] = normal(WIDTH, WIDTH, scale=scale * depth)
        p[f"{i}.mlp.norm"] = ones(WIDTH, dtype=dtype)
        p[f"{i}.mlp.up"] = normal(WIDTH, 4 * WIDTH, scale=scale)
        p[f"{i}.mlp.down"] = normal(4 * WIDTH, WIDTH, scale=scale * depth / 2)
    return p


def layer_norm(x: MLArray, gain: MLArray) -> MLArray:
    """Each row with mean 0 and variance 1, times a gain."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / (x.var(axis=-1, keepdims=True) + 1e-5).sqrt() * gain


def attention(x: MLArray, qkv: MLArray, out: MLArray) -> MLArray:
    """Each place looks at itself and at those before it: softmax(q k^T / sqrt(n)) v, by heads."""
    n, length, width = x.shape
    heads = (x @ qkv).reshape(n, length, 3, HEADS, width // HEADS).transpose(2, 0, 3, 1, 4)
    q, k, v = heads
    scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(width // HEADS)
    past = np.tri(length, dtype=bool)
    weights = softmax(where(past, scores, -math.inf))
    return (weights @ v).transpose(0, 2, 1, 3).reshape(n, length, width) @ out


def logits(ids: Ids, p: Parameters) -> MLArray:
    """For each letter of each piece the scores of the letters that may follow."""
    x = p["letters"][ids] + p["places"][: ids.shape[1]]
    for i in range(LAYERS):
        h = layer_norm(x, p[f"{i}.attention.norm"])
        x = x + attention(h, p[f"{i}.attention.qkv"], p[f"{i}.attention.out"])
        h = layer_norm(x, p[f"{i}.mlp.norm"])
        x = x + relu(h @ p[f"{i}.mlp.up"]) @ p[f"{i}.mlp.down"]
    return layer_norm(x, p["norm"]) @ p["head"]


def train(p: Parameters, ids: Ids, steps: int, rng: np.random.Generator) -> list[float]:
    """Minimise the cross-entropy by AdamW, with a learning rate that rises, then falls to 0."""
    optimizer = AdamW(weight_decay=0.01)
    run = track(batches(ids, steps, rng), total=steps, description="training")
    for step, (x, y) in enumerate(run):
        loss = cross_entropy(logits(x, p), y)
        optimizer.zero_grad(p.values())
        loss.backward()
        optimizer.learning_rate = 3e-3 * min((step + 1) / 50, 1.0 - step / steps)
        optimizer.step(p.values())
        run.report(loss=loss)
    return run.history["loss"]


def held_out_loss(p: Parameters, ids: Ids) -> float:
    """The mean loss over all of the text, piece after piece, each read from its own beginning."""
    pieces = (len(ids) - 1) // CONTEXT
    x = ids[: pieces * CONTEXT].reshape(pieces, CONTEXT)
    y = ids[1 : pieces * CONTEXT + 1].reshape(pieces, CONTEXT)
    with no_grad():
        parts = [
            cross_entropy(logits(x[i : i + 64], p), y[i : i + 64], reduction="sum").item()
            for i in range(0, pieces, 64)
        ]
    return float(sum(parts)) / x.size


def sample(
    p: Parameters, start: Ids, length: int, rng: np.random.Generator, temperature: float = 0.6
) -> Ids:
    """The start and a continuation of it, letter after letter drawn from softmax(logits / t)."""
    ids = start
    with no_grad():
        for _ in range(length):
            last = logits(ids[None, -CONTEXT:], p)[0, -1]
            weights = np.array(softmax(last.astype("float64") / temperature))
            ids = np.append(ids, rng.choice(len(weights), p=weights / weights.sum()))
    return ids


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="A small GPT that writes Python documentation.")
    parser.add_argument("--steps", type=int, default=2500, help="steps of AdamW")
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches and the sample")
    parser.add_argument("--length", type=int, default=500, help="letters to write")
    parser.add_argument("--held-out", type=int, help="letters of the held-out text (all of it)")
    options = parser.parse_args(argv)

    alphabet, ids, held_out = load()
    held_out = held_out[: options.held_out]
    rng = np.random.default_rng(options.seed)
    p = initial_parameters(len(alphabet), options.seed)
    print(
        f"{len(ids):,} letters to learn from, {len(held_out):,} held out, "
        f"{len(alphabet)} different; {sum(a.size() for a in p.values()):,} parameters"
    )
    train(p, ids, options.steps, rng)
    bigram = bigram_loss(ids, held_out, len(alphabet))
    print(f"\nheld-out loss: {held_out_loss(p, held_out):.3f}, of the bigram model {bigram:.3f}\n")
    start = np.array([alphabet.index(c) for c in "\n"])
    print("".join(alphabet[i] for i in sample(p, start, options.length, rng)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
