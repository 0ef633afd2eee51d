"""How Values of an array are seen: as nested lists by `x.data`, one alone by the array itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NoReturn, Self

from smolml_array._graph.arithmetic import Arithmetic
from smolml_array._shapes.axes import Shape
from smolml_value import GraphError, Value

Look = Callable[[Sequence[int]], Sequence[Value]]  # from places in C order to the Values there


def nest(look: Look, shape: Shape, array: Any) -> Any:
    """The values of an array as nested lists of this shape; a Value for shape ()."""
    return Elements(look, shape, array, (), 0) if shape else look((0,))[0]


class Elements(list[Any]):
    """One row of `x.data`: a list whose length is fixed and whose items write through to x.

    An item that is asked for by its position is made alone, so a loop over x.data[i][j] costs what
    it looks at. Whatever treats the row as a list, from `for` and `==` to `json` and NumPy, finds
    one: every way there but through C code that reads a list's memory unasked is a method of
    list's, and these put in all items first, of the rows inside, too.
    """

    __slots__ = ("_array", "_look", "_position", "_rows", "_shape", "_start")

    def __init__(self, look: Look, shape: Shape, array: Any, position: Shape, start: int) -> None:
        self._look: Look = look
        self._shape: Shape = shape
        self._array: Any = array
        self._position: Shape = position
        self._start: int = start  # its place in C order
        self._rows: dict[int, Elements] = {}  # those that somebody has seen

    def __len__(self) -> int:
        return self._shape[0]

    def __getitem__(self, key: Any) -> Any:
        if key.__class__ is not int or not 0 <= key < self._shape[0]:
            if isinstance(key, slice):
                chosen = [self[i] for i in range(*key.indices(len(self)))]
                return [item.filled() if isinstance(item, Elements) else item for item in chosen]
            return list.__getitem__(self.filled(), key)  # NumPy's integers, what it does not have
        rest = self._shape[1:]
        if not rest:
            return self._look((self._start + key,))[0]
        row = self._rows.get(key)
        if row is None:
            start = self._start + key * math.prod(rest)
            made = Elements(self._look, rest, self._array, (*self._position, key), start)
            row = self._rows.setdefault(key, made)
        return row

    def filled(self, values: Sequence[Value] | None = None) -> Self:
        """This list, with all its items: of these values, in C order."""
        length, *rest = self._shape
        if list.__len__(self) != length:
            step = math.prod(rest)
            if values is None:
                values = self._look(range(self._start, self._start + length * step))
            items: Sequence[Any] = values
            if rest:
                items = [self[i].filled(values[i * step : (i + 1) * step]) for i in range(length)]
            super().__setitem__(slice(None), items)
        return self

    def __setitem__(self, key: Any, new: Any) -> None:
        self._array[(*self._position, key)] = new
        now = self._array._looking()
        if now is self._look:
            return  # other numbers, and the same Values
        self._look, self._rows = now, {}
        if list.__len__(self):
            super().__setitem__(slice(None), ())
            self.filled()

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, list):
            return NotImplemented  # an array adds itself
        return list.__add__(self.filled(), _filled(other))

    def __radd__(self, other: Any) -> Any:
        self.filled()
        return NotImplemented  # list's own + and += take it from here

    def __mul__(self, times: Any) -> Any:
        return list.__mul__(self.filled(), times) if isinstance(times, int) else NotImplemented

    __rmul__ = __mul__

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            "x.data: the rows of an array have a fixed length; set items, or make a new MLArray"
        )

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)  # a copy is a plain list


def _filled(x: Any) -> Any:
    return x.filled() if isinstance(x, Elements) else x


def _of_list(name: str) -> Callable[..., Any]:
    """Another method of list's, once all items are there."""
    method = getattr(list, name)

    @wraps(method)
    def call(self: Elements, *args: Any) -> Any:
        return method(self.filled(), *map(_filled, args))

    return call


for _name in (
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "__iter__"),
    *("__reversed__", "__repr__", "__sizeof__", "copy", "count", "index"),
):
    setattr(Elements, _name, _of_list(_name))


class OneValue(Arithmetic):
    """What a 0-d array has of its one Value, so that the graph can be walked from it."""

    __slots__ = ()

    @property
    def shape(self) -> Shape:
        """The length of each axis."""
        raise NotImplementedError

    def _values(self) -> Sequence[Value]:
        raise NotImplementedError

    def _only_value(self, name: str) -> Value:
        """The one Value of a 0-d array, which may be walked from like any other.

        Raises:
            GraphError: the array has axes.
        """
        if self.shape != ():
            raise GraphError(
                f"{name}: an array of shape {self.shape} holds many Values; start from one of "
                f"them, such as x.data{'[0]' * len(self.shape)}"
            )
        return self._values()[0]

    @property
    def _op(self) -> str:
        """Of a 0-d array the symbol of what made it; see `Value`."""
        return self._only_value("_op")._op

    @property
    def _prev(self) -> set[Value]:
        """Of a 0-d array the Values it was computed from; see `Value`."""
        return self._only_value("_prev")._prev

    @property
    def _children(self) -> tuple[Value, ...]:
        """Of a 0-d array the Values it was computed from, in order; see `Value`."""
        return self._only_value("_children")._children

    def _backward(self) -> None:
        """Of a 0-d array one step of the chain rule; see `Value`."""
        self._only_value("_backward")._backward()
