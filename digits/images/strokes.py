"""Is a component strokes on paper? Shades, blots and things are not, and their masks hide it."""

import cv2
import numpy as np

from digits.images.pieces import FAINTEST, SMALLEST, Piece, edge_contacts, framed, ink_mask
from digits.images.statistics import median, quantile

BLOB = 0.5  # a piece with thicker strokes, as a share of its size, is no writing
SOLID_BLOB = 0.36  # the same for one without any dent or hole
HAIR = 0.03  # what runs from edge to edge is thicker, as a share of its size
BOTH_SIDES = 0.6  # the share of a stroke's contrast that it has on both of its sides, at least
SHARP = 1.0  # how much ink comes in over the thickness of a stroke, from paper 0 to ink 1
PAPER = 0.2  # how much ink nine tenths of the paper around strokes have at most


def only_strokes(pieces: list[Piece], ink: np.ndarray, grey: np.ndarray) -> list[Piece]:
    """Return the pieces that are strokes on paper, and those too small to tell.

    `ink` as `find_ink` gives it, `grey` the picture that it comes from, uint8.
    """
    inked = ink_mask(ink)
    return [
        p
        for p in pieces
        if p.size < SMALLEST
        or not (
            _is_blob(p)
            or _is_crease(p, ink.shape)
            or _is_shade(p, ink)
            or _on_a_thing(p, ink, inked)
            or _is_step(p, grey)
        )
    ]


def _is_crease(piece: Piece, shape: tuple[int, int]) -> bool:
    """A fold, a hair or a cable runs from edge to edge and is far thinner than a 1 of that size."""
    across = piece.height == shape[0] or piece.width == shape[1]
    return across and piece.thickness < HAIR * piece.size


def _is_shade(piece: Piece, ink: np.ndarray) -> bool:
    """Shadows, stains and clouds fade in over more than the thickness of a stroke."""
    mask = framed(piece.mask)
    outline = (mask - cv2.erode(mask, np.ones((3, 3), "uint8")))[1:-1, 1:-1] > 0
    # Thin strokes are blurred by the grid of pixels itself, so 15 of them always count.
    reach = max(piece.thickness, 15)
    across = len(edge_contacts(piece, ink.shape)) > 1  # more likely what is left of a frame
    # Where a thing or a sharp shadow ends, one side is sharp, and the other fades.
    slope = quantile(_slope(piece, ink)[outline], 0.25)
    return slope * reach <= SHARP * (1.2 if across else 1)


def _slope(piece: Piece, ink: np.ndarray) -> np.ndarray:
    """Return how steep `ink` is at each pixel of a piece, seen too coarsely for noise to count."""
    room = round(piece.thickness)
    top, left = max(0, piece.y - room), max(0, piece.x - room)
    bottom, right = piece.y + piece.height + room, piece.x + piece.width + room
    near = cv2.GaussianBlur(ink[top:bottom, left:right], (0, 0), max(piece.thickness / 8, 0.3))
    slope = cv2.magnitude(cv2.Sobel(near, cv2.CV_32F, 1, 0), cv2.Sobel(near, cv2.CV_32F, 0, 1)) / 8
    return piece.moved(-left, -top).inside(slope)


def _is_blob(piece: Piece) -> bool:
    """Strokes are thinner, and only a thick 1 has neither dents nor holes."""
    if piece.thickness < SOLID_BLOB * piece.size:
        return False
    return piece.thickness > BLOB * piece.size or piece.filled > 0.98


def _on_a_thing(piece: Piece, ink: np.ndarray, inked: np.ndarray) -> bool:
    """Around strokes is paper, around a thing the rest of the picture."""
    room = round(1.5 * piece.thickness) + 3
    top, left = max(0, piece.y - room), max(0, piece.x - room)
    place = slice(top, piece.y + piece.height + room), slice(left, piece.x + piece.width + room)
    reach = max(1, int(piece.thickness / 2))
    near = cv2.dilate(inked[place].astype("uint8"), np.ones((2 * reach + 1,) * 2, "uint8"))
    around = ink[place][near == 0]
    return len(around) > 0 and quantile(around, 0.9) >= PAPER


def _is_step(piece: Piece, grey: np.ndarray) -> bool:
    """A stroke has paper on both sides; the edge of a shadow or of a thing, on one only.

    `grey` is the picture itself, (height, width) uint8. What is narrower than two strokes and
    lies between lighter or darker sides goes when it is closed or opened; a step stays.
    """
    reach = 2 * round(piece.thickness) + 3
    top, left = max(0, piece.y - reach), max(0, piece.x - reach)
    place = slice(top, piece.y + piece.height + reach), slice(left, piece.x + piece.width + reach)
    around, piece = cv2.GaussianBlur(grey[place], (3, 3), 0), piece.moved(-left, -top)
    inked = np.zeros(around.shape, "uint8")
    piece.inside(inked)[:] = piece.mask
    paper = around[cv2.dilate(inked, np.ones((5, 5), "uint8")) == 0]
    if not len(paper):
        return False
    contrast = median(paper) - median(around[inked > 0])
    least = BOTH_SIDES * max(abs(contrast), FAINTEST)
    square = np.ones((reach, reach), "uint8")
    ways = cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT  # dark strokes, light ones
    return all(
        median(cv2.morphologyEx(around, way, square)[inked > 0]) < least
        for way in (ways if contrast > 0 else ways[::-1])
    )
