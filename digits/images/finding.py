"""From ink to digits: which pieces are digits, and in which order they are read."""

import cv2
import numpy as np

from digits.images.boxes import drop_boxes, unbox
from digits.images.pieces import (
    SMALLEST,
    Piece,
    connected,
    edge_contacts,
    framed,
    ink_mask,
    merge,
    overlap,
)
from digits.images.strokes import drop_shades, is_bar, is_blob, is_crease, is_tangle, on_paper

TEXTURE = 40  # pieces of ink, most of them specks: more are no writing


def find_digits(ink: np.ndarray) -> list[Piece]:
    """Return the pieces that look like digits."""
    inked = ink_mask(ink)
    pieces = connected(inked)
    count = len(pieces)
    if count > TEXTURE and sum(p.size >= SMALLEST for p in pieces) < 0.5 * count:
        return []
    pieces = [part for piece in pieces for part in untangle(piece, ink)]
    pieces = [p for p in pieces if not is_crease(p, ink.shape)]
    pieces = [part for piece in pieces for part in unbox(piece)]
    pieces = drop_shades(drop_specks(join(drop_boxes(pieces))), ink)
    written = [p for p in pieces if not is_blob(p) and not is_tangle(p)]
    written = [p for p in written if on_paper(p, ink, inked)]
    # Digits have few specks and blots between them; texture has pieces of all sizes and kinds.
    others = count if count > TEXTURE else len(pieces)
    return [] if len(written) < 0.5 * others else written


def untangle(piece: Piece, ink: np.ndarray) -> list[Piece]:
    """Free a digit from lines behind it that run to the picture's edge.

    A line that runs through meets the edge more than once. If the piece's darker ink alone,
    or its thicker strokes alone, keep off the edge, they are the writing; else the piece
    stays as it is.
    """
    contacts = edge_contacts(piece, ink.shape)
    if sum(np.count_nonzero(np.diff(side, prepend=False) & side) for side in contacts) < 2:
        return [piece]
    inside = cv2.distanceTransform(framed(piece.mask), cv2.DIST_L2, 3)[1:-1, 1:-1]
    # Only along their middle are strokes as dark as they are.
    middle = piece.mask & (inside >= cv2.dilate(inside, np.ones((3, 3), "uint8")))
    levels = np.clip(50 * piece.inside(ink), 0, 255).astype("uint8")
    cut, _ = cv2.threshold(levels[middle].reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    bright, dim = levels[middle & (levels > cut)], levels[middle & (levels <= cut)]
    options = []
    if len(bright) and len(dim) and dim.mean() < 0.55 * bright.mean():
        options.append(piece.mask & (levels > cut))
    reach = max(1, int(0.35 * inside.max()))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    options.append(cv2.morphologyEx(piece.mask.astype("uint8"), cv2.MORPH_OPEN, disc) > 0)
    for option in options:
        parts = [p.moved(piece.x, piece.y) for p in connected(option)]
        largest = max((p.size for p in parts), default=0)
        parts = [p for p in parts if p.size > 0.3 * largest]
        free = not any(edge_contacts(p, ink.shape) for p in parts)
        if free and largest > 0.25 * piece.size:
            return parts
    return [piece]


def join(pieces: list[Piece]) -> list[Piece]:
    """Join pieces that make up one digit: above one another and close, or one inside another."""
    pieces = sorted(pieces, key=lambda p: -p.size)
    tallest = max((p.height for p in pieces), default=0)
    joined: list[Piece] = []
    boxes = np.zeros((len(pieces), 4))  # left, top, right and bottom of those joined
    for piece in pieces:
        # Further away than the tallest is high nothing is looked at: there may be thousands.
        left, top, right, bottom = _box(piece) + tallest * np.array([-1, -1, 1, 1])
        near = (boxes[:, :2] < (right, bottom)) & (boxes[:, 2:] > (left, top))
        for i in np.flatnonzero(near[: len(joined)].all(axis=1)):
            if _one_digit(joined[i], piece, tallest):
                joined[i] = merge(joined[i], piece)
                break
        else:
            i = len(joined)
            joined.append(piece)
        boxes[i] = _box(joined[i])
    return joined


def _box(piece: Piece) -> np.ndarray:
    return np.array([piece.x, piece.y, piece.x + piece.width, piece.y + piece.height])


def _one_digit(large: Piece, small: Piece, tallest: int) -> bool:
    overlap_x = overlap(large.x, large.width, small.x, small.width)
    overlap_y = overlap(large.y, large.height, small.y, small.height)
    if max(small.height, small.width) < 0.1 * tallest:
        return False  # a speck
    if overlap_x < 0.5 * min(large.width, small.width):  # a broken-off end beside it?
        near = overlap_x > -0.2 * tallest and overlap_y > 0
        return near and small.height < 0.4 * tallest and small.width < 0.8 * tallest
    if overlap_y >= 0.5 * small.height:
        return True
    if small.height > 0.6 * large.height:  # two digits above one another, or a broken one?
        return overlap_y > -0.05 * (large.height + small.height)
    return overlap_y > -0.25 * large.height


def drop_specks(pieces: list[Piece]) -> list[Piece]:
    """Drop what is far too small beside the digits, level bars, and lines far too long for one."""
    if not pieces:
        return []
    pieces = [p for p in pieces if p.size >= SMALLEST and not is_bar(p)]
    largest = max((p.height for p in pieces), default=0)
    tall = np.median([p.height for p in pieces if p.height > 0.5 * largest] or [0])
    return [p for p in pieces if p.height >= 0.3 * tall and not (_is_line(p) and len(pieces) > 1)]


def _is_line(piece: Piece) -> bool:
    """A row of digits that touch is as wide, but has strokes above one another."""
    if piece.width <= 3 * piece.height:
        return False
    strokes = np.count_nonzero(np.diff(piece.mask, axis=0, prepend=False) & piece.mask, axis=0)
    return strokes.mean() < 1.3


def reading_order(pieces: list[Piece]) -> list[list[Piece]]:
    """Return the lines from top to bottom, each from left to right."""
    top, height = (np.array([getattr(p, of) for p in pieces]) for of in ("y", "height"))
    in_line = np.arange(len(pieces))  # which line each piece is in, at first one of its own
    for i in range(len(pieces)):
        common = overlap(top, height, top[i], height[i])
        same = common > 0.4 * np.minimum(height, height[i])
        for number in set(in_line[same]):
            in_line[in_line == number] = i
    lines = [[pieces[i] for i in np.flatnonzero(in_line == n)] for n in np.unique(in_line)]
    lines.sort(key=lambda line: np.mean([p.y + p.height / 2 for p in line]))
    return [sorted(line, key=lambda p: p.x + p.width / 2) for line in lines]
