"""Saving: parameters, optimizers and numbers in a safetensors file, and back to the last bit.

The format is that of https://github.com/huggingface/safetensors, which PyTorch and others read and
write: names, shapes and numbers, and no code. A new file is written beside the old one and takes
its place when it is whole and on the disk: whatever happens, there is a whole file.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from smolml_array import MLArray, ShapeError
from smolml_array.extending import as_dtype, default_backend, is_floating
from smolml_utils._operands import as_array, with_dtype
from smolml_utils._optimizer import Optimizer
from smolml_utils._parameters import named
from smolml_value import Value
from smolml_value.extending import WeakIdentityDict

__all__ = ["Loaded", "load", "save"]

_FORMAT: Final = "1"  # of what stands under which name; a file of a later one is not read
_KINDS: Final = {"float64": "F64", "float32": "F32", "int64": "I64", "bool": "BOOL"}
_DTYPES: Final = {kind: dtype for dtype, kind in _KINDS.items()}
_LETTERS: Final = {"F64": "d", "F32": "f", "I64": "q", "BOOL": "?"}  # struct's

PathLike: TypeAlias = str | os.PathLike[str]


class Loaded(dict[str, MLArray]):
    """The arrays of a file by name, and in `metadata` texts by name.

    >>> load("run.safetensors").metadata  # doctest: +SKIP
    {'note': 'after 17 steps'}
    """

    metadata: dict[str, str]


def save(path: PathLike, tree: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays, Values, numbers and optimizers to a file, from which `load` has them again.

    Names say where something stands: `{"layers": [{"w": w}]}` makes "layers.0.w". Of an optimizer
    its settings are saved, and what it remembers of the parameters that are saved beside it.

    Args:
        path: the file. If there is one, the new one takes its place at once, or it stays as it is.
        tree: dicts and lists, nested, of MLArrays, ndarrays, Values, numbers and optimizers.
        metadata: texts by name.

    Raises:
        OSError: the file cannot be written.
        TypeError: something else in the tree, or metadata that is no text.
        ValueError: two things of one name; an optimizer that remembers what is not saved.

    >>> w, step = MLArray([1.0, 2.0]), 17
    >>> save("run.safetensors", {"w": w, "step": step})  # doctest: +SKIP
    >>> load("run.safetensors")["w"]  # doctest: +SKIP
    MLArray([1., 2.])
    """
    about = {**(metadata or {}), "smolml": _FORMAT}
    if not all(isinstance(text, str) for pair in about.items() for text in pair):
        raise TypeError(f"save: metadata must be texts by name, got {metadata!r:.60}")
    header: dict[str, Any] = {"__metadata__": about}
    body = bytearray()
    for name, x in _things(tree):
        if name in header:
            raise ValueError(f"save: two things have the name {name!r}; give one another")
        node = as_array(f"save: {name}", x)._current_node()
        kind, flat, begin = _KINDS[node.raw.dtype.name], node.backend.to_flat(node.raw), len(body)
        body += struct.pack(f"<{len(flat)}{_LETTERS[kind]}", *flat)
        header[name] = {"dtype": kind, "shape": node.shape, "data_offsets": (begin, len(body))}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of 8
    _replace(Path(path).resolve(), struct.pack("<Q", len(text)) + text + body)


def _things(tree: Any) -> Iterator[tuple[str, Any]]:
    """What is to be saved, by name."""
    things = [*named(tree)]
    names = {id(x): name for name, x in things}
    for name, x in things:
        if isinstance(x, Optimizer):
            yield from ((f"{name}.{key}", y) for key, y in x._parts(f"save: {name}", names))
        else:
            yield name, x


