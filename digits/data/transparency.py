"""What the transparent parts of a picture stand for: the paper that its opaque parts were on."""

import cv2
import numpy as np
from PIL import Image

from digits.data.colours import to_grey

OPAQUE = 0.9  # of the most there is; what is less may be mixed with any colour
ALIKE = 30  # grey levels by which parts of one colour differ, at most
MOSTLY = 2  # times as large is the share of the inside as that of the border, at least
GREYS = np.arange(256)


def on_its_paper(picture: Image.Image) -> Image.Image:
    """Return a picture of mode RGBA or LA in grey, with its paper where it is transparent.

    The border between opaque and transparent tells what paper. Where it differs from what is
    inside, it is a fringe that was left of the paper. Where it doesn't, but other values are
    inside, all of it is paper with ink on it. Else it is ink alone, on what is unlike it.
    """
    alpha = picture.getchannel("A")
    least, most = alpha.getextrema()
    if least == most:  # which says nothing
        return Image.fromarray(to_grey(picture))
    grey = picture.convert("L")
    values = np.asarray(grey)
    opaque = (np.asarray(alpha) > OPAQUE * most).astype("uint8")
    inside = cv2.erode(opaque, np.ones((3, 3), "uint8"))
    border = cv2.subtract(opaque, inside)
    paper = _paper(_histogram(values, border), _histogram(values, inside))
    return Image.composite(grey, Image.new("L", grey.size, paper), alpha)


def _histogram(grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return cv2.calcHist([grey], [0], mask, [256], [0, 256]).ravel()


def _paper(border: np.ndarray, inside: np.ndarray) -> int:
    """Return the paper's grey from the histograms of the border and of what is inside."""
    if not border.any():  # no part is so transparent that it shows the paper
        return _quantile(inside, 0.5)
    if not inside.any():
        inside = border
    edge, middle = _quantile(border, 0.5), _quantile(inside, 0.5)

    def mostly_inside(values: np.ndarray) -> bool:
        parts = [histogram[values].sum() / histogram.sum() for histogram in (inside, border)]
        return parts[0] > MOSTLY * parts[1]

    if abs(edge - middle) > ALIKE and mostly_inside(np.abs(GREYS - middle) <= ALIKE):
        return _quantile(border, 0.95 if edge > middle else 0.05)
    if mostly_inside(np.abs(GREYS - edge) > 2 * ALIKE):
        return edge
    return 0 if edge > 127 else 255


def _quantile(histogram: np.ndarray, part: float) -> int:
    return int(np.searchsorted(histogram.cumsum(), part * histogram.sum()))
