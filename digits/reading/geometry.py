"""Sizes and turns: the working size, quarter turns, rotation, and the matrices back.

A matrix is (3, 3) float64 and maps x and y of an image, in pixels, to what they were before.
"""

import cv2
import numpy as np

SMALL, LARGE = 112, 1400  # pixels: the longest side that the steps work at
STEEP = 0.27  # slope of lines and rulings, at most: 15 degrees


def to_working_size(
    grey: np.ndarray, turns: int = 0, pixels: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture turned to the left by right angles, at a size to work at; and the way back.

    `grey`: (height, width) uint8. Enlarged by a whole number, or reduced, and then without dust:
    to `pixels` in all where they are given, however long it is.
    """
    height, width = grey.shape
    back = np.array(
        [
            [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            [[0, -1, width], [1, 0, 0], [0, 0, 1]],
            [[-1, 0, width], [0, -1, height], [0, 0, 1]],
            [[0, 1, 0], [-1, 0, height], [0, 0, 1]],
        ][turns],
        float,
    )
    longest = max(grey.shape)
    most = (pixels / grey.size) ** 0.5 if pixels else LARGE / longest
    scale = most if most < 1 else max(1.0, -(-SMALL // longest))
    turned = np.ascontiguousarray(np.rot90(grey, turns))
    size = [max(1, round(side * scale)) for side in turned.shape[::-1]]
    if scale > 1:  # so few pixels that each counts
        image = cv2.resize(turned, size, interpolation=cv2.INTER_CUBIC)
    else:
        image = _without_dust(cv2.resize(turned, size, interpolation=cv2.INTER_AREA))
    return image, back @ np.diag((1 / scale, 1 / scale, 1))


def _without_dust(grey: np.ndarray) -> np.ndarray:
    """Return the picture with no pixel darker, or lighter, than all eight around it.

    A line of one pixel's width stays as it is.
    """
    around = np.ones((3, 3), "uint8")
    around[1, 1] = 0
    return np.clip(grey, cv2.erode(grey, around), cv2.dilate(grey, around))


def rotate(image: np.ndarray, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Return `image` rotated so that lines falling by `slope` are level, and the matrix back."""
    height, width = image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), np.degrees(np.arctan(slope)), 1)
    around = np.abs(turn[:, :2]) @ (width, height)
    turn[:, 2] += (around - (width, height)) / 2
    size = [int(np.ceil(side)) for side in around]
    back = np.linalg.inv(np.vstack([turn, (0, 0, 1)]))
    return cv2.warpAffine(image, turn, size, flags=cv2.INTER_LINEAR), back
