"""SmolML in one import: re-exports of its three packages."""

__version__ = "0.1.0"
