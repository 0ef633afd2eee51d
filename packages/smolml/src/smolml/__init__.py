"""SmolML in one import: all that its three packages make public, and `track`.

A package is imported when the first of its names is used, so `import smolml` costs next to nothing.
"""

from importlib import import_module

TYPE_CHECKING = False  # typing has it too, but importing typing takes longer than all this
if TYPE_CHECKING:
    from smolml.tracking import track as track
    from smolml_array import *  # noqa: F403
    from smolml_utils import *  # noqa: F403
    from smolml_value import *  # noqa: F403

__version__ = "0.1.0"

_PACKAGES = ("smolml_value", "smolml_array", "smolml_utils")  # each imports those before it
_OWN = {"track": "smolml.tracking"}


def _all() -> list[str]:
    """`__all__`, made when somebody asks for it: only the packages know their names."""
    theirs = (name for package in map(import_module, _PACKAGES) for name in package.__all__)
    return sorted({*theirs, *_OWN})


if not TYPE_CHECKING:  # a type checker would take any misspelt name for granted

    def __getattr__(name: str) -> object:
        if name == "__all__":
            return _all()
        if not name.startswith("__"):
            homes = (_OWN[name],) if name in _OWN else _PACKAGES
            for package in map(import_module, homes):
                if name in package.__all__:
                    found = globals()[name] = getattr(package, name)
                    return found
            from smolml_array import MLArray
            from smolml_value.extending import missing

            raise missing("smolml", name, _all(), MLArray)
        raise AttributeError(f"module 'smolml' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *_all()})
