"""Programs with a planted fault each: a nan or inf comes up in the line that says `# here`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from smolml import (
    MLArray,
    Value,
    checkpoint,
    custom_vjp,
    elementwise,
    fused,
    grad,
    hessian,
    jvp,
    no_grad,
    ops,
    scalar_elementwise,
    value_and_grad,
    vjp,
)
from tests.smolml import elsewhere


class Kind(NamedTuple):
    """What the fault is tried on: Values, or arrays of a backend."""

    make: Callable[[float], Any]  # an operand that holds this number
    total: Callable[[Any], Any]


class Fault(NamedTuple):
    """A program, and what the error must say."""

    run: Callable[[Kind, Any], object]  # given an operand that holds `start`
    start: float
    op: str
    direction: str = "forward"
    marked: Callable[..., Any] | None = None  # the function with the mark, if it is not `run`


FAULTS: dict[str, Fault] = {}
VALUE_FAULTS: dict[str, Fault] = {}
ARRAY_FAULTS: dict[str, Fault] = {}


def fault(
    start: float,
    op: str,
    direction: str = "forward",
    marked: Callable[..., Any] | None = None,
    table: dict[str, Fault] = FAULTS,
) -> Callable[[Callable[[Kind, Any], object]], Callable[[Kind, Any], object]]:
    def enter(run: Callable[[Kind, Any], object]) -> Callable[[Kind, Any], object]:
        table[run.__name__] = Fault(run, start, op, direction, marked)
        return run

    return enter


# Forward ---------------------------------------------------------------------------------------


@fault(-1.0, "log")
def log_of_negative(kind: Kind, x: Any) -> object:
    y = x * 2.0
    z = y.log()  # here
    return z + 1.0


@fault(0.0, "log")
def log_of_zero(kind: Kind, x: Any) -> object:
    return 1.0 + x.log()  # here


@fault(0.0, "divide")
def zero_by_zero(kind: Kind, x: Any) -> object:
    y = x * 3.0
    return y / x  # here


@fault(0.0, "divide")
def one_by_zero(kind: Kind, x: Any) -> object:
    return 1 / x  # here


@fault(1000.0, "exp")
def overflow_in_exp(kind: Kind, x: Any) -> object:
    smaller = x / 1.001
    return (
        1.0 + smaller.exp()  # here
    )


@fault(1e200, "multiply")
def overflow_in_a_product(kind: Kind, x: Any) -> object:
    y = x * 1e100
    y = y * x  # here
    return y - x


@fault(1e308, "add")
def overflow_in_a_sum(kind: Kind, x: Any) -> object:
    return x + x  # here


@fault(-1e308, "subtract")
def overflow_in_a_difference(kind: Kind, x: Any) -> object:
    return x - 1e308  # here


@fault(-8.0, "pow")
def root_of_a_negative(kind: Kind, x: Any) -> object:
    return x ** (1 / 3)  # here


@fault(0.0, "pow")
def negative_power_of_zero(kind: Kind, x: Any) -> object:
    return x**-1  # here


@fault(2.0, "acos")
def outside_the_domain_of_acos(kind: Kind, x: Any) -> object:
    return x.acos()  # here


@fault(1.0, "atanh")
def atanh_at_one(kind: Kind, x: Any) -> object:
    return ops.atanh(x)  # here


@fault(-1.0, "sqrt")
def branch_that_where_does_not_take(kind: Kind, x: Any) -> object:
    root = x.sqrt()  # here
    return ops.where(x > 0, root, 0.0)


@fault(math.nan, "tanh")
def nan_given_as_data(kind: Kind, x: Any) -> object:
    return x.tanh()  # here


@fault(-1.0, "log")
def inside_no_grad(kind: Kind, x: Any) -> object:
    with no_grad():
        return x.log()  # here


@fault(1000.0, "cosh")
def inside_a_loop(kind: Kind, x: Any) -> object:
    total = x * 0.0
    for scale in (0.1, 0.5, 1.0):
        total = total + (x * scale).cosh()  # here
    return total


# Ops of the user's own -------------------------------------------------------------------------

inverse = elementwise("inverse", lambda xp, x: 1 / x, (lambda xp, out, x: -out * out,))
bad_partial = elementwise("bad_partial", lambda xp, x: x * x, (lambda xp, out, x: 1 / x,))
bad_vjp = elementwise("bad_vjp", lambda xp, x: x * x, vjp=lambda xp, g, out, x: (g / x,))
bad_third = elementwise(
    "bad_third", lambda xp, x, y, z: x + y + z, (1, 1, lambda xp, out, x, y, z: 1 / z)
)
gamma = scalar_elementwise("gamma", math.gamma, lambda x: math.gamma(x) * x)
slope_outside = scalar_elementwise("slope_outside", lambda x: x, math.log)


@fault(0.0, "inverse")
def forward_of_a_plugin(kind: Kind, x: Any) -> object:
    return inverse(x)  # here


@fault(0.0, "gamma")
def forward_of_a_float_function(kind: Kind, x: Any) -> object:
    return gamma(x)  # here


@fault(0.0, "bad_partial", "backward")
def partial_of_a_plugin(kind: Kind, x: Any) -> object:
    y = bad_partial(x)  # here
    return kind.total(y * 2.0).backward()


@fault(-1.0, "slope_outside", "backward")
def partial_of_a_float_function(kind: Kind, x: Any) -> object:
    y = slope_outside(x)  # here
    return kind.total(y * 2.0).backward()


@fault(0.0, "bad_vjp", "backward")
def vjp_of_a_plugin(kind: Kind, x: Any) -> object:
    y = bad_vjp(x)  # here
    return kind.total(y * 2.0).backward()


@fault(0.0, "bad_third", "backward")
def one_of_three_partials(kind: Kind, x: Any) -> object:
    y = bad_third(x, 2.0, x * 1.0)  # here
    return kind.total(y * 2.0).backward()


def entropy_formula(xp: Any, x: Any) -> Any:
    logs = xp.log(x)  # here
    return -x * logs


entropy = elementwise("entropy", entropy_formula)


@fault(0.0, "log", marked=entropy_formula)
def composite(kind: Kind, x: Any) -> object:
    return entropy(x)


@custom_vjp
def scaled(x: Any) -> Any:
    return x * 1.0


def scaled_backward(residuals: Any, g: Any) -> Any:
    return (g * 1e300 * 1e300,)  # here


scaled.defvjp(lambda x: (x * 1.0, None), scaled_backward)


@fault(0.0, "multiply", marked=scaled_backward)
def op_in_a_rule_given_by_hand(kind: Kind, x: Any) -> object:
    return kind.total(scaled(x)).backward()


@custom_vjp
def lost(x: Any) -> Any:
    return x * 1.0


def nan_like(x: Any) -> Any:
    return Value(math.nan) if isinstance(x, Value | float) else MLArray([[math.nan, math.nan]])


lost.defvjp(lambda x: (x * 1.0, nan_like(x)), lambda residuals, g: (residuals,))


@fault(0.0, "lost", "backward")
def number_from_a_rule_given_by_hand(kind: Kind, x: Any) -> object:
    y = lost(x * 2.0)  # here
    return kind.total(y * 2.0).backward()


@fault(0.0, "lost", "backward")
def rule_given_by_hand_in_grad(kind: Kind, x: Any) -> object:
    def f(v: Any) -> Any:
        y = lost(v)  # here
        return kind.total(y)

    return grad(f)(x)


@fault(0.0, "sqrt", "backward")
def in_a_checkpoint(kind: Kind, x: Any) -> object:
    def inner(v: Any) -> Any:
        y = (v + 0.0).sqrt()  # here
        return y * 2.0

    return kind.total(checkpoint(inner)(x)).backward()


# Backward --------------------------------------------------------------------------------------


@fault(0.0, "sqrt", "backward")
def sqrt_at_zero(kind: Kind, x: Any) -> object:
    y = x * 2.0
    z = y.sqrt()  # here
    loss = kind.total(z * 3.0)
    return loss.backward()


@fault(0.0, "pow", "backward")
def pow_at_zero(kind: Kind, x: Any) -> object:
    z = x**0.5  # here
    return kind.total(z).backward()


@fault(0.0, "divide", "backward")
def overflow_in_a_cotangent(kind: Kind, x: Any) -> object:
    y = (x * 0.0) / 1e-200  # here
    z = y / 1e-200
    return kind.total(z).backward()


@fault(0.0, "sqrt", "backward", elsewhere.length)
def in_another_file(kind: Kind, x: Any) -> object:
    norm = elsewhere.length(x)
    return kind.total(norm).backward()


# Transforms ------------------------------------------------------------------------------------


@fault(0.0, "sqrt", "backward")
def in_grad(kind: Kind, x: Any) -> object:
    def f(v: Any) -> Any:
        y = (v * 2.0).sqrt()  # here
        return kind.total(y)

    return grad(f)(x)


@fault(-1.0, "log")
def forward_in_value_and_grad(kind: Kind, x: Any) -> object:
    def f(v: Any) -> Any:
        return kind.total(v.log())  # here

    return value_and_grad(f)(x)


@fault(0.0, "sqrt", "backward")
def in_vjp(kind: Kind, x: Any) -> object:
    _, pullback = vjp(
        lambda v: v.sqrt(),  # here
        x,
    )
    return pullback(kind.make(1.0))


@fault(0.0, "sqrt", "tangent")
def in_jvp(kind: Kind, x: Any) -> object:
    def f(v: Any) -> Any:
        y = (v * 2.0).sqrt()  # here
        return y + 1.0

    return jvp(f, (x,), (kind.make(1.0),))


@fault(0.0, "pow", "backward")
def in_hessian(kind: Kind, x: Any) -> object:
    def f(v: Any) -> Any:
        return kind.total(v**1.5)

    return hessian(f)(x)  # here


@fault(0.0, "sqrt", "backward")
def in_grad_of_grad(kind: Kind, x: Any) -> object:
    def f(v: Any) -> Any:
        root = v.sqrt()  # here
        return kind.total(root)

    return grad(lambda v: kind.total(grad(f)(v)))(x)


# Values only -----------------------------------------------------------------------------------


@fault(1e200, "dot", table=VALUE_FAULTS)
def overflow_in_dot(kind: Kind, x: Any) -> object:
    return fused.dot([x, 1.0], [x, 2.0])  # here


@fault(1e308, "fsum", table=VALUE_FAULTS)
def overflow_in_fsum(kind: Kind, x: Any) -> object:
    return fused.fsum([x, x, 1e308])  # here


@fault(1e308, "mean", table=VALUE_FAULTS)
def overflow_in_mean_without_recording(kind: Kind, x: Any) -> object:
    with no_grad():
        return fused.mean([x, x, math.inf])  # here


@fault(0.0, "dot", "backward", table=VALUE_FAULTS)
def overflow_in_the_cotangent_of_dot(kind: Kind, x: Any) -> object:
    y = fused.dot([x, Value(2.0)], [1e200, 1.0])  # here
    (y * 1e200).backward()
    return None


@fault(-math.inf, "logsumexp", table=VALUE_FAULTS)
def logsumexp_of_infinities(kind: Kind, x: Any) -> object:
    return fused.logsumexp([x, x])  # here


# Arrays only -----------------------------------------------------------------------------------


@fault(1e200, "matmul", table=ARRAY_FAULTS)
def infinity_minus_infinity_in_matmul(kind: Kind, x: Any) -> object:
    rows = MLArray([[1e200, -1e200]])
    big = x * 1.0 + 1e200
    return rows @ big.T  # here


@fault(1.0, "mean", table=ARRAY_FAULTS)
def mean_of_nothing(kind: Kind, x: Any) -> object:
    return x[:, :0].mean()  # here


@fault(1.0, "var", table=ARRAY_FAULTS)
def variance_of_one_number(kind: Kind, x: Any) -> object:
    return x[0, :1].var(correction=1.0)  # here


@fault(1e308, "sum", table=ARRAY_FAULTS)
def overflow_in_the_sum_over_an_axis(kind: Kind, x: Any) -> object:
    y = x.reshape(2, 1) + 1e308 / 2
    return (y * 1.0).sum(axis=0)  # here


@fault(math.inf, "reshape", table=ARRAY_FAULTS)
def infinity_given_as_data(kind: Kind, x: Any) -> object:
    return x.reshape(2)  # here


@fault(0.0, "sqrt", "backward", table=ARRAY_FAULTS)
def broadcast_in_backward(kind: Kind, x: Any) -> object:
    wide = x + MLArray([[0.0], [0.0]])
    roots = wide.sqrt()  # here
    return roots.sum().backward()


@fault(0.0, "sqrt", "backward", table=ARRAY_FAULTS)
def through_elements(kind: Kind, x: Any) -> object:
    element = (x * 2.0).data[0][1]
    root = element.sqrt()  # here
    (root + 1.0).backward()
    return None


@fault(0.0, "sqrt", "backward", table=ARRAY_FAULTS)
def array_of_values(kind: Kind, x: Any) -> object:
    y = MLArray([Value(1.0), x.data[0][1]])
    z = y.sqrt()  # here
    z.sum().backward()
    return None
