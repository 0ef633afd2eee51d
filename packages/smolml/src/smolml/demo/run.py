"""Runs the digits demo: data, training with its progress, the picture, a summary."""

from __future__ import annotations

import math
import time

from rich.console import Console

from smolml import Generator, MLArray
from smolml.demo.data import Digits, load
from smolml.demo.digits import CLASSES, PIXELS, initial_parameters, predict, train
from smolml.demo.options import Options
from smolml.demo.picture import draw
from smolml.demo.progress import report, say
from smolml.demo.results import History, Reading, accuracy

INTERRUPTED = 130  # what a shell gives for a process that Ctrl-C ended


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


def run_digits(options: Options, console: Console) -> int:
    """Train, draw, tell; the exit code: 0, or 130 after Ctrl-C.

    Raises:
        DemoError: the loss became nan or infinite, or the picture cannot be written.
    """
    generator = Generator(options.seed)
    digits = load(generator)
    parameters = initial_parameters(options.hidden, generator)
    history = History(math.ceil(len(digits.train_labels) / options.batch_size))
    say(
        console,
        f"A {_layers(options)} network, {len(digits.train_labels):,} images to train on, "
        f"{len(digits.test_labels)} to test on, backend {parameters[0].backend}",
    )
    try:
        _train(parameters, digits, options, generator, history, console)
        _conclude(parameters, digits, options, history, console)
    except KeyboardInterrupt:  # at a second one we give up
        epoch, _ = divmod(len(history.losses), history.steps_per_epoch)
        when = f"in epoch {epoch + 1} of" if epoch < options.epochs else "after the last of"
        say(console, f"Interrupted {when} {options.epochs}, drawing what there is")
        _conclude(parameters, digits, options, history, console)
        return INTERRUPTED
    return 0


def _layers(options: Options) -> str:
    return f"{PIXELS}-{options.hidden}-{CLASSES}"


def _train(
    parameters: list[MLArray],
    digits: Digits,
    options: Options,
    generator: Generator,
    history: History,
    console: Console,
) -> None:
    """Train to the end, writing into the history and telling how it goes."""
    begin = time.perf_counter()
    steps = train(parameters, digits.train_images, digits.train_labels, options, generator)
    with report(console, options.epochs, history.steps_per_epoch) as progress:
        for loss in steps:
            history.losses.append(loss)
            history.seconds = time.perf_counter() - begin
            epoch, rest = divmod(len(history.losses), history.steps_per_epoch)
            if not math.isfinite(loss):
                raise DemoError(
                    f"the loss became {loss} in epoch {epoch + (rest > 0)}; "
                    f"try a smaller --lr than {options.learning_rate:g}"
                )
            progress.step(loss)
            if rest == 0:
                history.accuracies.append(accuracy(_read(digits, parameters)))
                progress.epoch(epoch, history.accuracies[-1])


def _read(digits: Digits, parameters: list[MLArray]) -> list[Reading]:
    images = digits.test_images.reshape(-1, 8, 8).to_list()
    read = predict(digits.test_images, parameters)
    return [Reading(*row) for row in zip(images, digits.test_labels, read, strict=True)]


def _conclude(
    parameters: list[MLArray], digits: Digits, options: Options, history: History, console: Console
) -> None:
    """Draw the picture and sum up."""
    readings = _read(digits, parameters)
    right = accuracy(readings)
    wrong = sum(not r.right for r in readings)
    epochs = round(len(history.losses) / history.steps_per_epoch, 2)
    title = (
        f"{right:.1%} of {len(readings)} test images right, after {epochs:,g} "
        f"epoch{'s' * (epochs != 1)} on {len(digits.train_labels):,} others   "
        f"\N{MIDDLE DOT}   a {_layers(options)} perceptron, "
        f"{sum(p.size() for p in parameters):,} parameters"
    )
    try:
        draw(options.out, title, history, readings, options.seed)
    except OSError as error:
        raise DemoError(
            f"cannot write {options.out}: {error.strerror}; choose another place by --out"
        ) from error
    say(console, f"Test accuracy {right:.2%}: {wrong} of {len(readings)} images read wrongly")
    say(console, f"Trained in {history.seconds:.1f} s")
    say(console, f"Picture: {options.out}")
