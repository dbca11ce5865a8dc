"""Digits as much of the world writes them and MNIST's American writers do not.

Drawn along a few points that vary: a 1 with a long upstroke, a 4 in one line, like a
lightning, a 7 with a bar through its stem, a 9 whose tail curls like that of a g.
"""

import cv2
import numpy as np

from digits.data.normalization import LOW, bounding_box, full_ink, normalize_digit

SIDE = 64  # pixels, height of the canvas on which they are drawn
ON_PAGE = 10, 36  # pixels: the size of what is as small as on a page
BLUR = 0.3, 0.9  # pixels, standard deviation: how sharp it is there
NOISE = 0.08  # of full ink, largest standard deviation
Points = list[tuple[float, float]]  # x and y along a stroke, from 0 to 1


def draw_digit(digit: int, rng: np.random.Generator) -> np.ndarray:
    """Return a made-up 1, 4, 7 or 9, (28, 28) uint8, prepared as digits are."""
    canvas = np.zeros((SIDE, 2 * SIDE), "uint8")
    thickness, rounding = int(rng.integers(4, 9)), rng.uniform(0.02, 0.08)
    width, slant = rng.uniform(0.45, 1.2), rng.uniform(-0.1, 0.3)
    for points in WRITTEN[digit](rng):
        points = smooth(points, rounding) * (width, 1)
        points[:, 0] -= slant * points[:, 1]
        draw_line(canvas, (SIDE / 2, 8) + (SIDE - 16) * points, thickness)
    return prepared(canvas)


def smooth(points: Points, rounding: float) -> np.ndarray:
    """Return 40 points along a line through `points`, (40, 2), with its corners rounded."""
    points = np.array(points)
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    at = np.linspace(0, along[-1], 40)
    line = np.stack([np.interp(at, along, axis) for axis in points.T], axis=1)
    near = np.exp(-(((at[:, None] - at) / rounding) ** 2) / 2)
    return near @ line / near.sum(axis=1, keepdims=True)


def draw_line(canvas: np.ndarray, points: np.ndarray, thickness: int) -> None:
    """Draw a line through points (n, 2), x and y in pixels."""
    cv2.polylines(canvas, [(16 * points).round().astype("int32")], False, 255, thickness, shift=4)


def prepared(canvas: np.ndarray) -> np.ndarray:
    """Return what is drawn as MNIST prepared its digits, (28, 28) uint8."""
    mask = canvas[bounding_box(canvas > 127)] > 127
    return normalize_digit(mask, mask.astype("float32"))


def prepared_small(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what is drawn as it is prepared from a page, where it is small, (28, 28) uint8."""
    drawn = canvas[bounding_box(canvas > 127) or ...].astype("float32")
    scale = rng.uniform(*ON_PAGE) / max(drawn.shape)
    size = [max(2, round(side * scale)) for side in drawn.shape[::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    contrast = np.pad(cv2.resize(drawn, size, interpolation=how), 3)
    contrast = cv2.GaussianBlur(contrast, (0, 0), rng.uniform(*BLUR))
    ink = contrast / full_ink(contrast, 0)
    ink += rng.uniform(0, NOISE) * rng.standard_normal(ink.shape, "float32")
    found = bounding_box(ink > LOW)
    if found is None:  # a picture of somebody's own may be faint
        return np.zeros((28, 28), "uint8")
    return normalize_digit(ink[found] > LOW, ink[found])


def _one(rng: np.random.Generator) -> list[Points]:
    top, rise, foot = rng.uniform(0.6, 1), rng.uniform(0.2, 0.95), rng.uniform(-0.5, 0.25)
    start = max(0, top - rng.uniform(0.7, 1.7) * rise)  # an upstroke nearly level makes a 7
    knee = (start + top) / 2, rise * rng.uniform(0.25, 0.9)
    foot = min(1, top + foot)
    strokes = [_shaken([(start, rise), knee, (top, 0), (foot, 1)], rng)]
    if rng.random() < 0.15:
        strokes.append(_shaken([(foot - 0.4, 1), (foot + 0.4, 1)], rng))
    return strokes


def _four(rng: np.random.Generator) -> list[Points]:
    top, knee, tilt = rng.uniform(0.35, 0.8), rng.uniform(0.45, 0.8), rng.uniform(-0.05, 0.1)
    right, end = rng.uniform(0.75, 1), rng.uniform(0.4, 0.85)
    stem = [(right - rng.uniform(0, 0.15), knee - rng.uniform(0.1, 0.4)), (end, 1)]
    line = [(top, 0), (0, knee), (right, knee - tilt)]
    kind = rng.integers(4)
    if kind < 2:  # straight on
        return [_shaken([*line, (end, 1)], rng)]
    if kind == 2:  # up and down again, without lifting the pen
        return [_shaken([*line, *stem], rng)]
    return [_shaken(line, rng), _shaken(stem, rng)]


def _seven(rng: np.random.Generator) -> list[Points]:
    right, foot = rng.uniform(0.75, 1), rng.uniform(0.05, 0.65)
    left, low = rng.uniform(-0.05, 0.15, 2)
    middle = (right + foot) / 2 + rng.uniform(-0.15, 0.05)
    line = [(left, low), (right / 2, rng.uniform(-0.03, 0.1)), (right, 0), (middle, 0.5), (foot, 1)]
    if rng.random() < 0.25:
        line.insert(0, (left + rng.uniform(-0.03, 0.06), low + rng.uniform(0.08, 0.2)))
    strokes = [_shaken(line, rng)]
    if rng.random() < 0.8:
        y, tilt = rng.uniform(0.38, 0.65), rng.uniform(-0.05, 0.1)
        x = np.interp(y, [0, 0.5, 1], [right, middle, foot]) + rng.uniform(0.12, 0.35, 2) * (-1, 1)
        strokes.append(_shaken([*zip(x, (y + tilt, y - tilt), strict=True)], rng))
    return strokes


def _nine(rng: np.random.Generator) -> list[Points]:
    low, right = rng.uniform(0.32, 0.55), rng.uniform(0.6, 0.95)
    left = right - rng.uniform(0.4, 0.7)
    turn = np.linspace(rng.uniform(-0.7, 0.1), rng.uniform(-0.4, 0.2) - 2 * np.pi, 12)
    x = (left + right) / 2 + (right - left) / 2 * np.cos(turn)
    loop = zip(x, low / 2 * (1 + np.sin(turn)), strict=True)
    tail = [
        (rng.uniform(0.8, 1), rng.uniform(0.6, 0.85)),
        (rng.uniform(0.4, 0.9), 1),
        (rng.uniform(0, 0.25), rng.uniform(0.8, 1)),
    ]
    before = [(rng.uniform(0.8, 1), rng.uniform(0, 0.15))] if rng.random() < 0.3 else []
    return [[*before, *loop, *_shaken(tail, rng)]]


def _shaken(points: Points, rng: np.random.Generator) -> Points:
    return [*map(tuple, np.array(points) + rng.normal(0, 0.04, (len(points), 2)))]


WRITTEN = {1: _one, 4: _four, 7: _seven, 9: _nine}
