"""Text lines: how far they are tilted, and which digits stand in which, from left to right.

Boxes are (n, 4) float: left, top, right and bottom in pixels.
"""

import numpy as np

from digits.reading.geometry import STEEP

NEXT = 3  # heights of the writing to the next digit of a line, at most, where slope is measured


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

    A digit follows the line whose last three overlap it most in height; what is small is put in
    afterwards.
    """
    boxes = boxes - estimate_slope(boxes, height) * _upright(boxes)
    tops, bottoms = boxes[:, 1], boxes[:, 3]
    heights, middles = bottoms - tops, (boxes[:, 0] + boxes[:, 2]) / 2
    lines: list[list[int]] = []
    ends = np.empty((len(boxes), 2))  # top and bottom of the last digits of each line
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


def _upright(boxes: np.ndarray) -> np.ndarray:
    """Return (n, 4): by how much each edge moves, for a slope of 1, when lines are made level."""
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    return np.outer(x, (0, 1, 0, 1))
