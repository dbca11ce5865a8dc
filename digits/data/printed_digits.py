"""Printed digits, in the fonts that Matplotlib brings, and those of a seven-segment display.

MNIST holds none. A model that has seen none reads nine printed digits in ten, but takes segments
that do not meet, and an 8 or a 6 made of segments, for something else.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.data.drawn_digits import SIDE, draw_line, prepared, prepared_small

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSansMono")
FONTS += ("STIXGeneral",)
DIGIT_FONTS = (*FONTS, "DejaVuSans-Oblique", "DejaVuSerif-Bold", "DejaVuSansMono-Bold")
DIGIT_FONTS += ("STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmb10", "cmss10", "cmti10")
DIGIT_FONTS += ("cmtt10",)
SMALL = 0.5  # fraction that is as small and blurred as on a page
CORNER = SIDE / 2, 8  # pixels, x and y: where a digit begins
SEGMENTED = 0.3  # fraction with seven segments
# The seven segments, from and to (x, y): a to g, as data sheets of displays name them.
SEGMENTS = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 1)),
    "c": ((1, 1), (1, 2)),
    "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)),
    "f": ((0, 0), (0, 1)),
    "g": ((0, 1), (1, 1)),
}
LIT = (
    ("abcdef",),
    ("bc",),
    ("abdeg",),
    ("abcdg",),
    ("bcfg",),
    ("acdfg",),
    ("acdefg", "cdefg"),
    ("abc", "abcf"),
    ("abcdefg",),
    ("abcdfg", "abcfg"),
)


def print_digit(digit: int, rng: np.random.Generator) -> np.ndarray:
    """Return a made-up printed digit, (28, 28) uint8, prepared as digits are."""
    segmented = rng.random() < SEGMENTED
    canvas = draw_segments(digit, rng) if segmented else draw_text(str(digit), DIGIT_FONTS, rng)
    return prepared_small(canvas, rng) if rng.random() < SMALL else prepared(canvas)


def draw_text(characters: str, fonts: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Return one of `characters` in one of `fonts`, (height, width) uint8, ink 255 on 0."""
    font = _font(fonts[rng.integers(len(fonts))])
    mask = font.getmask(characters[rng.integers(len(characters))])
    return np.array(mask, "uint8").reshape(mask.size[::-1])


@cache
def _font(name: str) -> "FreeTypeFont":
    import matplotlib  # its drawing part, which is slow to import, is not needed
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), 40)


def draw_segments(digit: int, rng: np.random.Generator) -> np.ndarray:
    """Return a digit of a seven-segment display, (64, 128) uint8, ink 255 on 0.

    Its segments meet, or have gaps between them; many displays are slanted.
    """
    canvas = np.zeros((SIDE, 2 * SIDE), "uint8")
    size = np.array([rng.uniform(0.4, 0.65), 0.5]) * (SIDE - 16)
    thickness, slant = int(rng.integers(3, 9)), rng.choice([0, rng.uniform(0, 0.25)])
    gap = rng.choice([0, rng.uniform(0.5, 0.9)]) * thickness
    for name in rng.choice(LIT[digit]):
        start, end = np.array(SEGMENTS[name]) * size
        shorter = gap * np.sign(end - start)
        line = np.array([start + shorter, end - shorter])
        line[:, 0] -= slant * line[:, 1]
        draw_line(canvas, line + CORNER, thickness)
    return canvas
