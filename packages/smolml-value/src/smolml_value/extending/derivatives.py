"""What `grad` and its kin ask of nodes and operands: a new kind registers its answers."""

from smolml_value._derivatives import derive
from smolml_value._derivatives.function_node import Hub
from smolml_value._derivatives.trees import leaves, map_leaves
from smolml_value._derivatives.value_rules import pinned

# The questions: `derive`. `Hub` is a node with several results, `pinned` holds an operand at the
# number it had. Arguments may be nested: `leaves` lists what is in them, `map_leaves` makes others.
__all__ = ["Hub", "derive", "leaves", "map_leaves", "pinned"]
