"""The file of weights, in any of Keras's formats: checked, and read into a model."""

import json
import os
import shutil
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from digits.command_line import UserError, first_line
from digits.data.file_signatures import FIRST, kind_of
from digits.model.allowed import MOST_FILE, MOST_TEXT, Refused
from digits.model.locating import PAIR, unreadable
from digits.model.weight_checks import check_weights

if TYPE_CHECKING:
    from keras import Model

DAMAGED = (OSError, KeyError, ValueError, TypeError, RuntimeError)  # what reading HDF5 raises
DAMAGED += (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)

CUT_SHORT = (OSError, zipfile.BadZipFile, zlib.error, EOFError)  # of a file of a known kind


@dataclass
class Weights:
    """A checked file of weights.

    `file` holds them as HDF5: in the format of `model.save`, in the topological order of the
    layers, as Keras 2 did; or in that of `model.save_weights`. `architecture` was
    saved with them.
    """

    file: Path
    architecture: dict | None
    by_order: bool

    def load_into(self, model: "Model") -> None:
        """Give a model these weights; whatever Keras raises if they are not its own."""
        if self.file.suffix == ".h5" and self.by_order != self.file.name.endswith(".weights.h5"):
            model.load_weights(self.file)
            return
        # Keras tells the two formats by the name alone.
        name = "model.h5" if self.by_order else "model.weights.h5"
        with tempfile.TemporaryDirectory() as folder:
            model.load_weights(shutil.copy(self.file, Path(folder, name)))


def open_weights(file: Path, stack: ExitStack) -> Weights:
    """Check a file of weights: HDF5, or a .keras archive, under whatever name.

    `stack` outlives what is unpacked. Raises UserError if it is no such file.
    """
    try:
        with file.open("rb") as opened:
            first = opened.read(FIRST)
        if first.startswith(b"PK"):
            return _unpacked(file, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        return _of_hdf5(file)
    except (PermissionError, BlockingIOError) as error:
        raise unreadable(file, error) from None
    except DAMAGED as error:
        known = kind_of(first) not in ("", "an HDF5 file", "a ZIP archive or an office document")
        if not known and first and isinstance(error, CUT_SHORT):
            raise UserError(f"{file} is damaged or cut short; copy or download it again") from None
        reason = f"it is {kind_of(first)}" if known else first_line(error)
        raise UserError(f"{file} is no whole model file: {reason}; {PAIR}") from None


def _of_hdf5(file: Path) -> Weights:
    with h5py.File(file, "r") as opened:
        check_weights(opened)
        if "model_config" not in opened.attrs and "layers" in opened:
            return Weights(file, None, by_order=False)
        group = opened.get("model_weights", opened)
        group.attrs["layer_names"]  # a KeyError if it holds no weights
        if "model_config" not in opened.attrs:
            return Weights(file, None, by_order=True)
        architecture = json.loads(opened.attrs["model_config"])
        architecture["config"]["layers"]
        version = opened.attrs.get("keras_version", group.attrs.get("keras_version", "3"))
        architecture["keras_version"] = os.fsdecode(version)
        return Weights(file, architecture, by_order=True)


def _unpacked(file: Path, folder: Path) -> Weights:
    """Unpack what `model.save` writes as .keras: the two files that matter, of a decent size."""
    target = folder / "model.weights.h5"
    with zipfile.ZipFile(file) as archive:
        config, weights = (archive.getinfo(name) for name in ("config.json", target.name))
        if config.file_size > MOST_TEXT or weights.file_size > MOST_FILE:
            raise Refused("unpacks to too much")
        architecture = json.loads(archive.read(config))
        architecture["config"]["layers"]
        with archive.open(weights) as packed, target.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    with h5py.File(target, "r") as opened:
        check_weights(opened)
    return Weights(target, architecture, by_order=False)
