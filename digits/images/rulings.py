"""Rulings: the lines of ruled and squared paper, of tables, forms and frames."""

from collections.abc import Callable

import cv2
import numpy as np

from digits.images.pieces import CLEAR, connected, framed, ink_mask, writing_height
from digits.images.statistics import quantile

TRACE = 0.12  # of full ink: a ruling has more
NOISE = 4  # times the paper's spread: a ruling has more, too
EDGE = 0.95  # of the picture: a line that is as long goes from edge to edge
STEEP = 0.27  # how far a ruling falls, as a share of its length: 15 degrees
# In heights of the writing:
RUN = 1.3  # strokes of digits run level for less
LONG = 2.5  # a ruling is longer
WALL = 0.8  # what goes from ruling to ruling is longer
THIN = 0.6  # the share of it that is as thin as they are
BOLD = 0.35  # rulings are thinner
DARKER = 1.3  # than a ruling nearby, so many times: that is a stroke


def find_rulings(ink: np.ndarray, noise: float) -> np.ndarray:
    """Return where rulings are, less what belongs to strokes that cross or touch them.

    `ink`: (height, width) float32, 0 paper, 1 full ink; `noise`: the paper's spread around 0.
    """
    trace, side = (ink > max(TRACE, NOISE * noise)).astype("uint8"), max(ink.shape)
    views = _Level(trace), _Level(np.ascontiguousarray(trace.T))
    # The longest are found first, at the scale of the picture, then all at that of the writing.
    across, down = (view.longest(0.3 * side) for view in views)
    rest = np.where(_without_strokes(ink, trace, across, down), 0, ink)
    height, _ = writing_height(connected(ink_mask(rest)))
    if not height:  # nothing but lines: one of them may be a 1
        return np.zeros(ink.shape, bool)
    run, bold, long = RUN * height, BOLD * height, LONG * height
    # From edge to edge of a small picture it may be shorter.
    least = [min(long, max(1.1 * height, EDGE * length)) for length in ink.shape[::-1]]
    across = views[0].lines(min(run, least[0]), bold, least[0])
    # The stem of a 9 alone is as long as that, but hardly twice.
    down = views[1].lines(run, bold, least[1] if across.any() else 2 * long)
    if not (across.any() or down.any()):
        return np.zeros(ink.shape, bool)

    def walls(view: "_Level", ink: np.ndarray, rulings: np.ndarray) -> np.ndarray:
        """What ends on a ruling at both ends, and is like it, is the wall of a cell."""
        if not rulings.any():
            return np.zeros_like(view.mask)
        ends, reach = rulings.T, round(0.15 * height) + 1
        inside = cv2.distanceTransform(framed(rulings), cv2.DIST_L2, 3)
        thick = min(bold, 6 * float(inside[inside > 0].mean()))
        dark = DARKER * quantile(ink[ends > 0], 0.75)

        def is_wall(thin: np.ndarray, x: int, y: int, w: int, h: int) -> bool:
            rows, thin = slice(y, y + h), thin[y : y + h, x : x + w]
            start = ends[rows, max(0, x - 2) : x + reach].any()
            if not (start and ends[rows, x + w - reach : x + w + 2].any()):
                return False
            pale = np.median(ink[rows, x : x + w][thin > 0]) < dark if thin.any() else False
            return pale and thin.any(axis=0).mean() > THIN

        return view.lines(WALL * height, thick, WALL * height, is_wall)

    more = walls(views[0], ink, down), walls(views[1], ink.T, across)
    across, down = across | more[0], down | more[1]
    rulings = _without_strokes(ink, trace, across, down) > 0
    # One or two long strokes with little else are no rulings but a 1.
    if _count(across) + _count(down) < 3 and (rest > CLEAR).sum() < 0.5 * rulings.sum():
        rulings[:] = False
    return rulings


def _count(lines: np.ndarray) -> int:
    return len(cv2.findContours(lines, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0])


