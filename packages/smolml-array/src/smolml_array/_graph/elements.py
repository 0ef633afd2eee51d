"""How Values of an array are seen: as nested lists by `x.data`, one alone by the array itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from itertools import repeat
from numbers import Integral
from typing import Any, Final, NoReturn, Self

from smolml_array._graph.arithmetic import Arithmetic
from smolml_array._graph.free_buffers import Absent
from smolml_array._graph.node import ELEMENTS_LOCK
from smolml_array._graph.views import Look
from smolml_array._shapes.axes import Shape
from smolml_value import GraphError, Value

Owner = Callable[[], Any]  # gives the array, which keeps its list, and which its list does not keep


_UNSEEN: Final = Absent(
    "x.data: items are made when somebody asks for them, and this was read by other means than a "
    "list's own methods; give list(x.data), or list(x.data[i]) for a row"
)
"""What stands in a list's memory for an item that nobody has asked for."""

_item: Final = list.__getitem__  # for less than by super()
_set_item: Final = list.__setitem__


class Elements(list[Any]):
    """One row of `x.data`: a list whose length is fixed and whose items write through to x.

    An item that is asked for by its position is made alone, so a loop over x.data[i][j] costs what
    it looks at. Whatever treats the row as a list, from `for` and `==` to `json` and NumPy, goes
    through list's methods, which put in all items first, those of the rows inside, too. No list
    in Python can know of C code that reads its memory unasked (`operator.concat([], row)` and
    `list.copy(row)` do): that finds the right length, and items that refuse to be used.
    """

    __slots__ = ("_filled", "_owner", "_position", "_shape", "_start", "look")

    def __init__(
        self, look: Look, shape: Shape, owner: Owner, position: Shape = (), start: int = 0
    ) -> None:
        super().__init__(repeat(_UNSEEN, shape[0]))
        self.look: Look = look
        self._shape: Shape = shape
        self._owner: Owner = owner
        self._position: Shape = position
        self._start: int = start  # its place in C order
        self._filled: bool = False

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            chosen = [self[i] for i in range(*key.indices(len(self)))]
            return [_filled(item) for item in chosen]
        item = _item(self, key)
        if item is not _UNSEEN:
            return item
        i, rest = range(len(self))[key], self._shape[1:]
        if not rest:  # for all threads the same, whichever is quicker
            _set_item(self, i, item := self.look.one(self._start + i))
            return item
        start = self._start + i * math.prod(rest)
        made = Elements(self.look, rest, self._owner, (*self._position, i), start)
        with ELEMENTS_LOCK:  # another thread may have been quicker
            item = _item(self, i)
            if item is _UNSEEN:
                _set_item(self, i, item := made)
        return item

    def filled(self, values: Sequence[Value] | None = None) -> Self:
        """This list, with all its items: of these values, in C order."""
        if not self._filled:
            length, *rest = self._shape
            step = math.prod(rest)
            if values is None:
                values = self.look.several(range(self._start, self._start + length * step))
            items: Sequence[Any] = values
            if rest:
                rows = [self[i] for i in range(length)]
                items = [
                    row.filled(values[i * step : (i + 1) * step] if row.look is self.look else None)
                    for i, row in enumerate(rows)  # one that was assigned to shows what is new
                ]
            _set_item(self, slice(None), items)
            self._filled = True
        return self

    def __setitem__(self, key: Any, new: Any) -> None:
        array = self._owner()
        array[(*self._position, key) if self._position else key] = new
        now = array._looking()
        if now is self.look:
            return  # other numbers, and the same Values
        self._owner = array._owner()
        self.look, filled, self._filled = now, self._filled, False
        _set_item(self, slice(None), repeat(_UNSEEN, len(self)))
        if filled:
            self.filled()

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, list):
            return NotImplemented  # an array adds itself
        return list.__add__(self.filled(), _filled(other))

    def __radd__(self, other: Any) -> Any:
        self.filled()
        return NotImplemented  # list's own + and += take it from here

    def __mul__(self, times: Any) -> Any:
        return list.__mul__(self.filled(), times) if isinstance(times, Integral) else NotImplemented

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
