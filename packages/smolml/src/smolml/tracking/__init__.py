"""Training that can be watched: `track`, and the Run that it returns."""

from smolml.tracking.history import History
from smolml.tracking.run import Run, track

__all__ = ["History", "Run", "track"]
