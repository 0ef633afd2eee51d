"""One op that an installed distribution offers: where it comes from, and how it is loaded."""

from __future__ import annotations

import threading
from typing import Literal, NamedTuple

from smolml_value._ops.entry_points import EntryPoint
from smolml_value.errors import PluginError
from smolml_value.op import Op
from smolml_value.table import TABLE

Status = Literal[
    "built-in", "registered", "available", "loaded", "broken", "conflicting", "disabled"
]


class OpInfo(NamedTuple):
    """What is known of one registered op without loading it.

    `arity` is None while a plugin is not loaded; `error` says why it is broken or conflicting.
    """

    name: str
    arity: int | None
    distribution: str
    version: str
    status: Status
    error: str = ""


class Plugin:
    """One entry point: where it comes from, and the op or the error once it was loaded."""

    def __init__(self, entry: EntryPoint, distribution: str, version: str) -> None:
        self.entry = entry
        self.name = entry.name
        self.distribution = distribution
        self.version = version
        self.disabled = False
        self.op: Op | None = None
        self.error: PluginError | None = None
        self.lock = threading.RLock()  # its own: an import under a common lock can deadlock

    @property
    def qualified(self) -> str:
        return f"{self.distribution}:{self.name}"

    def load(self) -> Op:
        """The op, loaded and checked once; a failure is remembered and raised at every use."""
        with self.lock:
            if self.op is None and self.error is None:
                self._try_load()
            if self.op is None:
                assert self.error is not None
                raise self.error.with_traceback(None)
            return self.op

    def _try_load(self) -> None:
        try:
            loaded = self.entry.load()
        except (Exception, SystemExit) as cause:  # whatever it does, only its own use fails
            self._fail(f"loading it raised {type(cause).__name__}: {cause}", cause)
            return
        if not isinstance(loaded, Op):
            self._fail(f"expected an Op (what elementwise() returns), got {type(loaded).__name__}")
        elif loaded.name != self.name:
            self._fail(
                f"the op calls itself {loaded.name!r}; the entry-point name must be the op's name"
            )
        elif self.name in TABLE and loaded is not TABLE[self.name]:
            self._fail("the name belongs to a built-in op, which cannot be replaced; rename it")
        else:
            self.op, self.error = loaded, None

    def _fail(self, why: str, cause: BaseException | None = None) -> None:
        self.error = PluginError(
            f"op {self.name!r} of {self.distribution} {self.version} "
            f"({self.entry.value}) cannot be used: {why}"
        )
        self.error.__cause__ = cause

    def info(self, rivals: list[Plugin], shadowed: bool) -> OpInfo:
        status: Status = "available"
        error = ""
        if self.disabled:
            status = "disabled"
        elif self.name in TABLE:
            status, error = "conflicting", "the name belongs to a built-in op"
        elif self.error is not None:
            status, error = "broken", str(self.error)
        elif len(rivals) > 1:
            others = ", ".join(r.distribution for r in rivals if r is not self)
            status, error = "conflicting", f"also claimed by {others}"
        elif shadowed:
            why = f"an op registered at run time goes first; this one is ops[{self.qualified!r}]"
            status, error = "conflicting", why
        elif self.op is not None:
            status = "loaded"
        arity = None if self.op is None else self.op.arity
        return OpInfo(self.name, arity, self.distribution, self.version, status, error)
