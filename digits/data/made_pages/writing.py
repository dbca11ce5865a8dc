"""What stands among digits: letters and signs drawn by strokes, and words in many fonts.

Strokes are lists of points, x and y in heights of a digit, from the left and from the baseline up.
"""

import pkgutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.data.made_pages.drawing import FONTS, OTHER, Hand, Page
from digits.data.made_pages.kinds import SIGNS
from digits.data.printed_digits import DIGIT_FONTS, draw_segments

# The families that look written by hand. They come as packages, fontpkg-caveat and so on, see
# fonts.txt here; without them there are Matplotlib's fonts alone.
HANDS = [
    "caveat",
    "dancing_script",
    "delius",
    "great_vibes",
    "indie_flower",
    "kalam",
    "permanent_marker",
    "satisfy",
    "shadows_into_light",
    "yellowtail",
    "zeyada",
]
LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
FOREIGN = "ÄÖÜäöüßéñØΓΔΘΛΞΠΣΦΨΩβδεθλμπφψωБДЖИЛФЦЧШЩЪЫЭЮЯ"
LIKE_DIGITS = "oOsSzZgqbBIlJD"  # alone, they may be digits
PRINTED_SIGNS = "+-=.,:;x/()<>%#$&?!*[]{}@€£§°→←★♥±÷√∞≠≤"


def _arc(x: float, y: float, wide: float, high: float, start: float = 0, end: float = 360):
    turn = np.deg2rad(np.linspace(start, end, 14))
    return [(x + wide * np.cos(t), y + high * np.sin(t)) for t in turn]


