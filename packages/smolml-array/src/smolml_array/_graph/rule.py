"""Rule: what is not element-wise, as a forward and the cotangents it sends; and our own ops."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final, Literal

from smolml_value.extending import TABLE, Op, record_here

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

Vjp = Callable[..., Any]  # (xp, g, out, *operands, **params) -> cotangent; operands of any kind

OUT: Final = -1  # in place of an operand's position: the result

OWN_OPS: Final = frozenset(TABLE.values())


def is_own(op: Any) -> bool:
    """Whether an op is one of our table, the shapes of whose results need no check."""
    return op in OWN_OPS or op._base in OWN_OPS


def is_plugin(rule: Op | Rule | None) -> bool:
    """Whether it is an op that is not of our table: its rules may do anything."""
    return isinstance(rule, Op) and not is_own(rule)


def call_plugin(xp: Backend, f: Callable[..., Any], /, *args: Any) -> Any:
    """f(*args), where f is a plugin's: quiet, in a copy of the context (contextvars) of its caller.

    Operations are recorded there even inside no_grad(): f may differentiate on its own account.
    """
    return xp.silence.run_apart(_recording, f, *args)


def _recording(f: Callable[..., Any], /, *args: Any) -> Any:
    record_here()
    return f(*args)


def of_backend(name: str) -> Callable[..., Any]:
    """The backend's function of that name, as a forward."""
    return lambda xp, *operands, **params: getattr(xp, name)(*operands, **params)


class Rule:
    """What is not element-wise: a forward, and what it does to cotangents and to tangents.

    Its functions are written against a namespace `xp`, so that they serve every backend and, run
    on arrays of the graph, derivatives of every order.

    Attributes:
        name: for error messages and drawings.
        forward: `forward(xp, *operands, **params)`; given as a text, the backend's function of that
            name.
        function: that name; `_apply` calls the function without a step between.
        vjps: one per operand: `vjp(xp, g, out, *operands, **params)`, the cotangent of that operand
            from `g`, that of the result; None where there is none.
        vjp_all: in place of vjps, for any number of operands: all cotangents at once.
        jvp: the tangent of the result. "linear" if the result is linear in all operands together
            (it is the forward of the tangents), "multilinear" if in every one of them alone,
            "reduction" if it is one over the parameter `axis` (with `keepdims`), whose vjps give
            g, put back along the axis, times weights; else a function
            `jvp(xp, tangents, out, *operands, **params)`, None among the tangents for zero. None
            where there is none: forward mode then raises.
        formula: what explanations say of the cotangent on its way to an operand, one text for each
            or one for all: `{g}` is the cotangent, `{x}` and `{y}` are the first and the last
            operand, `{out}` is the result, `{n}` how many elements go into one of it, `{freedom}`
            that less the correction, `{shape}` the shape of x, `{place}` the key. After "; " may
            stand a note of those that explanations know, such as "each". "" for none.
        into: of a rule that takes a part of its one operand, what adds the cotangent to one of the
            whole operand, in place: `into(xp, total, g, **params)`, the total.
        rest: of a rule that sends its first operand the cotangent of the result but for a part,
            what takes the part out, in place: `rest(xp, g, **params)`, what is left.
        not_saved: the positions of the operands, and OUT for the result, of which the rules read
            no more than shape and dtype. Their numbers need not be kept for the backward pass.
    """

    __slots__ = (
        *("formula", "forward", "function", "into", "jvp", "name", "not_saved", "rest", "vjp_all"),
        "vjps",
    )

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any] | str,
        *vjps: Vjp | None,
        vjp_all: Vjp | None = None,
        jvp: Literal["linear", "multilinear", "reduction"] | Callable[..., Any] | None = None,
        into: Callable[..., Any] | None = None,
        rest: Callable[..., Any] | None = None,
        not_saved: Collection[int] = (),
        formula: str | tuple[str, ...] = "",
    ) -> None:
        self.name: str = name
        self.function: str = forward if isinstance(forward, str) else ""
        self.forward: Callable[..., Any] = (
            of_backend(forward) if isinstance(forward, str) else forward
        )
        self.vjps: tuple[Vjp | None, ...] = vjps
        self.vjp_all: Vjp | None = vjp_all
        self.jvp = jvp
        self.into: Callable[..., Any] | None = into
        self.rest: Callable[..., Any] | None = rest
        self.not_saved: Collection[int] = not_saved
        self.formula: str | tuple[str, ...] = formula

    @property
    def symbol(self) -> str:
        """What drawings show."""
        return self.name

    def __repr__(self) -> str:
        return f"<rule {self.name}>"