def _replace(path: Path, data: bytes) -> None:
    """Have a file with this in it: all of it, or what was there."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with new.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def load(path: PathLike, into: Any = None) -> Loaded:
    """The arrays of a safetensors file by name; floats among them have gradients.

    Args:
        path: a file that `save`, PyTorch or another program wrote.
        into: what was saved, as it was given to `save`: its arrays and Values take the numbers of
            the file, its optimizers their settings and what they remembered, all in place. A
            training goes on from there as if it had never stopped.

    Raises:
        ImportError: the package safetensors is not installed.
        OSError: the file cannot be read.
        ValueError: it is no whole safetensors file, has numbers of a type that we do not have,
            was written by a later version, or does not fit: nothing has changed then.

    >>> from smolml_utils import Adam
    >>> state = {"w": MLArray([1.0, 2.0]), "optimizer": Adam(), "step": 17}
    >>> save("run.safetensors", state)  # doctest: +SKIP
    >>> load("run.safetensors", into=state)["step"].item()  # doctest: +SKIP
    17
    """
    found = _read(Path(path))
    if into is not None:
        _put(f"load: {os.fspath(path)}", found, dict(named(into)))
    return found


def _read(path: Path) -> Loaded:
    try:
        import safetensors
    except ImportError:
        needs = "needs the package safetensors: pip install 'smolml-utils[safetensors]'"
        raise ImportError(f"load: {needs}") from None
    data, read = path.read_bytes(), cast(Any, safetensors.deserialize)  # it has no types
    try:
        parts = dict(read(data))
    except safetensors.SafetensorError as error:
        raise ValueError(f"load: {path} is no whole safetensors file: {error}") from None
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    found, xp = Loaded(), default_backend()
    found.metadata = header.pop("__metadata__", None) or {}
    if (version := found.metadata.pop("smolml", _FORMAT)) != _FORMAT:
        raise ValueError(f"load: {path} is of the later format {version}; upgrade smolml-utils")
    for name in header:
        kind, shape, bits = (parts[name][key] for key in ("dtype", "shape", "data"))
        if kind not in _DTYPES:
            known = ", ".join(_DTYPES)
            raise ValueError(f"load: {path}: {name!r} is of type {kind}, expected one of {known}")
        flat = [x for (x,) in struct.iter_unpack(f"<{_LETTERS[kind]}", bits)]
        dtype = as_dtype(xp, _DTYPES[kind] if hasattr(xp, _DTYPES[kind]) else "float64")
        raw = xp.from_flat(flat, tuple(shape), dtype)
        found[name] = MLArray._constant(xp, raw, tracked=is_floating(xp, raw))
    return found


def _put(who: str, found: Loaded, tree: dict[str, Any]) -> None:
    """Have everything in a tree as it was saved, or change nothing."""
    optimizers = {name: x for name, x in tree.items() if isinstance(x, Optimizer)}
    places = {name: x for name, x in tree.items() if name not in optimizers}
    owners = {f"{o}.{name}": (o, p) for o in optimizers for name, p in places.items()}
    for o, x in optimizers.items():
        places |= {f"{o}.{key}": 0.0 for key in x._settings()}
    states = {name for name in found if name.rpartition(".")[0] in owners}
    if misfits := places.keys() ^ (found.keys() - states):
        raise ValueError(f"{who} and `into` differ: only one has {', '.join(sorted(misfits))}")
    for name, x in places.items():
        if found[name].shape != (shape := getattr(x, "shape", ())):
            raise ShapeError(f"{who}: {name} has shape {found[name].shape}, expected {shape}")
    for x in optimizers.values():
        x._states = WeakIdentityDict()
    for name, array in found.items():
        head, _, key = name.rpartition(".")
        if name in states:
            o, p = owners[head]
            optimizers[o]._states.obtain(p, dict)[key] = _state(array, p)
        elif name not in tree:
            setattr(optimizers[head], key, array.item())
        elif isinstance(tree[name], Value):
            tree[name].data = array.item()
        elif isinstance(tree[name], MLArray):
            tree[name].update_values(array)


def _state(array: MLArray, p: Any) -> Any:
    """As an optimizer has it for a parameter: a float or an int, or a raw array like that of p."""
    floating = array.requires_grad
    if isinstance(p, Value) or (array.shape == () and not (floating and p.shape == ())):
        return array.item()
    moved = array.to_backend(p.backend)
    return with_dtype(moved, p.dtype if floating else moved.dtype)._node.raw
