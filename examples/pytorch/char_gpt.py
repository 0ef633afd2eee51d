"""A small GPT in PyTorch: read it beside examples/char_gpt.py."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy, relu, softmax

CONTEXT, WIDTH, HEADS, LAYERS, BATCH = 64, 64, 4, 2, 16
Ids = np.ndarray[Any, np.dtype[np.int64]]
Parameters = dict[str, torch.Tensor]


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


def initial_parameters(letters: int, seed: int) -> Parameters:
    """Everything that is learned, by name."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float) -> torch.Tensor:
        return scale * torch.randn(*shape, generator=generator)

    scale, depth = WIDTH**-0.5, (2 * LAYERS) ** -0.5
    p = {
        "letters": normal(letters, WIDTH, scale=0.1),
        "places": normal(CONTEXT, WIDTH, scale=0.1),
        "norm": torch.ones(WIDTH),
        "head": normal(WIDTH, letters, scale=scale),
    }
    for i in range(LAYERS):
        p[f"{i}.attention.norm"] = torch.ones(WIDTH)
        p[f"{i}.attention.qkv"] = normal(WIDTH, 3 * WIDTH, scale=scale)
        p[f"{i}.attention.out"] = normal(WIDTH, WIDTH, scale=scale * depth)
        p[f"{i}.mlp.norm"] = torch.ones(WIDTH)
        p[f"{i}.mlp.up"] = normal(WIDTH, 4 * WIDTH, scale=scale)
        p[f"{i}.mlp.down"] = normal(4 * WIDTH, WIDTH, scale=scale * depth / 2)
    return {name: q.requires_grad_() for name, q in p.items()}


def layer_norm(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """Each row with mean 0 and variance 1, times a gain."""
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / (x.var(dim=-1, keepdim=True, correction=0) + 1e-5).sqrt() * gain


def attention(x: torch.Tensor, qkv: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Each place looks at itself and at those before it: softmax(q k^T / sqrt(n)) v, by heads."""
    n, length, width = x.shape
    heads = (x @ qkv).reshape(n, length, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
    q, k, v = heads
    scores = q @ k.transpose(-1, -2) / math.sqrt(width // HEADS)
    past = torch.ones(length, length, dtype=torch.bool).tril()
    weights = softmax(torch.where(past, scores, -math.inf), dim=-1)
    return (weights @ v).transpose(1, 2).reshape(n, length, width) @ out


def logits(ids: Ids, p: Parameters) -> torch.Tensor:
    """For each letter of each piece the scores of the letters that may follow."""
    x = p["letters"][torch.tensor(ids)] + p["places"][: ids.shape[1]]
    for i in range(LAYERS):
        h = layer_norm(x, p[f"{i}.attention.norm"])
        x = x + attention(h, p[f"{i}.attention.qkv"], p[f"{i}.attention.out"])
        h = layer_norm(x, p[f"{i}.mlp.norm"])
        x = x + relu(h @ p[f"{i}.mlp.up"]) @ p[f"{i}.mlp.down"]
    return layer_norm(x, p["norm"]) @ p["head"]


def train(p: Parameters, ids: Ids, steps: int, rng: np.random.Generator) -> list[float]:
    """Minimise the cross-entropy by AdamW, with a learning rate that rises, then falls to 0."""
    optimizer = torch.optim.AdamW(p.values(), weight_decay=0.01)
    losses = []
    begin = time.time()
    for step, (x, y) in enumerate(batches(ids, steps, rng)):
        loss = cross_entropy(logits(x, p).flatten(0, 1), torch.tensor(y).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = 3e-3 * min((step + 1) / 50, 1.0 - step / steps)
        optimizer.step()
        losses.append(loss.item())
        if step % 100 == 0 or step == steps - 1:
            print(
                f"step {step:4}  loss {np.mean(losses[-100:]):.3f}  {time.time() - begin:.1f} s",
                flush=True,
            )
    return losses


def held_out_loss(p: Parameters, ids: Ids) -> float:
    """The mean loss over all of the text, piece after piece, each read from its own beginning."""
    pieces = (len(ids) - 1) // CONTEXT
    x = ids[: pieces * CONTEXT].reshape(pieces, CONTEXT)
    y = ids[1 : pieces * CONTEXT + 1].reshape(pieces, CONTEXT)
    with torch.no_grad():
        parts = [
            cross_entropy(
                logits(x[i : i + 64], p).flatten(0, 1),
                torch.tensor(y[i : i + 64]).flatten(),
                reduction="sum",
            ).item()
            for i in range(0, pieces, 64)
        ]
    return float(sum(parts)) / x.size


def sample(
    p: Parameters, start: Ids, length: int, rng: np.random.Generator, temperature: float = 0.6
) -> Ids:
    """The start and a continuation of it, letter after letter drawn from softmax(logits / t)."""
    ids = start
    with torch.no_grad():
        for _ in range(length):
            last = logits(ids[None, -CONTEXT:], p)[0, -1]
            weights = softmax(last.double() / temperature, dim=-1).numpy()
            ids = np.append(ids, rng.choice(len(weights), p=weights / weights.sum()))
    return ids


def main() -> None:
    alphabet, ids, held_out = load()
    rng = np.random.default_rng(0)
    p = initial_parameters(len(alphabet), seed=0)
    print(
        f"{len(ids):,} letters to learn from, {len(held_out):,} held out, "
        f"{len(alphabet)} different; {sum(a.numel() for a in p.values()):,} parameters"
    )
    train(p, ids, steps=2500, rng=rng)
    bigram = bigram_loss(ids, held_out, len(alphabet))
    print(f"held-out loss: {held_out_loss(p, held_out):.3f}, of the bigram model {bigram:.3f}\n")
    start = np.array([alphabet.index(c) for c in "\n"])
    print("".join(alphabet[i] for i in sample(p, start, 500, rng)))


if __name__ == "__main__":
    main()
