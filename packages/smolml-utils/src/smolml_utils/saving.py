"""Saving."""

__all__ = []


def save():
    pass


def load():
    pass
