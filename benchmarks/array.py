"""What steps on arrays cost: SmolML against hand-written NumPy, autograd, MyGrad and PyTorch.

Run it: hatch run bench:array, or with PyTorch as well hatch run bench-torch:array, with
[mlp|chain|transformer|pure|memory ...] [--threads N] [--float32] [--png FILE].
Contestants that are not installed are left out. All of them run interleaved in one process; shown
are medians, and how many times as long as hand-written NumPy they are. Before it is timed, every
contestant's loss and gradients are compared with those of hand-written NumPy.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# The folder of this file must not be searched: a module `array` is there, which is Python's too.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p or ".").resolve() != _HERE)]

Table = dict[str, dict[str, float]]  # row -> contestant -> seconds
SIZES = ((1, 16), (32, 32), (64, 128), (256, 256), (1024, 512))
HAND = "NumPy by hand"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of: " + ", ".join(PARTS))
    parser.add_argument("--threads", type=int, help="for BLAS and PyTorch; default: theirs")
    parser.add_argument("--float32", action="store_true", help="float32 in place of float64")
    parser.add_argument("--budget", type=float, default=0.7, help="seconds per contestant and row")
    parser.add_argument("--png", type=Path, help="where to draw the tables")
    return parser.parse_args()


def installed(steps: Mapping[str, Callable[..., Any]], *problem: Any) -> dict[str, Any]:
    """The steps of the contestants that are here, on one problem; the name says the module."""
    modules = {"autograd": "autograd", "MyGrad": "mygrad", "PyTorch": "torch"}
    return {
        name: make(*problem)
        for name, make in steps.items()
        if modules.get(name) is None or find_spec(modules[name])
    }


def check(steps: Mapping[str, Any], tolerance: float) -> None:
    """Refuse to time what computes something else."""
    import numpy as np

    results = {name: read(step()) for name, (step, read) in steps.items()}
    loss, grads = next(iter(results.values()))
    for name, (other, found) in results.items():
        pairs = [(loss, other), *zip(grads, found, strict=True)]
        for a, b in pairs:
            a, b = np.asarray(a), np.asarray(b)
            if a.shape != b.shape or not np.allclose(a, b, tolerance, tolerance):
                sys.exit(f"{name}: computes something else than {next(iter(steps))}")


def compared(rows: Mapping[str, Mapping[str, Any]], options: argparse.Namespace) -> Table:
    """The medians of every row, and the table of them."""
    from benchmarks.arrays.timing import medians

    found: Table = {}
    for row, steps in rows.items():
        check(steps, 1e-3 if options.float32 else 1e-8)
        found[row] = medians({name: step for name, (step, _) in steps.items()}, options.budget)
        first = next(iter(found[row].values()))
        shown = "".join(
            f"  {name} {1e6 * t:.0f}" + (f" ({t / first:.2f})" if name != HAND else "")
            for name, t in found[row].items()
        )
        print(f"{row:>14}{shown}", flush=True)
    return found


def mlp(options: argparse.Namespace) -> Table:
    """A step of a perceptron 64 -> H -> H -> 10; rows are (batch, H)."""
    from benchmarks.arrays import mlp as programs

    steps = {
        HAND: programs.numpy_by_hand,
        "SmolML": programs.smolml,
        "SmolML fused": programs.smolml_fused,
        "autograd": programs.autograd,
        "MyGrad": programs.mygrad,
        "PyTorch": programs.torch,
    }
    dtype = "float32" if options.float32 else "float64"
    rows = {
        f"{batch} x {hidden}": installed(steps, *programs.problem(batch, hidden, dtype))
        for batch, hidden in SIZES
    }
    return compared(rows, options)


PARTS: dict[str, Callable[[argparse.Namespace], Table]] = {"mlp": mlp}


def draw(tables: Mapping[str, Table], file: Path) -> None:
    """Every table as bars: multiples of the first contestant's time, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(tables), 1, figsize=(9, 3.2 * len(tables)), squeeze=False, layout="constrained"
    )
    for ax, (title, table) in zip(axes[:, 0], tables.items(), strict=True):
        names = list(dict.fromkeys(name for row in table.values() for name in row))
        width = 0.8 / len(names)
        for j, name in enumerate(names):
            places = [i for i, row in enumerate(table.values()) if name in row]
            ratios = [row[name] / next(iter(row.values())) for row in table.values() if name in row]
            bars = ax.bar([i + j * width for i in places], ratios, width, label=name)
            ax.bar_label(bars, fmt="%.2g", fontsize=6)
        ax.set_xticks([i + 0.4 - width / 2 for i in range(len(table))], list(table))
        ax.set_yscale("log")
        ax.axhline(1.0, color="black", linewidth=0.5)
        ax.set_ylabel(f"time / {names[0]}")
        ax.set_title(title, fontsize=9)
        ax.legend(fontsize=6, ncols=len(names))
    figure.savefig(file, dpi=150)
    print(f"drawn: {file}")


def main() -> None:
    options = arguments()
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        sys.exit(f"unknown part {unknown[0]!r}; expected some of {', '.join(PARTS)}")
    if options.threads:  # before NumPy is imported
        for library in ("OPENBLAS", "OMP", "MKL", "NPYRUN"):
            os.environ[f"{library}_NUM_THREADS"] = str(options.threads)
        if find_spec("torch"):
            import torch

            torch.set_num_threads(options.threads)
    print(f"microseconds per step (in multiples of {HAND}); BLAS kernel:", kernel())
    tables: dict[str, Table] = {}
    for name in options.parts or list(PARTS):
        title = (PARTS[name].__doc__ or name).strip()
        print(title)
        tables[title] = PARTS[name](options)
    if options.png:
        draw({title: table for title, table in tables.items() if table}, options.png)


def kernel() -> str:
    """What NumPy multiplies matrices with."""
    chosen = os.environ.get("OPENBLAS_CORETYPE")
    return f"OpenBLAS {chosen} (OPENBLAS_CORETYPE)" if chosen else "as NumPy chooses"


if __name__ == "__main__":
    main()
