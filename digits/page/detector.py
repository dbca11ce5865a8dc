"""The learned detector as the exported page runs it: its layers and settings as JSON, then numbers.

    <II      length of the JSON and of all before the numbers, in bytes
    JSON     {"layers": [{"type": "Conv2D", "inputs": [0], ...}, ...], "outputs": ..., "settings"}
    float32  for each convolution in turn the scale of each filter, and its bias, little-endian
    int8     for each convolution in turn its weights, as Keras has them, over their filter's scale

A layer's inputs are numbers of earlier layers, the image itself being -1. The settings are the
constants of the modules that read, by the names of both: those of the page have none of their own.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import numpy as np

from digits.data import colours, normalization
from digits.model.trial import trial_of
from digits.page.network import tensors
from digits.reading import geometry, lines, results
from digits.reading.detector import deciding, finding, network

if TYPE_CHECKING:
    from types import ModuleType

    from keras import Model

MOST = 127  # of a weight over its scale
MODULES = colours, normalization, geometry, lines, results, network, finding, deciding


def detector_bytes(model: Model) -> bytes | None:
    """Return the detector that comes along, for that model; None if none is trained yet."""
    if not network.WEIGHTS.exists():
        return None
    with_model = trial_of(model).confidence >= results.UNSURE
    return as_bytes(network.load_detector(), network.load_calibration(with_model))


def as_bytes(model: Model, calibration: np.ndarray) -> bytes:
    """Return a detector, without batch normalisation, and the weights of its calibration."""
    numbers: dict[str, int] = {}
    layers, floats, weights = [], [], []
    described = {layer["config"]["name"]: layer for layer in model.get_config()["layers"]}
    for layer in model.layers:
        kind, inputs = type(layer).__name__, tensors(described[layer.name]["inbound_nodes"])
        if kind == "InputLayer":
            numbers[layer.name] = -1
            continue
        what = {"type": kind, "inputs": [numbers[name] for name in inputs]}
        if kind == "Conv2D":
            kernel, *bias = layer.get_weights()
            scale = np.maximum(np.abs(kernel).max(axis=(0, 1, 2)), 1e-9) / MOST
            floats += [scale, bias[0] if bias else np.zeros(len(scale))]
            weights.append((kernel / scale).round().astype("int8"))
            what |= {"kernel": kernel.shape, "strides": layer.strides[0]}
            what |= {
                "dilation": layer.dilation_rate[0],
                "relu": layer.activation.__name__ == "relu",
            }
        numbers[layer.name] = len(layers)
        layers.append(what)
    settings = {module.__name__.split(".")[-1]: _constants(module) for module in MODULES}
    settings["calibration"] = calibration.tolist()
    outputs = {name: numbers[name] for name in ("centre", "ink")}
    header = json.dumps({"layers": layers, "outputs": outputs, "settings": settings}).encode()
    header += b" " * (-len(header) % 4)  # so that the floats are aligned
    values = [array.astype("<f4").tobytes() for array in floats]
    values += [array.tobytes() for array in weights]
    return struct.pack("<II", len(header), 8 + len(header)) + header + b"".join(values)


def _constants(module: ModuleType) -> dict[str, float | tuple[float, ...]]:
    """Return the numbers that a module is set by."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int | float | tuple) and name != "TYPE_CHECKING"
    }
