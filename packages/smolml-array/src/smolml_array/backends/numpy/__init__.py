"""The NumPy backend: NumPy >= 2 under the array API's names, quiet and always in arrays."""

from __future__ import annotations

try:
    import numpy as _numpy
except ImportError as error:
    raise ImportError(
        "the numpy backend needs NumPy >= 2, which is not installed: pip install numpy"
    ) from error

if int(_numpy.__version__.partition(".")[0]) < 2:
    raise ImportError(
        f"the numpy backend needs NumPy >= 2, but {_numpy.__version__} is installed: "
        f"pip install --upgrade numpy"
    )

from smolml_array.backends.namespace import Namespace
from smolml_array.backends.numpy import (  # only once NumPy is known to be there
    creation,
    elementwise,
    indexing,
    linalg,
    manipulation,
    quiet,
    reductions,
    scans,
    unguarded,
    windows,
)

BACKEND = Namespace(
    "numpy",
    [creation, elementwise, indexing, linalg, manipulation, quiet, reductions, scans, windows],
    extra=["float32"],
    unguarded=unguarded,
)
