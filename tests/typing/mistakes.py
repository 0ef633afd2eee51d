"""Users' mistakes that a type checker must see; `# mistake:` names the expected error code."""
# Never run, and left out of the project's own type check: every marked line is wrong.

from smolml_array import MLArray
from smolml_value import Value, grad, ops

Value("a")  # mistake: arg-type
Value(1.0) + "a"  # mistake: operator
Value(1.0).backward(1, 2, 3, 4, 5)  # mistake: call-arg
name: str = Value(1.0).data  # mistake: assignment
ops.tanh("a")  # mistake: call-overload
MLArray([1.0]).shape.append(3)  # mistake: attr-defined
MLArray([1.0]).sum(axis="rows")  # mistake: arg-type
number: int = MLArray([1.0]).grad()  # mistake: assignment
Value(1.0, _dl=1.0)  # mistake: call-arg


def square(x: float) -> float:
    return x * x


grad(square)("3")  # mistake: arg-type
grad(square)(3.0, 2.0)  # mistake: call-arg
text: str = MLArray([1.0]).item()  # mistake: assignment
