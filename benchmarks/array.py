"""What steps on arrays cost: SmolML against hand-written NumPy, autograd, MyGrad and PyTorch.

Run it: hatch run bench:array [PART ...] [--threads N] [--float32] [--wall] [--png FILE], or with
PyTorch as well hatch run bench-torch:array. Contestants that are not installed are left out. All
run interleaved in one process; shown are medians in microseconds, and how many times as long as
hand-written NumPy that is. Before anybody is timed, loss and gradients are compared.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Run as a file, not as a module, Python would look here for `array`, which is a module of its own.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p or ".").resolve() != _HERE)]

Table = dict[str, dict[str, float]]  # row -> contestant -> multiples of the first one's time
HAND = "NumPy by hand"
MODULES = {"autograd": "autograd", "micrograd": "micrograd", "MyGrad": "mygrad", "PyTorch": "torch"}


def installed(steps: Mapping[str, Callable[..., Any]], *problem: Any) -> dict[str, Any]:
    """The contestants that are here, on one problem."""
    return {
        name: make(*problem)
        for name, make in steps.items()
        if name not in MODULES or find_spec(MODULES[name])
    }


def check(contestants: Mapping[str, Any], tolerance: float) -> None:
    """Refuse to time what computes something else."""
    import numpy as np

    results = {name: read(step()) for name, (step, read) in contestants.items()}
    first, (loss, grads) = next(iter(results.items()))
    for name, (other, found) in results.items():
        for a, b in [(loss, other), *zip(grads, found, strict=True)]:
            a, b = np.asarray(a), np.asarray(b)
            if a.shape != b.shape or not np.allclose(a, b, tolerance, tolerance):
                sys.exit(f"{name}: computes something else than {first}")


def compared(rows: Mapping[str, Mapping[str, Any]], options: argparse.Namespace) -> Table:
    """Print the medians of every row; return the multiples."""
    from benchmarks.timing import medians

    clock = time.perf_counter if options.wall else time.process_time
    found: Table = {}
    for row, contestants in rows.items():
        check(contestants, 1e-3 if options.float32 else 1e-8)
        times = medians({n: step for n, (step, _) in contestants.items()}, options.rounds, clock)
        unit = next(iter(times.values()))
        found[row] = {name: t / unit for name, t in times.items()}
        shown = (f"{name} {1e6 * t:.0f} ({t / unit:.2f})" for name, t in times.items())
        print(f"  {row:>12}  " + "  ".join(shown), flush=True)
    return found


def mlp(options: argparse.Namespace) -> Table:
    """A step of a perceptron 64 -> H -> H -> 10, batch x H."""
    from benchmarks.arrays import mlp as programs

    steps = {
        HAND: programs.numpy_by_hand,
        "SmolML": programs.smolml,
        "SmolML fused": programs.smolml_fused,
        "SmolML replay": programs.smolml_replay,
        "autograd": programs.autograd,
        "MyGrad": programs.mygrad,
        "PyTorch": programs.torch,
    }
    sizes = ((1, 16), (32, 32), (64, 128), (256, 256), (1024, 512))
    rows = {
        f"{batch} x {hidden}": installed(steps, *programs.problem(batch, hidden, options.dtype))
        for batch, hidden in sizes
    }
    return compared(rows, options)


def chain(options: argparse.Namespace) -> Table:
    """Five times tanh(a y + b), element by element, on n numbers."""
    from benchmarks.arrays import chain as programs

    steps = {
        HAND: programs.numpy_by_hand,
        "SmolML": programs.smolml,
        "autograd": programs.autograd,
        "MyGrad": programs.mygrad,
        "PyTorch": programs.torch,
    }
    sizes = (10, 1000, 100_000)
    return compared(
        {f"n = {n}": installed(steps, *programs.problem(n, options.dtype)) for n in sizes}, options
    )


def transformer(options: argparse.Namespace) -> Table:
    """A transformer block of one head, length x width."""
    from benchmarks.arrays import transformer as programs

    steps = {
        HAND: programs.numpy_by_hand,
        "SmolML": programs.smolml,
        "autograd": programs.autograd,
        "MyGrad": programs.mygrad,
        "PyTorch": programs.torch,
    }
    rows = {
        f"{length} x {width}": installed(steps, *programs.problem(length, width, options.dtype))
        for length, width in ((8, 16), (64, 64), (256, 128))
    }
    return compared(rows, options)


def pure(options: argparse.Namespace) -> Table:
    """Without NumPy: a step of a perceptron 64 -> 32 -> 10, batch 32."""
    from benchmarks.arrays import mlp as programs
    from benchmarks.arrays.objects import micrograd, values

    x, t, params = programs.problem(32, 32)
    chosen = x, t, [*params[:2], *params[4:]]
    steps = {
        HAND: programs.one_layer_by_hand,
        "SmolML pure": programs.one_layer_pure,
        "a Value per number": values,
        "micrograd": micrograd,
    }
    few = min(options.rounds, 5)  # they take seconds
    options = argparse.Namespace(**{**vars(options), "float32": False, "rounds": few})
    return compared({"32 x 32": installed(steps, *chosen)}, options)


def memory(options: argparse.Namespace) -> Table:
    """The most memory in use during a step of the perceptron, 1024 x 512 (no times)."""
    from benchmarks.arrays import mlp as programs

    steps = {
        HAND: programs.numpy_by_hand,
        "SmolML": programs.smolml,
        "SmolML fused": programs.smolml_fused,
        "SmolML replay": programs.smolml_replay,
        "autograd": programs.autograd,
        "MyGrad": programs.mygrad,
    }
    contestants = installed(steps, *programs.problem(1024, 512, options.dtype))
    peaks = {name: float(peak(step)) for name, (step, _) in contestants.items()}
    unit = peaks[HAND]
    print("  " + "  ".join(f"{n} {m / 1e6:.1f} MB ({m / unit:.2f})" for n, m in peaks.items()))
    return {"1024 x 512": {name: m / unit for name, m in peaks.items()}}


def peak(step: Callable[[], Any]) -> int:
    """The most bytes in use during a step beyond what was in use before, NumPy's included."""
    step()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    step()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most - before


