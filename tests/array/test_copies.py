"""Writing to the result of a function changes what it was given only if it is declared a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import smolml_array
from smolml_array import MLArray, ShapeError
from smolml_array._namespaces.numpy_functions import FUNCTIONS as NUMPYS
from smolml_array.functions.table import FUNCTIONS
from smolml_value import no_grad
from tests.array.helpers import flat

# The declared ones: `docs/en/arrays.md` names them, and their docstrings say so.
WINDOWS = {
    *("diagonal", "expand_dims", "flatten", "flip", "matrix_transpose", "moveaxis", "permute_dims"),
    *("reshape", "split", "squeeze", "transpose", "unstack"),
    *("T", "mT", "getitem", "iter", "MLArray", "array_split"),
    *("atleast_1d", "atleast_2d", "ravel", "swapaxes"),  # NumPy's, made of these
    *("asarray", "astype(copy=False)", "real"),  # the array API's, of what is asked for already
    *("ensure_array", "restart", "to_backend", "to_device", "update_values"),  # x itself
}


def same(x: MLArray) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Calls that leave every element where it is, wherever a function can be asked for that."""
    xp, shape, dtype = x.__array_namespace__(), x.shape, x.dtype
    numbers = x.dtype.name != "bool"
    yield "T", lambda: x.T
    yield "mT", lambda: x.mT
    yield "getitem", lambda: [x[...], x[:], x[0], x[:, None]]
    yield "take rows", lambda: [x[[0, 1]], x[x == x]]
    yield "iter", lambda: list(x)
    yield "MLArray", lambda: MLArray(x) if x.requires_grad else x[...]
    yield "constant of it", lambda: MLArray(x, False)
    yield "ensure_array", lambda: MLArray.ensure_array(x)
    yield "detach", lambda: x.detach()
    yield "restart", lambda: x.restart()
    yield "update_values", lambda: x.update_values(x.to_list())
    yield "to_backend", lambda: x.to_backend(x.backend)
    yield "to_device", lambda: x.to_device("cpu")
    yield "asarray", lambda: xp.asarray(x)
    yield "asarray(copy=True)", lambda: [xp.asarray(x, copy=True), np.copy(x)]
    yield "astype(copy=False)", lambda: xp.astype(x, dtype, copy=False)
    yield "astype", lambda: [xp.astype(x, dtype), x.astype(dtype)]
    yield "reshape", lambda: [x.reshape(shape), xp.reshape(x, shape), np.reshape(x, shape)]
    yield "reshape(copy=True)", lambda: xp.reshape(x, shape, copy=True)
    yield "flip", lambda: [x.flip(()), x.flip(0).flip(0)]
    yield "broadcast_to", lambda: [x.broadcast_to(shape), np.broadcast_to(x, shape)]
    yield "broadcast_arrays", lambda: [*xp.broadcast_arrays(x), *xp.broadcast_arrays(x, x)]
    yield "roll", lambda: [x.roll(0), x.roll(0, 0), x.roll((), ()), x.roll(shape[0], 0)]
    yield "repeat", lambda: [x.repeat(1, 0), x.repeat([1] * shape[0], 0), x.repeat(1)]
    yield "tile", lambda: [x.tile(1), x.tile(()), x.tile((1, 1))]
    yield "concat", lambda: [xp.concat([x]), xp.concat([x], axis=None), np.concatenate([x])]
    yield "stacked", lambda: [xp.stack([x]), np.vstack([x])]
    yield "take", lambda: [x.take([0, 1], axis=0), xp.take(x, xp.asarray([0, 1]), axis=0)]
    yield "sort", lambda: [x.sort(), xp.sort(x, axis=0)]
    yield (
        "sum of nothing",
        lambda: [x.sum(axis=()), x.prod(axis=()), x.max(axis=()), x.min(axis=())],
    )
    yield "triangles", lambda: [x.tril(9), x.triu(-9)]
    yield "sliding_windows", lambda: x.sliding_windows((1, 1))
    yield "where", lambda: [xp.where(x == x, x, x), np.where(x == x, x, x)]
    yield "conj", lambda: [xp.conj(x), np.conj(x)]
    yield "real", lambda: xp.real(x)
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
        yield "pad", partial(unpadded, x, mode)
    if numbers:
        yield "pos", lambda: [+x, np.positive(x), xp.positive(x), x.positive()]
        yield "clip", lambda: [xp.clip(x), xp.clip(x, None, None), np.clip(x, None, None)]
        yield "rounded", lambda: [xp.round(x), xp.floor(x), xp.ceil(x), xp.trunc(x), np.round(x)]
        yield "abs", lambda: [abs(x), xp.abs(x), x.abs()]
        yield "plus 0", lambda: [x + 0, x * 1, x - 0, x**1]
        yield "einsum", lambda: smolml_array.einsum("ij->ij", x)
        yield "diff of nothing", lambda: x.diff(n=0)


def unpadded(x: MLArray, mode: Any) -> Any:
    return [x.pad(0, mode), x.pad([(0, 0)] * 2, mode), np.pad(x, 0, mode)]


