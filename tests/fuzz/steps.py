"""What a step of a program does, on any machine: the table `STEPS`, and the run of a program."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.fuzz import functions
from tests.fuzz.elementwise import OPS, PARAMETERS
from tests.fuzz.functions import Choice
from tests.fuzz.program import Leaf, Program, Shape, Step
from tests.utils.operations import UNIT

MOST = 40  # elements of a result
_WIDE = (-2.0, 2.0)


class Made:
    """A result: who owns its memory, and whether it depends on a leaf."""

    def __init__(self, x: Any, owner: int, tracked: bool) -> None:
        self.x, self.owner, self.tracked = x, owner, tracked


class State:
    """A run of a program on a machine, so far."""

    def __init__(self, machine: Any, program: Program, arguments: Sequence[Any]) -> None:
        self.machine, self.program = machine, program
        self.made: list[Made] = []
        self.story: list[str] = []
        self.looked: list[int] = []  # owners of which somebody holds an element
        rest = iter(arguments)
        for leaf in program.leaves:
            x = machine.leaf(regrouped(machine, leaf, rest), leaf.shape)
            self.story.append(f"v{len(self.made)} = {leaf.kind} {leaf.shape} {leaf.numbers}")
            self.made.append(Made(x, len(self.made), True))

    def operand(self, i: int) -> Made:
        return self.made[-1 - i % len(self.made)]

    def add(self, what: str, x: Any, of: Sequence[Made], window: bool = False) -> None:
        """A result of these operands."""
        if x is None or math.prod(self.machine.shape(x)) > MOST:
            return
        names = ", ".join(f"v{self.made.index(m)}" for m in of)
        owner = of[0].owner if window else len(self.made)
        self.story.append(f"v{len(self.made)} = {what}({names})  # {self.machine.shape(x)}")
        self.made.append(Made(x, owner, any(m.tracked for m in of)))

    def shape(self, m: Made) -> Shape:
        shape: Shape = self.machine.shape(m.x)
        return shape

    def fitted(self, x: Any, shape: Shape) -> Any:
        """The elements of x, as often as they are needed, in this shape; None if there are none."""
        mine, count = self.machine.shape(x), math.prod(shape)
        if mine == shape:
            return x
        if not math.prod(mine):
            return None
        at = np.arange(count) % math.prod(mine)
        return self.machine.linear(
            [x],
            lambda a: a.flatten()[at.tolist()].reshape(shape),
            lambda a: np.ravel(a)[at].reshape(shape),
        )

    def within(self, x: Any, domain: tuple[float, float] | None, always: bool) -> Any:
        """x pressed into the domain of a function, but for programs at the edges."""
        if domain is None:
            return x
        low, high = domain
        if self.program.edges:  # but a probability is one, or it would be refused
            unit = {"min": 0.0, "max": 1.0}
            return self.machine.elementwise("clip", [x], unit) if (low, high) == UNIT else x
        if not always and low <= _WIDE[0] and high >= _WIDE[1]:
            return x
        pressed = self.machine.elementwise("sigmoid", [x], {})
        return self.machine.operator(lambda v: v * (high - low) + low, [pressed])


def regrouped(machine: Any, leaf: Leaf, rest: Any) -> Any:
    """The argument of a leaf, of those that come one by one."""
    if leaf.kind == "values" and machine.takes_lists:
        return [next(rest) for _ in leaf.numbers]
    return next(rest)


# The steps ----------------------------------------------------------------------------------------


def op(s: State, step: Step) -> None:
    """An op of the registry or of a plugin."""
    c = Choice(step.choices)
    name = c.of(list(OPS))
    params = c.of(PARAMETERS.get(name, [{}]))
    one = OPS[name]
    of = [s.operand(i) for i in step.operands[: one.arity]]
    press = not c(3)
    xs = [s.within(m.x, d, press) for m, d in zip(of, one.domain, strict=True)]
    shape = s.shape(of[0])
    for i, m in enumerate(of):
        together = broadcast(shape, s.shape(m))
        if together is None:
            xs[i] = s.fitted(xs[i], shape)
        else:
            shape = together
    if all(x is not None for x in xs):
        s.add(f"{name}{params or ''}", s.machine.elementwise(name, xs, params), of)


def broadcast(*shapes: Shape) -> Shape | None:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


OPERATORS: dict[str, Callable[..., Any]] = {
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x * y": lambda x, y: x * y,
    "x / (y * y + 1)": lambda x, y: x / (y * y + 1),
    "x * x": lambda x: x * x,
    "x + x": lambda x: x + x,
    "x**2": lambda x: x**2,
    "x**3": lambda x: x**3,
    "x**2.0 + True": lambda x: x**2.0 + True,
    "2 - x": lambda x: 2 - x,
    "0.5 * x": lambda x: 0.5 * x,
    "1.0 / (x * x + 0.5)": lambda x: 1.0 / (x * x + 0.5),
    "2.0**x": lambda x: 2.0**x,
    "-x": lambda x: -x,
    "abs(x)": abs,
    "x * 0.0": lambda x: x * 0.0,
}


def operator(s: State, step: Step) -> None:
    """Python's operators, with numbers."""
    name = Choice(step.choices).of(list(OPERATORS))
    x, y = (s.operand(i) for i in step.operands[:2])
    if "y" not in name:
        s.add(name, s.machine.operator(OPERATORS[name], [x.x]), [x])
        return
    other = y.x if broadcast(s.shape(x), s.shape(y)) is not None else s.fitted(y.x, s.shape(x))
    if other is not None:
        s.add(name, s.machine.operator(OPERATORS[name], [x.x, other]), [x, y])


