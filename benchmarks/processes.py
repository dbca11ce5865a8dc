"""Measure what a second process of a training brings, and how much of its time is communication.

    python benchmarks/processes.py

Needs JAX. In turn, on two cores of one machine, `cnn.py` trains in one process that has both, in
two that have one each, and in two that do the same without telling each other anything: the
rest of the time is communication, and waiting for the slower one. Printed is the time of an epoch,
from the end of the first to the end of the last one, as nothing is compiled any more.
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

from digits.command_line import positive_int, run
from digits.distribution import ADDRESSES, PROCESS, PROCESSES

ROOT = Path(__file__).resolve().parent.parent
EPOCHS = 4
TRAIN = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import cnn
mnist = cnn.load_mnist()
cnn.load_mnist = lambda _: [(x[:{{digits}}], y[:{{digits}}]) for x, y in mnist]
{{more}}
sys.exit(cnn.distribution.watched(lambda: cnn.run(cnn.main)))
"""
NO_EXCHANGE = "cnn.distribution.Team.join = lambda *_: None"
WAYS = {  # the cores of each process, and what is changed
    "one process": ([{0, 1}], ""),
    "two processes": ([{0}, {1}], ""),
    "two, no exchange": ([{0}, {1}], NO_EXCHANGE),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=positive_int, default=3, help="of all ways (default: 3)")
    digits = "of an epoch (default: 12500)"
    parser.add_argument("--digits", type=positive_int, default=12_500, help=digits)
    arguments = parser.parse_args()
    times = [
        [epoch(cores, TRAIN.format(digits=arguments.digits, more=more)) for cores, more in ways]
        for ways in [WAYS.values()] * arguments.rounds
    ]
    for name, seconds in zip(WAYS, np.transpose(times), strict=True):
        each = ", ".join(f"{one:.2f}" for one in seconds)
        print(f"{name:17} {np.mean(seconds):6.2f} s an epoch ({each})")
    _, together, apart = np.transpose(times)
    print(f"communication     {100 * np.mean(1 - apart / together):6.1f} % of two processes' time")
    return 0


def epoch(cores: list[set[int]], program: str) -> float:
    """Train in a process for each set of cores, and return the seconds of an epoch."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    started = []
    with tempfile.TemporaryDirectory() as folder:
        for i, mine in enumerate(cores):
            several = {ADDRESSES: address, PROCESSES: str(len(cores)), PROCESS: str(i)}
            environment = os.environ | (several if len(cores) > 1 else {})
            command = [sys.executable, "-c", program, f"--epochs={EPOCHS}", f"--output={folder}"]
            os.sched_setaffinity(0, mine)  # a child has those of its parent
            streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
            started.append(
                subprocess.Popen(command, env=environment | {"KERAS_BACKEND": "jax"}, **streams)
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
