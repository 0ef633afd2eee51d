"""x += y and its like: NumPy's numbers, dtypes and refusals, seen by all that shares elements."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, ShapeError, replay, use_backend, zeros
from smolml_value import (
    GraphError,
    Value,
    checkpoint,
    custom_vjp,
    grad,
    hessian,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from tests.array.helpers import assert_close, gradient

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
    "**=": operator.ipow,
    "@=": operator.imatmul,
    "&=": operator.iand,
    "|=": operator.ior,
    "^=": operator.ixor,
}
SQUARE = [[4.0, 2.0], [1.0, 3.0]]
DTYPES = ("float64", "float32", "int64", "bool")
# where operators of ours and NumPy's give results of other kinds, in place or not
OWN = {("bool", "bool", name) for name in ("+=", "-=", "*=", "//=", "%=", "**=", "@=")}


@pytest.mark.parametrize("symbol", OPERATORS)
@pytest.mark.parametrize("recorded", [True, False])
def test_numbers_dtypes_and_refusals_are_numpys(backend: str, symbol: str, recorded: bool) -> None:
    in_place = OPERATORS[symbol]
    dtypes = [d for d in DTYPES if backend == "numpy" or d != "float32"]
    for own in dtypes:
        for other in dtypes:
            if (own, other, symbol) in OWN:
                continue
            for y in (SQUARE, SQUARE[0], 2.0, [SQUARE, SQUARE]):
                theirs: Any = np.array(SQUARE, own)
                window = theirs[0]
                ours = MLArray(SQUARE, False, dtype=own)
                row = ours[0]
                their_y, our_y = np.array(y, other), MLArray(y, False, dtype=other)
                try:
                    with np.errstate(all="ignore"):
                        same = in_place(theirs, their_y)
                except (TypeError, ValueError):
                    same = None
                with no_grad() if not recorded else use_backend(backend):
                    if same is None:
                        with pytest.raises((TypeError, ValueError)):
                            in_place(ours, our_y)
                    else:
                        assert in_place(ours, our_y) is ours
                assert ours.dtype.name == theirs.dtype.name
                assert not ours.requires_grad
                tolerance = 1e-6 if "float32" in (own, other) else 1e-14
                assert np.allclose(ours.to_list(), theirs, tolerance)
                assert np.allclose(row.to_list(), window, tolerance)


def test_the_errors_say_what_to_do(backend: str) -> None:
    x = MLArray([1, 2], dtype="int64")
    with pytest.raises(TypeError, match=r"/=: the result is of float64.* int64; write x = x / y"):
        x /= 2
    with pytest.raises(ShapeError, match=r"\*\*=: .*\(2,\).*\(3, 2\) in place; write x = x \*\* y"):
        x **= [[1, 1]] * 3
    with pytest.raises(TypeError):
        x += "a"
    assert x.to_list() == [1, 2]


def test_numbers_and_python_operands(backend: str) -> None:
    x = zeros(2, requires_grad=False)
    for y in (1, 2.0, True, [1.0, 2.0], (1, 2), Value(3.0), np.array([1.0, 2.0]), np.float64(2)):
        before = x.to_list()
        with no_grad():
            x += y
        number = y.data if isinstance(y, Value) else y
        assert x.to_list() == (np.array(before) + np.array(number)).tolist()


# What people write -----------------------------------------------------------------------------


@pytest.mark.parametrize("constants", [True, False])
def test_momentum_by_hand(backend: str, constants: bool) -> None:
    """The numbers of the same program in PyTorch; closed form below."""
    w = MLArray([4.0])
    velocity = [zeros(1, requires_grad=not constants)]
    at, speed = 4.0, 0.0
    for _ in range(5):
        (w * w).sum().backward()
        with no_grad():
            for p, v in zip([w], velocity, strict=True):
                v *= 0.9
                v += p.grad()
                p -= 0.05 * v
        w.zero_grad()
        speed = 0.9 * speed + 2.0 * at
        at -= 0.05 * speed
    assert_close(w, [at])
    assert_close(velocity[0], [speed])
    assert w.requires_grad
    assert velocity[0].requires_grad is not constants


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("recorded", [True, False])
def test_windows_write_through(backend: str, requires_grad: bool, recorded: bool) -> None:
    def program(table: Any) -> Any:
        for row in table:
            row /= row.sum()
        first = table[0]
        first *= 10.0
        corner = table.T[1:][..., 0]
        corner -= 1.0
        table[1] += 5.0
        table[[0, 1], [1, 0]] *= 2.0
        flat = table.reshape(-1)
        flat **= 2
        return table

    x = MLArray([[1.0, 3.0], [2.0, 2.0]], requires_grad=requires_grad)
    handle, window = x, x[1]
    with use_backend(backend) if recorded else no_grad():
        program(x)
    want = program(np.array([[1.0, 3.0], [2.0, 2.0]]))
    assert_close(x, want.tolist())
    assert_close(window, want[1].tolist())
    assert handle.requires_grad is requires_grad


def test_averages(backend: str) -> None:
    w = MLArray([2.0, 4.0])
    averages = [w.detach()]
    with no_grad():
        for e in averages:
            e *= 0.5
            e += 0.5 * (w + 2.0)
    assert averages[0].to_list() == [3.0, 5.0]
    assert w.to_list() == [2.0, 4.0]


def test_elements_of_constants_and_leaves_follow(backend: str) -> None:
    for requires_grad in (True, False):
        x = MLArray([1.0, 2.0], requires_grad=requires_grad)
        element = x.data[1]
        with no_grad():
            x += 1.0
        assert element is x.data[1]
        assert element.data == 3.0
    v, w = Value(1.0), Value(2.0)
    x = MLArray([v, w])
    with no_grad():
        x *= 3.0
    assert (v.data, w.data) == (3.0, 6.0)


def test_what_was_recorded_keeps_its_numbers(backend: str) -> None:
    w = MLArray([2.0, 3.0])
    c = MLArray([5.0, 7.0], requires_grad=False)
    y = (w * c * w[:1]).sum()
    c += 100.0
    with no_grad():
        w *= 0.0
    y.backward()
    assert gradient(w) == [2 * 2.0 * 5.0 + 3.0 * 7.0, 2.0 * 7.0]


def test_gradients_are_those_of_the_assignment(backend: str) -> None:
    """Of leaves, results, windows and constants: as x[...] = x + y."""

    def leaf(x: MLArray) -> MLArray:
        return x

    def result(x: MLArray) -> MLArray:
        return x * 1.0

    def constant(x: MLArray) -> MLArray:
        return x.detach()

    looks: list[Callable[[Any], Any]] = [
        lambda x: x,
        lambda x: x[0],
        lambda x: x.T[1:],
        lambda x: x.reshape(-1)[::2],
    ]
    for make in (leaf, result, constant):
        for look in looks:
            found = []
            for assigned in (True, False):
                p, q = MLArray([[1.0, 2.0], [3.0, 4.0]]), MLArray(0.5)
                x = make(p)
                window = look(x)
                early = x[:, 0]
                if assigned:
                    window[...] = window * q
                    window[...] = window**2
                else:
                    window *= q
                    window **= 2
                (x * x).sum().backward()
                found.append([x, window, early, x.grad(), p.grad(), q.grad()])
            for a, b in zip(*found, strict=True):
                assert_close(a, b)


def test_x_at_i_plus_is_recorded_once(backend: str) -> None:
    """`x[i] += y` has written when it assigns: the assignment itself adds nothing."""
    names = []
    for constant, windows in itertools.product((False, True), repeat=2):
        x = MLArray([[1.0, 2.0], [3.0, 4.0]], requires_grad=not constant) * 1.0
        if windows:  # which assign nothing
            row, column = x[0], x.T[1]
            row += 5.0
            column *= MLArray([2.0, 3.0])
        else:
            x[0] += 5.0
            x.T[1] *= MLArray([2.0, 3.0])
        assert x.to_list() == [[6.0, 14.0], [3.0, 12.0]]
        y, count = x._node, 0
        while y is not None and y.rule is not None:
            count += 1
            y = y.operands[0]  # type: ignore[assignment]
        names.append(count)
    assert names[::2] == names[1::2]


@pytest.mark.parametrize("through", [lambda x: x, lambda x: x[:], lambda x: x.T.T])
def test_what_only_looks_like_the_end_of_x_at_i_plus_is_assigned(
    backend: str, through: Any
) -> None:
    p = MLArray([1.0, 2.0])
    q = p * 1.0
    window = through(q)
    with no_grad():
        cut = window[0]
    window[0] = cut  # not the same: gradients do not flow through it
    q.sum().backward()
    assert gradient(p) == [0.0, 1.0]
    x = MLArray([1.0, 2.0, 3.0])
    rest = through(x)[1:]
    rest[0] = x[0]  # of the same root and the same key
    assert x.to_list() == [1.0, 1.0, 3.0]
    x[0] = rest[1]
    assert x.to_list() == [3.0, 1.0, 3.0]


def test_float32_stays_float32() -> None:
    with use_backend("numpy"):
        x = MLArray([1.0, 2.0], dtype="float32")
        w = MLArray([0.1, 0.2])
        y = x * 1.0
        y += w
        assert (y.dtype.name, y.requires_grad) == ("float32", True)
        y.sum().backward()
        assert gradient(w) == [1.0, 1.0]
        assert w.grad().dtype.name == "float64"


# Inside other things ---------------------------------------------------------------------------


def in_place_function(x: Any) -> Any:
    """(x * x + 1)**2, written over its argument."""
    x *= x
    x += 1.0
    return (x * x).sum()


def put_function(x: Any) -> Any:
    """5 x[1]**2."""
    x[0] = x[1] * 2.0
    return (x * x).sum()


def set_function(x: Any) -> Any:
    """49 + x[1]**2."""
    x[0] = 7.0
    return (x * x).sum()


def window_function(x: Any) -> Any:
    """(2 x[0])**2 + x[1]**2."""
    first = x[:1]
    first *= 2.0
    return (x * x).sum()


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], list[float], list[list[float]]]] = {
    "in place": (in_place_function, [8.0, 40.0], [[16.0, 0.0], [0.0, 52.0]]),
    "put": (put_function, [0.0, 20.0], [[0.0, 0.0], [0.0, 10.0]]),
    "set": (set_function, [0.0, 4.0], [[0.0, 0.0], [0.0, 2.0]]),
    "window": (window_function, [8.0, 4.0], [[8.0, 0.0], [0.0, 2.0]]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_write_to_their_argument(backend: str, name: str) -> None:
    """The derivative is by what was given, and that is left as it was."""
    f, slope, curvature = FUNCTIONS[name]
    p = MLArray([1.0, 2.0])
    units = [MLArray([1.0, 0.0]), MLArray([0.0, 1.0])]
    found = {
        "grad": grad(f)(p),
        "value_and_grad": value_and_grad(f)(p)[1],
        "vjp": vjp(f, p)[1](1.0)[0],
        "jacobian": jacobian(f)(p),
        "jacobian by columns": jacobian(lambda x: [f(x)] * 3)(p)[0],
        "checkpoint": grad(checkpoint(f))(p),
        "grad of grad": grad(lambda x: grad(f)(x).sum())(p)
        - MLArray(curvature).sum(axis=0)
        + slope,
    }
    with no_grad():
        found["inside no_grad"] = grad(f)(p)
    for how, got in found.items():
        assert got.to_list() == slope, how
    assert [jvp(f, (p,), (unit,))[1].item() for unit in units] == slope
    assert_close(hessian(f)(p), curvature)
    assert p.to_list() == [1.0, 2.0]
    q = MLArray([1.0, 2.0])
    checkpoint(f)(q).backward()
    assert gradient(q) == slope
    assert q.to_list() == [1.0, 2.0]


def test_custom_rules_that_write_to_what_they_get(backend: str) -> None:
    @custom_vjp
    def cube(x: Any) -> Any:
        return x**3

    def forward(x: Any) -> Any:
        kept = +x
        x **= 3
        return x * 1.0, kept

    def backward(kept: Any, g: Any) -> Any:
        g *= 3.0
        g *= kept * kept
        return (g,)

    cube.defvjp(forward, backward)
    p = MLArray([1.0, 2.0])
    total = grad(lambda x: (cube(x) + x * 1.0).sum())
    assert total(p).to_list() == [4.0, 13.0]
    assert grad(lambda x: total(x).sum())(p).to_list() == [6.0, 12.0]
    assert jvp(lambda x: cube(x).sum(), (p,), (MLArray([1.0, 1.0]),))[1].item() == 15.0
    (cube(p) + p * 1.0).sum().backward()
    assert gradient(p) == [4.0, 13.0]
    assert p.to_list() == [1.0, 2.0]


def test_in_a_replayed_function() -> None:
    with use_backend("numpy"):
        w = MLArray([1.0, 2.0, 3.0])

        def f(t: Any) -> Any:
            y = zeros(3, requires_grad=False)
            y += t
            y[0] *= 2.0
            z = w * y
            z *= z
            last = z[2]
            last += 1.0
            return z.sum()

        step = replay(f, [w])
        for number in (5.0, 7.0, 11.0):
            w.zero_grad()
            played, slope = step(MLArray(number, False)).item(), gradient(w)
            w.zero_grad()
            eager = f(MLArray(number, False))
            eager.backward()
            assert (played, slope) == (eager.item(), gradient(w))
        assert step.recordings == 1


def test_a_replayed_function_that_changes_what_it_has_from_elsewhere() -> None:
    with use_backend("numpy"):
        w, c, v = MLArray([1.0, 2.0]), MLArray([3.0, 4.0], False), MLArray([5.0, 6.0])

        def scaled(t: Any) -> Any:
            c.__imul__(0.5)
            return (w * c * t).sum()

        def moved(t: Any) -> Any:
            c.__iadd__(t)
            return (w * c).sum()

        def assigned(t: Any) -> Any:
            c[0] = t[0]
            return (w * c).sum()

        def through_a_window(t: Any) -> Any:
            c[1:].__imul__(t[0])
            return (w * t).sum()

        def quiet(t: Any) -> Any:
            with no_grad():
                v.__isub__(1.0)
            return (w * t).sum()

        for f in (moved, assigned, through_a_window):
            step = replay(f, [w])
            with pytest.raises(GraphError, match=r"changes arrays .* that it has from elsewhere"):
                step(MLArray([1.0, 2.0], False))
            assert (c.to_list(), v.to_list()) == ([3.0, 4.0], [5.0, 6.0])
            assert (c.backend, c.requires_grad) == ("numpy", False)
        for f in (scaled, quiet):  # by numbers of its own, in every call
            step = replay(f, [w])
            with pytest.raises(GraphError, match=r"from elsewhere|did not do the same"):
                step(MLArray([1.0, 2.0], False))

        def of_its_own(t: Any) -> Any:
            total = zeros(2, requires_grad=False)
            total += t
            total += w
            return total[0] * 3.0

        step = replay(of_its_own, [w])
        assert [step(MLArray([x, 0.0], False)).item() for x in (1.0, 2.0)] == [6.0, 9.0]
        assert step.recordings == 1


def test_an_array_of_arrays_is_no_window_onto_a_hidden_one(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = MLArray([x, x * 3.0])
    first = y[:1]
    y += 1.0
    assert first.to_list() == [[2.0, 3.0]]
    y.sum().backward()
    assert gradient(x) == [4.0, 4.0]
    y.restart()
    y[0, 0] = 100.0
    assert first.to_list() == [[100.0, 3.0]]
