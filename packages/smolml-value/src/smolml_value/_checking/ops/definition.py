"""Checks of what an op says of itself, and of where it can be found."""

from __future__ import annotations

import math
import pickle
from typing import Any

from smolml_value import scalar
from smolml_value._checking.close import close
from smolml_value._checking.ops.subject import Subject, explained, show
from smolml_value._checking.plan import Findings, Skipped
from smolml_value._ops.definition import VARIADIC, signature
from smolml_value.errors import PluginError, UnknownOpError
from smolml_value.registry import name_taken, ops
from smolml_value.table import TABLE
from smolml_value.value import Value


def check_definition(subject: Subject, found: Findings) -> None:
    """One partial and one interval for each operand, a forward that takes them all."""
    op = subject.op
    try:
        arity, _ = signature(op.name, op.forward, None)
    except TypeError:  # bound parameters, or a forward of another language: its word is taken
        arity = op.arity
    if arity not in (op.arity, VARIADIC):
        found.fail(f"its forward takes {arity} operand(s) after xp, but its arity is {op.arity}")
    if op.partials is not None and len(op.partials) != subject.arity:
        found.fail(f"expected {subject.arity} partials, one per operand, got {len(op.partials)}")
    if op.partials is not None and op.vjp is not None:
        found.fail("it has both partials and a vjp; give one of them")
    if len(subject.domain) != subject.arity:
        found.fail(f"expected {subject.arity} intervals in domain, got {len(op.domain)}")
    for interval in subject.domain:
        if not (interval[0] < interval[1] and all(map(math.isfinite, interval))):
            found.fail(f"the domain {interval} is no finite interval to take samples from")
    if op.is_composite:
        found.note("a composite: differentiated through its forward")
    elif op.vjp is not None:
        _check_vjp(subject, found)


def _check_vjp(subject: Subject, found: Findings) -> None:
    op, point = subject.op, subject.points[0]
    assert op.vjp is not None
    given = op.vjp(scalar, 1.0, op.on_floats(point), *point)
    if not isinstance(given, tuple | list):
        found.fail(
            f"its vjp returned a {type(given).__name__}; expected a tuple of {subject.arity}, one "
            f"cotangent per operand (is a comma missing, as in (g * y,)?)"
        )
    elif len(given) != subject.arity:
        found.fail(f"its vjp returned {len(given)} cotangents; expected {subject.arity}")


def check_registration(subject: Subject, found: Findings) -> None:
    """Its name is free or its own, gives the op back, and is a name that can be written."""
    op = subject.op
    if op._base is not None and op.arity != VARIADIC:
        raise Skipped("parameters were set: it is the op without them that is registered")
    wrong = name_taken(op.name)
    if wrong and TABLE.get(op.name) is not op:
        found.fail(wrong)
        return
    known = ops.name_of(op)
    if known is not None and known != op.name:
        found.note(f"others claim its name, too: call it as ops[{known!r}](x)")
        return
    try:
        registered = ops[op.name]
    except UnknownOpError:
        raise Skipped(
            f"not registered: ops.{op.name} and x.{op.name}() need an entry point of the group "
            f"smolml.ops, or ops.register"
        ) from None
    except PluginError as error:
        found.fail(str(error))
        return
    if registered is not op:
        found.fail(f"ops[{op.name!r}] is another op: {registered!r}")
        return
    row = next(r for r in ops.info() if r.name == op.name and r.status != "conflicting")
    found.note(f"{row.status}, from {row.distribution} {row.version}".rstrip())
    point = subject.points[0]
    method = getattr(Value(point[0]), op.name)
    if op.name not in dir(Value) and method(*point[1:]).data != op(*point):
        found.fail(f"Value.{op.name}() gives another number than the op itself")
    if pickle.loads(pickle.dumps(op)) is not op:
        found.fail("pickled and loaded again it is another object")


def check_numbers(subject: Subject, found: Findings) -> None:
    """Finite floats for floats of its domain, the same at every call, of whole numbers too."""
    op = subject.op
    for point in subject.points:
        out = op(*point)
        if not math.isfinite(out):
            found.fail(
                f"{out} at {show(point)}, inside its domain {subject.domain}; say where it can be "
                f"sampled: domain=((low, high),)"
            )
        elif op(*point) != out:
            found.fail(f"two calls at {show(point)} give {out} and {op(*point)}")
        elif op.params and op(*point, **op.params) != out:
            found.fail(f"at {show(point)} it gives another number with its parameters spelt out")
    op(*(round(x) for x in subject.points[0]))


def check_values(subject: Subject, found: Findings) -> None:
    """A Value for Values and for mixtures with numbers, with the same number in it."""
    op = subject.op
    for point in subject.points:
        wanted = op(*point)
        for those in (range(subject.arity), *([i] for i in range(subject.arity))):
            operands: list[Any] = [Value(x) if i in those else x for i, x in enumerate(point)]
            out = op(*operands)
            if not close(out.data, wanted, 1e-14):  # a composite may take other steps on Values
                found.fail(f"{wanted} of numbers at {show(point)}, {out.data} of Values")


def check_edges(subject: Subject, found: Findings) -> None:
    """At zeros, infinities, nan and the ends of the domain: no exception, and nan stays nan."""
    op = subject.op
    for point in subject.edges():
        try:
            out = op(*point)
            slopes = subject.gradient(point)
        except Exception as error:
            found.fail(
                f"at {show(point)} it raises {explained(error)}; like NumPy, answer inf or nan"
            )
            continue
        inside = all(a <= x <= b for x, (a, b) in zip(point, subject.domain, strict=True))
        if inside and math.isfinite(out) and any(map(math.isnan, slopes)):
            found.note(f"at {show(point)} it is finite, but its gradient is nan: {slopes}")
        if all(map(math.isnan, point)) and not math.isnan(out):
            found.note(f"nan does not stay nan: it becomes {out}")
