"""Text lines: how far they are tilted, and which components stand in which, from left to right."""

import numpy as np

from digits.reading.components import SMALLEST, Component, overlap
from digits.reading.geometry import STEEP, rotate

LEVEL = 0.07  # slope of the lines: less is left as it is
NEXT = 3  # heights of the writing to the next digit of a line, at most, where slope is measured
ALIKE = 1.4  # times the height of a digit: others in its row are no higher, nor so much lower
LOW = 0.25  # heights of its line: what is lower is no digit


def deskew(
    ink: np.ndarray, components: list[Component], height: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return `ink` with its lines level and the matrix back; None if they are so already."""
    slope = estimate_slope(components, height)
    return rotate(ink, slope) if abs(slope) > LEVEL else None


def estimate_slope(components: list[Component], height: float) -> float:
    """Return how far lines fall, as a fraction of their length: the median over neighbours."""
    components = [c for c in components if 0.6 * height < c.height < 1.6 * height]
    if len(components) < 4:
        return 0.0
    x, y = np.array([(c.x + c.width / 2, c.y + c.height / 2) for c in components]).T
    slopes = []
    for i in range(len(components)):
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


def find_lines(components: list[Component], height: float) -> list[list[Component]]:
    """Return the lines from top to bottom, each from left to right.

    A component follows the line whose last three overlap it most in height; what is small is
    put in afterwards. `height` is that of the writing, in pixels.
    """
    lines: list[list[Component]] = []
    ends = np.empty((len(components), 2))  # top and bottom of the last components of each line
    for component in sorted(components, key=lambda c: (c.height < 0.5 * height, c.x + c.width / 2)):
        top, bottom = ends[: len(lines)].T
        common = overlap(top, bottom - top, component.y, component.height)
        part = common / np.minimum(bottom - top, component.height)
        i = int(part.argmax()) if len(lines) and part.max() > 0.4 else len(lines)
        if i == len(lines):
            lines.append([])
        lines[i].append(component)
        if len(lines[i]) == 1 or component.height >= 0.5 * height:
            last = lines[i][-3:]
            ends[i] = min(c.y for c in last), max(c.y + c.height for c in last)
    lines.sort(key=lambda line: np.mean([c.y + c.height / 2 for c in line]))
    return [sorted(line, key=lambda c: c.x + c.width / 2) for line in lines]


def split_marks(line: list[Component]) -> tuple[list[Component], list[Component]]:
    """Return what may be the digits of a line, and what is too small there: dots and dashes."""
    tallest = max(c.height for c in line)
    tall = np.median([c.height for c in line if c.height >= 0.5 * tallest])
    digits = [c for c in line if c.size >= SMALLEST and c.height >= LOW * tall]
    return digits, [c for c in line if c not in digits]


def alike(heights: np.ndarray, height: float) -> np.ndarray:
    """Whether things of these heights, (n,), can be digits in a row with one of that height."""
    return np.abs(np.log(heights / height)) < np.log(ALIKE)
