"""The NumPy backend: NumPy >= 2 under the array API's names."""

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
    cotangents,
    creation,
    dtypes,
    elementwise,
    indexing,
    linalg,
    manipulation,
    reductions,
    windows,
)
from smolml_array.backends.numpy.guard import SILENT, guarded

# Freed at once: having seen 32 MB come back, glibc keeps up to 64 MB of what arrays leave for those
# that come next. Else it hands memory back to the system, which clears each page anew for them:
# y + y * y of a million numbers takes three times as long.
_numpy.empty(2**22 - 4096)

BACKEND = Namespace(
    "numpy",
    [creation, dtypes, manipulation],
    extra=["float32"],
    loud=[cotangents, elementwise, indexing, linalg, reductions, windows],
    guard=guarded,
    silence=SILENT,
    as_array=_numpy.asarray,
)
