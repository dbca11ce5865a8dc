"""Competition: of regions that overlap, which are digits. Dynamic programming over their tree.

What a region gains is the logarithm of the model's confidence, the ink that it explains, and how
well it agrees with the sure digits around it in height and contrast.
"""

import numpy as np

from digits.reading.extremal_regions import Region

DIGIT = 0.35  # confidence: with less it is no digit
SEED = 0.8  # confidence: with more it tells what the digits around it are like
INK = 1.0  # the gain in explaining as much ink as a 1 has
INSIDE = 0.7  # of a region's box: with more inside another's, one of the two is no digit
AROUND = 10  # heights: what is nearer is around it
NEIGHBOURS = 7  # of the nearest seeds
HEIGHT = 0.35  # the standard deviation of the logarithm of neighbours' heights
CONTRAST = 0.6  # and of that of their contrasts


def compete(regions: list[Region], confidence: np.ndarray) -> list[int]:
    """Return which of the regions are digits, by their numbers; `confidence` (n,) is the model's."""
    if not regions:
        return []
    boxes = np.array([_corners(r) for r in regions], float)
    height = boxes[:, 3] - boxes[:, 1]
    contrast = np.array([r.contrast for r in regions])
    light = np.array([r.light for r in regions])
    length = np.array([r.length for r in regions])  # of its strokes, in pixels
    parents = _forest(boxes)
    score = np.log(confidence)
    gain = np.where(confidence > DIGIT, score + INK * length / height, 0)
    chosen = _best(parents, gain)
    for _ in range(2):
        seeds = [i for i in chosen if confidence[i] > SEED]
        fits, expected = _context(boxes, height, contrast, light, seeds)
        gain = np.where(
            confidence * np.exp(fits) > DIGIT, score + fits + INK * length / expected, 0
        )
        chosen = _best(parents, gain)
    return chosen


def _corners(region: Region) -> tuple[int, int, int, int]:
    c = region.component
    return c.x, c.y, c.x + c.width, c.y + c.height


def _shared(boxes: np.ndarray, i: int) -> np.ndarray:
    """Return the fraction of the smaller box that each shares with box `i`."""
    left, top = np.maximum(boxes[:, :2], boxes[i, :2]).T
    right, bottom = np.minimum(boxes[:, 2:], boxes[i, 2:]).T
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return (right - left).clip(0) * (bottom - top).clip(0) / np.minimum(area, area[i])


def _forest(boxes: np.ndarray) -> np.ndarray:
    """Return the parent of each box, -1 for none: the smallest that it lies inside."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    order = np.argsort(-area, kind="stable")
    rank = np.empty(len(boxes), int)
    rank[order] = np.arange(len(boxes))
    parents = np.full(len(boxes), -1)
    for i in range(len(boxes)):
        around = np.flatnonzero((_shared(boxes, i) > INSIDE) & (rank < rank[i]))
        if len(around):
            parents[i] = around[rank[around].argmax()]
    return parents


def _best(parents: np.ndarray, gain: np.ndarray) -> list[int]:
    """Return the best set of the nodes of a forest of which none is inside another."""
    children: dict[int, list[int]] = {}
    for i, parent in enumerate(parents):
        children.setdefault(int(parent), []).append(i)
    best = np.zeros(len(gain))
    order, stack = [], list(children.get(-1, []))
    while stack:
        i = stack.pop()
        order.append(i)
        stack += children.get(i, [])
    for i in reversed(order):
        best[i] = max(gain[i], sum(best[j] for j in children.get(i, [])))
    chosen, stack = [], list(children.get(-1, []))
    while stack:
        i = stack.pop()
        if best[i] <= 0:
            continue
        if gain[i] >= best[i]:
            chosen.append(i)
        else:
            stack += children.get(i, [])
    return chosen


def _context(boxes, height, contrast, light, seeds):
    """Return how badly each fits to the seeds around it, 0 or less, and the height they tell."""
    fits, expected = np.zeros(len(boxes)), height.copy()
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    seeds = np.array(seeds, int)
    for i in range(len(boxes)):
        others = seeds[_shared(boxes[np.append(seeds, i)], len(seeds))[:-1] < 0.3]
        away = np.abs(middle[others] - middle[i]).max(axis=1)
        near = away < AROUND * np.maximum(height[others], height[i])
        others, away = others[near], away[near]
        others = others[np.argsort(away)[:NEIGHBOURS]]
        if len(others) < 2:
            continue
        expected[i] = np.median(height[others])
        tall = np.log(height[i] / expected[i]) / HEIGHT
        dark = min(0, np.log(contrast[i] / np.median(contrast[others])) / CONTRAST)
        fits[i] = -(tall**2 + dark**2) / 2
        fits[i] -= 2 * max(0, (light[others] != light[i]).mean() - 0.5)
    return fits, expected
