"""fsum, dot, mean, logsumexp, softmax: numbers, gradients, later changes, edges, higher order."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest

from smolml_value import Op, Value, check_grads, grad, hessian, no_grad
from smolml_value._ops.fused_rules import PARTIALS
from smolml_value.fused import dot, fsum, logsumexp, mean, softmax

Reduction = Callable[[Sequence[Any]], Value]

REDUCTIONS: dict[str, Reduction] = {
    "fsum": fsum,
    "mean": mean,
    "logsumexp": logsumexp,
    "dot with itself": lambda xs: dot(xs, xs),
    "dot reversed": lambda xs: dot(xs, list(xs)[::-1]),
    "softmax": lambda xs: softmax(xs)[0],
}
PLAIN: dict[str, Callable[[Sequence[float]], float]] = {
    "fsum": math.fsum,
    "mean": lambda xs: math.fsum(xs) / len(xs),
    "logsumexp": lambda xs: math.log(math.fsum(math.exp(x) for x in xs)),
    "dot with itself": lambda xs: sum(x * x for x in xs),
    "dot reversed": lambda xs: sum(x * y for x, y in zip(xs, xs[::-1], strict=True)),
    "softmax": lambda xs: math.exp(xs[0]) / math.fsum(math.exp(x) for x in xs),
}


def numbers(n: int, seed: int = 0) -> list[float]:
    rng = random.Random(seed)
    return [rng.uniform(-2.0, 2.0) for _ in range(n)]


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("n", [1, 2, 3, 20])
def test_numbers_and_central_differences(name: str, n: int) -> None:
    xs = numbers(n)
    values = [Value(x) for x in xs]
    out = REDUCTIONS[name](values)
    assert out.data == pytest.approx(PLAIN[name](xs), rel=1e-14)
    out.backward()
    h = 1e-5
    for i, v in enumerate(values):
        up, down = [*xs], [*xs]
        up[i] += h
        down[i] -= h
        slope = (PLAIN[name](up) - PLAIN[name](down)) / (2 * h)
        assert v.grad == pytest.approx(slope, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_torch_agrees(name: str) -> None:
    torch = pytest.importorskip("torch")
    xs = numbers(9, seed=1)
    t = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
    wanted = {
        "fsum": t.sum,
        "mean": t.mean,
        "logsumexp": lambda: t.logsumexp(0),
        "dot with itself": lambda: t @ t,
        "dot reversed": lambda: t @ t.flip(0),
        "softmax": lambda: t.softmax(0)[0],
    }[name]()
    wanted.backward()
    values = [Value(x) for x in xs]
    out = REDUCTIONS[name](values)
    out.backward()
    assert out.data == pytest.approx(wanted.item(), rel=1e-14)
    assert [v.grad for v in values] == pytest.approx(t.grad.tolist(), rel=1e-12, abs=1e-15)


def test_numpy_agrees() -> None:
    np = pytest.importorskip("numpy")
    a, b = numbers(50, 1), numbers(50, 2)
    assert dot(map(Value, a), b).data == pytest.approx(float(np.dot(a, b)), rel=1e-12)
    assert mean(map(Value, a)).data == pytest.approx(float(np.mean(a)), rel=1e-12)
    wanted = float(np.logaddexp.reduce(a))
    assert logsumexp(map(Value, a)).data == pytest.approx(wanted, rel=1e-14)


OPS: dict[str, Reduction] = {
    "fsum": fsum,
    "mean": mean,
    "dot": lambda xs: dot(xs[0::2], xs[1::2]),
    "logsumexp": logsumexp,
}


@pytest.mark.parametrize("op", PARTIALS, ids=lambda op: op.name)
def test_the_op_of_a_fused_node_is_its_function(op: Op) -> None:
    f = OPS[op.name]
    xs = numbers(4)
    assert op(*xs) == pytest.approx(f(xs).data, rel=1e-14)
    for g in (lambda xs: op(*xs), f):
        check_grads(g, (xs,), order=2)


def test_the_mean_of_equal_numbers_is_that_number() -> None:
    for x in numbers(100):
        for n in range(2, 12):
            assert mean([Value(x)] * n).data == x


def test_a_sum_is_rounded_once() -> None:
    xs = [1e100, 1.0, -1e100, 0.1] * 5
    assert fsum([Value(x) for x in xs]).data == math.fsum(xs)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_changes_after_the_forward_pass_do_not_change_the_gradient(name: str) -> None:
    xs = numbers(6)
    kept = [Value(x) for x in xs]
    REDUCTIONS[name](kept).backward()
    changed = [Value(x) for x in xs]
    given = list(changed)
    out = REDUCTIONS[name](given)
    for v in changed:
        v.data = 100.0
    given.clear()
    out.backward()
    assert [v.grad for v in changed] == [v.grad for v in kept]


def test_constants_and_numbers_of_every_kind() -> None:
    x, w = Value(2.0), Value(3.0)
    numbers: list[Any] = [x, 1, Fraction(1, 2), w]
    y = dot(numbers, [4.0, w, x, 5])
    assert y.data == 8.0 + 3.0 + 1.0 + 15.0
    y.backward()
    assert (x.grad, w.grad) == (4.5, 6.0)
    assert set(y._prev) == {x, w}
    plain = fsum([1.0, 2.0])
    assert (plain.data, plain._prev) == (3.0, set())


def test_the_same_value_many_times() -> None:
    x = Value(3.0)
    fsum([x] * 10).backward()
    assert x.grad == 10.0
    x.grad = 0.0
    dot([x, x], [x, x]).backward()
    assert x.grad == 12.0


def test_what_can_be_gone_through_once() -> None:
    xs, ys = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    y = dot(iter(xs), iter(ys))
    assert y.data == 11.0
    y.backward()
    assert [v.grad for v in xs + ys] == [3.0, 4.0, 1.0, 2.0]
    assert [f(iter(xs)).data for f in (fsum, mean)] == [3.0, 1.5]


def test_nothing() -> None:
    assert fsum([]).data == 0.0
    assert dot([], []).data == 0.0
    for f in (mean, logsumexp, softmax):
        with pytest.raises(ValueError, match="expected at least one value, got none"):
            f([])


def test_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="equal length, got 1 and 2"):
        dot([Value(1.0)], [1.0, 2.0])


@pytest.mark.parametrize("wrong", ["a", None, 1j, [1.0]])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_is_no_number(name: str, wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a number"):
        REDUCTIONS[name]([Value(1.0), wrong])


def test_infinities_and_nan() -> None:
    inf, nan = math.inf, math.nan
    assert fsum([Value(inf), Value(1.0)]).data == inf
    assert math.isnan(fsum([Value(inf), Value(-inf)]).data)
    assert math.isnan(mean([Value(nan), Value(1.0)]).data)
    assert fsum([Value(1e308), Value(1e308)]).data == inf
    assert logsumexp([Value(inf), Value(0.0)]).data == inf
    assert logsumexp([Value(-inf), Value(-inf)]).data == -inf
    assert math.isnan(logsumexp([Value(nan), Value(0.0)]).data)
    for top, share in ((inf, 1.0 / 3.0), (-inf, 0.0)):  # those at inf share alike
        lower = [Value(1.0)] if top > 0.0 else []
        ties = [Value(top) for _ in range(3)]
        logsumexp([*ties, *lower]).backward()
        assert [x.grad for x in ties] == [share] * 3
        assert [x.grad for x in lower] == [0.0] * len(lower)
    xs = [Value(-inf), Value(0.0)]
    total = logsumexp(xs)
    total.backward()
    assert (total.data, xs[0].grad, xs[1].grad) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("shift", [1000.0, -1000.0])
def test_no_overflow(shift: float) -> None:
    xs = [Value(shift), Value(shift + 1.0)]
    total = logsumexp(xs)
    total.backward()
    assert total.data == pytest.approx(shift + math.log(1 + math.e), rel=1e-15)
    assert xs[1].grad == pytest.approx(math.e / (1 + math.e))
    assert math.fsum(p.data for p in softmax(xs)) == pytest.approx(1.0)


def test_zero_cotangents_do_not_meet_infinite_partials() -> None:
    x, y = Value(0.0), Value(math.inf)
    (dot([x], [y]).relu() * 0.0 + x).backward()
    assert x.grad == 1.0


def test_no_grad_records_nothing() -> None:
    with no_grad():
        y = dot([Value(1.0)], [Value(2.0)])
    assert (y.data, y._prev) == (2.0, set())


@pytest.mark.parametrize("name", REDUCTIONS)
def test_backward_twice_adds_twice(name: str) -> None:
    values = [Value(x) for x in numbers(5)]
    out = REDUCTIONS[name](values)
    out.backward()
    once = [v.grad for v in values]
    out.backward()
    assert [v.grad for v in values] == [2 * g for g in once]


@pytest.mark.parametrize("name", [name for name in REDUCTIONS if name != "softmax"])
def test_one_step_by_hand_equals_a_pass(name: str) -> None:
    values = [Value(x) for x in numbers(5)]
    out = REDUCTIONS[name](values)
    out.grad = 1.0
    out._backward()
    twins = [Value(x) for x in numbers(5)]
    REDUCTIONS[name](twins).backward()
    assert [v.grad for v in values] == pytest.approx([v.grad for v in twins])


def test_second_order() -> None:
    def f(x: Any, y: Any) -> Any:
        return logsumexp([x, y, 0.5])

    x, y = 0.3, -0.7
    e = [math.exp(x), math.exp(y), math.exp(0.5)]
    p = [v / sum(e) for v in e]
    (xx, xy), (yx, yy) = hessian(f, (0, 1))(x, y)
    assert [xx, xy, yx, yy] == pytest.approx(
        [p[0] * (1 - p[0]), -p[0] * p[1], -p[0] * p[1], p[1] * (1 - p[1])]
    )
    assert hessian(lambda x: dot([x, x], [x, 3.0]))(2.0) == 2.0
    cubed = grad(grad(lambda x: dot([x * x], [x])))
    assert cubed(2.0) == pytest.approx(12.0)
    assert grad(grad(lambda x: mean([x * x, x, 3.0])))(2.0) == pytest.approx(2 / 3)
