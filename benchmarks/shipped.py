"""Measure the model that comes along: its accuracy, as arrays and as pictures, and its times.

    python benchmarks/shipped.py

Printed is a table; `--docs` writes it into docs/measured.md. Times are the processor's, medians of
five, so that other work on the machine hardly matters.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tables
from scores import distance, print_table

from digits.command_line import run
from digits.data.mnist import load_mnist
from digits.model.evaluation import calibration_error, predict
from digits.model.loading import load_model
from digits.reading import read_pictures

READ, START = ("load_model.py", "docs/page.jpg"), ("-c", "import tensorflow")
PAPER, INK = 200, 60  # grey values of the made pages
PITCH = 2  # heights of a digit from one to the next, on pages of ten by ten


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--docs", action="store_true", help="write the table into the docs")
    arguments = parser.parse_args()
    _, (images, labels) = load_mnist()
    model = load_model(tables.ROOT)
    probabilities = predict(model, images)
    right = [
        ("test digits right", (probabilities.argmax(axis=1) == labels).sum(), len(labels)),
        ("the same saved as PNG, read as pictures", *as_pictures(model, images, labels)),
        ("a thousand on made pages, 14 pixels high", *on_pages(model, 14)),
        ("a thousand on made pages, 12 pixels high", *on_pages(model, 12)),
    ]
    rounds = [(of_command(*READ)[0], of_command(*START)[0]) for _ in range(5)]
    command, start = map(statistics.median, zip(*rounds, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        _, memory = of_command("cnn.py", "--epochs", "1", "--output", folder)
    rows = [
        ["parameters", f"{model.count_params():,}"],
        *([what, f"{100 * n / total:.2f} %"] for what, n, total in right),
        ["expected calibration error, 15 bins", f"{calibration_error(probabilities, labels):.4f}"],
        [f"processor time of `python {' '.join(READ)}`", f"{command:.1f} s"],
        ['and of `python -c "import tensorflow"` alone', f"{start:.1f} s"],
        ["memory of `python cnn.py --epochs 1`", f"{memory:.1f} GB"],
    ]
    header = ["what", "measured"]
    print_table(header, rows)
    if arguments.docs:
        tables.keep("model", header, rows)
    return 0


def as_pictures(model, images: np.ndarray, labels: np.ndarray) -> tuple[int, int]:
    """Save the digits as PNG and read them; return how many are right, of how many."""
    files = (
        (f"{i}.png", cv2.imencode(".png", image)[1].tobytes()) for i, image in enumerate(images)
    )
    readings = read_pictures(model, files)
    right = [r.digits == str(label) for r, label in zip(readings, labels, strict=True)]
    return sum(right), len(right)


def on_pages(model, height: int, count: int = 1000) -> tuple[int, int]:
    """Put test digits on pages, dark on grey, and read them; return the same."""
    _, (images, labels) = load_mnist()
    wrong = 0
    for first in range(0, count, 100):
        page = np.full((12 * PITCH * height, 12 * PITCH * height), PAPER, "uint8")
        for i, image in enumerate(images[first : first + 100]):
            rows, columns = (np.flatnonzero(image.max(axis=axis) > 60) for axis in (1, 0))
            image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            size = max(1, round(height * image.shape[1] / len(image))), height
            ink = cv2.resize(image, size, interpolation=cv2.INTER_AREA) / 255
            y, x = (PITCH * height * (1 + place) for place in divmod(i, 10))
            page[y : y + height, x : x + size[0]] = PAPER - (PAPER - INK) * ink
        (reading,) = read_pictures(model, [("page", page)])
        wrong += distance(reading.digits, "".join(map(str, labels[first : first + 100])))
    return count - wrong, count


def of_command(*command: str) -> tuple[float, float]:
    """Return the processor's seconds for a Python command, and the gigabytes it takes at most."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], cwd=tables.ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, after.ru_maxrss / 2**20  # the most of all commands so far


if __name__ == "__main__":
    sys.exit(run(main))
