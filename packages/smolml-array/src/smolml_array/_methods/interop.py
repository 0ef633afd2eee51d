"""An array among other libraries': the protocols of NumPy, DLPack and the array API standard."""

from __future__ import annotations

from typing import Any, Self

from smolml_array._methods.accumulating import Accumulating
from smolml_array._namespaces import exchange
from smolml_array._shapes.axes import ShapeError
from smolml_array.convert import check_device, is_array_like


class Interoperating(Accumulating):
    """An array that other libraries can take for one of theirs."""

    __slots__ = ()

    # The numbers -------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        node = self._fetch()
        return exchange.as_ndarray(node.backend, node.raw, dtype, copy)

    def __dlpack__(
        self,
        *,
        stream: object = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        node = self._fetch()
        return exchange.to_dlpack(node.backend, node.raw, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        return exchange.CPU

    # Functions, which stay in the graph --------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from smolml_array._namespaces.ufuncs import apply_ufunc  # only NumPy calls this

        return apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from smolml_array._namespaces.numpy_functions import apply_function  # only NumPy calls this

        return apply_function(func, types, args, kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The array API standard's functions for MLArrays on this backend.

        Raises:
            ValueError: a version of the standard that is not offered.

        >>> from smolml_array import MLArray
        >>> x = MLArray([[1.0, 2.0], [3.0, 4.0]])
        >>> xp = x.__array_namespace__()
        >>> xp.sum(xp.permute_dims(x, (1, 0)), axis=0).to_list()
        [3.0, 7.0]
        """
        from smolml_array._namespaces.array_api import (
            array_namespace,  # its functions are made of MLArrays
        )

        return array_namespace(self._node.backend.name, api_version)

    # The array API's attributes ----------------------------------------------------------------

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

    @property
    def mT(self) -> Self:
        """The last two axes swapped.

        Raises:
            ShapeError: it has fewer than two.
        """
        n = len(self.shape)
        if n < 2:
            raise ShapeError(f"mT: shape {self.shape}: expected at least 2 dimensions")
        return self.transpose((*range(n - 2), n - 1, n - 2))

    def _standard(self, name: str, *operands: object) -> Any:
        """An operator by the array API's name; NotImplemented beside what is no operand."""
        if not all(map(is_array_like, operands)):
            return NotImplemented
        return getattr(self.__array_namespace__(), name)(*operands)

    def __floordiv__(self, other: Any) -> Self:
        return self._standard("floor_divide", self, other)  # type: ignore[no-any-return]

    def __rfloordiv__(self, other: Any) -> Self:
        return self._standard("floor_divide", other, self)  # type: ignore[no-any-return]

    def __mod__(self, other: Any) -> Self:
        return self._standard("remainder", self, other)  # type: ignore[no-any-return]

    def __rmod__(self, other: Any) -> Self:
        return self._standard("remainder", other, self)  # type: ignore[no-any-return]
