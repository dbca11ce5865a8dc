"""Sizes and turns: the working size, quarter turns, rotation, and the matrices back.

A matrix is (3, 3) float64 and maps x and y of an image, in pixels, to what they were before.
"""

import cv2
import numpy as np

SMALL = 112  # pixels: the longest side that the steps work at, at least
PIXELS = 1_470_000  # at most, such as 1400 x 1050, however long a picture is
LONGEST = 16_000  # pixels: the longest side, at most; OpenCV turns images of up to 32,767
STEEP = 0.27  # slope of lines and rulings, at most: 15 degrees


def to_working_size(grey: np.ndarray, enlarge: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture, (height, width) uint8, at a size to work at, and the matrix back.

    Enlarged by a whole number, unless it should not be, or reduced, and then without dust.
    """
    longest = max(grey.shape)
    most = min((PIXELS / grey.size) ** 0.5, LONGEST / longest)
    scale = most if most < 1 else max(1.0, -(-SMALL // longest)) if enlarge else 1.0
    size = [max(1, round(side * scale)) for side in grey.shape[::-1]]
    if scale > 1 or longest < SMALL:  # so few pixels that each counts
        image = cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC)
    else:
        image = _without_dust(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
    return image, np.diag((1 / scale, 1 / scale, 1))


def scale_of(back: np.ndarray) -> float:
    """Return how many pixels of the picture a pixel of the image is wide."""
    return float(np.hypot(*back[0, :2]))


def turned(image: np.ndarray, back: np.ndarray, turns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image turned to the left by right angles, and the matrix back to the picture."""
    height, width = image.shape
    turned_back = [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, -1, width], [1, 0, 0], [0, 0, 1]],
        [[-1, 0, width], [0, -1, height], [0, 0, 1]],
        [[0, 1, 0], [-1, 0, height], [0, 0, 1]],
    ][turns % 4]
    return np.ascontiguousarray(np.rot90(image, turns)), back @ np.array(turned_back, float)


def _without_dust(grey: np.ndarray) -> np.ndarray:
    """Return the picture with no pixel darker, or lighter, than all eight around it.

    A line of one pixel's width stays as it is.
    """
    around = np.ones((3, 3), "uint8")
    around[1, 1] = 0
    return np.clip(grey, cv2.erode(grey, around), cv2.dilate(grey, around))


def in_picture(box: np.ndarray, back: np.ndarray) -> tuple[int, int, int, int]:
    """Return x, y, width and height in the picture of a box: left, top, right and bottom."""
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (left, bottom), (right, bottom)])
    corners = corners @ back[:2, :2].T + back[:2, 2]
    (left, top), (right, bottom) = corners.min(axis=0).clip(0), corners.max(axis=0)
    return round(left), round(top), max(1, round(right - left)), max(1, round(bottom - top))


def edge_grey(image: np.ndarray) -> int:
    """Return the median of the pixels at the four edges, for what lies beyond them."""
    return int(np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])))


def rotate(image: np.ndarray, slope: float, beyond: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return `image` rotated so that lines falling by `slope` are level, and the matrix back.

    `beyond` is the value of pixels that lay outside it.
    """
    height, width = image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), np.degrees(np.arctan(slope)), 1)
    around = np.abs(turn[:, :2]) @ (width, height)
    turn[:, 2] += (around - (width, height)) / 2
    size = [int(np.ceil(side)) for side in around]
    back = np.linalg.inv(np.vstack([turn, (0, 0, 1)]))
    how = {"flags": cv2.INTER_LINEAR, "borderValue": beyond}
    return cv2.warpAffine(image, turn, size, **how), back
