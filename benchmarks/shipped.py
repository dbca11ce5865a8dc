"""Measure the model that comes along: its accuracy, as arrays and as pictures, and its times.

    python benchmarks/shipped.py

Printed is a table; `--docs` writes it into docs/measured.md. Times are medians of five, and want a
machine that does nothing else.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
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

PAGE = str(tables.ROOT / "docs/page.jpg")
PAPER, INK = 200, 60  # grey values of the made pages
PITCH = 2  # heights of a digit from one to the next, on pages of ten by ten


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--docs", action="store_true", help="write the table into the docs")
    arguments = parser.parse_args()
    _, (images, labels) = load_mnist()
    model = load_model(tables.ROOT)
    predict(model, images[:10])  # traced
    seconds, probabilities = timed(lambda: predict(model, images))
    right = [
        ("test digits right", (probabilities.argmax(axis=1) == labels).sum(), len(labels)),
        ("the same saved as PNG, read as pictures", *as_pictures(model, images, labels)),
        ("a thousand on made pages, 14 pixels high", *on_pages(model, 14)),
        ("a thousand on made pages, 12 pixels high", *on_pages(model, 12)),
    ]
    command, start = command_and_start()
    train, memory = one_epoch()
    rows = [
        ["parameters", f"{model.count_params():,}"],
        *([what, f"{100 * n / total:.2f} %"] for what, n, total in right),
        ["expected calibration error, 15 bins", f"{calibration_error(probabilities, labels):.4f}"],
        ["10,000 predictions", f"{seconds:.1f} s"],
        ["`python load_model.py docs/page.jpg`", f"{command:.1f} s"],
        ['`python -c "import tensorflow"`', f"{start:.1f} s"],
        ["`python cnn.py --epochs 1`", f"{train:.0f} s"],
        ["and the memory it takes", f"{memory:.1f} GB"],
    ]
    header = ["what", "measured"]
    print_table(header, rows)
    if arguments.docs:
        tables.keep("model", header, rows)
    return 0


def timed(work) -> tuple[float, object]:
    """Return the seconds of some work, the median of five, and what it returned."""
    seconds = []
    for _ in range(5):
        start = time.monotonic()
        result = work()
        seconds.append(time.monotonic() - start)
    return statistics.median(seconds), result


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


def command_and_start() -> tuple[float, float]:
    """Return the seconds of reading a page, and of importing TensorFlow, in turn."""
    commands = [[str(tables.ROOT / "load_model.py"), PAGE], ["-c", "import tensorflow"]]

    def measure(command: list[str]) -> float:
        start = time.monotonic()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        return time.monotonic() - start

    rounds = [[measure(command) for command in commands] for _ in range(5)]
    return tuple(map(statistics.median, zip(*rounds, strict=True)))


def one_epoch() -> tuple[float, float]:
    """Return the seconds of a training of one epoch as a command, and the gigabytes it takes."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        training = [str(tables.ROOT / "cnn.py"), "--epochs", "1", "--output", folder]
        subprocess.run([sys.executable, *training], check=True, capture_output=True)
        seconds = time.monotonic() - start
    # The largest of all children so far; reading a page takes less.
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


if __name__ == "__main__":
    sys.exit(run(main))