def constant(s: State, step: Step) -> None:
    """An op of two with a constant of some dtype and form, on either side."""
    c = Choice(step.choices)
    name = c.of([name for name, one in OPS.items() if one.arity == 2])
    x, side = s.operand(step.operands[0]), c(2)
    shape = s.shape(x)
    given = c.of(s.program.constants)
    low, high = OPS[name].domain[side]
    numbers = np.resize(np.array(given.numbers), c.of([shape, (), shape[-1:], (2, *shape)]))
    if not s.program.edges and (low, high) != _WIDE:
        numbers = np.clip(numbers, math.ceil(low), math.floor(high))
    forms = ("array", "ndarray", "list") if numbers.size else ("array", "ndarray")
    form = c.of(forms) if shape else "array"  # a Value takes no others
    known = s.machine.constant(numbers.astype(given.dtype), form)
    inside = s.within(x.x, OPS[name].domain[1 - side], False)
    xs = [known, inside] if side == 0 else [inside, known]
    what = f"{name}, {('first', 'second')[side]} is {given.dtype} {form} {numbers.tolist()}"
    s.add(what, s.machine.elementwise(name, xs, {}), [x])


def where(s: State, step: Step) -> None:
    """One or the other, by a comparison."""
    x, y = (s.operand(i) for i in step.operands[:2])
    other = s.fitted(y.x, s.shape(x))
    if other is not None:
        mask = s.machine.greater(x.x, 0.25)
        s.add("where > 0.25", s.machine.elementwise("where", [mask, x.x, other], {}), [x, y])


def window(s: State, step: Step) -> None:
    c = Choice(step.choices)
    name = c.of(list(functions.WINDOWS))
    x = s.operand(step.operands[0])
    pair = functions.WINDOWS[name](s.shape(x), c)
    if pair is not None and s.shape(x):  # an array made of one Value is no window of it
        s.add(name, s.machine.window(x.x, *pair), [x], window=True)


def linear(s: State, step: Step) -> None:
    c = Choice(step.choices)
    name = c.of(list(functions.LINEAR))
    x = s.operand(step.operands[0])
    pair = functions.LINEAR[name](s.shape(x), c)
    if pair is not None:
        s.add(name, s.machine.linear([x.x], *pair), [x])


def join(s: State, step: Step) -> None:
    name = Choice(step.choices).of(list(functions.JOINS))
    x, y = (s.operand(i) for i in step.operands[:2])
    other = s.fitted(y.x, s.shape(x))
    if other is not None and s.shape(x):
        s.add(name, s.machine.linear([x.x, other], *functions.JOINS[name]), [x, y])


