"""What `detect_anomaly` asks of nodes in a backward pass: a new kind registers its answers."""

from smolml_value._anomaly import walk

# The questions: `walk`. It is imported only where a block looks at a pass.
__all__ = ["walk"]
