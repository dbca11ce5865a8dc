"""Training digits, a little different every time, and what is no digit among them.

Every pixel of the new image asks for a place in the old one, and the places of an image are a
matrix product, `parameters @ BASIS`. The first three rows of `BASIS` (constant, x, y) give
rotation, slant, zoom and shift; the others are smooth bumps that bend the strokes (the elastic
distortion of Simard, Steinkraus and Platt, 2003).
"""

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

import cv2
import numpy as np

from digits.data import drawn_digits as hands
from digits.data.outliers import make_outliers
from digits.data.printed_digits import print_digit
from digits.model import quiet_keras as keras

SIDE = 28
ROTATION = 0.16  # radians, largest
SLANT = 0.16  # largest
ZOOM = 0.11  # largest fraction, by axis
SHIFT = 1.6  # pixels, largest
BEND = 0.56  # pixels, standard deviation
LAST = 0.25  # of all this in the last epoch: to end with digits more like those to be read
FLAGGED = 0.3  # fraction of the ones that get an upstroke, some also a foot
OUTLIERS = 0.12  # fraction of a batch that shows what is no digit
DRAWN = 0.04  # fraction of a batch that is drawn as other hands write
PRINTED = 0.02  # fraction of a batch that is printed, in many fonts and in segments
SMALL = 0.02  # fraction of a batch that is as small and blurred as some digits of a page
OFTEN = 8  # times that each of these is shown in an epoch, distorted anew
ONE_HOT = np.eye(10, dtype="float32")


def _basis() -> np.ndarray:
    axis = (np.arange(SIDE) - (SIDE - 1) / 2) / (SIDE / 2)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    knots = np.linspace(-1.1, 1.1, 5)
    bumps = np.array(
        [np.exp(-((y - v) ** 2 + (x - u) ** 2) / (2 * 0.42**2)) for v in knots for u in knots]
    )
    bumps /= np.sqrt((bumps**2).sum(axis=0)).mean()  # so that BEND is in pixels
    basis = np.concatenate([[np.ones_like(x), x, y], bumps])
    return basis.reshape(len(basis), SIDE * SIDE).astype("float32")


BASIS = _basis()


