"""Rebuild the model from the pair `model.json` (architecture) and `model.h5` (weights)."""

import json
import os
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from digits.command_line import ModelWarning, UserError, first_line, whole_path
from digits.data.file_signatures import FIRST, kind_of
from digits.model import quiet_keras as keras
from digits.model.allowed import Refused
from digits.model.checks import build, check_description, check_probabilities
from digits.model.descriptions import as_meant, by_keras_2, same
from digits.model.locating import (
    PAIR,
    TRAIN,
    architecture_beside,
    find_files,
    unreadable,
)
from digits.model.saving import CHECKSUM, WAITING, real, sha256
from digits.model.trial import scale_warning
from digits.model.weight_checks import check_file
from digits.model.weights import Weights, open_weights
from digits.places import PROJECT

if TYPE_CHECKING:
    from keras import Model

KERAS_2 = (
    "was written by Keras 2, which Keras 3 cannot read; build the same layers with Keras 3 and "
    "write its model.to_json() to model.json: the weights of Keras 2 are then read"
)
NO_DESCRIPTION = (  # what reading anything else as one raises; JSONDecodeError is a ValueError
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    RecursionError,
)


def load_model(folder: str | os.PathLike | None = None) -> "Model":
    """Rebuild the model from the two files in `folder`, without its training.

    Without a folder it is the model that comes with the project. What plain Keras saves in one
    file, .h5 or .keras, will do for the pair, and its name for that of the folder. The model takes
    (n, 28, 28, 1), 0 to 255, and gives (n, 10) probabilities. Raises UserError if a file is
    missing, damaged or foreign, or the two do not belong together. A
    ModelWarning says if a pair from elsewhere was trained on another scale.
    """
    place = PROJECT if folder is None else whole_path(Path(folder))
    json_file, h5_file = find_files(place)
    keras.start()  # before any file is judged: what ails Keras is not their fault
    with ExitStack() as stack:
        _check_file(h5_file)
        weights = open_weights(h5_file, stack)
        if json_file is None and weights.architecture is None:
            json_file = architecture_beside(h5_file)
        if json_file is None:
            architecture = _of_weights(weights, h5_file)
        else:
            _check_file(json_file)
            architecture = _that_fits(json_file, weights, h5_file)
        model = _build(architecture, json_file or h5_file)
        try:
            weights.load_into(model)
        except Exception as error:  # whatever a foreign file makes Keras raise
            raise UserError(
                f"{h5_file} is damaged or foreign: {first_line(error)}; {TRAIN}"
            ) from None
    try:
        check_probabilities(model)
    except Refused as error:
        raise UserError(f"the model in {place} {error}") from None
    if CHECKSUM not in architecture and (warning := scale_warning(model)):  # another's work
        warnings.warn(f"{place}: {warning}", ModelWarning, stacklevel=2)
    return model


def _check_file(file: Path) -> None:
    try:
        check_file(file)
        file.open("rb").close()
    except OSError as error:
        raise unreadable(file, error) from None
    except Refused as error:
        raise UserError(f"{file} {error}") from None


def _of_weights(weights: Weights, h5_file: Path) -> dict:
    """Return the architecture that was saved with the weights, checked."""
    if weights.architecture is None:
        raise UserError(f"{h5_file} holds weights alone, and no model.json is beside it; {PAIR}")
    try:
        return _checked(weights.architecture)
    except Refused as error:
        raise UserError(f"{h5_file} {error}") from None
    except NO_DESCRIPTION as error:
        raise UserError(f"{h5_file} is no whole model file: {first_line(error)}; {PAIR}") from None


def _that_fits(json_file: Path, weights: Weights, h5_file: Path) -> dict:
    """Return the architecture of the pair, checked, if it belongs to the weights."""

    def fits(outer: dict) -> bool:
        # A pair made by plain Keras has no checksum; there the architecture, or the shapes of the
        # weights, have to do.
        return is_same(outer) and outer.get(CHECKSUM) in (None, sha256(h5_file))

    def is_same(outer: dict) -> bool:
        inner = weights.architecture
        # Built anew with Keras 3, a model takes the weights of Keras 2: by their order.
        rebuilt = inner is not None and by_keras_2(inner) and not by_keras_2(outer)
        return inner is None or rebuilt or same(outer, inner)

    mend = f"name {h5_file} itself to read that file alone" if weights.architecture else TRAIN
    outer, waiting = _read_architecture(json_file, mend), real(json_file).with_name(WAITING)
    if waiting.is_file() and not fits(outer):  # saving was cut short
        outer = _read_architecture(waiting, mend)
    if not is_same(outer):
        raise UserError(f"{json_file} and {h5_file} do not belong together; {mend}")
    if not fits(outer):
        raise UserError(f"{h5_file} is damaged: it is not as it was saved; {TRAIN}")
    return outer


def _read_architecture(json_file: Path, mend: str) -> dict:
    try:
        content = json_file.read_bytes()
        return _checked(json.loads(content))  # UTF-8, also with a mark, or 16
    except Refused as error:
        raise UserError(f"{json_file} {error}") from None
    except OSError as error:
        raise unreadable(json_file, error) from None
    except NO_DESCRIPTION as error:
        kind = kind_of(content[:FIRST])
        reason = f"{type(error).__name__}: {first_line(error)}"
        reason = reason if kind in ("", "JSON", "text") else f"it is {kind}"
        raise UserError(f"{json_file} is no model's architecture ({reason}); {mend}") from None


def _checked(description: object) -> dict:
    architecture = as_meant(description)
    try:
        check_description(architecture)
    except Refused as error:
        raise Refused(KERAS_2 if by_keras_2(architecture) else error) from None
    return architecture


def _build(architecture: dict, file: Path) -> "Model":
    """Build the model. Raises UserError if it is too large, or no model Keras can build."""
    try:
        return build(architecture)
    except Refused as error:
        raise UserError(f"{file} {error}") from None
    except Exception as error:  # whatever a foreign description makes Keras raise
        if by_keras_2(architecture):
            raise UserError(f"{file} {KERAS_2}") from None
        raise UserError(
            f"{file} describes no model that Keras can build: {first_line(error)[:200]}; {TRAIN}"
        ) from None
