"""A Keras model as the page runs it in the browser: its layers as JSON, then all weights.

    <II      length of the JSON and of all before the weights, in bytes
    JSON     [{"type": "Conv2D", "name": ..., "inputs": [0], "shape": [24, 24, 16], ...}, ...]
    float32  the weights of each layer in turn, little-endian

A layer's inputs are numbers of earlier layers, the image itself being -1. What only matters while
a model is trained is left out. A model with layers that are not here is asked on the server.
"""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras import Layer, Model

OF_TRAINING = {"InputLayer", "Dropout", "SpatialDropout2D", "GaussianNoise", "Identity"}
PLAIN = {
    "Flatten",
    "GlobalAveragePooling2D",
    "Add",
    "Reshape",
}  # that have neither weights nor settings
ACTIVATIONS = {"relu": "ReLU", "softmax": "Softmax"}


MOST_PRODUCTS = 20_000_000  # of one image: with more, the server answers sooner


class Unknown(Exception):
    """A layer that the browser cannot run."""


def as_network(model: Model) -> bytes | None:
    """Return the layers and weights of `model`; None if the browser cannot run it."""
    layers: list[dict] = []
    try:
        _add_model(model, -1, layers)
    except Unknown:
        return None
    if sum(_products(layer) for layer in layers) > MOST_PRODUCTS:
        return None
    weights = [array for layer in layers for array in layer.pop("weights")]
    header = json.dumps(layers).encode()
    header += b" " * (-len(header) % 4)  # so that the floats are aligned
    values = (np.asarray(array, "<f4").tobytes() for array in weights)
    return struct.pack("<II", len(header), 8 + len(header)) + header + b"".join(values)


def _add_model(model: Model, entry: int, layers: list[dict]) -> int:
    """Append the layers of a model whose input is number `entry`; return the number of its output.

    A functional model's description names the inputs of each layer; those of a Sequential follow
    each other.
    """
    numbers: dict[str, int] = {}
    last = entry
    described = {layer["config"]["name"]: layer for layer in model.get_config()["layers"]}
    for layer in model.operations if hasattr(model, "operations") else model.layers:
        nodes = described.get(layer.name, {}).get("inbound_nodes", [])
        if len(nodes) > 1:  # a layer that is used twice
            raise Unknown
        names = tensors(nodes)
        inputs = [numbers[name] for name in names] or [last]
        last = numbers[layer.name] = _add_layer(layer, inputs, layers)
    return last


def _products(layer: dict) -> int:
    """Return how often a layer multiplies for one image, weights alone counted."""
    places = math.prod(layer["shape"][:-1]) if layer["type"] == "Conv2D" else 1
    return places * math.prod(layer.get("kernel", [0]))


def tensors(nodes: object) -> list[str]:
    """Return the names of the layers whose output a layer takes."""
    if isinstance(nodes, dict):
        if nodes.get("class_name") == "__keras_tensor__":
            return [nodes["config"]["keras_history"][0]]
        nodes = list(nodes.values())
    if not isinstance(nodes, list | tuple):
        return []
    return [name for node in nodes for name in tensors(node)]


def _add_layer(layer: Layer, inputs: list[int], layers: list[dict]) -> int:
    kind = type(layer).__name__
    if kind in ("Sequential", "Functional"):
        return _add_model(layer, inputs[0], layers)
    if kind in OF_TRAINING:
        return inputs[0]
    if getattr(layer, "compute_dtype", "float32") != "float32":
        raise Unknown
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if kind == "Activation":
        return _activate(activation, layer.name, inputs[0], layers)
    what = {"type": kind, "name": layer.name, "inputs": inputs} | _settings(kind, layer)
    layers.append(what | {"shape": list(layer.output.shape[1:])})
    return _activate(activation, layer.name, len(layers) - 1, layers)


def _activate(name: str, of: str, entry: int, layers: list[dict]) -> int:
    """Append an activation, if it is one; return the number of the output."""
    if name == "linear":
        return entry
    if name not in ACTIVATIONS:
        raise Unknown
    shape = layers[entry]["shape"] if entry >= 0 else [28, 28, 1]
    what = {"type": ACTIVATIONS[name], "name": of, "inputs": [entry], "shape": shape, "weights": []}
    layers.append(what)
    return len(layers) - 1


def _settings(kind: str, layer: Layer) -> dict:
    """Return the settings and weights of a layer, as the browser takes them."""
    config = layer.get_config() if kind not in PLAIN else {}
    weights = [np.asarray(value) for value in layer.get_weights()] if kind not in PLAIN else []
    if config.get("data_format", "channels_last") != "channels_last":
        raise Unknown
    if kind in PLAIN:
        return {"weights": []}
    if kind == "Rescaling" and np.ndim(layer.scale) == np.ndim(layer.offset) == 0:
        return {"scale": layer.scale, "offset": layer.offset, "weights": []}
    if kind == "Conv2D" and config["groups"] == 1 and set(config["dilation_rate"]) == {1}:
        kernel, bias = weights[0], weights[1:] or [np.zeros(config["filters"])]
        what = {key: config[key] for key in ("strides", "padding")}
        return what | {"kernel": list(kernel.shape), "weights": [kernel, *bias]}
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        what = {key: config[key] for key in ("strides", "padding", "pool_size")}
        return what | {"weights": []}
    if kind == "BatchNormalization" and config["axis"] in (-1, len(layer.output.shape) - 1):
        return {"weights": _scale_and_offset(weights, config)}
    if kind == "Dense":
        kernel, bias = weights[0], weights[1:] or [np.zeros(config["units"])]
        return {"kernel": list(kernel.shape), "weights": [kernel, *bias]}
    if kind == "ReLU" and not (layer.max_value or layer.negative_slope or layer.threshold):
        return {"weights": []}
    if kind == "Softmax" and config["axis"] == -1:
        return {"weights": []}
    raise Unknown


def _scale_and_offset(weights: list[np.ndarray], config: dict) -> list[np.ndarray]:
    """Return what batch normalisation multiplies and adds, once the model is trained."""
    *learned, mean, variance = (array.astype("float64") for array in weights)
    gamma = learned.pop(0) if config["scale"] else 1.0
    beta = learned.pop(0) if config["center"] else 0.0
    scale = gamma / np.sqrt(variance + config["epsilon"])
    return [scale, beta - mean * scale]