PARTS: dict[str, Callable[[argparse.Namespace], Table]] = {
    "mlp": mlp,
    "chain": chain,
    "transformer": transformer,
    "pure": pure,
    "memory": memory,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("parts", nargs="*", metavar="PART", help="of: " + ", ".join(PARTS))
    parser.add_argument("--threads", type=int, help="for BLAS and PyTorch; default: theirs")
    parser.add_argument("--float32", action="store_true", help="float32 in place of float64")
    parser.add_argument("--wall", action="store_true", help="by the clock, not processor time")
    parser.add_argument("--rounds", type=int, default=25, help="turns for everybody (25)")
    parser.add_argument("--png", type=Path, default=Path("array.png"), help="(array.png)")
    options = parser.parse_args()
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"unknown part {unknown[0]!r}; expected some of {', '.join(PARTS)}")
    options.dtype = "float32" if options.float32 else "float64"
    return options


def main() -> None:
    options = arguments()
    if options.threads:  # before NumPy is imported
        for library in ("OPENBLAS", "OMP", "MKL"):
            os.environ[f"{library}_NUM_THREADS"] = str(options.threads)
        if find_spec("torch"):
            import torch

            torch.set_num_threads(options.threads)
    kernel = os.environ.get("OPENBLAS_CORETYPE", "as NumPy chooses")
    print(f"microseconds (multiples of {HAND}); {options.dtype}; BLAS kernel: {kernel}")
    groups: Table = {}
    for name in options.parts or list(PARTS):
        print((PARTS[name].__doc__ or "").strip())
        groups |= {f"{name}\n{row}": found for row, found in PARTS[name](options).items()}
    if find_spec("matplotlib"):
        from benchmarks.picture import bars

        bars(options.png, f"a step, in multiples of {HAND}", groups)
        print(f"the picture is {options.png}")


if __name__ == "__main__":
    main()
