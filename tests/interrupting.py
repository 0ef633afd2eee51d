"""Ctrl-C at every point of a program at which it can come, one after the other, without a clock."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dis import opname
from types import FrameType
from typing import Any


def interrupted(run: Callable[[], object], n: int) -> bool:
    """Raise KeyboardInterrupt at the n-th point of our code at which Python looks for signals.

    It looks where a function begins, where one in C has returned, and where a loop goes on; not
    between the end of a with block and its `__exit__`, say.

    Returns:
        Whether it came so far.
    """
    left = n

    def step(frame: FrameType) -> None:
        nonlocal left
        if str(frame.f_globals.get("__name__")).startswith("smolml"):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        if event in ("call", "c_return"):
            step(frame)

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode" and opname[frame.f_code.co_code[frame.f_lasti]] == "JUMP_BACKWARD":
            step(frame)
        return trace

    before = sys.gettrace(), sys.getprofile()
    try:
        sys.settrace(trace)
        sys.setprofile(profile)
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(before[1])
        sys.settrace(before[0])
    return left <= 0


def everywhere(run: Callable[[], object], step: int = 1) -> Iterator[int]:
    """Interrupt `run` at each point, or at each `step`-th; after each the caller may look."""
    n = 1
    while interrupted(run, n):
        yield n
        n += step
    assert n > 5  # it was interrupted at all
