"""Which files hold a model: the pair, or what else plain Keras saves."""

import contextlib
import json
import os
from pathlib import Path

from digits import places
from digits.command_line import UserError, counted, first_line, whole_path
from digits.model.saving import ARCHITECTURE, WEIGHTS

ALONE = "model.weights.h5"  # what `model.save_weights` writes
TRAIN = f"train a new one with: {places.TRAIN}"
PAIR = (
    'write the pair with open("model.json", "w").write(model.to_json()) and model.save("model.h5")'
)


def find_pair() -> Path:
    """Return the current folder where a model is, or half of one, and else the project's."""
    here = whole_path(Path())
    files = [here / name for name in (ARCHITECTURE, WEIGHTS) if os.path.exists(here / name)]
    foreign = files == [here / ARCHITECTURE] and _is_tensorflow_js(files[0])
    return here if files and not foreign else places.PROJECT


def _is_tensorflow_js(file: Path) -> bool:
    """Tell whether a file is TensorFlow.js's own `model.json`, which lists files of weights."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        return "weightsManifest" in json.loads(file.read_bytes())
    return False


def find_files(place: Path) -> tuple[Path | None, Path]:
    """Return the files of a model's architecture and of its weights.

    `place` is a folder, or a file: then that one is taken. The architecture is None where only
    the weights' file is there, which may hold both. Raises UserError if there is no model.
    """
    if place.suffix == ".json" and not place.is_dir():
        names = [WEIGHTS, ALONE, f"{place.stem}.h5", f"{place.stem}.weights.h5"]
        return place, _first(place.parent, names) or _half(place.parent, WEIGHTS)
    if place.is_file():
        return None, place
    json_file, weights = _first(place, [ARCHITECTURE]), _first(place, [WEIGHTS, ALONE])
    if weights:
        return json_file, weights
    others = _models_in(place)
    if len(others) > 1:
        names = ", ".join(file.name for file in others[:9])
        raise UserError(f"{counted(len(others), 'model')} in {place}: {names}; name one of them")
    if others:
        return json_file, others[0]
    if json_file and _is_tensorflow_js(json_file):
        raise UserError(f"{json_file} is a model of TensorFlow.js, which only that reads; {TRAIN}")
    if json_file:
        _half(place, WEIGHTS)
    if os.path.exists(place / "saved_model.pb"):
        raise UserError(f"{place} is a SavedModel, which Keras 3 cannot rebuild; {PAIR}")
    raise UserError(f"no model in {place}; {TRAIN}, or name another folder")


def architecture_beside(weights: Path) -> Path | None:
    """Return the file that goes with weights that hold no architecture."""
    stem = weights.name.split(".")[0]
    return _first(weights.parent, [f"{stem}.json", ARCHITECTURE])


def _first(folder: Path, names: list[str]) -> Path | None:
    return next((folder / name for name in names if _exists(folder / name)), None)


def _half(folder: Path, name: str) -> Path:
    raise UserError(f"half a model: {folder / name} is missing; {PAIR}, or {TRAIN}")


def _models_in(folder: Path) -> list[Path]:
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return []
    return [file for file in files if file.suffix in (".keras", ".h5", ".hdf5") and file.is_file()]


def _exists(file: Path) -> bool:
    try:
        file.stat()
        return True
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(file, error) from None


def unreadable(file: Path, error: OSError) -> UserError:
    """Say what keeps a file from being read, which says nothing against what it holds."""
    if isinstance(error, PermissionError):
        return UserError(f"no permission to read {file}; ask for it, or name another folder")
    if isinstance(error, BlockingIOError):
        return UserError(f"{file} is in use by another program; close that, and try again")
    return UserError(f"cannot read {file}: {error.strerror or first_line(error)}")
