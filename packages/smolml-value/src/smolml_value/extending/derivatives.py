"""What `grad` and its kin ask of nodes and operands: a new kind registers its answers."""

from smolml_value._derivatives.function_node import FunctionNode
from smolml_value._derivatives.made import made
from smolml_value._derivatives.rules import (
    NodeRules,
    OperandRules,
    Parts,
    of,
    register,
    shape_of,
)
from smolml_value._derivatives.trees import leaves, leaves_like, map_leaves, paths, rebuild
from smolml_value._derivatives.value_rules import OutputRules, pinned

# The questions: `NodeRules`, `OperandRules`; `register` sets the answers of a kind, `of` has them.
__all__ = ["NodeRules", "OperandRules", "Parts", "of", "register", "shape_of"]
# `FunctionNode` is a node with several results, `OutputRules` answer for these; `pinned` holds an
# operand at the number it had; `made` is what a transform makes of a function.
__all__ += ["FunctionNode", "OutputRules", "made", "pinned"]
# Arguments may be nested: `leaves` lists what is in them, `paths` where, `leaves_like` in the order
# of others, `map_leaves` and `rebuild` make others.
__all__ += ["leaves", "leaves_like", "map_leaves", "paths", "rebuild"]
