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
