"""Losses, activations, initializers and optimizers over Values and MLArrays."""

__version__ = "0.1.0"
