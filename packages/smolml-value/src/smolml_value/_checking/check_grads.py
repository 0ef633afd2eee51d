"""check_grads: derivatives of any function against difference quotients, to any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smolml_value._derivatives.trees import Tree


def check_grads(
    f: Callable[..., Tree],
    args: Tree,
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    rtol: float | None = None,
    step: float | None = None,
    elements: int = 50,
    seed: int = 0,
) -> None:
    """Check the derivatives of f against central differences, up to an order.

    Of every element of the result the derivative by every element of the arguments is compared:
    in forward mode column by column, in reverse mode row by row. For order 2 the derivatives so
    found, along a random direction, are functions that are checked in turn, in each mode: so
    order 2 means forward-over-forward, forward-over-reverse, and so on.

    The differences are those of `_quotients.central`: extrapolated, with a step that balances
    truncation and rounding and an estimate of what is left. Where a slope a is expected, b passes
    if |a - b| <= rtol (max(|a|, |b|) + s / 1000) + that estimate, s being the largest slope.

    Args:
        f: a function of floats, Values, arrays and containers of them, to such.
        args: a tuple of its arguments; what is no tuple is the only one.
        order: the highest order of derivative; 1 or more.
        modes: which modes: "fwd", "rev" or both.
        rtol: default epsilon**0.4 of the least precise type among arguments and results: 5e-7 for
            float64, 2e-3 for float32.
        step: the step of the differences; default: chosen for each element.
        elements: from how many elements on they are not all tried, but that many, chosen at
            random, and two random directions.
        seed: of the random choices.

    Raises:
        AssertionError: a derivative is wrong; names mode and order, argument and element, both
            numbers and what the reason may be.
        TypeError: an argument is not made of floats.
        ValueError: an unknown mode, or an order below 1.

    >>> check_grads(lambda x, y: x**2 * y, (3.0, 2.0))
    >>> from smolml_value import elementwise
    >>> wrong = elementwise("wrong", lambda xp, x: xp.sin(x), [lambda xp, out, x: -xp.cos(x)])
    >>> try:
    ...     check_grads(wrong, 1.0)
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[-1])
    likely: a wrong sign
    """
    from smolml_value._checking.gradients import check  # slow to import, and only checks need it

    if order < 1:
        raise ValueError(f"check_grads: expected an order of 1 or more, got {order!r}")
    for mode in modes:
        if mode not in ("fwd", "rev"):
            raise ValueError(f"check_grads: unknown mode {mode!r}; expected 'fwd' or 'rev'")
    given = args if isinstance(args, tuple) else (args,)
    check(f, given, order, tuple(modes), rtol, step, elements, seed)
