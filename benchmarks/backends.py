"""Measure how long one picture takes, from command to answer, with each of Keras's backends.

    python benchmarks/backends.py tensorflow=.venv/bin/python openvino=other/bin/python

Each argument names a backend and the Python of an environment that holds it. In each round
`load_model.py` reads `docs/page.jpg` once with every backend in turn, so that a machine's moods
fall on all of them; a round before is not counted. Printed is the median of the times, and that of
the ratios to the first backend in the same round, with the least and the largest.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tables
from scores import print_table

from digits.command_line import UserError, positive_int, run

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [str(ROOT / "load_model.py"), str(ROOT / "docs/page.jpg")]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("backends", nargs="+", metavar="NAME=PYTHON", type=named_python)
    parser.add_argument("--rounds", type=positive_int, default=7, help="pictures of each backend")
    parser.add_argument("--docs", action="store_true", help="write the table into the docs")
    arguments = parser.parse_args()
    pythons = dict(arguments.backends)
    times = np.array(
        [
            [seconds(name, python) for name, python in pythons.items()]
            for _ in range(arguments.rounds + 1)
        ][1:]
    )
    ratios = times / times[:, :1]
    header, rows = ["backend", "seconds", "ratio", "least", "largest"], []
    for name, own, ratio in zip(pythons, times.T, ratios.T, strict=True):
        figures = np.median(own), np.median(ratio), ratio.min(), ratio.max()
        rows.append([name, *(f"{figure:.2f}" for figure in figures)])
    print_table(header, rows)
    if arguments.docs:
        tables.keep("backends", header, rows)
    return 0


def named_python(text: str) -> tuple[str, str]:
    """An argparse type: a backend and its Python."""
    name, _, python = text.partition("=")
    if not python:
        raise argparse.ArgumentTypeError(f"{text!r} is not like jax=/path/to/bin/python")
    return name, python


def seconds(backend: str, python: str) -> float:
    """Return how long it takes to read the picture."""
    start = time.monotonic()
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run([python, *COMMAND], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{backend} failed: {done.stderr.strip()}")
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(run(main))
