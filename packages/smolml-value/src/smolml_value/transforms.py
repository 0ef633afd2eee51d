"""Derivatives of functions, of every order: grad, vjp, jvp, jacobian, hessian, hvp and more.

All of them run the function once on nodes of the ordinary graph and then walk that graph with
cotangents (reverse mode) or tangents (forward mode). They nest to any depth, mix with
`backward()`, and never touch the `grad` of what the user holds. Arguments may be floats, Values,
arrays, and nested lists, tuples and dicts of them.

>>> from smolml_value import Value
>>> f = lambda p: p["a"] ** 2 * p["b"]
>>> grad(f)({"a": 3.0, "b": 2.0})
{'a': 12.0, 'b': 9.0}
>>> x = Value(3.0)
>>> grad(lambda x: x**3)(x).backward()  # the gradient of the gradient
>>> x.grad
18.0

The vocabulary (primals, tangents, cotangents) is that of JAX.
"""

from smolml_value._derivatives import value_rules as value_rules  # Values answer to the transforms
from smolml_value._derivatives.checkpoint import checkpoint
from smolml_value._derivatives.custom import custom_vjp, stop_gradient
from smolml_value._derivatives.forward import jvp
from smolml_value._derivatives.matrices import hessian, hvp, jacobian
from smolml_value._derivatives.reverse import elementwise_grad, grad, gradients, value_and_grad, vjp

__all__ = ["elementwise_grad", "grad", "gradients", "value_and_grad", "vjp"]  # backwards
__all__ += ["hessian", "hvp", "jacobian", "jvp"]  # forwards, and matrices
__all__ += ["checkpoint", "custom_vjp", "stop_gradient"]
