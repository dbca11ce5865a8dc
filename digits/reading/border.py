"""The border: a shadow, a table or the edge of a sheet that lies along the picture's edge."""

import cv2
import numpy as np

from digits.data.statistics import fraction
from digits.reading.components import Component, edge_contacts

AT_EDGE = 0.8  # the fraction of a border that is at the edges that it lies along, at least


def find_border(ink: np.ndarray, components: list[Component], *_: np.ndarray) -> np.ndarray:
    """Return where a border is, (height, width) bool; the arguments are what `threshold` gives."""
    border = np.zeros(ink.shape, "uint8")
    for component in components:
        if not edge_contacts(component, ink.shape):
            continue
        there, near = np.zeros(ink.shape, bool), np.zeros(ink.shape, bool)
        component.crop(there)[:] = component.mask
        for turns in range(4):
            if fraction(np.rot90(there, turns)[0]) > 0.5:
                np.rot90(near, turns)[: max(1, round(1.5 * component.stroke_width))] = True
        if fraction(near[there]) > AT_EDGE:  # as it is of no digit
            border[there] = 1
    return cv2.dilate(border, np.ones((5, 5), "uint8")) > 0  # its blurred side, too
