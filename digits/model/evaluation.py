"""Probabilities from a model, and how many of its answers are right."""

import threading
from typing import TYPE_CHECKING

import numpy as np

from digits.model import quiet_keras as keras

if TYPE_CHECKING:
    from keras import KerasTensor, Model

BATCH = 625
MANY = 250  # images; for fewer it takes TensorFlow longer to compile the model than it saves
ONE_AT_A_TIME = threading.Lock()  # two threads of the page: OpenVINO's compiled model is busy


def predict(model: "Model", images: np.ndarray) -> np.ndarray:
    """Return the probabilities of the ten digits, (n, 10) float32.

    `images`: (n, 28, 28), 0 to 255, light ink on dark.
    """
    if not len(images):
        return np.empty((0, 10), "float32")
    batches = [images[i : i + BATCH, ..., None] for i in range(0, len(images), BATCH)]
    return np.concatenate([_predict_batch(model, b.astype("float32")) for b in batches])


def _predict_batch(model: "Model", images: np.ndarray) -> np.ndarray:
    count = len(images)
    if keras.backend.backend() in keras.COMPILES:  # few sizes: the next power of two
        more = min(BATCH, 1 << (count - 1).bit_length()) - count
        images = np.pad(images, [(0, more), (0, 0), (0, 0), (0, 0)])
    elif count < MANY:
        return keras.ops.convert_to_numpy(model(images, training=False))
    with ONE_AT_A_TIME:
        return model.predict_on_batch(images)[:count]


def accuracy(targets: "KerasTensor", probabilities: "KerasTensor") -> "KerasTensor":
    """Return the fraction of a batch's digits that are read right; of outliers no answer is.

    A metric for `model.compile`; both are (n, 10), and an outlier's targets are all below 0.5.
    """
    ops = keras.ops
    is_digit = ops.max(targets, axis=-1) > 0.5
    right = ops.argmax(targets, axis=-1) == ops.argmax(probabilities, axis=-1)
    return ops.sum(right & is_digit) / ops.sum(is_digit)


def evaluate(
    model: "Model", images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return the probabilities, (n, 10), and as lines accuracy, calibration, a table by digit."""
    probabilities = predict(model, images)
    return probabilities, [
        accuracy_line(probabilities, labels),
        f"expected calibration error {calibration_error(probabilities, labels):.4f}",
        table_by_digit(probabilities, labels),
    ]


def accuracy_line(probabilities: np.ndarray, labels: np.ndarray) -> str:
    """Return a line such as `test accuracy 99.41 % (59 of 10000 wrong)`."""
    wrong = int((probabilities.argmax(axis=1) != labels).sum())
    return f"test accuracy {100 - 100 * wrong / len(labels):.2f} % ({wrong} of {len(labels)} wrong)"


def log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of -log(probability of the right digit)."""
    return float(-np.log(probabilities[np.arange(len(labels)), labels].clip(1e-7)).mean())


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Return by how much the confidence is off on average, 0 to 1.

    The expected calibration error: answers are sorted into bins of equal width by
    confidence, and the gap between mean confidence and fraction of right answers is averaged
    over them, each counted by its size (Naeini, Cooper and Hauskrecht, 2015).
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(number, confidence - right, bins)
    return float(np.abs(gaps).sum() / len(labels))


def table_by_digit(probabilities: np.ndarray, labels: np.ndarray) -> str:
    """Return a line for each digit: how many there are, how many were read wrong, as what."""
    answers = probabilities.argmax(axis=1)
    lines = ["digit  images  wrong  read as"]
    for digit in range(10):
        mistakes = answers[(labels == digit) & (answers != digit)]
        counts = np.bincount(mistakes, minlength=10)
        common = [f"{d} ({counts[d]})" for d in np.argsort(-counts, kind="stable") if counts[d]]
        row = f"{digit:5}  {(labels == digit).sum():6}  {len(mistakes):5}  {', '.join(common)}"
        lines.append(row.rstrip())
    return "\n".join(lines)
