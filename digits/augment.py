"""Training digits, a little different every time.

A whole batch is moved at once: every pixel of the new image asks for a place in the old
one, and the places of a batch are one matrix product, `parameters @ BASIS`. The first
three rows of `BASIS` (constant, x, y) give rotation, slant, zoom and shift; the others
are smooth bumps that bend the strokes (the elastic distortion of Simard, Steinkraus and
Platt, 2003).
"""

from collections.abc import Iterator

import numpy as np

SIDE = 28
ROTATION = 0.2  # radians, largest
SLANT = 0.2  # largest
ZOOM = 0.14  # largest share, by axis
SHIFT = 2.0  # pixels, largest
BEND = 0.7  # pixels, standard deviation


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


def distort(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rotate, slant, zoom, shift and bend each image at random.

    `images`: (n, 28, 28) uint8. Returns (n, 28, 28) float32, 0 to 255.
    """
    n = len(images)

    def between(limit: float) -> np.ndarray:
        return rng.uniform(-limit, limit, n)

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
    parameters[:, :, 3:] = BEND * rng.standard_normal((n, 2, len(BASIS) - 3), "float32")
    # One small product an image: for a large one NumPy starts threads, and these would fight
    # with those of the training for the cores.
    places = parameters @ BASIS
    return _look_up(images, places + np.float32((SIDE - 1) / 2))


def _look_up(images: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Read `images` at `places` (n, 2, 784), x and y, blending the four nearest pixels."""
    # One pixel of paper all round, so that a neighbour always exists.
    side = SIDE + 2
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).ravel()
    places = np.clip(places + 1, 0, side - 1.01)
    corner = places.astype("int32")
    places -= corner
    right, down = places[:, 0], places[:, 1]
    first = np.arange(len(images), dtype="int32")[:, None] * side**2
    index = first + corner[:, 1] * side + corner[:, 0]

    def row(index: np.ndarray) -> np.ndarray:
        left = np.take(padded, index).astype("float32")
        return left + (np.take(padded, index + 1) - left) * right

    top = row(index)
    result = top + (row(index + side) - top) * down
    return result.reshape(images.shape)


def batches(
    images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield shuffled, distorted batches for ever: (n, 28, 28, 1) float32 and (n,) labels.

    The last batch of an epoch is filled up from its first, so that all have one size.
    What comes depends on `seed` and the number of the epoch alone.
    """
    epoch = 0
    while True:
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(images))
        order = np.resize(order, -(-len(order) // batch_size) * batch_size)
        for chosen in order.reshape(-1, batch_size):
            yield distort(images[chosen], rng)[..., None], labels[chosen]
        epoch += 1
