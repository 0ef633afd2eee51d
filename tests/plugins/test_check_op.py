"""check_op passes what is right and refuses what is wrong, with the reason."""

from __future__ import annotations

import math
import pickle
import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from smolml_array._derivatives.kinds import kinds
from smolml_value import Op, elementwise, ops, scalar_elementwise
from smolml_value.table import TABLE
from smolml_value.testing import OpCheckError, OpReport, check_op

KINDS = kinds()


def report_on(op: Op) -> OpReport:
    return check_op(op, kinds=KINDS, raise_on_failure=False)


def failed(op: Op) -> set[str]:
    """The names of the checks that failed."""
    return {check.name for check in report_on(op).failures}


def message(op: Op, name: str) -> str:
    """What one check has to say."""
    (check,) = [check for check in report_on(op).checks if check.name == name]
    return "\n".join(check.messages)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_built_in_op_passes(name: str) -> None:
    report = check_op(TABLE[name], kinds=KINDS)
    assert report.ok
    assert [check.name for check in report.checks if check.status != "ok"] == []
    for kind in KINDS:  # nothing was left out
        assert sum(check.name.startswith(f"{kind.name}: ") for check in report.checks) >= 7


@pytest.mark.parametrize("op", [ops.leaky_relu.bind(alpha=0.3), ops.elu.bind(alpha=2.5)], ids=repr)
def test_bound_parameters_pass(op: Op) -> None:
    assert check_op(op, kinds=KINDS).ok


# What it must refuse ---------------------------------------------------------------------------

product = elementwise(
    "product",
    lambda xp, x, y: x * y,
    (lambda xp, out, x, y: y, lambda xp, out, x, y: x),
)


def test_a_wrong_partial() -> None:
    # relative errors down to that of a constant copied with nine digits
    for factor in (2.0, 1.01, 1 + 1e-6, 1 + 1e-9):
        wrong = elementwise(
            "wrong", lambda xp, x: xp.sin(x), (lambda xp, out, x, k=factor: k * xp.cos(x),)
        )
        assert "derivatives" in failed(wrong), factor
    twice = elementwise("twice", lambda xp, x: x * x, (lambda xp, out, x: 4 * x,))
    assert "off by a factor of 2" in message(twice, "derivatives")


def test_a_wrong_sign() -> None:
    wrong = elementwise("wrong", lambda xp, x: xp.cos(x), (lambda xp, out, x: xp.sin(x),))
    assert "derivatives" in failed(wrong)
    assert "the sign is wrong" in message(wrong, "derivatives")


@pytest.mark.parametrize(
    "rule",
    [
        lambda xp, out, x: xp.sum(2 * x) if getattr(x, "shape", ()) else 2 * x,
        lambda xp, out, x: xp.sum(2 * x, axis=0) if len(getattr(x, "shape", ())) > 1 else 2 * x,
        lambda xp, out, x: xp.reshape(2 * x, (-1,)) if getattr(x, "shape", ()) else 2 * x,
        lambda xp, out, x: xp.expand_dims(2 * x, axis=0) if getattr(x, "shape", ()) else 2 * x,
    ],
    ids=["sum", "sum of rows", "flat", "one axis more"],
)
def test_a_partial_of_the_wrong_shape(rule: Callable[..., Any]) -> None:
    wrong = elementwise("wrong", lambda xp, x: x * x, (rule,))
    assert {f"{kind.name}: derivatives" for kind in KINDS} <= failed(wrong)


def test_a_missing_partial() -> None:
    with pytest.raises(TypeError, match="expected 2 partials, one per operand, got 1"):
        elementwise("wrong", lambda xp, x, y: x * y, (lambda xp, out, x, y: y,))
    smuggled = Op(**{**vars(product), "partials": (product.partials or ())[:1]})
    assert failed(smuggled) == {"definition"}
    assert message(smuggled, "definition") == "expected 2 partials, one per operand, got 1"
    none = elementwise("wrong", lambda xp, x, y: x * y, (lambda xp, out, x, y: y, None))
    assert "its partial is None" in message(none, "derivatives")


