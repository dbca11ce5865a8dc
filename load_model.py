"""Rebuild the trained model from model.json and model.h5, without training, and predict.

    python load_model.py                      its accuracy on MNIST, and result.png anew
    python load_model.py docs/page.jpg        the digits on a picture, or on many

The first prints

    test accuracy 99.69 % (31 of 10000 wrong)
    saved /home/you/digits/result.png

and the second a line for each picture: its path, the digits (a space at a wide gap, a slash
between lines), the confidence that all are right.

    docs/page.jpg  31 41 59 / 26 53 58 / 97 93 23 / 84 62 64  99.4 %
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from digits.command_line import (
    drop_stdout,
    figure_file,
    one_line,
    only_python_on_stderr,
    percent,
    progress_bar,
    run,
    writable_folder,
)
from digits.data.mnist import load_mnist
from digits.data.picture_folders import find_pictures
from digits.model.evaluation import accuracy_line, predict, scale_warning
from digits.model.loading import find_pair, load_model
from digits.reading.reader import Reading, read_pictures

PLOTTED = 24  # so many of the first pictures are drawn by --plot


# --------------------------------------------------------- MNIST's test set


def evaluate(arguments: argparse.Namespace) -> int:
    """Print the accuracy on MNIST's test set and draw the predictions."""
    from digits import figures  # Matplotlib is slow to import, and only now needed

    file = arguments.plot or Path("result.png")
    file = writable_folder(file.parent) / file.name
    if arguments.show:
        figures.open_window()
    _, (x_test, y_test) = load_mnist(arguments.data)
    model = load_model(arguments.model)
    probabilities = predict(model, x_test)
    if warning := scale_warning(model, x_test[:1000], y_test[:1000]):
        print(f"load_model.py: {warning}", file=sys.stderr)
    figures.save(figures.draw_results(x_test, y_test, probabilities), file)
    print(accuracy_line(probabilities, y_test))  # after saving: a broken pipe ends it here
    print(f"saved {one_line(file)}")
    if arguments.show:
        figures.show()
    return 0


# ---------------------------------------------------------- your own pictures


def read(arguments: argparse.Namespace) -> int:
    """Print a line for each picture; draw the first ones if asked to. Return the exit code."""
    plotting = bool(arguments.plot or arguments.show)
    if arguments.plot:
        arguments.plot = writable_folder(arguments.plot.parent) / arguments.plot.name
    if arguments.show:
        from digits import figures

        figures.open_window()
    found = find_pictures(arguments.images)
    readable = any(isinstance(file, Path) for _, file in found)
    model = load_model(arguments.model) if readable else None  # no wait for a typing error
    failed, lost = False, None
    drawn: list[Reading] = []
    sources = ((name, sys.stdin.buffer.read() if name == "-" else file) for name, file in found)
    keep = PLOTTED if plotting else 0
    with only_python_on_stderr(), progress_bar() as bar:
        for reading in bar.track(read_pictures(model, sources, keep, processes=True), len(found)):
            failed |= reading.failed
            try:
                if arguments.json:
                    print(json.dumps(reading.as_dict()), flush=True)
                elif reading.failed:
                    name = one_line(reading.name)
                    print(f"load_model.py: {name}: {reading.error}", file=sys.stderr)
                else:
                    print(text_line(reading), flush=True)
            except OSError as error:  # a broken pipe or a full disk; the drawing is still wanted
                if not plotting:
                    raise
                lost = error
                drop_stdout()
            if reading.grey is not None:
                drawn.append(reading)
    if drawn:
        plot(drawn, arguments)
    if lost:
        raise lost
    return 2 if failed else 0


def text_line(reading: Reading) -> str:
    """Return `path  text  confidence`, the way the answers are printed."""
    name = one_line(reading.name)
    page = f"  page 1 of {reading.pages}" if reading.pages > 1 else ""
    if reading.error:
        return f"{name}  {reading.error}{page}"
    unsure = "  unsure" if reading.unsure else ""
    return f"{name}  {reading.text}  {percent(reading.confidence)}{unsure}{page}"


def plot(readings: list[Reading], arguments: argparse.Namespace) -> None:
    """Draw each picture with boxes and what the model saw."""
    from digits import figures

    figure = figures.draw_readings([reading.as_drawn() for reading in readings])
    if arguments.plot:
        figures.save(figure, arguments.plot)
        print(f"saved {one_line(arguments.plot)}", file=sys.stderr)
    if arguments.show:
        figures.show()


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Read the digits on your pictures; without any, evaluate the model on MNIST.",
    )
    parser.add_argument(
        "images", nargs="*", metavar="IMAGE", help="picture, folder or pattern; - is standard input"
    )
    parser.add_argument(
        "--model",
        metavar="DIR",
        type=Path,
        default=find_pair(),
        help="where model.json and model.h5 are (default: %(default)s)",
    )
    parser.add_argument("--data", metavar="PATH", help="mnist.npz, or a folder with the IDX files")
    parser.add_argument("--plot", metavar="FILE", type=figure_file, help="draw what was read")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--show", action="store_true", help="open a window with the drawing")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    return read(arguments) if arguments.images else evaluate(arguments)


if __name__ == "__main__":
    sys.exit(run(main))
