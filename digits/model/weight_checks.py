"""Check a file of weights before it is read: HDF5 may point elsewhere, or unpack to terabytes."""

from pathlib import Path

import h5py

from digits.model.allowed import MOST_BYTES, MOST_LAYERS, UNUSED, Refused


def check_weights(file: h5py.File) -> None:
    """Raise Refused unless all in an open HDF5 file lies in it and has a decent size."""
    groups, seen, total = [(file, "")], 0, 0
    while groups:
        group, path = groups.pop()
        for name in group:
            if name in UNUSED and not path:
                continue
            seen += 1
            here = f"{path}/{name}"[:100]
            if seen > 20 * MOST_LAYERS or len(path) > 500:
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
            total += part.nbytes
            if total > MOST_BYTES:
                raise Refused(f"unpacks to more than {MOST_BYTES // 2**20} MB")


def check_file(file: Path) -> None:
    """Raise Refused if it is not a plain file of a decent size."""
    if not file.is_file():
        raise Refused("is not a file")
    if file.stat().st_size > MOST_BYTES:
        raise Refused(f"is larger than {MOST_BYTES // 2**20} MB")
