"""Rulings: the lines of ruled and squared paper, of tables, forms and frames.

They are found as long straight runs, by a Hough transform for their direction and a
morphological opening along it, and removed without the strokes that cross or touch them.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from digits.data.normalization import padded
from digits.data.statistics import fraction, median, quantile
from digits.reading.components import Component, writing_height
from digits.reading.geometry import STEEP
from digits.reading.thresholding import HIGH, hysteresis_threshold

EDGE = 0.95  # of the picture: a line that is as long goes from edge to edge
RUN = 1.3  # heights of the writing: strokes of digits run level for less
LONG = 2.5  # heights of the writing: a ruling is longer
WALL = 0.8  # heights of the writing: what goes from ruling to ruling is longer
BOLD = 0.35  # heights of the writing: rulings are thinner
SLIVER = 0.8  # fraction of a component that is beside a ruling: more is a rest of it
DARKER = 1.3  # times the ink of a ruling nearby: what has more is a stroke


def find_rulings(ink: np.ndarray, components: list[Component], trace: np.ndarray) -> np.ndarray:
    """Return where rulings are, less what belongs to strokes that cross or touch them; bool.

    `ink`, `components` and `trace` as `threshold` gives them.
    """
    nothing = np.zeros(ink.shape, bool)
    views = _View(trace), _View(np.ascontiguousarray(trace.T))
    # The longest are found first, at the scale of the picture, then all at that of the writing.
    longest = [min(0.3 * max(ink.shape), EDGE * v.trace.shape[1]) for v in views]
    across, down = (v.runs(2 / 3 * n, n / 6, n) for v, n in zip(views, longest, strict=True))
    rest = ink
    if across.any() or down.any():
        rest = np.where(_without_strokes(ink, trace, across, down), 0, ink)
        components = hysteresis_threshold(rest)
    height, _ = writing_height(components)
    if not height:  # nothing but lines: one of them may be a 1
        return nothing
    run, bold, long = RUN * height, BOLD * height, LONG * height
    # From edge to edge of a small picture it may be shorter.
    least = [min(long, max(1.1 * height, EDGE * v.trace.shape[1])) for v in views]
    across = views[0].runs(min(run, least[0]), bold, least[0])
    # The stem of a 9 alone is as long as that, but hardly twice.
    down = views[1].runs(run, bold, least[1] if across.any() else 2 * long)
    if not (across.any() or down.any()):
        return nothing
    across, down = (
        across | _walls(views[0], ink, down.T, height),
        down | _walls(views[1], ink.T, across.T, height),
    )
    rulings = _without_strokes(ink, trace, across, down) > 0
    # One or two long strokes with little else are no rulings but a 1.
    few = len(_contours(across)) + len(_contours(down)) < 3
    if few and (rest > HIGH).sum() < 0.5 * rulings.sum():
        return nothing
    # Where one is uneven, slivers of it are left along its sides.
    beside = cv2.dilate(rulings.astype("uint8"), np.ones((3, 3), "uint8")) > 0
    for rest in hysteresis_threshold(np.where(rulings, 0, ink)):
        if fraction(rest.crop(beside)[rest.mask]) > SLIVER:
            rest.crop(rulings)[rest.mask] = True
    return rulings


@dataclass(eq=False)
class _View:
    """The trace of ink, (height, width) uint8, 0 and 1, as it is or transposed: lines across."""

    trace: np.ndarray

    @cached_property
    def dilated(self) -> np.ndarray:
        return cv2.dilate(self.trace, np.ones((3, 1), "uint8"))

    @cached_property
    def slope(self) -> float:
        """How far the longest line falls, as a fraction of its length."""
        edges = _opened(self.dilated, 12)
        edges[1:] &= ~edges[:-1]  # a thick line has many directions, its edge has one
        level, span, votes = np.pi / 2, np.arctan(STEEP), round(0.15 * max(edges.shape))
        found = cv2.HoughLines(
            edges, 1, np.pi / 720, votes, min_theta=level - span, max_theta=level + span
        )
        return 0.0 if found is None else float(-1 / np.tan(found[0, 0, 1]))

    def runs(self, run: float, thickest: float, length: float) -> np.ndarray:
        """Return where lines run for at least `run`, and for `length` in all; like the trace.

        All are in pixels, and so is how thick they may be.
        """
        if length > self.trace.shape[1]:
            return np.zeros_like(self.trace)
        level = _opened(_thin(self.dilated, thickest), 12)
        if np.count_nonzero(level.any(axis=0)) < length / 2:  # no need for the slope
            return np.zeros_like(self.trace)
        room = round(abs(self.slope) * self.trace.shape[1] / 2)
        wide = _sheared(np.pad(self.dilated, ((room, room), (0, 0))), self.slope)
        lines = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((1, round(0.1 * run) | 1), "uint8"))
        lines = _thin(_opened(lines, round(run) | 1), thickest)
        lines = _filled(lines, [c for c in _contours(lines) if cv2.boundingRect(c)[2] >= length])
        return _sheared(lines, -self.slope)[room : room + len(self.trace)] & self.trace


def _sheared(mask: np.ndarray, slope: float) -> np.ndarray:
    if not slope:
        return mask
    shear = np.array([[1, 0, 0], [slope, 1, -slope * mask.shape[1] / 2]])
    how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, shear, mask.shape[::-1], flags=how)


def _opened(mask: np.ndarray, run: int) -> np.ndarray:
    """Return where a mask is at least that wide."""
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, run), "uint8"))


def _thin(mask: np.ndarray, thickest: float) -> np.ndarray:
    """Return where a mask is less high than that and 3 pixels."""
    tall = np.ones((round(thickest) + 3, 1), "uint8")
    return mask & ~cv2.morphologyEx(mask, cv2.MORPH_OPEN, tall)


def _contours(mask: np.ndarray) -> list[np.ndarray]:
    return cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]


def _filled(mask: np.ndarray, contours: list[np.ndarray]) -> np.ndarray:
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 1, cv2.FILLED)


def _walls(view: _View, ink: np.ndarray, rulings: np.ndarray, height: float) -> np.ndarray:
    """Return what runs across from ruling to ruling and is like them: the walls of cells."""
    if not rulings.any():
        return np.zeros_like(view.trace)
    inside = cv2.distanceTransform(padded(rulings), cv2.DIST_L2, 3)
    thick = min(BOLD * height, 6 * float(inside[inside > 0].mean()))
    dark, reach = DARKER * quantile(ink[rulings > 0], 0.75), round(0.15 * height) + 1
    lines = view.runs(WALL * height, thick, WALL * height)

    def is_wall(contour: np.ndarray) -> bool:
        x, y, w, h = cv2.boundingRect(contour)
        start, end = slice(max(0, x - 2), x + reach), slice(x + w - reach, x + w + 2)
        ends = rulings[y : y + h, start].any() and rulings[y : y + h, end].any()
        return ends and median(ink[y : y + h, x : x + w][lines[y : y + h, x : x + w] > 0]) < dark

    return _filled(lines, [c for c in _contours(lines) if is_wall(c)])


def _without_strokes(
    ink: np.ndarray, trace: np.ndarray, across: np.ndarray, down: np.ndarray
) -> np.ndarray:
    """Return the lines, less where strokes cross or touch them."""
    if not (across.any() or down.any()):
        return across
    alone, darker = _alone(ink, trace, across)
    others, too = (m.T for m in _alone(ink.T, np.ascontiguousarray(trace.T), down))
    around = np.ones((3, 3), "uint8")
    nodes = cv2.dilate(across, around) & cv2.dilate(down, around).T & trace
    return alone | others | nodes & ~(darker | too)


def _alone(ink: np.ndarray, trace: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `lines`, all across, less strokes, which are thicker or darker, and what is darker."""
    alone, darker = np.zeros_like(lines), np.zeros_like(lines)
    for x, y, width, height in map(cv2.boundingRect, _contours(lines)):
        line = lines[y : y + height, x : x + width]
        thickness = median(line.sum(axis=0))
        room = round(2 * thickness) + 3
        place = slice(max(0, y - room), y + height + room), slice(x, x + width)
        tall = np.ones((round(1.5 * thickness) + 2, 1), "uint8")
        pad = len(tall)
        near = padded(trace[place], pad)
        strokes = cv2.morphologyEx(near, cv2.MORPH_OPEN, tall)[pad:-pad, pad:-pad]
        usual = np.where(line, ink[y : y + height, x : x + width], 0).max(axis=0)
        dark = (ink[place] > DARKER * median(usual)).astype("uint8")
        darker[place] |= dark
        alone[place] |= lines[place] & ~(strokes | dark)
    return alone, darker
