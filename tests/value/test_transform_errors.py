"""What transforms say of wrong arguments and results, and that they leave nothing behind."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from smolml_value import (
    Value,
    checkpoint,
    elementwise_grad,
    grad,
    gradients,
    hessian,
    jacobian,
    jvp,
    no_grad,
    stop_gradient,
    value_and_grad,
    vjp,
)
from tests.value.orders import Function


def untyped(x: Any) -> Any:
    """Something of the wrong type, that the type checker would refuse."""
    return x


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), TypeError, "use jacobian, elementwise_grad, or sum"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "is a return missing"),
        (lambda: grad(lambda x: (x, 1))(1.0), TypeError, "has_aux=True"),
        (lambda: grad(lambda x: "a")(1.0), TypeError, "return one number, got a str"),
        (lambda: value_and_grad(lambda x: x, has_aux=True)(1.0), TypeError, r"\(result, aux\)"),
        (lambda: grad(lambda x: x)(3), TypeError, r"argument 0 is the int 3, .*; write 3.0"),
        (lambda: grad(lambda x: x)(True), TypeError, r"argument 0 is the bool True.*write 1.0"),
        (lambda: grad(lambda x: x)("s"), TypeError, r"argument 0 is a str \('s'\).*partial"),
        (
            lambda: grad(lambda p: p)({"w": [1.0, 2]}),
            TypeError,
            r"argument 0\['w'\]\[1\] is the int 2",
        ),
        (lambda: grad(lambda x: x, 1)(1.0), IndexError, r"argnums 1 .* 1 positional argument$"),
        (
            lambda: grad(lambda x: x, (0, -3))(1.0, 2.0),  # type: ignore[call-arg]  # two
            IndexError,
            r"argnums -3",
        ),
        (lambda: grad(lambda x, y: x, (0, -2))(1.0, 2.0), ValueError, "each argument once"),
        (lambda: grad(lambda x: x, ())(1.0), ValueError, "each argument once"),
        (lambda: grad(lambda x: x, untyped("x"))(1.0), TypeError, "argnums must be an int"),
        (lambda: grad(lambda x: x)(x=1.0), IndexError, "called with 0 positional arguments"),
        (lambda: jvp(lambda x: x, (1.0,), ()), TypeError, "expected a tuple of 1"),
        (lambda: jvp(lambda x: x, untyped(1.0), untyped(1.0)), TypeError, r"write \(x,\) for one"),
        (
            lambda: jvp(lambda p: p[0], ([1.0, None],), ([1.0, 2.0],)),
            TypeError,
            r"expected None at \[0\]\[1\], got float 2.0",
        ),
        (lambda: jvp(lambda x: x, (1.0,), untyped(1.0)), TypeError, r"write \(x,\) for one"),
        (lambda: jvp(lambda x: x, untyped(1.0), (1.0,)), TypeError, r"write \(x,\) for one"),
        (lambda: jvp(lambda x: x, ([1.0],), (1.0,)), TypeError, r"a list of 1 at \[0\]"),
        (lambda: jvp(lambda x: x, (1.0,), ([1.0],)), TypeError, r"a number or an array at \[0\]"),
        (lambda: jvp(lambda x: x, ({"a": 1.0},), ({"b": 1.0},)), TypeError, "with the keys 'a'"),
        (lambda: jvp(lambda x: x, (1.0,), ("a",)), TypeError, r"tangents\[0\] is a str"),
        (lambda: jvp(lambda x: x, (1,), (1.0,)), TypeError, r"primals\[0\] is the int 1"),
        (lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), TypeError, "expected a list of 2, got float"),
        (lambda: vjp(lambda x: x, 1.0)[1](None), TypeError, "expected a number or an array"),
        (lambda: jacobian(lambda x: "a")(1.0), TypeError, "jacobian: .* got a str"),
        (lambda: gradients(1.0, [Value(1.0)]), TypeError, "for functions of floats use grad"),
        (lambda: gradients(Value(1.0), untyped(Value(1.0))), TypeError, r"write \[x\] for one"),
        (lambda: gradients(Value(1.0), [2.0]), TypeError, "input 0 is a float"),
        (lambda: hessian(lambda x: [x])(1.0), TypeError, "use jacobian"),
        (lambda: elementwise_grad(lambda x: [x, x])(1.0), TypeError, "the result has shape"),
    ],
)
def test_errors_say_what_to_do(call: Function, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def test_a_constant_result_warns_and_has_a_zero_gradient() -> None:
    for f in (lambda p: 3.0, lambda p: Value(3.0), lambda p: stop_gradient(p[0]), lambda p: 7):
        with pytest.warns(UserWarning, match="returned a constant") as caught:
            got = grad(f)([1.0, Value(2.0)])
        assert caught[0].filename == __file__
        assert got[0] == 0.0
        assert isinstance(got[1], Value)
        assert got[1].data == 0.0
    with pytest.warns(UserWarning, match="returned a constant") as caught:
        assert jacobian(lambda p: [1.0, 2.0])(1.0) == [0.0, 0.0]
    assert caught[0].filename == __file__


def test_an_argument_that_is_not_used_has_a_zero_gradient() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(lambda x, y: x * 2.0, (0, 1))(1.0, 5.0) == (2.0, 0.0)
        w = Value(2.0)
        assert grad(lambda x: w * w)(1.0) == 0.0
        assert jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)
        assert vjp(lambda x: [x, 3.0], 1.0)[1]([1.0, 1.0]) == (1.0,)


def test_an_exception_leaves_nothing_behind() -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def broken(x: Any) -> Any:
        (x * x).backward()
        raise Stop

    x = Value(3.0)
    for call in (
        lambda: grad(broken)(x),
        lambda: grad(grad(broken))(3.0),
        lambda: jvp(broken, (x,), (1.0,)),
        lambda: jacobian(broken)(x),
        lambda: checkpoint(broken)(x),
    ):
        before = x.grad
        with pytest.raises(Stop):
            call()
        x.grad = before
    with no_grad():
        with pytest.raises(Stop):
            grad(broken)(3.0)
        assert (x * x)._prev == set()
    # the depth is back at 0: floats in, floats out, and nothing is recorded for later
    assert type(grad(lambda x: x * x)(3.0)) is float
    assert grad(lambda x: x * x)(3.0) == 6.0
    assert (x * x)._prev == {x}