# What is longer than a digit, or hangs beside it, is what a detector mistakes most.
MORE_SIGNS = {
    "[": [[(0.2, 1.1), (0, 1.1), (0, -0.1), (0.2, -0.1)]],
    "]": [[(0, 1.1), (0.2, 1.1), (0.2, -0.1), (0, -0.1)]],
    ">": [[(0, 0.75), (0.45, 0.45), (0, 0.15)]],
    "°": [_arc(0.12, 0.9, 0.12, 0.12)],
    "÷": [[(0, 0.45), (0.5, 0.45)], [(0.25, 0.75), (0.26, 0.73)], [(0.25, 0.15), (0.26, 0.13)]],
    "*": [[(0, 0.3), (0.35, 0.65)], [(0, 0.65), (0.35, 0.3)], [(0.17, 0.2), (0.17, 0.75)]],
    "%": [[(0, 0), (0.6, 1)], _arc(0.12, 0.85, 0.12, 0.13), _arc(0.5, 0.15, 0.12, 0.13)],
    "{": [[(0.25, 1.1), (0.12, 1), (0.14, 0.6), (0, 0.5), (0.14, 0.4), (0.12, 0), (0.25, -0.1)]],
    "}": [[(0, 1.1), (0.12, 1), (0.1, 0.6), (0.25, 0.5), (0.1, 0.4), (0.12, 0), (0, -0.1)]],
    "?": [[(0, 0.8), (0.1, 1), (0.35, 0.95), (0.35, 0.7), (0.18, 0.5), (0.18, 0.3)],
          [(0.18, 0.06), (0.19, 0.04)]],
    "√": [[(0, 0.4), (0.1, 0.5), (0.25, -0.1), (0.45, 1.1), (1.6, 1.12)]],
    "|": [[(0, 1.35), (0.02, -0.35)]],
    "fraction": [[(0, -0.15), (1.5, -0.15)]],
    "π": [[(0, 0.6), (0.5, 0.62)], [(0.13, 0.6), (0.1, 0)], [(0.38, 0.6), (0.4, 0)]],
    "→": [[(0, 0.45), (0.7, 0.45)], [(0.5, 0.6), (0.7, 0.45), (0.5, 0.3)]],
    "tick": [[(0, 0.4), (0.15, 0.1), (0.5, 1.1)]],
    "X": [[(0, 0.1), (0.6, 0.8)], [(0, 0.8), (0.6, 0.1)]],
    "·": [[(0, 0.45), (0.02, 0.43)]],
    "!": [[(0, 1), (0, 0.3)], [(0, 0.04), (0.01, 0.02)]],
    "€": [_arc(0.35, 0.5, 0.35, 0.5, 45, 315), [(-0.05, 0.6), (0.4, 0.6)],
          [(-0.05, 0.4), (0.4, 0.4)]],
    "$": [[(0.5, 0.9), (0.2, 1), (0, 0.75), (0.25, 0.5), (0.5, 0.25), (0.25, 0), (0, 0.1)],
          [(0.25, 1.1), (0.25, -0.1)]],
    "#": [[(0.1, 0), (0.25, 1)], [(0.4, 0), (0.55, 1)], [(0, 0.35), (0.6, 0.35)],
          [(0.05, 0.68), (0.65, 0.68)]],
    "&": [[(0.6, 0), (0.15, 0.7), (0.2, 0.95), (0.4, 0.95), (0.4, 0.7), (0, 0.3), (0.1, 0),
           (0.35, 0.02), (0.6, 0.4)]],
    "heart": [[(0.3, 0), (0, 0.6), (0.1, 0.9), (0.3, 0.75), (0.5, 0.9), (0.6, 0.6), (0.3, 0)]],
    "star": [[(0, 0), (0.3, 1), (0.6, 0), (-0.1, 0.62), (0.7, 0.62), (0, 0)]],
    "caret": [[(0, 0.6), (0.2, 1), (0.4, 0.6)]],
    "tall +": [[(0, 0.5), (0.7, 0.52)], [(0.35, 1), (0.33, 0)]],
    "low /": [[(0, 0), (0.45, 1)]],
    "leaning /": [[(0, -0.1), (1, 1.1)]],
    "low (": [[(0.2, 1), (0.03, 0.75), (0, 0.5), (0.03, 0.25), (0.2, 0)]],
    "low )": [[(0, 1), (0.17, 0.75), (0.2, 0.5), (0.17, 0.25), (0, 0)]],
    "deep (": [[(0.4, 1.2), (0.1, 0.9), (0, 0.5), (0.1, 0.1), (0.4, -0.2)]],
    "deep )": [[(0, 1.2), (0.3, 0.9), (0.4, 0.5), (0.3, 0.1), (0, -0.2)]],
    "blot": [_arc(0.3, 0.35, size, size) for size in (0.3, 0.2, 0.1)],
    "~": [[(0, 0.4), (0.15, 0.55), (0.35, 0.38), (0.5, 0.52)]],
}  # fmt: skip
WRITTEN_SIGNS = SIGNS | MORE_SIGNS
# The common ones.
OPERATORS = [*"++--==xx//(())", "tall +", "tall +", "leaning /", "deep (", "deep )"]
WRITTEN_LETTERS = {
    "A": [[(0, 0), (0.35, 1), (0.7, 0)], [(0.15, 0.4), (0.55, 0.4)]],
    "B": [[(0, 0), (0, 1)], [(0, 1), (0.4, 0.95), (0.45, 0.75), (0, 0.52)],
          [(0, 0.52), (0.5, 0.4), (0.5, 0.1), (0, 0)]],
    "C": [_arc(0.35, 0.5, 0.35, 0.5, 50, 310)],
    "D": [[(0, 0), (0, 1), (0.4, 0.9), (0.6, 0.5), (0.4, 0.1), (0, 0)]],
    "E": [[(0.5, 1), (0, 1), (0, 0), (0.5, 0)], [(0, 0.5), (0.4, 0.5)]],
    "F": [[(0.5, 1), (0, 1), (0, 0)], [(0, 0.5), (0.4, 0.5)]],
    "G": [_arc(0.35, 0.5, 0.35, 0.5, 50, 350), [(0.7, 0.42), (0.4, 0.42)]],
    "H": [[(0, 0), (0, 1)], [(0.5, 0), (0.5, 1)], [(0, 0.5), (0.5, 0.5)]],
    "J": [[(0.1, 1), (0.6, 1)], [(0.4, 1), (0.38, 0.1), (0.2, 0), (0, 0.15)]],
    "K": [[(0, 0), (0, 1)], [(0.5, 1), (0, 0.45), (0.5, 0)]],
    "L": [[(0, 1), (0, 0), (0.5, 0)]],
    "M": [[(0, 0), (0.1, 1), (0.4, 0.4), (0.7, 1), (0.8, 0)]],
    "N": [[(0, 0), (0, 1), (0.5, 0), (0.5, 1)]],
    "P": [[(0, 0), (0, 1), (0.45, 0.95), (0.45, 0.55), (0, 0.5)]],
    "Q": [_arc(0.35, 0.5, 0.35, 0.5), [(0.4, 0.25), (0.8, -0.1)]],
    "R": [[(0, 0), (0, 1), (0.45, 0.95), (0.45, 0.55), (0, 0.5), (0.5, 0)]],
    "T": [[(0, 1), (0.7, 1)], [(0.35, 1), (0.35, 0)]],
    "U": [[(0, 1), (0, 0.2), (0.25, 0), (0.5, 0.2), (0.5, 1)]],
    "V": [[(0, 1), (0.3, 0), (0.6, 1)]],
    "W": [[(0, 1), (0.2, 0), (0.4, 0.7), (0.6, 0), (0.8, 1)]],
    "X": [[(0, 0), (0.6, 1)], [(0, 1), (0.6, 0)]],
    "Y": [[(0, 1), (0.3, 0.5), (0.6, 1)], [(0.3, 0.5), (0.3, 0)]],
    "a": [[(0.45, 0.45), (0.2, 0.5), (0, 0.25), (0.2, 0), (0.45, 0.2), (0.45, 0.5), (0.45, 0.05),
           (0.55, 0)]],
    "c": [_arc(0.22, 0.25, 0.22, 0.25, 50, 310)],
    "d": [[(0.4, 1), (0.4, 0)], [(0.4, 0.4), (0.15, 0.5), (0, 0.25), (0.15, 0), (0.4, 0.15)]],
    "e": [[(0, 0.25), (0.4, 0.3), (0.25, 0.5), (0, 0.3), (0.1, 0), (0.4, 0.08)]],
    "f": [[(0.4, 0.95), (0.25, 1), (0.2, 0.8), (0.2, 0)], [(0.05, 0.5), (0.4, 0.5)]],
    "h": [[(0, 1), (0, 0)], [(0, 0.35), (0.2, 0.5), (0.35, 0.4), (0.35, 0)]],
    "i": [[(0, 0.5), (0, 0)], [(0, 0.7), (0.02, 0.72)]],
    "j": [[(0.2, 0.5), (0.2, -0.3), (0, -0.35)], [(0.2, 0.7), (0.22, 0.72)]],
    "k": [[(0, 1), (0, 0)], [(0.3, 0.5), (0, 0.2), (0.35, 0)]],
    "m": [[(0, 0.5), (0, 0)], [(0, 0.35), (0.15, 0.5), (0.25, 0.35), (0.25, 0)],
          [(0.25, 0.35), (0.4, 0.5), (0.5, 0.35), (0.5, 0)]],
    "n": [[(0, 0.5), (0, 0)], [(0, 0.35), (0.2, 0.5), (0.35, 0.35), (0.35, 0)]],
    "p": [[(0, 0.5), (0, -0.4)], [(0, 0.4), (0.25, 0.5), (0.4, 0.25), (0.25, 0), (0, 0.1)]],
    "r": [[(0, 0.5), (0, 0)], [(0, 0.3), (0.2, 0.5), (0.3, 0.45)]],
    "t": [[(0.2, 0.9), (0.2, 0.1), (0.4, 0)], [(0, 0.6), (0.4, 0.6)]],
    "u": [[(0, 0.5), (0, 0.1), (0.2, 0), (0.35, 0.15)], [(0.35, 0.5), (0.35, 0)]],
    "v": [[(0, 0.5), (0.17, 0), (0.35, 0.5)]],
    "w": [[(0, 0.5), (0.12, 0), (0.25, 0.4), (0.38, 0), (0.5, 0.5)]],
    "x": [[(0, 0), (0.4, 0.5)], [(0, 0.5), (0.4, 0)]],
    "x curled": [[(0, 0.5), (0.12, 0.48), (0.2, 0.25), (0.1, 0), (0, 0.02)],
                 [(0.45, 0.48), (0.32, 0.5), (0.2, 0.25), (0.3, 0), (0.45, 0.05)]],
    "y": [[(0, 0.5), (0.05, 0.15), (0.2, 0.05), (0.35, 0.2), (0.35, 0.5), (0.33, -0.3),
           (0.15, -0.4), (0, -0.3)]],
    "y straight": [[(0, 0.5), (0.2, 0.1)], [(0.42, 0.5), (0.08, -0.4)]],
    "z barred": [[(0, 0.55), (0.42, 0.55), (0, 0), (0.45, 0)], [(0.05, 0.28), (0.38, 0.28)]],
    "Z barred": [[(0, 1), (0.6, 1), (0, 0), (0.6, 0)], [(0.1, 0.5), (0.5, 0.5)]],
    "z": [[(0, 0.5), (0.4, 0.5), (0, 0), (0.42, 0)]],
    "alpha": [[(0.6, 0.5), (0.35, 0.1), (0.15, 0), (0, 0.2), (0.15, 0.48), (0.35, 0.4), (0.6, 0)]],
    "beta": [[(0, -0.4), (0.1, 0.8), (0.3, 1), (0.45, 0.8), (0.2, 0.52), (0.5, 0.3), (0.3, 0),
           (0.08, 0.1)]],
    "gamma": [[(0, 0.5), (0.15, 0.45), (0.25, -0.1), (0.2, -0.4), (0.15, -0.1), (0.5, 0.5)]],
}  # fmt: skip


