"""Zeros for weights that are read from a file, and nothing drawn from Python's random numbers.

Random weights would take JAX longer than all else; and the random numbers are the host's.
"""

import zlib
from typing import TYPE_CHECKING

from digits.model import quiet_keras as keras

if TYPE_CHECKING:
    from keras import Model

LAYERS = ("Dense", "Conv2D", "BatchNormalization")  # whose initializers can be set


def without_initializers(architecture: dict) -> dict:
    """Return a description in which the usual layers of a model begin with zeros.

    What has no seed gets one: Keras would draw it.
    """
    layers = [
        layer | {"config": layer["config"] | dict.fromkeys(_initializers(layer), "zeros")}
        for layer in architecture["config"]["layers"]
    ]
    return _seeded(architecture | {"config": architecture["config"] | {"layers": layers}})


def _seeded(part: object, name: str = "") -> object:
    if isinstance(part, list):
        return [_seeded(item, name) for item in part]
    if not isinstance(part, dict):
        return part
    name = str(part.get("name", name))
    seed = {"seed": _seed_of(name)} if part.get("seed", 0) is None else {}
    return {key: _seeded(value, name) for key, value in part.items()} | seed


def without_seeds(part: object, name: str = "") -> object:
    """Return a description without the seeds that loading gave it."""
    if isinstance(part, list):
        return [without_seeds(item, name) for item in part]
    if not isinstance(part, dict):
        return part
    name = str(part.get("name", name))
    seed = {"seed": None} if part.get("seed") == _seed_of(name) else {}
    return {key: without_seeds(value, name) for key, value in part.items()} | seed


def _seed_of(name: str) -> int:
    return 1 + zlib.crc32(name.encode()) % 10**9  # as large as those of Keras


def restore_initializers(model: "Model", architecture: dict) -> None:
    """Give the layers of a built model those of its description: it may be saved again."""
    for layer in architecture["config"]["layers"]:
        config = layer["config"]
        for key in _initializers(layer):
            setattr(
                model.get_layer(config["name"]),
                key,
                keras.initializers.get(_seeded(config[key], config["name"])),
            )


def _initializers(layer: dict) -> list[str]:
    usual = layer["class_name"] in LAYERS and "name" in layer["config"]
    return [key for key in layer["config"] if usual and key.endswith("_initializer")]
