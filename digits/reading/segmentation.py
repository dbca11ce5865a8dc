"""Segmentation of touching digits: candidate cuts, the lattice of what is between them, its paths.

A wide component may be several digits that touch. Cuts are looked for along paths through
little ink; the components between any two cuts are the edges of a lattice, and the digits are
the best path through it, which dynamic programming finds once every edge has a score.
"""

from itertools import combinations, pairwise

import cv2
import numpy as np

from digits.reading.components import (
    Component,
    connected_components,
    labelled,
    merge,
    overlap,
    trim,
)
from digits.reading.tangles import unbox, untangle

NARROW = 0.8  # heights of the component: what is less wide is one digit
WIDEST = 1.3  # heights of the component: one digit is less wide
ROWS = 48  # pixels: the height of the small copy in which cuts are looked for
ASIDE = 1  # rows of ink that a step to the side costs a cut
STROKE = 0.17  # heights of the component: to go through a stroke, however thin, costs as much ink
DOUBT = 0.45  # heights of ink: a cut costs less, and less speaks against an edge of the lattice
CLOSE = 0.15  # heights: between the halves of a broken digit is less
BEHIND = 0.3  # heights of ink: what speaks against a digit with other strokes behind or beside it
ALIKE = 0.04  # heights squared: cuts with less ink between them are one

Edge = tuple[int, int, float, Component]  # from cut, to cut, what speaks against it, and itself


def segment(line: list[Component], ink: np.ndarray) -> list[tuple[Component, list[Edge]]]:
    """Return what stands in a line, from left to right, each with the lattice of what it may be.

    Neighbours that may be halves of one digit are one component whose lattice holds both.
    """
    segments, rest = [], list(line)
    while rest:
        component = rest.pop(0)
        lattice, last = _lattice(component, ink)
        if rest and may_be_one(component, rest[0]):
            other = rest.pop(0)
            more, length = _lattice(other, ink)
            lattice += [(0, last, 0.0, component), (last, last + length, 0.0, other)]
            lattice += [(start + last, end + last, doubt, part) for start, end, doubt, part in more]
            component = merge(component, other)
        segments.append((component, lattice))
    return segments


def _lattice(component: Component, ink: np.ndarray) -> tuple[list[Edge], int]:
    """Return what a component may be, if it is not one digit, and the number of its last cut."""
    lattice = split_touching(component)
    last = max((end for _, end, *_ in lattice), default=1)
    loose, touching = unbox(component)
    touching += untangle(component, ink) + _largest_piece(component)
    lattice += [(0, last, BEHIND, part) for part in touching]
    # A digit in a ring may look like a 0.
    return lattice + [(0, last, -BEHIND, part) for part in loose], last


def _largest_piece(component: Component) -> list[Component]:
    """Return what a digit may be if the pieces joined to it are those of a sign beside it."""
    largest, *others = sorted(connected_components(component.mask), key=lambda c: -c.size)
    beside = [overlap(largest.x, largest.width, c.x, c.width) < c.width / 2 for c in others]
    return [largest.shifted(component.x, component.y)] if others and all(beside) else []


def may_be_one(left: Component, right: Component) -> bool:
    """Whether neighbours of a line may be the halves of one digit: close, and not too wide."""
    height = max(left.height, right.height)
    gap = -overlap(left.x, left.width, right.x, right.width)
    together = max(left.x + left.width, right.x + right.width) - left.x
    return gap < CLOSE * height and together < 1.1 * height


def split_touching(component: Component) -> list[Edge]:
    """Return the lattice of what a wide component may consist of; nothing of a narrow one.

    The cuts are numbered from left to right, with the two ends. What speaks against an edge is
    the cost of the cut at its end, in heights of ink, and the fraction of its ink that does not
    hang together with the rest.
    """
    height, width = component.mask.shape
    if width < NARROW * height:
        return []
    cuts = [
        (0.0, np.zeros(height)),
        *_cuts(component.mask, component.stroke_width),
        (0.0, np.full(height, width)),
    ]
    lefts = [component.mask & (np.arange(width) < path[:, None]) for _, path in cuts]
    spans = [(path.min(), path.max()) for _, path in cuts]
    lattice, last = [], len(cuts) - 1
    from_left, from_right = {0}, {last}  # the cuts that edges lead to from the two ends
    for start, end in combinations(range(len(cuts)), 2):
        cost, _ = cuts[end]
        too_wide = spans[end][0] - spans[start][1] > WIDEST * height
        if too_wide or start not in from_left or (start, end) == (0, last):
            continue
        part = trim(Component(lefts[end] & ~lefts[start], component.x, component.y))
        # Neighbours are about as high as each other.
        if part and part.width < WIDEST * height and part.height > 0.6 * height:
            doubt = cost + _broken_off(part.mask)
            if doubt < DOUBT:
                lattice.append((start, end, doubt, part))
                from_left.add(end)
    for start, end, *_ in reversed(lattice):
        if end in from_right:
            from_right.add(start)
    return [edge for edge in lattice if edge[1] in from_right]