def draw(
    page: Page, hand: Hand, strokes, x: float, y: float, size: float = 1.0, vary: float = 0.15
) -> float:
    """Draw a sign or a letter on the baseline y from x on; return where it ends."""
    rng, far = hand.rng, 0.0
    wide, high = size * np.exp(rng.normal(0, vary, 2))
    lean = hand.slant + rng.normal(0, 0.06)
    for line in strokes:
        points = np.array(line) + rng.normal(0, 0.025, (len(line), 2))
        if len(points) > 2 and rng.random() < 0.75:
            points = _rounded(points)
        points[:, 0] += lean * points[:, 1]
        points *= (wide, -high)
        page.stroke(points * hand.height + (x, y), hand.width, hand.colour, hand.opaque, OTHER)
        far = max(far, points[:, 0].max())
    return x + hand.height * far


def _rounded(points: np.ndarray) -> np.ndarray:
    """Return more points along the line, its corners cut (Chaikin's algorithm, twice)."""
    for _ in range(2):
        before, after = points[:-1], points[1:]
        inner = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        points = np.vstack([points[:1], inner.reshape(-1, 2), points[-1:]])
    return points


def written_sign(page: Page, hand: Hand, x: float, y: float) -> float:
    signs = OPERATORS if hand.rng.random() < 0.6 else list(WRITTEN_SIGNS)
    sign = WRITTEN_SIGNS[signs[hand.rng.integers(len(signs))]]
    return draw(page, hand, sign, x, y, np.exp(hand.rng.normal(0, 0.2)), vary=0.22)


