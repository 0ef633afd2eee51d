"""DLPack, both ways: copies unless asked otherwise, read-only where shared, clear refusals."""

from __future__ import annotations

import array as arrays
import sys
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, from_dlpack, ones, use_backend

HAS_VERSIONS = tuple(map(int, np.__version__.split(".")[:2])) >= (2, 1)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_numpy_reads_it(backend: str, shape: tuple[int, ...], dtype: str) -> None:
    x = ones(shape, dtype=dtype)
    assert x.__dlpack_device__() == (1, 0)
    out = np.from_dlpack(x)
    assert (out.shape, out.dtype.name) == (shape, dtype)
    assert np.array_equal(out, np.ones(shape))


def test_windows_and_gradients(backend: str) -> None:
    x = MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    (x * x).backward()
    assert np.from_dlpack(x.T).tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert np.from_dlpack(x[:, ::-2]).tolist() == [[3.0, 1.0], [6.0, 4.0]]
    assert np.from_dlpack(x.grad()).tolist() == [[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]
    x.data[0][0].data = 9.0  # numbers set on elements are there
    assert np.from_dlpack(x)[0, 0] == 9.0


def test_by_default_a_copy(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    out = np.from_dlpack(x)
    assert not np.shares_memory(out, np.asarray(x))
    if HAS_VERSIONS:
        assert not np.shares_memory(np.from_dlpack(x, copy=True), np.asarray(x))


@pytest.mark.skipif(not HAS_VERSIONS, reason="NumPy 2.0 does not ask for copy=")
def test_without_a_copy_it_is_read_only(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    if backend == "pure":
        with pytest.raises(BufferError, match="the pure backend holds no ndarray"):
            np.from_dlpack(x, copy=False)
        return
    out = np.from_dlpack(x, copy=False)
    assert np.shares_memory(out, np.asarray(x))
    assert not out.flags.writeable


def test_a_consumer_of_the_first_version_gets_a_copy(backend: str) -> None:
    class Old:
        """An array as consumers from before DLPack 1.0 ask for it."""

        def __dlpack__(self, **options: Any) -> Any:
            x: Any = made
            return x.__dlpack__()

        def __dlpack_device__(self) -> tuple[int, int]:
            return (1, 0)

    made = MLArray([1.0, 2.0])
    old: Any = Old()
    out = np.from_dlpack(old)
    assert out.tolist() == [1.0, 2.0]
    assert not np.shares_memory(out, np.asarray(made))


def test_what_cannot_be_is_refused(backend: str) -> None:
    x: Any = MLArray([1.0])
    with pytest.raises(BufferError, match=r"arrays live on the CPU, \(1, 0\); got .*\(2, 0\)"):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError, match="the CPU has no streams"):
        x.__dlpack__(stream=1)
    if backend == "numpy":
        with pytest.raises(BufferError, match="too old"):
            x.__dlpack__(copy=False)
    with pytest.raises(ValueError, match="copy=False would share memory"):
        from_dlpack(np.ones(2), copy=False)
    with pytest.raises(ValueError, match="unknown device 'gpu': expected None or 'cpu'"):
        from_dlpack(np.ones(2), device="gpu")
    with pytest.raises(TypeError, match=r"expected an array with __dlpack__, got list; .*MLArray"):
        from_dlpack([1.0])
    with pytest.raises(TypeError, match="expected real numbers"):
        from_dlpack(np.ones(2, dtype=complex))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "uint32", "int64"])
def test_it_reads_numpy(backend: str, dtype: str) -> None:
    a = np.array([[1, 2], [3, 4]], dtype)
    x = from_dlpack(a)
    assert (x.backend, x.to_list()) == (backend, a.tolist())
    assert x.requires_grad == (a.dtype.kind == "f")
    narrow = backend == "numpy" and a.dtype.itemsize <= 4
    assert x.dtype.name == {"f": "float32" if narrow else "float64"}.get(a.dtype.kind, "int64")
    a[...] = 9
    assert x.to_list() == [[1, 2], [3, 4]]
    assert not from_dlpack(a, requires_grad=False).requires_grad
    xp: Any = ones(1).__array_namespace__()
    assert xp.from_dlpack(a).to_list() == a.tolist()
    assert not xp.from_dlpack(a).requires_grad


def test_from_one_backend_to_the_other() -> None:
    for here, there in (("numpy", "pure"), ("pure", "numpy")):
        with use_backend(here):
            x = MLArray([1.0, 2.0])
        with use_backend(there):
            y = from_dlpack(x)
            assert (y.backend, y.to_list()) == (there, [1.0, 2.0])
        xp: Any = x.__array_namespace__()
        assert xp.from_dlpack(y).backend == here


def test_an_object_that_only_speaks_dlpack(backend: str) -> None:
    class Foreign:
        def __init__(self, a: Any) -> None:
            self.a = a

        def __dlpack__(self, **kwargs: Any) -> Any:
            return self.a.__dlpack__(**kwargs)

        def __dlpack_device__(self) -> Any:
            return self.a.__dlpack_device__()

    a = np.array([1.0, 2.0])
    for x in (MLArray(Foreign(a)), from_dlpack(Foreign(a))):
        assert x.to_list() == [1.0, 2.0]
        a[...] = [9.0, 9.0]
        assert x.to_list() == [1.0, 2.0]
        a[...] = [1.0, 2.0]


def test_pythons_buffers(backend: str) -> None:
    xp: Any = ones(1).__array_namespace__()
    for code in "bBhHiIlLqQfd":
        buffer = arrays.array(code, [1, 2, 3])
        x = MLArray(buffer)
        assert (x.to_list(), x.dtype.name, x.requires_grad) == ([1.0, 2.0, 3.0], "float64", True)
        assert xp.asarray(buffer).dtype.name == ("float64" if code in "fd" else "int64")
        buffer[0] = 9
        assert x.to_list() == [1.0, 2.0, 3.0]
    grid = memoryview(arrays.array("d", [1.0, 2.0, 3.0, 4.0])).cast("B").cast("d", (2, 2))
    assert MLArray(grid).to_list() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(TypeError, match="expected a buffer of numbers, got array of format"):
        MLArray(arrays.array("u" if sys.version_info < (3, 13) else "w", "ab"))
    for text in (b"ab", bytearray(b"ab")):
        with pytest.raises(TypeError, match=r"expected numbers, .* got byte"):
            MLArray(text)
