"""The pair `model.json` (architecture) and `model.h5` (weights): save it whole, rebuild it.

`model.h5` carries the architecture too, which tells whether the two belong together.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from digits import quiet_keras as keras
from digits.command_line import UserError

if TYPE_CHECKING:
    from keras import Model

ARCHITECTURE, WEIGHTS = "model.json", "model.h5"
# A file of the new pair that waits for its turn. Hidden, so that nobody mistakes it.
WAITING = ".{}.new"
# All that a network of this project is made of; nothing else is built from a file.
LAYERS = {
    "InputLayer",
    "Rescaling",
    "Conv2D",
    "MaxPooling2D",
    "BatchNormalization",
    "Activation",
    "Flatten",
    "Dropout",
    "Dense",
}
# What newer releases of Keras write and older ones refuse. At these values, the defaults, it
# says nothing, and is left out.
NEWER = {
    "optional": False,
    "quantization_config": None,
    "input_axes": None,
    "output_axes": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}
TRAIN = "train a new one with: python cnn.py"


def save_model(model: "Model", folder: Path) -> None:
    """Write `model.json` and `model.h5` into `folder` so that a whole pair lies there always.

    Both are written in full beside the old pair first. Then model.h5 takes its place, and
    model.json after it; stopped between these two, `load_model` still finds the new
    architecture waiting.
    """
    waiting_json = folder / WAITING.format(ARCHITECTURE)
    waiting_h5 = folder / WAITING.format(WEIGHTS)
    try:
        # Keras chooses the format by the ending, so this name must end in .h5 first.
        writing = waiting_h5.with_suffix(".h5")
        model.save(writing, include_optimizer=False)
        os.replace(writing, waiting_h5)
        architecture = _portable(json.loads(model.to_json()))
        architecture.pop("compile_config", None)  # of the training, not of the network
        with h5py.File(waiting_h5, "r+") as file:
            inner = json.loads(file.attrs["model_config"])
            file.attrs["model_config"] = json.dumps(_portable(inner))
        waiting_json.write_text(json.dumps(architecture, indent=2) + "\n", encoding="utf-8")
        for file in (waiting_h5, waiting_json):
            _flush_to_disk(file)
        os.replace(waiting_h5, folder / WEIGHTS)
        os.replace(waiting_json, folder / ARCHITECTURE)
    except OSError as error:
        raise UserError(f"cannot save the network in {folder}: {error.strerror}") from None


def _portable(description: object) -> object:
    """Return a description from `model.to_json()` without what older Keras 3 cannot read."""
    if isinstance(description, list):
        return [_portable(item) for item in description]
    if isinstance(description, dict):
        kept = ((k, v) for k, v in description.items() if k not in NEWER or v != NEWER[k])
        return {key: _portable(value) for key, value in kept}
    return description


def _flush_to_disk(file: Path) -> None:
    with open(file, "rb+") as opened:
        os.fsync(opened.fileno())


def load_model(folder: Path) -> "Model":
    """Rebuild the network from the two files in `folder`, without its training.

    The network takes (n, 28, 28, 1), 0 to 255, and gives (n, 10) probabilities. Raises
    UserError if a file is missing, damaged or foreign, or the two do not belong together.
    """
    json_file, h5_file = folder / ARCHITECTURE, folder / WEIGHTS
    missing = [file for file in (json_file, h5_file) if not file.is_file()]
    if len(missing) == 2:
        raise UserError(f"no network in {folder}; {TRAIN}, or name its folder with --model")
    if missing:
        raise UserError(f"half a network: {missing[0]} is missing; {TRAIN}")
    text, outer = _read_architecture(json_file)
    inner = _architecture_in_h5(h5_file)
    waiting = folder / WAITING.format(ARCHITECTURE)
    if not _same(outer, inner) and waiting.is_file():  # saving was cut short
        text, outer = _read_architecture(waiting)
    if not _same(outer, inner):
        raise UserError(f"{json_file} and {h5_file} do not belong together; {TRAIN}")
    try:
        model = keras.models.model_from_json(text)
        model.load_weights(h5_file)
    except (ValueError, TypeError, KeyError, OSError, AttributeError) as error:
        raise UserError(f"{h5_file} is damaged or foreign: {_first_line(error)}; {TRAIN}") from None
    return model


def _architecture_in_h5(h5_file: Path) -> dict:
    """Return the architecture that the weights were saved with."""
    try:
        with h5py.File(h5_file, "r") as file:
            inner = json.loads(file.attrs["model_config"])
            _same(inner, inner)  # raises if it does not list layers
            return inner
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{h5_file} is no whole network file: {_first_line(error)}; {TRAIN}"
        ) from None


def _read_architecture(json_file: Path) -> tuple[str, dict]:
    try:
        text = json_file.read_text(encoding="utf-8")
        architecture = json.loads(text)
        _same(architecture, architecture)  # raises if it does not list layers
        layers = architecture["config"]["layers"]
        kinds = {layer["class_name"] for layer in layers}
        made_by_keras_2 = str(architecture.get("keras_version", "3")).startswith(("1", "2"))
        shape = layers[0]["config"].get("batch_shape")
    except OSError as error:
        raise UserError(f"cannot read {json_file}: {error.strerror}; {TRAIN}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        reason = f"{type(error).__name__}: {_first_line(error)}"
        raise UserError(f"{json_file} is no network's architecture ({reason}); {TRAIN}") from None
    if made_by_keras_2:
        raise UserError(f"{json_file} was written by Keras 2, which Keras 3 cannot read; {TRAIN}")
    if kinds - LAYERS:
        names = ", ".join(sorted(map(str, kinds - LAYERS)))
        raise UserError(
            f"{json_file} asks for layers that are not this project's: {names}; {TRAIN}"
        )
    if shape != [None, 28, 28, 1] or layers[-1]["config"].get("units") != 10:
        raise UserError(f"{json_file} does not go from 28x28 pixels to ten digits; {TRAIN}")
    return text, architecture


def _same(one: dict, other: dict) -> bool:
    """Tell whether two descriptions are of one network; Keras words them a little differently."""

    def layers(architecture: dict) -> list:
        return [
            (layer["class_name"], layer["config"]) for layer in architecture["config"]["layers"]
        ]

    return layers(one) == layers(other)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