def written_letter(page: Page, hand: Hand, x: float, y: float) -> float:
    letters = list(WRITTEN_LETTERS.values())
    return draw(page, hand, letters[hand.rng.integers(len(letters))], x, y)


@cache
def font_families() -> tuple[tuple[tuple[Path, ...], ...], ...]:
    """Return the families of fonts, those that look written by hand and the others."""
    hands, prints = [], [(FONTS / f"{name}.ttf",) for name in DIGIT_FONTS]
    for package in sorted(module.name for module in pkgutil.iter_modules()):
        if package.startswith("fontpkg_"):
            folder = Path(find_spec(package).submodule_search_locations[0])
            family = tuple(sorted(folder.glob("files/*.ttf")))
            (hands if package.removeprefix("fontpkg_") in HANDS else prints).append(family)
    return tuple(hands or prints), tuple(prints)


def some_font(rng: np.random.Generator, by_hand: bool = False) -> Path:
    families = font_families()[not by_hand]
    family = families[rng.integers(len(families))]
    return family[rng.integers(len(family))]


@cache
def _font(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size)


def type_text(
    page: Page, text: str, file: Path, size: float, x: float, y: float, colour,
    opaque: bool = False, warp: tuple[np.random.Generator, float] | None = None, bold: float = 0,
) -> float:  # fmt: skip
    """Print characters one by one on the baseline y from x on; digits among them are marked so.

    `size` is about the height of a digit in pixels. With `warp`, a generator and a strength, each
    is bent a little, as a hand would. Return where the text ends.
    """
    font = _font(file, max(6, round(size / _digit_height(file))))
    for character in text:
        left, top, right, bottom = font.getbbox(character, anchor="ls")
        if right > left and bottom > top:
            room = 2 + round(0.15 * size) if warp else 1
            shape = int(right - left) + 2 * room, int(bottom - top) + 2 * room
            image = Image.new("L", shape)
            ImageDraw.Draw(image).text((room - left, room - top), character, 255, font, "ls")
            mask = np.asarray(image, "float32") / 255
            if warp:
                mask = _bent(mask, warp[0], warp[1] * size, 0.6 * size)
            if bold:
                mask = cv2.dilate(mask, np.ones((1 + round(bold * size),) * 2, "uint8"))
            at = x + left - room, y + top - room
            if character in "0123456789":
                page.digit(mask, character, *at, colour, opaque)
                page.boxes[-1] = (x + left, y + top, x + right, y + bottom)
            else:
                page.lay(mask, *at, colour, opaque, OTHER)
        x += font.getlength(character)
    return x


