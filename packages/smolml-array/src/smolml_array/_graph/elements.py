"""How Values of an array are seen: as nested lists by `x.data`, one alone by the array itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from smolml_array._graph.arithmetic import Arithmetic
from smolml_array._shapes.axes import Shape
from smolml_value import GraphError, Value


class Elements(list[Any]):
    """One row of `x.data`: a list whose length is fixed and whose items write through to x."""

    def __init__(self, items: Sequence[Any], array: Any, position: Shape) -> None:
        super().__init__(items)
        self._array = array
        self._position = position

    def __setitem__(self, i: Any, new: Any) -> None:
        before = self._array._elements
        self._array[(*self._position, i)] = new
        if before is not None and before is self._array._elements:
            return  # other numbers, and the same Values
        row: Any = self._array.data
        for p in self._position:
            row = row[p]
        super().__setitem__(slice(None), row)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            "x.data: the rows of an array have a fixed length; set items, or make a new MLArray"
        )

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)  # a copy is a plain list


def nest(values: Sequence[Value], shape: Shape, array: Any, position: Shape = ()) -> Any:
    """The values, given in C order, as nested lists of this shape; a Value for shape ()."""
    if not shape:
        return values[0]
    length, rest = shape[0], shape[1:]
    if not rest:
        return Elements(values, array, position)
    step = len(values) // length if length else 0
    rows = [
        nest(values[i * step : (i + 1) * step], rest, array, (*position, i)) for i in range(length)
    ]
    return Elements(rows, array, position)


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
