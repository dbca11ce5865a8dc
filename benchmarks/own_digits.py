"""Measure how well people's own images are read, and draw what was read wrong.

    python benchmarks/own_digits.py FOLDER

FOLDER holds a `labels.csv` with the columns path, label, group and writer. Printed is, for
each group, the share read exactly right, averaged over writers (images of one writer
resemble each other), then how far the confidence can be trusted.
"""

import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from digits import figures
from digits.command_line import UserError, run
from digits.model_files import load_model
from digits.reading import read_pictures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="the pictures and their labels.csv")
    parser.add_argument("--model", type=Path, default=".", help="where the two files are")
    parser.add_argument("--plot", type=Path, default="failures.png", help="what was read wrong")
    arguments = parser.parse_args()
    try:
        with open(arguments.folder / "labels.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; it lists the pictures") from None
    model = load_model(arguments.model)
    sources = ((row["path"], arguments.folder / row["path"]) for row in rows)
    groups, answers, wrong = defaultdict(lambda: defaultdict(list)), [], []
    for row, reading in zip(rows, read_pictures(model, sources, keep=len(rows)), strict=True):
        right = reading.digits == row["label"]
        groups[row["group"]][row["writer"]].append(right)
        answers.append((reading.confidence, right))
        if not right:
            print(f"{row['path']}: {row['label']} read as {reading.digits or 'nothing'}")
            if not reading.failed:
                wrong.append(reading)

    print("\ngroup           right  images  writers")
    for group, writers in groups.items():
        share = np.mean([np.mean(images) for images in writers.values()])
        n = sum(map(len, writers.values()))
        print(f"{group:14}  {100 * share:3.1f} %  {n:6}  {len(writers):7}")
    print("\nconfidence      right  images")
    confidence, right = np.array(answers).T
    for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.01)):
        chosen = (confidence >= low) & (confidence < high)
        if chosen.any():
            range_ = f"{low:.2f} to {min(high, 1):.2f}"
            print(f"{range_:14}  {100 * right[chosen].mean():3.0f} %  {chosen.sum():6}")
    if wrong:
        figures.save(figures.draw_readings([r.as_drawn() for r in wrong[:30]]), arguments.plot)
        print(f"\nsaved {arguments.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