class _Level:
    """A mask, (height, width) uint8, sheared so that lines across it are level."""

    def __init__(self, mask: np.ndarray):
        self.mask, self.extent = mask, np.count_nonzero(mask.any(axis=0))
        wide = cv2.dilate(mask, np.ones((3, 1), "uint8"))
        edges = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((1, 12), "uint8"))
        edges[1:] &= ~edges[:-1]  # a thick line has many directions, its edge has one
        level, span, votes = np.pi / 2, np.arctan(STEEP), round(0.15 * max(mask.shape))
        found = cv2.HoughLines(
            edges, 1, np.pi / 720, votes, min_theta=level - span, max_theta=level + span
        )
        self.slope = 0.0 if found is None else float(-1 / np.tan(found[0, 0, 1]))
        self.room = round(abs(self.slope) * mask.shape[1] / 2)
        self.wide = self._sheared(framed(wide, self.room, 0), self.slope)

    def longest(self, length: float) -> np.ndarray:
        length = min(length, EDGE * self.mask.shape[1])
        return self.lines(2 / 3 * length, length / 6, length)

    def lines(
        self, run: float, thickest: float, length: float, chosen: Callable | None = None
    ) -> np.ndarray:
        """Return where lines run level for at least `run`, and for `length` in all."""
        if self.extent < length:
            return np.zeros_like(self.mask)
        gap = np.ones((1, round(0.1 * run) | 1), "uint8")
        tall = np.ones((round(thickest) + 3, 1), "uint8")
        lines = cv2.morphologyEx(self.wide, cv2.MORPH_CLOSE, gap)
        lines = cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones((1, round(run) | 1), "uint8"))
        lines = lines & ~cv2.morphologyEx(lines, cv2.MORPH_OPEN, tall)
        contours, _ = cv2.findContours(lines, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        contours = [c for c in contours if cv2.boundingRect(c)[2] >= length]
        lines = cv2.drawContours(np.zeros_like(lines), contours, -1, 1, cv2.FILLED)
        lines = self._sheared(lines, -self.slope)
        lines = lines[self.room : self.room + len(self.mask)] & self.mask
        if not chosen:
            return lines
        contours, _ = cv2.findContours(lines, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        thin = lines & ~cv2.morphologyEx(self.mask, cv2.MORPH_OPEN, tall)
        contours = [c for c in contours if chosen(thin, *cv2.boundingRect(c))]
        return cv2.drawContours(np.zeros_like(lines), contours, -1, 1, cv2.FILLED)

    @staticmethod
    def _sheared(mask: np.ndarray, slope: float) -> np.ndarray:
        if not slope:
            return mask
        shear = np.array([[1, 0, 0], [slope, 1, -slope * mask.shape[1] / 2]])
        how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(mask, shear, mask.shape[::-1], flags=how)


def _without_strokes(
    ink: np.ndarray, trace: np.ndarray, across: np.ndarray, down: np.ndarray
) -> np.ndarray:
    """Return the lines, less where strokes cross or touch them."""
    if not (across.any() or down.any()):
        return across
    alone, darker = _thin(ink, trace, across)
    others, too = (m.T for m in _thin(ink.T, np.ascontiguousarray(trace.T), down))
    around = np.ones((3, 3), "uint8")
    nodes = cv2.dilate(across, around) & cv2.dilate(down, around).T & trace
    return alone | others | nodes & ~(darker | too)


def _thin(ink: np.ndarray, trace: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `lines`, all across, less strokes, which are thicker or darker, and what is darker."""
    alone, darker = np.zeros_like(lines), np.zeros_like(lines)
    window = min(255, trace.shape[1] // 8 * 2 + 1)
    contours, _ = cv2.findContours(lines, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for x, y, width, height in map(cv2.boundingRect, contours):
        line = lines[y : y + height, x : x + width]
        thickness = float(np.median(line.sum(axis=0)))
        room = round(2 * thickness) + 3
        place = slice(max(0, y - room), y + height + room), slice(x, x + width)
        tall = np.ones((round(1.5 * thickness) + 2, 1), "uint8")
        pad = len(tall)
        near = framed(trace[place], pad)
        strokes = cv2.morphologyEx(near, cv2.MORPH_OPEN, tall)[pad:-pad, pad:-pad]
        usual = np.where(line, ink[y : y + height, x : x + width], 0).max(axis=0, keepdims=True)
        if width > window:  # the light may change along it
            usual = cv2.medianBlur((100 * usual.clip(0, 2.5)).astype("uint8"), window) / 100
        else:
            usual = np.median(usual)
        dark = (ink[place] > DARKER * usual).astype("uint8")
        darker[place] |= dark
        alone[place] |= lines[place] & ~(strokes | dark)
    return alone, darker
