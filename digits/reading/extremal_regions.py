"""Extremal regions: the connected components of a picture at all thresholds, dark and light.

No background, threshold or polarity is chosen (Matas et al., 2002; for text: Neumann and Matas,
2012). From threshold to threshold a region grows into its parent in the component tree
(Salembier et al., 1998); one whose box hardly changes over several of them persists, and how
long it does is its contrast.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from digits.data.normalization import FAINTEST, GREY, normalize_digit
from digits.data.statistics import median, quantile
from digits.reading.components import SMALLEST, Component, labelled

LEVELS = 24  # thresholds of each polarity, evenly spaced over the grey values that are there
PERSISTENT = 3  # thresholds in a row: a region that is there at fewer is noise
ALIKE = 0.125  # heights: a box that changes by less from threshold to threshold is the same
WIDEST = 1.6  # heights of a region: one digit is less wide
SLIMMEST = 14  # widths of a region: one digit is less high
MOST = 3000  # regions that the model is asked about, the most persistent


@dataclass(eq=False)
class Region:
    """An extremal region: where it is, how it looks to the model, and how long it persists."""

    component: Component
    image: np.ndarray  # (28, 28) uint8, ink 255 on 0
    persistence: int  # thresholds
    contrast: float  # grey levels between its ink and what is around it
    light: bool  # on dark
    level: float  # a threshold in grey levels at which it is as it is
    length: float  # pixels: of its strokes


def extremal_regions(image: np.ndarray) -> list[Region]:
    """Return the regions of a picture, (height, width) uint8, that may be a digit each by shape."""
    smooth = cv2.GaussianBlur(image, (3, 3), 0)
    low, high = quantile(smooth, 0.002), quantile(smooth, 0.998)
    if high - low < 2 * FAINTEST:
        return []
    levels = np.linspace(low, high, LEVELS + 2)[1:-1]
    found = []
    for light in False, True:
        side, rising = (255 - smooth, 255 - levels[::-1]) if light else (smooth, levels)
        for persistence, component, level in _persistent(side, rising):
            found.append((persistence, component, level, light))
    found.sort(key=lambda f: -f[0] * f[1].size**0.5)
    return [_region(smooth, *f) for f in found[:MOST]]


def _persistent(smooth: np.ndarray, levels: np.ndarray) -> list[tuple[int, Component, float]]:
    """Return the dark regions that persist: over how many thresholds, themselves, and where."""
    height, width = smooth.shape
    kept = []  # of each threshold: what of it may be a digit
    for level in levels:
        labels, stats = labelled(smooth < level)
        x, y, w, h, area = stats.T
        digit = (np.maximum(w, h) >= SMALLEST) & (w <= WIDEST * h) & (h <= SLIMMEST * w)
        digit &= (w < 0.95 * width) | (h < 0.95 * height)
        digit &= (area <= 0.75 * w * h) | (w <= 0.35 * h)
        digit[0] = False
        kept.append((labels, stats, np.flatnonzero(digit)))
    found = []
    chains: dict[int, list[int]] = {}  # by the number of their region at the threshold before
    for n, (labels, stats, regions) in enumerate(kept):
        after, chains = chains, {}
        for i in regions:
            chains[i] = [*after.pop(i, []), i]
        for chain in after.values():
            _close(kept, n - 1, chain, levels, found)
        # Those that grow into what they are at the next threshold go on.
        goes_on: dict[int, list[int]] = {}
        if n + 1 < len(kept):
            next_labels, next_stats, _ = kept[n + 1]
            for i, chain in chains.items():
                x, y, w, h, area = stats[i]
                seed = x + int((labels[y, x : x + w] == i).argmax())
                parent = int(next_labels[y, seed])
                change = np.abs(_corners(next_stats[parent]) - _corners(stats[i])).max()
                same = change <= max(2, ALIKE * h)
                if same and (
                    parent not in goes_on or len(goes_on[parent]) < len(chain)
                ):
                    if parent in goes_on:
                        _close(kept, n, goes_on[parent], levels, found)
                    goes_on[parent] = chain
                else:
                    _close(kept, n, chain, levels, found)
        else:
            for chain in chains.values():
                _close(kept, n, chain, levels, found)
        chains = goes_on
    return found


def _corners(stats: np.ndarray) -> np.ndarray:
    x, y, w, h, _ = stats
    return np.array((x, y, x + w, y + h))


def _close(kept, last, chain, levels, found):
    if len(chain) < PERSISTENT:
        return
    middle = (len(chain) - 1) // 2
    n, i = last - (len(chain) - 1 - middle), chain[middle]
    labels, stats, _ = kept[n]
    x, y, w, h, _ = (int(v) for v in stats[i])
    component = Component(labels[y : y + h, x : x + w] == i, x, y)
    found.append((len(chain), component, float(levels[n])))


def _region(
    smooth: np.ndarray, persistence: int, component: Component, level: float, light: bool
) -> Region:
    ink, contrast = local_ink(smooth, component, light)
    image = normalize_digit(component.mask, ink)
    level = 255 - level if light else level
    length = np.count_nonzero(component.mask) / max(1.0, component.stroke_width)
    return Region(component, image, persistence, contrast, light, level, length)


def local_ink(
    smooth: np.ndarray, component: Component, light: bool
) -> tuple[np.ndarray, float]:
    """Return how much ink there is in a component's box, 1 is full ink, and its contrast.

    Paper is what is close around the component, full ink what is inside it.
    """
    near, there = component.nearby(smooth, 3)
    inked = np.zeros(near.shape, "uint8")
    there.crop(inked)[component.mask] = 1
    around = cv2.dilate(inked, np.ones((7, 7), "uint8")) - cv2.dilate(inked, np.ones((3, 3), "uint8"))
    paper = near[around > 0]
    values = near[inked > 0]
    if light:
        paper, values, near = 255 - paper, 255 - values, 255 - near
    paper = quantile(paper, 0.5) if len(paper) else 255.0
    full = quantile(values, 0.25)
    contrast = max(1.0, paper - full)
    ink = np.clip((paper - there.crop(near).astype("float32")) / contrast, 0, 1)
    return ink, contrast
