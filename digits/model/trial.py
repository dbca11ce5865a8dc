"""A trial of a model on known digits: how sure it is, how often right, and on which scale."""

import zlib
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from digits.data.known_digits import known_digits
from digits.model import quiet_keras as keras
from digits.model.evaluation import log_loss, predict

if TYPE_CHECKING:
    from keras import Model

SHIPPED = 0.98  # mean confidence, for which the thresholds of the reading were set; it has more
FAR = 0.1  # confidence above the fraction that is right: more than chance with a hundred digits
UNTRAINED = 5  # log loss that a model before its training is below; a guess has 2.3
CLEARLY = 10  # digits of the hundred that are read right on one scale, and not on another
# How models are fed elsewhere: a factor, an offset, and a Rescaling layer's arguments.
MEAN, DEVIATION = 0.1307, 0.3081  # of MNIST's training set, from 0 to 1
SCALES = {
    "0 to 1": (1 / 255, 0, "1 / 255"),
    "-1 to 1": (1 / 127.5, -1, "1 / 127.5, offset=-1"),
    "mean 0, deviation 1": (1 / 255 / DEVIATION, -MEAN / DEVIATION, "1 / 78.6, offset=-0.424"),
    "0 to 255, dark on light": (-1, 255, "-1, offset=255"),
    "0 to 1, dark on light": (-1 / 255, 1, "-1 / 255, offset=1"),
    "-1 to 1, dark on light": (-1 / 127.5, 1, "-1 / 127.5, offset=1"),
}


class Trial(NamedTuple):
    """What a model makes of the known digits: its mean confidence, and which fraction is right."""

    confidence: float
    right: float

    @property
    def trust(self) -> float:
        """How much of its confidence is earned, 0 to 1; 1 unless it is far too sure."""
        return self.right / self.confidence if self.right < self.confidence - FAR else 1.0

    @property
    def share(self) -> float:
        """Its mean confidence beside the shipped model's, at most 1: the thresholds follow it."""
        return min(1.0, self.confidence / SHIPPED)


_tried: "WeakKeyDictionary[Model, tuple[int, Trial]]" = WeakKeyDictionary()


def trial_of(model: "Model") -> Trial:
    """Try a model on the known digits; again only after its weights have changed."""
    checksum = zlib.crc32(keras.ops.convert_to_numpy(model.weights[-1]).tobytes())
    if _tried.get(model, (None,))[0] != checksum:
        images, labels = known_digits()
        probabilities = predict(model, images)
        right = float((probabilities.argmax(axis=1) == labels).mean())
        _tried[model] = checksum, Trial(float(probabilities.max(axis=1).mean()), right)
    return _tried[model][1]


def scale_warning(model: "Model") -> str | None:
    """Return a line if the model seems to have been trained on grey values of another scale.

    It has learned something, and on that scale its log loss is less than half of that on 0 to 255,
    light on dark, or CLEARLY more is right. Accuracy alone may hardly differ, as layers without
    saturation give the same answers, only far too sure.
    """
    images, labels = known_digits()
    scales = [(1, 0, ""), *SCALES.values()]
    tried = [
        predict(model, factor * images.astype("float32") + offset) for factor, offset, _ in scales
    ]
    losses = [log_loss(probabilities, labels) for probabilities in tried]
    right = [int((probabilities.argmax(axis=1) == labels).sum()) for probabilities in tried]
    best = int(np.argmin(losses))
    differs = losses[best] < losses[0] / 2 or right[best] - right[0] >= CLEARLY
    if not differs or right[best] < len(labels) / 2:
        return None
    name = list(SCALES)[best - 1]
    return (
        f"this model seems to expect values of {name}: it is right for {right[best]} of "
        f"{len(labels)} known digits with these, for {right[0]} with 0 to 255, light on dark, "
        f"as it gets them; let it begin with keras.layers.Rescaling({scales[best][2]})"
    )


def raw_values_warning(model: "Model") -> str | None:
    """Return a line if an untrained model takes 0 to 255 without bringing it to a scale.

    Such values make it surely wrong before it has learned anything, which a scale of 0 to 1
    does not, and it learns little. Layers that saturate, as tanh does, hide that.
    """
    images, labels = known_digits()
    variables = model.trainable_variables, model.non_trainable_variables
    values = [[variable.value for variable in of_kind] for of_kind in variables]

    def loss(factor: float) -> float:
        shown = factor * images[..., None].astype("float32")
        # In training, where a batch is normalized by itself; and without changing the model.
        probabilities, _ = model.stateless_call(*values, shown, training=True)
        return log_loss(keras.ops.convert_to_numpy(probabilities), labels)

    raw, scaled = loss(1), loss(1 / 255)
    if raw < UNTRAINED or raw < 2 * scaled:
        return None
    return (
        "this model gets grey values from 0 to 255 as they are, and learns little from them; "
        "let it begin with keras.layers.Rescaling(1 / 255)"
    )
