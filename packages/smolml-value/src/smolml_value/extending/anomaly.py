"""What `detect_anomaly` needs of packages with nodes of their own: where one looks and reports."""

from smolml_value._anomaly.block import (
    answers_in,
    checking,
    forward_error,
    keep_lines,
    origin,
)
from smolml_value._anomaly.source import inside

# While a graph is made: `checking` says whether to look; `keep_lines`, `origin`, `forward_error`.
# Once: `answers_in` names the module with a kind's answers, `inside` a package that is not the
#   user's, so that its lines are not shown.
__all__ = ["answers_in", "checking", "forward_error", "inside", "keep_lines", "origin"]
