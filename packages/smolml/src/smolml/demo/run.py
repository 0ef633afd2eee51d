"""Runs the digits demo: data, training with its progress, the picture, a summary."""

from __future__ import annotations

import math
import time

from smolml import Generator, MLArray
from smolml.demo.data import Digits, load
from smolml.demo.digits import CLASSES, PIXELS, initial_parameters, predict, train
from smolml.demo.options import Options
from smolml.demo.picture import draw
from smolml.demo.results import History, Reading, accuracy
from smolml.errors import CommandError
from smolml.tracking.showing import choose_display

INTERRUPTED = 130  # what a shell gives for a process that Ctrl-C ended


def run_digits(options: Options) -> int:
    """Train, draw, tell; the exit code: 0, or 130 after Ctrl-C.

    Raises:
        CommandError: the loss became nan or infinite, or the picture cannot be written.
    """
    generator = Generator(options.seed)
    digits = load(generator)
    parameters = initial_parameters(options.hidden, generator)
    history = History(math.ceil(len(digits.train_labels) / options.batch_size))
    print(
        f"A {_layers(options)} network, {len(digits.train_labels):,} images to train on, "
        f"{len(digits.test_labels)} to test on, backend {parameters[0].backend}"
    )
    try:
        _train(parameters, digits, options, generator, history)
        _conclude(parameters, digits, options, history)
    except KeyboardInterrupt:  # at a second one we give up
        epoch, _ = divmod(len(history.losses), history.steps_per_epoch)
        when = f"in epoch {epoch + 1} of" if epoch < options.epochs else "after the last of"
        print(f"Interrupted {when} {options.epochs}, drawing what there is")
        _conclude(parameters, digits, options, history)
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
) -> None:
    """Train to the end, writing into the history and telling how it goes."""
    begin = time.perf_counter()
    display = choose_display("epoch", options.epochs, every=None, live=None)
    display.start()
    try:
        for loss in train(parameters, digits.train_images, digits.train_labels, options, generator):
            history.losses.append(loss)
            history.seconds = time.perf_counter() - begin
            epoch, rest = divmod(len(history.losses), history.steps_per_epoch)
            if not math.isfinite(loss):
                raise CommandError(
                    f"the loss became {loss} in epoch {epoch + (rest > 0)}; "
                    f"try a smaller --lr than {options.learning_rate:g}"
                )
            if rest == 0:
                history.accuracies.append(accuracy(_read(digits, parameters)))
                display.advance(epoch, history)
    finally:
        display.stop(history, finished=True)


def _read(digits: Digits, parameters: list[MLArray]) -> list[Reading]:
    images = digits.test_images.reshape(-1, 8, 8).to_list()
    read = predict(digits.test_images, parameters)
    return [Reading(*row) for row in zip(images, digits.test_labels, read, strict=True)]


def _conclude(
    parameters: list[MLArray], digits: Digits, options: Options, history: History
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
        raise CommandError(
            f"cannot write {options.out}: {error.strerror}; choose another place by --out"
        ) from error
    print(f"Test accuracy {right:.2%}: {wrong} of {len(readings)} images read wrongly")
    print(f"Trained in {history.seconds:.1f} s")
    print(f"Picture: {options.out}")
