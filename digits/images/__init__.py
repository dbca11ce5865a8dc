"""From a picture of handwriting to digits as MNIST has them. No Keras here.

    grey = read_grey(file)              files      a picture file -> grey values
    for differences in stand_out(grey)  paper      what stands out from the paper
    for ink in find_ink(grey)           ink        thresholds; rulings and frames taken out
    pieces, height = find_pieces(ink)   finding    connected components, joined to digits
    lines = lines_of(pieces, height)    finding    in reading order
    parts = slices(piece)               cutting    what a piece is if neighbours touch
    image = prepare(piece, ink)         preparing  28x28, as MNIST was prepared

`digits_in` takes all steps after the first. What is no digit is for the network to say.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from digits.images.cutting import slices
from digits.images.files import ImageError, read_first_page, read_grey
from digits.images.finding import (
    find_pieces,
    lines_of,
    marks_of,
    may_be_one,
    tilt_of,
    unbox,
    untangle,
)
from digits.images.ink import find_ink, to_working_size
from digits.images.pieces import SMALLEST, Piece, merge
from digits.images.preparing import SIDE, already_prepared, prepare
from digits.images.strokes import only_strokes

__all__ = ["Digit", "ImageError", "digits_in", "read_first_page", "read_grey"]

LEVEL = 0.07  # how far lines fall, as a share of their length, that are not turned level first

BEHIND = 0.3  # how much speaks against a digit with other strokes behind it


@dataclass(eq=False)
class Digit:
    """One digit found: its box in the picture as displayed, and as the network sees it."""

    box: tuple[int, int, int, int]  # x, y, width, height in pixels
    image: np.ndarray  # (28, 28) uint8, ink 255 on 0
    # What else it may be, or be cut into: the numbers of the cuts at both ends, and how much
    # speaks against it.
    parts: list[tuple[int, int, float, "Digit"]] = field(default_factory=list)
    line: int = 0  # which line of the page it stands in, from the top
    mark: bool = False  # too small for a digit of its line: a dot or a dash
    place: tuple[int, int, int, int] = ()  # the box on the page turned upright and level

    def __post_init__(self):
        self.place = self.place or self.box


def digits_in(grey: np.ndarray, turns: int = 0, attempt: int = 0) -> list[Digit]:
    """Find what may be digits in a picture, in reading order; an empty list if there is nothing.

    `grey`: (height, width) uint8, of either polarity; `turns`: by how many right angles it is
    turned to the left first; `attempt`: which opinion of what the paper is to follow.
    """
    as_is = already_prepared(grey)
    if as_is is not None:
        return [] if turns or attempt else [Digit((0, 0, SIDE, SIDE), as_is)]
    work, scale = to_working_size(np.ascontiguousarray(np.rot90(grey, turns)))
    to_picture = _turned_back(turns, *grey.shape) @ np.diag((1 / scale, 1 / scale, 1))
    for ink in find_ink(work):
        pieces, height = find_pieces(ink)
        strokes = only_strokes(pieces, ink, work)
        if all(p.size < SMALLEST for p in strokes):
            continue
        if not attempt:
            break
        attempt -= 1
    else:
        return []
    for piece in set(pieces) - set(strokes):
        piece.inside(ink)[piece.mask] = 0
    pieces, tilt = strokes, tilt_of(strokes, height)
    if abs(tilt) > LEVEL:
        ink, back = _level(ink, tilt)
        to_picture = to_picture @ back
        pieces, height = find_pieces(ink)
    return [
        digit
        for i, line in enumerate(lines_of(pieces, height))
        for digit in _digits(line, ink, to_picture, i)
    ]


def _turned_back(turns: int, height: int, width: int) -> np.ndarray:
    """Return the matrix from a picture that was turned to the left to what it was before."""
    return np.array(
        [
            [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            [[0, -1, width], [1, 0, 0], [0, 0, 1]],
            [[-1, 0, width], [0, -1, height], [0, 0, 1]],
            [[0, 1, 0], [-1, 0, height], [0, 0, 1]],
        ][turns],
        float,
    )


def _level(ink: np.ndarray, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return `ink` turned so that lines falling by `tilt` are level, and the matrix back."""
    height, width = ink.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), np.degrees(np.arctan(tilt)), 1)
    around = np.abs(turn[:, :2]) @ (width, height)
    turn[:, 2] += (around - (width, height)) / 2
    size = [int(np.ceil(side)) for side in around]
    back = np.linalg.inv(np.vstack([turn, (0, 0, 1)]))
    return cv2.warpAffine(ink, turn, size, flags=cv2.INTER_LINEAR), back


def _digits(line: list[Piece], ink: np.ndarray, to_picture: np.ndarray, number: int) -> list[Digit]:
    """Return the digits of a line, each with what else it may be."""
    digits: list[Digit] = []
    marks = marks_of(line)
    rest = [piece for piece in line if piece not in marks]
    while rest:
        piece = rest.pop(0)
        ways, end = _ways(piece, ink)
        if rest and may_be_one(piece, rest[0]):  # the halves of a broken digit, or two digits
            other = rest.pop(0)
            more, length = _ways(other, ink)
            ways += [(0, end, 0.0, piece), (end, end + length, 0.0, other)]
            ways += [(start + end, stop + end, doubt, part) for start, stop, doubt, part in more]
            piece = merge(piece, other)
        digits.append(_digit(piece, ink, to_picture, number))
        digits[-1].parts = [
            (*place, _digit(part, ink, to_picture, number)) for *place, part in ways
        ]
    for piece in marks:
        digits.append(_digit(piece, ink, to_picture, number))
        digits[-1].mark = True
    return digits


def _ways(piece: Piece, ink: np.ndarray) -> tuple[list[tuple[int, int, float, Piece]], int]:
    """Return what else a piece may be, as `slices` does, and the number of its last cut."""
    ways = slices(piece)
    end = max((end for _, end, *_ in ways), default=1)
    freed = untangle(piece, ink) + unbox(piece)
    return ways + [(0, end, BEHIND, part) for part in freed], end


def _digit(piece: Piece, ink: np.ndarray, to_picture: np.ndarray, line: int) -> Digit:
    inked = np.argwhere(piece.mask)[:, ::-1] + (piece.x + 0.5, piece.y + 0.5)
    inked = inked @ to_picture[:2, :2].T + to_picture[:2, 2]
    half = np.hypot(*to_picture[0, :2]) / 2  # of a pixel
    (left, top), (right, bottom) = inked.min(axis=0) - half, inked.max(axis=0) + half
    width, height = max(1, round(right - left)), max(1, round(bottom - top))
    box = int(max(0, left) + 1e-6), int(max(0, top) + 1e-6), width, height
    place = piece.x, piece.y, piece.width, piece.height
    return Digit(box, prepare(piece, ink), line=line, place=place)
