"""The border: a shadow, a table or the edge of a sheet that lies along the picture's edge."""

import cv2
import numpy as np

from digits.images.components import Component, connected_components, edge_contacts
from digits.images.statistics import fraction
from digits.images.thresholding import LOW, full_ink, hysteresis_threshold

AT_EDGE = 0.8  # the fraction of a border that lies along the edge, at least


def remove_border(contrast: np.ndarray, noise: float) -> np.ndarray:
    """Return the contrast, in grey levels, with 0 where a border is.

    `contrast` and `noise` are those of `choose_polarity`.
    """
    ink = contrast / full_ink(contrast, noise)
    border = np.zeros(ink.shape, "uint8")
    if max(ink[0].max(), ink[-1].max(), ink[:, 0].max(), ink[:, -1].max()) <= LOW:
        return contrast
    for component in connected_components(hysteresis_threshold(ink)):
        along = any(fraction(side) > 0.5 for side in edge_contacts(component, ink.shape))
        if along and _keeps_to_edge(component, ink.shape):
            component.crop(border)[component.mask] = 1
    if not border.any():
        return contrast
    # Its blurred side is fainter than ink and goes with it, some way into the picture.
    fading = (ink > 0.08).astype("uint8")
    square = np.ones((3, 3), "uint8")
    for _ in range(max(ink.shape) // 12):
        border = cv2.dilate(border, square) & (fading | border)
    return np.where(cv2.dilate(border, square), 0, contrast)


def _keeps_to_edge(component: Component, shape: tuple[int, int]) -> bool:
    """Return whether nearly all of it is at the edges that it lies along, as no digit is."""
    reach = max(1, round(1.5 * component.stroke_width))
    there, near = np.zeros(shape, bool), np.zeros(shape, bool)
    component.crop(there)[:] = component.mask
    for turns in range(4):
        if fraction(np.rot90(there, turns)[0]) > 0.5:
            np.rot90(near, turns)[:reach] = True
    return fraction(near[there]) > AT_EDGE
