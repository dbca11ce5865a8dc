"""Check a file of weights before it is read: HDF5 may point elsewhere, or unpack to terabytes."""

import os
from pathlib import Path

import h5py

from digits.model.allowed import MOST_BYTES, MOST_FILE, MOST_PARTS, UNUSED, Refused


def check_weights(file: h5py.File) -> None:
    """Raise Refused unless all in an open HDF5 file lies in it and has a decent size.

    The state of an optimizer does not count, as it is not read.
    """
    groups, seen, total, named = [(file, "")], 0, 0, []
    while groups:
        group, path = groups.pop()
        unused = (path + "/").split("/")[1] in UNUSED
        named += [] if unused else [group]
        for name in group:
            seen += 1
            here = f"{path}/{name}"[:100]
            if seen > MOST_PARTS or len(path) > 500:
                raise Refused("holds too many parts")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(f"points elsewhere: {here}")
            part = group[name]
            if isinstance(part, h5py.Group):
                groups.append((part, f"{path}/{name}"))
                continue
            if not isinstance(part, h5py.Dataset) or part.dtype.kind not in "fiu":
                raise Refused(f"holds something other than numbers: {here}")
            if part.external or part.is_virtual:
                raise Refused(f"points elsewhere: {here}")
            total += 0 if unused else part.nbytes
            if total > MOST_BYTES:
                raise Refused(f"unpacks to more than {MOST_BYTES // 10**6} MB")
    for group in named:  # not before all links are known
        _check_names(group)


def _check_names(group: h5py.Group) -> None:
    """Raise Refused if the names in a group, of all that Keras reads, lead elsewhere or to more."""
    keys = [key for key in group.attrs if key.startswith(("layer_names", "weight_names"))]
    names = [os.fsdecode(name) for key in keys for name in group.attrs[key]]
    if len(names) > MOST_PARTS or any(name.split("/")[0] in ("", *UNUSED) for name in names):
        raise Refused(f"names what is not in it: {group.name}"[:100])
    parts = [group[name] for name in names]
    if sum(part.nbytes for part in parts if isinstance(part, h5py.Dataset)) > MOST_BYTES:
        raise Refused(f"unpacks to more than {MOST_BYTES // 10**6} MB")


def check_file(file: Path) -> None:
    """Raise Refused if it is not a plain file of a decent size."""
    if not file.is_file():
        raise Refused("is not a file")
    if file.stat().st_size > MOST_FILE:
        raise Refused(f"is larger than {MOST_FILE // 10**6} MB")
