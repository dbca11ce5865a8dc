"""From a picture of handwriting to digits as MNIST has them. No Keras here.

    grey = read_grey(file)        files      a picture file -> grey values
    inks = find_ink(grey)         ink        lighting evened out, ink light on dark
    pieces = find_digits(ink)     finding    where the digits are, line by line
    parts = slices(piece)         cutting    what a piece is if neighbours touch
    image = prepare(piece, ink)   preparing  28x28, as MNIST was prepared

`digits_in` takes all steps after the first. What they do not believe to be writing they
leave out, so that a blank page gives no digits.
"""

from dataclasses import dataclass, field

import numpy as np

from digits.images.cutting import slices
from digits.images.files import ImageError, read_first_page, read_grey
from digits.images.finding import find_digits, reading_order
from digits.images.ink import find_ink, to_working_size
from digits.images.pieces import Piece
from digits.images.preparing import SIDE, already_prepared, prepare
from digits.images.strokes import is_step

__all__ = ["Digit", "ImageError", "digits_in", "read_first_page", "read_grey"]


@dataclass(eq=False)
class Digit:
    """One digit found: its box in the picture as displayed, and as the network sees it."""

    box: tuple[int, int, int, int]  # x, y, width, height in pixels
    image: np.ndarray  # (28, 28) uint8, ink 255 on 0
    # If it is wide: what it may be cut into, with the numbers of the cuts at both ends and
    # how much speaks against it.
    parts: list[tuple[int, int, float, "Digit"]] = field(default_factory=list)
    line: int = 0  # which line of the page it stands in, from the top


def digits_in(grey: np.ndarray) -> list[Digit]:
    """Find the digits in a picture, in reading order; an empty list if there are none.

    `grey`: (height, width) uint8, of either polarity.
    """
    as_is = already_prepared(grey)
    if as_is is not None:
        return [Digit((0, 0, SIDE, SIDE), as_is)]
    work, scale = to_working_size(grey)
    for ink in find_ink(work):
        pieces = [p for p in find_digits(ink) if not is_step(p, work)]
        if pieces:  # the first opinion that leads to anything
            lines = enumerate(reading_order(pieces))
            return [_with_parts(piece, ink, scale, i) for i, line in lines for piece in line]
    return []


def _with_parts(piece: Piece, ink: np.ndarray, scale: float, line: int) -> Digit:
    digit = _digit(piece, ink, scale, line)
    digit.parts = [(*place, _digit(part, ink, scale, line)) for *place, part in slices(piece)]
    return digit


def _digit(piece: Piece, ink: np.ndarray, scale: float, line: int) -> Digit:
    x, y = int(piece.x / scale), int(piece.y / scale)
    width, height = round(piece.width / scale), round(piece.height / scale)
    return Digit((x, y, max(1, width), max(1, height)), prepare(piece, ink), line=line)
