"""The exceptions of SmolML's graph and ops."""

from __future__ import annotations


class SmolMLError(Exception):
    """Base of the errors that only SmolML raises."""


class GraphError(SmolMLError, RuntimeError):
    """The graph was used in a way that would give a wrong gradient (a nested backward, ...)."""


class OpError(SmolMLError, TypeError):
    """An op was defined or called wrongly: its arity, its partials, or the shape of one."""


class UnknownOpError(SmolMLError, KeyError, AttributeError):
    """No op of that name is registered."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0])


class PluginError(SmolMLError, RuntimeError):
    """A plugin op could not be used: it failed to load, is not what it says, or conflicts."""


class NoDerivativeError(OpError):
    """A derivative was asked for of a function that has none, such as a plain float function."""


class LostGradientWarning(UserWarning):
    """A number left the graph while its function was being differentiated: see `grad`."""


class AnomalyError(SmolMLError, ArithmeticError):
    """The first nan or inf inside detect_anomaly().

    Attributes:
        op: the name of the op that it came out of.
        direction: "forward" for its result, "backward" for the cotangent that it sends to an
            operand, "tangent" for its tangent in forward mode.
        operand: in backward the number of that operand, from 0; else None.
        file: the file of the line that made the node; None if that is not known.
        line: the number of that line; None as above.
        code: its text; "" if it is not to be had.
    """

    def __init__(
        self,
        message: str,
        op: str = "",
        direction: str = "forward",
        operand: int | None = None,
        file: str | None = None,
        line: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(message, op, direction, operand, file, line, code)  # so that it pickles
        self.op, self.direction, self.operand = op, direction, operand
        self.file, self.line, self.code = file, line, code

    def __str__(self) -> str:
        return str(self.args[0])
