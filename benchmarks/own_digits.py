"""Measure how well people's own pictures are read, and draw what was read wrong.

    python benchmarks/own_digits.py FOLDER [FOLDER ...]

Each FOLDER holds a `labels.csv` with the columns path, label, group and writer; the label is
empty where there is no digit. Printed is, for each group, the fraction of pictures whose digits
are all right, averaged over writers (pictures of one writer resemble each other), and how many
digits are wrong: the edit distance to the label, as a fraction of the label's digits. Then how far
the confidence can be trusted, over all pictures that got an answer. `--docs` writes the first table
into the documentation: do that only with pictures that nobody looked at before, in groups that are
called as those of the table there.
"""

import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tables
from scores import distance, part_of, print_table

from digits import figures
from digits.command_line import UserError, run
from digits.model.loading import load_model
from digits.reading import UNSURE, Reading, read_pictures
from digits.reading.plot import draw_readings
from digits.reading.reader import FRONT_ENDS

DRAWN = 30  # so many of those that were read wrong
HEADER = ["pictures", "number", "right", "wrong digits"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, help="the pictures and their labels.csv")
    parser.add_argument("--model", type=Path, default=".", help="where the two files are")
    parser.add_argument("--plot", type=Path, default="failures.png", help="what was read wrong")
    parser.add_argument(
        "--front-end", choices=FRONT_ENDS, default=FRONT_ENDS[0], help="how digits are found"
    )
    parser.add_argument("--docs", action="store_true", help="write the table into the docs")
    arguments = parser.parse_args()
    rows = [row for folder in arguments.folders for row in labels(folder)]
    sources = ((row["path"], Path(row["path"])) for row in rows)
    model = load_model(arguments.model)
    readings = list(
        read_pictures(model, sources, keep=len(rows), processes=True, front_end=arguments.front_end)
    )
    wrong = []
    for row, reading in zip(rows, readings, strict=True):
        if reading.digits != row["label"]:
            sure = f"{100 * reading.confidence:.1f} %"
            read = f"{reading.text}  {sure}" if reading.digits else "nothing"
            print(f"{row['path']}: {row['label'] or 'nothing'} read as {read}")
            wrong += [] if reading.failed else [reading]
    groups = by_group(rows, readings)
    print()
    print_table(HEADER, groups)
    print_confidence(rows, readings)
    if arguments.docs:
        tables.keep("people", HEADER, groups)
    if wrong:
        figures.save(draw_readings(wrong[:DRAWN]), arguments.plot)
        print(f"\nsaved {arguments.plot}")
    return 0


def labels(folder: Path) -> list[dict]:
    """Return the rows of the folder's `labels.csv`, each `path` with the folder before it."""
    try:
        with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
            return [row | {"path": str(folder / row["path"])} for row in csv.DictReader(file)]
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; it lists the pictures") from None


def by_group(rows: list[dict], readings: list[Reading]) -> list[list[object]]:
    """Return a row of `HEADER` for each group, and one for the sure answers of all."""
    groups = defaultdict(lambda: defaultdict(list))
    for row, reading in zip(rows, readings, strict=True):
        right, wrong = reading.digits == row["label"], distance(reading.digits, row["label"])
        groups[row["group"]][row["writer"]].append((right, wrong, len(row["label"])))
    table = []
    for group, writers in groups.items():
        mean = np.mean([np.mean([right for right, *_ in found]) for found in writers.values()])
        pictures = [picture for found in writers.values() for picture in found]
        _, wrong, digits = np.sum(pictures, axis=0)
        wrong = part_of(wrong, digits) if digits else "-"
        table.append([group, len(pictures), f"{100 * mean:.1f} %", wrong])
    sure = [
        reading.digits == row["label"]
        for row, reading in zip(rows, readings, strict=True)
        if reading.digits and reading.confidence >= UNSURE
    ]
    if sure:
        percent = f"{100 * np.mean(sure):.1f} %"
        table.append(
            [f"answers that are at least {100 * UNSURE:.0f} % sure", len(sure), percent, "-"]
        )
    return table


def print_confidence(rows: list[dict], readings: list[Reading]) -> None:
    """Print the fraction of right answers by the confidence that they were given with."""
    answered = [
        (r.confidence, r.digits == row["label"])
        for row, r in zip(rows, readings, strict=True)
        if r.digits
    ]
    confidence, right = np.array(answered).T
    table = []
    for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.01), (0.9, 1.01)):
        chosen = (confidence >= low) & (confidence < high)
        if chosen.any():
            right_part = f"{100 * right[chosen].mean():.1f} %"
            table.append([f"{low:.2f} to {min(high, 1):.2f}", right_part, chosen.sum()])
    print()
    print_table(["confidence", "right", "pictures"], table)


if __name__ == "__main__":
    sys.exit(run(main))