def distort(images: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Rotate, shear, scale, translate and bend each image at random (elastic distortion).

    `images`: (n, 28, 28) uint8; `strength` from 0, no distortion, to 1. Returns (n, 28, 28)
    float32, whole numbers from 0 to 255.
    """
    result = np.empty(images.shape, "uint8")
    places = _places(len(images), rng, strength)
    for image, (x, y), moved in zip(images, places, result, strict=True):
        cv2.remap(image, x, y, cv2.INTER_LINEAR, moved)  # beyond the image it is paper
    return result.astype("float32")


def _places(n: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Return where the pixels of `n` new images are in the old ones, (n, 2, 28, 28) x and y."""

    def between(limit: float) -> np.ndarray:
        return strength * rng.uniform(-limit, limit, n)

    angle, slant = between(ROTATION), between(SLANT)
    zoom_x, zoom_y = 1 + between(ZOOM), 1 + between(ZOOM)
    parameters = np.empty((n, 2, len(BASIS)), "float32")  # of x and of y
    parameters[:, 0, 0] = between(SHIFT)
    parameters[:, 1, 0] = between(SHIFT)
    parameters[:, 0, 1] = zoom_x * np.cos(angle)
    parameters[:, 0, 2] = slant - zoom_y * np.sin(angle)
    parameters[:, 1, 1] = zoom_x * np.sin(angle)
    parameters[:, 1, 2] = zoom_y * np.cos(angle)
    parameters[:, :, :3] *= (1, SIDE / 2, SIDE / 2)
    parameters[:, :, 3:] = strength * BEND * rng.standard_normal((n, 2, len(BASIS) - 3), "float32")
    # One small product an image: for a large one NumPy starts threads, and these would fight
    # with those of the training for the cores.
    places = parameters @ BASIS + np.float32((SIDE - 1) / 2)
    return places.reshape(n, 2, SIDE, SIDE)


def add_flags(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return `images` of ones, (n, 28, 28) uint8, with the upstroke that MNIST's ones lack.

    Much of the world writes a 1 with one, often as long as half the stem, and some with a
    foot. Without having seen any, a model takes them for 7 and 2. An upstroke nearly level
    makes a 7, unless it is short.
    """
    result = images.copy()
    y, x = np.mgrid[:SIDE, :SIDE]
    for image in result:
        rows = np.flatnonzero((image > 127).any(axis=1))
        if len(rows) < 2:  # a picture of somebody's own may be faint
            continue
        top, bottom = rows[0], rows[-1]
        thickness = np.median((image > 127).sum(axis=1)[rows])
        ends = [np.flatnonzero(image[row] > 127).mean() for row in (top, bottom)]
        lean = np.arctan2(ends[0] - ends[1], bottom - top)
        if lean < -0.3:
            continue
        # How far from the vertical, and which fraction of the height.
        if abs(lean) < 0.15 and rng.random() < 0.3:
            angle, fraction = rng.uniform(0.95, 1.35), rng.uniform(0.12, 0.3)
        else:
            angle = min(1.05, max(0, lean) + rng.uniform(0.35, 0.9))
            fraction = rng.uniform(0.2, 0.55)
        length = fraction * (bottom - top)
        along = length * np.array([-np.sin(angle), np.cos(angle)])
        start = np.array([ends[0], top])
        knee = start + along / 2 + rng.uniform(-0.05, 0.2) * along[::-1] * (-1, 1)  # it bends
        strokes = [(start, knee), (knee, start + along)]
        if lean < 0.3 and rng.random() < 0.3:
            half = rng.uniform(0.15, 0.3) * (bottom - top)
            strokes.append(((ends[1] - half, bottom), (ends[1] + half, bottom)))
        for start, end in strokes:
            away = _distance(x, y, start, end) - thickness / 2
            np.maximum(image, (255 * np.clip(0.5 - away, 0, 1)).astype("uint8"), out=image)
    return result


def _distance(x: np.ndarray, y: np.ndarray, start: tuple, end: tuple) -> np.ndarray:
    """Return the distance of each pixel from the stretch between two points."""
    along = np.subtract(end, start)
    fraction = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along)
    fraction = fraction.clip(0, 1)
    return np.hypot(x - start[0] - fraction * along[0], y - start[1] - fraction * along[1])


def batches(
    images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, epochs: range
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield shuffled, distorted batches: (n, 28, 28, 1) float32, targets (n, 10).

    `images` (n, 28, 28) uint8, `labels` (n,) from 0 to 9. The last batch of an epoch is filled up
    from its first, so that all have one size. In each, outliers, drawn, printed and small digits
    take the places of some digits, others in every epoch. What comes depends on `seed` and the
    number of the epoch, and on whether it is the last of `epochs`.
    """
    replaced = round((OUTLIERS + DRAWN + PRINTED + SMALL) * batch_size)
    for epoch in epochs:
        rng = np.random.default_rng([seed, epoch])
        strength = LAST if epoch == epochs[-1] else 1.0
        order = rng.permutation(len(images))
        order = np.resize(order, -(-len(order) // batch_size) * batch_size)
        made, targets = _made_up(len(order) / OFTEN, images, labels, rng)
        for chosen in order.reshape(-1, batch_size):
            x, y = images[chosen], ONE_HOT[labels[chosen]]
            flagged = (labels[chosen] == 1) & (rng.random(batch_size) < FLAGGED)
            x[flagged] = add_flags(x[flagged], rng)
            shown = rng.integers(len(made), size=replaced)
            x[:replaced], y[:replaced] = made[shown], targets[shown]
            yield distort(x, rng, strength)[..., None], y


def _made_up(
    n: float, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is made up for `n` images: (m, 28, 28) uint8, and the targets, (m, 10)."""
    outliers = make_outliers(ceil(OUTLIERS * n), images, labels, rng)
    drawn = rng.choice([*hands.WRITTEN], ceil(DRAWN * n))
    printed = rng.integers(10, size=ceil(PRINTED * n))
    small = rng.integers(len(images), size=ceil(SMALL * n))
    made = [*outliers, *(hands.draw_digit(digit, rng) for digit in drawn)]
    made += [print_digit(digit, rng) for digit in printed]
    made += [hands.prepared_small(image, rng) for image in images[small]]
    targets = ONE_HOT[[*drawn, *printed, *labels[small]]]
    return np.array(made), np.concatenate([np.full((len(outliers), 10), 0.1, "float32"), targets])


def dataset(
    images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, epochs: range
) -> Any:
    """Return `batches` in the form from which Keras trains fastest.

    For TensorFlow that is a tf.data pipeline of one thread, without the autotuning that
    Keras's own would have: its thread sleeps ever longer, and the end of a training waits
    for it, up to as long as the training took.
    """
    if keras.backend.backend() != "tensorflow":
        return batches(images, labels, batch_size, seed, epochs)
    import tensorflow as tf

    data = tf.data.Dataset.from_generator(
        lambda: batches(images, labels, batch_size, seed, epochs),
        output_signature=(
            tf.TensorSpec((batch_size, SIDE, SIDE, 1), "float32"),
            tf.TensorSpec((batch_size, 10), "float32"),
        ),
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = 1
    return data.prefetch(4).with_options(options)


def augmented(
    images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int
) -> Callable[[range], Any]:
    """Return what gives the `dataset` of a range of epochs, augmented in each anew."""
    return lambda epochs: dataset(images, labels, batch_size, seed, epochs)
