"""examples/char_gpt.py: it learns, looks at the past only, and writes letters of its alphabet."""

from __future__ import annotations

import math

import numpy as np
import pytest

from examples.char_gpt import (
    CONTEXT,
    attention,
    bigram_loss,
    held_out_loss,
    initial_parameters,
    layer_norm,
    load,
    logits,
    main,
    sample,
)
from smolml import MLArray, no_grad


def test_in_short_it_learns_and_writes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--steps", "12", "--length", "20", "--held-out", "3000"])
    out = capsys.readouterr().out
    losses = [float(line.split()[3]) for line in out.splitlines() if line.startswith("training")]
    assert losses[-1] < losses[0] - 0.3
    held_out = float(out.partition("held-out loss: ")[2].partition(",")[0])
    assert held_out < math.log(80)  # the alphabet is larger: no letter was likelier than another
    written = out.partition("bigram model")[2].partition("\n\n")[2]
    assert len(written) == 20 + 2  # and the start and print's own line end


def test_the_bigram_model_by_hand() -> None:
    ids, held_out = np.array([0, 1, 0, 1]), np.array([0, 1, 1])
    expected = -(math.log(3 / 4) + math.log(1 / 3)) / 2  # counts 1 + [[0, 2], [1, 0]]
    assert bigram_loss(ids, held_out, letters=2) == pytest.approx(expected)


def test_the_text_is_split_not_mixed() -> None:
    alphabet, ids, held_out = load()
    assert len(held_out) / (len(ids) + len(held_out)) == pytest.approx(0.1, abs=1e-3)
    assert alphabet.isascii()
    assert "statement" in "".join(alphabet[i] for i in ids[:5000])


def test_no_place_sees_what_comes_after_it() -> None:
    p = initial_parameters(letters=5, seed=0)
    before = np.array([[0, 1, 2, 3, 4, 0]])
    after = np.array([[0, 1, 2, 0, 1, 2]])
    with no_grad():
        one, other = np.array(logits(before, p)), np.array(logits(after, p))
    np.testing.assert_allclose(one[:, :3], other[:, :3], rtol=1e-5, atol=1e-6)
    assert np.abs(one[:, 3:] - other[:, 3:]).max() > 1e-2


def test_layer_norm_and_attention_against_numpy() -> None:
    rng = np.random.default_rng(0)
    x, gain = rng.normal(size=(2, 5, 64)), rng.normal(size=64)
    centred = x - x.mean(-1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * gain
    np.testing.assert_allclose(np.array(layer_norm(MLArray(x), MLArray(gain))), expected, rtol=1e-9)

    qkv, out = rng.normal(size=(64, 192)) / 8, rng.normal(size=(64, 64)) / 8
    got = np.array(attention(MLArray(x), MLArray(qkv), MLArray(out)))
    for n in range(2):
        for place in range(5):
            seen = []
            for head in range(4):
                q, k, v = ((x[n] @ qkv)[:, part * 64 + head * 16 :][:, :16] for part in range(3))
                weights = np.exp(k[: place + 1] @ q[place] / 4)
                seen.append(weights / weights.sum() @ v[: place + 1])
            np.testing.assert_allclose(got[n, place], np.concatenate(seen) @ out, rtol=1e-9)


def test_a_uniform_model_has_the_loss_of_its_alphabet() -> None:
    p = initial_parameters(letters=5, seed=0)
    p["head"] = MLArray(np.zeros((64, 5)), dtype="float32")
    ids = np.arange(3 * CONTEXT + 7) % 5
    assert held_out_loss(p, ids) == pytest.approx(math.log(5), rel=1e-5)
    written = sample(p, ids[:1], 30, np.random.default_rng(0))
    assert len(written) == 31
    assert set(written) <= set(range(5))
