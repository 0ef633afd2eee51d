"""What other libraries ask an array for: the protocols of NumPy, DLPack and the array API."""

from __future__ import annotations

from typing import Any

from smolml_array._namespaces import exchange
from smolml_array.array import MLArray
from smolml_value.extending import register_arrays


def _ufunc(self: MLArray, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    from smolml_array._namespaces.ufuncs import apply_ufunc  # only NumPy calls this

    return apply_ufunc(ufunc, method, inputs, kwargs)


def _function(self: MLArray, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    from smolml_array._namespaces.numpy_functions import apply_function  # only NumPy calls this

    return apply_function(func, types, args, kwargs)


def _namespace(self: MLArray, *, api_version: str | None = None) -> Any:
    """The array API standard's functions for MLArrays on this backend.

    Raises:
        ValueError: a version of the standard that is not offered.

    >>> from smolml_array import MLArray
    >>> x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    >>> xp = x.__array_namespace__()
    >>> xp.sum(xp.permute_dims(x, (1, 0)), axis=0).to_list()
    [3.0, 7.0]
    """
    from smolml_array._namespaces.array_api import array_namespace  # few programs need it

    return array_namespace(self._node.backend.name, api_version)


MLArray.__array__ = exchange.as_ndarray
MLArray.__array_function__ = _function
MLArray.__array_namespace__ = _namespace
MLArray.__array_ufunc__ = _ufunc
MLArray.__dlpack__ = exchange.to_dlpack
MLArray.__dlpack_device__ = lambda self: exchange.CPU
register_arrays(lambda x: MLArray._from_data(x).detach())
