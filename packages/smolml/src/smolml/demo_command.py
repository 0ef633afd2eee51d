"""`smolml demo digits`: its options, and what can go wrong said in one line."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smolml.demo.options import Options
from smolml.errors import CommandError
from smolml.writing import either, try_writing

PICTURES = (".pdf", ".png", ".svg")


def add_digits(demos: Any) -> None:
    """Add the command to the subparsers of `smolml demo`."""
    digits = demos.add_parser(
        "digits",
        help="train a network on handwritten digits",
        description="Train a multilayer perceptron on 1,797 images of handwritten digits (8x8 "
        "pixels, from scikit-learn), a fifth of them held out for testing, and draw a picture of "
        "how it went. Ctrl-C stops it and still draws the picture. "
        'Needs: pip install "smolml[demo]".',
        epilog="With --backend pure everything runs on plain Python lists: the same numbers, but "
        "about a minute in place of about a second; --epochs 5 is enough to see it learn.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    new = Options()
    positive = _reader(float, lambda x: 0.0 < x < math.inf, "a number above 0, such as 0.01")
    digits.add_argument(
        "--backend",
        type=_backend,
        metavar="{numpy,pure}",
        default=os.environ.get("SMOLML_BACKEND", "").strip() or "numpy",
        help="what computes: NumPy, lists of floats, or a backend that is installed",
    )
    options: list[tuple[str, Callable[[str], object], object, str]] = [
        ("epochs", _whole(1, 100_000), new.epochs, "passes over the training set"),
        ("batch-size", _whole(1, 100_000), new.batch_size, "images in a step"),
        ("hidden", _whole(1, 100_000), new.hidden, "hidden units"),
        ("lr", positive, new.learning_rate, "learning rate"),
        ("seed", _whole(0, 2**32 - 1), new.seed, "of all that is random; same seed, same numbers"),
        ("out", _picture, str(new.out), f"where the picture goes: {', '.join(PICTURES)}"),
    ]
    for name, read, default, text in options:  # argparse reads a default if it is a string
        unit = name[0].upper() if name != "out" else "FILE"
        digits.add_argument(f"--{name}", type=read, default=default, metavar=unit, help=text)
    digits.set_defaults(run=run, parser=digits)


def _backend(text: str) -> str:
    from smolml_array.extending import backends

    if text not in backends.names():  # not `choices`: these do not check a default, of a variable
        raise argparse.ArgumentTypeError(f"expected {either(backends.names())}, got {text!r}")
    return text


def _reader(kind: type, fits: Callable[[Any], bool], expected: str) -> Callable[[str], object]:
    """What reads a number of that kind, if it fits."""

    def read(text: str) -> object:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not fits(number):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
        return number

    return read


def _whole(least: int, most: int) -> Callable[[str], object]:
    expected = f"a whole number from {least:,} to {most:,}"
    return _reader(int, lambda number: least <= number <= most, expected)


def _picture(text: str) -> Path:
    """Read where the picture goes, and make sure now that it can be written there."""
    path = Path(text)
    if path.suffix.lower() not in PICTURES:
        raise argparse.ArgumentTypeError(
            f"expected a file that ends in {either(PICTURES)}, got {text!r}"
        )
    try:
        try_writing(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"cannot write {text!r}: {error.strerror}; choose another place"
        ) from None
    return path


def run(args: argparse.Namespace) -> int:
    """Run the demo and return the exit code.

    Raises:
        CommandError: an extra is missing, or the demo cannot go on.
    """
    options = Options(args.epochs, args.batch_size, args.hidden, args.lr, args.seed, args.out)
    try:
        from smolml.demo.run import run_digits
    except ImportError as error:
        if (error.name or "").startswith("smolml"):
            raise  # that is a fault of ours, no missing extra
        raise CommandError(f'{error}; run: pip install "smolml[demo]"') from error
    from smolml import use_backend

    with use_backend(args.backend):
        return run_digits(options)
