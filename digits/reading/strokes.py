"""Pen strokes: which components are strokes on paper, by their shape and their grey values.

Others are blots, shades, and the edges of shadows and things.
"""

import cv2
import numpy as np

from digits.data.normalization import FAINTEST, padded
from digits.data.statistics import median, quantile
from digits.reading.components import SMALLEST, Component

BLOB = 0.5  # sizes of a component: with thicker strokes it is no writing
BOTH_SIDES = 0.6  # of a stroke's contrast: it has as much on both of its sides, at least
SHARP = 1.0  # of full ink: it comes in within the width of a stroke


def is_stroke(component: Component, ink: np.ndarray, image: np.ndarray) -> bool:
    """Return whether a component is a stroke on paper, or too small to tell.

    `ink` as `threshold` gives it, `image` the picture itself, uint8.
    """
    if component.size < SMALLEST:
        return True
    blob = component.stroke_width > BLOB * component.size
    return not (blob or _is_shade(component, ink) or _is_step(component, image))


def stroke_ink(component: Component, ink: np.ndarray) -> float:
    """Return how much ink the strokes of a component have, 1 is full ink, sharpened.

    The blur against noise takes half of the ink of a stroke of one pixel.
    """
    near, there = component.nearby(ink, 1)
    sharp = 3 * near - 2 * cv2.GaussianBlur(near, (3, 3), 0)
    return quantile(there.crop(sharp)[component.mask], 0.75)


def _is_shade(component: Component, ink: np.ndarray) -> bool:
    """Shadows, stains and clouds fade in over more than the width of a stroke."""
    inside = cv2.erode(padded(component.mask), np.ones((3, 3), "uint8"))[1:-1, 1:-1] > 0
    # Seen too coarsely for noise to count.
    near, there = component.nearby(ink, round(component.stroke_width))
    near = cv2.GaussianBlur(near, (0, 0), max(component.stroke_width / 8, 0.3))
    slope = cv2.magnitude(cv2.Sobel(near, cv2.CV_32F, 1, 0), cv2.Sobel(near, cv2.CV_32F, 0, 1)) / 8
    if not inside.any():  # what is a pixel or two wide is steepest beside it
        slope = cv2.dilate(slope, np.ones((3, 3), "uint8"))
    # Where a thing or a sharp shadow ends, one side is sharp, and the other fades.
    slope = quantile(there.crop(slope)[component.mask & ~inside], 0.25)
    # Thin strokes are blurred by the grid of pixels itself, so 15 of them always count.
    reach = max(component.stroke_width, 15)
    return slope * reach <= SHARP


def _is_step(component: Component, image: np.ndarray) -> bool:
    """A stroke has paper on both sides; the edge of a shadow or of a thing, on one only.

    What is narrower than two strokes and lies between lighter or darker sides is in the top-hat
    transform of the picture, a step is not.
    """
    reach = 2 * round(component.stroke_width) + 3
    around, component = component.nearby(image, reach)
    around, inked = cv2.GaussianBlur(around, (3, 3), 0), np.zeros(around.shape, "uint8")
    component.crop(inked)[:] = component.mask
    paper = around[cv2.dilate(inked, np.ones((5, 5), "uint8")) == 0]
    if not len(paper):
        return False
    contrast = median(paper) - median(around[inked > 0])
    least = BOTH_SIDES * max(abs(contrast), FAINTEST)
    square = np.ones((reach, reach), "uint8")
    hats = cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT  # dark strokes, light ones
    return all(
        median(cv2.morphologyEx(around, hat, square)[inked > 0]) < least
        for hat in (hats if contrast > 0 else hats[::-1])
    )
