"""What every operation on arrays costs beside NumPy's own, and how loops over arrays grow.

Run it: hatch run bench:operations [NAME ...] [--size N] [--pure] [--rounds N] [--png FILE].
Operations: forward, and the backward pass of their sum, in multiples of NumPy's own operation or of
a copy of the array, whichever takes longer; medians of interleaved runs of one process. Where NumPy
has none (erf, gelu) one exponential stands in, and the last column says what SciPy's takes, if that
is installed. Backward passes that have more to do than the operation, those of maximum, minimum,
silu and x[rows], are beside those written by hand in NumPy. Loops: the time of n, 2n and 4n steps,
and by how much it grows when n is doubled; loops over elements also in multiples of NumPy's same
loop, and PyTorch's in multiples of that, if it is installed. In the end stands what is past 4
(forward), 8 (backward), 2.5 (doubled) or 40 (elements).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Run as a file, not as a module, Python would look here for `array`, which is a module of its own.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p or ".").resolve() != _HERE)]

TORCH = "PyTorch's"
FORWARD, BACKWARD, DOUBLED, ELEMENTS = 4.0, 8.0, 2.5, 40.0
Loop = Callable[[Any], Any]  # over the elements, or the rows, of an array
Case = tuple[Callable[..., Any], Callable[..., Any], list[Any]]  # ours, NumPy's, ndarrays


def by_hand(name: str) -> Callable[..., Any] | None:
    """The backward pass of an op as one writes it in NumPy, where the forward says little of it."""
    import numpy as np

    def shares(x: Any, y: Any) -> tuple[Any, Any]:
        first = np.where(x == y, 0.5, (x > y) if name == "maximum" else (x < y))
        return first, 1.0 - first

    def slope(x: Any) -> Any:
        s = 1.0 / (1.0 + np.exp(-x))
        return s * (1.0 + x * (1.0 - s))

    def rows_added(x: Any) -> Any:
        out = np.zeros_like(x)
        np.add.at(out, np.random.default_rng(0).integers(0, len(x), len(x)), np.ones_like(x))
        return out

    found: dict[str, Callable[..., Any]] = {
        "maximum": shares,
        "minimum": shares,
        "silu": slope,
        "x[rows]": rows_added,
    }
    return found.get(name)


def of_scipy(name: str) -> Callable[..., Any] | None:
    """SciPy's function of the name."""
    try:
        from scipy import special
    except ImportError:
        return None
    known = {"erf": special.erf, "gelu": lambda x: x * special.ndtr(x)}
    return known.get(name)


def elementwise(n: int) -> Iterator[tuple[str, Case]]:
    """The ops of the table."""
    import numpy as np

    from smolml_value.table import TABLE

    def stand_in(name: str) -> Callable[..., Any]:
        """NumPy's function of the name, or what has as much to do: maximum, or one exponential."""
        if name.endswith("relu"):
            return lambda x: np.maximum(x, 0.0)
        if name == "softplus":
            return lambda x: np.logaddexp(x, 0.0)
        return getattr(np, name, None) or (lambda x, *rest: np.exp(x))

    rng = np.random.default_rng(0)
    for name, op in TABLE.items():
        yield name, (op, stand_in(name), [rng.uniform(*d, size=n) for d in op.domain])


