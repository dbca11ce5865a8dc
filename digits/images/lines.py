"""The lines of ruled and squared paper."""

import cv2
import numpy as np

from digits.images.pieces import bounds, connected, framed, ink_mask
from digits.images.statistics import quantile


def lines_of(ink: np.ndarray) -> np.ndarray:
    """Return where straight lines run through the picture: ruled and squared paper.

    Where a stroke crosses a line, the pixels stay with the stroke.
    """
    faint = ink > 0.12
    across, n_across = _horizontal_lines(faint)
    turned, n_down = _horizontal_lines(faint.T)
    if not (n_across or n_down):
        return np.zeros(ink.shape, bool)
    strokes = faint & ~across & ~turned.T
    lines = _without_crossings(across, strokes | (across & ~turned.T))
    lines |= _without_crossings(turned, (strokes | (turned.T & ~across)).T).T
    if not lines.any():
        return lines
    # What is clearly darker than the lines is a stroke, unless it is a crossing of theirs.
    clear = lines & (ink > 1.3 * quantile(ink[lines], 0.95))
    _, labels = cv2.connectedComponents((faint & (clear | ~lines)).astype("uint8"))
    labels = labels.ravel()
    on_lines = np.bincount(labels, clear.ravel()) / np.bincount(labels)
    lines &= ~clear | (on_lines[labels] > 0.5).reshape(lines.shape)
    # A stroke on a crossing of lines has a gap now; it closes from both sides.
    gap = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    remaining = (faint & ~lines).astype("uint8")
    lines &= cv2.morphologyEx(remaining, cv2.MORPH_CLOSE, gap) == 0
    # A single long stroke with little else is no ruling but a 1.
    if n_across + n_down == 1 and (ink_mask(ink) & ~lines).sum() < 0.5 * lines.sum():
        lines[:] = False
    return lines


def _horizontal_lines(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Return where lines run, and how many. They may all be turned a little."""
    height, width = mask.shape
    edges = mask[0], mask[-1], mask[:, 0], mask[:, -1]
    if sum(bool(edge.any()) for edge in edges) < 2:
        return np.zeros(mask.shape, bool), 0
    slope = _slope_of_lines(mask)
    room = round(abs(slope) * width / 2)
    view, visible = (
        _sheared(cv2.copyMakeBorder(part, room, room, 0, 0, cv2.BORDER_CONSTANT), slope)
        for part in (np.ascontiguousarray(mask, "uint8"), np.ones(mask.shape, "uint8"))
    )
    found, n = _level_lines(view, visible, min(height, width))
    if width < 0.5 * height and n < 4:  # the strokes of one tall digit
        return np.zeros(mask.shape, bool), 0
    return _sheared(found, -slope)[room : room + height] > 0, n


def _level_lines(view: np.ndarray, visible: np.ndarray, side: int) -> tuple[np.ndarray, int]:
    """Return where level lines run from edge to edge of what is `visible`, and how many.

    All uint8; `side` is the picture's shorter one. Where there are several lines, there may
    also be some that cut a corner.
    """
    width, thickest = view.shape[1], 0.02 * side + 5
    # Short stretches, so that a line need not be quite straight.
    stretch = np.ones((1, max(12, round(0.08 * width))), "uint8")
    wide = cv2.dilate(view, np.ones((3, 1), "uint8"))
    long = cv2.morphologyEx(wide, cv2.MORPH_OPEN, stretch)
    # Lines across interrupt them, and digits in the way.
    across = np.ones((round(thickest) + 3, 1), "uint8")
    thin = long & visible & ~cv2.morphologyEx(view, cv2.MORPH_OPEN, across)
    thin, bridged = (
        cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, round(gap)), "uint8")) & visible
        for gap in (2 * thickest, 0.4 * width)
    )
    found, corners, n = np.zeros_like(view), np.zeros_like(view), 0
    for piece in connected(bridged):
        whole = visible[piece.y : piece.y + piece.height].sum(axis=1).min()
        if piece.height > max(0.1 * side, 3 * thickest):  # a stroke runs along it
            piece.mask[piece.mask.sum(axis=1) < 0.5 * whole] = False
        drawn = piece.mask & (piece.inside(thin) > 0)
        place = bounds(drawn)
        if place is None:
            continue
        rows, columns = (part.stop - part.start for part in place)
        covered = np.count_nonzero(drawn.any(axis=0))
        thickness = drawn.sum() / covered
        straight = rows <= max(0.1 * side, 3 * thickness)
        if columns + 5 < 0.95 * whole or not straight or thickness > thickest:
            continue
        inked = np.count_nonzero((piece.mask & (piece.inside(wide) > 0)).any(axis=0))
        if covered < 0.4 * whole or inked < 0.9 * whole:  # digits may hide it, but not paper
            continue
        full = bool(whole > 0.5 * width)
        n += full
        line = piece.inside(found if full else corners)
        line[piece.mask] = piece.inside(long)[piece.mask]
    return found | corners if n > 2 else found, n


def _slope_of_lines(mask: np.ndarray) -> float:
    """Return by how much the longest nearly horizontal line falls, pixels by pixel."""
    upper_edges = mask.astype("uint8")
    upper_edges[1:] &= ~upper_edges[:-1]  # a thick line has many directions, its edge has one
    level, fewest = np.pi / 2, round(0.4 * mask.shape[1])
    lines = cv2.HoughLines(
        upper_edges, 1, np.pi / 1440, fewest, min_theta=level - 0.15, max_theta=level + 0.15
    )
    return 0.0 if lines is None else float(-1 / np.tan(lines[0, 0, 1]))


def _sheared(mask: np.ndarray, slope: float) -> np.ndarray:
    """Shift each column so that lines of that slope become level."""
    shear = np.array([[1, 0, 0], [slope, 1, -slope * mask.shape[1] / 2]])
    how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, shear, mask.shape[::-1], flags=how)


def _without_crossings(lines: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Return horizontal `lines` less the pixels where `strokes` cross them."""
    if not lines.any():
        return lines
    thickness = np.median(lines.sum(axis=0))
    rows = np.count_nonzero(np.diff(lines, axis=0, prepend=False) & lines, axis=0)
    tall = np.ones((round(1.3 * thickness / max(1, np.median(rows))) + 2, 1), "uint8")
    room = len(tall)  # or else a line at the picture's edge would pass for a crossing
    crossing = cv2.morphologyEx(framed(strokes, room), cv2.MORPH_OPEN, tall)
    return lines & (crossing[room:-room, room:-room] == 0)
