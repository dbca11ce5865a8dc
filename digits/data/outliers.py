"""Images of what is no digit: letters, signs, scribbles, rulings, halves of digits.

A model that has only seen digits is sure of everything. So some of the images of each
batch show what is none, and their target is that all ten are equally likely (outlier
exposure: Hendrycks, Mazeika and Dietterich, 2019). What a person could take for a digit, such
as a lone upright stroke or an empty ring, is left out.
"""

import cv2
import numpy as np

from digits.data.drawn_digits import SIDE, draw_line, prepared, prepared_small, smooth
from digits.data.normalization import bounding_box
from digits.data.printed_digits import FONTS, draw_text

SLIM = 0.45  # a shape with less width in its length may be a 1, unless it lies
SMALL = 0.5  # fraction of the letters, signs and dashes that are as on a page
LETTERS = "ACEFHKMNRTUVWXadefhkmnprtuvwxÄÜÖäüöÆæÑñÇÞΓΔΠΣΦΨΩπμψωЖШЩЮЯДФИ"
SIGNS = '@&%#+=~*<>.:"-÷±√∞≈≠≤≥∑∏→←♥♣☺▲►€£¥©®¶…'
ANY = tuple(range(10))
HALVED = (0, 2, 3, 4, 5, 8)  # digits whose left half is no digit
LYING = (2, 3, 4, 5, 6, 7, 8, 9)  # digits that are none on their side
INVERTED = (3, 7)  # nor on their head


