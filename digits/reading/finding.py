"""From a picture of handwriting to digits as MNIST has them. No Keras here.

Each step is a function in a module of its name:

    image, back = to_working_size(grey)             geometry       at a size to work at
    darker, lighter = estimate_background(image)    background     contrast with the paper
    contrast, noise = choose_polarity(...)          thresholding   dark ink or light ink
    ink, components, _ = threshold(...)             thresholding   by hysteresis
    outside = find_rulings(ink, ...)                rulings        tables, forms, ruled paper
    outside = find_border(ink, ...)                 border         shadows, the sheet's edge
    components, height = find_digits(components)    components     joined to digits
    is_stroke(component, ink, image)                strokes        no blots, no shades
    ink, back = deskew(ink, components, height)     lines          the page made level
    lines = in_lines(components, height)            lines          in reading order
    lattice = segment(line, ink)                    segmentation   where neighbours touch
    image = normalize_digit(component, ink)         normalization  28x28, as MNIST's are

`digits_on` takes all but the first. What is no digit is for the model to say.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from digits.data.normalization import SIDE, as_normalized, normalize_digit
from digits.reading.background import estimate_background
from digits.reading.border import find_border
from digits.reading.components import SMALLEST, Component, edge_contacts, find_digits
from digits.reading.geometry import scale_of, to_working_size
from digits.reading.lines import deskew, in_lines, split_marks
from digits.reading.rulings import find_rulings
from digits.reading.segmentation import segment
from digits.reading.strokes import is_stroke, stroke_ink
from digits.reading.thresholding import choose_polarity, hysteresis_threshold, threshold


@dataclass(eq=False)
class Digit:
    """One digit found: its box in the picture as displayed, and as the model sees it."""

    box: tuple[int, int, int, int]  # x, y, width, height in pixels
    image: np.ndarray  # (28, 28) uint8, ink 255 on 0
    # What else it may be, or be cut into: the edges of a lattice, each with the numbers of the
    # cuts at both ends, and what speaks against it.
    parts: list[tuple[int, int, float, "Digit"]] = field(default_factory=list)
    line: int = 0  # which line of the page it stands in, from the top
    mark: bool = False  # too small for a digit of its line: a dot or a dash
    blot: bool = False  # or a shade: no stroke of a pen, and so no digit
    ink: float = 1.0  # of its strokes; 1 is full ink
    place: tuple[int, int, int, int] = ()  # the box on the page turned upright and level

    def __post_init__(self):
        self.place = self.place or self.box

    def __repr__(self) -> str:
        return f"<Digit in box {self.box}>"


def digits_in(grey: np.ndarray) -> list[Digit]:
    """Find what may be digits in a picture, in reading order; an empty list if there is nothing.

    `grey`: (height, width) uint8, of either polarity.
    """
    return normalized_digit(grey) or digits_on(*to_working_size(grey))


def normalized_digit(grey: np.ndarray) -> list[Digit]:
    """Return the one digit of a picture that is as MNIST's are; an empty list if it is not."""
    image = as_normalized(grey)
    return [] if image is None else [Digit((0, 0, SIDE, SIDE), image)]


def digits_on(image: np.ndarray, back: np.ndarray, attempt: int = 0) -> list[Digit]:
    """Find what may be digits in an image of working size; `back` leads to the picture.

    `attempt`: which estimate of the background to follow.
    """
    if min(image.shape) < SMALLEST:  # a line, with room for no digit
        return []
    for darker, lighter in estimate_background(image):
        contrast, noise = choose_polarity(darker, lighter)
        ink, components, trace = threshold(contrast, noise)
        for find in find_rulings, find_border:
            outside = find(ink, components, trace)
            if outside.any():
                contrast = np.where(outside, 0, contrast)
                ink, components, trace = threshold(contrast, noise)
        components, height = find_digits(components)
        strokes, dropped = [], []
        for c in components:
            (strokes if is_stroke(c, ink, image) else dropped).append(c)
        if all(c.size < SMALLEST for c in strokes):
            continue
        if not attempt:
            break
        attempt -= 1
    else:
        return []
    # What reaches the picture's edge lies around the page.
    blots = [c for c in dropped if not edge_contacts(c, ink.shape)]
    digits = [make_digit(blot, ink, back, blot=True) for blot in blots]
    for component in dropped:
        component.crop(ink)[component.mask] = 0
    components, level = strokes, deskew(ink, strokes, height)
    if level:
        ink, rotated_back = level
        back = back @ rotated_back
        components, height = find_digits(hysteresis_threshold(ink))
        for digit, blot in zip(digits, blots, strict=True):
            digit.place = _box(blot, np.linalg.inv(rotated_back))
    for number, line in enumerate(in_lines(components, height)):
        line, marks = split_marks(line)
        for component, lattice in segment(line, ink):
            digit = make_digit(component, ink, back, line=number)
            digit.parts = [
                (*edge, make_digit(part, ink, back, line=number)) for *edge, part in lattice
            ]
            digits.append(digit)
        digits += [make_digit(mark, ink, back, line=number, mark=True) for mark in marks]
    return digits


def make_digit(component: Component, ink: np.ndarray, back: np.ndarray, **what: int) -> Digit:
    """Return a component as a Digit; `back` is the matrix to the picture."""
    place = component.x, component.y, component.width, component.height
    what |= {"ink": stroke_ink(component, ink), "place": place}
    image = normalize_digit(component.mask, component.crop(ink))
    return Digit(_box(component, back), image, **what)


def _box(component: Component, to: np.ndarray) -> tuple[int, int, int, int]:
    """Return the box around a component in an image that the matrix `to` leads to."""
    corners = np.array([(0, 0), (component.width - 1, component.height - 1)])
    if np.count_nonzero(to[:2, :2]) > 2:  # turned by other than right angles
        corners = cv2.convexHull(cv2.findNonZero(component.mask.astype("uint8")))[:, 0]
    corners = (corners + np.array((component.x + 0.5, component.y + 0.5))) @ to[:2, :2].T
    corners += to[:2, 2]
    half = scale_of(to) / 2  # of a pixel
    (left, top), (right, bottom) = corners.min(axis=0) - half, corners.max(axis=0) + half
    width, height = max(1, round(right - left)), max(1, round(bottom - top))
    return int(max(0, left) + 1e-6), int(max(0, top) + 1e-6), width, height
