"""Derivatives of functions: grad, jvp, jacobian and their kin, over the graph."""
