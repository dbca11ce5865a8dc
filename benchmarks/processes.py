"""Measure how much of the time of two processes that train together is communication.

    python benchmarks/processes.py

Needs JAX and Linux. In each round `cnn.py` trains in three ways on two cores of this machine: in
one process that has both, in two that have one each, and in these two once more without a word to
each other. What the second way takes longer than the third is communication, and waiting for the
slower one. Printed is the time of an epoch, without the first one, in which JAX compiles.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tables
from scores import print_table

from digits.command_line import positive_int, run
from digits.training.distribution import ADDRESSES, PROCESS, PROCESSES

ROOT = Path(__file__).resolve().parent.parent
EPOCHS = 4
TRAIN = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import cnn
mnist = cnn.load_mnist()
cnn.load_mnist = lambda _: [(x[:{{digits}}], y[:{{digits}}]) for x, y in mnist]
{{more}}
sys.exit(cnn.training.run(cnn.main))
"""
SILENT = "from digits.training import distribution; distribution.Team.join = lambda *_: None"
WAYS = {  # the cores of each process, and what is changed in it
    "one process": ([{0, 1}], ""),
    "two processes": ([{0}, {1}], ""),
    "two, silent": ([{0}, {1}], SILENT),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--rounds", type=positive_int, default=3, help="of all three ways")
    parser.add_argument("--digits", type=positive_int, default=12_500, help="2,500 validate")
    parser.add_argument("--batch-size", type=positive_int, default=250, help="images in a batch")
    parser.add_argument("--docs", action="store_true", help="write the table into the docs")
    arguments = parser.parse_args()
    times = {name: [] for name in WAYS}
    for _ in range(arguments.rounds):
        for name, (cores, more) in WAYS.items():
            program = TRAIN.format(digits=arguments.digits, more=more)
            times[name].append(epoch(cores, program, arguments.batch_size))
    header = ["way", "an epoch", "least", "largest"]
    rows = [
        [name, *(f"{value:.1f} s" for value in (np.mean(seconds), min(seconds), max(seconds)))]
        for name, seconds in times.items()
    ]
    print_table(header, rows)
    if arguments.docs:
        tables.keep("processes", header, rows)
    return 0


def epoch(cores: list[set[int]], program: str, batch_size: int) -> float:
    """Train in one process for each set of cores; return the seconds of an epoch."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        options = [f"--epochs={EPOCHS}", f"--batch-size={batch_size}", f"--output={folder}"]
        started = []
        for i, mine in enumerate(cores):
            environment = os.environ | {"KERAS_BACKEND": "jax"}
            if len(cores) > 1:
                environment |= {ADDRESSES: address, PROCESSES: str(len(cores)), PROCESS: str(i)}
            os.sched_setaffinity(0, mine)  # a child has those of its parent
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", program, *options],
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        os.sched_setaffinity(0, set.union(*cores))
        said = [(line, time.monotonic()) for line in started[0].stderr]
        for process in started:
            _, others = process.communicate()
            if process.returncode:
                raise RuntimeError("".join(line for line, _ in said) + others)
    ends = [when for line, when in said if line.startswith("epoch")]
    return (ends[-1] - ends[0]) / (EPOCHS - 1)


if __name__ == "__main__":
    sys.exit(run(main))