@cache
def _digit_height(file: Path) -> float:
    """Return how high a digit is, as a fraction of the font's size."""
    _, top, _, bottom = _font(file, 100).getbbox("0", anchor="ls")
    return max(0.2, (bottom - top) / 100)


def _bent(mask: np.ndarray, rng: np.random.Generator, strength: float, grain: float) -> np.ndarray:
    """Return `mask` with its pixels moved by smooth noise of so many pixels."""
    height, width = mask.shape
    y, x = np.indices(mask.shape, "float32")
    shape = 3 + int(height / grain), 3 + int(width / grain)
    for axis in (x, y):
        noise = rng.standard_normal(shape, "float32")
        axis += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.remap(mask, x, y, cv2.INTER_LINEAR)


def type_segments(page: Page, hand: Hand, number: str, x: float, y: float) -> float:
    """Write a number as a seven-segment display does."""
    for character in number:
        mask = draw_segments(int(character), hand.rng).astype("float32") / 255
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        scale = hand.height / (rows[-1] - rows[0] + 1)
        size = max(2, round(mask.shape[1] * scale)), max(2, round(mask.shape[0] * scale))
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        advance = 0.62 * hand.height
        page.digit(mask, character, x + advance - size[0], y - size[1], hand.colour, hand.opaque)
        x += advance + 0.15 * hand.height
    return x


def some_word(rng: np.random.Generator, longest: int = 8) -> str:
    letters = LETTERS if rng.random() < 0.9 else FOREIGN
    word = "".join(
        letters[i] for i in rng.integers(len(letters), size=rng.integers(1, longest + 1))
    )
    if len(word) == 1 and word in LIKE_DIGITS:
        return some_word(rng, longest)
    return (word.lower(), word.capitalize(), word.upper(), word)[
        rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))
    ]
