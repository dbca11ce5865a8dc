"""Rebuild the model from the pair `model.json` (architecture) and `model.h5` (weights)."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from digits import places
from digits.command_line import UserError, first_line, whole_path
from digits.model import quiet_keras as keras
from digits.model.allowed import Refused
from digits.model.checks import build, check_description, check_probabilities, without_training
from digits.model.saving import ARCHITECTURE, CHECKSUM, WAITING, WEIGHTS, sha256
from digits.model.weight_checks import check_file, check_weights

if TYPE_CHECKING:
    from keras import Model

NO_DESCRIPTION = (  # what reading anything else as one raises
    json.JSONDecodeError,
    UnicodeDecodeError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    RecursionError,
)
TRAIN = f"train a new one with: {places.TRAIN}"


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


def load_model(folder: str | os.PathLike[str] | None = None) -> "Model":
    """Rebuild the model from the two files in `folder`, without its training.

    Without a folder it is the current one if a model is there, and else the one that comes along.
    The model takes (n, 28, 28, 1), 0 to 255, and gives (n, 10) probabilities. Raises
    UserError if a file is missing, damaged or foreign, or the two do not belong together.
    """
    folder = find_pair() if folder is None else whole_path(Path(folder))
    json_file, h5_file = folder / ARCHITECTURE, folder / WEIGHTS
    missing = [file for file in (json_file, h5_file) if not _exists(file)]
    if len(missing) == 2:
        raise UserError(f"no model in {folder}; {TRAIN}, or name another folder")
    if missing and _is_tensorflow_js(json_file):
        raise UserError(f"{json_file} is a model of TensorFlow.js, which only that reads; {TRAIN}")
    if missing:
        raise UserError(f"half a model: {missing[0]} is missing; {TRAIN}")
    keras.start()  # before any file is judged: what ails Keras is not their fault
    for file in (json_file, h5_file):
        try:
            check_file(file)
            file.open("rb").close()
        except OSError as error:
            raise _unreadable(file, error) from None
        except Refused as error:
            raise UserError(f"{file} {error}; {TRAIN}") from None
    outer = _read_architecture(json_file)
    inner = _architecture_in_h5(h5_file)
    waiting = folder / WAITING
    if waiting.is_file() and not _fits(outer, inner, h5_file):  # saving was cut short
        outer = _read_architecture(waiting)
    if inner and not _same(outer, inner):
        raise UserError(f"{json_file} and {h5_file} do not belong together; {TRAIN}")
    if not _fits(outer, inner, h5_file):
        raise UserError(f"{h5_file} is damaged: it is not as it was saved; {TRAIN}")
    model = _build(outer, json_file)
    try:
        _load_weights(model, h5_file, whole=inner is not None)
    except Exception as error:  # whatever a foreign file makes Keras raise
        raise UserError(f"{h5_file} is damaged or foreign: {first_line(error)}; {TRAIN}") from None
    try:
        check_probabilities(model)
    except Refused as error:
        raise UserError(f"the model in {folder} {error}") from None
    return model


def _exists(file: Path) -> bool:
    try:
        file.stat()
        return True
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError) -> UserError:
    """Say what keeps a file from being read, which says nothing against what it holds."""
    if isinstance(error, PermissionError):
        return UserError(f"no permission to read {file}; ask for it, or name another folder")
    if isinstance(error, BlockingIOError):
        return UserError(f"{file} is in use by another program; close that, and try again")
    return UserError(f"cannot read {file}: {error.strerror or first_line(error)}")


def _build(architecture: dict, json_file: Path) -> "Model":
    """Build the model. Raises UserError if it is too large, or no model Keras can build."""
    try:
        return build(architecture)
    except Refused as error:
        raise UserError(f"{json_file} {error}") from None
    except Exception as error:  # whatever a foreign description makes Keras raise
        raise UserError(
            f"{json_file} describes no model that Keras can build: {first_line(error)[:200]}; "
            + TRAIN
        ) from None


def _load_weights(model: "Model", h5_file: Path, whole: bool) -> None:
    """Load what `model.save` wrote or, where that is not whole, what `model.save_weights` wrote."""
    if whole:
        model.load_weights(h5_file)
        return
    # Keras tells the two by the name alone.
    with tempfile.TemporaryDirectory() as folder:
        model.load_weights(shutil.copy(h5_file, Path(folder, "model.weights.h5")))


def _architecture_in_h5(h5_file: Path) -> dict | None:
    """Return the architecture that the weights were saved with; None for weights alone."""
    try:
        with h5py.File(h5_file, "r") as file:
            check_weights(file)
            if "model_config" not in file.attrs and "layers" in file:
                return None
            inner = json.loads(file.attrs["model_config"])
            inner["config"]["layers"]
            return inner
    except (PermissionError, BlockingIOError) as error:
        raise _unreadable(h5_file, error) from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(f"{h5_file} is no whole model file: {first_line(error)}; {TRAIN}") from None


def _read_architecture(json_file: Path) -> dict:
    try:
        architecture = json.loads(json_file.read_bytes())  # UTF-8, also with a mark, or 16
        if str(architecture.get("keras_version", "3")).startswith(("1", "2")):
            raise UserError(
                f"{json_file} was written by Keras 2, which Keras 3 cannot read; {TRAIN}"
            )
        architecture = without_training(architecture)
        check_description(architecture)
    except Refused as error:
        raise UserError(f"{json_file} {error}") from None
    except OSError as error:
        raise _unreadable(json_file, error) from None
    except NO_DESCRIPTION as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise UserError(f"{json_file} is no model's architecture ({reason}); {TRAIN}") from None
    return architecture


def _fits(outer: dict, inner: dict | None, h5_file: Path) -> bool:
    """Tell whether an architecture belongs to the weights, and these are as they were saved.

    A pair made by plain Keras has no checksum; there the architecture, or the shapes of the
    weights, have to do.
    """
    checksum = outer.get(CHECKSUM)
    return (inner is None or _same(outer, inner)) and checksum in (None, sha256(h5_file))


def _same(one: dict, other: dict) -> bool:
    """Tell whether two descriptions are of one model; Keras words them a little differently."""

    def essence(part: object) -> object:
        if isinstance(part, list):
            return [essence(item) for item in part]
        if isinstance(part, dict):
            return {
                k: essence(v) for k, v in part.items() if k not in ("module", "registered_name")
            }
        return part

    one, other = (essence(without_training(model["config"])) for model in (one, other))
    return one == other
