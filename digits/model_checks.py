"""What a network's files may hold. Checked before anything in them is built or run.

Files come from strangers too: a description may name any class of Keras and any size, and an
HDF5 file may point to other files or unpack to terabytes. So there is a list of what is
allowed, and all else is refused with a ValueError that says what it was.
"""

import math
from pathlib import Path

import h5py

from digits import quiet_keras as keras

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
OTHER_CLASSES = {"Sequential", "DTypePolicy", "GlorotUniform", "Ones", "Zeros"}
ACTIVATIONS = {"relu", "softmax", "linear"}
MOST_LAYERS = 200
MOST_VALUES = 10**7  # parameters in all, and values that one image takes after a layer
MOST_BYTES = 50 * 2**20  # of a file, and of what it unpacks to


def check_architecture(architecture: dict) -> None:
    """Raise ValueError unless this describes a network of this project's kind and size.

    KeyError, TypeError and the like if it is no description at all.
    """
    layers = architecture["config"]["layers"]
    foreign = {layer["class_name"] for layer in layers} - LAYERS
    if foreign:
        names = ", ".join(sorted(map(str, foreign)))[:100]
        raise ValueError(f"asks for layers that are not this project's: {names}")
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"has {len(layers)} layers, more than {MOST_LAYERS}")
    _check_classes(architecture)
    shape = layers[0]["config"].get("batch_shape")
    if shape != [None, 28, 28, 1] or layers[-1]["config"].get("units") != 10:
        raise ValueError("does not go from 28x28 pixels to ten digits")
    _check_size(layers)


def _check_classes(part: object) -> None:
    """Go through all of a description: no other class, no code by another way."""
    if isinstance(part, list):
        for item in part:
            _check_classes(item)
    if not isinstance(part, dict):
        return
    kind = part.get("class_name")
    if kind is not None and kind not in LAYERS | OTHER_CLASSES:
        raise ValueError(f"asks for a class that is not this project's: {str(kind)[:100]}")
    if not str(part.get("module", "keras")).startswith("keras") or part.get("registered_name"):
        raise ValueError(f"asks for code from elsewhere: {str(part.get('module'))[:100]}")
    if part.get("activation", "linear") not in ACTIVATIONS:
        raise ValueError(f"asks for another activation: {str(part['activation'])[:100]}")
    for value in part.values():
        _check_classes(value)


def _check_size(layers: list[dict]) -> None:
    """Follow the shape through the layers without building any."""
    shape, parameters = (None, 28, 28, 1), 0
    for layer in layers[1:]:
        config = layer["config"]
        unbuilt = {key: value for key, value in layer.items() if key != "build_config"}
        new = keras.layers.deserialize(unbuilt).compute_output_shape(shape)
        if layer["class_name"] in ("Conv2D", "Dense"):
            parameters += math.prod(config.get("kernel_size", [])) * shape[-1] * new[-1]
        parameters += 4 * new[-1]
        if max(parameters, math.prod(new[1:])) > MOST_VALUES or min(new[1:]) < 1:
            raise ValueError(f"is too large: {layer['class_name']} of shape {new[1:]}")
        shape = new
    if shape != (None, 10):
        raise ValueError("does not go from 28x28 pixels to ten digits")


def check_weights(file: h5py.File) -> None:
    """Raise ValueError unless all in an open HDF5 file lies in it and has a decent size."""
    groups, seen, total = [(file, "")], 0, 0
    while groups:
        group, path = groups.pop()
        for name in group:
            seen += 1
            here = f"{path}/{name}"[:100]
            if seen > 20 * MOST_LAYERS or len(path) > 500:
                raise ValueError("holds too many parts")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"points elsewhere: {here}")
            part = group[name]
            if isinstance(part, h5py.Group):
                groups.append((part, f"{path}/{name}"))
                continue
            if not isinstance(part, h5py.Dataset) or part.dtype.kind != "f":
                raise ValueError(f"holds something other than numbers: {here}")
            if part.external or part.is_virtual:
                raise ValueError(f"points elsewhere: {here}")
            total += part.nbytes
            if total > MOST_BYTES:
                raise ValueError(f"unpacks to more than {MOST_BYTES // 2**20} MB")


def check_file(file: Path) -> None:
    """Raise ValueError if it is not a plain file of a decent size."""
    if not file.is_file():
        raise ValueError("is not a file")
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES // 2**20} MB")
