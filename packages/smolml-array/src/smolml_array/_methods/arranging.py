"""Arranging and indexing arrays: reshape, transpose, x[key], x[key] = v."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Self

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.handle import Handle
from smolml_array._graph.mixing import numbers_on
from smolml_array._methods.reducing import Reducing
from smolml_array._shapes.axes import (
    Axis,
    ShapeError,
    as_shape,
    is_index,
    normalize_axes,
    normalize_permutation,
    reshape_shape,
)
from smolml_array.functions import rules
from smolml_value import grad_enabled


class Arranging(Reducing):
    """An array whose elements can be arranged in another shape and picked out."""

    __slots__ = ()

    # Arranging: windows onto the same Values ---------------------------------------------------

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """The same elements in C order in another shape; one length may be -1.

        Raises:
            ShapeError: the number of elements would change.
        """
        wanted = shape[0] if len(shape) == 1 else shape
        new = reshape_shape(self.shape, wanted)  # type: ignore[arg-type]  # it checks them
        return self._window(rules.RESHAPE, {"shape": new})

    def flatten(self) -> Self:
        """All elements along one axis."""
        return self.reshape(-1) if math.prod(self.shape) else self.reshape(0)

    def transpose(self, *axes: int | Sequence[int] | None) -> Self:
        """The axes in another order, reversed if none is given.

        Raises:
            AxisError: the axes are not each named once.
        """
        given = axes[0] if len(axes) == 1 and not is_index(axes[0]) else axes
        if not given and (given is None or axes == ()):
            order = tuple(reversed(range(len(self.shape))))
        else:
            order = normalize_permutation(given, len(self.shape), "transpose")  # type: ignore[arg-type]
        return self._window(rules.PERMUTE_DIMS, {"axes": order})

    @property
    def T(self) -> Self:
        """The axes reversed."""
        return self.transpose()

    def squeeze(self, axis: Axis = None) -> Self:
        """Without these axes of length 1; None: without all of them.

        Raises:
            ShapeError: an axis of another length.
        """
        node = self._fetch()
        return self.reshape(node.backend.squeeze(node.raw, axis=axis).shape)

    def expand_dims(self, axis: int | tuple[int, ...]) -> Self:
        """With axes of length 1 put in at these positions of the result."""
        node = self._fetch()
        return self.reshape(node.backend.expand_dims(node.raw, axis=axis).shape)

    def flip(self, axis: Axis = None) -> Self:
        """Backwards along these axes; None: along all."""
        axes = normalize_axes(axis, len(self.shape), "flip")
        return self._window(rules.FLIP, {"axis": axes})

    def broadcast_to(self, shape: int | Sequence[int]) -> Self:
        """Repeated to this shape."""
        return self._rule(rules.BROADCAST_TO, self, shape=as_shape(shape, "broadcast_to"))

    # Indexing ----------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Self:
        """x[key] with NumPy's indexing: basic indexing gives a window, the rest copies."""
        key, basic = _index_key(self, key)
        if basic:
            return self._window(rules.GETITEM, {"key": key})
        return self._rule(rules.TAKE, self, key=key)

    def __setitem__(self, key: Any, new: ArrayLike) -> None:
        """Set x[key]; what was recorded before keeps the numbers it was made with.

        Numbers set in a leaf leave it a leaf. Values and arrays set are differentiated: x is from
        then on the result of the assignment. Inside no_grad() only the numbers change.

        >>> x = MLArray([1.0, 2.0])
        >>> x[0] = 5.0
        >>> x.to_list()
        [5.0, 2.0]
        """
        key, _ = _index_key(self, key)
        xp, (_, given), _, (raw, numbers) = self._operands("setitem", (self, new))
        root = self if self._view is None else self._view.root
        node = root._node
        if not grad_enabled() or (given is None and (node.is_leaf or not node.tracked)):
            self._set_numbers(xp.index_put(raw, key, numbers))
        elif root is self:
            self._become(self._rule(rules.INDEX_PUT, self, new, key=key)._node)
        else:  # the root is put together anew, and this window looks at it again
            chosen = xp.index(self._positions()[1], key)
            flat = self._rule(rules.RESHAPE, root, shape=(math.prod(root.shape),))
            put = self._rule(rules.INDEX_PUT, flat, new, key=chosen)
            root._become(self._rule(rules.RESHAPE, put, shape=root.shape)._node)

    @classmethod
    def _stacked(cls, arrays: Sequence[Self]) -> Self:
        shapes = [a.shape for a in arrays]
        for i, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ShapeError(
                    f"MLArray: ragged nested list: [{i}] has shape {shape}, "
                    f"but [0] has shape {shapes[0]}"
                )
        return cls._rule(rules.STACK, *arrays, axis=0)


def _index_key(x: Handle, key: Any) -> tuple[Any, bool]:
    """The key with raw arrays in place of MLArrays, and whether it is basic indexing."""
    parts = key if isinstance(key, tuple) else (key,)
    raw_parts: list[Any] = []
    basic = True
    for part in parts:
        if isinstance(part, Handle):
            node = part._fetch()
            if node.backend.isdtype(node.raw.dtype, "real floating"):
                raise IndexError(
                    f"index: expected integers or booleans, got an array of {node.raw.dtype}; "
                    f"use MLArray(..., dtype='int64') or a comparison"
                )
            raw_parts.append(numbers_on(x._fetch().backend, part))
            basic = False
        else:
            place = (
                part is None
                or part is Ellipsis
                or isinstance(part, slice)
                or (is_index(part) and not isinstance(part, bool) and not hasattr(part, "__len__"))
            )
            # backward needs the key as it is now, and its owner may write to a list or an ndarray
            raw_parts.append(part if place else deepcopy(part))
            basic = basic and place
    return (tuple(raw_parts) if isinstance(key, tuple) else raw_parts[0]), basic
