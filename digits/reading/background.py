"""The background: what the paper of a picture looks like without the ink, in whatever light.

Four estimates, each for another light: one grey value, a surface of second degree, the
morphological closing or opening (what is left is the top-hat transform), and a median filter.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from digits.data.statistics import fraction, median

NEAR = 10  # grey levels: paper differs by no more from what it is taken for
EVEN = 3  # grey levels: in even light, half of the picture's edge differs by less from one value
AT_EDGE = 0.85  # fraction of the pixels along the picture's edge: more of them are paper
TWO_LEVELS = 0.8  # fraction of the variance of the grey values: more is between paper and ink
NARROW = 32  # half widths of the widest stroke in the picture's longest side
THIN = 0.8  # fraction of the pixels of strokes: more are in strokes half as wide, at most
STEP = 20  # pixels of a copy whose longest side is 128: how far the median reaches


def estimate_background(grey: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield how far each pixel may be darker than the paper, and how far lighter.

    All are (height, width) float32, in grey levels. A flat background (a scan, a paint
    program) is one value, and a page in even light one gentle slope. In other light, narrow
    strokes are what stands out from both of its sides, and for thick ones the paper is
    followed by a median that steps over them.
    """
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)

    def both(paper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return paper - smooth, smooth - paper

    edge = _edge(grey.shape, max(1, round(min(grey.shape) * 0.04)))
    flat = np.full(grey.shape, median(grey.take(edge)), "float32")
    away = np.abs(grey - flat)
    near = away <= NEAR
    near_at_edge = fraction(near.take(edge))
    mostly_paper = near_at_edge > AT_EDGE
    is_flat = mostly_paper or _only_strokes(grey, flat[0, 0])
    evenly_lit = median(away.take(edge)) < EVEN
    if is_flat and evenly_lit and near_at_edge > 0.995:  # nothing at the edge
        yield both(flat)
        return
    tophat = _tophat(smooth)
    if tophat is not None:
        yield tophat
    if is_flat and evenly_lit:
        yield both(flat)
    slope = _surface(grey)
    near = np.abs(grey - slope) <= NEAR
    if fraction(near.take(edge)) > AT_EDGE:
        yield both(slope)
    small = _shrunk(grey, 128)
    framed = cv2.copyMakeBorder(small, STEP, STEP, STEP, STEP, cv2.BORDER_REFLECT)
    paper = cv2.medianBlur(framed, 2 * STEP + 1)[STEP:-STEP, STEP:-STEP]
    paper = cv2.GaussianBlur(paper.astype("float32"), (0, 0), 1)
    yield both(_enlarged(paper, grey.shape))


def _without_narrow(picture: np.ndarray, way: int, room: int) -> np.ndarray:
    """Return a picture whose dark (MORPH_CLOSE) or light things narrower than 2 * room are gone.

    They take the grey of their sides. A step stays as it is, however sharp (Serra, 1982), at
    the picture's edge too, where everything is taken to go on straight.
    """
    height, width = picture.shape
    # Beyond the picture's whole height or width nothing new is found.
    up, across = min(room, height - 1), min(room, width - 1)
    # Twice as much around, so that nothing at the edge is narrow because it ends there.
    frame = (2 * up,) * 2 + (2 * across,) * 2
    framed = cv2.copyMakeBorder(picture, *frame, cv2.BORDER_REPLICATE)
    around = np.ones((2 * up + 1, 2 * across + 1), "uint8")
    without = cv2.morphologyEx(framed, way, around)
    return without[2 * up :, 2 * across :][:height, :width]


def _tophat(smooth: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return how far narrow things stand out from their two sides, darker and lighter ones.

    Those of one of the two are the strokes. None if they are so thick that half as much room
    is too narrow for them.
    """
    room = max(2, max(smooth.shape) // NARROW)  # half of it is a pixel at least
    ways = cv2.MORPH_CLOSE, cv2.MORPH_OPEN
    nearby = [cv2.absdiff(_without_narrow(smooth, way, room // 2), smooth) for way in ways]
    dark = nearby[0].sum() > nearby[1].sum()
    strokes = cv2.absdiff(_without_narrow(smooth, ways[not dark], room), smooth)
    full = strokes.max() / 2
    if np.count_nonzero(nearby[not dark] > full) < THIN * np.count_nonzero(strokes > full):
        return None
    strokes = strokes - np.float32(median(strokes))
    return (strokes, np.zeros_like(strokes))[:: 1 if dark else -1]


def _only_strokes(grey: np.ndarray, paper: float) -> bool:
    """Return whether all but flat paper is strokes, even where they reach the picture's edge.

    So it is in a digit cut out tightly. Two grey values explain nearly all of it, as Otsu's
    method parts them, and unlike a shadow or a table no stroke lies along a whole edge.
    """
    small = _shrunk(grey, min(128, max(grey.shape)))
    threshold, light = cv2.threshold(small, 0, 1, cv2.THRESH_OTSU)
    ink = light != (paper > threshold)
    if fraction(ink) in (0, 1) or max(map(fraction, (ink[0], ink[-1], *ink.T[[0, -1]]))) > 0.9:
        return False
    return np.corrcoef(ink.ravel(), small.ravel())[0, 1] ** 2 > TWO_LEVELS


def _surface(grey: np.ndarray) -> np.ndarray:
    """Return the surface of second degree nearest to the paper.

    It is fitted again and again to what is near it, ever more strictly: first along the
    picture's edge, which is mostly paper, then everywhere.
    """
    small = _shrunk(grey, 64)
    y, x = np.indices(small.shape) / 64
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y]).reshape(6, -1)
    values, edge = small.ravel().astype("float64"), _edge(small.shape, 3)
    everywhere, along_edge = (terms, values), (terms[:, edge], values[edge])
    factors = np.array([median(values[edge]), 0, 0, 0, 0, 0])
    for strict in (8, 4, 2, 2, 1, 1, 1, 1):
        known, found = everywhere if strict == 1 else along_edge
        away = (found - factors @ known) / (strict * NEAR)
        weighted = known / (1 + away * away) ** 2
        factors = np.linalg.lstsq(weighted @ known.T, weighted @ found, rcond=None)[0]
    return _enlarged((factors @ terms).reshape(small.shape), grey.shape)


def _edge(shape: tuple[int, int], margin: int) -> np.ndarray:
    """Return which pixels of a picture of that shape, row after row, are along its edge."""
    edge = np.ones(shape, bool)
    edge[margin:-margin, margin:-margin] = False
    return np.flatnonzero(edge)


def _shrunk(grey: np.ndarray, longest: int) -> np.ndarray:
    factor = longest / max(grey.shape)
    size = [max(8, round(side * factor)) for side in grey.shape[::-1]]
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def _enlarged(paper: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(paper.astype("float32"), shape[::-1], interpolation=cv2.INTER_LINEAR)
