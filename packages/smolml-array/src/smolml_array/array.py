"""MLArray: an N-d array in which every element is a Value, at array speed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, Self

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.mixing import moved
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rows import rows
from smolml_array._graph.shaping import STACK
from smolml_array._shapes.axes import ShapeError
from smolml_array.backends import get_backend
from smolml_array.backends.signatures import DType, Raw
from smolml_array.convert import check_device, is_array_like
from smolml_array.functions.indexing import GETITEM, Indexing
from smolml_array.functions.linalg import LinearAlgebra
from smolml_array.functions.manipulation import Manipulation
from smolml_array.functions.norms import Norms
from smolml_array.functions.reductions import Reductions
from smolml_array.functions.scans import Scans
from smolml_array.functions.sorting import Sorting
from smolml_array.functions.table import Array, results_are
from smolml_array.functions.windows import Windows
from smolml_array.printing import array_repr, edges
from smolml_value.extending import answering, leave


class MLArray(
    Reductions, Manipulation, Indexing, Sorting, Scans, LinearAlgebra, Norms, Windows, Array
):
    """An N-d array whose every element is a `Value`, with broadcasting and gradients.

    It is one graph node over one buffer; its elements become Values when somebody looks at
    `data`. They stay the same objects from then on, and their numbers and gradients are always
    those of the array. Transposed, reshaped and sliced arrays are windows onto the same Values.

    Args:
        data: a number, a Value, nested lists of these, an ndarray or an MLArray. Numbers are
            copied, Values are not: MLArray(x) of an MLArray is a window onto the same elements
            (`x.copy()` copies).
        requires_grad: False makes a constant, which costs nothing in backward.
        dtype: "float64" (the default, and what integers and bools become) or, with NumPy,
            "float32", which float32 ndarrays keep. "int64" and "bool" make constants; between
            floats, gradients flow to the Values and arrays in the data.
        backend: "numpy" or "pure"; default: that of the arrays in the data, else what
            `use_backend` chose.
        label: a name to show in drawings.

    Raises:
        ShapeError: ragged lists, with the path of the first misfit.
        TypeError: something that is not a real number.
        ValueError: arrays of different backends, or an unknown backend.

    >>> x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    >>> w = MLArray([[0.5], [-0.5]])
    >>> L = (x @ w).tanh().sum()
    >>> L.backward()
    >>> w.grad()
    MLArray([[3.1458],
             [4.7187]], requires_grad=False)
    """

    __slots__ = ()

    @partial(answering, who="MLArray", advice="; several numbers go into one list")
    def __init__(
        self,
        data: ArrayLike,
        requires_grad: bool = True,
        *,
        dtype: DType | str | None = None,
        backend: str | None = None,
        label: str = "",
    ) -> None:
        _check(requires_grad, label)
        xp = None if backend is None else get_backend(backend)
        if xp is not None and isinstance(data, MLArray):
            data = data.to_backend(xp.name)
        self._process_data(data, xp, requires_grad, dtype)
        if label:
            self._node.label = label

    # What it is --------------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> DType:
        """The type of the numbers: the backend's float64, float32, int64 or bool."""
        return self._node.raw.dtype

    @property
    def backend(self) -> str:
        """The name of the backend it lives on."""
        return self._node.backend.name

    @property
    def label(self) -> str:
        """A name to show in drawings."""
        return self._node.label

    @label.setter
    def label(self, new: str) -> None:
        self._node.label = new

    def size(self) -> int:
        """The number of elements."""
        return int(self._node.raw.size)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a 0-d array has no length; use size()")
        return self.shape[0]

    def __contains__(self, item: object) -> bool:
        return is_array_like(item) and bool((self == item).any())

    def __iter__(self) -> Iterator[Self]:
        if not self.shape:
            raise TypeError("iter: a 0-d array has no axis to iterate over; use item()")
        return rows(self, GETITEM)

    # As numbers --------------------------------------------------------------------------------

    def to_list(self) -> Any:  # lists as deep as there are axes: no one type
        """The numbers as nested lists; a number for a 0-d array.

        >>> MLArray([[1, 2], [3, 4]]).to_list()
        [[1.0, 2.0], [3.0, 4.0]]
        """
        leave(self)
        return self._as_list()

    tolist = to_list

    def copy(self) -> Self:
        """The same numbers in an array of its own: what is written into either stays there.

        It is in the graph, as torch.clone: gradients flow through it to x. For a leaf write
        `MLArray(x.detach())`.

        >>> x = MLArray([1.0, 2.0])
        >>> y = x.copy()
        >>> y[0] = 5.0
        >>> x.to_list(), y.to_list()
        ([1.0, 2.0], [5.0, 2.0])
        """
        return +self

    def _as_list(self) -> Any:
        node = self._current_node()
        return node.backend.to_list(node.raw)

    def item(self) -> float:
        """The number of an array of one element; an int or a bool if the array is of these.

        Raises:
            ValueError: it has more elements, or none.
        """
        leave(self)
        return self._number()  # type: ignore[no-any-return]  # a number

    def _number(self) -> Any:
        if self.size() != 1:
            raise ValueError(
                f"item: expected one element, got {self.size()} (shape {self.shape}); "
                f"reduce it first, by sum() or mean(), or use to_list()"
            )
        node = self._current_node()
        return node.backend.to_flat(node.raw)[0]

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size() != 1:
            raise ValueError(
                f"bool: an array of {self.size()} elements is neither true nor false; "
                f"use x.any() or x.all()"
            )
        return bool(self._number())

    def __index__(self) -> int:
        # not of shape (1,): labels[x.argmax(axis=1)] keeps its shape for a batch of one, too
        if self.shape or self.dtype == self._node.backend.bool:
            raise TypeError(
                f"index: expected an array of one integer without axes, got one of {self.dtype} "
                f"and shape {self.shape}; use int(x) for its number"
            )
        return operator.index(self._number())

    def __format__(self, spec: str) -> str:
        return format(self._number(), spec) if spec else str(self)

    def __repr__(self) -> str:
        notes = "" if self.requires_grad else ", requires_grad=False"
        if self._node.backend.name != "pure" and self.dtype.name == "float32":
            notes = ", dtype='float32'" + notes
        node = self._current_node()
        return array_repr(edges(node.backend, node.raw), node.shape, notes)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is a leaf: a graph of a million nodes must not be pickled by recursion.
        leave(self)
        node = self._current_node()
        grad = self.grad()._node.raw
        fields = (node.raw, node.tracked, self.label, grad if node.backend.any(grad) else None)
        state = getattr(self, "__dict__", None)  # of a subclass
        return _restore, (type(self), self.backend, *fields), state

    def to_backend(self, name: str) -> Self:
        """A leaf with the same numbers on another backend; self if it is there already."""
        node = self._current_node()
        if node.backend.name == name:
            return self
        leave(self)
        xp = get_backend(name)
        return self._from_node(ArrayNode(xp, moved(xp, node), node.tracked))

    # Among other libraries ---------------------------------------------------------------------

    # What NumPy, DLPack, the array API standard and notebooks ask for: `smolml_array` sets it.
    __array__: ClassVar[Callable[..., Any]]
    __array_function__: ClassVar[Callable[..., Any]]
    __array_namespace__: ClassVar[Callable[..., Any]]
    __array_ufunc__: ClassVar[Callable[..., Any]]
    __dlpack__: ClassVar[Callable[..., Any]]
    __dlpack_device__: ClassVar[Callable[..., tuple[int, int]]]
    _repr_html_: ClassVar[Callable[..., str]]

    @property
    def device(self) -> str:
        """Where it lives: always "cpu"."""
        return "cpu"

    def to_device(self, device: object, /, *, stream: object = None) -> Self:
        """The array itself: there is one device, "cpu".

        Raises:
            ValueError: another device, or a stream.
        """
        check_device(device, "to_device")
        if stream is not None:
            raise ValueError(f"to_device: the CPU has no streams, got {stream!r}")
        return self

    @classmethod
    def _stacked(cls, arrays: Sequence[Self]) -> Self:
        shapes = [a.shape for a in arrays]
        for i, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ShapeError(
                    f"MLArray: ragged nested list: [{i}] has shape {shape}, "
                    f"but [0] has shape {shapes[0]}"
                )
        return cls._rule(STACK, *arrays, axis=0)


results_are(MLArray)


def _check(requires_grad: object, label: object) -> None:
    """Raise for what is not a flag or a text: numbers, say, that should have been in the list."""
    kind = getattr(getattr(requires_grad, "dtype", None), "kind", "")
    if not isinstance(requires_grad, bool) and kind != "b":
        raise TypeError(
            f"MLArray: requires_grad must be True or False, got {type(requires_grad).__name__} "
            f"{requires_grad!r:.60}; several numbers go into one list, as in MLArray([1.0, 2.0])"
        )
    if not isinstance(label, str):
        raise TypeError(f"MLArray: label must be a str, got {type(label).__name__}")


def _restore(
    kind: type[MLArray],
    backend: str,
    raw: Raw,
    requires_grad: bool,
    label: str,
    grad: Raw | None,
) -> MLArray:
    xp = get_backend(backend)  # copies: what is sent may arrive in memory that nobody may write to
    node = ArrayNode(xp, xp.asarray(raw, copy=True), requires_grad)
    node.grad = None if grad is None else xp.asarray(grad, copy=True)
    node.label = label
    return kind._from_node(node)
