"""Files that PyTorch reads and writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from smolml_array import MLArray, use_backend
from smolml_utils import Adam, load, save
from smolml_value import Value

ARRAYS = {
    "layers.0.weight": np.random.default_rng(0).normal(size=(3, 4)),
    "layers.0.bias": np.array([0.1, -0.0, np.inf, 5e-324]),
    "scale": np.array(1.0 / 3.0),
    "nothing": np.zeros((0, 2)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_pytorch_reads_ours(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    arrays = {name: MLArray(x, dtype=dtype, backend="numpy") for name, x in ARRAYS.items()}
    optimizer = Adam(0.5)
    optimizer.step([arrays["scale"]], [1.0])
    counts, mask = np.array([2**62, -1]), np.array([True, False])
    save(path, arrays | {"v": Value(0.1), "o": optimizer, "n": counts, "mask": mask, "step": 3})
    found = load_file(path)
    for name, x in arrays.items():
        assert found[name].dtype == getattr(torch, dtype)
        assert found[name].numpy().tobytes() == np.asarray(x).tobytes()
        assert found[name].shape == x.shape
    assert found["v"].item() == 0.1
    assert found["n"].tolist() == counts.tolist()
    assert found["mask"].tolist() == mask.tolist()
    assert (found["step"].item(), found["o.scale.t"].item()) == (3, 1)
    assert found["o.learning_rate"].item() == 0.5


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_we_read_pytorchs(dtype: str, tmp_path: Path, backend: str) -> None:
    path = tmp_path / "theirs.safetensors"
    tensors = {name: torch.tensor(x, dtype=getattr(torch, dtype)) for name, x in ARRAYS.items()}
    others = {"n": torch.tensor([2**62, -1]), "mask": torch.tensor([True, False])}
    save_file(tensors | others, path, {"format": "pt"})
    found = load(path)
    assert found.metadata == {"format": "pt"}
    for name, x in tensors.items():
        expected = x.numpy().astype(float)
        assert np.array(found[name].to_list(), dtype=float).tobytes() == expected.tobytes()
        assert found[name].shape == tuple(x.shape)
        assert found[name].requires_grad
        kept = dtype if backend == "numpy" else "float64"
        assert str(found[name].dtype).endswith(kept)
    assert found["n"].to_list() == [2**62, -1]
    assert found["mask"].to_list() == [True, False]


def test_a_module_of_pytorch_fits_into_arrays(tmp_path: Path, backend: str) -> None:
    path = tmp_path / "module.safetensors"
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    module.double()
    save_file(module.state_dict(), path)
    ours = [
        {"weight": MLArray(np.zeros((4, 3))), "bias": MLArray(np.zeros(4))},
        [],
        {"weight": MLArray(np.zeros((2, 4))), "bias": MLArray(np.zeros(2))},
    ]
    load(path, into=ours)
    x = np.random.default_rng(1).normal(size=(5, 3))
    hidden = MLArray(x, requires_grad=False)
    for i, layer in enumerate(layer for layer in ours if isinstance(layer, dict)):
        hidden = (hidden if i == 0 else hidden.tanh()) @ layer["weight"].T + layer["bias"]
    expected = module(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(np.array(hidden.to_list()), expected, rtol=1e-13)
    with use_backend("numpy"):  # and back
        save(path, ours)
    module.load_state_dict(load_file(path))
    np.testing.assert_array_equal(module(torch.tensor(x)).detach().numpy(), expected)
