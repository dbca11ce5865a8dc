"""Zeros for weights that are read from a file: random ones take JAX longer than all else."""

from typing import TYPE_CHECKING

from digits.model import quiet_keras as keras

if TYPE_CHECKING:
    from keras import Model

LAYERS = ("Dense", "Conv2D", "BatchNormalization")  # whose initializers can be set


def without_initializers(architecture: dict) -> dict:
    """Return a description in which the usual layers of a model begin with zeros."""
    layers = [
        layer | {"config": layer["config"] | dict.fromkeys(_initializers(layer), "zeros")}
        for layer in architecture["config"]["layers"]
    ]
    return architecture | {"config": architecture["config"] | {"layers": layers}}


def restore_initializers(model: "Model", architecture: dict) -> None:
    """Give the layers of a built model those of its description: it may be saved again."""
    for layer in architecture["config"]["layers"]:
        config = layer["config"]
        for key in _initializers(layer):
            setattr(model.get_layer(config["name"]), key, keras.initializers.get(config[key]))


def _initializers(layer: dict) -> list[str]:
    usual = layer["class_name"] in LAYERS and "name" in layer["config"]
    return [key for key in layer["config"] if usual and key.endswith("_initializer")]
