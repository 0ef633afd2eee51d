"""Random programs of windows, operators in place and assignments: NumPy's numbers, their slopes.

Every array of a program is compared with NumPy's after each step, so that whatever shares elements
there has to share them here. Gradients are compared with those of the same program run on NumPy's
complex numbers (complex step), and with PyTorch's where it is installed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smolml_array import MLArray
from smolml_value import grad, no_grad

SHAPE = (2, 3)
START = np.array([[0.7, -1.1, 1.3], [0.9, 1.2, -0.6]])

VIEWS: list[Callable[[Any, int], Any]] = [
    lambda x, k: x.T,
    lambda x, k: x[k % x.shape[0], ...],  # of one axis, too, where x[k] is a number in NumPy
    lambda x, k: x[..., k % x.shape[-1]],
    lambda x, k: x[1:],
    lambda x, k: x[..., ::2],
    lambda x, k: x[None],
    lambda x, k: x.reshape(-1),
    lambda x, k: x[[0, -1]],  # a copy
    lambda x, k: x[::-1],  # which PyTorch has not
]
OPERATORS: list[Callable[[Any, Any], Any]] = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ipow,
]

Step = tuple[str, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["view", "view", "operator", "operator", "assign", "new"]),
        st.integers(0, 5),
        st.integers(0, 8),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=10,
)


def view(x: Any, how: int, k: int, like: Any) -> Any:
    """A view of x, None where NumPy (on `like`) makes none or has to copy."""
    if how != 5 and not like.ndim:
        return None
    made = VIEWS[how](like, k)
    if not made.size or (how == 6 and not np.shares_memory(made, like)):
        return None
    return VIEWS[how](x, k)


def run(program: list[Step], first: Any, each: Callable[[list[Any]], Any] = len) -> list[Any]:
    """All arrays that a program makes of the first one; `like` is what NumPy has in their place."""
    arrays, like = [first], [np.zeros(SHAPE)]
    for kind, i, how, j in program:
        x, shown = arrays[i % len(arrays)], like[i % len(arrays)]
        y, other = arrays[j % len(arrays)], like[j % len(arrays)]
        if kind == "view":
            made = view(x, how, j, shown)
            if made is not None:
                arrays.append(made)
                like.append(view(shown, how, j, shown))
        elif kind == "new" and shown.ndim:  # of none NumPy makes a number
            arrays.append(x * 0.5)
            like.append(shown * 0.5)
        elif kind == "assign" and shown.ndim:
            x[j % shown.shape[0]] = 0.25 * how if how % 2 else x[0] * 0.3 + 0.1
        elif kind == "operator":
            f = OPERATORS[how % len(OPERATORS)]
            fits = _meet(shown, other)
            if f is operator.ipow:
                operand: Any = 2
            elif not fits or how > 4:
                operand = 0.3 + 0.2 * j
            else:
                operand = y * 0.4 if f is not operator.itruediv else y * y * 0.1 + 2.0
            made = f(x, operand)
            assert made is x or not isinstance(x, MLArray)  # a 0-d ndarray is in place, too
        each(arrays)
    return arrays


def _meet(target: Any, other: Any) -> bool:
    """Whether one broadcasts to the shape of the other."""
    pairs = zip(target.shape[::-1], other.shape[::-1], strict=False)
    return other.ndim <= target.ndim and all(m in (1, n) for n, m in pairs)


def total(arrays: list[Any]) -> Any:
    """One number in which each array counts differently."""
    loss: Any = 0.0
    for i, x in enumerate(arrays):
        loss = loss + (x * x * (0.1 * i + 0.3)).sum()
    return loss


def scalars_as_arrays(program: list[Step], first: Any) -> list[list[Any]]:
    """The numbers of all arrays after each step, by NumPy."""
    found: list[list[Any]] = []
    run(program, first, lambda arrays: found.append([np.array(x) for x in arrays]))
    return found


@given(program=steps, requires_grad=st.booleans(), recorded=st.booleans())
def test_numbers_are_numpys(
    backend: str, program: list[Step], requires_grad: bool, recorded: bool
) -> None:
    want = iter(scalars_as_arrays(program, START.copy()))

    def same(arrays: list[Any]) -> None:
        expected = next(want)
        for got, a in zip(arrays, expected, strict=True):
            assert np.allclose(got.to_list(), a, 1e-12, 1e-14)

    x = MLArray(START, requires_grad)
    if recorded:
        run(program, x, same)
    else:
        with no_grad():
            run(program, x, same)
        assert x.requires_grad is requires_grad


@given(program=steps)
def test_gradients_are_the_slopes_of_numpys_program(backend: str, program: list[Step]) -> None:
    want, h = np.zeros(SHAPE), 1e-30
    for at in np.ndindex(*SHAPE):
        moved = START.astype(complex)
        moved[at] += 1j * h
        want[at] = np.imag(total(run(program, moved))) / h
    assume(np.isfinite(want).all() and np.abs(want).max() < 1e6)
    p = MLArray(START)
    total(run(program, p * 1.0)).backward()
    assert np.allclose(p.grad().to_list(), want, 1e-9, 1e-11)
    found = grad(lambda x: total(run(program, x)))(MLArray(START))  # over its argument
    assert np.allclose(found.to_list(), want, 1e-9, 1e-11)


@given(program=steps)
def test_gradients_are_pytorchs(program: list[Step]) -> None:
    torch = pytest.importorskip("torch")
    assume(not any(kind == "view" and how == 8 for kind, _, how, _ in program))
    theirs = torch.tensor(START, requires_grad=True)
    try:
        total(run(program, theirs * 1.0)).backward()
    except RuntimeError as error:
        assume("inplace" not in str(error))
        raise
    p = MLArray(START)
    total(run(program, p * 1.0)).backward()
    want = theirs.grad.numpy()
    assert np.allclose(p.grad().to_list(), want, 1e-9, 1e-11)
