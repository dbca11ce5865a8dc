"""Thresholding: which contrast with the background is ink, and by hysteresis where ink is."""

import cv2
import numpy as np

from digits.data.normalization import LOW, full_ink
from digits.data.statistics import median
from digits.reading.components import Component, connected_components

BLURRED = 6  # of the picture's longest side: what is blurred over one 6th of it is no stroke
TRACE = 0.12, 4  # of full ink, and standard deviations of the noise: a trace has more than either
HIGH = 0.48  # of full ink: the upper threshold of the hysteresis; the lower one is LOW


def choose_polarity(darker: np.ndarray, lighter: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the contrast of the ink, be it dark or light, and the noise of the background.

    `darker` and `lighter`: (height, width) float32, by how many grey levels each pixel is darker
    and lighter than the background. Ink is the one of the two with more of what is sharp, as
    strokes are and shades are not. Noise is a standard deviation, in grey levels.
    """
    away = np.maximum(np.abs(darker), np.abs(lighter))
    # Strokes may fill more than half of a picture.
    near = away[away <= (away.min() + away.max()) / 2]
    noise = 1.4826 * median(near)  # a standard deviation, if it is normally distributed

    def sharp(contrast: np.ndarray) -> float:
        faint = LOW * full_ink(contrast, noise)
        if faint == np.inf:
            return 0.0
        sharp = contrast - cv2.blur(contrast, (max(contrast.shape) // BLURRED | 1,) * 2)
        return float(sharp[np.minimum(contrast, sharp) > faint].sum())

    return max(darker, lighter, key=sharp), noise


def threshold(contrast: np.ndarray, noise: float) -> tuple[np.ndarray, list[Component], np.ndarray]:
    """Return how much ink there is at each pixel, its components, and where a trace of it is.

    (height, width) float32, 0 for the background and 1 for full ink; and uint8.
    """
    full = full_ink(contrast, noise)
    ink = np.maximum(contrast / full, 0)
    trace = contrast > max(TRACE[0] * full, TRACE[1] * noise)
    return ink, hysteresis_threshold(ink), trace.astype("uint8")


def hysteresis_threshold(ink: np.ndarray) -> list[Component]:
    """Return the components of what is above the low threshold, those with some above the high.

    OpenCV has this only inside its edge detector (Canny, 1986).
    """
    return connected_components(ink > LOW, core=ink > HIGH)
