"""From ink to lines of digits: which components belong together, and how they follow each other."""

import cv2
import numpy as np

from digits.images.pieces import (
    SMALLEST,
    Piece,
    connected,
    edge_contacts,
    framed,
    ink_mask,
    merge,
    overlap,
    writing_height,
)

LOW = 0.25  # of the height of its line: what is lower is no digit
CLOSE = 0.15  # heights between the halves of a broken digit, at most
DOT = 0.1  # of the height of the writing: what is smaller is dust
STEEP = 0.3  # how far lines fall at most, as a share of their length: 15 degrees and a little
NEXT = 3  # heights of the writing to the next digit of a line, at most, where tilt is measured


def find_pieces(ink: np.ndarray) -> tuple[list[Piece], float]:
    """Return what may be digits, and the height of the writing."""
    pieces = [p for p in connected(ink_mask(ink)) if p.size > 2]
    height, support = writing_height(pieces)
    pieces = [p for p in pieces if p.size > DOT * height]
    pieces = join(drop_boxes(pieces, height), height, 1.35 * height if support > 2 else np.inf)
    return pieces, height


def may_be_one(left: Piece, right: Piece) -> bool:
    """Whether neighbours of a line may be the halves of one digit: close, and not too wide."""
    height = max(left.height, right.height)
    gap = -overlap(left.x, left.width, right.x, right.width)
    together = max(left.x + left.width, right.x + right.width) - left.x
    return gap < CLOSE * height and together < 1.1 * height