def test_one_partial_too_many() -> None:
    with pytest.raises(TypeError, match="expected 1 partials, one per operand, got 2"):
        elementwise("wrong", lambda xp, x: x, (1.0, 1.0))
    smuggled = Op(**{**vars(product), "partials": (*(product.partials or ()), 1.0)})
    assert message(smuggled, "definition") == "expected 2 partials, one per operand, got 3"


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (lambda g, x, y: (g * y,), "its vjp returned 1 cotangents; expected 2"),
        (lambda g, x, y: (g * y, g * x, g), "its vjp returned 3 cotangents; expected 2"),
        (lambda g, x, y: g * y, "is a comma missing"),
    ],
)
def test_a_vjp_with_another_number_of_cotangents(parts: Callable[..., Any], reason: str) -> None:
    wrong = elementwise(
        "wrong", lambda xp, x, y: x * y, vjp=lambda xp, g, out, x, y: parts(g, x, y)
    )
    assert failed(wrong) == {"definition"}
    assert reason in message(wrong, "definition")


def test_a_vjp_that_forgets_its_cotangent() -> None:
    wrong = elementwise("wrong", lambda xp, x, y: x * y, vjp=lambda xp, g, out, x, y: (y, x))
    assert "the vjp does not multiply by its g" in message(wrong, "derivatives")


def test_partials_in_the_wrong_order() -> None:
    wrong = elementwise(
        "wrong", lambda xp, x, y: x * x * y, (lambda xp, out, x, y: x * x, lambda xp, out, x, y: y)
    )
    assert "derivatives" in failed(wrong)
    swapped = Op(**{**vars(product), "partials": (product.partials or ())[::-1]})
    assert "in the order of the operands" in message(swapped, "derivatives")


@pytest.mark.parametrize(
    "forward",
    [
        lambda xp, x: x - xp.mean(x) if getattr(x, "shape", ()) else x,
        lambda xp, x: xp.flip(x) if getattr(x, "shape", ()) else x,
        lambda xp, x: x / xp.max(x) if getattr(x, "size", 0) else x,
        lambda xp, x: xp.exp(x) / xp.sum(xp.exp(x)),
    ],
    ids=["centred", "flipped", "scaled", "softmax"],
)
def test_a_forward_that_is_not_element_wise(forward: Callable[..., Any]) -> None:
    wrong = elementwise("wrong", forward, (1.0,))
    assert {f"{kind.name}: element-wise" for kind in KINDS} <= failed(wrong)
    assert "not element-wise: a change of element" in message(wrong, "pure: element-wise")


def test_a_forward_that_changes_the_shape() -> None:
    wrong = elementwise("wrong", lambda xp, x: xp.sum(x) if getattr(x, "shape", ()) else x, (1.0,))
    assert {f"{kind.name}: shapes" for kind in KINDS} <= failed(wrong)
    empty = elementwise("wrong", lambda xp, x: x + 0 * xp.max(x) if hasattr(x, "size") else x)
    assert "of the shape (0,) it raises" in message(empty, "numpy: shapes")


def add_in_place(x: Any, number: float) -> None:
    """What an op must not do to its operand, on either backend."""
    if isinstance(getattr(x, "flat", None), list):
        for i in range(len(x.flat)):
            x.flat[i] += number
    elif hasattr(x, "fill"):
        x += number


def changes_operand(xp: Any, x: Any) -> Any:
    doubled = 2 * x
    add_in_place(x, 1.0)
    return doubled


def slope_that_changes_operand(xp: Any, out: Any, x: Any) -> Any:
    add_in_place(x, 1.0)
    return 2 * xp.ones_like(out) if getattr(x, "shape", ()) else 2.0


def slope_that_changes_result(xp: Any, out: Any, x: Any) -> Any:
    add_in_place(out, 1.0)
    return 2 * xp.ones_like(out) if getattr(x, "shape", ()) else 2.0


@pytest.mark.parametrize(
    ("forward", "slope", "reason"),
    [
        (changes_operand, 2.0, "its forward changes x in place"),
        (lambda xp, x: 2 * x, slope_that_changes_operand, "its partial 0 changes x in place"),
        (lambda xp, x: 2 * x, slope_that_changes_result, "its partial 0 changes the result"),
    ],
    ids=["forward", "operand", "result"],
)
def test_one_that_mutates(forward: Callable[..., Any], slope: Any, reason: str) -> None:
    wrong = elementwise("wrong", forward, (slope,))
    for kind in KINDS:
        assert f"{kind.name}: purity" in failed(wrong)
        assert reason in message(wrong, f"{kind.name}: purity")


