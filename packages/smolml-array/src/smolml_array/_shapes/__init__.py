"""Arithmetic on shapes, axes and nested lists, for every backend."""