def functions(n: int) -> Iterator[tuple[str, Case]]:
    """Array functions, each beside the same in NumPy."""
    import numpy as np

    import smolml_array as sm
    from smolml_utils import softmax

    rng = np.random.default_rng(1)
    side = int(n**0.5)
    flat, square = rng.uniform(0.5, 1.5, n), rng.uniform(0.5, 1.5, (side, side))
    places = rng.integers(0, n, n)
    rows = rng.integers(0, side, side)
    counts = rng.integers(0, 3, n)
    batch = rng.uniform(0.5, 1.5, (max(1, n // 1000), 10, 10))
    mask = flat > 1.0

    def both(name: str, *args: Any, x: Any = flat, **params: Any) -> Any:
        theirs = getattr(np, name)
        return name, (
            lambda a: getattr(a, name)(*args, **params),
            lambda a: theirs(a, *args, **params),
            [x],
        )

    for name in ("sum", "mean", "max", "min", "prod", "std", "var"):
        yield both(name)
        for axis in (0, 1):
            label, case = both(name, x=square, axis=axis)
            yield f"{label} axis={axis}", case
    for name in ("cumulative_sum", "cumulative_prod"):
        yield both(name)
    for name in ("sort", "flip", "roll", "diff", "tile", "repeat"):
        yield both(name, *{"roll": (3,), "tile": (2,), "repeat": (2,)}.get(name, ()))
    yield "sort axis=0", both("sort", x=square, axis=0)[1]
    yield "repeat by counts", both("repeat", counts)[1]
    for mode in ("constant", "edge", "reflect", "wrap"):
        yield f"pad {mode}", both("pad", 3, x=square, mode=mode)[1]
    yield "take", both("take", places)[1]
    yield "x[places]", (lambda a: a[places], lambda a: a[places], [flat])
    yield "x[rows]", (lambda a: a[rows], lambda a: a[rows], [square])
    yield "x[mask]", (lambda a: a[mask], lambda a: a[mask], [flat])
    yield "x[1:-1]", (lambda a: a[1:-1] * 1.0, lambda a: a[1:-1] * 1.0, [flat])
    yield (
        "concat",
        (
            lambda a, b: sm.concat([a, b]),
            lambda a, b: np.concatenate([a, b]),
            [flat, flat],
        ),
    )
    yield "stack", (lambda a, b: sm.stack([a, b]), lambda a, b: np.stack([a, b]), [flat, flat])
    yield (
        "where",
        (
            lambda a, b: sm.where(mask, a, b),
            lambda a, b: np.where(mask, a, b),
            [flat, flat],
        ),
    )
    yield "transpose", (lambda a: a.T * 1.0, lambda a: a.T * 1.0, [square])
    yield "matmul", (lambda a, b: a @ b, lambda a, b: a @ b, [square, square])
    yield "matmul of 10 x 10", (lambda a, b: a @ b, lambda a, b: a @ b, [batch, batch])
    yield "outer", (sm.outer, np.outer, [flat[:side], flat[:side]])
    for order in (1, 2, 3):
        yield (
            f"vector_norm ord={order}",
            (
                lambda a, order=order: a.vector_norm(ord=order),
                lambda a, order=order: np.linalg.vector_norm(a, ord=order),
                [flat],
            ),
        )
    yield "softmax", (lambda a: softmax(a), lambda a: np.exp(a) / np.exp(a).sum(), [flat])
    yield (
        "logcumsumexp",
        (
            lambda a: a.logcumsumexp(),
            lambda a: np.logaddexp.accumulate(a),
            [flat],
        ),
    )


# Loops for both tables below, on arrays of ours; some run on NumPy's and on PyTorch's, too.


def numbers_set(x: Any) -> None:
    for i in range(len(x)):
        x[i] = 1.0


def arrays_set(x: Any) -> Any:
    y = x * 0.0
    for i in range(len(x)):
        y[i] = x[i]
    return y


def arrays_added(x: Any) -> Any:
    y = x * 0.0
    for i in range(len(x)):
        y[i] += x[i]
    return y


def recurrence(step: Loop) -> Loop:
    def run(x: Any) -> Any:
        y = x * 1.0
        for i in range(1, len(x)):
            y[i] = step(y[i - 1])
        return y

    return run


def elements_summed(x: Any) -> None:
    total = 0.0
    for i in range(len(x)):
        total = total + x.data[i]


def elements_set(x: Any) -> None:
    for i in range(len(x)):
        x.data[i] = 1.0


def loops(backend: str) -> dict[str, Callable[[int], Callable[[], Any]]]:
    """Per name: from n to a program of n steps."""
    import numpy as np

    import smolml_array as sm
    from smolml_value import no_grad

    def array(*shape: int) -> Any:
        return sm.MLArray(np.random.default_rng(0).uniform(0.5, 1.5, shape), backend=backend)

    mix = array(8, 8) * 0.1

    def recurrent(n: int) -> Callable[[], Any]:
        x, w = array(n, 8), array(8, 8) * 0.1

        def run() -> None:
            h: Any = 0.0 * array(8).detach()
            for row in x:
                h = (row + h @ w).tanh()
            h.sum().backward()

        return run

    def on(make: Loop, *more: int) -> Callable[[int], Callable[[], Any]]:
        def prepared(n: int) -> Callable[[], Any]:
            x = array(n, *more)
            return lambda: make(x)

        return prepared

    def and_back(make: Loop) -> Loop:
        return lambda x: make(x).sum().backward()

    def numbers_added(x: Any) -> None:
        with no_grad():
            for i in range(len(x)):
                x[i] += 1.0

    def added(parts: Any) -> None:
        total: Any = 0.0
        for part in parts:
            total = total + part.sum()
        total.backward()

    def recorded(n: int) -> Callable[[], Any]:
        params = [array(3) for _ in range(n)]
        x = array(3).detach()

        def run() -> None:
            def loss(x: Any) -> Any:
                total: Any = 0.0
                for p in params:
                    total = total + (p * x).sum()
                return total

            sm.replay(loss, params)(x)

        return run

    found = {
        "for row in x (RNN)": recurrent,
        "stack of x[i]": on(and_back(lambda x: sm.stack([x[i] for i in range(len(x))])), 8),
        "concat of x[i:i+1] * 2": on(
            and_back(lambda x: sm.concat([x[i : i + 1] * 2.0 for i in range(len(x))])), 8
        ),
        "x.split(n)": on(lambda x: added(x.split(len(x))), 8),
        "x[i] = number": on(numbers_set),
        "y[i] = x[i]": on(and_back(arrays_set)),
        "x[i] += number": on(numbers_added),
        "y[i] += x[i]": on(and_back(arrays_added)),
        "y[i] = y[i - 1] * 0.9": on(and_back(recurrence(lambda y: y * 0.9))),
        "y[i] = y[i - 1] ** 2 * 0.9": on(and_back(recurrence(lambda y: y * y * 0.9))),
        "y[i] = tanh(y[i - 1])": on(and_back(recurrence(lambda y: y.tanh()))),
        "y[i] = tanh(y[i - 1] @ w)": on(and_back(recurrence(lambda y: (y @ mix).tanh())), 8),
        "s += x.data[i]": on(elements_summed),
        "x.data[i] = number": on(elements_set),
    }
    if backend == "numpy":
        found["replay of n parameters"] = recorded
    return found


def elements() -> dict[str, tuple[Loop, Loop]]:
    """Loops over the elements of an array of one axis, each beside the same in NumPy."""

    def each(x: Any) -> None:
        for _ in x:
            pass

    def by_position(x: Any) -> None:
        for i in range(len(x)):
            x[i]

    def summed(x: Any) -> None:
        total = 0.0
        for i in range(len(x)):
            total = total + x[i]

    def at_data(x: Any) -> None:
        for i in range(len(x)):
            x.data[i]

    faded = recurrence(lambda y: y * 0.9)
    return {
        "for e in x": (each, each),
        "x[i]": (by_position, by_position),
        "x[i] = number": (numbers_set, numbers_set),
        "list(x.data)": (lambda x: list(x.data), list),
        "x.data[i]": (at_data, by_position),
        "s += x.data[i]": (elements_summed, summed),
        "x.data[i] = number": (elements_set, numbers_set),
        "y[i] = x[i]": (arrays_set, arrays_set),
        "y[i] += x[i]": (arrays_added, arrays_added),
        "y[i] = y[i - 1] * 0.9": (faded, faded),
    }


def _backward(result: Any, leaves: list[Any]) -> Callable[[], None]:
    def run() -> None:
        for x in leaves:
            x.zero_grad()
        result.backward()

    return run


def timed_operations(options: argparse.Namespace) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Print a row for each operation; the multiples, and what is past the bounds."""
    from benchmarks.timing import medians
    from smolml_array import MLArray

    table: dict[str, dict[str, float]] = {}
    past = []
    print(f"{'':>24}  {'NumPy':>9}  {'forward':>8}  {'backward':>8}  {'SciPy':>8}")
    for name, (ours, theirs, inputs) in [*elementwise(options.size), *functions(options.size)]:
        if options.names and name not in options.names:
            continue
        arrays = [MLArray(x) for x in inputs]
        result = ours(*arrays).sum()
        runs = {
            "unit": lambda theirs=theirs, inputs=inputs: theirs(*inputs),
            "copy": inputs[0].copy,
            "forward": lambda ours=ours, arrays=arrays: ours(*arrays),
            **({"backward": _backward(result, arrays)} if result.requires_grad else {}),
        }
        for more, f in (("SciPy", of_scipy(name)), ("by hand", by_hand(name))):
            if f is not None:
                runs[more] = lambda f=f, inputs=inputs: f(*inputs)
        times = medians(runs, options.rounds)
        unit = max(times["unit"], times["copy"])
        units = {"backward": max(unit, times.get("by hand", 0.0))}
        columns = ("forward", "backward", "SciPy")
        row = {k: times[k] / units.get(k, unit) for k in columns if k in times}
        table[name] = {k: row[k] for k in columns[:2] if k in row}
        shown = "".join(f"  {row[k]:8.2f}" if k in row else "" for k in columns)
        print(f"{name:>24}  {1e6 * unit:6.0f} us{shown}", flush=True)
        for k, bound in (("forward", FORWARD), ("backward", BACKWARD)):
            if row.get(k, 0.0) > bound:
                past.append(f"{name} {k}: {row[k]:.1f}")
    return table, past


def timed_loops(backend: str, n: int, names: list[str], rounds: int) -> list[str]:
    """Print a row for each loop; those that grow too fast."""
    from benchmarks.timing import medians

    past = []
    print(f"\nLoops on {backend}: n = {n}, 2n, 4n")
    for name, make in loops(backend).items():
        if names and name not in names:
            continue
        times = medians({str(k): make(k * n) for k in (1, 2, 4)}, rounds)
        first, second, third = times.values()
        growth = max(second / first, third / second)
        shown = ", ".join(f"{1e3 * t:.1f}" for t in times.values())
        print(f"{name:>24}  {shown} ms  x {second / first:.1f}, x {third / second:.1f}", flush=True)
        if growth > DOUBLED:
            past.append(f"{name} on {backend}: x {growth:.1f}")
    return past


def timed_elements(n: int, names: list[str], rounds: int) -> list[str]:
    """Print a row for each loop over n elements that nobody has looked at; those past the bound."""
    import numpy as np

    from benchmarks.timing import medians
    from smolml_array import MLArray

    past = []
    torch: Any = import_module("torch") if find_spec("torch") else None
    numbers = np.random.default_rng(0).uniform(0.5, 1.5, n)
    print(f"\nLoops over {n} elements beside NumPy's same loop; PyTorch's, which records too")
    for name, (ours, theirs) in elements().items():
        if names and name not in names:
            continue
        runs = {
            "ours": lambda ours=ours: ours(MLArray(numbers)),
            "NumPy's": lambda theirs=theirs: theirs(numbers.copy()),
        }
        if torch is not None and "data" not in name and name != "x[i] = number":  # of a leaf
            runs[TORCH] = lambda ours=ours: ours(torch.tensor(numbers, requires_grad=True))
        times = medians(runs, rounds)
        own, unit = times["ours"], times["NumPy's"]
        peer = f"  {times[TORCH] / unit:8.1f}" if TORCH in times else ""
        print(f"{name:>24}  {1e9 * unit / n:6.0f} ns  {own / unit:8.1f}{peer}", flush=True)
        if own > ELEMENTS * unit:
            past.append(f"{name}: {own / unit:.1f}")
    return past


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of operations or loops; all of them by default")
    parser.add_argument("--size", type=int, default=10**6, help="elements of an operation")
    parser.add_argument("--steps", type=int, default=500, help="n of the loops")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pure", action="store_true", help="the loops of the pure backend alone")
    parser.add_argument("--png", type=Path, help="where to write the table as a picture")
    options = parser.parse_args()
    begin = time.perf_counter()
    past: list[str] = []
    if not options.pure:
        table, past = timed_operations(options)
        past += timed_loops("numpy", options.steps, options.names, options.rounds)
        past += timed_elements(options.steps, options.names, options.rounds)
        if options.png:
            from benchmarks.picture import bars

            bars(options.png, "Multiples of NumPy's own operation", table)
    past += timed_loops("pure", max(1, options.steps // 4), options.names, options.rounds)
    print(f"\n{time.perf_counter() - begin:.0f} s; past the bounds:")
    print("\n".join(f"  {line}" for line in past) or "  nothing")


if __name__ == "__main__":
    main()
