"""What packages build on that extend SmolML: smolml-array does, and plugins may.

These names are kept as the public ones are. `smolml_value.extending.derivatives`, `.showing` and
`.anomaly` have the questions that `grad`, `draw`, `explain` and `detect_anomaly` ask of nodes, for
who adds a kind of node; they are imported by themselves, since most programs need none of them.
"""

from smolml_value._ops.foreign import register_arrays
from smolml_value._ops.number import as_float, is_number
from smolml_value._ops.plugin import Kind as PluginKind
from smolml_value._ops.plugin import Plugin, Plugins
from smolml_value._ops.plugin import Status as PluginStatus
from smolml_value._runtime.forks import fork_safe
from smolml_value._runtime.identity_map import WeakIdentityDict
from smolml_value._runtime.modes import Block, Mode, Setting
from smolml_value.errors import NoDerivativeError, PluginError
from smolml_value.foreign import answering, missing, refusal
from smolml_value.graph import CUT_OFF, one_pass
from smolml_value.graph import LOCK as PASS_LOCK
from smolml_value.node import Node, OperandBase, topological
from smolml_value.op import Op
from smolml_value.operand import Operand
from smolml_value.recording import MODE, leave, record_here, recording
from smolml_value.registry import name_taken
from smolml_value.table import TABLE
from smolml_value.traced import TRACED, TracedNamespace
from smolml_value.traced import find as find_traced

# Kinds of nodes: `Node` is any, `OperandBase` what ops apply to, `Operand` has them as methods.
# `topological` are all that some depend on, parents first.
__all__ = ["Node", "Operand", "OperandBase", "topological"]
# The `_dr` of a leaf that is a constant is `CUT_OFF`.
# The pass: `one_pass` from a node of any kind, made by who holds `PASS_LOCK`.
__all__ += ["CUT_OFF", "PASS_LOCK", "one_pass"]
# Ops: `Op`, those built in (`TABLE`), and the `xp` that makes derivatives of rules
# (`TracedNamespace`, `TRACED`, `find_traced`, `NoDerivativeError`).
__all__ += ["TABLE", "TRACED", "NoDerivativeError", "Op", "TracedNamespace", "find_traced"]
# Numbers: `is_number` says what counts as one, `as_float` makes it a float or says who got it.
# `register_arrays` sets what makes operands of other libraries' arrays.
__all__ += ["as_float", "is_number", "register_arrays"]
# Plugins: `Plugins` are those of one `PluginKind`, each a `Plugin` with a `PluginStatus`, and
# `PluginError` says why one cannot be used; `name_taken` why no op may have a name.
__all__ += ["Plugin", "PluginError", "PluginKind", "PluginStatus", "Plugins", "name_taken"]
# Blocks: a `Mode` is what with blocks set where they are opened, a `Setting` is one of these, and
# a `Block` one with statement; `fork_safe` locks are free in a child process.
# `WeakIdentityDict` is a dict by the identity of objects that keeps none of them alive.
__all__ += ["Block", "Mode", "Setting", "WeakIdentityDict", "fork_safe"]
# Errors: `missing` is for a module's `__getattr__`, `answering` for functions with keywords, or
# `refusal` where a function asks for foreign ones itself: they know what PyTorch calls it.
__all__ += ["answering", "missing", "refusal"]
# Recording: `MODE` is looked at first, `recording` and `record_here` are for transforms;
# `leave` is told what is taken for plain numbers.
__all__ += ["MODE", "leave", "record_here", "recording"]
