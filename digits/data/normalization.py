"""Size and position normalisation: from the ink of a digit to 28x28 pixels, as MNIST's are.

Scaled to fit 20x20, with its aspect ratio kept, and placed with its centre of mass in the
middle of 28x28 (LeCun et al., 1998). Its strokes are brought near the width of MNIST's.
"""

import cv2
import numpy as np

from digits.data.statistics import quantile

SIDE, FIT = 28, 20  # pixels: MNIST's images, and the box that a digit fits in
STROKE_WIDTH = 2.0, 3.4  # pixels of 28x28: the thinnest and thickest strokes that stay as they are
FAINTEST = 6  # grey levels between background and ink; less is no writing
NOISE = 5  # standard deviations of the background's noise: ink has more contrast
LOW = 0.3  # of full ink: with less, a pixel is paper
GREY = 40  # pixels: of a digit no larger the grey values are taken


def padded(mask: np.ndarray, room: int = 1) -> np.ndarray:
    """Return `mask` as uint8 with `room` empty pixels all round."""
    return cv2.copyMakeBorder(mask.astype("uint8"), *(room,) * 4, cv2.BORDER_CONSTANT, value=0)


def bounding_box(mask: np.ndarray) -> tuple[slice, slice] | None:
    """Return the rows and columns between which all that is set lies; None if nothing is."""
    x, y, width, height = cv2.boundingRect(mask.astype("uint8"))
    return (slice(y, y + height), slice(x, x + width)) if width else None


def stroke_width(mask: np.ndarray) -> float:
    """Return it in pixels: in a long stroke, four times the mean distance to the background."""
    distance = cv2.distanceTransform(padded(mask), cv2.DIST_L2, 5)
    return 4 * float(distance.sum() / np.count_nonzero(mask)) - 1


def full_ink(contrast: np.ndarray, noise: float) -> float:
    """Return the contrast of full ink in grey levels; infinity if nothing stands out."""
    values = contrast[contrast > max(FAINTEST, NOISE * noise)]
    return quantile(values, 0.75) if len(values) >= 8 else np.inf


def as_normalized(grey: np.ndarray) -> np.ndarray | None:
    """Return a picture with ink light if it is as MNIST's are, else None.

    28x28 with an empty border, a longest side of 20 and the centre of mass in the middle:
    what has been normalised once must not be normalised again.
    """
    if grey.shape != (SIDE, SIDE):
        return None
    image = 255 - grey if grey[0, 0] > 127 else grey
    found = bounding_box(image)
    if found is None:
        return None
    longest = max(image[found].shape)
    centred = np.abs(centre_of_mass(image) - (SIDE - 1) / 2).max() < 1.2
    return image if FIT - 1 <= longest <= FIT + 1 and centred else None


def centre_of_mass(image: np.ndarray) -> np.ndarray:
    """Return x and y of the centre of mass, the middle of a pixel being whole; (2,) float64.

    `cv2.moments` would take an image two pixels wide for a list of points.
    """
    columns, rows = (image.sum(axis=axis, dtype="float64") for axis in (0, 1))
    first_moments = [along @ np.arange(len(along)) for along in (columns, rows)]
    return np.array(first_moments) / columns.sum()


def normalize_digit(mask: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Return a digit as MNIST's are, (28, 28) uint8, ink 255 on 0.

    `mask` (height, width) bool tells its pixels, and `ink`, float32 of the same shape, how much
    ink is there: 0 paper and 1 full ink.
    """
    if max(mask.shape) <= GREY:  # as a mask, a small digit would lose its loops
        around = cv2.dilate(mask.astype("uint8"), np.ones((3, 3), "uint8"))
        return _placed(ink.clip(0, 1) * around)
    scale = FIT / max(mask.shape)
    width = stroke_width(mask) * scale
    grow = (np.clip(width, *STROKE_WIDTH) - width) / (2 * scale)
    mask = padded(mask, max(2, int(np.ceil(grow)) + 2))
    solid = mask.astype("float32")
    if grow > 0:
        outside = exact_distance(1 - mask)
        solid = np.clip(grow + 1 - outside, 0, 1)
    elif grow < 0:
        inside = exact_distance(mask)
        solid = np.clip(inside + grow, 0, 1)
    return _placed(solid)


def exact_distance(mask: np.ndarray) -> np.ndarray:
    """Return the distance of each set pixel to the nearest other, (height, width) float32.

    Its square is a whole number. OpenCV's differs from one run to the next in the last bit, and
    the same seed would not give the same weights.
    """
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt((distance**2).round())


def _placed(solid: np.ndarray) -> np.ndarray:
    """Scale ink 0 to 1 of any size to fit 20x20 and put its centre of mass in the middle."""
    image = np.zeros((SIDE, SIDE), "float32")
    found = bounding_box(solid > 0.3)
    if found is None:
        return image.astype("uint8")
    solid = solid[found]
    scale = FIT / max(solid.shape)
    size = [max(1, round(side * scale)) for side in solid.shape[::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(solid, size, interpolation=how)
    corner = ((SIDE - 1) / 2 - centre_of_mass(small)).round()
    left, top = np.clip(corner, 0, SIDE - np.array(size)).astype(int)
    image[top : top + size[1], left : left + size[0]] = small
    return (255 * image).round().astype("uint8")
