"""What the compiler must be told and the interpreter can do without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr as mypyc_attr
else:
    try:
        from mypy_extensions import mypyc_attr
    except ImportError:  # it is no dependency: without it nothing is compiled either

        def mypyc_attr(*args: Any, **kwargs: Any) -> Any:
            """Leave the class as it is."""
            return lambda cls: cls
