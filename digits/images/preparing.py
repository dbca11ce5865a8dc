"""From a piece of ink to 28x28 pixels, as MNIST was prepared."""

import cv2
import numpy as np

from digits.images.pieces import Piece, bounds, framed

SIDE, FIT = 28, 20  # MNIST: a digit fits 20x20, in 28x28
STROKE = 2.0, 3.4  # how thick MNIST's strokes are, in pixels of 28x28
TINY = 40  # pixels of the working picture: in a digit no larger every grey value counts


def already_prepared(grey: np.ndarray) -> np.ndarray | None:
    """Return the image with ink light if it is as MNIST's are, else None.

    28x28 with an empty border, a longest side of 20 and the centre of mass in the middle:
    what has been prepared once must not be prepared again.
    """
    if grey.shape != (SIDE, SIDE):
        return None
    image = 255 - grey if grey[0, 0] > 127 else grey
    found = bounds(image)
    if found is None:
        return None
    longest = max(image[found].shape)
    y, x = centre_of_mass(image)
    middle = (SIDE - 1) / 2
    centred = abs(y - middle) < 1.2 and abs(x - middle) < 1.2
    return image if FIT - 1 <= longest <= FIT + 1 and centred else None


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    """Return row and column of the centre of mass, the middle of a pixel being whole."""
    total = image.sum(dtype="float64")
    y = (image.sum(axis=1, dtype="float64") * np.arange(image.shape[0])).sum() / total
    x = (image.sum(axis=0, dtype="float64") * np.arange(image.shape[1])).sum() / total
    return y, x


def prepare(piece: Piece, ink: np.ndarray) -> np.ndarray:
    """Return the piece as MNIST prepared its digits, (28, 28) uint8, ink 255 on 0.

    It fits 20x20 with its aspect kept, anti-aliased, centre of mass in the middle, and
    strokes that are far thinner or thicker than MNIST's are brought nearer. `ink` is the
    picture's, (height, width) float32.
    """
    if piece.size <= TINY:
        return place(_as_drawn(piece, ink))
    scale = FIT / piece.size
    drawn = piece.thickness * scale
    grow = (np.clip(drawn, *STROKE) - drawn) / (2 * scale)
    room = max(2, int(np.ceil(grow)) + 2)
    mask = framed(piece.mask, room)
    if grow > 0:
        outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        solid = np.clip(grow + 1 - outside, 0, 1)
    elif grow < 0:
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        solid = np.clip(inside + grow, 0, 1)
    else:
        solid = mask
    return place(solid.astype("float32"))


def _as_drawn(piece: Piece, ink: np.ndarray) -> np.ndarray:
    """Return the piece's own ink, 0 to 1: as a mask, a small digit would lose its loops."""
    nearby = cv2.dilate(piece.mask.astype("uint8"), np.ones((3, 3), "uint8"))
    return piece.inside(ink).clip(0, 1) * nearby


def place(solid: np.ndarray) -> np.ndarray:
    """Scale ink 0 to 1 of any size to fit 20x20 and put its centre of mass in the middle."""
    found = bounds(solid > 0.3)
    if found is None:
        return np.zeros((SIDE, SIDE), "uint8")
    solid = solid[found]
    scale = FIT / max(solid.shape)
    size = [max(1, round(side * scale)) for side in solid.shape[::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(solid, size, interpolation=how)
    y, x = centre_of_mass(small)
    top = int(np.clip(round((SIDE - 1) / 2 - y), 0, SIDE - small.shape[0]))
    left = int(np.clip(round((SIDE - 1) / 2 - x), 0, SIDE - small.shape[1]))
    image = np.zeros((SIDE, SIDE), "float32")
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return (255 * image).round().astype("uint8")
