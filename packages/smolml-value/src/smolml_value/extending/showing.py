"""What `draw` and `explain` ask of nodes: a new kind registers its answers; texts for them."""

from smolml_value._showing import protocol
from smolml_value._showing.drawing import colors
from smolml_value._showing.formulas import partial_formula
from smolml_value._showing.numerals import numeral, shape_text, shortened
from smolml_value._showing.protocol import Anatomy, Constant, Look, Namer, Part
from smolml_value._showing.values import anatomy_by_step, expression_of, is_ordered, op_text

# The questions: `protocol`. What is answered: `Look`, `Constant`, `Part`, `Anatomy` (of a kind that
# has no partials `anatomy_by_step` finds it); `Namer`.
__all__ = ["Anatomy", "Constant", "Look", "Namer", "Part", "anatomy_by_step", "protocol"]
# The colours of gradients, numbers as texts, ops as texts.
__all__ += ["colors", "numeral", "shape_text", "shortened"]
__all__ += ["expression_of", "is_ordered", "op_text", "partial_formula"]
