"""What `detect_anomaly` asks of nodes: a new kind registers its answers."""

from smolml_value._anomaly import nodes as questions
from smolml_value._anomaly.nodes import Misfit, named
from smolml_value._anomaly.source import inside

# The questions: `questions`. A nan or inf is answered as a `Misfit`; `named` writes a label.
# Once: `inside` says that a package is not the user's, so that its lines are not shown.
__all__ = ["Misfit", "inside", "named", "questions"]