def best_paths(edges: list[tuple[int, int]], scores: np.ndarray) -> list[tuple[float, list[int]]]:
    """Return the best path through a lattice with 1, 2, 3 ... edges: its score, and the edges.

    `edges` (from, to), from less than to; `scores` (n,), of each, which a path adds up. A path
    leads from 0 to the greatest number.
    """
    best: dict[tuple[int, int], tuple[float, list[int]]] = {(0, 0): (0.0, [])}  # node, edges
    for i in sorted(range(len(edges)), key=edges.__getitem__):
        start, end = edges[i]
        for n in range(start + 1):
            score, path = best.get((start, n), (-np.inf, []))
            if score + scores[i] > best.get((end, n + 1), (-np.inf,))[0]:
                best[end, n + 1] = score + scores[i], [*path, i]
    last = max((end for _, end in edges), default=0)
    return [path for (node, n), path in best.items() if node == last and n]


def _cuts(mask: np.ndarray, stroke_width: float) -> list[tuple[float, np.ndarray]]:
    """Return the candidate cuts from left to right: what each costs, and its x in each row.

    Each is the best path from top to bottom (as seam carving finds them: Avidan and Shamir,
    2007) of those through one pixel of the middle row.
    """
    height, width = mask.shape
    scale = min(1, ROWS / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    ink = cv2.resize(mask.astype("float32"), size, interpolation=cv2.INTER_AREA)
    rows, columns = ink.shape
    middle = rows // 2
    above, below = _least_ink(ink[: middle + 1]), _least_ink(ink[middle:][::-1])
    inked = (above[-1] + below[-1] - ink[middle]) / rows
    cost = inked * max(1, STROKE * height / stroke_width)
    minima = np.flatnonzero((cost == _least_of_three(cost)) & (cost < DOUBT))
    minima = minima[np.argsort(cost[minima])]
    paths = np.vstack([_paths(above, minima)[::-1], _paths(below, minima)[1:]])
    ink_before = np.zeros((rows, columns + 1), "float32")  # of each column, in its row
    np.cumsum(ink, axis=1, out=ink_before[:, 1:])
    lefts = ink_before.T[[0, -1]]  # for each cut, the ink on its left by row
    found = []
    for x, path in zip(minima, paths.T, strict=True):
        left = ink_before[np.arange(rows), path]
        if np.abs(lefts - left).sum(axis=1).min() > ALIKE * rows**2:
            lefts = np.vstack([lefts, left])
            found.append((left.sum(), float(cost[x]), path))
    y = (np.arange(height) + 0.5) * rows / height - 0.5
    return [
        (paid, np.interp(y, np.arange(rows), path) * width / columns)
        for _, paid, path in sorted(found, key=lambda cut: cut[0])
    ]


def _least_ink(ink: np.ndarray) -> np.ndarray:
    """Return, for each pixel, what the best path to it from the first row costs."""
    least = ink.copy()
    for before, here in pairwise(least):
        here += np.minimum(before, _least_of_three(before) + ASIDE)
    return least


def _least_of_three(row: np.ndarray) -> np.ndarray:
    """Return the least of each value and its neighbours."""
    return cv2.erode(row[None], np.ones((1, 3), "uint8"))[0]


def _paths(least: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the columns, (rows, len(x)), of the best paths from each `x` of the last row up."""
    aside = np.pad(least + ASIDE, ((0, 0), (1, 1)), constant_values=np.inf)
    steps = np.argmin([aside[:, :-2], least, aside[:, 2:]], axis=0) - 1
    columns = [x]
    for row in steps[-2::-1]:
        columns.append(columns[-1] + row[columns[-1]])
    return np.array(columns)


def _broken_off(mask: np.ndarray) -> float:
    """Return the fraction of the ink outside the largest connected component."""
    areas = labelled(mask)[1][1:, cv2.CC_STAT_AREA]
    return 1 - areas.max() / areas.sum()
