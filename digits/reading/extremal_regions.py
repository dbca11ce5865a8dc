"""Extremal regions: the connected components of a picture at all thresholds, dark and light.

No background, threshold or polarity is chosen (Matas et al., 2002; for text: Neumann and Matas,
2012). From threshold to threshold a region grows into its parent in the component tree
(Salembier et al., 1998); one whose box hardly changes over several of them persists, and how
long it does is its contrast.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from digits.data.normalization import FAINTEST, normalize_digit
from digits.data.statistics import quantile
from digits.reading.components import Component, labelled

LEVELS = 24  # thresholds of each polarity, evenly spaced over the grey values that are there
PERSISTENT = 3  # thresholds in a row: a region that is there at fewer is noise
ALIKE = 1 / 8  # heights: a box that changes by less from threshold to threshold is the same
LEAST = 9  # pixels of the working size: a digit is at least as high
WIDEST = 1.6  # heights of a region: one digit is less wide
SLIMMEST = 14  # widths of a region: one digit is less high
SLIM = 0.35  # widths to a height: a region that is less wide is an upright stroke
FILLED = 0.75  # fraction of a box: a digit that is no upright stroke fills less
MOST = 1500  # regions that the model is asked about: those that persist longest


@dataclass(eq=False)
class Region:
    """A component at a threshold in the middle of those over which it persists."""

    component: Component
    light: bool  # on dark
    threshold: float  # in grey levels
    persistence: int  # thresholds
    ink: np.ndarray  # (height, width) float32 of its box: 0 paper and 1 full ink
    contrast: float  # grey levels between full ink and the paper around it

    @cached_property
    def image(self) -> np.ndarray:
        """The region as the model sees it: (28, 28) uint8, ink 255 on 0."""
        return normalize_digit(self.component.mask, self.ink)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, in pixels."""
        c = self.component
        return c.x, c.y, c.x + c.width, c.y + c.height

    @cached_property
    def length(self) -> float:
        """How long its strokes are, in pixels."""
        return np.count_nonzero(self.component.mask) / max(1.0, self.component.stroke_width)


def smoothed(image: np.ndarray) -> np.ndarray:
    """Return a picture, (height, width) uint8, without the noise of single pixels."""
    return cv2.GaussianBlur(image, (3, 3), 0)


def extremal_regions(smooth: np.ndarray) -> list[Region]:
    """Return the regions of a smoothed picture that may be a digit each, by size and shape."""
    low, high = quantile(smooth, 0.002), quantile(smooth, 0.998)
    if high - low < 2 * FAINTEST or min(smooth.shape) < LEAST:
        return []
    thresholds = np.linspace(low, high, LEVELS + 2)[1:-1]
    found = [
        *((False, *region) for region in _persistent(smooth, thresholds)),
        *((True, *region) for region in _persistent(255 - smooth, 255 - thresholds[::-1])),
    ]
    found.sort(key=lambda region: -region[1])
    return [
        Region(
            component,
            light,
            255 - level if light else level,
            persistence,
            *local_ink(smooth, component, light),
        )
        for light, persistence, component, level in found[:MOST]
    ]


def _persistent(smooth: np.ndarray, thresholds: np.ndarray) -> list[tuple[int, Component, float]]:
    """Return the dark regions that persist: for how many thresholds, which, and at which one."""
    levels = [_Level(smooth, threshold) for threshold in thresholds]
    found, chains = [], {}  # by its region at this threshold: those that it is at all before
    for here, following in zip(levels, [*levels[1:], None], strict=True):
        grown = {i: [*chains.pop(i, []), (here, i)] for i in here.regions}
        found += chains.values()  # what they have grown into is no digit
        chains = grown
        going_on: dict[int, list] = {}
        for i, chain in chains.items():
            parent = following.parent_of(here, i) if following else None
            if parent is None or len(going_on.get(parent, [])) >= len(chain):
                found.append(chain)
            else:
                found.append(going_on.get(parent, []))
                going_on[parent] = chain
        chains = going_on
    return [
        (len(chain), level.component(i), level.threshold)
        for chain in found
        if len(chain) >= PERSISTENT
        for level, i in [chain[(len(chain) - 1) // 2]]
    ]


class _Level:
    """The components below one threshold, and which of them may be digits."""

    def __init__(self, smooth: np.ndarray, threshold: float):
        self.threshold = float(threshold)
        self.labels, stats = labelled(smooth < threshold)
        self.x, self.y, self.width, self.height, area = stats.T
        box = self.width * self.height
        digit = np.maximum(self.width, self.height) >= LEAST
        digit &= (self.width <= WIDEST * self.height) & (self.height <= SLIMMEST * self.width)
        digit &= (area <= FILLED * box) | (self.width <= SLIM * self.height)
        digit &= box < 0.9 * smooth.size
        at_edge = (self.x == 0) | (self.y == 0)
        at_edge |= (self.x + self.width == smooth.shape[1]) | (self.y + self.height == len(smooth))
        digit &= ~at_edge | (self.width > SLIM * self.height)  # a border, or the edge of a sheet
        digit[0] = False  # the background
        self.regions = np.flatnonzero(digit).tolist()
        self.corners = np.stack([self.x, self.y, self.x + self.width, self.y + self.height], 1)

    def component(self, i: int) -> Component:
        x, y, right, bottom = self.corners[i].tolist()
        return Component(self.labels[y:bottom, x:right] == i, x, y)

    def parent_of(self, before: "_Level", i: int) -> int | None:
        """Return what region `i` of the threshold before is here; None if it has grown."""
        x, y, right, _ = before.corners[i].tolist()
        parent = int(self.labels[y, x + int((before.labels[y, x:right] == i).argmax())])
        grown = np.abs(self.corners[parent] - before.corners[i]).max()
        return parent if grown <= max(2, ALIKE * before.height[i]) else None


def local_ink(smooth: np.ndarray, component: Component, light: bool) -> tuple[np.ndarray, float]:
    """Return how much ink each pixel of a component's box has, and the contrast of full ink.

    Paper is what is close around the component, full ink what is darkest inside it.
    """
    near, there = component.nearby(smooth, 3)
    near = 255 - near if light else near
    inked = np.zeros(near.shape, "uint8")
    there.crop(inked)[component.mask] = 1
    close, far = (cv2.dilate(inked, np.ones((side, side), "uint8")) for side in (3, 7))
    beside = far > close
    paper = quantile(near[beside], 0.5) if beside.any() else 255.0
    contrast = max(1.0, paper - quantile(near[inked > 0], 0.25))
    return np.clip((paper - there.crop(near).astype("float32")) / contrast, 0, 1), contrast