def row(s: State, step: Step) -> None:
    """A row of the tables of array functions and of losses."""
    c = Choice(step.choices)
    # what gives a window is a step of its own: beside it, PyTorch's may be a copy
    name = c.of([name for name in functions.ROWS if name not in functions.WINDOWS])
    fixed = functions.ROWS[name]
    of = [s.operand(i) for i in step.operands[: len(fixed.shapes)]]
    xs = [s.fitted(m.x, shape) for m, shape in zip(of, fixed.shapes, strict=True)]
    if any(x is None for x in xs) or (s.program.edges and name.startswith(functions.LAPACK)):
        return
    domains = fixed.domains or (None,) * len(xs)
    xs = [s.within(x, d, False) for x, d in zip(xs, domains, strict=True)]
    if fixed.theirs is not None:
        made = s.machine.linear(xs, fixed.ours, fixed.theirs)
    else:
        made = s.machine.call(xs, fixed.ours, fixed.torch)
    s.add(name, made, of)


def reduction(s: State, step: Step) -> None:
    c = Choice(step.choices)
    name = c.of(list(functions.REDUCTIONS))
    x = s.operand(step.operands[0])
    shape = s.shape(x)
    axis, keepdims = (c.axis(shape) if shape and c(3) else None), bool(c(2))
    if not (shape[axis] if axis is not None else math.prod(shape)):
        return
    of_tensors, of_values = functions.REDUCTIONS[name]
    method, _, corrected = name.partition(", ")
    how = {"correction": functions.CORRECTION} if corrected else {}
    made = s.machine.call(
        [x.x],
        lambda a: getattr(a, method)(axis=axis, keepdims=keepdims, **how),
        lambda t, a: of_tensors(t, a, axis, keepdims),
        lambda m, a: of_values(m, a, axis, keepdims),
    )
    s.add(f"{name} axis={axis} keepdims={keepdims}", made, [x])


def product(s: State, step: Step) -> None:
    """A matrix product or an einsum."""
    c = Choice(step.choices)
    x, y = (s.operand(i) for i in step.operands[:2])
    if c(2):
        subscripts = c.of(functions.EINSUMS)
        xs = [s.fitted(m.x, (2, 2)) for m in (x, y)]
        pair: Any = functions.contraction(subscripts)
        what = f"einsum {subscripts}"
    else:
        shapes = c.of((((2, 3), (3, 2)), ((3,), (3, 2)), ((2, 3), (3,)), ((3,), (3,))))
        xs = [s.fitted(m.x, shape) for m, shape in zip((x, y), shapes, strict=True)]
        pair = (lambda a, b: a @ b, lambda t, a, b: a @ b, functions.matmul)
        what = f"matmul {shapes}"
    if all(v is not None for v in xs):
        s.add(what, s.machine.call(xs, *pair), [x, y])


def fused(s: State, step: Step) -> None:
    name = Choice(step.choices).of(list(functions.FUSED))
    x = s.operand(step.operands[0])
    if math.prod(s.shape(x)):
        s.add(f"fused {name}", s.machine.fused(x.x, *functions.FUSED[name]), [x])


def place(shape: Shape, c: Choice) -> tuple[int, ...] | None:
    return tuple(c(n) for n in shape) if math.prod(shape) else None


def element(s: State, step: Step) -> None:
    x = s.operand(step.operands[0])
    at = place(s.shape(x), Choice(step.choices))
    if at is not None:
        s.looked.append(x.owner)
        s.add(f"element {at}", s.machine.element(x.x, at), [x], window=True)


def look(s: State, step: Step) -> None:
    x = s.operand(step.operands[0])
    if s.shape(x):
        s.machine.look(x.x)
        s.story.append(f"v{s.made.index(x)}.data")


