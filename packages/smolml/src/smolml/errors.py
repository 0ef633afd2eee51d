"""What can go wrong in a command: raised anywhere in it, said in one line by `smolml.cli`."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot go on; the message says why and what to do.

    Attributes:
        code: the exit code.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class UseError(CommandError):
    """The command line is wrong: exit code 2, and the message ends with where help is."""
