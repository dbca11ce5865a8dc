"""Find MNIST's four arrays wherever they lie: known by their first bytes, not by their names."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from digits.command_line import first_line
from digits.data.file_signatures import first_bytes, kind_of
from digits.data.mnist_files import (
    ARRAYS,
    UNREADABLE,
    Arrays,
    check_array,
    idx_header,
    read_idx,
    read_npz,
    read_pickle,
)

MOST_FILES = 1000  # of a folder, and below it, that are looked at
IDX = "an IDX file"


def read_any(path: Path) -> Arrays:
    """Read the four arrays from a file, or from the files in a folder and those below it.

    Raises one of UNREADABLE, which says what lies there instead.
    """
    if path.is_dir():
        return _read_files(list(islice(_files_below(path), MOST_FILES)))
    first = first_bytes(path)
    kind = kind_of(first) or "no .npz"
    if kind == IDX:  # one of four
        return _read_files(sorted(file for file in path.parent.iterdir() if file.is_file()))
    if kind == "a pickle":
        with path.open("rb") as file:
            return read_pickle(file.read(2 * 10**7))  # a larger one is another one
    if path.is_file() and not first.startswith(b"PK"):
        raise ValueError(f"it is {kind}")
    return read_npz(path)


def _files_below(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(where, name)).is_file())


def _read_files(files: list[Path]) -> Arrays:
    """Read the arrays from an .npz among these files, or from those that are IDX."""
    firsts = {file: first_bytes(file) for file in files}
    for file, first in firsts.items():
        if file.suffix == ".npz" and first.startswith(b"PK"):
            return read_npz(file)
    return {name: _first_that_is(name, firsts) for name in ARRAYS}


def _first_that_is(name: str, firsts: dict[Path, bytes]) -> np.ndarray:
    """Return an array from the first of these files that holds it; given are their first bytes.

    Other data sets have the same headers: the content decides.
    """
    shape, _, file_name = ARRAYS[name]
    reasons = []
    for file in (file for file, first in firsts.items() if first.startswith(idx_header(shape))):
        try:
            array = read_idx(file, shape)
            check_array(name, array)
            return array
        except UNREADABLE as error:
            reasons.append(f"{file.name}: {first_line(error)}")
    raise ValueError(reasons[0] if reasons else _missing(file_name, shape, firsts))


def _missing(file_name: str, shape: tuple[int, ...], firsts: dict[Path, bytes]) -> str:
    """Say what there is instead of a file: one of such a name, or else any that is known."""
    part, what = file_name.split("-")[:2]
    for file, first in firsts.items():
        if part in file.name and what in file.name:
            is_what = f"; it is {kind}" if (kind := kind_of(first)) not in ("", IDX) else ""
            return f"{file.name} does not start as uint8 {shape} in IDX form{is_what}"
    others = [f"{file.name} is {kind}" for file in firsts if (kind := kind_of(firsts[file]))]
    return f"it has no {file_name}" + (f"; {others[0]}" if others else "")
