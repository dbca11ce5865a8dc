"""Text lines: how far they are tilted, and what stands in which, from left to right.

Boxes are (n, 4): left, top, right and bottom in pixels.
"""

import numpy as np

from digits.reading.components import SMALLEST, Component, corners
from digits.reading.geometry import STEEP, rotate

LEVEL = 0.07  # slope of the lines: less is left as it is
NEXT = 3  # heights of the writing to the next digit of a line, at most, where slope is measured
ALIKE = 1.4  # times the height of a digit: others in its row are no higher, nor so much lower
LOW = 0.25  # heights of its line: what is lower is no digit


def deskew(
    ink: np.ndarray, components: list[Component], height: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return `ink` with its lines level and the matrix back; None if they are so already."""
    slope = estimate_slope(_boxes(components), height)
    return rotate(ink, slope) if abs(slope) > LEVEL else None


def estimate_slope(boxes: np.ndarray, height: float) -> float:
    """Return how far lines fall, as a fraction of their length: the median over neighbours.

    `height` is that of the writing, in pixels.
    """
    heights = boxes[:, 3] - boxes[:, 1]
    boxes = boxes[(0.6 * height < heights) & (heights < 1.6 * height)]
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).T
    slopes = []
    for i in range(len(boxes)):
        dx, dy = x - x[i], y - y[i]
        there = (dx > 0.3 * height) & (dx < NEXT * height) & (abs(dy) < 0.3 * dx + 0.1 * height)
        if there.any():
            j = np.flatnonzero(there)[np.hypot(dx, 2 * dy)[there].argmin()]
            slopes.append(dy[j] / dx[j])
    if len(slopes) < 3:
        return 0.0
    slope = float(np.median(slopes))
    spread = np.median(np.abs(slopes - np.float64(slope)))
    # A few digits that jump from line to line are no tilt.
    clear = 4 * spread / np.sqrt(len(slopes)) < abs(slope) < STEEP
    return slope if clear and spread < 0.1 else 0.0


def find_lines(boxes: np.ndarray, height: float) -> list[list[int]]:
    """Return the numbers of the boxes, line by line from the top, each from left to right.

    One follows the line whose last three overlap it most in height; what is small is put in
    afterwards. `height` is that of the writing, in pixels.
    """
    tops, bottoms = boxes[:, 1], boxes[:, 3]
    heights, middles = bottoms - tops, (boxes[:, 0] + boxes[:, 2]) / 2
    lines: list[list[int]] = []
    ends = np.empty((len(boxes), 2))  # top and bottom of the last boxes of each line
    for n in np.lexsort((middles, heights < 0.5 * height)):
        top, bottom = ends[: len(lines)].T
        common = np.minimum(bottom, bottoms[n]) - np.maximum(top, tops[n])
        part = common / np.minimum(bottom - top, heights[n])
        i = int(part.argmax()) if len(lines) and part.max() > 0.4 else len(lines)
        if i == len(lines):
            lines.append([])
        lines[i].append(int(n))
        if len(lines[i]) == 1 or heights[n] >= 0.5 * height:
            last = lines[i][-3:]
            ends[i] = tops[last].min(), bottoms[last].max()
    lines.sort(key=lambda line: (tops[line] + bottoms[line]).mean())
    return [sorted(line, key=lambda n: middles[n]) for line in lines]


def levelled(boxes: np.ndarray, height: float) -> np.ndarray:
    """Return the boxes where they would stand if their lines were level."""
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    return boxes - estimate_slope(boxes, height) * np.outer(x, (0, 1, 0, 1))


def in_lines(components: list[Component], height: float) -> list[list[Component]]:
    """Return components line by line, as `find_lines` does."""
    return [[components[n] for n in line] for line in find_lines(_boxes(components), height)]


def _boxes(components: list[Component]) -> np.ndarray:
    return np.array([corners(c) for c in components]).reshape(-1, 4)


def split_marks(line: list[Component]) -> tuple[list[Component], list[Component]]:
    """Return what may be the digits of a line, and what is too small there: dots and dashes."""
    tallest = max(c.height for c in line)
    tall = np.median([c.height for c in line if c.height >= 0.5 * tallest])
    digits = [c for c in line if c.size >= SMALLEST and c.height >= LOW * tall]
    return digits, [c for c in line if c not in digits]


def alike(heights: np.ndarray, height: float) -> np.ndarray:
    """Whether things of these heights, (n,), can be digits in a row with one of that height."""
    return np.abs(np.log(heights / height)) < np.log(ALIKE)
