"""Pen strokes: which components are strokes on paper, by their shape and their grey values.

Others are blots, creases, shadows, and edges and patterns of things.
"""

import cv2
import numpy as np

from digits.images.components import SMALLEST, Component, edge_contacts, padded
from digits.images.statistics import median, quantile
from digits.images.threshold import FAINTEST

BLOB = 0.5  # sizes of a component: with thicker strokes it is no writing
SOLID_BLOB = 0.36  # sizes of a component: the same for one without any dent or hole
HAIR = 0.03  # sizes of a component: what runs from edge to edge is thicker
BOTH_SIDES = 0.6  # of a stroke's contrast: it has as much on both of its sides, at least
SHARP = 1.0  # of full ink: it comes in within the width of a stroke
PAPER = 0.2  # of full ink: nine tenths of the paper around strokes have less


def keep_strokes(
    components: list[Component], ink: np.ndarray, mask: np.ndarray, image: np.ndarray
) -> list[Component]:
    """Return the components that are strokes on paper, and those too small to tell.

    `ink` and `mask` as `threshold` gives them, `image` the picture itself, uint8.
    """
    return [
        c
        for c in components
        if c.size < SMALLEST
        or not (
            _is_blob(c)
            or _is_crease(c, ink.shape)
            or _is_shade(c, ink)
            or _on_a_thing(c, ink, mask)
            or _is_step(c, image)
        )
    ]


def _is_crease(component: Component, shape: tuple[int, int]) -> bool:
    """A fold, a hair or a cable runs from edge to edge and is far thinner than a 1 of that size."""
    across = component.height == shape[0] or component.width == shape[1]
    return across and component.stroke_width < HAIR * component.size


def _is_shade(component: Component, ink: np.ndarray) -> bool:
    """Shadows, stains and clouds fade in over more than the width of a stroke."""
    outline = padded(component.mask)
    outline = (outline - cv2.erode(outline, np.ones((3, 3), "uint8")))[1:-1, 1:-1] > 0
    # Seen too coarsely for noise to count.
    near, there = component.nearby(ink, round(component.stroke_width))
    near = cv2.GaussianBlur(near, (0, 0), max(component.stroke_width / 8, 0.3))
    slope = cv2.magnitude(cv2.Sobel(near, cv2.CV_32F, 1, 0), cv2.Sobel(near, cv2.CV_32F, 0, 1)) / 8
    # Where a thing or a sharp shadow ends, one side is sharp, and the other fades.
    slope = quantile(there.crop(slope)[outline], 0.25)
    # Thin strokes are blurred by the grid of pixels itself, so 15 of them always count.
    reach = max(component.stroke_width, 15)
    across = len(edge_contacts(component, ink.shape)) > 1  # more likely what is left of a border
    return slope * reach <= SHARP * (1.2 if across else 1)


def _is_blob(component: Component) -> bool:
    """Strokes are thinner, and only a thick 1 has neither dents nor holes."""
    if component.stroke_width < SOLID_BLOB * component.size:
        return False
    return component.stroke_width > BLOB * component.size or component.solidity > 0.98


def _on_a_thing(component: Component, ink: np.ndarray, mask: np.ndarray) -> bool:
    """Around strokes is paper, around a thing the rest of the picture."""
    room = round(1.5 * component.stroke_width) + 3
    reach = max(1, int(component.stroke_width / 2))
    inked = component.nearby(mask, room)[0].astype("uint8")
    inked = cv2.dilate(inked, np.ones((2 * reach + 1,) * 2, "uint8"))
    around = component.nearby(ink, room)[0][inked == 0]
    return len(around) > 0 and quantile(around, 0.9) >= PAPER


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
