"""Files to be written: can they be, asked before anything long begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def either(words: Sequence[str]) -> str:
    """The words in a sentence.

    >>> either([".dot", ".md", ".svg"])
    '.dot, .md or .svg'
    """
    return f"{', '.join(words[:-1])} or {words[-1]}"


def try_writing(path: Path) -> None:
    """Open the file for writing, and leave everything as it was.

    Raises:
        OSError: it cannot be written.
    """
    existed = os.path.lexists(path)
    path.open("ab").close()
    if not existed:
        path.unlink()
