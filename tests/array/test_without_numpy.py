"""The array API's namespace, DLPack and buffers where NumPy is not installed."""

from __future__ import annotations

from tests.children import printed

PROGRAM = """
import array, sys
sys.modules["numpy"] = None  # makes `import numpy` raise ImportError
from smolml_array import MLArray, from_dlpack

x = MLArray([[1.0, 2.0], [3.0, 4.0]])
xp = x.__array_namespace__()
y = xp.reshape(xp.permute_dims(xp.square(x), (1, 0)), (4,))
xp.sum(xp.concat([y, xp.asarray([1, 2])]) * 2.0).backward()
print(y.to_list(), x.grad().to_list())
print(xp.asarray([1, 2]).dtype, xp.asarray(array.array("d", [0.5])).to_list())
print(MLArray(array.array("i", [1, 2])).to_list(), xp.from_dlpack(x).to_list())
try:
    x.__dlpack__()
except BufferError as error:
    print(error)

class Foreign:
    def __dlpack__(self): ...

try:
    from_dlpack(Foreign())
except ImportError as error:
    print(error)
"""


FIX = "pip install numpy; or give lists, as in MLArray(x.tolist())"


def test_without_numpy() -> None:
    assert printed(PROGRAM).splitlines() == [
        "[1.0, 9.0, 4.0, 16.0] [[4.0, 8.0], [12.0, 16.0]]",
        "int64 [0.5]",
        "[1.0, 2.0] [[1.0, 2.0], [3.0, 4.0]]",
        "__dlpack__: the pure backend needs NumPy for DLPack; use x.to_list()",
        f"from_dlpack: needs NumPy to read the memory: {FIX}",
    ]


LISTED = """
import sys
from types import SimpleNamespace
sys.modules["numpy"] = None
from smolml_array import use_backend
from smolml_array.extending import backends

print([row[-2:] for row in backends.info()])
sys.modules["numpy"] = SimpleNamespace(__version__="1.26.4")  # an old one
try:
    use_backend("numpy")
except ImportError as error:
    print(error)
"""


def test_an_old_numpy_is_as_good_as_none() -> None:
    first, second = printed(LISTED).splitlines()
    assert first == "[('broken', 'NumPy is not installed'), ('built-in', '')]"
    assert second.startswith("the numpy backend needs NumPy >= 2, but 1.26.4 is installed: ")
