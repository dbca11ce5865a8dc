"""A sheet of paper that lies on a table, or a canvas in a larger picture."""

import cv2
import numpy as np

from digits.images.paper import without_narrow
from digits.images.pieces import bounds
from digits.images.statistics import median, share

SIZE = 128  # the longest side that a sheet is looked for at
STROKES = 11, 5  # pixels of that size: so thick are the strokes that are taken away
STEP = 12  # grey levels between sheet and table, at least
LEAST, MOST = 0.1, 0.95  # share of the picture that a sheet covers


def find_sheet(grey: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """Return rows and columns of the sheet on a picture, and the picture there.

    What is not sheet between them has become like the sheet nearby. None if there is no
    sheet: nothing with four straight sides that is lighter or darker than all around it.
    """
    height, width = grey.shape
    factor = min(1, SIZE / max(height, width))
    size = [max(16, round(side * factor)) for side in (width, height)]
    small = cv2.medianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), 3)
    for stroke in STROKES if factor < 1 else STROKES[:1]:  # in a small picture that is enough
        for way in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):  # dark ones, light ones
            plain = without_narrow(small, way, stroke // 2)
            _, light = cv2.threshold(plain, 0, 1, cv2.THRESH_OTSU)
            for side in (light, 1 - light):
                sheet = _four_sided(side)
                if sheet is not None and _stands_out(small, plain, sheet):
                    return _alone(grey, plain, sheet)
    return None


def _four_sided(mask: np.ndarray) -> np.ndarray | None:
    """Return the largest piece of `mask` (uint8) without its holes, if it has four sides."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    outline = max(contours, key=cv2.contourArea)
    x, y, width, height = cv2.boundingRect(outline)
    edges = (x == 0) + (y == 0) + (x + width == mask.shape[1]) + (y + height == mask.shape[0])
    if edges > 1 or width * height < LEAST * mask.size:
        return None
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    if not LEAST * mask.size < area < MOST * mask.size or cv2.contourArea(outline) < 0.93 * area:
        return None
    corners = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True)
    if len(corners) > 5 or cv2.contourArea(corners) < 0.88 * area:
        return None
    sheet = cv2.fillConvexPoly(np.zeros_like(mask), hull, 1)  # a digit at its edge left a bite
    # The edge itself is blurred, and seldom quite straight.
    sheet = cv2.erode(sheet, np.ones((5, 5), "uint8"), borderValue=1)
    return sheet if sheet.any() else None


def _stands_out(small: np.ndarray, plain: np.ndarray, sheet: np.ndarray) -> bool:
    """Tell a sheet with strokes on it from strokes that have run together."""
    inside = small[sheet > 0].astype("float32")
    empty = np.abs(plain[sheet > 0] - inside) < STEP
    return abs(median(inside) - median(small[sheet == 0])) >= STEP and share(empty) > 0.6


def _alone(
    grey: np.ndarray, plain: np.ndarray, sheet: np.ndarray
) -> tuple[tuple[slice, slice], np.ndarray] | None:
    size = grey.shape[::-1]
    inside = cv2.resize(sheet, size, interpolation=cv2.INTER_NEAREST) > 0
    place = bounds(inside)
    if place is None:  # the picture is a few pixels high or wide
        return None
    # Around the sheet it goes on as at its nearest point.
    _, nearest = cv2.distanceTransformWithLabels(
        1 - sheet, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(nearest.max() + 1, "uint8")
    values[nearest[sheet > 0]] = plain[sheet > 0]
    around = cv2.resize(cv2.blur(values[nearest], (5, 5)), size, interpolation=cv2.INTER_LINEAR)
    return place, np.where(inside[place], grey[place], around[place])