def untangle(piece: Piece, ink: np.ndarray) -> list[Piece]:
    """Return what a digit may be if strokes that run to the picture's edge are behind it.

    It is darker, or its strokes are thicker.
    """
    contacts = edge_contacts(piece, ink.shape)
    if sum(np.count_nonzero(np.diff(side, prepend=False) & side) for side in contacts) < 2:
        return []
    inside = cv2.distanceTransform(framed(piece.mask), cv2.DIST_L2, 3)[1:-1, 1:-1]
    levels = np.clip(50 * piece.inside(ink), 0, 255).astype("uint8")
    # Only along their middle are strokes as dark as they are.
    middle = piece.mask & (inside >= cv2.dilate(inside, np.ones((3, 3), "uint8")))
    cut, _ = cv2.threshold(levels[middle].reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    reach = max(1, int(0.35 * inside.max()))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    thick = cv2.morphologyEx(piece.mask.astype("uint8"), cv2.MORPH_OPEN, disc)
    parts = [
        max(connected(part), key=lambda p: p.size, default=None)
        for part in (piece.mask & (levels > cut), thick)
    ]
    return [p.moved(piece.x, piece.y) for p in parts if p and p.size > 0.25 * piece.size]


def unbox(piece: Piece) -> list[Piece]:
    """Free a digit that touches the box around it: take away its outermost strokes."""
    if piece.width > 1.6 * piece.height:
        return []
    inner, band = piece.mask.copy(), max(1, piece.size // 8)
    for turns in range(4):
        outside, rest = np.rot90(piece.mask, turns), np.rot90(inner, turns)
        if outside[:band].any(axis=0).mean() < 0.95:
            return []
        start = outside.argmax(axis=0)
        rows = np.arange(len(outside))[:, None]
        end = np.where((rows > start) & ~outside, rows, len(outside)).min(axis=0)
        thick = 1.5 * np.median(end - start)
        rest &= (rows < start) | (rows > start + thick)
    parts = [p for p in connected(inner) if p.height > 0.35 * piece.height]
    return [parts[0].moved(piece.x, piece.y)] if len(parts) == 1 else []


def marks_of(line: list[Piece]) -> set[Piece]:
    """Return what is too small beside its line to be a digit: dots and dashes."""
    tallest = max(p.height for p in line)
    tall = np.median([p.height for p in line if p.height >= 0.5 * tallest])
    return {p for p in line if p.size < SMALLEST or p.height < LOW * tall}


def tilt_of(pieces: list[Piece], height: float) -> float:
    """Return how far lines fall, as a share of their length: the median over neighbours."""
    pieces = [p for p in pieces if 0.6 * height < p.height < 1.6 * height]
    if len(pieces) < 4:
        return 0.0
    x, y = np.array([(p.x + p.width / 2, p.y + p.height / 2) for p in pieces]).T
    slopes = []
    for i in range(len(pieces)):
        dx, dy = x - x[i], y - y[i]
        there = (dx > 0.3 * height) & (dx < NEXT * height) & (abs(dy) < 0.3 * dx + 0.1 * height)
        if there.any():
            j = np.flatnonzero(there)[np.hypot(dx, 2 * dy)[there].argmin()]
            slopes.append(dy[j] / dx[j])
    if len(slopes) < 3:
        return 0.0
    tilt = float(np.median(slopes))
    spread = np.median(np.abs(slopes - np.float64(tilt)))
    # A few digits that jump from line to line are no tilt.
    clear = 4 * spread / np.sqrt(len(slopes)) < abs(tilt) < STEEP
    return tilt if clear and spread < 0.1 else 0.0


def drop_boxes(pieces: list[Piece], height: float) -> list[Piece]:
    """Drop what is drawn around others: what has writing in a hole is no digit itself."""
    start = np.array([(p.x, p.y) for p in pieces])
    end = start + [(p.width, p.height) for p in pieces] if len(pieces) else start
    boxes = set()
    for i, box in enumerate(pieces):
        if box.size < height:
            continue
        within = ((start > start[i]) & (end < end[i])).all(axis=1)
        if within.any() and _has_in_a_hole(box, [pieces[j] for j in np.flatnonzero(within)]):
            boxes.add(box)
    return [p for p in pieces if p not in boxes]


def _has_in_a_hole(box: Piece, others: list[Piece]) -> bool:
    """Return whether one of `others` is in a hole of `box` and not far smaller than that."""
    paper = (~box.mask).astype("uint8")
    _, labels, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    for other in others:
        around = other.moved(-box.x, -box.y).inside(labels)
        hole = np.bincount(around[other.mask]).argmax()
        left, top, width, height, _ = stats[hole]
        inside = left > 0 and top > 0 and left + width < box.width and top + height < box.height
        if hole > 0 and inside and other.height > 0.4 * height:
            return True
    return False


def join(pieces: list[Piece], height: float, most: float) -> list[Piece]:
    """Join pieces that make up one digit: above one another and close, or one inside another."""
    pieces = sorted(pieces, key=lambda p: -p.size)
    joined: list[Piece] = []
    boxes = np.zeros((len(pieces), 4))  # left, top, right and bottom of those joined
    for piece in pieces:
        # Nothing is looked at that is further away: there may be thousands.
        left, top, right, bottom = _box(piece) + height * np.array([-1, -1, 1, 1])
        near = (boxes[:, :2] < (right, bottom)) & (boxes[:, 2:] > (left, top))
        for i in np.flatnonzero(near[: len(joined)].all(axis=1)):
            if _one_digit(joined[i], piece, height, most):
                joined[i] = merge(joined[i], piece)
                break
        else:
            i = len(joined)
            joined.append(piece)
        boxes[i] = _box(joined[i])
    return joined


def _box(piece: Piece) -> np.ndarray:
    return np.array([piece.x, piece.y, piece.x + piece.width, piece.y + piece.height])


def _one_digit(large: Piece, small: Piece, height: float, most: float) -> bool:
    overlap_x = overlap(large.x, large.width, small.x, small.width)
    overlap_y = overlap(large.y, large.height, small.y, small.height)
    if max(small.height, small.width) < 0.1 * min(height, large.height):
        return False  # a speck
    together = large.height + small.height - overlap_y
    if together > max(most, 1.35 * large.height):
        return False
    if overlap_x < 0.5 * min(large.width, small.width):  # a broken-off end beside it?
        near = overlap_x > -0.2 * large.height and overlap_y > 0
        return near and small.height < 0.4 * large.height and small.width < 0.8 * large.height
    if overlap_y >= 0.5 * small.height:
        return True
    if small.height > 0.6 * large.height:  # two digits above one another, or a broken one?
        return overlap_y > -0.05 * (large.height + small.height)
    return overlap_y > -0.25 * large.height


def lines_of(pieces: list[Piece], height: float) -> list[list[Piece]]:
    """Return the lines from top to bottom, each from left to right.

    A piece follows the line whose last three pieces overlap it most in height; what is small
    is put in afterwards.
    """
    lines: list[list[Piece]] = []
    ends = np.empty((len(pieces), 2))  # top and bottom of the last pieces of each line
    for piece in sorted(pieces, key=lambda p: (p.height < 0.5 * height, p.x + p.width / 2)):
        top, bottom = ends[: len(lines)].T
        common = overlap(top, bottom - top, piece.y, piece.height)
        part = common / np.minimum(bottom - top, piece.height)
        i = int(part.argmax()) if len(lines) and part.max() > 0.4 else len(lines)
        if i == len(lines):
            lines.append([])
        lines[i].append(piece)
        if len(lines[i]) == 1 or piece.height >= 0.5 * height:
            last = lines[i][-3:]
            ends[i] = min(p.y for p in last), max(p.y + p.height for p in last)
    lines.sort(key=lambda line: np.mean([p.y + p.height / 2 for p in line]))
    return [sorted(line, key=lambda p: p.x + p.width / 2) for line in lines]