def test_one_that_is_not_deterministic() -> None:
    wrong = elementwise("wrong", lambda xp, x: x * random.random(), (1.0,))
    assert {"numbers", "numpy: purity", "pure: purity"} <= failed(wrong)


def test_one_that_widens_float32() -> None:
    wrong = elementwise(
        "wrong",
        lambda xp, x: 2 * xp.astype(x, xp.float64) if getattr(x, "shape", ()) else 2 * x,
        (2.0,),
    )
    assert failed(wrong) == {"numpy float32: shapes"}


def test_backends_that_differ() -> None:
    wrong = elementwise(
        "wrong", lambda xp, x: x + (1e-6 if getattr(xp, "name", "") == "pure" else 0.0), (1.0,)
    )
    assert "pure: numbers" in failed(wrong)
    assert "numpy: numbers" not in failed(wrong)


def test_arrays_that_differ_at_edges_only() -> None:
    wrong = elementwise("wrong", lambda xp, x: xp.where(x == math.inf, 1.0, 2 * x)
                        if getattr(x, "shape", ()) else 2 * x, (2.0,))  # fmt: skip
    assert "numpy: numbers" in failed(wrong)
    assert "at inf arrays give 1.0" in message(wrong, "numpy: numbers")


def test_one_that_raises_for_numbers() -> None:
    def forward(xp: Any, x: Any) -> Any:
        return math.sin(x) if isinstance(x, float) else xp.sin(x)

    wrong = elementwise("wrong", forward, (lambda xp, out, x: xp.cos(x),))
    assert failed(wrong) == {"edge points"}  # math.sin(inf) raises, NumPy answers nan
    assert "at inf it raises ValueError" in message(wrong, "edge points")


def test_one_that_warns() -> None:
    def forward(xp: Any, x: Any) -> Any:
        warnings.warn("old", RuntimeWarning, stacklevel=1)
        return 2 * x

    assert "it warns RuntimeWarning: old" in message(elementwise("w", forward, (2.0,)), "numbers")


def test_math_in_place_of_xp() -> None:
    wrong = elementwise("wrong", lambda xp, x: xp.sin(x), (lambda xp, out, x: math.cos(x),))
    assert "are functions of math used" in message(wrong, "second order")
    composite = elementwise("wrong", lambda xp, x: x * math.exp(x))
    assert "derivatives" in failed(composite)


def test_a_domain_where_it_is_not_defined() -> None:
    wrong = elementwise("wrong", lambda xp, x: xp.log(x), (lambda xp, out, x: 1 / x,))
    assert failed(wrong) == {"numbers"}
    assert "inside its domain" in message(wrong, "numbers")
    right = elementwise("right", wrong.forward, wrong.partials, domain=[(0.1, 3.0)])
    assert check_op(right, kinds=KINDS).ok


def test_the_name_of_a_built_in() -> None:
    wrong = elementwise("tanh", lambda xp, x: xp.tanh(x), (lambda xp, out, x: 1 - out * out,))
    assert failed(wrong) == {"registration"}
    assert "belongs to a built-in op" in message(wrong, "registration")


def test_the_name_of_another_op() -> None:
    mine, other = (elementwise("swoosh", lambda xp, x: 2 * x, (2.0,)) for _ in range(2))
    with ops.registered(mine):
        assert check_op(mine, kinds=KINDS).ok
        assert failed(other) == {"registration"}
    assert "not registered" in message(mine, "registration")
    assert failed(elementwise("lambda", lambda xp, x: 2 * x, (2.0,))) == {"registration"}


# What it must not refuse -----------------------------------------------------------------------


def total(xp: Any, *xs: Any) -> Any:
    out = xs[0]
    for x in xs[1:]:
        out = xp.logaddexp(out, x)
    return out


