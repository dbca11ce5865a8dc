"""Where neighbours that touch may be parted: along paths through little ink."""

from itertools import combinations, pairwise

import cv2
import numpy as np

from digits.images.pieces import Piece, labelled, trim

NARROW = 0.8  # a piece less wide than this share of its height is one digit
WIDEST = 1.3  # how wide one digit is at most, as a share of that height
ROWS = 48  # of the small copy of a piece in which the paths are looked for
ASIDE = 1  # a step to the side costs a path as much as so many rows of ink
STROKE = 0.17  # what it costs at least to go through a stroke, however thin
DOUBT = 0.45  # a path costs less, and less speaks against a part
THREE = np.ones((1, 3), "uint8")  # a pixel and its neighbours in its row
ALIKE = 0.04  # paths with less ink between them, as a share of the height's square, are one


def slices(piece: Piece) -> list[tuple[int, int, float, Piece]]:
    """Return what a wide piece may consist of if neighbours touch: (start, end, doubt, part).

    `start` and `end` number the places where it may be cut, its two ends among them. `doubt`
    is how much speaks against the part: what the cut at `end` costs, and the share of the
    part's ink that does not hang together with the rest. A narrow piece gives nothing.
    """
    height, width = piece.mask.shape
    if width < NARROW * height:
        return []
    cuts = [
        (0.0, np.zeros(height)),
        *_cuts(piece.mask, piece.thickness),
        (0.0, np.full(height, width)),
    ]
    lefts = [piece.mask & (np.arange(width) < path[:, None]) for _, path in cuts]
    found, last = [], len(cuts) - 1
    from_left, from_right = {0}, {last}  # the cuts that parts lead to from the two ends
    for start, end in combinations(range(len(cuts)), 2):
        cost, path = cuts[end]
        too_wide = path.min() - cuts[start][1].max() > WIDEST * height
        if too_wide or start not in from_left or (start, end) == (0, last):
            continue
        part = trim(Piece(lefts[end] & ~lefts[start], piece.x, piece.y))
        # Neighbours are about as high as each other.
        if part and part.width < WIDEST * height and part.height > 0.6 * height:
            doubt = cost + _broken_off(part.mask)
            if doubt < DOUBT:
                found.append((start, end, doubt, part))
                from_left.add(end)
    for start, end, *_ in reversed(found):
        if end in from_right:
            from_right.add(start)
    return [part for part in found if part[1] in from_right]


def _cuts(mask: np.ndarray, thickness: float) -> list[tuple[float, np.ndarray]]:
    """Return the cuts from left to right: what each costs, and its x in each row.

    Each is the best path from top to bottom (as seam carving finds them: Avidan and Shamir,
    2007) of those through one pixel of the middle row.
    """
    height, width = mask.shape
    scale = min(1, ROWS / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    ink = cv2.resize(mask.astype("float32"), size, interpolation=cv2.INTER_AREA)
    rows, columns = ink.shape
    middle = rows // 2
    # Above the middle row and below it at once, each from its edge; below may begin empty.
    halves = np.zeros((middle + 1, 2, columns), "float32")
    halves[:, 0], halves[middle - rows :, 1] = ink[: middle + 1], ink[middle:][::-1]
    least = _least_ink(halves)
    inked = (least[-1].sum(axis=0) - ink[middle]) / rows
    cost = inked * max(1, STROKE * height / thickness)
    places = np.flatnonzero((cost == _least_of_three(cost[None])[0]) & (cost < DOUBT))
    places = places[np.argsort(cost[places])]
    paths = _paths(least, places)
    paths = np.vstack([paths[::-1, 0], paths[1 : rows - middle, 1]])
    ink_before = np.zeros((rows, columns + 1), "float32")  # of each column, in its row
    np.cumsum(ink, axis=1, out=ink_before[:, 1:])
    lefts = [ink_before[:, 0], ink_before[:, -1]]  # for each cut, the ink on its left by row
    found = []
    for x, path in zip(places, paths.T, strict=True):
        left = ink_before[np.arange(rows), path]
        if min(np.abs(left - other).sum() for other in lefts) > ALIKE * rows**2:
            lefts.append(left)
            found.append((left.sum(), float(cost[x]), path))
    y = (np.arange(height) + 0.5) * rows / height - 0.5
    return [
        (paid, np.interp(y, np.arange(rows), path) * width / columns)
        for _, paid, path in sorted(found, key=lambda cut: cut[0])
    ]


def _least_ink(halves: np.ndarray) -> np.ndarray:
    """Return, for each pixel of each half, what the best path to it from the first row costs."""
    least = halves.copy()
    for before, here in pairwise(least):
        here += np.minimum(before, _least_of_three(before) + ASIDE)
    return least


def _least_of_three(rows: np.ndarray) -> np.ndarray:
    """Return the least of each value and its neighbours in its row."""
    return cv2.erode(rows, THREE)


def _paths(least: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the columns of the best paths from each `x` of the last row to the first row.

    (rows, 2, len(x)): for each half.
    """
    aside = np.full((*least.shape[:2], least.shape[2] + 2), np.inf, "float32")
    aside[..., 1:-1] = least + ASIDE
    steps = np.argmin([aside[..., :-2], least, aside[..., 2:]], axis=0) - 1
    half = np.array([[0], [1]])
    columns = [np.stack([x, x])]
    for row in steps[-2::-1]:
        columns.append(columns[-1] + row[half, columns[-1]])
    return np.array(columns)


def _broken_off(mask: np.ndarray) -> float:
    """Return the share of the ink outside the largest connected piece."""
    areas = labelled(mask)[1][1:, cv2.CC_STAT_AREA]
    return 1 - areas.max() / areas.sum()
