"""Files that are none: cut off, foreign, wrong in any place; and saves that are killed half-way."""

from __future__ import annotations

import itertools
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import safetensors  # without it there is nothing to try here

from smolml_array import MLArray
from smolml_utils import load, save

_F64: dict[str, Any] = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}
EIGHT = bytes(8)


def _file(header: Any, body: bytes = EIGHT, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def _with(**changes: Any) -> bytes:
    return _file({"w": _F64 | changes})


GOOD = _file(
    {"__metadata__": {"smolml": "1"}, "w": _F64, "v": _F64 | {"data_offsets": [8, 16]}}, bytes(16)
)
WHOLE = "is no whole safetensors file"
KNOWS_COMPLEX = tuple(map(int, safetensors.__version__.split(".")[:2])) >= (0, 7)
COMPLEX = "'w' is of type C64, expected one of F64, F32" if KNOWS_COMPLEX else WHOLE
CORRUPTIONS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", WHOLE),
    **{f"cut off at {n}": (GOOD[:n], WHOLE) for n in (1, 7, 8, 9, 40, len(GOOD) - 17)},
    **{f"cut off at -{n}": (GOOD[:-n], WHOLE) for n in (1, 8, 16)},
    "more at the end": (GOOD + b"\0", WHOLE),
    "twice": (GOOD + GOOD, WHOLE),
    "length too large": (_file({"w": _F64}, length=10**6), WHOLE),
    "length larger than any file": (_file({"w": _F64}, length=2**63), WHOLE),
    "length 0": (_file({"w": _F64}, length=0), WHOLE),
    "length too small": (_file({"w": _F64}, length=20), WHOLE),
    "header no JSON": (_file(b"{'w': 1}"), WHOLE),
    "header no UTF-8": (_file(b'{"\xff": 1}'), WHOLE),
    "header a list": (_file([_F64]), WHOLE),
    "header a number": (_file(3), WHOLE),
    "no dtype": (_file({"w": {"shape": [1], "data_offsets": [0, 8]}}), WHOLE),
    "no shape": (_file({"w": {"dtype": "F64", "data_offsets": [0, 8]}}), WHOLE),
    "no offsets": (_file({"w": {"dtype": "F64", "shape": [1]}}), WHOLE),
    "unknown dtype": (_with(dtype="F65"), WHOLE),
    "a dtype that is no text": (_with(dtype=64), WHOLE),
    "shape too large": (_with(shape=[2]), WHOLE),
    "shape too small": (_with(shape=[]) + EIGHT, WHOLE),
    "a negative length": (_with(shape=[-1]), WHOLE),
    "a length that is no int": (_with(shape=[1.5]), WHOLE),
    "a shape that overflows": (_with(shape=[2**62, 8]), WHOLE),
    "offsets beyond the end": (_with(data_offsets=[8, 16]), WHOLE),
    "offsets that overlap": (_file({"w": _F64, "v": _F64}), WHOLE),
    "offsets backwards": (_with(data_offsets=[8, 0]), WHOLE),
    "a hole": (_file({"w": _F64, "v": _F64 | {"data_offsets": [16, 24]}}, bytes(24)), WHOLE),
    "metadata no text": (_file({"__metadata__": {"epoch": 3}, "w": _F64}), WHOLE),
    "metadata a list": (_file({"__metadata__": [], "w": _F64}), WHOLE),
    "a later format": (
        _file({"__metadata__": {"smolml": "2"}, "w": _F64}),
        "of the later format 2",
    ),
    "half floats": (_with(dtype="F16", shape=[4]), "'w' is of type F16, expected one of F64, F32"),
    "complex numbers": (_with(dtype="C64"), COMPLEX),
    "a pickle": (b"\x80\x04\x95" + bytes(100), WHOLE),
    "a zip file": (b"PK\x03\x04" + bytes(100), WHOLE),
    "NumPy's": (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'}" + bytes(100), WHOLE),
    "text": (b"w = [1.0, 2.0]\n" * 20, WHOLE),
}


def test_the_file_that_they_come_from_is_good(tmp_path: Path, backend: str) -> None:
    path = tmp_path / "good"
    path.write_bytes(GOOD)
    assert {name: x.to_list() for name, x in load(path).items()} == {"w": [0.0], "v": [0.0]}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_file_that_is_none(name: str, tmp_path: Path) -> None:
    data, message = CORRUPTIONS[name]
    path = tmp_path / "run.safetensors"
    path.write_bytes(data)
    w = MLArray([7.0])
    for into in (None, {"w": w}):
        with pytest.raises(ValueError, match=r"^load: ") as caught:
            load(path, into=into)
        assert str(path) in str(caught.value)
        assert message in str(caught.value)
    assert w.item() == 7.0
    assert path.read_bytes() == data


@pytest.mark.parametrize("place", range(0, 8 + 60, 4))
def test_a_flipped_bit_in_the_header_is_told_or_harmless(place: int, tmp_path: Path) -> None:
    """Names and metadata may hold anything; nothing else may come out than an error of ours."""
    path = tmp_path / "run.safetensors"
    for bit in range(8):
        data = bytearray(GOOD)
        data[place] ^= 1 << bit
        path.write_bytes(data)
        try:
            names = len(load(path))
        except ValueError as error:
            names = 2 if str(path) in str(error) else 0
        assert names == 2


@pytest.mark.parametrize(
    ("name", "kind"), [("missing", FileNotFoundError), (".", IsADirectoryError)]
)
def test_no_file_at_all(name: str, kind: type[OSError], tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(kind) as caught:
        load(path)
    assert str(path) in str(caught.value)
    with pytest.raises(OSError, match=str(tmp_path)):
        save(tmp_path / "missing" / "x" if name == "missing" else path, {"w": 1.0})
    assert os.listdir(tmp_path) == []


def test_nothing_is_left_of_a_save_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    save(path, {"w": 1.0})
    before = path.read_bytes()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            save(path, {"w": 2.0})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    save(target, {"w": 1.0})
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no links here")
    save(link, {"w": 2.0})
    assert link.is_symlink()
    assert load(target)["w"].item() == 2.0


WRITER = """
import sys
from smolml_array import MLArray
from smolml_utils import save
print("ready", flush=True)
for i in range(200):
    save(sys.argv[1], {"i": i, "w": MLArray([float(i)] * 20_000)}, {"i": str(i)})
print("done", flush=True)
"""


def killed_once(path: Path, delay: float) -> tuple[int, bool]:
    """Kill a process that saves 200 times; which save the file is of, and whether it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    found = load(path)
    (i,) = {*found["w"].to_list(), float(found["i"].item()), float(found.metadata["i"])}
    assert found["w"].shape == (20_000,)
    return int(i), out == ""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_save_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    save(path, {"i": -1, "w": MLArray([-1.0] * 20_000)}, {"i": "-1"})
    kills = [killed_once(path, delay) for delay in (0.003, 0.05, 0.11, 0.3)]
    assert any(killed for _, killed in kills)
    for name in itertools.islice(os.listdir(tmp_path), 5):  # what is left of a write is set apart
        assert name == path.name or name.endswith(".tmp")