RIGHT = [
    product,
    elementwise("composite", lambda xp, x, y: xp.exp(x) * y / (1 + xp.abs(y))),
    elementwise("with_vjp", lambda xp, x, y: x * y, vjp=lambda xp, g, out, x, y: (g * y, g * x)),
    elementwise("stairs", lambda xp, x: xp.floor(x), vjp=lambda xp, g, out, x: (0.0,)),
    elementwise("choose", lambda xp, x, y: x + 0 * y, vjp=lambda xp, g, out, x, y: (g, None)),
    elementwise(
        "of_three",
        lambda xp, x, y, z: x + y * z,
        (1.0, lambda xp, out, x, y, z: z, lambda xp, out, x, y, z: y),
    ),
    elementwise("of_any", total),
    elementwise(
        "of_any",
        total,
        vjp=lambda xp, g, out, *xs: tuple(g * xp.exp(x - out) for x in xs),
    ),
    elementwise(
        "with_parameter",
        lambda xp, x, *, alpha=1.5: xp.tanh(alpha * x),
        [lambda xp, out, x, *, alpha=1.5: alpha * (1 - out * out)],
    ).bind(alpha=0.5),
    scalar_elementwise("mapped", math.sin, elementwise("slope", lambda xp, x: xp.cos(x))),
    scalar_elementwise(
        "distance",
        math.hypot,
        [
            elementwise("along_x", lambda xp, x, y: x / xp.hypot(x, y)),
            elementwise("along_y", lambda xp, x, y: y / xp.hypot(x, y)),
        ],
        domain=[(0.5, 2.0), (-1.0, 1.0)],
    ),
    elementwise(
        "far_away", lambda xp, x: xp.log(x), (lambda xp, out, x: 1 / x,), domain=[(1e6, 1e7)]
    ),
    elementwise(
        "tiny", lambda xp, x: xp.sqrt(x), (lambda xp, out, x: 0.5 / out,), domain=[(1e-9, 1e-8)]
    ),
]


@pytest.mark.parametrize("op", RIGHT, ids=lambda op: f"{op.name} {op.arity}")
def test_every_form_of_op_that_is_right_passes(op: Op) -> None:
    report = check_op(op, kinds=KINDS)
    assert {check.name for check in report.checks if check.status != "ok"} == {"registration"}


def test_a_plain_derivative_is_of_first_order_and_says_so() -> None:
    op = scalar_elementwise("mapped", math.sin, math.cos)
    report = check_op(op, kinds=KINDS)
    skipped = {check.name for check in report.checks if check.status == "skipped"}
    assert skipped == {"registration", "second order", *(f"{k.name}: second order" for k in KINDS)}
    assert "give df as an Op" in message(op, "second order")


# The report ------------------------------------------------------------------------------------


def test_the_error_is_the_report() -> None:
    wrong = elementwise("wrong", lambda xp, x: xp.cos(x), (lambda xp, out, x: xp.sin(x),))
    with pytest.raises(AssertionError, match="the sign is wrong") as caught:
        check_op(wrong, kinds=KINDS)
    assert isinstance(caught.value, OpCheckError)
    report = caught.value.report
    assert str(report) == str(caught.value)
    assert not report.ok
    assert repr(report) == "<report on wrong: FAILED: derivatives>"
    assert [check.name for check in report.failures] == ["derivatives"]
    # one cause, told once
    assert "until this is mended: derivatives" in str(report)
    assert len(str(report).splitlines()) < 12
    assert len(report.text(verbose=True).splitlines()) > len(report.checks)


def test_the_report_of_an_op_that_is_right() -> None:
    report = check_op(ops.tanh, kinds=KINDS)
    assert str(report) == f"<op tanh(x)>: {len(report.checks)} ok"
    assert repr(report) == "<report on tanh: ok>"
    assert "12 with the complex step" in report.text(verbose=True)


def test_the_error_can_be_pickled() -> None:
    with ops.registered(elementwise("wrong", lambda xp, x: xp.cos(x), (1.0,))):
        with pytest.raises(OpCheckError) as caught:
            check_op(ops.wrong, kinds=[])
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_without_arrays_it_says_so() -> None:
    report = check_op(product, kinds=[])
    assert [c.messages for c in report.checks if c.name == "arrays"] == [
        ("no package with arrays is installed (pip install smolml-array)",)
    ]


def test_what_is_no_op() -> None:
    with pytest.raises(TypeError, match=r"expected an Op .* got function"):
        check_op(lambda x: x)  # type: ignore[arg-type]  # that is what is tested
