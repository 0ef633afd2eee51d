"""What runs a program: MLArrays, Values alone, and PyTorch's tensors.

A machine has arrays of its own, and does with them what the steps ask. Only ours has more than one
way to do it; the others do all that is linear by a matrix, which NumPy's function of that name
tells, and all windows by places in one flat piece of memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from smolml_array import MLArray
from smolml_value import Value, checkpoint, no_grad
from tests.array.helpers import flat as listed
from tests.fuzz.elementwise import OPS, TWINS
from tests.fuzz.program import Program

Function = Callable[..., Any]
Shape = tuple[int, ...]
Key = Any


def flat(x: Any) -> list[float]:
    """The numbers of an array or of a number."""
    return listed(x.to_list()) if isinstance(x, MLArray) else [float(x)]


def matrices(theirs: Function, shapes: tuple[Shape, ...]) -> tuple[list[Any], Shape]:
    """A linear function as a matrix for each operand, and the shape of its result."""
    zeros = [np.zeros(shape) for shape in shapes]
    made = np.asarray(theirs(*zeros))
    found = []
    for i, zero in enumerate(zeros):
        columns = []
        for at in np.ndindex(*zero.shape):
            unit = zero.copy()
            unit[at] = 1.0
            columns.append(np.ravel(theirs(*zeros[:i], unit, *zeros[i + 1 :])))
        found.append(np.array(columns).reshape(zero.size, made.size).T)
    return found, made.shape


def places(theirs: Function, shape: Shape) -> Any:
    """Where the elements of a window are in the array that it looks at."""
    return np.asarray(theirs(np.arange(math.prod(shape)).reshape(shape)))


class Ours:
    """MLArrays on a backend, and Values where elements are looked at."""

    takes_lists = True  # an array made of Values is given as these

    def __init__(self, backend: str) -> None:
        self.backend = backend

    def arguments(self, program: Program) -> list[Any]:
        """Leaves for the numbers of a program, one by one."""
        found: list[Any] = []
        for leaf in program.leaves:
            if leaf.kind == "array":
                found.append(MLArray(leaf.array(), backend=self.backend))
            else:
                found += map(Value, leaf.numbers)
        return found

    def differentiated(self, f: Function, arguments: Sequence[Any]) -> tuple[float, list[float]]:
        """f(arguments), and its gradients."""
        loss = f(arguments)
        loss.backward()
        number = float(loss if isinstance(loss, Value) else loss.item())
        return number, self.gradients(arguments)

    def gradients(self, arguments: Sequence[Any]) -> list[float]:
        return [n for x in arguments for n in flat(x.grad() if isinstance(x, MLArray) else x.grad)]

    def array(self, x: Any) -> Any:
        return x if isinstance(x, MLArray) else MLArray(x, backend=self.backend)

    def leaf(self, x: Any, shape: Shape) -> Any:
        """An argument of the program: an array, a Value, or a list of Values."""
        if isinstance(x, list):
            return MLArray(x, backend=self.backend).reshape(shape)
        return x

    def constant(self, a: Any, form: str) -> Any:
        if form == "array":
            return MLArray(a, requires_grad=False, dtype=a.dtype.name, backend=self.backend)
        return a if form == "ndarray" else a.tolist()

    def greater(self, x: Any, number: float) -> Any:
        return x > number

    def mask(self, x: Any, number: float) -> Any:
        return x > number

    def shape(self, x: Any) -> Shape:
        return tuple(x.shape) if isinstance(x, MLArray) else ()

    def numbers(self, x: Any) -> Any:
        with no_grad():  # meant as constants, where a program asks for them
            return self._numbers(x)

    def _numbers(self, x: Any) -> Any:
        return np.array(x.to_list() if isinstance(x, MLArray) else float(x), dtype=float).reshape(
            self.shape(x)
        )

    def elementwise(self, name: str, xs: Sequence[Any], params: dict[str, float]) -> Any:
        apply: Any = OPS[name]
        return apply(*xs, **params)

    def operator(self, ours: Function, xs: Sequence[Any]) -> Any:
        return ours(*xs)

    def window(self, x: Any, ours: Function, theirs: Function) -> Any:
        return ours(self.array(x))

    def linear(self, xs: Sequence[Any], ours: Function, theirs: Function) -> Any:
        return ours(*map(self.array, xs))

    def call(self, xs: Sequence[Any], ours: Function, torch: Function, values: Any = None) -> Any:
        return ours(*map(self.array, xs))

    def assign(self, x: Any, key: Key, y: Any) -> None:
        x[key] = y

    def look(self, x: Any) -> None:
        assert x.data is not None

    def set(self, x: Any, at: tuple[int, ...], number: float) -> None:
        self.element(x, at).data = number

    def element(self, x: Any, at: tuple[int, ...]) -> Any:
        if isinstance(x, Value):
            return x
        row = x.data
        for i in at:
            row = row[i]
        return row

    def fused(self, x: Any, ours: Function, values: Function, torch: Function) -> Any:
        each = x.flatten().data if isinstance(x, MLArray) else [x]
        return ours(list(each))

    def detached(self, x: Any) -> Any:
        with no_grad():
            return x * 1.0

    def again(self, x: Any, f: Function) -> Any:
        """f computed again in the backward pass."""
        return checkpoint(f)(x)

    def total(self, x: Any, weights: Any) -> Any:
        if isinstance(x, Value):
            return x * float(weights)
        return (x * MLArray(weights, requires_grad=False, backend=x.backend)).sum()


class OnValues(Ours):
    """NumPy's arrays of objects, each element a Value: no array rule is used if there is another.

    Functions without a twin of numbers are called on an array made of these Values.
    """

    takes_lists = False

    def arguments(self, program: Program) -> list[Any]:
        return [self.mapped(Value, leaf.array()) for leaf in program.leaves]

    def gradients(self, arguments: Sequence[Any]) -> list[float]:
        return [v.grad for x in arguments for v in x.flat]

    def leaf(self, x: Any, shape: Shape) -> Any:
        return x

    def mapped(self, f: Function, *arrays: Any) -> Any:
        made = np.frompyfunc(f, len(arrays), 1)(*arrays)
        out = np.empty(np.shape(made), dtype=object)
        out[...] = made
        return out

    def constant(self, a: Any, form: str) -> Any:
        return a.astype(object)

    def greater(self, x: Any, number: float) -> Any:
        return self.mapped(lambda v: float(v) > number, x)

    def mask(self, x: Any, number: float) -> Any:
        return self.numbers(x) > number

    def shape(self, x: Any) -> Shape:
        return tuple(x.shape)

    def numbers(self, x: Any) -> Any:
        return np.array([float(v) for v in x.flat]).reshape(x.shape)

    def elementwise(self, name: str, xs: Sequence[Any], params: dict[str, float]) -> Any:
        apply: Any = OPS[name]
        return self.mapped(lambda *values: apply(*values, **params), *xs)

    def operator(self, ours: Function, xs: Sequence[Any]) -> Any:
        return self.mapped(ours, *xs)

    def copied(self, x: Any) -> Any:
        """Elements of their own, as in an array that is no window."""
        return self.mapped(lambda v: v * 1.0, x)

    def window(self, x: Any, ours: Function, theirs: Function) -> Any:
        seen = theirs(x)
        return seen if isinstance(seen, np.ndarray) else x  # NumPy's flip of 0-d gives the Value

    def linear(self, xs: Sequence[Any], ours: Function, theirs: Function) -> Any:
        found, shape = matrices(theirs, tuple(x.shape for x in xs))
        flat = [v for x in xs for v in x.flat]
        out = np.empty(shape, dtype=object)
        rows = np.concatenate(found, axis=1)
        for at, row in zip(np.ndindex(*shape), rows, strict=True):
            terms = [flat[j] * float(row[j]) for j in np.flatnonzero(row)]
            out[at] = sum(terms[1:], terms[0]) if terms else Value(0.0)
        return out

    def call(self, xs: Sequence[Any], ours: Function, torch: Function, values: Any = None) -> Any:
        if values is not None:
            return values(self, *xs)
        made = ours(*[MLArray(x.tolist(), backend=self.backend) for x in xs])
        return self.wrapped(made.data, made.shape)

    def wrapped(self, nested: Any, shape: Shape) -> Any:
        out = np.empty(shape, dtype=object)
        for at in np.ndindex(*shape):
            item = nested
            for i in at:
                item = item[i]
            out[at] = item * 1.0
        return out

    def assign(self, x: Any, key: Key, y: Any) -> None:
        part = x[key]
        given = np.empty(np.shape(part), dtype=object)
        given[...] = y if isinstance(y, np.ndarray) else Value(y)
        given = self.copied(given)  # each place has a Value of its own
        x[key] = given if isinstance(part, np.ndarray) else given.item()

    def look(self, x: Any) -> None:
        pass

    def set(self, x: Any, at: tuple[int, ...], number: float) -> None:
        x[at].data = number

    def element(self, x: Any, at: tuple[int, ...]) -> Any:
        return x[(*at, ...)]

    def fused(self, x: Any, ours: Function, values: Function, torch: Function) -> Any:
        return self.wrapped(values(list(x.flat)), ())

    def detached(self, x: Any) -> Any:
        return self.mapped(lambda v: Value(v.data), x)

    def again(self, x: Any, f: Function) -> Any:
        return f(x)

    def total(self, x: Any, weights: Any) -> Any:
        parts = [v * float(w) for v, w in zip(x.flat, np.ravel(weights), strict=True)]
        return sum(parts[1:], parts[0]) if parts else Value(0.0)


class Memory:
    """A flat tensor that is replaced where ours is written to."""

    def __init__(self, flat: Any) -> None:
        self.flat = flat


class Window:
    """Places in a memory."""

    def __init__(self, memory: Memory, at: Any, whole: bool = False) -> None:
        self.memory, self.at, self.shape, self.whole = memory, at, tuple(at.shape), whole

    @property
    def tensor(self) -> Any:
        if self.whole:
            return self.memory.flat.reshape(self.shape)
        return self.memory.flat[self.at.reshape(-1)].reshape(self.shape)


def rounded(a: Any, rounding: int) -> Any:
    """Numbers as they might have been rounded: to fewer places, or up or down in the last.

    What is 1e-17 on one machine is 0 on another, what is equal there is not here, and of two
    zeros either may have the sign.
    """
    rng = np.random.default_rng(rounding)
    if rounding % 2:
        fewer = np.round(a, 10 + rounding // 2 % 4)
        zeros: Any = ([0.0], [-0.0], [0.0, -0.0])[rounding // 8 % 3]
        return np.where(fewer == 0.0, rng.choice(zeros, np.shape(a)), fewer)
    return a * (1.0 + 4e-16 * rng.uniform(-1.0, 1.0, np.shape(a)))


class OnTensors(Ours):
    """PyTorch's tensors of float64; `rounding` chooses one of many ways to round their numbers."""

    def __init__(self, torch: Any, rounding: int = 0) -> None:
        self.torch, self.rounding = torch, rounding
        torch.set_num_threads(1)

    takes_lists = False

    def arguments(self, program: Program) -> list[Any]:
        make: Any = self.torch.tensor
        return [make(leaf.array(), requires_grad=True) for leaf in program.leaves]

    def gradients(self, arguments: Sequence[Any]) -> list[float]:
        return [
            float(n)
            for x in arguments
            for n in (np.zeros(x.numel()) if x.grad is None else x.grad.numpy().ravel())
        ]

    def made(self, tensor: Any) -> Window:
        shape = tuple(tensor.shape)
        if self.rounding:
            now = tensor.detach()  # in this order -0.0 stays
            tensor = self.torch.tensor(rounded(now.numpy(), self.rounding)) - (now - tensor)
        at = np.arange(math.prod(shape)).reshape(shape)
        return Window(Memory(tensor.reshape(-1)), at, whole=True)

    def leaf(self, x: Any, shape: Shape) -> Any:
        return self.made(x)

    def constant(self, a: Any, form: str) -> Any:
        return self.made(self.torch.tensor(a.astype(float)))

    def greater(self, x: Any, number: float) -> Any:
        return self.made((x.tensor > number).to(self.torch.float64))

    def mask(self, x: Any, number: float) -> Any:
        return self.numbers(x) > number

    def shape(self, x: Any) -> Shape:
        return tuple(x.shape)

    def numbers(self, x: Any) -> Any:
        return x.tensor.detach().numpy()

    def elementwise(self, name: str, xs: Sequence[Any], params: dict[str, float]) -> Any:
        tensors = [x.tensor if isinstance(x, Window) else self.torch.tensor(float(x)) for x in xs]
        return self.made(TWINS[name](self.torch, *tensors, **params))

    def operator(self, ours: Function, xs: Sequence[Any]) -> Any:
        return self.made(ours(*[x.tensor for x in xs]))

    def window(self, x: Any, ours: Function, theirs: Function) -> Any:
        return Window(x.memory, x.at.reshape(-1)[places(theirs, x.shape)])

    def linear(self, xs: Sequence[Any], ours: Function, theirs: Function) -> Any:
        found, shape = matrices(theirs, tuple(x.shape for x in xs))
        flat = self.torch.cat([x.tensor.reshape(-1) for x in xs])
        matrix = self.torch.tensor(np.concatenate(found, axis=1))
        return self.made((matrix @ flat).reshape(shape))

    def call(self, xs: Sequence[Any], ours: Function, torch: Function, values: Any = None) -> Any:
        return self.made(torch(self.torch, *[x.tensor for x in xs]))

    def assign(self, x: Any, key: Key, y: Any) -> None:
        at = x.at[key]
        number = y.tensor if isinstance(y, Window) else self.torch.tensor(float(y))
        number = number.to(self.torch.float64).expand(at.shape).reshape(-1)
        where = self.torch.tensor(np.ravel(at))
        x.memory.flat = x.memory.flat.index_put((where,), number)

    def look(self, x: Any) -> None:
        pass

    def set(self, x: Any, at: tuple[int, ...], number: float) -> None:
        change = np.zeros(len(x.memory.flat))
        change[x.at[at]] = number - float(x.memory.flat[int(x.at[at])].detach())
        x.memory.flat = x.memory.flat + self.torch.tensor(change)

    def element(self, x: Any, at: tuple[int, ...]) -> Any:
        return Window(x.memory, np.asarray(x.at[at]))

    def fused(self, x: Any, ours: Function, values: Function, torch: Function) -> Any:
        return self.made(torch(self.torch, x.tensor.reshape(-1)))

    def detached(self, x: Any) -> Any:
        return self.made(x.tensor.detach().clone())

    def again(self, x: Any, f: Function) -> Any:
        return f(x)

    def total(self, x: Any, weights: Any) -> Any:
        return (x.tensor * self.torch.tensor(weights)).sum()
