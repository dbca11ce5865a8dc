"""Is a piece made of strokes on paper? Shadows, stains, blots and photographed things are not."""

import cv2
import numpy as np

from digits.images.pieces import FAINTEST, Piece, edge_contacts, framed
from digits.images.statistics import median, quantile

BLOB = 0.5  # a piece with thicker strokes, as a share of its size, is no writing
SOLID_BLOB = 0.36  # the same for one without any dent or hole
LEVEL = 1.7  # a solid stroke wider than this many times its height is no digit
SOLID = 0.5  # a piece with thicker strokes, as a share of its height, is one solid stroke
HAIR = 0.03  # the same for one with thinner strokes that runs from edge to edge
TANGLE = 7.5  # a piece with a longer outline, as a multiple of its size, is no digit
SHARP = 1.0  # how much ink comes in over the thickness of a stroke, from paper 0 to ink 1
BOTH_SIDES = 0.6  # the share of a stroke's contrast that it has on both of its sides, at least
PAPER = 0.2  # how much ink nine tenths of the paper around strokes have at most


def drop_shades(pieces: list[Piece], ink: np.ndarray) -> list[Piece]:
    """Drop what fades in over more than the thickness of a stroke: shadows, stains, clouds."""
    kept = []
    for piece in pieces:
        mask = framed(piece.mask)
        outline = (mask - cv2.erode(mask, np.ones((3, 3), "uint8")))[1:-1, 1:-1] > 0
        # Thin strokes are blurred by the grid of pixels itself, so 15 of them always count.
        reach = max(piece.thickness, 15)
        across = len(edge_contacts(piece, ink.shape)) > 1  # more likely what is left of a frame
        # Where a thing or a sharp shadow ends, one side is sharp, and the other fades.
        slope = quantile(_slope(piece, ink)[outline], 0.25)
        if slope * reach > SHARP * (1.2 if across else 1):
            kept.append(piece)
    return kept


def _slope(piece: Piece, ink: np.ndarray) -> np.ndarray:
    """Return how steep `ink` is at each pixel of a piece, seen too coarsely for noise to count."""
    room = round(piece.thickness)
    top, left = max(0, piece.y - room), max(0, piece.x - room)
    bottom, right = piece.y + piece.height + room, piece.x + piece.width + room
    near = cv2.GaussianBlur(ink[top:bottom, left:right], (0, 0), max(piece.thickness / 8, 0.3))
    slope = cv2.magnitude(cv2.Sobel(near, cv2.CV_32F, 1, 0), cv2.Sobel(near, cv2.CV_32F, 0, 1)) / 8
    return piece.moved(-left, -top).inside(slope)


def is_blob(piece: Piece) -> bool:
    """Strokes are thinner, and only a thick 1 has neither dents nor holes."""
    if piece.thickness < SOLID_BLOB * piece.size:
        return False
    return piece.thickness > BLOB * piece.size or piece.filled > 0.98


def is_bar(piece: Piece) -> bool:
    """A solid stroke that lies: a dash, an underline, or what is left of a ruled line."""
    return piece.width > LEVEL * piece.height and piece.thickness > SOLID * piece.height


def is_crease(piece: Piece, shape: tuple[int, int]) -> bool:
    """A fold, a hair or a cable runs from edge to edge and is far thinner than a 1 of that size."""
    across = piece.height == shape[0] or piece.width == shape[1]
    return across and piece.thickness < HAIR * piece.size


def is_tangle(piece: Piece) -> bool:
    """The outline of a scribble, of twigs or of a figure is longer than that of any digit."""
    outlines, _ = cv2.findContours(
        piece.mask.astype("uint8"), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return max(cv2.arcLength(outline, True) for outline in outlines) > TANGLE * piece.size


def on_paper(piece: Piece, ink: np.ndarray, inked: np.ndarray) -> bool:
    """Around strokes is paper, around a thing the rest of the picture."""
    room = round(1.5 * piece.thickness) + 3
    top, left = max(0, piece.y - room), max(0, piece.x - room)
    place = slice(top, piece.y + piece.height + room), slice(left, piece.x + piece.width + room)
    reach = max(1, int(piece.thickness / 2))
    near = cv2.dilate(inked[place].astype("uint8"), np.ones((2 * reach + 1,) * 2, "uint8"))
    around = ink[place][near == 0]
    return not len(around) or quantile(around, 0.9) < PAPER


def is_step(piece: Piece, grey: np.ndarray) -> bool:
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
