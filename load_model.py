"""Rebuild the trained model from model.json and model.h5, without training, and predict.

    python load_model.py                      its accuracy on MNIST, and result.png anew
    python load_model.py docs/page.jpg        the digits on a picture, or on many

The first prints

    test accuracy 99.65 % (35 of 10000 wrong)
    saved /home/you/digits/result.png

and the second a line for each picture: its path, the digits (a space at a wide gap, a slash
between lines), the confidence that all are right.

    docs/page.jpg  31 41 59 / 26 53 58 / 97 93 23 / 84 62 64  99.1 %
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # python -P and -I leave it out
from digits import own_process

own_process.take(__name__)  # first of all: quiet, and what stops it early is a line
from digits import command_line as cli
from digits import streams
from digits.data import load_mnist
from digits.data.picture_folders import find_pictures
from digits.model import load_model, predict
from digits.model.evaluation import accuracy_line
from digits.model.locating import find_pair
from digits.reading import UNSURE, Reading, read_pictures

PLOTTED = 24  # so many of the first pictures are drawn by --plot


# ------------------------------------------------------- 1. MNIST's test set
def evaluate(arguments: argparse.Namespace) -> int:
    """Print the accuracy on MNIST's test set and draw the predictions."""
    from digits import figures  # Matplotlib is slow to import, and only now needed

    file = arguments.plot or cli.figure_file("result.png")
    _, (x_test, y_test) = load_mnist(arguments.data)
    model = load_model(arguments.model)
    probabilities = predict(model, x_test)
    figures.save(figures.draw_results(x_test, y_test, probabilities), file)
    print(accuracy_line(probabilities, y_test))  # after saving: a broken pipe ends it here
    print(f"saved {cli.one_line(file)}")
    return 0


# ------------------------------------------------------ 2. your own pictures
def read(arguments: argparse.Namespace) -> int:
    """Print a line for each picture; draw the first ones if asked to. Return the exit code."""
    found = find_pictures(arguments.images)
    readable = any(isinstance(file, Path) for _, file in found)
    model = load_model(arguments.model) if readable else None  # no wait for a typing error
    sources = ((name, sys.stdin.buffer.read() if name == "-" else file) for name, file in found)
    keep = PLOTTED if arguments.plot or arguments.show else 0
    failed, drawn = False, []
    with streams.progress_bar() as bar:
        for reading in bar.track(read_pictures(model, sources, keep, processes=True), len(found)):
            reading.threshold = arguments.threshold
            print_answer(reading, arguments.json)
            failed |= reading.failed
            drawn += [] if reading.grey is None else [reading]
    if drawn:
        plot(drawn, arguments.plot)
    return 2 if failed else 0


def print_answer(reading: Reading, as_json: bool) -> None:
    if as_json:
        print(json.dumps(reading.as_dict()), flush=True)
    elif reading.failed:
        cli.note(f"{cli.one_line(reading.name)}: {reading.error}")
    else:
        print(text_line(reading), flush=True)


def text_line(reading: Reading) -> str:
    """Return `path  text  confidence`, the way the answers are printed."""
    name = cli.one_line(reading.name)
    page = f"  page 1 of {reading.pages}" if reading.pages > 1 else ""
    if reading.error:
        return f"{name}  {reading.error}{page}"
    unsure = f"  unsure: {', '.join(reading.reasons)}" if reading.unsure else ""
    return f"{name}  {reading.text}  {cli.percent(reading.confidence)}{page}{unsure}"


def plot(readings: list[Reading], file: Path | None) -> None:
    """Draw each picture with boxes and what the model saw."""
    from digits import figures
    from digits.reading.plot import draw_readings

    figure = draw_readings(readings)
    if file:
        figures.save(figure, file)
        print(f"saved {cli.one_line(file)}", file=sys.stderr)


# ---------------------------------------------------------- 3. the arguments
def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = cli.new_parser(
        "Read the digits on your pictures; without any, evaluate the model on MNIST."
    )
    add = parser.add_argument
    add("images", nargs="*", metavar="IMAGE", help="picture, folder, pattern; - is standard input")
    add("--model", metavar="DIR", default=find_pair(), help="where model.json and model.h5 are")
    add("--data", metavar="PATH", help="MNIST to test with: mnist.npz, or the IDX files")
    add("--plot", metavar="FILE", type=cli.figure_file, help="draw what was read")
    add("--json", action="store_true", help="one JSON object a line")
    unsure = "confidence, 0 to 1; with less an answer is unsure"
    add("--threshold", metavar="P", type=cli.fraction, default=UNSURE, help=unsure)
    add("--show", action="store_true", help="open a window with the drawing")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    work = read if arguments.images else evaluate
    if not (arguments.plot or arguments.show):
        return work(arguments)
    from digits import figures  # Matplotlib is slow to import, and only now needed

    with streams.stdout_fails_last(), figures.window() if arguments.show else nullcontext():
        return work(arguments)


if __name__ == "__main__":
    sys.exit(cli.run(main))
