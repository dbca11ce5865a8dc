"""The detector's network: where digits are, and which pixels are theirs.

Fully convolutional, with a peak in the middle of each digit and its size (CenterNet: Zhou, Wang
and Krähenbühl, 2019), and for each pixel of ink the way to the middle of its digit
(Panoptic-DeepLab: Cheng et al., 2020). It never says which digit: the model does.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digits.command_line import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras import Model

WEIGHTS = Path(__file__).with_name("detector.npz")
STRIDE = 32  # pixels: a picture's sides are multiples of it
SCALES = 15, 59  # pixels: sides of the two boxes, each blurred twice, that contrast is taken in
FAINTEST = 0.015  # of white: a deviation of less is noise
# The network's outputs: at a quarter of the resolution the logit of the middle of a digit, the
# logarithms of its height and width; at half of it the logits of ink of a digit, for each of 2x2
# pixels, and of other writing, and the way to the digit's middle, down and right.
CENTRE, INK = 3, 4 + 1 + 2
USUAL = 20  # pixels: a size whose logarithm is given as 0
REACH = 16  # pixels: a way that is given as 1
LARGE = 1_000_000  # values: compiled, the network takes less memory, but it takes a second once
EPSILON = 1e-3  # of batch normalisation


def local_contrast(grey: np.ndarray) -> np.ndarray:
    """Return how a picture, (height, width) uint8, differs from what is around each pixel.

    (height, width, 2) float32, in half deviations, at two scales; no more than 2 either way.
    """
    image = grey.astype("float32") / 255
    result = []
    for side in SCALES:
        difference = image - _blurred(image, side)
        deviation = np.sqrt(_blurred(difference**2, side) + FAINTEST**2)
        result.append((0.5 * difference / deviation).clip(-2, 2))
    return np.stack(result, axis=-1)


def _blurred(image: np.ndarray, side: int) -> np.ndarray:
    for _ in range(2):
        image = cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT)
    return image


def build_detector(trained: bool = False) -> "Model":
    """Return the network with random weights: (height, width, 2) -> "centre" and "ink".

    `trained`: without batch normalisation, which is then in the weights of the convolutions.
    """
    import keras
    from keras import layers

    count = iter(range(100))

    def convolution(x, filters: int, size: int = 3, strides: int = 1, dilation: int = 1):
        name = f"convolution_{next(count)}"
        how = {"dilation_rate": dilation, "name": name}
        if trained:
            return layers.Conv2D(filters, size, strides, "same", activation="relu", **how)(x)
        x = layers.Conv2D(filters, size, strides, "same", use_bias=False, **how)(x)
        x = layers.BatchNormalization(momentum=0.98, epsilon=EPSILON, name=f"{name}_normalised")(x)
        return layers.Activation("relu")(x)

    def upwards(x, skipped, filters: int):
        narrow, across = (
            layers.Conv2D(filters, 1, use_bias=False, name=f"pointwise_{next(count)}")
            for _ in range(2)
        )
        return convolution(
            layers.Add()([layers.UpSampling2D()(narrow(x)), across(skipped)]), filters
        )

    image = keras.Input((None, None, len(SCALES)))
    half = convolution(convolution(image, 16, 4, strides=2), 16)
    quarter = convolution(convolution(layers.MaxPooling2D()(half), 32), 32)
    eighth = convolution(convolution(layers.MaxPooling2D()(quarter), 64), 64)
    x = convolution(layers.MaxPooling2D()(eighth), 112)
    for dilation in (1, 2, 4, 1):  # sees some 200 pixels around
        x = layers.Add()([x, convolution(x, 112, dilation=dilation)])
    x = convolution(upwards(x, eighth, 64), 64)
    x = convolution(upwards(x, quarter, 32), 32)
    rare = keras.initializers.Constant([-4, 0, 0])
    centre = layers.Conv2D(CENTRE, 1, bias_initializer=rare, name="centre")(convolution(x, 32))
    ink = layers.Conv2D(INK, 1, name="ink")(upwards(x, half, 16))
    return keras.Model(image, {"centre": centre, "ink": ink}, name="detector")


def save_detector(model: "Model", calibration: np.ndarray, file: Path = WEIGHTS) -> None:
    """Write what a training has learned; the kernels, which are most of it, as float16."""
    arrays = {"calibration": calibration}
    for layer in model.layers:
        for n, weight in enumerate(layer.get_weights()):
            arrays[f"{layer.name}/{n}"] = weight.astype("float16" if n == 0 else "float32")
    np.savez(file, **arrays)


def restore_detector(model: "Model") -> None:
    """Give a network that is to be trained on the weights that come along."""
    with _weights() as arrays:
        for layer in model.layers:
            layer.set_weights(_weights_of(layer.name, arrays))


@cache
def load_detector() -> "Model":
    """Return the network that comes along, its batch normalisation folded into the kernels."""
    model = build_detector(trained=True)
    with _weights() as arrays:
        for layer in model.layers:
            weights = _weights_of(layer.name, arrays)
            if normalised := _weights_of(f"{layer.name}_normalised", arrays):
                gamma, beta, mean, variance = normalised
                factor = gamma / np.sqrt(variance + EPSILON)
                weights = [weights[0] * factor, beta - mean * factor]
            layer.set_weights(weights)
    return model


def _weights_of(layer: str, arrays: "np.lib.npyio.NpzFile") -> list[np.ndarray]:
    names = (f"{layer}/{n}" for n in range(4))
    return [arrays[name].astype("float32") for name in names if name in arrays]


def _weights() -> "np.lib.npyio.NpzFile":
    try:
        return np.load(WEIGHTS)
    except FileNotFoundError:
        raise UserError("no detector is trained yet; python -m digits.training.detector") from None


def load_calibration(with_model: bool = True) -> np.ndarray:
    """Return the weights of `deciding.features`, (7,).

    Those of what the model says are 0 without it: one that is rarely sure says little of peaks.
    """
    with _weights() as arrays:
        return arrays["calibration"][int(with_model)].astype("float64")


def see(contrast: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the network that comes along sees, as arrays."""
    return network_of(load_detector())(contrast)


def network_of(model: "Model") -> "Callable[[np.ndarray], dict[str, np.ndarray]]":
    """Return a model as a function from contrast, (1, height, width, 2), to its maps, as arrays."""
    from digits.model import quiet_keras as keras
    from digits.model.evaluation import ONE_AT_A_TIME

    def maps_of(contrast: np.ndarray) -> dict[str, np.ndarray]:
        if keras.backend.backend() in keras.COMPILES or contrast.size > LARGE:
            with ONE_AT_A_TIME:
                return model.predict_on_batch(contrast)
        maps = model(contrast, training=False)
        return {name: keras.ops.convert_to_numpy(value) for name, value in maps.items()}

    return maps_of