def inputs() -> Iterator[MLArray]:
    numbers = [[1.0, 2.0], [3.0, 4.0]]
    yield MLArray(numbers)
    yield MLArray(numbers, False)
    yield MLArray(numbers) * 1.0
    yield MLArray([numbers[1], *numbers])[1:]
    yield MLArray(numbers, dtype="int64")
    yield MLArray([[True, False], [False, True]], dtype="bool")


def arrays_in(made: Any) -> list[MLArray]:
    if isinstance(made, MLArray):
        return [made]
    if isinstance(made, list | tuple):
        return [a for item in made for a in arrays_in(item)]
    return []


def check(name: str, x: MLArray, made: Any) -> int:
    """Write to all that was made; x follows if and only if the function is declared."""
    found = arrays_in(made)
    for y in found:
        if not y.size():
            continue
        before = flat(x.to_list())
        for recorded in (False, True):
            if recorded:
                y += y
            else:
                with no_grad():
                    y[...] = 1 - y if y.dtype.name != "bool" else ~y
        after = flat(x.to_list())
        if name in WINDOWS:
            assert after != before, f"{name}: a window that does not write through"
        else:
            assert after == before, f"{name}: writing to its result changes what it was given"
    return len(found)


def test_calls_that_change_nothing(backend: str) -> None:
    count = len(list(inputs()))
    for i in range(count):
        x = list(inputs())[i]
        for k, (name, _) in enumerate(same(x)):
            x = list(inputs())[i]
            _, call = list(same(x))[k]
            try:
                made = call()
            except (TypeError, ValueError, ShapeError):
                assert x.dtype.name != "float64", name
                continue
            assert check(name, x, made) > 0, name


ARGUMENTS: list[Callable[[Any], tuple[Any, ...]]] = [
    lambda x: (x,),
    lambda x: (x, 0),
    lambda x: (x, 1),
    lambda x: (x, x.shape),
    lambda x: (x, 0, 0),
    lambda x: (x, x),
    lambda x: (x, (0, 1)),
    lambda x: ([x],),
    lambda x: ("ij->ij", x),
    lambda x: (x, x, x[0]),
    lambda x: (x, "float64"),
    lambda x: (x.astype("int64"), x.astype("int64")),
    lambda x: (x, (x > 2.0).astype("int64")),
    lambda x: (x[0], x),
    lambda x: (x > 2.0,),
    lambda x: (x == x, x, x),
    lambda x: (x, x[0], x[1]),
    lambda x: (x[0], x[1]),
    lambda x: (x @ x.mT,),
    lambda x: (x.pad(((0, 0), (0, 1))), x.pad(((0, 0), (0, 1)))),
]


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every function that takes arrays, by every way in."""
    for name, entry in FUNCTIONS.items():
        yield name, entry.function
    for name in vars(smolml_array):
        if name in smolml_array.__all__ and name[0].islower():
            yield name, getattr(smolml_array, name)
    for name in NUMPYS:
        if "." not in name and hasattr(np, name):
            yield name, getattr(np, name)
    for name in dir(MLArray):
        if not name.startswith("_") and callable(getattr(MLArray, name)):
            yield name, getattr(MLArray, name)
    namespace = MLArray([1.0]).__array_namespace__()
    for name in vars(namespace):
        if not name.startswith("_") and callable(getattr(namespace, name)):
            yield name, getattr(namespace, name)


LEFT_OUT = {"seed", "use_backend", "replay", "vmap", "backward", "data", "from_dlpack", "Generator"}


def test_every_function_with_whatever_it_takes(backend: str) -> None:
    tried = set()
    for name, f in public():
        if name in LEFT_OUT:
            continue
        for arguments in ARGUMENTS:
            x = MLArray([[1.0, 2.0], [3.0, 4.0]], False)
            try:
                made = f(*arguments(x))
            except Exception:
                continue
            if not arrays_in(made):
                continue
            tried.add(name)
            if name not in WINDOWS:  # which, of a list, look into the array made of it
                check(name, x, made)
    assert {name for name, _ in public()} - tried - LEFT_OUT <= NOT_OF_ARRAYS


# They take no array, give none, or stand in the table above.
NOT_OF_ARRAYS = {
    *("arange", "empty", "eye", "full", "linspace", "ones", "rand", "randn", "zeros"),
    *("can_cast", "finfo", "iinfo", "isdtype", "item", "result_type", "size", "to_list"),
    *("set_grad", "to_backend", "to_device", "tolist", "zero_grad"),
}


def test_the_guide_names_the_windows() -> None:
    from pathlib import Path

    guides = Path(__file__).parents[2] / "docs"
    for language in ("en", "es"):
        text = (guides / language / "arrays.md").read_text(encoding="utf-8")
        (line,) = [row for row in text.splitlines() if "`expand_dims`" in row and "`split`" in row]
        for name in ("reshape", "transpose", "flatten", "squeeze", "flip", "diagonal"):
            assert f"`{name}`" in line


@pytest.mark.parametrize("name", ["reshape", "flatten", "transpose", "squeeze", "flip", "split"])
def test_their_docstrings_say_so(name: str) -> None:
    documented = FUNCTIONS["permute_dims" if name == "transpose" else name].function.__doc__
    assert "window" in (documented or "").lower()