def assign(s: State, step: Step) -> None:
    """A result or a number assigned to part of a result that is no window of a leaf.

    Nor one of which somebody holds an element: a result that is written over has other elements.
    """
    c = Choice(step.choices)
    x, y = (s.operand(i) for i in step.operands[:2])
    shape = s.shape(x)
    if not shape or not math.prod(shape):
        return
    held = x.owner < len(s.program.leaves) or x.owner in s.looked
    if held or not x.tracked or c(2):
        s.add("x * 1.0", s.machine.operator(lambda v: v * 1.0, [x.x]), [x])
        x = s.made[-1]
    form = c(3)
    if form == 0:
        at: Any = functions.key(shape, c)
    elif form == 1:
        at = sorted({c(n := shape[0]), c(n)})
    else:
        at = s.machine.numbers(x.x) > 0.25
    part = tuple(np.zeros(shape)[at].shape)
    if not math.prod(part):
        return
    key = s.machine.mask(x.x, 0.25) if form == 2 else at
    value: Any = 0.75
    if form != 2 and c(3):
        value = s.fitted(y.x, c.of([part, part[1:] if part else (), ()]))
    if value is not None:
        s.machine.assign(x.x, key, value)
        told = value if isinstance(value, float) else f"v{s.made.index(y)}, fitted"
        s.story.append(f"v{s.made.index(x)}[{at}] = {told}")


def select(s: State, step: Step) -> None:
    """x[x > 0.25]."""
    x = s.operand(step.operands[0])
    if s.shape(x):
        at = np.flatnonzero(s.machine.numbers(x.x) > 0.25)
        made = s.machine.linear([x.x], lambda a: a[a > 0.25], lambda a: np.ravel(a)[at])
        s.add("x[x > 0.25]", made, [x])


def set(s: State, step: Step) -> None:
    """The data of an element, which what comes later sees."""
    x = s.operand(step.operands[0])
    at = place(s.shape(x), Choice(step.choices))
    if at is not None:
        s.machine.set(x.x, at, 0.75)
        s.story.append(f"v{s.made.index(x)}.data{at}.data = 0.75")


def detached(s: State, step: Step) -> None:
    x = s.operand(step.operands[0])
    s.add("no_grad: x * 1.0", s.machine.detached(x.x), [x])
    s.made[-1].tracked = False


def again(s: State, step: Step) -> None:
    """Computed again in the backward pass."""
    m, x = s.machine, s.operand(step.operands[0])

    def f(v: Any) -> Any:
        return m.operator(lambda a, b: a * b, [m.elementwise("tanh", [v], {}), v])

    s.add("checkpoint of tanh(x) * x", m.again(x.x, f), [x])


STEPS: dict[str, Callable[[State, Step], None]] = {
    f.__name__: f
    for f in (
        *(op, operator, constant, where, window, linear, join, row, reduction, product),
        *(fused, element, look, assign, select, set, detached, again),
    )
}
NAMES = [*STEPS, *("op", "op", "operator", "window", "row", "row", "linear")]
"""What is drawn from; some more often."""


def run(machine: Any, program: Program, arguments: Sequence[Any]) -> tuple[State, Any]:
    """All that a program makes, and its loss: the latest results, each element weighted."""
    state = State(machine, program, arguments)
    first = state.made[0].x
    for step in program.steps:
        STEPS[step.name](state, step)
    loss = machine.total(first, weights(machine.shape(first), 0))
    for k, m in enumerate(state.made[-4:]):
        loss = loss + machine.total(m.x, weights(machine.shape(m.x), k + 1))
    return state, loss


def weights(shape: Shape, k: int) -> Any:
    count = math.prod(shape)
    return (0.5 + (np.arange(1, count + 1) * 0.618034 + 0.37 * k) % 1.0).reshape(shape)


def story(program: Program) -> list[str]:
    """What it does, line by line, until it is through or raises."""
    from tests.fuzz.machines import Ours

    machine = Ours("numpy")
    state = State(machine, program, machine.arguments(program))
    try:
        for step in program.steps:
            STEPS[step.name](state, step)
    except Exception as error:
        state.story.append(f"{type(error).__name__}: {error}")
    return state.story
