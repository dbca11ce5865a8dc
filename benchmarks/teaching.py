"""Teach the model some examples of each digit, and measure how it reads the rest, and MNIST.

    python benchmarks/teaching.py SET

SET is a folder with a subfolder of pictures for each digit, as `teach.py` takes it, or an
.npz with `x`, pictures (n, height, width) uint8, and `y`, what they show (n,). For each number of
examples some are chosen at random several times, the same as `teach.py` would learn from.
Printed is a table: the accuracy on the other pictures and on MNIST's test set, each the
mean over the choices with its standard deviation; `teach.png` shows it.

Each result goes into `teaching.csv` at once, and what stands there is not measured again: a run
that was stopped goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tables
from scores import print_table

from digits.command_line import UserError, positive_int, run
from digits.data.mnist import load_mnist
from digits.data.own_pictures import Labelled, find_own
from digits.model import quiet_keras as keras
from digits.model.evaluation import predict
from digits.model.loading import load_model
from digits.model.locating import find_pair
from digits.reading import read_own, read_pictures
from digits.training import Lesson

HEADER = ["examples of each", "the rest", "MNIST", "processor time", "choices"]
COLUMNS = ["examples", "choice", "rest", "mnist", "seconds"]  # in %, processor time


def load_set(place: Path) -> list[Labelled]:
    """Return the pictures of single digits in a folder or an .npz."""
    if place.is_dir():
        return [picture for picture in find_own(place) if len(picture[2]) == 1]
    try:
        with np.load(place) as arrays:
            pairs = enumerate(zip(arrays["x"], arrays["y"], strict=True))
            return [(f"picture {i}", image, str(int(label))) for i, (image, label) in pairs]
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{place} is no folder and no .npz with x and y: {error}") from None


def measure(
    model: Path, pictures: list[Labelled], mnist: tuple, examples: int, choice: int
) -> list[float]:
    """Return the row of `COLUMNS` for so many examples of each digit."""
    (x_train, y_train), (x_test, y_test) = mnist
    keras.backend.clear_session()
    keras.utils.set_random_seed(choice)
    model, seconds = load_model(model), 0.0
    order = np.random.default_rng(choice).permutation(len(pictures))
    of_digit = {digit: [i for i in order if pictures[i][2] == digit] for digit in "0123456789"}
    chosen = {i for found in of_digit.values() for i in found[:examples]}
    if examples:
        start = time.process_time()
        own = read_own([pictures[i] for i in sorted(chosen)], model)
        with contextlib.suppress(UserError):  # all are read right already
            Lesson(model, own, x_test).train(x_train, y_train, seed=choice)
        seconds = time.process_time() - start
    rest = [picture for i, picture in enumerate(pictures) if i not in chosen]
    readings = read_pictures(model, ((name, file) for name, file, _ in rest))
    right = [reading.digits == text for reading, (*_, text) in zip(readings, rest, strict=True)]
    known = predict(model, x_test).argmax(axis=1) == y_test
    return [examples, choice, 100 * np.mean(right), 100 * np.mean(known), seconds]


def table(rows: np.ndarray) -> list[list[object]]:
    """Return a row of `HEADER` for each number of examples."""
    lines = []
    for examples in np.unique(rows[:, 0]):
        _, _, rest, mnist, seconds = rows[rows[:, 0] == examples].T
        spread = [
            f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else "" for values in (rest, mnist)
        ]
        accuracies = f"{rest.mean():.2f} %{spread[0]}", f"{mnist.mean():.3f} %{spread[1]}"
        lines.append([f"{examples:.0f}", *accuracies, f"{seconds.mean():.0f} s", len(rest)])
    return lines


def plot(rows: np.ndarray, file: Path) -> None:
    """Draw both by the number of examples, a small mark for each choice, a line of means."""
    from digits import figures

    figure = figures.new_figure(figsize=(9, 3.8), layout="constrained")
    titles = "Read right of the rest, %", "Read right of MNIST's test digits, %"
    counts = np.unique(rows[:, 0])
    for axis, title, column, color in zip(
        figure.subplots(1, 2), titles, (2, 3), (figures.RIGHT, figures.TRAINING), strict=True
    ):
        places = np.searchsorted(counts, rows[:, 0])
        means = [rows[rows[:, 0] == count, column].mean() for count in counts]
        axis.plot(places, rows[:, column], ".", color=color, alpha=0.4)
        axis.plot(range(len(counts)), means, "o-", color=color)
        for x, mean in enumerate(means):
            axis.annotate(
                f"{mean:.{column - 1}f}",
                (x, mean),
                xytext=(0, 8),
                textcoords="offset points",
                ha="center",
            )
        axis.set_title(title, loc="left")
        axis.set_xticks(range(len(counts)), [f"{count:.0f}" for count in counts])
        axis.set_xlabel("examples of each digit")
        axis.margins(x=0.1, y=0.2)
        axis.grid(axis="y", color="#e4e7eb")
    figures.save(figure, file)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("set", type=Path, help="folder of pictures, or .npz with x and y")
    parser.add_argument(
        "--examples", nargs="+", type=positive_int, default=[1, 2, 5, 10, 20], help="of each digit"
    )
    parser.add_argument("--choices", type=positive_int, default=5, help="of the examples")
    parser.add_argument("--model", type=Path, default=find_pair(), help="where the two files are")
    parser.add_argument("--results", type=Path, default="teaching.csv", help="what is measured")
    parser.add_argument("--plot", type=Path, default="teach.png", help="both by examples")
    parser.add_argument("--docs", action="store_true", help="write the table into the docs")
    arguments = parser.parse_args()
    pictures, mnist = load_set(arguments.set), load_mnist()
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    arguments.results.touch()
    with open(arguments.results, "r+", newline="", encoding="utf-8") as file:
        rows = [[float(row[column]) for column in COLUMNS] for row in csv.DictReader(file)]
        writer = csv.writer(file)
        if not rows:
            writer.writerow(COLUMNS)
        todo = [(0, 0), *((n, i) for i in range(arguments.choices) for n in arguments.examples)]
        for examples, choice in todo:
            if [examples, choice] not in [row[:2] for row in rows]:
                rows.append(measure(arguments.model, pictures, mnist, examples, choice))
                writer.writerow(rows[-1])
                file.flush()
                print(f"{examples} of each, choice {choice}: {rows[-1][2]:.2f} %", file=sys.stderr)
    measured = table(np.array(rows))
    print_table(HEADER, measured)
    if arguments.docs:
        tables.keep("teaching", HEADER, measured)
    plot(np.array(rows), arguments.plot)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
