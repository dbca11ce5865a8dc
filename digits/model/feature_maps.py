"""Inside the model: what each convolution makes of a digit, and which pixels speak for it."""

from typing import TYPE_CHECKING

import numpy as np

from digits.model import quiet_keras as keras
from digits.model.evaluation import predict

if TYPE_CHECKING:
    from keras import Layer, Model

MOST_MAPS = 128  # of one convolution
SPOT, STEP = 2.0, 2  # what is wiped out at a time: standard deviation and distance, in pixels


class FeatureMaps:
    """The feature maps of a model's convolutions, for any Sequential or functional model."""

    def __init__(self, model: "Model") -> None:
        self.seen: list[tuple[str, np.ndarray]] = []
        self.shape = (1, *model.input_shape[1:])
        self.model = self._clone(model)

    def __call__(self, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """Return for each convolution its name and (maps, height, width) float32.

        `image`: (28, 28), 0 to 255, light ink on dark. Not for two threads at a time.
        """
        self.seen.clear()
        self.model(image.reshape(self.shape).astype("float32"), training=False)
        return list(self.seen)

    def _clone(self, layer: "Layer") -> "Layer":
        """Return the same layers with the same weights, but what convolutions give is noted."""
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer, clone_function=self._clone)
        if "Conv" not in type(layer).__name__:
            return layer
        note = self._note

        class Noted(keras.layers.Layer):
            def call(self, x: object) -> object:
                y = layer(x)
                note(layer, y)
                return y

            def compute_output_spec(self, x: object) -> object:
                return layer.compute_output_spec(x)

        return Noted(name=layer.name)

    def _note(self, layer: "Layer", values: object) -> None:
        if len(values.shape) != 4 or values.shape[0] != 1:
            return  # no picture, or none that is real: the clone is only being put together
        maps = keras.ops.convert_to_numpy(values)[0]
        last = getattr(layer, "data_format", "channels_last") == "channels_last"
        self.seen.append((layer.name, maps.transpose(2, 0, 1) if last else maps))


def strongest(maps: np.ndarray) -> np.ndarray:
    """Return at most MOST_MAPS of (maps, height, width) as uint8, the strongest, in their order."""
    order = np.argsort(-np.abs(maps).max(axis=(1, 2)), kind="stable")[:MOST_MAPS]
    maps = maps[np.sort(order)]
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    return (255 * (maps - low) / np.maximum(high - low, 1e-6)).astype("uint8")


def evidence(model: "Model", image: np.ndarray) -> np.ndarray:
    """Return how much each pixel speaks for the model's answer, (28, 28), -1 to 1.

    Occlusion (Zeiler and Fergus, 2014): a spot of the ink is wiped out, and the log-odds of
    the answer fall (it spoke for it) or rise (against). `image`: (28, 28), 0 to 255.
    """
    y, x = np.mgrid[:28, :28]
    centres = np.argwhere(image[::STEP, ::STEP] >= 0) * STEP
    far = (y - centres[:, :1, None]) ** 2 + (x - centres[:, 1:, None]) ** 2
    spots = np.exp(-far / (2 * SPOT**2))
    spots = spots[(spots * image).max(axis=(1, 2)) > 25]  # where there is no ink, nothing changes
    probabilities = predict(model, np.concatenate([image[None], image * (1 - spots)]))
    answer = np.clip(probabilities[:, probabilities[0].argmax()].astype("float64"), 1e-7, 1 - 1e-7)
    log_odds = np.log(answer) - np.log(1 - answer)
    lost = np.tensordot(log_odds[0] - log_odds[1:], spots, 1) / np.maximum(spots.sum(axis=0), 1e-6)
    return lost / max(np.abs(lost).max(initial=0), 1e-6)