def make_outliers(
    n: int, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return `n` images of what is no digit, (n, 28, 28) uint8, prepared as digits are.

    `images` (m, 28, 28) uint8 and `labels` (m,) are digits to make some of them from: cut in
    halves, turned, joined.
    """

    of_kind = {
        kind: np.flatnonzero(np.isin(labels, kind)) for kind in (ANY, HALVED, LYING, INVERTED)
    }

    def digit(kind: tuple[int, ...] = ANY) -> np.ndarray:
        found = of_kind[kind]
        image = images[rng.choice(found)] if len(found) else np.zeros((28, 28), "uint8")
        image = cv2.resize(image, (56, 56), interpolation=cv2.INTER_CUBIC)
        return image[bounding_box(image > 127) or ...]

    kinds = (  # how often, and which fraction of it small
        (lambda: draw_text(LETTERS, FONTS, rng), 4, SMALL),
        (lambda: draw_text(SIGNS, FONTS, rng), 3, SMALL),
        (lambda: _scribble(rng), 3, 0),
        (lambda: _ruling(rng), 3, 0),
        (lambda: _frame(rng), 2, 0),
        (lambda: _dashes(rng), 1, SMALL),
        (lambda: _blot(rng), 2, 0),
        (lambda: _texture(rng), 2, 0),
        (lambda: _left_half(digit(HALVED), rng), 2, 0),
        (lambda: np.rot90(digit(LYING), rng.choice([1, 3])), 2, 0),
        (lambda: np.rot90(digit(INVERTED), 2), 1, 0),
        (lambda: _joined([digit() for _ in range(rng.choice([2, 2, 2, 3]))], rng), 4, 0),
    )
    often = np.array([fraction for _, fraction, _ in kinds])
    result: list[np.ndarray] = []
    while len(result) < n:
        draw, _, small = kinds[rng.choice(len(kinds), p=often / often.sum())]
        canvas = np.ascontiguousarray(draw())
        if not _may_be_a_digit(canvas > 127):
            on_page = rng.random() < small
            result.append(prepared_small(canvas, rng) if on_page else prepared(canvas))
    return np.array(result, "uint8").reshape(n, 28, 28)


def _may_be_a_digit(mask: np.ndarray) -> bool:
    """Tell strokes that a 1 could be, and what is too small to be anything."""
    found = np.argwhere(mask)
    if len(found) < 12:
        return True
    height, width = np.ptp(found, axis=0) + 1
    _, sides, _ = cv2.minAreaRect(found.astype("float32"))
    return height > 0.6 * width and min(sides) < SLIM * max(sides)


def _draw(
    canvas: np.ndarray, points: np.ndarray | list[tuple[float, float]], thickness: int
) -> None:
    """Draw a line through points (n, 2), x and y from 0 to 1."""
    draw_line(canvas, 8 + (SIDE - 16) * np.array(points), thickness)


def _canvas(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Return something to draw on, and a thickness for the strokes."""
    return np.zeros((SIDE, SIDE), "uint8"), int(rng.integers(3, 9))


def _scribble(rng: np.random.Generator) -> np.ndarray:
    """Draw a line that winds, or some short ones across each other: fewer may be a digit."""
    canvas, thickness = _canvas(rng)
    strokes = rng.choice([1, 3, 4])
    for _ in range(strokes):
        points = rng.random((rng.integers(2, 5) if strokes > 1 else rng.integers(7, 12), 2))
        if rng.random() < 0.6:
            points = smooth(points, rng.uniform(0.05, 0.2))
        _draw(canvas, points, thickness)
    return canvas


def _ruling(rng: np.random.Generator) -> np.ndarray:
    """Draw a piece of a table: level and upright lines that cross, or a corner of one."""
    canvas, thickness = _canvas(rng)
    level, upright = rng.integers(1, 4, 2)
    if rng.random() < 0.4:  # a corner, but not the one that looks like a 7
        start, end = (0, 0), (1, 1)
        ys, xs = np.linspace(1, 0, level, False), np.linspace(0, 1, upright, False)
    else:
        start, end = rng.uniform(0, 0.3, 2), rng.uniform(0.7, 1, 2)
        edge = 0.3 if level + upright == 2 else 0.1
        ys, xs = (rng.uniform(edge, 1 - edge, lines) for lines in (level, upright))
    for y in ys:
        _draw(canvas, [(start[0], y), (end[0], y)], thickness)
    for x in xs:
        _draw(canvas, [(x, start[1]), (x, end[1])], thickness)
    return canvas


def _frame(rng: np.random.Generator) -> np.ndarray:
    """Draw a box, perhaps with something in it, or a ring with a cross."""
    canvas, thickness = _canvas(rng)
    high = rng.uniform(0.75, 1)
    kind = rng.choice(["box", "full box", "crossed box", "crossed ring", "crossed ring"])
    if kind == "crossed ring":
        turn = np.linspace(0, 2 * np.pi, 24)
        _draw(canvas, np.c_[1 + np.cos(turn), high * (1 + np.sin(turn))] / 2, thickness)
    else:
        _draw(canvas, [(0, 0), (1, 0), (1, high), (0, high), (0, 0)], thickness)
    if kind == "full box":
        for _ in range(rng.integers(2, 5)):
            _draw(canvas, rng.uniform(0.2, 0.8, (2, 2)) * (1, high), thickness)
    elif kind != "box":
        turn = rng.choice([0, np.pi / 4]) + rng.uniform(-0.2, 0.2)
        for angle in (turn, turn + np.pi / 2):
            middle, way = np.array([1, high]) / 2, np.array([np.cos(angle), high * np.sin(angle)])
            _draw(canvas, middle + np.outer([-0.5, 0.5], way), thickness)
    return canvas


def _dashes(rng: np.random.Generator) -> np.ndarray:
    """Draw a lying stroke, or a few below each other."""
    canvas, thickness = _canvas(rng)
    for _ in range(rng.choice([1, 1, 2, 3])):
        y = rng.uniform(0.2, 0.8) + rng.uniform(-0.1, 0.1, 3)
        _draw(canvas, np.c_[[0, 0.5, 1], y], thickness)
    return canvas


def _blot(rng: np.random.Generator) -> np.ndarray:
    """Fill a shape with corners or without, and leave holes in it."""
    canvas, _ = _canvas(rng)
    turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 10)))
    away = rng.uniform(0.2, 0.5, len(turn)) * (SIDE - 8)
    corners = SIDE / 2 + np.c_[np.cos(turn), np.sin(turn)] * away[:, None]
    cv2.fillPoly(canvas, [corners.round().astype("int32")], 255)
    for _ in range(rng.integers(4)):
        x, y, radius = rng.integers((12, 12, 2), (SIDE - 12, SIDE - 12, 8)).tolist()
        cv2.circle(canvas, (x, y), radius, 0, -1)
    return cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 4))


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Return a window on noise of some grain, black and white."""
    noise = rng.standard_normal(rng.integers(SIDE // 2, SIDE, 2))
    grain = rng.uniform(1, 6)
    noise = cv2.GaussianBlur(noise, (0, 0), grain, sigmaY=grain * rng.uniform(0.5, 2))
    return 255 * (noise > np.quantile(noise, rng.uniform(0.3, 0.75))).astype("uint8")


def _left_half(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep about half the ink, on the left of a cut that is nearly upright."""
    y, x = np.indices(image.shape)
    right = x - rng.uniform(-0.25, 0.25) * y
    ink = right[image > 127]
    return image * (right < np.quantile(ink, rng.uniform(0.35, 0.55))) if len(ink) else image


def _joined(parts: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Put digits beside or below each other, touching."""
    below = rng.random() < 0.25
    parts = [part.T if below else part for part in parts]
    height = max(map(len, parts))
    canvas, x = np.zeros((height, sum(part.shape[1] for part in parts)), "uint8"), 0
    for part in parts:
        y = rng.integers(height - len(part) + 1)
        room = canvas[y : y + len(part), x : x + part.shape[1]]
        np.maximum(room, part, out=room)
        x += int(part.shape[1] * rng.uniform(0.8, 1))
    return canvas.T if below else canvas
