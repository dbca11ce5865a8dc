"""Competition: of regions that overlap, which are digits.

Regions inside one another compete: dynamic programming over their tree finds the best set in
which none is inside another. What a region gains is the logarithm of the model's confidence, the
ink that it explains, and how well it agrees with the sure digits nearby.
"""

import numpy as np

from digits.reading.components import shared_fraction
from digits.reading.extremal_regions import SLIM, Region
from digits.reading.results import DIGIT

SEED = 0.8  # confidence: with more it tells what digits nearby are like
INK = 1.0  # the gain in explaining a stroke as long as the digits are high
INSIDE = 0.7  # of a region's box: with more inside another's, one of the two is no digit
APART = 0.3  # of a region's box: with less inside another's, both may be digits
AROUND = 10  # heights: what is nearer is nearby
ROW = 3  # times as far: what stands in another row, not beside it in its own
NEIGHBOURS = 5  # so many of the nearest
HEIGHT = 0.5  # standard deviation of the logarithm of a digit's height, of that of its neighbours
PERSISTENCE = 0.6  # the same of an upright stroke's persistence: with less it is of a ruling
OTHER = 2.0  # the loss in being light where the neighbours are dark, or dark where they are light


def compete(regions: list[Region], confidence: np.ndarray) -> list[int]:
    """Return the numbers of the regions that are digits; `confidence` (n,) is the model's."""
    if not regions:
        return []
    boxes = np.array([region.box for region in regions], float)
    length = np.array([region.length for region in regions])
    shared = shared_fraction(boxes, boxes)
    parents = _parents(boxes, shared)
    fits, height = np.zeros(len(regions)), boxes[:, 3] - boxes[:, 1]
    for _ in range(3):
        sure = np.log(confidence) + fits
        gain = np.where(sure > np.log(DIGIT), sure + INK * length / height, 0)
        chosen = _best(parents, gain)
        seeds = np.array([i for i in chosen if confidence[i] > SEED], int)
        fits, height = _context(regions, boxes, shared, seeds)
    return _apart(chosen, gain, shared)


def _parents(boxes: np.ndarray, shared: np.ndarray) -> list[int]:
    """Return the smallest box that each lies inside, -1 for none."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    order = np.argsort(area, kind="stable")
    inside = shared[np.ix_(order, order)] > INSIDE
    parents = [-1] * len(boxes)
    for rank, i in enumerate(order):
        larger = np.flatnonzero(inside[rank, rank + 1 :])
        if len(larger):
            parents[i] = int(order[rank + 1 + larger[0]])
    return parents


def _best(parents: list[int], gain: np.ndarray) -> list[int]:
    """Return the set of nodes of a forest with the greatest gain, none below another."""
    children: dict[int, list[int]] = {}
    for i, parent in enumerate(parents):
        children.setdefault(parent, []).append(i)
    order = list(children.get(-1, []))
    for i in order:  # it grows: parents come before their children
        order += children.get(i, [])
    best = gain.copy()
    for i in reversed(order):
        best[i] = max(gain[i], sum(best[j] for j in children.get(i, [])))
    chosen, rest = [], list(children.get(-1, []))
    for i in rest:
        if best[i] > gain[i]:
            rest += children.get(i, [])
        elif gain[i] > 0:
            chosen.append(i)
    return chosen


def _apart(chosen: list[int], gain: np.ndarray, shared: np.ndarray) -> list[int]:
    """Leave out what overlaps with what gains more (non-maximum suppression)."""
    kept: list[int] = []
    for i in sorted(chosen, key=lambda i: -gain[i]):
        if not kept or shared[i, kept].max() < (INSIDE + APART) / 2:
            kept.append(i)
    return kept


def _context(
    regions: list[Region], boxes: np.ndarray, shared: np.ndarray, seeds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how badly each fits to the seeds nearby, 0 or less, and how high these are."""
    persistence, light = np.array([(r.persistence, r.light) for r in regions], float).T
    middle, (width, own) = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).T
    fits, height = np.zeros(len(regions)), own.copy()
    for i in range(len(regions)):
        others = seeds[shared[i, seeds] < APART]
        away = (np.abs(middle[others] - middle[i]) * (1, ROW)).max(axis=1)
        near = np.argsort(away)[:NEIGHBOURS]
        near = near[away[near] < AROUND * np.maximum(own[others[near]], own[i])]
        if len(near) < 2:
            continue
        others = others[near]
        height[i] = np.median(own[others])
        fits[i] = -((np.log(own[i] / height[i]) / HEIGHT) ** 2) / 2
        if width[i] < SLIM * own[i]:
            pale = min(0, np.log(persistence[i] / persistence[others].min()) / PERSISTENCE)
            fits[i] -= pale**2 / 2
        fits[i] -= OTHER * ((light[others] != light[i]).mean() > 0.5)
    return fits, height
